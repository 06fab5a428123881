/**
 * A bounded walk over CBOR (RFC 8949) that accepts one strict subset and allocates nothing from a declared
 * length: every length is compared with the bytes that remain before anything else happens.
 *
 * Accepted: integers, byte and text strings, arrays, maps with text or integer keys, false, true, null; all
 * in their shortest form. Refused: tags, floats (a number here is an integer, and a NaN has many payloads),
 * undefined and other simple values, chunked strings, indefinite arrays, and indefinite maps unless asked for.
 *
 * @module
 */
import { Refusal } from "./refusal.ts";

/** Bounds of one message; all are inclusive. */
export interface CborLimits {
  /** Most bytes of the whole encoding. */
  readonly maxBytes: number;
  /** Deepest nesting of arrays and maps; a bare integer has depth 0. */
  readonly maxDepth: number;
  /** Most items in all, where each key, value, element and container counts as one. */
  readonly maxItems: number;
  /** Accept maps of indefinite length (`0xbf … 0xff`). Default: refused. */
  readonly indefiniteMaps?: boolean;
}

/** Longest map key in bytes: a key is a field's name. */
const MAX_KEY_BYTES = 256;
const BREAK = 0xff;
const INDEFINITE = 31;

/**
 * Walk `bytes` as exactly one CBOR item.
 *
 * @throws {Refusal} `too_large`, `truncated`, `trailing_bytes`, `duplicate_key`, `bad_key`, `unknown_tag`,
 * `indefinite_length`, `missing_break`, `unexpected_break`, `reserved_encoding`, `non_minimal`, `too_deep`,
 * `too_many_items`, `bad_utf8`, `float_refused` or `unsupported_value`.
 */
export function scan(bytes: Uint8Array, limits: CborLimits): void {
  if (bytes.length > limits.maxBytes) {
    throw refuse(
      "too_large",
      `${bytes.length} bytes are more than the ${limits.maxBytes} allowed`,
      0,
    );
  }
  const end = new Walk(bytes, limits).item(0, 0);
  if (end !== bytes.length) {
    throw refuse("trailing_bytes", `${bytes.length - end} bytes follow the value`, end);
  }
}

function refuse(code: string, problem: string, offset: number): Refusal {
  return new Refusal(code, `Cannot read CBOR at byte ${offset}: ${problem}`);
}

interface Head {
  readonly major: number;
  /** The argument; exact up to 2^53, which is enough to compare it with what remains. */
  readonly value: number;
  readonly indefinite: boolean;
  readonly next: number;
}

class Walk {
  readonly #bytes: Uint8Array;
  readonly #limits: CborLimits;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true });
  #items = 0;

  constructor(bytes: Uint8Array, limits: CborLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  /** Walk the item at `at`; returns the offset after it. */
  item(at: number, depth: number): number {
    if (++this.#items > this.#limits.maxItems) {
      throw refuse("too_many_items", `more than ${this.#limits.maxItems} items`, at);
    }
    const head = this.#head(at);
    switch (head.major) {
      case 0:
      case 1:
        return head.next;
      case 2:
        return this.#string(head, at);
      case 3:
        return this.#text(head, at);
      case 4:
        return this.#array(head, at, depth + 1);
      case 5:
        return this.#map(head, at, depth + 1);
      default:
        return head.next; // false, true, null: `head` refused everything else
    }
  }

  #array(head: Head, at: number, depth: number): number {
    this.#descend(depth, at);
    if (head.indefinite) throw refuse("indefinite_length", "an array of indefinite length", at);
    this.#room(head, head.value, at);
    let next = head.next;
    for (let i = 0; i < head.value; i++) next = this.item(next, depth);
    return next;
  }

