/**
 * CBOR (RFC 8949) for everything that crosses a trust boundary: `cbor-x` does the encoding and decoding,
 * and only ever sees bytes that our own bounded walk (`cbor_scan.ts`) has accepted. The build without
 * `new Function` is used, so that a page with a strict content security policy runs it, and so that the
 * native `cbor-extract` is never looked for.
 *
 * @module
 */
import { Encoder } from "cbor-x/index-no-eval";
import { type Bytes, compare } from "./bytes.ts";
import { type CborLimits, scan } from "./cbor_scan.ts";

export { type CborLimits, scan } from "./cbor_scan.ts";
export {
  arrayOf,
  asMap,
  bool,
  bytesOf,
  bytesUpTo,
  type Infer,
  type Kind,
  mapOf,
  nullable,
  type Shape,
  text,
  u64,
  uint,
} from "./cbor_schema.ts";

const codec = new Encoder({
  useRecords: false, // no private record tags: maps are maps
  mapsAsObjects: false, // Map, so that integer keys stay integers and "__proto__" is a plain key
  tagUint8Array: false, // major type 2, not the typed-array tag 64
  copyBuffers: true, // decoded byte strings own their buffer
});

/**
 * The value that `bytes` encode: Map, Array, Uint8Array, string, boolean, null, and integers. An integer
 * with an 8-byte head (2^32 and above) comes as bigint, a smaller one as number; the kinds `uint` and
 * `u64` of `asMap` settle that.
 *
 * @throws {Refusal} with a code of `scan`; nothing is allocated from a declared length before it passes.
 */
export function decodeStrict(bytes: Uint8Array, limits: CborLimits): unknown {
  scan(bytes, limits);
  // A fresh plain view: cbor-x leaves a DataView property on what it reads, and would return a caller's
  // own subclass (Buffer) for byte strings.
  return codec.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/**
 * The one encoding of `value` by RFC 8949 §4.2.1: shortest heads, definite lengths, map keys in bytewise
 * order of their encodings. Takes null, boolean, safe-integer number, bigint of a magnitude below 2^64,
 * well-formed string, Uint8Array (major type 2), Array, Map and plain object (a map with text keys).
 *
 * @throws {TypeError} where a value has no such form: undefined, a fraction, a lone surrogate, a class.
 */
export function encodeCanonical(value: unknown): Bytes {
  return encodeRaw(normalise(value));
}

function encodeRaw(value: unknown): Bytes {
  return new Uint8Array(codec.encode(value)); // a copy: cbor-x returns a view of its pooled buffer
}

const TWO_32 = 4294967296n;
const TWO_64 = 1n << 64n;

/** The same value in the forms for which cbor-x writes the shortest head. */
function normalise(value: unknown): unknown {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) {
      throw new TypeError(
        `Cannot encode CBOR: a number must be a safe integer: current value is ${value}`,
      );
    }
    return normaliseInteger(BigInt(value));
  }
  if (typeof value === "bigint") return normaliseInteger(value);
  if (typeof value === "string") {
    if (!value.isWellFormed() || value.startsWith("\uFEFF")) {
      throw new TypeError("Cannot encode CBOR: text has a lone surrogate or starts with a BOM");
    }
    return value;
  }
  if (value instanceof Uint8Array) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (Array.isArray(value)) return value.map(normalise);
  if (value instanceof Map) return sortedMap([...value]);
  if (typeof value === "object" && isPlain(value)) return sortedMap(Object.entries(value));
  throw new TypeError(`Cannot encode CBOR: a value has no CBOR form: its type is ${typeof value}`);
}

function normaliseInteger(value: bigint): number | bigint {
  if (value >= TWO_64 || value <= -TWO_64) {
    throw new TypeError(
      `Cannot encode CBOR: an integer must fit 64 bits: current value is ${value}`,
    );
  }
  // cbor-x writes a number from 2^32 up as a float, and every bigint with an 8-byte head.
  return value < TWO_32 && value >= -TWO_32 ? Number(value) : value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function sortedMap(entries: [unknown, unknown][]): Map<unknown, unknown> {
  const encoded = entries.map(([key, value]) => {
    const plain = normalise(key);
    if (typeof plain !== "string" && typeof plain !== "number" && typeof plain !== "bigint") {
      throw new TypeError("Cannot encode CBOR: a map key must be text or an integer");
    }
    return { order: encodeRaw(plain), key: plain, value: normalise(value) };
  });
  encoded.sort((a, b) => compare(a.order, b.order));
  return new Map(encoded.map(({ key, value }) => [key, value]));
}
