/**
 * What a training job is described by on the command line, with the seeds' names.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import { choice, float, integer, string } from "@optique/core/valueparser";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { ConfigError } from "../../config/mod.ts";
import { type JobSpec, PRECISIONS } from "../../ledger/jobs.ts";
import { hexBytes } from "./values.ts";

/** A job's number. */
export const jobId = argument(integer({ metavar: "ID", min: 0 }), {
  description: message`The job's number.`,
});

/** What a price depends on. */
export const size = object({
  modelParamsM: option("--model-params-m", integer({ metavar: "N", min: 1, max: 10_000_000 }), {
    description: message`Parameters of the model, in millions.`,
  }),
  datasetTokensM: option("--dataset-tokens-m", integer({ metavar: "N", min: 1, max: 10_000_000 }), {
    description: message`Tokens of the data set, in millions.`,
  }),
  numEpochs: withDefault(
    option("--num-epochs", integer({ metavar: "N", min: 1, max: 1_000 }), {
      description: message`Passes over the data.`,
    }),
    1,
  ),
  precision: withDefault(
    option("--precision", choice(PRECISIONS, { metavar: "FORMAT", suggest: "nearest" }), {
      description: message`Number format of the training.`,
    }),
    "BF16" as const,
  ),
});

/** What a miner needs to know besides. */
export const details = object({
  batchSize: withDefault(
    option("--batch-size", integer({ metavar: "N", min: 1, max: 65_536 }), {
      description: message`Sequences in a step.`,
    }),
    32,
  ),
  sequenceLength: withDefault(
    option("--sequence-length", integer({ metavar: "N", min: 1, max: 1_048_576 }), {
      description: message`Tokens in a sequence.`,
    }),
    2_048,
  ),
  minGpuVramGb: withDefault(
    option("--min-gpu-vram-gb", integer({ metavar: "GB", min: 0, max: 65_536 }), {
      description: message`Memory that a miner's GPU should have.`,
    }),
    24,
  ),
  datasetId: option("--dataset-id", integer({ metavar: "ID", min: 0 }), {
    description: message`Number of the anchored data set; see 'dataset register'.`,
  }),
  baseHash: option("--base-hash", hexBytes(32, "HASH"), {
    description: message`Hash of the base's manifest: ${
      commandLine("checkpoint --window N")
    } shows that of a window; of genesis it is the first window's.`,
  }),
  baseRef: option("--base-ref", "--base-model-blob-id", string({ metavar: "REF" }), {
    description:
      message`Where the base's manifest lies in the store, e.g. checkpoint-7-v1.manifest; genesis is the first base of the network's model.`,
  }),
  minImprovement: option(
    "--min-improvement",
    float({ metavar: "NATS", min: 0.000003, max: 1_000 }),
    {
      description:
        message`Least fall of the held-out loss that is paid for: what a judge must see in a dispute. A result that gains this little earns all of the payment, so that it has no default.`,
    },
  ),
  deadlineMs: optional(option("--deadline-ms", integer({ metavar: "MS", min: 0 }), {
    description: message`Until when it must be delivered, in milliseconds since 1970.`,
  })),
  hours: optional(option("--hours", float({ metavar: "H", min: 1, max: 168 }), {
    description: message`The same, from now on; 24 without either.`,
  })),
});

/** A job to be posted. */
export function specOf(
  size: Size,
  more: InferValue<typeof details>,
): JobSpec {
  const { baseHash, baseRef, batchSize, datasetId, minGpuVramGb, minImprovement, sequenceLength } =
    more;
  return {
    ...size,
    batchSize,
    sequenceLength,
    minGpuVramGb,
    datasetId,
    baseHash: baseHash as Bytes,
    baseRef,
    minImprovement: Math.round(minImprovement * 1e6),
  };
}

/** See {@link size}. */
export type Size = InferValue<typeof size>;

/** The board takes no deadline that is less than an hour ahead when the call arrives: a minute after it was made. */
const LEAST_MS = 3_600_000 + 60_000;

/** When a posted job ends. */
export function deadlineOf(more: InferValue<typeof details>, now: number): number {
  if (more.deadlineMs !== undefined && more.hours !== undefined) {
    throw new ConfigError("bad_value", "Cannot take both --deadline-ms and --hours: name one");
  }
  return more.deadlineMs ??
    now + Math.max(Math.round((more.hours ?? 24) * 3_600_000), LEAST_MS);
}
