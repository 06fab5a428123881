/**
 * SHA-256 and SHA-384 (FIPS 180-4) of long contents, a piece at a time. As in `enclave/protocol/hash.ts` the
 * runtime's own can be installed: noble's are the default, since PID 1 and a browser shall read images too.
 *
 * @module
 */
import { sha256, sha384 } from "@noble/hashes/sha2.js";
import { chunks, type Content } from "./source.ts";

/** The two functions that images are measured with. */
export type Algorithm = "sha256" | "sha384";

/** A hash that is fed piece by piece. */
export interface Hash {
  /** The next piece. It must not be kept. */
  update(piece: Uint8Array): unknown;
  /** The digest. Nothing may follow. */
  digest(): Uint8Array;
}

let make: (algorithm: Algorithm) => Hash = (algorithm) =>
  algorithm === "sha256" ? sha256.create() : sha384.create();

/** Install the runtime's own hashes. */
export function useHashes(implementation: (algorithm: Algorithm) => Hash): void {
  make = implementation;
}

/** The digest of `contents`, one after the other: 32 or 48 bytes. */
export function digest(
  algorithm: Algorithm,
  ...contents: readonly Content[]
): Uint8Array<ArrayBuffer> {
  const hash = make(algorithm);
  for (const content of contents) for (const piece of chunks(content)) hash.update(piece);
  return new Uint8Array(hash.digest());
}
