/**
 * Near copies: two updates that share almost all indices of a slice of index space that nobody knew, with
 * correlated values. Honest miners train on different pages and share far fewer; the thresholds are hparams,
 * set above the p99.9 of honest pairs that the bench records.
 *
 * @module
 */
import type { SparseUpdate } from "../protocol/gradient/mod.ts";
import type { Hparams } from "../protocol/hparams.ts";

/** 2^6 slices. */
const SLICE_BITS = 6;
/** Knuth's multiplicative hash (2^32 / golden ratio): a residue class would be one column of every matrix. */
const HASH = 0x9e3779b1;
/** Fewer shared entries than this say nothing. */
const LEAST_SHARED = 16;

/** An update's entries in the slice. A window holds one of every miner: packed, they are 60 KB at 1 % of nano-GPT. */
export interface Slice {
  /** Ascending. */
  readonly indices: Uint32Array;
  /** Their values. */
  readonly values: Float32Array;
}

/** Entries of `update` in the 1/64 of index space that `salt` (u32, from the judge's beacon) chooses. */
export function sliceOf(update: SparseUpdate, salt: number): Slice {
  const isIn = (index: number) => Math.imul(index ^ salt, HASH) >>> (32 - SLICE_BITS) === 0;
  const indices = update.indices.filter(isIn);
  const values = update.values.filter((_, i) => isIn(update.indices[i]!));
  return { indices, values };
}

/** Shared entries as a share of the smaller slice, and the cosine of the values that are shared. */
export function overlapOf(
  a: Slice,
  b: Slice,
): { readonly shared: number; readonly share: number; readonly cosine: number } {
  let shared = 0;
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0, j = 0; i < a.indices.length && j < b.indices.length;) {
    const d = a.indices[i]! - b.indices[j]!;
    if (d === 0) {
      const [x, y] = [a.values[i]!, b.values[j]!];
      shared++;
      dot += x * y;
      aa += x * x;
      bb += y * y;
    }
    if (d <= 0) i++;
    if (d >= 0) j++;
  }
  const least = Math.min(a.indices.length, b.indices.length);
  return {
    shared,
    share: least === 0 ? 0 : shared / least,
    cosine: aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb),
  };
}

/** Whether two slices overlap by more than the hparams allow, with values as correlated. */
export function isCopy(
  a: Slice,
  b: Slice,
  hparams: Pick<Hparams, "overlap_bps" | "correlation_bps">,
): boolean {
  const { shared, share, cosine } = overlapOf(a, b);
  return shared >= LEAST_SHARED && share * 10_000 > hparams.overlap_bps &&
    cosine * 10_000 > hparams.correlation_bps;
}
