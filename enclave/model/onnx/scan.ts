/**
 * Reads protobuf messages (https://protobuf.dev/programming-guides/encoding/) strictly: only the fields that the
 * caller knows, each of its own wire type, a single one once. Nothing is copied, and nothing nests by itself.
 *
 * @module
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { Refusal } from "../../protocol/refusal.ts";

/** How a field is read: one integer, one run of bytes, one float (its 4 bytes), or any number of them. */
export type FieldKind = "int" | "ints" | "bytes" | "list" | "float";

/** Known fields by their number; a refusal's code where the field is known and never allowed. */
export type MessageSpec = Readonly<Record<number, FieldKind | { readonly refused: string }>>;

/** Fields of one message at most; elements of a list of integers, too. */
const MAX_FIELDS = 1 << 16;

/** What a message holds; a field that is absent is an empty list. */
export class Scanned {
  readonly #ints = new Map<number, number[]>();
  readonly #bytes = new Map<number, Bytes[]>();

  /**
   * Read `message` by `spec`; `where` names it in refusals.
   *
   * @throws {Refusal} `graph_malformed`, `graph_field`, `graph_too_large`, or the code that the spec names.
   */
  constructor(where: string, message: Bytes, spec: MessageSpec) {
    const cursor = new Cursor(where, message);
    for (let count = 0; !cursor.ended; count++) {
      if (count > MAX_FIELDS) throw tooMany(where);
      const key = cursor.varint();
      const [field, wire] = [Math.floor(key / 8), key % 8];
      const kind = Object.hasOwn(spec, field) ? spec[field]! : undefined;
      const fail = (code: string, why: string) =>
        new Refusal(code, `Cannot take the graph: field ${field} of ${where} ${why}`, "package");
      if (kind === undefined) throw fail("graph_field", "is not one that a package may have");
      if (typeof kind === "object") throw fail(kind.refused, "is never allowed");
      const numeric = kind === "int" || kind === "ints";
      const known = this.#ints.has(field) || this.#bytes.has(field);
      if (known && kind !== "ints" && kind !== "list") {
        throw fail("graph_malformed", "occurs twice");
      }
      const wanted = kind === "float" ? 5 : numeric ? 0 : 2;
      const packed = kind === "ints" && wire === 2;
      if (wire !== wanted && !packed) throw fail("graph_malformed", `has wire type ${wire}`);
      if (packed) {
        const inner = new Cursor(where, cursor.take(cursor.varint()));
        if (inner.length > MAX_FIELDS) throw tooMany(where);
        while (!inner.ended) push(this.#ints, field, inner.varint());
      } else if (numeric) {
        push(this.#ints, field, cursor.varint());
      } else {
        push(this.#bytes, field, cursor.take(kind === "float" ? 4 : cursor.varint()));
      }
    }
  }

  /** The integers of `field`; those above 2^53, which negative ones are too, lose their last bits. */
  ints(field: number): readonly number[] {
    return this.#ints.get(field) ?? [];
  }

  /** The runs of bytes of `field`. */
  list(field: number): readonly Bytes[] {
    return this.#bytes.get(field) ?? [];
  }

  /** The first run of bytes of `field`; empty where it is absent. */
  bytes(field: number): Bytes {
    return this.list(field)[0] ?? new Uint8Array(0);
  }

  /** The same as text. @throws {Refusal} `graph_malformed` where it is not UTF-8. */
  text(field: number): string {
    return textOf(this.bytes(field));
  }
}

/** `bytes` as text. @throws {Refusal} `graph_malformed` where it is not UTF-8. */
export function textOf(bytes: Bytes): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal("graph_malformed", "Cannot take the graph: a name is not UTF-8", "package");
  }
}

function tooMany(where: string): Refusal {
  const why = `Cannot take the graph: ${where} has more than ${MAX_FIELDS} parts`;
  return new Refusal("graph_too_large", why, "package");
}

function push<T>(map: Map<number, T[]>, field: number, value: T): void {
  const list = map.get(field);
  if (list === undefined) map.set(field, [value]);
  else list.push(value);
}

class Cursor {
  readonly #where: string;
  readonly #bytes: Bytes;
  #at = 0;

  constructor(where: string, bytes: Bytes) {
    this.#where = where;
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.take(1)[0]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw this.#malformed("an integer has more than ten bytes");
  }

  take(length: number): Bytes {
    if (length > this.#bytes.length - this.#at) throw this.#malformed("it ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #malformed(why: string): Refusal {
    const text = `Cannot take the graph: in ${this.#where} ${why}`;
    return new Refusal("graph_malformed", text, "package");
  }
}
