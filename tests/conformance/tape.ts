/**
 * How a trace is written for its player in Move: numbers as unsigned LEB128, byte strings with their length before
 * them, people by number.
 *
 * @module
 */
import { type Bytes, concat } from "../../enclave/protocol/bytes.ts";
import { numberOf } from "./people.ts";

/** What a call takes, and what it gives back where that is compared. */
export type Value = number | bigint | boolean | Bytes | string;

/** Unsigned LEB128, below 2^64. */
export function leb128(value: number | bigint): Bytes {
  let rest = BigInt(value);
  if (rest < 0n || rest >= 1n << 64n) {
    throw new RangeError(`Cannot write ${value}: no number of 64 bits`);
  }
  const bytes: number[] = [];
  do {
    const more = rest > 127n;
    bytes.push(Number(rest & 127n) | (more ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

/** Values one after another; a string is somebody's address. */
export function tape(...values: readonly Value[]): Bytes {
  return concat(...values.map((value) => {
    if (typeof value === "string") return leb128(numberOf(value));
    if (typeof value === "boolean") return leb128(Number(value));
    if (value instanceof Uint8Array) return concat(leb128(value.length), value);
    return leb128(value);
  }));
}
