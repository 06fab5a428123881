/**
 * Catalogs: how others find by key what lies on Walrus. A catalog is a blob that lists keys with their blobs, sizes and
 * hashes; whoever puts the last part of a checkpoint or of a data set publishes one. It says where something may be,
 * never what it must be: that is the ledger's word, and every reader compares hashes with it.
 *
 * A catalog is named by its ref, or by the URL of a text that holds the ref, which follows what is published:
 * the file that {@linkcode WalrusOptions.catalog} names, behind any web server.
 *
 * @module
 */
import { type Bytes, fromHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { readBounded } from "./bounded.ts";
import { assertKey, assertPrefix, isKey } from "./keys.ts";
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
import { blobOf, notFound } from "./walrus_blobs.ts";

/** A key in a catalog. */
export interface CatalogEntry {
  /** The key. */
  readonly key: string;
  /** The blob's id. */
  readonly blob: string;
  /** Its length in bytes. */
  readonly size: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
}

/** A catalog above this is refused: it would list 50,000 keys. */
const MAX_CATALOG = 16 << 20;
const FORMAT = "vramhub/walrus-catalog/v1";
/** A URL is asked again after this time at the earliest. */
const REFRESH_MS = 60_000;
const CALL_MS = 20_000;
const MAX_REF = 256;

/** As it is published: JSON, keys ascending. */
export function encodeCatalog(entries: readonly CatalogEntry[]): Bytes {
  const sorted = entries.toSorted((a, b) => a.key < b.key ? -1 : 1);
  return utf8(JSON.stringify({ format: FORMAT, entries: sorted }));
}

/**
 * The inverse of {@linkcode encodeCatalog}, by key; `ref` is for the error.
 *
 * @throws {StoreError} `denied` where it is no catalog.
 */
export function decodeCatalog(bytes: Uint8Array, ref: string): Map<string, CatalogEntry> {
  const found = new Map<string, CatalogEntry>();
  try {
    const { entries, format } = JSON.parse(new TextDecoder().decode(bytes));
    if (format !== FORMAT || !Array.isArray(entries)) throw new TypeError("its format is another");
    for (const entry of entries as CatalogEntry[]) {
      const { blob, key, sha256, size } = entry;
      const sound = typeof key === "string" && isKey(key) && !found.has(key) &&
        blobOf(`walrus:${blob}`) !== undefined && /^[0-9a-f]{64}$/.test(sha256) &&
        Number.isSafeInteger(size) && size >= 0;
      if (!sound) throw new TypeError("an entry of it is none");
      found.set(key, { key, blob, size, sha256 });
    }
    return found;
  } catch (error) {
    throw new StoreError("denied", ref, `Cannot use ${ref} as a catalog: ${messageOf(error)}`);
  }
}

/** A catalog's name, and what it listed when it was read last. */
interface Source {
  readonly name: string;
  ref?: string;
  entries?: ReadonlyMap<string, CatalogEntry>;
}

/**
 * A store and, behind it, what others' catalogs list. What is put and deleted is the store's own; a key of its own stands
 * before a listed one.
 */
export class CatalogStore implements Store {
  readonly #own: Store;
  readonly #sources: readonly Source[];
  readonly #now: () => number;
  #readMs = 0;

  private constructor(own: Store, names: readonly string[], now: () => number) {
    this.#own = own;
    this.#sources = names.map((name) => ({ name }));
    this.#now = now;
  }

  /**
   * `own` and the catalogs of `names`, refs or URLs; of a key that several list, the first one's blob is read first. They
   * are read now.
   *
   * @param own gives blobs by their refs.
   * @param now this machine's time in milliseconds: what a URL names is read anew after a minute.
   * @throws {RangeError} where a name is neither.
   * @throws {StoreError} where a catalog is none, or cannot be had.
   */
  static async open(
    own: Store,
    names: readonly string[],
    now: () => number = Date.now,
  ): Promise<CatalogStore> {
    for (const name of names) {
      const isUrl = /^https?:$/.test(URL.parse(name)?.protocol ?? "");
      if (isUrl || blobOf(name) !== undefined) continue;
      throw new RangeError(
        `Cannot use ${JSON.stringify(name)} as a catalog: it is neither walrus:{blob id} nor a URL`,
      );
    }
    const store = new CatalogStore(own, names, now);
    for (const source of store.#sources) await store.#read(source);
    store.#readMs = now();
    return store;
  }

  /** See {@link Store.put}. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<Stored> {
    return this.#own.put(key, bytes, options);
  }

  /** See {@link Store.get}. A listed object is the listed one, or it is an error. */
  async get(key: string, options: GetOptions): Promise<Bytes> {
    if (blobOf(key) !== undefined) return await this.#own.get(key, options);
    checkGet(options);
    try {
      return await this.#own.get(key, options);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "not_found") throw error;
    }
    let fault: unknown = notFound(key);
    for (const { blob, sha256, size } of await this.#listed(key)) {
      const whole = options.range === undefined;
      try {
        if (whole && size > options.maxBytes) {
          throw new StoreError("too_large", key, `Cannot get ${key}: it has ${size} bytes`);
        }
        const right = options.sha256 ?? (whole ? fromHex(sha256) : undefined);
        const { sha256: _, ...rest } = options;
        const wanted = right === undefined ? rest : { ...rest, sha256: right };
        return await this.#own.get(`walrus:${blob}`, wanted);
      } catch (error) {
        fault = error;
      }
    }
    throw fault;
  }

  /** See {@link Store.head}. Of what others list, this is their word; its age is unknown, and counts as that of 1970. */
  async head(key: string): Promise<ObjectHead | undefined> {
    const own = await this.#own.head(key);
    if (own !== undefined) return own;
    const [first] = await this.#listed(key);
    return first && { size: first.size, modifiedMs: 0 };
  }

  /** See {@link Store.list}. */
  async list(prefix: string, options: ListOptions = {}): Promise<string[]> {
    const { after, limit } = checkList(options);
    assertPrefix(prefix);
    assertPrefix(after);
    await this.#refresh();
    const keys = new Set(await this.#own.list(prefix, options));
    for (const { entries } of this.#sources) {
      for (const key of entries?.keys() ?? []) {
        if (key.startsWith(prefix) && key > after) keys.add(key);
      }
    }
    return [...keys].sort().slice(0, limit);
  }

  /** See {@link Store.delete}; what others list stays. */
  delete(key: string): Promise<void> {
    return this.#own.delete(key);
  }

  async #listed(key: string): Promise<CatalogEntry[]> {
    assertKey(key);
    const find = () => this.#sources.flatMap(({ entries }) => entries?.get(key) ?? []);
    const found = find();
    if (found.length > 0) return found;
    await this.#refresh();
    return find();
  }

  /** Read anew what may have changed. A catalog that cannot be had for now stands as it was. */
  async #refresh(): Promise<void> {
    if (this.#now() - this.#readMs < REFRESH_MS) return;
    this.#readMs = this.#now();
    for (const source of this.#sources) {
      if (source.name !== source.ref) await this.#read(source).catch(() => {});
    }
  }

  async #read(source: Source): Promise<void> {
    const ref = blobOf(source.name) === undefined ? await refAt(source.name) : source.name;
    if (ref === source.ref) return;
    source.entries = decodeCatalog(await this.#own.get(ref, { maxBytes: MAX_CATALOG }), ref);
    source.ref = ref;
  }
}

/** The ref in the text at `url`. */
async function refAt(url: string): Promise<string> {
  using limit = timeLimit(CALL_MS);
  let text: string;
  try {
    const response = await fetch(url, { redirect: "manual", signal: limit.signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`it answers with status ${response.status}`);
    }
    const bytes = await readBounded(response.body ?? new Blob().stream(), MAX_REF);
    text = new TextDecoder().decode(bytes).trim();
  } catch (error) {
    throw new StoreError("unavailable", url, `Cannot read a catalog: ${url}: ${messageOf(error)}`);
  }
  if (blobOf(text) !== undefined) return text;
  throw new StoreError("denied", url, `Cannot read a catalog: ${url} gives no walrus:{blob id}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
