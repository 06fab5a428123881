/**
 * Options of `deno task miner` that say how it trains, the same in test mode and on a network.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { CODECS } from "../../miner/codecs.ts";

/** How a miner trains. What is undefined is the setting's. */
export interface TrainingArgs {
  /** `auto`, the name of a trainer, a sidecar's address, or the path of a module. */
  readonly trainer: string | undefined;
  /** `auto`, `cpu`, `webgpu`, `cuda` or `cuda:N`. */
  readonly device: string | undefined;
  /** The wire format. */
  readonly codec: string | undefined;
  /** What a module may read besides itself. */
  readonly allowRead: readonly string[];
  /** Try a gradient on the filters and the judge; nothing is committed. */
  readonly dryRun: boolean;
}

/** The options of {@linkcode TrainingArgs}. */
export const trainingOptions = {
  trainer: optional(option("--trainer", string({ metavar: "TRAINER" }), {
    description:
      message`What trains: onnx (in this process), sidecar (Python, at VRAMHUB_SIDECAR_URL), its address such as http://127.0.0.1:7070, templar, or a module of your own such as ./mine.ts. The older names candle, cuda, metal and stub are onnx on a device. Without it and VRAMHUB_TRAINER, the first of templar, sidecar and onnx that answers, and the reason is said.`,
  })),
  device: optional(option("--device", string({ metavar: "DEVICE" }), {
    description:
      message`Where onnx runs: auto, cpu, webgpu, cuda or cuda:N; VRAMHUB_DEVICE without it. A sidecar has a device of its own.`,
  })),
  codec: optional(
    option("--codec", choice(Object.keys(CODECS), { metavar: "CODEC" }), {
      description:
        message`How gradients are sent: topk, the largest entries as the trainer chooses them, or templar, blocks with 2 bits a value; VRAMHUB_CODEC without it.`,
    }),
  ),
  allowRead: multiple(option("--allow-read", path({ metavar: "PATH" }), {
    description: message`A file or folder that a module of your own may read. Repeatable.`,
  })),
  dryRun: option("--dry-run", {
    description:
      message`Train for the running window, try the gradient on the validators' filters and a judge of this machine, show every verdict, and end. Nothing is registered, committed or sent.`,
  }),
};
