/**
 * What several outcomes of a window add up to: ratings and the base, each where more than half of the
 * snapshot's stake says the same.
 *
 * @module
 */
import { type Bytes, equal } from "../../enclave/protocol/bytes.ts";
import type { Outcome, RatingRow } from "../../enclave/protocol/report.ts";
import { lowerMedian, SCORE_NOISE, type Weighted } from "../../enclave/protocol/settle.ts";

/** The stake behind `values`. */
export function stakeOf(values: readonly Weighted<unknown>[]): bigint {
  return values.reduce((sum, { stake }) => sum + stake, 0n);
}

/** The ratings that more than half of `total` signed, or null. */
export function agreedRatings(
  outcomes: readonly Weighted<Outcome>[],
  total: bigint,
): readonly RatingRow[] | null {
  for (const { value: { ratings } } of outcomes) {
    const text = JSON.stringify(ratings);
    const same = outcomes.filter(({ value }) => JSON.stringify(value.ratings) === text);
    if (2n * stakeOf(same) > total) return ratings;
  }
  return null;
}

/** Whether the base moves, and the signers' medians. */
export interface BaseMove {
  /** The merge in question. */
  readonly hash: Bytes;
  /** Whether it becomes the base. */
  readonly moved: boolean;
  /** Lower median of current less merged loss. */
  readonly gain: number;
  /** Lower median. */
  readonly currentLoss: number;
  /** Lower median. */
  readonly mergedLoss: number;
}

/**
 * The base moves once more than half of `total`, the snapshot's stake, measured that it got better on held-out
 * pages: then the signers' median says so, too, and no minority that signs early can hold it or push it. Null
 * while a later outcome can still decide.
 */
export function baseMove(
  outcomes: readonly Weighted<Outcome>[],
  total: bigint,
): BaseMove | null {
  for (const { value: { manifestHash: hash } } of outcomes) {
    if (hash === null) continue;
    const signers = outcomes.filter(({ value }) =>
      value.manifestHash !== null && equal(value.manifestHash, hash)
    );
    if (2n * stakeOf(signers) > total) return decide(hash, signers, total);
  }
  return null;
}

function decide(
  hash: Bytes,
  signers: readonly Weighted<Outcome>[],
  total: bigint,
): BaseMove | null {
  const gainOf = (outcome: Outcome) => outcome.currentLoss! - outcome.mergedLoss!;
  const median = (pick: (outcome: Outcome) => number) =>
    lowerMedian(signers.map(({ value, stake }) => ({ value: pick(value), stake })))!;
  const better = stakeOf(signers.filter(({ value }) => gainOf(value) > SCORE_NOISE));
  const moved = 2n * better > total;
  if (!moved && 2n * (stakeOf(signers) - better) < total) return null;
  return {
    hash,
    moved,
    gain: median(gainOf),
    currentLoss: median((outcome) => outcome.currentLoss!),
    mergedLoss: median((outcome) => outcome.mergedLoss!),
  };
}
