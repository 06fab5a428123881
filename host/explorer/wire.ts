/**
 * Values as JSON carries them: bytes as hexadecimal digits, amounts as decimal text.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";

/** What {@link toWire} makes of a `T`. */
export type Wire<T> = T extends bigint | Uint8Array ? string
  : T extends readonly (infer Item)[] ? Wire<Item>[]
  : T extends object ? { [K in keyof T]: Wire<T[K]> }
  : T;

/** `value` with its bytes and amounts as text, ready for JSON. */
export function toWire<T>(value: T): Wire<T> {
  return plain(value) as Wire<T>;
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}