  #map(head: Head, at: number, depth: number): number {
    this.#descend(depth, at);
    if (head.indefinite && !this.#limits.indefiniteMaps) {
      throw refuse("indefinite_length", "a map of indefinite length", at);
    }
    if (!head.indefinite) this.#room(head, 2 * head.value, at);
    const seen = new Set<string>();
    let next = head.next;
    for (let i = 0; head.indefinite || i < head.value; i++) {
      if (head.indefinite) {
        if (next >= this.#bytes.length) {
          throw refuse("missing_break", "a map of indefinite length has no end", next);
        }
        if (this.#bytes[next] === BREAK) return next + 1;
      }
      const start = next;
      next = this.item(start, depth);
      this.#key(start, next, seen);
      next = this.item(next, depth);
    }
    return next;
  }

  /** Heads are shortest and text is well formed, so two equal keys have equal bytes. */
  #key(start: number, end: number, seen: Set<string>): void {
    const major = this.#bytes[start]! >> 5;
    if ((major !== 0 && major !== 1 && major !== 3) || end - start > MAX_KEY_BYTES) {
      throw refuse("bad_key", "a map key is not an integer or a short text", start);
    }
    const key = String.fromCharCode(...this.#bytes.subarray(start, end));
    if (seen.has(key)) throw refuse("duplicate_key", "a map key occurs twice", start);
    seen.add(key);
  }

  #string(head: Head, at: number): number {
    if (head.indefinite) throw refuse("indefinite_length", "a string in chunks", at);
    this.#room(head, head.value, at);
    return head.next + head.value;
  }

  #text(head: Head, at: number): number {
    const end = this.#string(head, at);
    const text = this.#bytes.subarray(head.next, end);
    // Decoders drop a leading byte order mark, so that two texts would become one.
    const bom = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf;
    let good = !bom;
    try {
      this.#utf8.decode(text);
    } catch {
      good = false;
    }
    if (!good) throw refuse("bad_utf8", "a text is not UTF-8 without a byte order mark", at);
    return end;
  }

  #descend(depth: number, at: number): void {
    if (depth > this.#limits.maxDepth) {
      throw refuse("too_deep", `nested deeper than ${this.#limits.maxDepth}`, at);
    }
  }

  /** Each of `count` declared bytes or items takes at least one byte of what remains. */
  #room(head: Head, count: number, at: number): void {
    if (count > this.#bytes.length - head.next) {
      throw refuse("truncated", "a declared length is beyond the end", at);
    }
  }

  #head(at: number): Head {
    const initial = this.#bytes[at];
    if (initial === undefined) throw refuse("truncated", "the value ends early", at);
    const major = initial >> 5;
    const info = initial & 31;
    if (major === 7) return this.#simple(initial, info, at);
    if (major === 6) throw refuse("unknown_tag", "a tag", at);
    if (info < 24) return { major, value: info, indefinite: false, next: at + 1 };
    if (info === INDEFINITE) {
      if (major < 2) throw refuse("reserved_encoding", "an integer of indefinite length", at);
      return { major, value: 0, indefinite: true, next: at + 1 };
    }
    if (info > 27) throw refuse("reserved_encoding", `additional information ${info}`, at);
    const size = 1 << (info - 24);
    if (at + 1 + size > this.#bytes.length) {
      throw refuse("truncated", "a head is cut short", at);
    }
    let value = 0;
    for (let i = 1; i <= size; i++) value = value * 256 + this.#bytes[at + i]!;
    const least = size === 1 ? 24 : 2 ** (4 * size);
    if (value < least) throw refuse("non_minimal", "a head is longer than it need be", at);
    return { major, value, indefinite: false, next: at + 1 + size };
  }

  #simple(initial: number, info: number, at: number): Head {
    if (initial === BREAK) throw refuse("unexpected_break", "a break outside a map", at);
    if (info >= 25 && info <= 27) throw refuse("float_refused", "a floating-point number", at);
    if (info >= 28) throw refuse("reserved_encoding", `additional information ${info}`, at);
    if (info < 20 || info > 22) throw refuse("unsupported_value", "a simple value", at);
    return { major: 7, value: info, indefinite: false, next: at + 1 };
  }
}
