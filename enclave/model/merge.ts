/**
 * From gradient bytes to the next base: opening one gradient, choosing which are merged, and the merge. The
 * judge signs the result's hash; everybody else replays it with this very code between uploads.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { Reveal } from "../protocol/commit.ts";
import { decodeGradient, type SparseUpdate } from "../protocol/gradient/mod.ts";
import type { Hparams } from "../protocol/hparams.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { Metric } from "../protocol/report.ts";
import { scoreOf, type SettledRow } from "../protocol/settle.ts";
import { SETTLED } from "../protocol/verdict.ts";
import { clipFactor, mergeUpdates, updateNorm } from "./update.ts";

/** Norms above this many times `max_update_norm` are refused, below it they are scaled down. */
const NORM_FACTOR = 1_000;

/** What a gradient must fit: the window it is for. */
export interface GradientContext {
  /** Hparams of the window. */
  readonly hparams: Hparams;
  /** N. */
  readonly window: number;
  /** Hash of base(N)'s manifest. */
  readonly baseHash: Bytes;
  /** Parameters of the model. */
  readonly total: number;
}

/** A gradient as it is applied: θ ← θ − (β · clip) · v. */
export interface OpenGradient {
  /** v. */
  readonly update: SparseUpdate;
  /** 1, or less where v is longer than `max_update_norm`. */
  readonly clip: number;
}

/** β of the hparams as a float64. */
export function betaOf(hparams: Hparams): number {
  return hparams.beta / 1e9;
}

/**
 * Decode one gradient and judge it by itself.
 *
 * @throws {Refusal} whose code is the verdict: `undecodable`, `wrong_size`, `wrong_model`, `non_finite`, `zero`, `norm`.
 */
export function openGradient(
  context: GradientContext,
  reveal: Reveal,
  bytes: Bytes,
): OpenGradient {
  if (bytes.length !== reveal.size) {
    throw new Refusal("wrong_size", `${bytes.length} bytes were revealed as ${reveal.size}`);
  }
  const { hparams, window, baseHash, total } = context;
  const update = decodeGradient(bytes, {
    codec: reveal.codec,
    total,
    maxBytes: hparams.max_gradient_bytes,
    uid: reveal.uid,
    window,
    baseHash,
  });
  const norm = updateNorm(update.values);
  if (norm === 0) throw new Refusal("zero", "Every value is zero");
  const most = hparams.max_update_norm / 1e6;
  if (!Number.isFinite(norm) || norm > NORM_FACTOR * most) {
    throw new Refusal("norm", `The norm is ${norm}, ${NORM_FACTOR} times ${most} is the limit`);
  }
  return { update, clip: clipFactor(norm, most) };
}

/** The `top_g` accepted uids by settled score, ties to the earlier commit; in uid order. */
export function mergedUids(
  randomBefore: Metric,
  rows: readonly SettledRow[],
  reveals: readonly Reveal[],
  topG: number,
): number[] {
  const seq = new Map(reveals.map(({ uid, commitSeq }) => [uid, commitSeq]));
  const score = (row: SettledRow) => scoreOf(randomBefore, row.randomAfter);
  return rows.filter((row) => row.verdict === SETTLED.accepted)
    .sort((a, b) => score(b) - score(a) || seq.get(a.uid)! - seq.get(b.uid)!)
    .slice(0, topG).map(({ uid }) => uid).sort((a, b) => a - b);
}

/** `base(N+2) = base(N+1) − β · mean` of the updates of `uids`, in uid order, into a new array. */
export function mergeBase(
  theta: Float32Array<ArrayBuffer>,
  context: GradientContext,
  uids: readonly number[],
  reveals: readonly Reveal[],
  bytesOf: (reveal: Reveal) => Bytes,
): Float32Array<ArrayBuffer> {
  const opened = uids.map((uid) => {
    const reveal = reveals.find((candidate) => candidate.uid === uid);
    if (reveal === undefined) {
      throw new Refusal("unbound_input", `Settled uid ${uid} was never revealed`, "settled");
    }
    return openGradient(context, reveal, bytesOf(reveal));
  });
  const merged = theta.slice();
  const updates = opened.map(({ update }) => update);
  mergeUpdates(merged, updates, betaOf(context.hparams), opened.map(({ clip }) => clip));
  return merged;
}
