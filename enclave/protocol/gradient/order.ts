/**
 * Order of a version 1 gradient's pairs: a radix sort over typed arrays, the same on every machine, linear in
 * their number and with two scratch copies as its only memory.
 *
 * @module
 */

const RADIX_BITS = 11;
const BUCKETS = 1 << RADIX_BITS;

/** Pairs of an index and the bits of a half. */
export interface Pairs {
  /** Positions. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** The bits of the value at each position. */
  readonly halves: Uint16Array<ArrayBuffer>;
}

/**
 * The pairs by ascending index, equal indices in the order they came in. All indices are below `bound`
 * (at most 2^32). The arrays given are used as scratch space.
 */
export function sortPairs(pairs: Pairs, bound: number): Pairs {
  if (isAscending(pairs.indices)) return pairs;
  const length = pairs.indices.length;
  let from = pairs;
  let to: Pairs = { indices: new Uint32Array(length), halves: new Uint16Array(length) };
  for (let shift = 0; 2 ** shift < bound; shift += RADIX_BITS) {
    const next = new Uint32Array(BUCKETS);
    for (const index of from.indices) next[(index >>> shift) & (BUCKETS - 1)]!++;
    let start = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = next[bucket]!;
      next[bucket] = start;
      start += count;
    }
    for (let j = 0; j < length; j++) {
      const index = from.indices[j]!;
      const at = next[(index >>> shift) & (BUCKETS - 1)]!++;
      to.indices[at] = index;
      to.halves[at] = from.halves[j]!;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Whether no index is below the one before it. */
function isAscending(indices: Uint32Array): boolean {
  for (let j = 1; j < indices.length; j++) if (indices[j]! < indices[j - 1]!) return false;
  return true;
}
