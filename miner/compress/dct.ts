/**
 * The orthonormal DCT-II of a block, whose inverse is the judge's: `enclave/protocol/gradient/dct.ts`.
 *
 * @module
 */
import { dctTable, MAX_SIDE } from "../../enclave/protocol/gradient/dct.ts";

const half = new Float64Array(MAX_SIDE * MAX_SIDE);

/** Replace the `high` × `wide` row-major `values` by their coefficients. */
export function forwardDct(high: number, wide: number, values: Float32Array): void {
  const [rows, cols] = [dctTable(high), dctTable(wide)];
  for (let i = 0; i < high; i++) {
    for (let v = 0; v < wide; v++) {
      let sum = 0;
      for (let j = 0; j < wide; j++) sum += values[i * wide + j]! * cols[v * wide + j]!;
      half[v * high + i] = sum;
    }
  }
  for (let u = 0; u < high; u++) {
    for (let v = 0; v < wide; v++) {
      let sum = 0;
      for (let i = 0; i < high; i++) sum += half[v * high + i]! * rows[u * high + i]!;
      values[u * wide + v] = sum;
    }
  }
}
