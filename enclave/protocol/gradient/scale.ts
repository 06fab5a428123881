/**
 * Block scaling for version 2: a run of values as halves in units of a power of two.
 *
 * @module
 */
import { fromF16Array, toF16Bits } from "../f16.ts";

/** The power of two of a block's largest magnitude, in units of its scale. */
const TARGET_EXPONENT = 14;
/** Smallest exponent of a normal binary32. */
const MIN_EXPONENT = -126;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The scale of a block whose largest magnitude is `max`: finite, not negative. */
function scaleFor(max: number): number {
  if (max === 0) return 1;
  float[0] = max;
  return 2 ** Math.max((bits[0]! >>> 23) - 127 - TARGET_EXPONENT, MIN_EXPONENT);
}

/**
 * The scales of `values` in blocks of `block`, and the half of each value divided by its scale.
 *
 * @throws {RangeError} where a value is not finite, or so large that its nearest half times the scale is not.
 */
export function quantise(
  values: Float32Array,
  block: number,
): { scales: Float32Array<ArrayBuffer>; halves: Uint16Array<ArrayBuffer> } {
  const scales = new Float32Array(Math.ceil(values.length / block));
  const halves = new Uint16Array(values.length);
  for (let b = 0; b < scales.length; b++) {
    const end = Math.min((b + 1) * block, values.length);
    let max = 0;
    for (let j = b * block; j < end; j++) {
      const magnitude = Math.abs(values[j]!);
      // Half a unit of a half's 11 bits below 2^128: from there on it rounds to infinity. NaN fails it too.
      if (!(magnitude < (2 ** 12 - 1) * 2 ** 116)) {
        throw new RangeError(`Cannot scale a block of values: ${values[j]} is too large`);
      }
      if (magnitude > max) max = magnitude;
    }
    const scale = scaleFor(max);
    scales[b] = scale;
    for (let j = b * block; j < end; j++) halves[j] = toF16Bits(values[j]! / scale);
  }
  return { scales, halves };
}

/** The values that halves in units of their block's scale stand for, in binary32. */
export function dequantise(
  halves: Uint16Array,
  scales: Float32Array,
  block: number,
): Float32Array<ArrayBuffer> {
  const values = fromF16Array(halves);
  for (let b = 0; b < scales.length; b++) {
    const scale = scales[b]!;
    const end = Math.min((b + 1) * block, values.length);
    for (let j = b * block; j < end; j++) values[j] = values[j]! * scale;
  }
  return values;
}
