/**
 * Plants changes in decoded messages: every leaf by itself, every list one shorter.
 *
 * @module
 */

/** Where a value lies in nested objects and arrays. */
export type Path = readonly (string | number)[];

/** `value` with another value at `path`; what is not on the path is shared. */
export function withValue<T>(value: T, path: Path, to: unknown): T {
  const [head, ...rest] = path;
  if (head === undefined) return to as T;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  copy[head] = withValue(copy[head], rest, to);
  return copy as T;
}

/** Something else of the same kind: one bit of bytes, one more, the last character. */
export function bent(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const copy = value.slice();
    copy[copy.length >> 1]! ^= 1;
    return copy;
  }
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") return value.slice(0, -1) + (value.endsWith("1") ? "2" : "1");
  return 1; // null
}

/** Every leaf bent and every list shortened, one at a time; of a long list the first and the last element. */
export function* changes<T>(whole: T, value: unknown = whole, path: Path = []): Generator<
  { readonly path: Path; readonly changed: T }
> {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) {
    yield { path, changed: withValue(whole, path, bent(value)) };
    return;
  }
  if (!Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) {
      yield* changes(whole, inner, [...path, key]);
    }
    return;
  }
  for (const i of new Set([0, value.length - 1])) {
    if (i in value) yield* changes(whole, value[i], [...path, i]);
  }
  if (value.length > 0) {
    yield { path: [...path, "shorter"], changed: withValue(whole, path, value.slice(0, -1)) };
  }
}
