/**
 * The verdict on a job (intent 3): the message by which a judge decides a dispute over a training job. It
 * measured the job's base and its result on held-out pages of the data set that the job anchors (`job_pages.ts`). The
 * ledger (`training_jobs::resolve_dispute`) decodes these very bytes; no argument travels beside them.
 *
 * @module
 */
import { BcsReader, BcsWriter } from "./bcs.ts";
import type { Bytes } from "./bytes.ts";
import { Refusal } from "./refusal.ts";
import { INTENT, MESSAGE_VERSION, type Metric, readMetric, writeMetric } from "./report.ts";

/** A judge's verdict on one delivery. */
export interface JobVerdict {
  /** 32 bytes. */
  readonly chainId: Bytes;
  /** 32 bytes. */
  readonly ledgerId: Bytes;
  /** The validator's slot. */
  readonly validator: number;
  /** The job's number: where a report has its window. */
  readonly job: number;
  /** The judge's clock (its attestation device's). */
  readonly timestampMs: number;
  /** Root of the data set whose held-out pages were measured: 32 bytes. */
  readonly datasetRoot: Bytes;
  /** Hash of the manifest of the base that training started from: 32 bytes. */
  readonly baseHash: Bytes;
  /** Hash of the delivered result's manifest: 32 bytes. */
  readonly resultHash: Bytes;
  /** Loss of the base in 1e-6 nats, at least 1. */
  readonly lossBefore: number;
  /** Loss of the result, or null where bytes of this hash are not a result that can be measured. */
  readonly lossAfter: Metric;
}

/**
 * The signed bytes, always 196 of them: intent 3, version u8, chain id, ledger id, validator u16, job u64,
 * timestamp_ms u64, data set root, base hash, result hash, both losses as u64 biased by 2^63.
 */
export function encodeJobVerdict(verdict: JobVerdict): Bytes {
  const writer = new BcsWriter().u8(INTENT.job).u8(MESSAGE_VERSION).fixed(verdict.chainId, 32)
    .fixed(verdict.ledgerId, 32).u16(verdict.validator).u64(verdict.job).u64(verdict.timestampMs)
    .fixed(verdict.datasetRoot, 32).fixed(verdict.baseHash, 32).fixed(verdict.resultHash, 32);
  return writeMetric(writeMetric(writer, verdict.lossBefore), verdict.lossAfter).finish();
}

/** The inverse of {@link encodeJobVerdict}; refuses a verdict whose base was not measured. */
export function decodeJobVerdict(bytes: Uint8Array): JobVerdict {
  const reader = new BcsReader(bytes);
  if (reader.u8() !== INTENT.job) {
    throw new Refusal("wrong_intent", `The intent is not ${INTENT.job}`);
  }
  if (reader.u8() !== MESSAGE_VERSION) {
    throw new Refusal("wrong_version", `The message's version is not ${MESSAGE_VERSION}`);
  }
  const head = {
    chainId: reader.fixed(32),
    ledgerId: reader.fixed(32),
    validator: reader.u16(),
    job: reader.count(),
    timestampMs: reader.count(),
    datasetRoot: reader.fixed(32),
    baseHash: reader.fixed(32),
    resultHash: reader.fixed(32),
  };
  const lossBefore = readMetric(reader);
  const lossAfter = readMetric(reader);
  reader.finish();
  if (lossBefore === null) {
    throw new Refusal("bad_metrics", "The base was not measured", "loss_before");
  }
  return { ...head, lossBefore, lossAfter };
}
