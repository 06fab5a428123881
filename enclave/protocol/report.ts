/**
 * The report (intent 1) and the outcome (intent 2): the two messages that a judge signs for a window. The
 * ledger decodes these very bytes; no argument travels beside them.
 *
 * @module
 */
import { BcsReader, BcsWriter } from "./bcs.ts";
import type { Bytes } from "./bytes.ts";
import { Refusal } from "./refusal.ts";
import { isRated, isVerdict, VERDICT } from "./verdict.ts";

/** Intent bytes. 3 is a job's verdict. */
export const INTENT = { report: 1, outcome: 2, job: 3 } as const;
/** Version of both messages. */
export const MESSAGE_VERSION = 1;
/** Rows of a message at most: one a miner's slot. */
export const MAX_ROWS = 256;
/** Offset of signed fixed-point values on the wire; also the value of an unmeasured metric. */
export const BIAS: bigint = 1n << 63n;

/** A measured loss in 1e-6 nats, or null where it was not measured. */
export type Metric = number | null;

/** `floor(nats · 1e6)`, at least 1: zero means unmeasured on the wire. */
export function toMetric(nats: number): number {
  return Math.max(1, Math.floor(nats * 1e6));
}

/**
 * A metric as biased u64: exactly 2^63 where unmeasured.
 *
 * @throws {RangeError} for what {@link readMetric} would not give back: zero, negative or fractional units.
 */
export function writeMetric(writer: BcsWriter, metric: Metric): BcsWriter {
  if (metric !== null && (!Number.isSafeInteger(metric) || metric < 1)) {
    throw new RangeError(`Cannot encode a loss: it must be at least 1 unit, it is ${metric}`);
  }
  return writer.u64(BIAS + BigInt(metric ?? 0));
}

/** The inverse of {@link writeMetric}; refuses what is negative or not a safe integer. */
export function readMetric(reader: BcsReader): Metric {
  const value = reader.u64() - BIAS;
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Refusal("out_of_range", "A loss is negative or above 2^53 - 1 units");
  }
  return value === 0n ? null : Number(value);
}

/** Head of both messages. */
export interface MessageHead {
  /** 32 bytes. */
  readonly chainId: Bytes;
  /** 32 bytes. */
  readonly ledgerId: Bytes;
  /** The validator's slot. */
  readonly validator: number;
  /** N. */
  readonly window: number;
  /** The judge's clock (its attestation device's). */
  readonly timestampMs: number;
}

/** What was measured of one gradient. The metrics are the workload's list: loss-delta has these three. */
export interface ReportEntry {
  /** The miner's slot. */
  readonly uid: number;
  /** A code of {@link VERDICT}. */
  readonly verdict: number;
  /** Loss on its own pages before its update. */
  readonly ownBefore: Metric;
  /** And after. */
  readonly ownAfter: Metric;
  /** Loss on everybody's random pages after its update. */
  readonly randomAfter: Metric;
}

/** A judge's report of a window. */
export interface Report extends MessageHead {
  /** What was judged. */
  readonly windowDigest: Bytes;
  /** Loss of the base on the random pages. */
  readonly randomBefore: Metric;
  /** One entry for every reveal, strictly ascending by uid. */
  readonly entries: readonly ReportEntry[];
}

/** A rating after a window. */
export interface RatingRow {
  /** The miner's slot. */
  readonly uid: number;
  /** In 1e-6, signed. */
  readonly mu: number;
  /** In 1e-6, rounded up. */
  readonly sigma: number;
}

/** A judge's outcome of a window: computed from settled integers, prior ratings and gradient bytes alone. */
export interface Outcome extends MessageHead {
  /** What the ledger settled. */
  readonly settledDigest: Bytes;
  /** New ratings of the rated miners, strictly ascending by uid. */
  readonly ratings: readonly RatingRow[];
  /** Hash of the merged base's manifest, or null where nothing is merged or a gradient was not to be had. */
  readonly manifestHash: Bytes | null;
  /** Loss of base(N+1) on the held-out pages; outside the equality of outcomes. */
  readonly currentLoss: Metric;
  /** Loss of the merged base on the same pages; outside the equality. */
  readonly mergedLoss: Metric;
}

function writeHead(intent: number, head: MessageHead): BcsWriter {
  return new BcsWriter().u8(intent).u8(MESSAGE_VERSION).fixed(head.chainId, 32)
    .fixed(head.ledgerId, 32).u16(head.validator).u64(head.window).u64(head.timestampMs);
}

function readHead(reader: BcsReader, intent: number): MessageHead {
  if (reader.u8() !== intent) throw new Refusal("wrong_intent", `The intent is not ${intent}`);
  if (reader.u8() !== MESSAGE_VERSION) {
    throw new Refusal("wrong_version", `The message's version is not ${MESSAGE_VERSION}`);
  }
  return {
    chainId: reader.fixed(32),
    ledgerId: reader.fixed(32),
    validator: reader.u16(),
    window: reader.count(),
    timestampMs: reader.count(),
  };
}

