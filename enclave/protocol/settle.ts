/**
 * Settlement: what the reports of several judges add up to. The ledger computes it (here and in Move), the
 * outcome's judge recomputes its digest; integers only, and no result depends on the order of the reports.
 *
 * @module
 */
import { BcsWriter } from "./bcs.ts";
import type { Bytes } from "./bytes.ts";
import { tagged } from "./hash.ts";
import { BIAS, checkAscending, type Metric, type ReportEntry, writeMetric } from "./report.ts";
import { isMeasured, SETTLED, VERDICT } from "./verdict.ts";

/** A score must exceed this many units (1e-6 nats) to count: AVX-512 and AVX2 differ by less. */
export const SCORE_NOISE = 2;

/** What the ledger settles for one reveal. */
export interface SettledRow {
  /** The miner's slot. */
  readonly uid: number;
  /** A refusal's or abstention's code, or one of {@link SETTLED}. */
  readonly verdict: number;
  /** Stake-weighted lower medians, or null. */
  readonly ownBefore: Metric;
  /** See `ownBefore`. */
  readonly ownAfter: Metric;
  /** See `ownBefore`. */
  readonly randomAfter: Metric;
  /** Rating before the window, in 1e-6. */
  readonly priorMu: number;
  /** In 1e-6. */
  readonly priorSigma: number;
}

/** A value and the stake behind it. */
export interface Weighted<T> {
  /** The value. */
  readonly value: T;
  /** Stake in the coin's smallest unit. */
  readonly stake: bigint;
}

/** The smallest v with `2 · cumulative stake ≥ total`: the stake-weighted lower median. Null for no values. */
export function lowerMedian(values: readonly Weighted<number>[]): number | null {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  const total = sorted.reduce((sum, { stake }) => sum + stake, 0n);
  let cumulative = 0n;
  for (const { value, stake } of sorted) {
    cumulative += stake;
    if (2n * cumulative >= total) return value;
  }
  return null;
}

function stakeOf(entries: readonly Weighted<unknown>[]): bigint {
  return entries.reduce((sum, { stake }) => sum + stake, 0n);
}

/**
 * Settle one reveal from the entries of all who reported. It counts where more than half of the reporting
 * stake measured it; its verdict is that of more than half of the measuring stake, else `disputed`; its
 * metrics are the lower medians over the reports with that verdict.
 */
export function settleEntry(
  entries: readonly Weighted<ReportEntry>[],
  randomBefore: Metric,
): Pick<SettledRow, "verdict" | "ownBefore" | "ownAfter" | "randomAfter"> {
  const none = { ownBefore: null, ownAfter: null, randomAfter: null };
  const measured = entries.filter(({ value }) => isMeasured(value.verdict));
  const reporting = stakeOf(entries);
  const measuring = stakeOf(measured);
  if (2n * measuring <= reporting) {
    const skipped = entries.filter(({ value }) => value.verdict === VERDICT.not_sampled);
    const verdict = 2n * stakeOf(skipped) > reporting ? VERDICT.not_sampled : VERDICT.unavailable;
    return { verdict, ...none };
  }
  const winner = [...new Set(measured.map(({ value }) => value.verdict))].find((verdict) =>
    2n * stakeOf(measured.filter(({ value }) => value.verdict === verdict)) > measuring
  );
  if (winner === undefined) return { verdict: SETTLED.disputed, ...none };
  if (winner !== VERDICT.ok) return { verdict: winner, ...none };
  const median = (metric: "ownBefore" | "ownAfter" | "randomAfter") =>
    lowerMedian(
      measured.filter(({ value }) => value.verdict === VERDICT.ok && value[metric] !== null)
        .map(({ value, stake }) => ({ value: value[metric]!, stake })),
    );
  const randomAfter = median("randomAfter");
  return {
    verdict: scoreVerdict(scoreOf(randomBefore, randomAfter)),
    ownBefore: median("ownBefore"),
    ownAfter: median("ownAfter"),
    randomAfter,
  };
}

/** `score = random_before − random_after`, in 1e-6 nats; 0 where unmeasured. */
export function scoreOf(randomBefore: Metric, randomAfter: Metric): number {
  return randomBefore === null || randomAfter === null ? 0 : randomBefore - randomAfter;
}

function scoreVerdict(score: number): number {
  if (score > SCORE_NOISE) return SETTLED.accepted;
  return score < -SCORE_NOISE ? SETTLED.harmful : SETTLED.not_better;
}

/** The own-versus-random average's scale: stored in `0..2e6` with 1e6 as zero, so that Move needs no sign. */
export const AVERAGE_ZERO = 1_000_000;
/** It counts as at least this (0.05) during a miner's first windows. */
export const AVERAGE_FLOOR = 50_000;
/** How many measured windows that lasts. */
export const AVERAGE_NEWCOMER = 8;

/**
 * One step of the own-versus-random average: α 0.05 of the sign of (own drop − random drop). Training on
 * one's own assigned pages lowers their loss more than that of random ones; copying others does not.
 *
 * @param average The stored average, `0..2·AVERAGE_ZERO`.
 */
export function nextAverage(
  average: number,
  randomBefore: Metric,
  row: Pick<SettledRow, "ownBefore" | "ownAfter" | "randomAfter">,
): number {
  const own = (row.ownBefore ?? 0) - (row.ownAfter ?? 0);
  const sign = Math.sign(own - scoreOf(randomBefore, row.randomAfter));
  return Math.floor((19 * average + (sign + 1) * AVERAGE_ZERO) / 20);
}

/** The average as it enters a weight: signed, in 1e-6, with the newcomers' floor. */
export function effectiveAverage(average: number, measuredWindows: number): number {
  const signed = average - AVERAGE_ZERO;
  return measuredWindows <= AVERAGE_NEWCOMER ? Math.max(AVERAGE_FLOOR, signed) : signed;
}

/** BCS of what was settled: random_before, then the rows, strictly ascending by uid, 43 bytes each. */
export function writeSettlement(
  writer: BcsWriter,
  randomBefore: Metric,
  rows: readonly SettledRow[],
): BcsWriter {
  checkAscending(rows);
  return writeMetric(writer, randomBefore).list(rows, (w, row) => {
    w.u16(row.uid).u8(row.verdict);
    for (const metric of [row.ownBefore, row.ownAfter, row.randomAfter]) writeMetric(w, metric);
    w.u64(BIAS + BigInt(row.priorMu)).u64(row.priorSigma);
  });
}

/** `SHA-256("vramhub/settled/v1" ‖ BCS(window digest, base(N+1), random_before, rows by uid))`. */
export function settledDigest(
  windowDigest: Uint8Array,
  nextBaseHash: Uint8Array,
  randomBefore: Metric,
  rows: readonly SettledRow[],
): Bytes {
  const writer = new BcsWriter().fixed(windowDigest, 32).fixed(nextBaseHash, 32);
  return tagged("vramhub/settled/v1", writeSettlement(writer, randomBefore, rows).finish());
}
