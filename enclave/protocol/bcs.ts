/**
 * Binary Canonical Serialization (BCS), the encoding that Sui's Move decodes natively: little-endian
 * integers, ULEB128 lengths, no padding. Only what the protocol uses; the reader is strict and bounded.
 * Source: the `bcs` specification of the Move language.
 *
 * @module
 */
import { type Bytes, utf8 } from "./bytes.ts";
import { Refusal } from "./refusal.ts";

/** Writes BCS values one after the other. Integers out of range are a RangeError: the caller's bug. */
export class BcsWriter {
  #buffer: Bytes = new Uint8Array(256);
  #view: DataView<ArrayBuffer> = new DataView(this.#buffer.buffer);
  #length = 0;

  /** Room for `bytes` more, and where it starts. Call it before naming the buffer: growing replaces that. */
  #reserve(bytes: number): number {
    const at = this.#length;
    if (at + bytes > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(this.#buffer.length * 2, at + bytes));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = at + bytes;
    return at;
  }

  /** One byte. */
  u8(value: number): this {
    check(value, 0xff, "u8");
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
    return this;
  }

  /** Two bytes, little endian. */
  u16(value: number): this {
    check(value, 0xffff, "u16");
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** Four bytes, little endian. */
  u32(value: number): this {
    check(value, 0xffff_ffff, "u32");
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** Eight bytes, little endian. */
  u64(value: number | bigint): this {
    // A number above 2^53 - 1 may have been rounded already: such values come as bigint.
    if (typeof value === "number") check(value, Number.MAX_SAFE_INTEGER, "u64");
    const wide = BigInt(value);
    if (wide < 0n || wide > 0xffff_ffff_ffff_ffffn) {
      throw new RangeError(`Cannot encode a value as u64: current value is ${value}`);
    }
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, wide, true);
    return this;
  }

  /** An unsigned LEB128 length. */
  length(value: number): this {
    check(value, 0xffff_ffff, "a length");
    while (value >= 0x80) {
      this.u8((value & 0x7f) | 0x80);
      value = Math.floor(value / 128);
    }
    return this.u8(value);
  }

  /** Bytes as they are: an array of fixed length, whose length the type says. */
  fixed(bytes: Uint8Array, length: number): this {
    if (bytes.length !== length) {
      throw new RangeError(
        `Cannot encode ${bytes.length} bytes as an array of ${length} bytes`,
      );
    }
    const at = this.#reserve(length);
    this.#buffer.set(bytes, at);
    return this;
  }

  /** `vector<u8>`: a length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.length(bytes.length).fixed(bytes, bytes.length);
  }

  /** An ASCII domain tag, raw and without a length, so that it is the message's own prefix. */
  tag(text: string): this {
    const raw = utf8(text);
    return this.fixed(raw, raw.length);
  }

  /** `vector<T>`: a length, then each element. */
  list<T>(items: readonly T[], write: (writer: this, item: T) => void): this {
    this.length(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  /** `Option<T>`: a zero byte, or a one byte and the value. */
  option<T>(value: T | null, write: (writer: this, value: T) => void): this {
    if (value === null) return this.u8(0);
    this.u8(1);
    write(this, value);
    return this;
  }

  /** The bytes written so far. */
  finish(): Bytes {
    return this.#buffer.slice(0, this.#length);
  }
}

function check(value: number, max: number, kind: string): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`Cannot encode a value as ${kind}: current value is ${value}`);
  }
}

/** Reads BCS strictly: truncation, trailing bytes, long lengths and non-minimal lengths are a {@link Refusal}. */
export class BcsReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  /** A reader over `bytes`, from their start. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  #take(bytes: number): number {
    if (bytes > this.remaining) {
      throw new Refusal(
        "truncated",
        `The message ends at byte ${this.#bytes.length}, ${bytes - this.remaining} bytes too early`,
      );
    }
    const at = this.#offset;
    this.#offset += bytes;
    return at;
  }

  /** One byte. */
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Two bytes, little endian. */
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  /** Four bytes, little endian. */
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Eight bytes, little endian. */
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** Eight bytes that must be a safe integer: window numbers, milliseconds, counters. */
  count(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new Refusal("out_of_range", `The count ${value} is above 2^53 - 1`);
    }
    return Number(value);
  }

  /** An unsigned LEB128 length of at most `max`, in its shortest form. */
  length(max: number): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) {
          throw new Refusal("non_canonical", "A length is not in its shortest form");
        }
        if (value > max) {
          throw new Refusal("too_long", `A length of ${value} is above the limit of ${max}`);
        }
        return value;
      }
    }
    throw new Refusal("too_long", "A length has more than 32 bits");
  }

  /** Exactly `length` bytes, copied. */
  fixed(length: number): Bytes {
    const at = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  /** `vector<u8>` of at most `max` bytes. */
  bytes(max: number): Bytes {
    return this.fixed(this.length(max));
  }

  /** An expected ASCII tag. */
  tag(text: string): void {
    const expected = utf8(text);
    const at = this.#take(expected.length);
    for (let i = 0; i < expected.length; i++) {
      if (this.#bytes[at + i] !== expected[i]) {
        throw new Refusal("wrong_tag", `The message does not start with "${text}"`);
      }
    }
  }

  /** `vector<T>` of at most `max` elements, each at least one byte long. */
  list<T>(max: number, read: (reader: this) => T): T[] {
    const length = this.length(max);
    if (length > this.remaining) {
      throw new Refusal("truncated", `A list of ${length} elements does not fit in what remains`);
    }
    return Array.from({ length }, () => read(this));
  }

  /** `Option<T>`. */
  option<T>(read: (reader: this) => T): T | null {
    const present = this.u8();
    if (present > 1) throw new Refusal("non_canonical", "An option starts with neither 0 nor 1");
    return present === 1 ? read(this) : null;
  }

  /** Refuse trailing bytes. */
  finish(): void {
    if (this.remaining > 0) {
      throw new Refusal("trailing_bytes", `${this.remaining} bytes follow the end of the message`);
    }
  }
}

/** Decode all of `bytes` with `read`; nothing may follow. */
export function decodeBcs<T>(bytes: Uint8Array, read: (reader: BcsReader) => T): T {
  const reader = new BcsReader(bytes);
  const value = read(reader);
  reader.finish();
  return value;
}
