/**
 * Where gradients, bases and aggregates lie: one contract, several stores. A store is trusted for nothing: readers
 * bound what they take and compare its hash.
 *
 * Keys are 1 … 200 characters of `a-z`, `0-9`, `.`, `_`, `-` and `/`; the parts between slashes are not empty
 * and do not start with a dot. So a key is the same on every store, also where case does not count, and
 * never leaves a directory. No object's key is another's folder (`a` beside `a/b`): some stores cannot hold both.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";

/** Why a store did not do what it was asked. */
export type StoreFault =
  /** There is no object of this key. */
  | "not_found"
  /** The object is larger than the reader takes. */
  | "too_large"
  /** The object is not the one that was asked for. */
  | "wrong_hash"
  /** The object ends before the range that was asked for. */
  | "too_short"
  /** The store refuses these credentials, has no such bucket, or sends elsewhere. */
  | "denied"
  /** There is an object of this key already, and `ifNoneMatch` was asked for. */
  | "exists"
  /** The key is not of the form that all stores take. */
  | "bad_key"
  /** The store itself failed or was not reached; `cause` says how. */
  | "unavailable";

/** The error of all stores. */
export class StoreError extends Error {
  /** Stable reason. */
  readonly code: StoreFault;
  /** The key in question. */
  readonly key: string;
  /** Whether the same call may succeed later, with nothing else done: `unavailable` alone. */
  readonly retryable: boolean;

  /** An error for reason `code` about `key`. */
  constructor(code: StoreFault, key: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
    this.key = key;
    this.retryable = code === "unavailable";
  }
}

/** How to put. */
export interface PutOptions {
  /** `*`: only where there is no object of the key yet. Of several such puts at once one wins. */
  readonly ifNoneMatch?: "*";
}

/** What was put. */
export interface Stored {
  /** Of its bytes: 32 bytes. */
  readonly sha256: Bytes;
  /** How readers name it: its key, or on Walrus `walrus:{blob id}`. This is what goes into the ledger. */
  readonly ref: string;
}

/** How to get. */
export interface GetOptions {
  /** The most bytes to take; an object (or range) above it is refused before it is read. */
  readonly maxBytes: number;
  /** What the SHA-256 of the bytes must be. */
  readonly sha256?: Uint8Array;
  /** These bytes alone: `length` of them, at least one, from `start` on. An object that ends before them is refused. */
  readonly range?: { readonly start: number; readonly length: number };
}

/**
 * Check the options of a get.
 *
 * @throws {RangeError} where they are out of range.
 */
export function checkGet({ maxBytes, range }: GetOptions): void {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 0) {
    throw new RangeError(`Cannot get as 'maxBytes' must be a size: it is ${maxBytes}`);
  }
  if (range === undefined) return;
  const { start, length } = range;
  if (!Number.isSafeInteger(start) || start < 0 || !Number.isSafeInteger(length) || length < 1) {
    throw new RangeError(`Cannot get as 'range' must name bytes: it is ${length} from ${start} on`);
  }
  if (length > maxBytes) {
    throw new RangeError(
      `Cannot get as 'range' must be within ${maxBytes} bytes: it has ${length}`,
    );
  }
}

/** What a store says of an object without giving it. Nobody is bound by it. */
export interface ObjectHead {
  /** Its length in bytes. */
  readonly size: number;
  /** When it was put, in milliseconds since the Unix epoch, by the store's clock. */
  readonly modifiedMs: number;
}

/** How to list. */
export interface ListOptions {
  /** Begin behind this key; it need not exist. */
  readonly after?: string;
  /** The most keys to give, 1 … 1,000; 1,000 where it is left out. */
  readonly limit?: number;
}

/** The contract. Every method throws `StoreError`, and `RangeError` for options out of range. */
export interface Store {
  /** Put `bytes` under `key`: whole or not at all, and readable once this returns. An older object is replaced. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<Stored>;
  /** The object's bytes, by its key or by a ref that this store gave. */
  get(key: string, options: GetOptions): Promise<Bytes>;
  /** The object's size and age, or undefined where there is none. */
  head(key: string): Promise<ObjectHead | undefined>;
  /** Keys that start with `prefix` (which may be empty, or end within a part), ascending. */
  list(prefix: string, options?: ListOptions): Promise<string[]>;
  /** Delete the object; it need not exist. */
  delete(key: string): Promise<void>;
}

/** The most keys that one `list` gives. */
export const MAX_LIST = 1_000;

/**
 * Check and fill in the options of a list.
 *
 * @throws {RangeError} where they are out of range.
 */
export function checkList({ after = "", limit = MAX_LIST }: ListOptions): Required<ListOptions> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIST) {
    throw new RangeError(`Cannot list as 'limit' must be 1 to ${MAX_LIST}: it is ${limit}`);
  }
  return { after, limit };
}
