/**
 * A store on Walrus, over the HTTP interface of its publishers and aggregators
 * (https://docs.wal.app/usage/web-api.html): no wallet is needed where a publisher pays.
 *
 * Walrus names blobs by their content and knows no keys: which key is which blob stands in an index of this
 * process's own. Others read by the ref, `walrus:{blob id}`. A blob cannot be deleted over HTTP: it ends with the
 * epochs that were bought for it; `delete` forgets its key.
 *
 * @module
 */
import { type Bytes, equal, fromHex, toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { readBounded, TooLargeError } from "./bounded.ts";
import { assertKey, assertPrefix } from "./keys.ts";
import { LineLog } from "./line_log.ts";
import {
  checkGet,
  checkList,
  type GetOptions,
  type ListOptions,
  type ObjectHead,
  type PutOptions,
  type Store,
  type Stored,
  StoreError,
} from "./store.ts";
import { timeLimit } from "./time_limit.ts";

/** How Walrus is reached. */
export interface WalrusOptions {
  /** Takes blobs; undefined for a store that only reads. */
  readonly publisher?: string;
  /** Gives them. */
  readonly aggregator: string;
  /** Epochs that a blob is kept for. */
  readonly epochs?: number;
  /** The index's file; a `.lock` lies beside it. */
  readonly index: string;
  /** Milliseconds for a call, without its bytes: those have 64 KiB a second. */
  readonly patienceMs?: number;
}

/** A line of the index: what a key names from then on, or nothing. */
interface Entry {
  readonly key: string;
  readonly blob: string | null;
  readonly size: number;
  readonly modifiedMs: number;
  readonly sha256: string;
}

/** A blob id is 32 bytes in base64url. */
const REF = /^walrus:([A-Za-z0-9_-]{43})$/;
const SLOWEST_BYTES_PER_MS = 64;
const MAX_ANSWER = 1 << 16;

/** Whether `ref` names a blob of Walrus. */
export function isWalrusRef(ref: string): boolean {
  return REF.test(ref);
}

/** A `Store` on Walrus. One process at a time has its index open. */
export class WalrusStore implements Store {
  readonly #options: Omit<WalrusOptions, "index">;
  /** Undefined where nothing is put. */
  readonly #log: LineLog<Entry> | undefined;
  readonly #index = new Map<string, Entry>();
  /** Keys that a put with `ifNoneMatch` has taken and not yet filled. */
  readonly #taken = new Set<string>();

  private constructor(options: Omit<WalrusOptions, "index">, log?: LineLog<Entry>) {
    this.#options = options;
    this.#log = log;
    for (const entry of log?.entries ?? []) this.#apply(entry);
  }

  /**
   * A store whose index lies in a file.
   *
   * @throws {RangeError} where a URL is none.
   * @throws {Deno.errors.Busy} where another process has the index open.
   */
  static async open(options: WalrusOptions): Promise<WalrusStore> {
    for (const url of [options.publisher, options.aggregator]) checkUrl(url);
    return new WalrusStore(options, await LineLog.open(options.index, decodeEntry));
  }

  /**
   * A store that reads what others put, by their refs: it has no index, so it knows no keys.
   *
   * @throws {RangeError} where the URL is none.
   */
  static reading(options: Pick<WalrusOptions, "aggregator" | "patienceMs">): WalrusStore {
    checkUrl(options.aggregator);
    const { aggregator, patienceMs } = options;
    return new WalrusStore({ aggregator, ...(patienceMs === undefined ? {} : { patienceMs }) });
  }

  /** See {@link Store.put}. The publisher may answer late: a blob of the same bytes is the same blob. */
  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<Stored> {
    assertKey(key);
    const content = new Uint8Array(bytes); // the caller may reuse its array
    const hash = sha256(content);
    const once = options.ifNoneMatch === "*";
    if (once && (this.#index.has(key) || this.#taken.has(key))) {
      throw new StoreError("exists", key, `Cannot put ${key}: it exists already`);
    }
    if (once) this.#taken.add(key);
    try {
      const blob = await this.#publish(key, content);
      const entry = {
        key,
        blob,
        size: content.length,
        modifiedMs: Date.now(),
        sha256: toHex(hash),
      };
      await this.#log?.append(entry);
      this.#apply(entry);
      return { sha256: hash, ref: `walrus:${blob}` };
    } finally {
      this.#taken.delete(key);
    }
  }

  /** See {@link Store.get}. By key, the bytes are those that were put, or it is an error. */
  async get(key: string, options: GetOptions): Promise<Bytes> {
    checkGet(options);
    const { maxBytes, range, sha256: wanted } = options;
    const byRef = REF.exec(key)?.[1];
    if (byRef === undefined) assertKey(key);
    const entry = byRef === undefined ? this.#index.get(key) : undefined;
    const blob = byRef ?? entry?.blob;
    if (blob === undefined || blob === null) throw notFound(key);
    if (entry !== undefined) checkSize(entry.size, key, options);
    const path = range === undefined
      ? `/v1/blobs/${blob}`
      : `/v1/blobs/${blob}/byte-range?start=${range.start}&length=${range.length}`;
    const bytes = await this.#call(key, range?.length ?? maxBytes, async (signal) => {
      const answer = await fetch(new URL(path, this.#options.aggregator), {
        redirect: "manual",
        signal,
      });
      return await this.#body(key, answer, range?.length ?? maxBytes);
    });
    if (range !== undefined && bytes.length !== range.length) throw tooShort(key);
    const right = wanted ?? (range === undefined && entry ? fromHex(entry.sha256) : undefined);
    if (right !== undefined && !equal(sha256(bytes), right)) {
      throw new StoreError("wrong_hash", key, `Cannot get ${key}: its SHA-256 is another one`);
    }
    return bytes;
  }

  /** See {@link Store.head}; from the index. */
  // deno-lint-ignore require-await -- refusals reject, as they do over a network
  async head(key: string): Promise<ObjectHead | undefined> {
    assertKey(key);
    const entry = this.#index.get(key);
    return entry && { size: entry.size, modifiedMs: entry.modifiedMs };
  }

  /** See {@link Store.list}; from the index. */
  // deno-lint-ignore require-await -- refusals reject, as they do over a network
  async list(prefix: string, options: ListOptions = {}): Promise<string[]> {
    const { limit, after } = checkList(options);
    assertPrefix(prefix);
    assertPrefix(after);
    return [...this.#index.keys()].filter((key) => key.startsWith(prefix) && key > after)
      .sort().slice(0, limit);
  }

  /** Forget the key. */
  async delete(key: string): Promise<void> {
    assertKey(key);
    if (!this.#index.has(key)) return;
    const entry = { key, blob: null, size: 0, modifiedMs: Date.now(), sha256: "" };
    await this.#log?.append(entry);
    this.#apply(entry);
  }

  /** Close the index. */
  [Symbol.dispose](): void {
    this.#log?.[Symbol.dispose]();
  }

  #apply(entry: Entry): void {
    if (entry.blob === null) this.#index.delete(entry.key);
    else this.#index.set(entry.key, entry);
  }

  async #publish(key: string, content: Bytes): Promise<string> {
    const { publisher, epochs = 5 } = this.#options;
    if (publisher === undefined) {
      throw new StoreError("denied", key, `Cannot put ${key}: no Walrus publisher is set`);
    }
    const answer = await this.#call(key, content.length, async (signal) => {
      const response = await fetch(new URL(`/v1/blobs?epochs=${epochs}`, publisher), {
        method: "PUT",
        body: content,
        redirect: "manual",
        signal,
      });
      return await this.#body(key, response, MAX_ANSWER);
    });
    const blob = blobId(answer);
    if (blob === undefined || !isWalrusRef(`walrus:${blob}`)) {
      throw new StoreError("unavailable", key, "Cannot use Walrus: its publisher names no blob");
    }
    return blob;
  }

  /** The answer's body where the call was taken, and the fault as a `StoreError` where it was not. */
  async #body(key: string, response: Response, maxBytes: number): Promise<Bytes> {
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

  async #call<T>(
    key: string,
    bytes: number,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limitMs = (this.#options.patienceMs ?? 60_000) + bytes / SLOWEST_BYTES_PER_MS;
    using limit = timeLimit(limitMs);
    try {
      return await call(limit.signal);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      if (error instanceof TooLargeError) {
        throw new StoreError("too_large", key, `Cannot get ${key}: ${error.message}`);
      }
      const why = error instanceof Error ? error.message : String(error);
      throw new StoreError("unavailable", key, `Cannot use Walrus: ${why}`);
    }
  }
}

function checkUrl(url: string | undefined): void {
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new RangeError(`Cannot use ${JSON.stringify(url)}: it is not the URL of a service`);
  }
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

function checkSize(size: number, key: string, { maxBytes, range }: GetOptions): void {
  if (range === undefined && size > maxBytes) {
    throw new StoreError("too_large", key, `Cannot get ${key}: it has ${size} bytes`);
  }
  if (range !== undefined && size < range.start + range.length) throw tooShort(key);
}

function notFound(key: string): StoreError {
  return new StoreError("not_found", key, `Cannot find ${key}`);
}

function tooShort(key: string): StoreError {
  return new StoreError("too_short", key, `Cannot get ${key}: it ends before the range does`);
}

function decodeEntry(value: unknown): Entry {
  const entry = value as Entry;
  const text = typeof entry?.key === "string" && typeof entry.sha256 === "string";
  const blob = entry?.blob === null || typeof entry?.blob === "string";
  if (!text || !blob || !Number.isSafeInteger(entry.size) || !Number.isFinite(entry.modifiedMs)) {
    throw new TypeError("It is not an entry of a Walrus index");
  }
  return entry;
}
