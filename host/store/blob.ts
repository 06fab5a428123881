/**
 * Objects by their content: whoever knows the hash can take them from anybody.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { blobKey } from "./keys.ts";
import type { Store } from "./store.ts";

/** Put `bytes` under `blobs/{sha256 hex}` and return the hash. Putting the same again changes nothing. */
export async function putBlob(store: Store, bytes: Uint8Array): Promise<Bytes> {
  const hash = sha256(bytes);
  await store.put(blobKey(hash), bytes);
  return hash;
}

/**
 * The blob of this hash, verified.
 *
 * @throws {StoreError} as `Store.get` does.
 */
export function getBlob(store: Store, hash: Uint8Array, maxBytes: number): Promise<Bytes> {
  return store.get(blobKey(hash), { maxBytes, sha256: hash });
}
