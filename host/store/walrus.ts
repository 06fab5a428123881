/**
 * A store on Walrus. Its blobs are written and read over HTTP, or through the storage nodes where a wallet pays:
 * {@linkcode BlobWriter}, {@linkcode BlobReader}.
 *
 * Walrus names blobs by their content and knows no keys: which key is which blob stands in an index of this
 * process's own. Others read by the ref, `walrus:{blob id}`, or by a key that they find in a catalog, which is a part of
 * the index as a blob of its own (`walrus_catalog.ts`). A blob ends with the epochs that were bought for it; `delete`
 * forgets its key.
 *
 * @module
 */
import { type Bytes, equal, fromHex, toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { TooLargeError } from "./bounded.ts";
import { assertKey, assertPrefix, completes, isShared } from "./keys.ts";
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
import {
  blobOf,
  type BlobReader,
  type BlobWriter,
  isWalrusRef,
  notFound,
  tooShort,
} from "./walrus_blobs.ts";
import { type CatalogEntry, encodeCatalog } from "./walrus_catalog.ts";
import { aggregatorAt, publisherAt } from "./walrus_http.ts";

export { isWalrusRef } from "./walrus_blobs.ts";

/** How Walrus is reached. */
export interface WalrusOptions {
  /** URL of a publisher, which takes blobs and pays for them. */
  readonly publisher?: string;
  /** URL of an aggregator, which gives them. */
  readonly aggregator?: string;
  /** Takes blobs where there is no publisher, and gives them where there is no aggregator. */
  readonly nodes?: BlobReader & Partial<BlobWriter>;
  /** Epochs that a publisher is asked to keep a blob for. */
  readonly epochs?: number;
  /** The index's file; a `.lock` lies beside it. */
  readonly index: string;
  /** The file that gets the ref of the catalog, whenever something is whole that others look for. */
  readonly catalog?: string;
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

/** What a store works with. */
interface Parts {
  readonly reader: BlobReader;
  readonly writer?: BlobWriter | undefined;
  readonly catalog?: string | undefined;
  readonly patienceMs: number;
}

const SLOWEST_BYTES_PER_MS = 64;
const PATIENCE_MS = 60_000;
/** Lines of an index that are not worth the writing of a new one. */
const MIN_DEAD = 64;
/** Keys of a catalog that a public publisher still takes (10 MiB). */
const MAX_LISTED = 40_000;

/** A `Store` on Walrus. One process at a time has its index open. */
export class WalrusStore implements Store {
  readonly #parts: Parts;
  /** Undefined where nothing is put. */
  readonly #log: LineLog<Entry> | undefined;
  readonly #index = new Map<string, Entry>();
  /** Keys that a put with `ifNoneMatch` has taken and not yet filled. */
  readonly #taken = new Set<string>();
  /** Catalogs follow one another. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: Parts, log?: LineLog<Entry>) {
    this.#parts = parts;
    this.#log = log;
    for (const entry of log?.entries ?? []) this.#apply(entry);
  }

  /**
   * A store whose index lies in a file.
   *
   * @throws {RangeError} where a URL is none, or nothing gives blobs.
   * @throws {Deno.errors.Busy} where another process has the index open.
   */
  static async open(options: WalrusOptions): Promise<WalrusStore> {
    const { catalog, epochs = 5, nodes, patienceMs = PATIENCE_MS, publisher } = options;
    const write = nodes?.write?.bind(nodes);
    const writer = publisher !== undefined ? publisherAt(publisher, epochs) : write && { write };
    const parts = { reader: readerOf(options), writer, catalog, patienceMs };
    const log = await LineLog.open(options.index, decodeEntry);
    const store = new WalrusStore(parts, log);
    // What was replaced or deleted is half of it: the file would grow for ever.
    const live = new Set(store.#index.values());
    if (log.entries.length > 2 * live.size + MIN_DEAD) await log.compact((one) => live.has(one));
    return store;
  }

  /**
   * A store that reads what others put, by their refs: it has no index, so it knows no keys.
   *
   * @throws {RangeError} where the URL is none, or nothing gives blobs.
   */
  static reading(
    options: Pick<WalrusOptions, "aggregator" | "nodes" | "patienceMs">,
  ): WalrusStore {
    const { patienceMs = PATIENCE_MS } = options;
    return new WalrusStore({ reader: readerOf(options), patienceMs });
  }

  /** See {@link Store.put}. A publisher may answer late: a blob of the same bytes is the same blob. */
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
      const blob = await this.#write(key, content);
      const entry = {
        key,
        blob,
        size: content.length,
        modifiedMs: Date.now(),
        sha256: toHex(hash),
      };
      const { catalog } = this.#parts;
      if (catalog !== undefined && completes(key)) await this.#announce(catalog, entry);
      else await this.#keep(entry);
      return { sha256: hash, ref: `walrus:${blob}` };
    } finally {
      this.#taken.delete(key);
    }
  }

  /** See {@link Store.get}. By key, the bytes are those that were put, or it is an error. */
  async get(key: string, options: GetOptions): Promise<Bytes> {
    checkGet(options);
    const { maxBytes, range, sha256: wanted } = options;
    const byRef = blobOf(key);
    if (byRef === undefined) assertKey(key);
    const entry = byRef === undefined ? this.#index.get(key) : undefined;
    const blob = byRef ?? entry?.blob;
    if (blob === undefined || blob === null) throw notFound(key);
    if (entry !== undefined) checkSize(entry.size, key, options);
    const { reader } = this.#parts;
    const bytes = await this.#call(
      key,
      range?.length ?? maxBytes,
      (signal) => reader.read(blob, options, { key, signal }),
    );
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
    await this.#keep({ key, blob: null, size: 0, modifiedMs: Date.now(), sha256: "" });
  }

  /** Close the index. */
  [Symbol.dispose](): void {
    this.#log?.[Symbol.dispose]();
  }

  async #keep(entry: Entry): Promise<void> {
    await this.#log?.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    if (entry.blob === null) this.#index.delete(entry.key);
    else this.#index.set(entry.key, entry);
  }

  /** Publish a catalog that has `last`, then know it: a put that fails here is tried again as a whole. */
  #announce(file: string, last: Entry): Promise<void> {
    const result = this.#turn.then(async () => {
      const found = new Map<string, CatalogEntry>();
      for (const entry of [...this.#index.values(), last]) {
        const { blob, key, sha256, size } = entry;
        if (blob !== null && isShared(key)) found.set(key, { key, blob, size, sha256 });
      }
      const all = [...found.values()];
      // Of too many, gradients that validators keep by hash are left out: most are found by their refs.
      const listed = all.length <= MAX_LISTED
        ? all
        : all.filter(({ key }) => !key.startsWith("blobs/"));
      const blob = await this.#write(last.key, encodeCatalog(listed));
      await Deno.writeTextFile(`${file}.draft`, `walrus:${blob}\n`);
      await this.#keep(last);
      await Deno.rename(`${file}.draft`, file);
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  async #write(key: string, content: Bytes): Promise<string> {
    const { writer } = this.#parts;
    if (writer === undefined) {
      throw new StoreError(
        "denied",
        key,
        `Cannot put ${key}: no Walrus publisher is set, and no wallet that pays for it`,
      );
    }
    const blob = await this.#call(
      key,
      content.length,
      (signal) => writer.write(content, { key, signal }),
    );
    if (isWalrusRef(`walrus:${blob}`)) return blob;
    throw new StoreError("unavailable", key, "Cannot use Walrus: what it took has no id");
  }

  async #call<T>(
    key: string,
    bytes: number,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    using limit = timeLimit(this.#parts.patienceMs + bytes / SLOWEST_BYTES_PER_MS);
    try {
      return await Promise.race([call(limit.signal), aborted(limit.signal)]);
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

/** Rejects with the signal's reason: @mysten/walrus 1.2.13 waits for ever where all storage nodes fail at once. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function readerOf({ aggregator, nodes }: Pick<WalrusOptions, "aggregator" | "nodes">): BlobReader {
  if (aggregator !== undefined) return aggregatorAt(aggregator);
  if (nodes !== undefined) return nodes;
  throw new RangeError("Cannot use Walrus as neither an aggregator nor its nodes are given");
}

function checkSize(size: number, key: string, { maxBytes, range }: GetOptions): void {
  if (range === undefined && size > maxBytes) {
    throw new StoreError("too_large", key, `Cannot get ${key}: it has ${size} bytes`);
  }
  if (range !== undefined && size < range.start + range.length) throw tooShort(key);
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
