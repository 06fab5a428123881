/**
 * Sparse updates: applying one to θ in place and taking it back, its norm, and merging several. Every rounding is
 * stated, so that whoever replays a merge gets the same bits.
 *
 * @module
 */
import type { SparseUpdate } from "../protocol/gradient/types.ts";

export type { SparseUpdate };

/** What a patch overwrote. */
export interface Undo {
  /** The places that were written. */
  readonly indices: Uint32Array;
  /** The former elements' IEEE 754 bits. */
  readonly bits: Uint32Array;
}

function bitsOf(theta: Float32Array): Uint32Array {
  return new Uint32Array(theta.buffer, theta.byteOffset, theta.length);
}

/**
 * Refuse an update that does not fit θ, before anything is written.
 *
 * @throws {RangeError} where the total or the lengths differ, or the indices do not ascend strictly within `total`.
 */
export function checkUpdate(theta: Float32Array, update: SparseUpdate): void {
  const { total, indices, values } = update;
  if (total !== theta.length) {
    throw new RangeError(
      `Cannot apply an update as 'total' must be ${theta.length}: current value is ${total}`,
    );
  }
  if (indices.length !== values.length) {
    throw new RangeError(
      `Cannot apply an update as 'values' must have ${indices.length} elements: current value has ${values.length}`,
    );
  }
  let next = 0;
  for (const index of indices) {
    if (index < next || index >= total) {
      throw new RangeError(
        `Cannot apply an update as 'indices' must ascend strictly below ${total}: current value is ${index}`,
      );
    }
    next = index + 1;
  }
}

/**
 * θ[i] ← fround(θ[i] − fround(step · v[i])) at the update's places, in place.
 *
 * @param step The factor on v; a float64. Scale it by {@linkcode clipFactor} where the norm is bounded.
 * @return What `unpatch` needs to restore the very bits.
 * @throws {RangeError} where the update does not fit; θ is untouched then.
 */
export function patch(theta: Float32Array, update: SparseUpdate, step: number): Undo {
  checkUpdate(theta, update);
  const { indices, values } = update;
  const before = bitsOf(theta);
  const bits = new Uint32Array(indices.length);
  for (let k = 0; k < indices.length; k++) {
    const i = indices[k]!;
    bits[k] = before[i]!;
    theta[i] = theta[i]! - Math.fround(step * values[k]!);
  }
  return { indices, bits };
}

/** Put back what `patch` overwrote. Undo the last patch first. */
export function unpatch(theta: Float32Array, undo: Undo): void {
  const { indices, bits } = undo;
  const target = bitsOf(theta);
  for (let k = 0; k < indices.length; k++) target[indices[k]!] = bits[k]!;
}

/** The Euclidean norm of `values`: a float64 sum of squares in ascending index, then its square root. */
export function updateNorm(values: Float32Array): number {
  let sum = 0;
  for (const v of values) sum += v * v;
  return Math.sqrt(sum);
}

/** The factor in (0, 1] that brings an update of `norm` down to at most `max`: `max / norm` where it is longer. */
export function clipFactor(norm: number, max: number): number {
  return norm > max ? max / norm : 1;
}

/**
 * θ ← θ − step · mean of `updates`, in place. At every place that an update names, with n = `updates.length`:
 * s = 0; per update u that names it, in the given order: s ← fround(s + fround(factors[u] · v));
 * θ[i] ← fround(θ[i] − fround(step · fround(s / n))). Other places keep their bits. An update that does not name a
 * place counts as 0 there.
 *
 * @param factors A factor per update, default 1: see {@linkcode clipFactor}.
 * @return How many elements were written.
 * @throws {RangeError} where an update does not fit, or `factors` has another length; θ is untouched then.
 */
export function mergeUpdates(
  theta: Float32Array,
  updates: readonly SparseUpdate[],
  step: number,
  factors: readonly number[] = updates.map(() => 1),
): number {
  const n = updates.length;
  if (factors.length !== n) {
    throw new RangeError(
      `Cannot merge updates as 'factors' must have ${n} elements: current value has ${factors.length}`,
    );
  }
  for (const update of updates) checkUpdate(theta, update);
  // A merge of sorted lists: no second array of θ's size.
  const cursors = new Uint32Array(n);
  const heads = updates.map(({ indices }) => indices[0] ?? Infinity);
  let written = 0;
  while (true) {
    let i = Infinity;
    for (const head of heads) if (head < i) i = head;
    if (i === Infinity) return written;
    let sum = 0;
    for (let u = 0; u < n; u++) {
      if (heads[u] !== i) continue;
      const { indices, values } = updates[u]!;
      const k = cursors[u]!++;
      sum = Math.fround(sum + Math.fround(factors[u]! * values[k]!));
      heads[u] = indices[k + 1] ?? Infinity;
    }
    theta[i] = theta[i]! - Math.fround(step * Math.fround(sum / n));
    written++;
  }
}
