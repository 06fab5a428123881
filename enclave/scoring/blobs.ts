/**
 * Large inputs, kept by their SHA-256 in bounded memory. The oldest go first; the courier puts them again.
 *
 * @module
 */
import { type Bytes, equal, toHex } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/hash.ts";
import { Refusal } from "../protocol/refusal.ts";

/** Blobs by hash, at most `capacity` bytes of them. */
export class BlobStore {
  readonly #capacity: number;
  readonly #blobs = new Map<string, Bytes>();
  #bytes = 0;

  /** Holds at most `capacity` bytes. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keep `blob` if it is what `hash` says. */
  put(hash: Uint8Array, blob: Bytes): void {
    if (!equal(sha256(blob), hash)) {
      throw new Refusal("wrong_hash", "The blob is not what its name says", "blob");
    }
    if (blob.length > this.#capacity) {
      throw new Refusal(
        "too_large",
        `A blob of ${blob.length} bytes is above the capacity`,
        "blob",
      );
    }
    const key = toHex(hash);
    this.delete(hash);
    for (const oldest of this.#blobs.keys()) {
      if (this.#bytes + blob.length <= this.#capacity) break;
      this.#drop(oldest);
    }
    this.#blobs.set(key, blob);
    this.#bytes += blob.length;
  }

  /** The blob of `hash`. */
  get(hash: Uint8Array): Bytes | undefined {
    return this.#blobs.get(toHex(hash));
  }

  /** Forget it. */
  delete(hash: Uint8Array): void {
    this.#drop(toHex(hash));
  }

  #drop(key: string): void {
    this.#bytes -= this.#blobs.get(key)?.length ?? 0;
    this.#blobs.delete(key);
  }
}
