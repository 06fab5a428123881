/**
 * Bytes that lie somewhere: in memory, or in a file of hundreds of megabytes that is read range by range. What
 * reads an image takes these, so that nothing of it is copied whole.
 *
 * @module
 */
import { Refusal } from "../enclave/protocol/refusal.ts";

/** Most bytes that {@linkcode chunks} yields at once. */
export const CHUNK_BYTES = 1_048_576;

/** Bytes of a known length, read by range. What they are must not change while they are in use. */
export interface Source {
  /** How many there are. */
  readonly size: number;
  /**
   * `length` bytes from `offset`, both in bounds. They are the caller's to read until the next call, and never to
   * write.
   */
  read(offset: number, length: number): Uint8Array;
}

/** What is taken wherever bytes are expected. */
export type Content = Uint8Array | Source;

/** A source of `content`: of a buffer its subarrays, nothing is copied. */
export function sourceOf(content: Content): Source {
  if (!(content instanceof Uint8Array)) return content;
  return {
    size: content.length,
    read(offset, length) {
      inBounds(content.length, offset, length);
      return content.subarray(offset, offset + length);
    },
  };
}

/** The `size` bytes of `source` from `offset`. */
export function part(source: Source, offset: number, size: number): Source {
  inBounds(source.size, offset, size);
  return {
    size,
    read(start, length) {
      inBounds(size, start, length);
      return source.read(offset + start, length);
    },
  };
}

/** All of `content`, in pieces of at most {@linkcode CHUNK_BYTES}. Use each before you take the next. */
export function* chunks(content: Content): Generator<Uint8Array> {
  const source = sourceOf(content);
  for (let at = 0; at < source.size; at += CHUNK_BYTES) {
    yield source.read(at, Math.min(CHUNK_BYTES, source.size - at));
  }
}

/**
 * All of `content` in one piece of its own.
 *
 * @throws {Refusal} `too_large` where it has more than `maxBytes`, before anything is allocated.
 */
export function wholeOf(
  content: Content,
  maxBytes: number,
  field: string,
): Uint8Array<ArrayBuffer> {
  const source = sourceOf(content);
  if (source.size > maxBytes) {
    throw new Refusal(
      "too_large",
      `Cannot read the ${field}: ${source.size} bytes are more than ${maxBytes}`,
      field,
    );
  }
  return source.read(0, source.size).slice();
}

function inBounds(size: number, offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new RangeError(
    `Cannot read ${length} bytes from ${offset}: the source has ${size}`,
  );
}
