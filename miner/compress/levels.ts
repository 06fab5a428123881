/**
 * Four levels for a matrix's entries: each sign has a low and a high one, found as k-means finds them (Lloyd 1982).
 * Templar's own four bins over ±3 standard deviations put one of them around zero, where top-k leaves nothing, and
 * mix the signs in it.
 *
 * @module
 */

const ROUNDS = 16;

/** Entries of a matrix as levels. */
export interface Levels {
  /** Low and high of the positive entries, then of the negative ones; in units of the entries' scales. */
  readonly lookup: Float32Array<ArrayBuffer>;
  /** 0 … 3 for each entry: bit 0 is high, bit 1 is negative. */
  readonly codes: Uint8Array<ArrayBuffer>;
}

/**
 * The levels of `entries`, finite values in units of `scales`, which has a scale for each of them. A level is the
 * mean of its entries with the squared scale as the weight: then what is taken away never has more energy than what
 * it was taken from.
 */
export function levelsOf(entries: Float64Array, scales: Float64Array): Levels {
  const lookup = new Float32Array(4);
  const codes = new Uint8Array(entries.length);
  for (const sign of [1, -1]) {
    const base = sign === 1 ? 0 : 2;
    let threshold = 0;
    let low = 0;
    let high = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const sums = [0, 0];
      const weights = [0, 0];
      for (let e = 0; e < entries.length; e++) {
        const magnitude = entries[e]! * sign;
        if (magnitude < 0 || (magnitude === 0 && sign < 0)) continue;
        // Round 0 has the mean of all as its high level.
        const side = magnitude > threshold || round === 0 ? 1 : 0;
        codes[e] = base | side;
        const weight = scales[e]! * scales[e]!;
        sums[side]! += weight * magnitude;
        weights[side]! += weight;
      }
      low = weights[0] === 0 ? 0 : sums[0]! / weights[0]!;
      high = weights[1] === 0 ? low : sums[1]! / weights[1]!;
      const next = round === 0 ? high : (low + high) / 2;
      if (next === threshold) break;
      threshold = next;
    }
    lookup[base] = sign * low;
    lookup[base + 1] = sign * high;
  }
  return { lookup, codes };
}
