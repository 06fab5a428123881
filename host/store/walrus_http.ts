/**
 * Blobs of Walrus over the HTTP interface of its publishers and aggregators
 * (https://docs.wal.app/usage/web-api.html): no wallet is needed where a publisher pays.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { readBounded } from "./bounded.ts";
import { StoreError } from "./store.ts";
import {
  type BlobCall,
  type BlobReader,
  type BlobWriter,
  notFound,
  type ReadOptions,
  tooShort,
} from "./walrus_blobs.ts";

const MAX_ANSWER = 1 << 16;

/**
 * Writes through the publisher at `url`, which pays, for so many `epochs`.
 *
 * @throws {RangeError} where the URL is none.
 */
export function publisherAt(url: string, epochs: number): BlobWriter {
  checkUrl(url);
  return {
    async write(content, { key, signal }) {
      const response = await fetch(new URL(`/v1/blobs?epochs=${epochs}`, url), {
        method: "PUT",
        body: content,
        redirect: "manual",
        signal,
      });
      const blob = blobId(await bodyOf(response, key, MAX_ANSWER));
      if (blob !== undefined) return blob;
      throw new StoreError("unavailable", key, "Cannot use Walrus: its publisher names no blob");
    },
  };
}

/**
 * Reads through the aggregator at `url`.
 *
 * @throws {RangeError} where the URL is none.
 */
export function aggregatorAt(url: string): BlobReader {
  checkUrl(url);
  return {
    async read(blob, { maxBytes, range }: ReadOptions, { key, signal }: BlobCall) {
      const path = range === undefined
        ? `/v1/blobs/${blob}`
        : `/v1/blobs/${blob}/byte-range?start=${range.start}&length=${range.length}`;
      const response = await fetch(new URL(path, url), { redirect: "manual", signal });
      return await bodyOf(response, key, range?.length ?? maxBytes);
    },
  };
}

function checkUrl(url: string): void {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new RangeError(`Cannot use ${JSON.stringify(url)}: it is not the URL of a service`);
  }
}

/** The answer's body where the call was taken, and the fault as a `StoreError` where it was not. */
async function bodyOf(response: Response, key: string, maxBytes: number): Promise<Bytes> {
  const { status, headers } = response;
  if (status === 200 || status === 206) {
    const said = headers.get("content-length");
    const chunks = response.body ?? new Blob().stream();
    return await readBounded(chunks, maxBytes, said === null ? undefined : Number(said));
  }
  await response.body?.cancel();
  if (status === 404) throw notFound(key);
  if (status === 416) throw tooShort(key);
  if (status === 413) {
    throw new StoreError("denied", key, `Cannot put ${key}: it is more than the publisher takes`);
  }
  const passing = status >= 500 || status === 408 || status === 429;
  const why = `Cannot use Walrus: it answers with status ${status}`;
  throw new StoreError(passing ? "unavailable" : "denied", key, why);
}

/** `newlyCreated.blobObject.blobId` or `alreadyCertified.blobId`. */
function blobId(answer: Bytes): string | undefined {
  try {
    const { newlyCreated, alreadyCertified } = JSON.parse(new TextDecoder().decode(answer));
    const id = newlyCreated?.blobObject?.blobId ?? alreadyCertified?.blobId;
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}