/** Refuse rows that are not strictly ascending by uid: no uid twice, one encoding for one set. */
export function checkAscending(rows: readonly { readonly uid: number }[]): void {
  for (let i = 1; i < rows.length; i++) {
    if (rows[i]!.uid <= rows[i - 1]!.uid) {
      throw new Refusal("not_ascending", "The uids are not strictly ascending", "uid");
    }
  }
}

/** The report's signed bytes. 256 entries are 7,038 bytes. */
export function encodeReport(report: Report): Bytes {
  checkAscending(report.entries);
  const writer = writeHead(INTENT.report, report).fixed(report.windowDigest, 32);
  writeMetric(writer, report.randomBefore);
  return writer.list(report.entries, (w, entry) => {
    w.u16(entry.uid).u8(entry.verdict);
    for (const metric of [entry.ownBefore, entry.ownAfter, entry.randomAfter]) {
      writeMetric(w, metric);
    }
  }).finish();
}

/** The inverse of {@link encodeReport}; refuses unknown verdicts and metrics that do not fit the verdict. */
export function decodeReport(bytes: Uint8Array): Report {
  const reader = new BcsReader(bytes);
  const head = readHead(reader, INTENT.report);
  const windowDigest = reader.fixed(32);
  const randomBefore = readMetric(reader);
  const entries = reader.list(MAX_ROWS, (r): ReportEntry => ({
    uid: r.u16(),
    verdict: r.u8(),
    ownBefore: readMetric(r),
    ownAfter: readMetric(r),
    randomAfter: readMetric(r),
  }));
  reader.finish();
  checkAscending(entries);
  for (const entry of entries) {
    if (!isVerdict(entry.verdict)) {
      throw new Refusal("bad_verdict", `Verdict ${entry.verdict} is unknown`, "verdict");
    }
    const metrics = [entry.ownBefore, entry.ownAfter, entry.randomAfter];
    const measured = metrics.filter((metric) => metric !== null).length;
    const expected = entry.verdict === VERDICT.ok ? metrics.length : 0;
    if (measured !== expected) {
      throw new Refusal("bad_metrics", `Entry ${entry.uid} has ${measured} metrics`, "metrics");
    }
  }
  if (randomBefore === null && entries.some((entry) => entry.verdict === VERDICT.ok)) {
    throw new Refusal(
      "bad_metrics",
      "An update was measured and the base was not",
      "random_before",
    );
  }
  return { ...head, windowDigest, randomBefore, entries };
}

/** mu as biased u64, sigma as u64. */
export function writeRating(writer: BcsWriter, row: RatingRow): BcsWriter {
  return writer.u16(row.uid).u64(BIAS + BigInt(row.mu)).u64(row.sigma);
}

/** A mu and a sigma as {@link writeRating} writes them; refuses ratings beyond a million. */
export function readRating(reader: BcsReader): { readonly mu: number; readonly sigma: number } {
  const mu = reader.u64() - BIAS;
  const sigma = reader.count();
  if (mu > 10n ** 12n || mu < -(10n ** 12n) || sigma < 1 || sigma > 10 ** 12) {
    throw new Refusal("out_of_range", "A rating lies beyond a million", "ratings");
  }
  return { mu: Number(mu), sigma };
}

/** The outcome's signed bytes. 256 ratings and a manifest hash are 4,775 bytes. */
export function encodeOutcome(outcome: Outcome): Bytes {
  checkAscending(outcome.ratings);
  const writer = writeHead(INTENT.outcome, outcome).fixed(outcome.settledDigest, 32)
    .list(outcome.ratings, writeRating)
    .option(outcome.manifestHash, (w, hash) => w.fixed(hash, 32));
  return writeMetric(writeMetric(writer, outcome.currentLoss), outcome.mergedLoss).finish();
}

/** The inverse of {@link encodeOutcome}; a manifest without its two losses is refused, and the reverse. */
export function decodeOutcome(bytes: Uint8Array): Outcome {
  const reader = new BcsReader(bytes);
  const head = readHead(reader, INTENT.outcome);
  const settledDigest = reader.fixed(32);
  const ratings = reader.list(MAX_ROWS, (r): RatingRow => ({ uid: r.u16(), ...readRating(r) }));
  const manifestHash = reader.option((r) => r.fixed(32));
  const currentLoss = readMetric(reader);
  const mergedLoss = readMetric(reader);
  reader.finish();
  checkAscending(ratings);
  const losses = Number(currentLoss !== null) + Number(mergedLoss !== null);
  if (losses !== (manifestHash === null ? 0 : 2)) {
    throw new Refusal("bad_metrics", "Manifest and losses do not go together", "manifest_hash");
  }
  return { ...head, settledDigest, ratings, manifestHash, currentLoss, mergedLoss };
}

/** The rows of a settlement that an outcome must rate. */
export function ratedUids(
  rows: readonly { readonly uid: number; readonly verdict: number }[],
): number[] {
  return rows.filter((row) => isRated(row.verdict)).map((row) => row.uid);
}
