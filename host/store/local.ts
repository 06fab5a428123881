/**
 * A store in a directory of this machine: for test mode, and as a validator's own cache.
 *
 * An object is a file of the directory itself, named by its key with `%` for `/`: so `a` and `a/b` can both
 * exist, as they can elsewhere, and no key names anything outside. Files appear whole: they are written under
 * another name, flushed, then renamed (or linked, where they must not replace one), and the directory flushed.
 *
 * @module
 */
import { type Bytes, equal } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
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

/** Begins the name of a file that is still being written; no key does. */
const DRAFT = ".draft-";
/** No write lasts this long. */
const STALE_DRAFT_MS = 3_600_000;

/** A `Store` in a directory. */
export class LocalStore implements Store {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * The store in `directory`, which is made where there is none. Several processes may share it; drafts that a
   * writer left an hour ago are removed, since it must have died.
   *
   * @throws {StoreError} `unavailable` where the directory cannot be made or read.
   */
  static async open(directory: string): Promise<LocalStore> {
    const store = new LocalStore(directory);
    await store.#attempt("", async () => {
      await Deno.mkdir(directory, { recursive: true });
      for await (const { name } of Deno.readDir(directory)) {
        if (!name.startsWith(DRAFT)) continue;
        const path = `${directory}/${name}`;
        const written = (await Deno.stat(path).catch(ignoreNotFound))?.mtime?.getTime() ??
          Date.now();
        if (Date.now() - written > STALE_DRAFT_MS) await Deno.remove(path).catch(ignoreNotFound);
      }
    });
    return store;
  }

  /** The store in `directory` as it lies there: opening it makes, removes and reads nothing. For auditors. */
  static at(directory: string): LocalStore {
    return new LocalStore(directory);
  }

  /** See {@link Store.put}. */
  async put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions = {},
  ): Promise<Stored> {
    const path = this.#path(key);
    const draft = `${this.#directory}/${DRAFT}${crypto.randomUUID()}`;
    // Hashed before anything is awaited: the caller may reuse its array, and then hash and file would differ.
    const content = new Uint8Array(bytes);
    const hash = sha256(content);
    await this.#attempt(key, async () => {
      try {
        await writeFlushed(draft, content);
        if (options.ifNoneMatch === "*") await Deno.link(draft, path);
        else await Deno.rename(draft, path);
        await flushDirectory(this.#directory);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
        throw new StoreError("exists", key, `Cannot put ${key}: it exists already`);
      } finally {
        await Deno.remove(draft).catch(ignoreNotFound);
      }
    });
    return { sha256: hash, ref: key };
  }

  /** See {@link Store.get}. */
  async get(key: string, options: GetOptions): Promise<Bytes> {
    checkGet(options);
    const { maxBytes, range } = options;
    const path = this.#path(key);
    const bytes = await this.#attempt(key, async () => {
      using file = await Deno.open(path, { read: true });
      const { size } = await file.stat();
      if (range !== undefined) {
        if (size < range.start + range.length) {
          throw new StoreError("too_short", key, `Cannot get ${key}: it has ${size} bytes only`);
        }
        await file.seek(range.start, Deno.SeekMode.Start);
        return await readExactly(file, range.length);
      }
      if (size > maxBytes) {
        throw new StoreError(
          "too_large",
          key,
          `Cannot get ${key}: its ${size} bytes are more than ${maxBytes}`,
        );
      }
      return await readExactly(file, size);
    });
    if (options.sha256 !== undefined && !equal(sha256(bytes), options.sha256)) {
      throw new StoreError("wrong_hash", key, `Cannot get ${key}: its SHA-256 is another one`);
    }
    return bytes;
  }

  /** See {@link Store.head}. */
  async head(key: string): Promise<ObjectHead | undefined> {
    const path = this.#path(key);
    try {
      return await this.#attempt(key, async () => {
        const { size, mtime } = await Deno.stat(path);
        return { size, modifiedMs: mtime?.getTime() ?? 0 };
      });
    } catch (error) {
      if (error instanceof StoreError && error.code === "not_found") return undefined;
      throw error;
    }
  }

  /** See {@link Store.list}. */
  async list(prefix: string, options: ListOptions = {}): Promise<string[]> {
    const { after, limit } = checkList(options);
    assertPrefix(prefix);
    assertPrefix(after);
    const keys: string[] = [];
    await this.#attempt(prefix, async () => {
      for await (const { name, isFile } of Deno.readDir(this.#directory)) {
        const key = name.replaceAll("%", "/");
        // Drafts, and files that somebody else laid here, have names that no key has.
        if (isFile && isKey(key) && key.startsWith(prefix) && key > after) keys.push(key);
      }
    });
    return keys.sort().slice(0, limit);
  }

  /** See {@link Store.delete}. */
  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await this.#attempt(key, () => Deno.remove(path).catch(ignoreNotFound));
  }

  #path(key: string): string {
    assertKey(key);
    return `${this.#directory}/${key.replaceAll("/", "%")}`;
  }

  /** `action`, with what the file system throws as a `StoreError`. */
  async #attempt<T>(key: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      if (cause instanceof StoreError) throw cause;
      if (cause instanceof Deno.errors.NotFound && await isDirectory(this.#directory)) {
        throw new StoreError("not_found", key, `Cannot find ${key}`, { cause });
      }
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StoreError("unavailable", key, `Cannot use ${this.#directory}: ${why}`, { cause });
    }
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
}

/** Make a rename last through a power failure. */
async function flushDirectory(path: string): Promise<void> {
  using directory = await Deno.open(path, { read: true });
  await directory.sync();
}

/** The first `size` bytes of a file, which never changes once it has its name. */
async function readExactly(file: Deno.FsFile, size: number): Promise<Bytes> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) throw new Error(`The file ends at ${at} of ${size} bytes`);
    at += read;
  }
  return bytes;
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
