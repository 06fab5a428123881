/**
 * SHA-256, injected: this folder runs unchanged in a browser, so it names no runtime. The default is
 * noble's; a host installs its native one at start, ten times as fast (`useSha256`). Both are the same function.
 *
 * @module
 */
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { type Bytes, utf8 } from "./bytes.ts";

/** A SHA-256 over the concatenation of `parts`. */
export type Sha256 = (...parts: readonly Uint8Array[]) => Bytes;

let installed: Sha256 = (...parts) => {
  const h = nobleSha256.create();
  for (const part of parts) h.update(part);
  return new Uint8Array(h.digest());
};

/** Install the runtime's own SHA-256. Call it before anything else. */
export function useSha256(implementation: Sha256): void {
  installed = implementation;
}

/** SHA-256 (FIPS 180-4) of the concatenation of `parts`: 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  return installed(...parts);
}

/** `SHA-256(tag ‖ parts…)`: the tag is ASCII and keeps the digests of different structures apart. */
export function tagged(tag: string, ...parts: readonly Uint8Array[]): Bytes {
  return installed(utf8(tag), ...parts);
}
