/**
 * Shapes of decoded messages: every field is named, of one kind and bounded; an unknown or a missing field
 * is refused. A kind is a function from a decoded value to a typed one, so kinds nest.
 *
 * @module
 */
import { type Bytes, utf8 } from "./bytes.ts";
import { Refusal } from "./refusal.ts";

/** Reads a decoded value as a `T`; `field` is the path that a refusal names. */
export type Kind<T> = (value: unknown, field: string) => T;

/** The fields of a map, each with its kind. */
export type Shape = Readonly<Record<string, Kind<unknown>>>;

/** The object that a shape describes. */
export type Infer<S extends Shape> = { [K in keyof S]: ReturnType<S[K]> };

function wrong(field: string, wanted: string): Refusal {
  return new Refusal("wrong_kind", `Cannot read '${field}': it is not ${wanted}`, field);
}

function outOfRange(field: string, wanted: string, code = "out_of_range"): Refusal {
  return new Refusal(code, `Cannot read '${field}': it must be ${wanted}`, field);
}

/** An unsigned integer of at most `max` (default 2^53 − 1), as a number. */
export function uint(max: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  return (value, field) => {
    if (typeof value !== "number" && typeof value !== "bigint") throw wrong(field, "an integer");
    if (value < 0 || value > max) throw outOfRange(field, `from 0 to ${max}`);
    return Number(value);
  };
}

/** An unsigned integer below 2^64, always as a bigint. */
export const u64: Kind<bigint> = (value, field): bigint => {
  if (typeof value !== "number" && typeof value !== "bigint") throw wrong(field, "an integer");
  if (value < 0) throw outOfRange(field, "from 0 to 2^64 - 1");
  return BigInt(value);
};

/** A text of `min` (default 0) to `max` bytes of UTF-8. */
export function text(max: number, min: number = 0): Kind<string> {
  return (value, field) => {
    if (typeof value !== "string") throw wrong(field, "a text");
    const length = utf8(value).length;
    if (length < min || length > max) {
      throw outOfRange(field, `${min} to ${max} bytes of text`, "wrong_length");
    }
    return value;
  };
}

/** A byte string of exactly `length` bytes. */
export function bytesOf(length: number): Kind<Bytes> {
  return bytesUpTo(length, length);
}

/** A byte string of `min` (default 0) to `max` bytes. */
export function bytesUpTo(max: number, min: number = 0): Kind<Bytes> {
  return (value, field) => {
    if (!(value instanceof Uint8Array)) throw wrong(field, "a byte string");
    if (value.length < min || value.length > max) {
      throw outOfRange(
        field,
        min === max ? `${max} bytes` : `${min} to ${max} bytes`,
        "wrong_length",
      );
    }
    return value as Bytes; // decodeStrict copies byte strings into buffers of their own
  };
}

/** True or false. */
export const bool: Kind<boolean> = (value, field): boolean => {
  if (typeof value !== "boolean") throw wrong(field, "a boolean");
  return value;
};

/** An array of `min` (default 0) to `max` elements of one kind. */
export function arrayOf<T>(of: Kind<T>, max: number, min: number = 0): Kind<T[]> {
  return (value, field) => {
    if (!Array.isArray(value)) throw wrong(field, "an array");
    if (value.length < min || value.length > max) {
      throw outOfRange(field, `${min} to ${max} elements long`, "wrong_length");
    }
    return value.map((element, i) => of(element, `${field}[${i}]`));
  };
}

/** Null, or a value of kind `of`. The field itself must still be there. */
export function nullable<T>(of: Kind<T>): Kind<T | null> {
  return (value, field) => value === null ? null : of(value, field);
}

/** A nested map with exactly the fields of `shape`. */
export function mapOf<S extends Shape>(shape: S): Kind<Infer<S>> {
  return (value, field) => asMap(value, shape, field);
}

/**
 * `value`, as decoded by `decodeStrict`, as an object with exactly the fields of `shape`.
 *
 * @throws {Refusal} `wrong_kind`, `wrong_length`, `out_of_range`, `unknown_field` or `missing_field`; its
 * `field` is the path from `path`, e.g. `entries[3].uid`.
 */
export function asMap<S extends Shape>(value: unknown, shape: S, path: string = ""): Infer<S> {
  if (!(value instanceof Map)) throw wrong(path || "message", "a map");
  const prefix = path === "" ? "" : `${path}.`;
  for (const key of value.keys()) {
    if (typeof key !== "string" || !Object.hasOwn(shape, key)) {
      const field = `${prefix}${String(key).slice(0, 64)}`;
      throw new Refusal("unknown_field", `Cannot read '${field}': no such field is known`, field);
    }
  }
  const entries = Object.entries(shape).map(([key, kind]) => {
    const field = `${prefix}${key}`;
    if (!value.has(key)) {
      throw new Refusal("missing_field", `Cannot read '${field}': the field is missing`, field);
    }
    return [key, kind(value.get(key), field)];
  });
  return Object.fromEntries(entries) as Infer<S>;
}
