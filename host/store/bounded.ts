/**
 * Reading from services that may answer anything: every body is counted while it arrives.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";

/** The body is longer than the reader takes. */
export class TooLargeError extends Error {
  /** Names the bound. */
  constructor(maxBytes: number) {
    super(`The body has more than ${maxBytes} bytes`);
    this.name = "TooLargeError";
  }
}

/**
 * All of `chunks`, at most `maxBytes`. `said` is the length that the sender declared: refused where it is above the
 * bound, before anything is read, and an error where other bytes come.
 *
 * @throws {TooLargeError}
 */
export async function readBounded(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  said?: number,
): Promise<Bytes> {
  if (said !== undefined && said > maxBytes) throw new TooLargeError(maxBytes);
  let bytes = new Uint8Array(said ?? Math.min(maxBytes, 1 << 16));
  let size = 0;
  for await (const chunk of chunks) {
    if (size + chunk.length > maxBytes) throw new TooLargeError(maxBytes);
    if (size + chunk.length > bytes.length) {
      const grown = new Uint8Array(Math.min(maxBytes, 2 * (size + chunk.length)));
      grown.set(bytes.subarray(0, size));
      bytes = grown;
    }
    bytes.set(chunk, size);
    size += chunk.length;
  }
  if (said !== undefined && size !== said) {
    throw new Error(`The body ends at ${size} of ${said} bytes`);
  }
  return size === bytes.length ? bytes : bytes.slice(0, size);
}
