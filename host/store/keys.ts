/**
 * Keys: their form, and the names that the project gives to its objects.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import { StoreError } from "./store.ts";

const MAX_KEY_LENGTH = 200;
const PART = /^[a-z0-9_-][a-z0-9._-]*$/;
const PREFIX = /^[a-z0-9._/-]*$/;

/** Whether `key` is one. */
export function isKey(key: string): boolean {
  return key.length <= MAX_KEY_LENGTH && key.split("/").every((part) => PART.test(part));
}

/**
 * Check that `key` is one.
 *
 * @throws {StoreError} `bad_key`.
 */
export function assertKey(key: string): void {
  if (isKey(key)) return;
  throw badKey(
    key,
    "a key has 1 to 200 characters of a-z 0-9 . _ - / and no part begins with a dot",
  );
}

/**
 * Check that `prefix` could begin a key, or is empty.
 *
 * @throws {StoreError} `bad_key`.
 */
export function assertPrefix(prefix: string): void {
  if (prefix.length <= MAX_KEY_LENGTH && PREFIX.test(prefix)) return;
  throw badKey(prefix, "a prefix has at most 200 characters of a-z 0-9 . _ - /");
}

function badKey(key: string, why: string): StoreError {
  const shown = key.length > 64 ? `${key.slice(0, 64)}…` : key;
  return new StoreError("bad_key", key, `Cannot use ${JSON.stringify(shown)} as a key: ${why}`);
}

/** The gradient of miner `uid` in `window`. */
export function gradientKey(window: bigint | number, uid: number): string {
  return `gradient-${whole(window)}-${whole(uid)}-v1.pt`;
}

/** Another name of the same gradient, which miners elsewhere use; read where the first is not found. */
export function gradientAlias(window: bigint | number, uid: number): string {
  return `gradient/${whole(window)}/${whole(uid)}.bin`;
}

/** The manifest of the base that `window` merged: the index of its chunks, put after them. */
export function manifestKey(window: bigint | number): string {
  return `checkpoint-${whole(window)}-v1.manifest`;
}

/** Begins the name of every chunk. */
export const CHUNKS = "chunks/";

/**
 * A chunk of a base's file, by its content.
 *
 * @throws {RangeError} where the hash has not 32 bytes.
 */
export function chunkKey(sha256: Uint8Array): string {
  return CHUNKS + hexOf(sha256);
}

/** What was merged in `window`. */
export function aggregationKey(window: bigint | number): string {
  return `aggregation-${whole(window)}.pt`;
}

/**
 * An object by its content.
 *
 * @throws {RangeError} where the hash has not 32 bytes.
 */
export function blobKey(sha256: Uint8Array): string {
  return `blobs/${hexOf(sha256)}`;
}

/**
 * Whether `key` names an object that is put when all that it leads to is there: a checkpoint's manifest, a data set's
 * index.
 */
export function completes(key: string): boolean {
  return /^checkpoint-\d+-v1\.manifest$|^dataset\/[0-9a-f]{64}\/index\.json$/.test(key);
}

/** Whether `key` is one that others look for. A gradient's is not: its ref stands on the ledger. */
export function isShared(key: string): boolean {
  return !key.startsWith("gradient");
}

function hexOf(sha256: Uint8Array): string {
  if (sha256.length !== 32) {
    throw new RangeError(`Cannot name a blob as 'sha256' must have 32 bytes: ${sha256.length}`);
  }
  return toHex(sha256);
}

function whole(value: bigint | number): string {
  const number = BigInt(value); // refuses fractions and NaN
  if (number < 0n || number >= 1n << 64n) {
    throw new RangeError(`Cannot name an object as a number must be a u64: it is ${value}`);
  }
  return number.toString();
}
