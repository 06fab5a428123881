/**
 * A flat model as matrices in blocks of 64 × 64, and what a version 3 gradient says of one matrix as entries of the
 * flat model.
 *
 * @module
 */
import { inverseDct, MAX_SIDE } from "./dct.ts";
import { refuse } from "./types.ts";

/** Rows and columns of a block; those at a matrix's edges are smaller. */
export const SIDE: number = MAX_SIDE;

/** Levels that an entry's 2 bits choose from. */
export const LEVELS = 4;

/** The largest scale byte: 2^127. */
export const MAX_SCALE = 254;

/** What a version 3 gradient says of one matrix. A vector of n elements is a matrix of one row. */
export interface TemplarTensor {
  /** Rows, at least 1. */
  readonly rows: number;
  /** Columns, at least 1. */
  readonly cols: number;
  /** Entries of every block that is sent: even, 2 … 4,096; a block with fewer elements sends all of them. */
  readonly k: number;
  /** Whether entries are coefficients of the block's DCT-II, and not its elements. */
  readonly dct: boolean;
  /** Four levels, finite float32 values, in units of the block's scale. */
  readonly lookup: ArrayLike<number>;
  /** A byte s per block, blocks in row-major order: its scale is 2^(s − 127); 0 says that the block is not sent. */
  readonly scales: Uint8Array;
  /** Places of the entries of one sent block after the other: row-major in the block, ascending. */
  readonly places: Uint16Array;
  /** The level of each entry, 0 … 3. */
  readonly codes: Uint8Array;
}

/** Blocks of a matrix. */
export function blockCount(rows: number, cols: number): number {
  return Math.ceil(rows / SIDE) * Math.ceil(cols / SIDE);
}

/** Call `visit` with the rows and columns of every block, and where it begins, in row-major order. */
export function forEachBlock(
  rows: number,
  cols: number,
  visit: (high: number, wide: number, top: number, left: number) => void,
): void {
  for (let top = 0; top < rows; top += SIDE) {
    const high = Math.min(SIDE, rows - top);
    for (let left = 0; left < cols; left += SIDE) {
      visit(high, Math.min(SIDE, cols - left), top, left);
    }
  }
}

const power = new Float32Array(1);
const bits = new Uint32Array(power.buffer);

/** The scale that byte `s` stands for: 1 … 254. */
export function scaleOf(s: number): number {
  bits[0] = s << 23;
  return power[0]!;
}

/** Entries as they are gathered. */
export interface Gathered {
  /** Flat indices, ascending. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** A value for each. */
  readonly values: Float32Array<ArrayBuffer>;
}

const cursors = new Uint32Array(SIDE);
const block = new Float64Array(SIDE * SIDE);
const coefficients = new Float64Array(SIDE * SIDE);
const levels = new Float64Array(LEVELS);

/**
 * Write what `tensor` says, its first element being the model's `offset`-th, into `to` from entry `at` on. Elements
 * are `fround(lookup · scale)`, or `fround` of the inverse transform of `lookup · scale`: a transformed block gives
 * an entry for each of its elements.
 *
 * @return The entry behind the last one.
 * @throws {Refusal} `non_finite` where a value is beyond float32.
 */
export function expand(tensor: TemplarTensor, offset: number, to: Gathered, at: number): number {
  const { rows, cols, k, dct, lookup, scales, places, codes } = tensor;
  const across = Math.ceil(cols / SIDE);
  let place = 0;
  for (let top = 0, first = 0; top < rows; top += SIDE, first += across) {
    const high = Math.min(SIDE, rows - top);
    // Blocks lie beside each other and flat order goes through all of them row by row: first count, then place.
    let next = place;
    cursors.fill(0);
    for (let b = 0; b < across; b++) {
      if (scales[first + b] === 0) continue;
      const wide = Math.min(SIDE, cols - b * SIDE);
      const count = Math.min(k, high * wide);
      if (dct) { for (let r = 0; r < high; r++) cursors[r]! += wide; }
      else for (let e = 0; e < count; e++) cursors[Math.floor(places[next + e]! / wide)]!++;
      next += count;
    }
    for (let r = 0; r < high; r++) {
      const count = cursors[r]!;
      cursors[r] = at;
      at += count;
    }
    for (let b = 0; b < across; b++) {
      const s = scales[first + b]!;
      if (s === 0) continue;
      const wide = Math.min(SIDE, cols - b * SIDE);
      const count = Math.min(k, high * wide);
      const start = offset + top * cols + b * SIDE;
      for (let level = 0; level < LEVELS; level++) levels[level] = lookup[level]! * scaleOf(s);
      const end = place + count;
      if (dct) {
        for (let e = place; e < end; e++) coefficients[e - place] = levels[codes[e]!]!;
        inverseDct(high, wide, places.subarray(place, end), coefficients, block);
        for (let e = 0; e < high * wide; e++) put(start, cols, wide, e, block[e]!, to);
      } else {
        for (let e = place; e < end; e++) {
          put(start, cols, wide, places[e]!, levels[codes[e]!]!, to);
        }
      }
      place = end;
    }
  }
  return at;
}

/** Element `place` of a block that is `wide` and starts at `start` in the flat model. */
function put(
  start: number,
  cols: number,
  wide: number,
  place: number,
  value: number,
  { indices, values }: Gathered,
): void {
  const row = Math.floor(place / wide);
  const at = cursors[row]!++;
  const index = start + row * cols + place - row * wide;
  indices[at] = index;
  values[at] = value;
  if (!Number.isFinite(values[at])) {
    throw refuse("non_finite", `the value of index ${index} is not finite`, "values");
  }
}
