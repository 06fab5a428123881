/**
 * Top-k by magnitude without a sort: two histograms over the bits of the values. A binary32's magnitude orders
 * as its bits without the sign do; the first histogram counts the upper 16 of those 31 bits and finds the bin
 * in which the k-th largest lies, the second counts the lower 15 within that bin and finds it exactly.
 *
 * @module
 */
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";

const LOW_BITS = 15;
const LOW_MASK = (1 << LOW_BITS) - 1;
const MAGNITUDE_MASK = 0x7fff_ffff;
const HIGH_BINS = 1 << 16;
/** First bin of infinity and NaN: exponent all ones. */
const NON_FINITE_BIN = 0x7f80_0000 >>> LOW_BITS;

/**
 * How many of `n` values `percent` percent are: floor(n · percent / 100), at least 1 and at most n.
 *
 * @throws {RangeError} where n is no positive integer or percent not above 0 and at most 100.
 */
export function countOf(n: number, percent: number): number {
  if (!Number.isSafeInteger(n) || n < 1) {
    throw new RangeError(`Cannot take a share as 'n' must be a positive integer: it is ${n}`);
  }
  if (!(percent > 0 && percent <= 100)) {
    throw new RangeError(`Cannot take a share as 'percent' must be in (0, 100]: it is ${percent}`);
  }
  return Math.min(Math.max(Math.floor(n * percent / 100), 1), n);
}

/**
 * The `k` entries of `values` with the largest magnitudes, by ascending index. Of equal magnitudes at the
 * threshold those with lower indices are taken, so the result is the same on every machine.
 *
 * @throws {RangeError} where k is not 1 … n, or a value is infinite or NaN.
 */
export function topK(values: Float32Array, k: number): SparseUpdate {
  const total = values.length;
  if (!Number.isInteger(k) || k < 1 || k > total) {
    throw new RangeError(`Cannot select as 'k' must be 1 to ${total}: it is ${k}`);
  }
  const bits = new Uint32Array(values.buffer, values.byteOffset, total);
  const { threshold, above } = findThreshold(bits, k);
  const indices = new Uint32Array(k);
  const chosen = new Float32Array(k);
  let ties = k - above;
  for (let i = 0, at = 0; at < k; i++) {
    const magnitude = bits[i]! & MAGNITUDE_MASK;
    if (magnitude < threshold) continue;
    if (magnitude === threshold && ties-- <= 0) continue;
    indices[at] = i;
    chosen[at++] = values[i]!;
  }
  return { total, indices, values: chosen };
}

/** The k-th largest magnitude, as bits, and how many lie above it. */
function findThreshold(bits: Uint32Array, k: number): { threshold: number; above: number } {
  const high = new Uint32Array(HIGH_BINS);
  for (let i = 0; i < bits.length; i++) high[(bits[i]! & MAGNITUDE_MASK) >>> LOW_BITS]!++;
  for (let bin = NON_FINITE_BIN; bin < HIGH_BINS; bin++) {
    if (high[bin] !== 0) throw new RangeError("Cannot select as a value is infinite or NaN");
  }
  const { bin, above } = binOf(high, k, 0);
  const low = new Uint32Array(1 << LOW_BITS);
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & MAGNITUDE_MASK;
    if (magnitude >>> LOW_BITS === bin) low[magnitude & LOW_MASK]!++;
  }
  const exact = binOf(low, k, above);
  return { threshold: (bin << LOW_BITS) | exact.bin, above: exact.above };
}

/** From the top down, the bin that holds the k-th, where `above` are counted already. */
function binOf(counts: Uint32Array, k: number, above: number): { bin: number; above: number } {
  let bin = counts.length - 1;
  while (above + counts[bin]! < k) above += counts[bin--]!;
  return { bin, above };
}
