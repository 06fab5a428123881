/**
 * The few operations with which the vectors are checked another way: Node's hash and signatures, bytes put
 * together by hand. Nothing here comes from `enclave/protocol`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";

/** What a vector file holds, once parsed. */
// deno-lint-ignore no-explicit-any -- the tests that read it fail where a field is missing
export type Json = any;

/** The checked-in vectors of `name`. */
export function load(name: string): Json {
  return JSON.parse(Deno.readTextFileSync(new URL(`./${name}.json`, import.meta.url)));
}

/** `value` (a number, or a decimal string) as `width` bytes, little endian. */
export function le(value: string | number | bigint, width: number): Buffer {
  const out = Buffer.alloc(width);
  let rest = BigInt(value);
  for (let i = 0; i < width; i++, rest >>= 8n) out[i] = Number(rest & 0xffn);
  if (rest !== 0n) throw new RangeError(`${value} does not fit ${width} bytes`);
  return out;
}

/** Bytes of a hexadecimal string. */
export function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}

/** A metric, or a mu: 2^63 added, null as exactly that. */
export function biased(value: string | null): Buffer {
  return le((1n << 63n) + BigInt(value ?? 0), 8);
}

/** SHA-256 of the parts, as hex; text is ASCII. */
export function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
