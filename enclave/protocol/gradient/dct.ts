/**
 * The orthonormal DCT-II of small matrices, and its inverse with the same bits on every machine: a table of cosines
 * that is computed here with nothing but IEEE 754's +, −, ×, ÷ and √ (an engine's own cosine may differ in its last
 * bit), and sums in float64 whose order is stated.
 *
 * @module
 */

/** Largest side of a transformed matrix. */
export const MAX_SIDE = 64;

const tables: (Float64Array | undefined)[] = [];

/**
 * The `n` × `n` table C of the transform: `C[u·n + i] = a(u) · cos(π (2i + 1) u / 2n)`, where a(0) is √(1/n) and
 * any other a(u) is √(2/n). Its rows are orthonormal.
 *
 * @param n 1 … 64.
 */
export function dctTable(n: number): Float64Array {
  if (!Number.isInteger(n) || n < 1 || n > MAX_SIDE) {
    throw new RangeError(`Cannot transform as a side must be 1 to ${MAX_SIDE}: it is ${n}`);
  }
  return tables[n] ??= Float64Array.from({ length: n * n }, (_, at) => {
    const [u, i] = [Math.floor(at / n), at % n];
    return Math.sqrt((u === 0 ? 1 : 2) / n) * quarterCosine((2 * i + 1) * u, n);
  });
}

/** cos(π m / 2n): reduced in integers to an eighth of the circle, where the series has converged after ten terms. */
function quarterCosine(m: number, n: number): number {
  let part = m % (4 * n);
  if (part > 2 * n) part = 4 * n - part;
  const sign = part > n ? -1 : 1;
  if (part > n) part = 2 * n - part;
  const isCosine = 2 * part <= n;
  const x = (isCosine ? part : n - part) * Math.PI / (2 * n);
  return sign * (isCosine ? series(x, 0) : x * series(x, 1));
}

/** Σ (−1)^j x^2j / (2j + odd)! by Horner's rule: cos x, or sin x / x where `odd` is 1. */
function series(x: number, odd: 0 | 1): number {
  let sum = 1;
  for (let j = 20; j > 0; j -= 2) sum = 1 - sum * x * x / ((j + odd) * (j + odd - 1));
  return sum;
}

const columns = new Float64Array(MAX_SIDE * MAX_SIDE);
const named = new Uint8Array(MAX_SIDE);
const even = new Float64Array(MAX_SIDE / 2);
const odd = new Float64Array(MAX_SIDE / 2);

/**
 * The `high` × `wide` matrix Y whose transform has the coefficients `values` at the row-major `places` (ascending)
 * and zeros elsewhere, into `out`. With the tables C of both sides, and every product and sum rounded to float64:
 * `T[i][v] = Σ C[u][i] · X[u][v]` over the named u, ascending from 0; then, over the columns v that have a
 * coefficient, ascending from 0, `E = Σ T[i][v] · C[v][j]` of the even v and `O` of the odd ones, for j below
 * ⌈wide / 2⌉; and `Y[i][j] = E + O`, `Y[i][wide − 1 − j] = E − O`, since an odd row of C is its own mirror's negative.
 */
export function inverseDct(
  high: number,
  wide: number,
  places: Uint16Array,
  values: Float64Array,
  out: Float64Array,
): void {
  const [rows, cols] = [dctTable(high), dctTable(wide)];
  columns.fill(0, 0, high * wide);
  named.fill(0);
  for (let e = 0; e < places.length; e++) {
    const u = Math.floor(places[e]! / wide);
    const v = places[e]! - u * wide;
    const x = values[e]!;
    named[v] = 1;
    for (let i = 0; i < high; i++) columns[v * high + i]! += rows[u * high + i]! * x;
  }
  const middle = Math.ceil(wide / 2);
  for (let i = 0; i < high; i++) {
    even.fill(0);
    odd.fill(0);
    for (let v = 0; v < wide; v++) {
      if (named[v] === 0) continue;
      const sums = v % 2 === 0 ? even : odd;
      const t = columns[v * high + i]!;
      for (let j = 0; j < middle; j++) sums[j]! += t * cols[v * wide + j]!;
    }
    for (let j = 0; j < middle; j++) {
      // The mirror first: of an odd width the middle is its own, where O is 0.
      out[i * wide + wide - 1 - j] = even[j]! - odd[j]!;
      out[i * wide + j] = even[j]! + odd[j]!;
    }
  }
}
