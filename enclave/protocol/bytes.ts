/**
 * Byte strings: the few operations that every encoding here is made of.
 *
 * @module
 */

/** A byte string that owns an ordinary (not shared) buffer. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

/** UTF-8 bytes of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** The concatenation of `parts`, in order. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Whether `a` and `b` have the same length and content. Not constant time: nothing secret is compared. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order of two byte strings: negative, zero or positive. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const d = a[i]! - b[i]!;
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

/** Lower-case hexadecimal, without a prefix. */
export function toHex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += HEX[byte];
  return out;
}

/**
 * Bytes of a hexadecimal string (either case, optional `0x`).
 *
 * @throws {SyntaxError} where the text is not an even number of hexadecimal digits, or not `length` bytes.
 */
export function fromHex(text: string, length?: number): Bytes {
  const digits = text.startsWith("0x") ? text.slice(2) : text;
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) {
    throw new SyntaxError("Cannot read hexadecimal text: it is not an even number of hex digits");
  }
  const out = new Uint8Array(digits.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  if (length !== undefined && out.length !== length) {
    throw new SyntaxError(
      `Cannot read hexadecimal text: expected ${length} bytes and found ${out.length}`,
    );
  }
  return out;
}

/**
 * `value` as 8 bytes, little endian.
 *
 * @throws {RangeError} where it is no integer in `0..2^64 - 1`: a DataView would wrap it silently.
 */
export function u64le(value: bigint | number): Bytes {
  const wide = BigInt(value);
  if (wide < 0n || wide > 0xffff_ffff_ffff_ffffn) {
    throw new RangeError(`Cannot encode a value as u64: current value is ${value}`);
  }
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, wide, true);
  return out;
}

/**
 * `value` as 4 bytes, little endian.
 *
 * @throws {RangeError} where it is no integer in `0..2^32 - 1`.
 */
export function u32le(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new RangeError(`Cannot encode a value as u32: current value is ${value}`);
  }
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
}
