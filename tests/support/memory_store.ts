// deno-lint-ignore-file require-await -- refusals reject, as they do over a network
/**
 * A store of one's own, as `--store ./mine.ts` takes it: the default export is a function that makes it. This one keeps
 * everything in memory.
 *
 * @module
 */
import { type Bytes, equal } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { assertKey, assertPrefix } from "../../host/store/keys.ts";
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
} from "../../host/store/store.ts";

/** An empty store. */
export default function openMemoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #objects = new Map<string, { bytes: Bytes; modifiedMs: number }>();

  async put(key: string, bytes: Uint8Array, { ifNoneMatch }: PutOptions = {}): Promise<Stored> {
    assertKey(key);
    if (ifNoneMatch === "*" && this.#objects.has(key)) {
      throw new StoreError("exists", key, `Cannot put ${key}: it exists already`);
    }
    const content = new Uint8Array(bytes);
    this.#objects.set(key, { bytes: content, modifiedMs: Date.now() });
    return { sha256: sha256(content), ref: key };
  }

  async get(key: string, options: GetOptions): Promise<Bytes> {
    assertKey(key);
    checkGet(options);
    const { maxBytes, range, sha256: wanted } = options;
    const whole = this.#objects.get(key)?.bytes;
    if (whole === undefined) throw new StoreError("not_found", key, `Cannot find ${key}`);
    const end = range === undefined ? whole.length : range.start + range.length;
    if (end > whole.length) throw new StoreError("too_short", key, `Cannot get ${key}: too short`);
    const bytes = whole.slice(range?.start ?? 0, end);
    if (bytes.length > maxBytes) {
      throw new StoreError("too_large", key, `Cannot get ${key}: it is above ${maxBytes} bytes`);
    }
    if (wanted !== undefined && !equal(sha256(bytes), wanted)) {
      throw new StoreError("wrong_hash", key, `Cannot get ${key}: its SHA-256 is another one`);
    }
    return bytes;
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    assertKey(key);
    const object = this.#objects.get(key);
    return object && { size: object.bytes.length, modifiedMs: object.modifiedMs };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<string[]> {
    const { after, limit } = checkList(options);
    assertPrefix(prefix);
    assertPrefix(after);
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix) && key > after)
      .sort().slice(0, limit);
  }

  async delete(key: string): Promise<void> {
    assertKey(key);
    this.#objects.delete(key);
  }
}
