/**
 * IEEE 754-2019 binary16 ("f16", half precision): 1 sign, 5 exponent and 10 fraction bits. Rounding is to
 * nearest, ties to even, and subnormals are kept: a converter that drops them loses most of what a language
 * model's gradient holds, since half's smallest normal number is 6.1e-5.
 *
 * Written out, not taken from the runtime's `Float16Array`, so that every runtime gives the same bits.
 *
 * @module
 */

/** The largest finite half: 65,504. */
export const F16_MAX = 65_504;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * The half nearest to `value`, as its 16 bits. `value` is rounded to single precision first, ties to even both
 * times. From 65,520 on it becomes infinity, as in the standard; every NaN becomes the quiet NaN 0x7e00.
 */
export function toF16Bits(value: number): number {
  float[0] = value;
  return roundBits(bits[0]!);
}

/** Bits of a binary32 to bits of the nearest binary16. */
function roundBits(single: number): number {
  const sign = (single >>> 16) & 0x8000;
  const magnitude = single & 0x7fff_ffff;
  if (magnitude >= 0x4780_0000) { // 2^16 and above, infinity, NaN
    return magnitude > 0x7f80_0000 ? 0x7e00 : sign | 0x7c00;
  }
  if (magnitude >= 0x3880_0000) { // 2^-14 and above: normal
    // Rebias the exponent (127 to 15), then add just under half a unit of the 13 bits that fall away, and one
    // more where the last bit that stays is odd: a carry runs into the exponent, up to infinity.
    return sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x3300_0000) return sign; // 2^-25 is a tie with zero, which is even
  // Subnormal: the significand, with its leading one, counted in units of 2^-24.
  const shift = 126 - (magnitude >>> 23); // 14 … 24
  const significand = (magnitude & 0x7f_ffff) | 0x80_0000;
  const odd = (significand >>> shift) & 1;
  return sign | ((significand + (1 << (shift - 1)) - 1 + odd) >>> shift);
}

/** The value of a half given as its 16 bits: exact, since every half is a binary64. */
export function fromF16Bits(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Whether the half with these bits is a number: neither infinite nor NaN. */
export function isFiniteF16(half: number): boolean {
  return (half & 0x7c00) !== 0x7c00;
}

/** The nearest halves of `values`, as bits: one per value. */
export function toF16Array(values: Float32Array): Uint16Array<ArrayBuffer> {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = roundBits(source[i]!);
  return out;
}

let table: Float32Array | undefined;

/** The values of halves given as bits: one per element, exact. */
export function fromF16Array(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const values = table ??= Float32Array.from({ length: 65_536 }, (_, half) => fromF16Bits(half));
  const out = new Float32Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = values[halves[i]!]!;
  return out;
}
