/**
 * Blobs of Walrus by their ids: the seam below {@linkcode WalrusStore}. Two implementations: a publisher and an
 * aggregator over HTTP (`walrus_http.ts`), and the storage nodes themselves through @mysten/walrus (`walrus_client.ts`).
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { type GetOptions, StoreError } from "./store.ts";

/** What a call is for, and what ends it. */
export interface BlobCall {
  /** Names the object in errors. */
  readonly key: string;
  /** Aborts when the call's time is over. */
  readonly signal: AbortSignal;
}

/** How much of a blob is read. */
export type ReadOptions = Pick<GetOptions, "maxBytes" | "range">;

/** Takes blobs. */
export interface BlobWriter {
  /**
   * Keep `content`; resolves to its id, 32 bytes in base64url, once anybody can read it. The same content has the same id.
   *
   * @throws {StoreError} or any error of a service that was not reached.
   */
  write(content: Bytes, call: BlobCall): Promise<string>;
}

/** Gives blobs. */
export interface BlobReader {
  /**
   * The blob, or the range of it, never more than `maxBytes`.
   *
   * @throws {StoreError} or {TooLargeError}, or any error of a service that was not reached.
   */
  read(blob: string, options: ReadOptions, call: BlobCall): Promise<Bytes>;
}

/** A blob id is 32 bytes in base64url. */
const REF = /^walrus:([A-Za-z0-9_-]{43})$/;

/** Whether `ref` names a blob of Walrus. */
export function isWalrusRef(ref: string): boolean {
  return REF.test(ref);
}

/** The blob that `ref` names, or undefined where it is no ref. */
export function blobOf(ref: string): string | undefined {
  return REF.exec(ref)?.[1];
}

/** There is no such blob or key. */
export function notFound(key: string): StoreError {
  return new StoreError("not_found", key, `Cannot find ${key}`);
}

/** The object ends before the range. */
export function tooShort(key: string): StoreError {
  return new StoreError("too_short", key, `Cannot get ${key}: it ends before the range does`);
}
