import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CHUNK_BYTES, type Manifest } from "../../enclave/protocol/base.ts";
import { type Bytes, equal, toHex } from "../../enclave/protocol/bytes.ts";
import { sha256, useSha256 } from "../../enclave/protocol/hash.ts";
import {
  checkpointWindows,
  getCheckpoint,
  pruneAggregations,
  pruneCheckpoints,
  putCheckpoint,
  readManifest,
} from "./checkpoints.ts";
import { aggregationKey, chunkKey, CHUNKS, manifestKey } from "./keys.ts";
import { type Store, StoreError } from "./store.ts";

useSha256((...parts) => { // as the commands do: chunks are large
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
});

/** The content of chunks, by a letter each; `-` is a short one. */
const CONTENT = new Map<string, { readonly bytes: Bytes; readonly hash: Bytes }>();
function content(letter: string) {
  let found = CONTENT.get(letter);
  if (found === undefined) {
    const length = letter === "-" ? 1_000 : CHUNK_BYTES;
    const bytes = new Uint8Array(length).fill(letter.charCodeAt(0));
    found = { bytes, hash: sha256(bytes) };
    CONTENT.set(letter, found);
  }
  return found;
}

/** The manifest of the base that `window` merged, whose chunks are `letters`. */
function manifest(window: number, letters: string): Manifest {
  const chunks = [...letters].map((letter) => content(letter));
  return {
    modelHash: new Uint8Array(32),
    parent: new Uint8Array(32),
    window,
    size: chunks.reduce((sum, { bytes }) => sum + bytes.length, 0),
    chunks: chunks.map(({ hash }) => hash),
    metadata: [],
  };
}

const put = (store: Store, window: number, letters: string) =>
  putCheckpoint(store, manifest(window, letters), (i) => content(letters[i]!).bytes);

async function get(store: Store, letters: string, cache?: Store) {
  const got: string[] = [];
  const moved = await getCheckpoint(store, manifest(1, letters), (i, bytes) => {
    got[i] = String.fromCharCode(bytes[0]!);
  }, cache);
  assert.equal(got.join(""), letters);
  return moved.chunks;
}

/** Enough of a store, in memory; objects are a millisecond apart. */
function memory(): Store {
  const objects = new Map<string, { readonly bytes: Bytes; readonly modifiedMs: number }>();
  let clock = 0;
  const resolved = <T>(value: T) => Promise.resolve(value);
  return {
    put(key, bytes) {
      const stored = { bytes: bytes.slice(), modifiedMs: ++clock };
      objects.set(key, stored);
      return resolved({ sha256: sha256(stored.bytes), ref: key });
    },
    // deno-lint-ignore require-await -- refusals reject
    async get(key, { maxBytes, sha256: wanted }) {
      const found = objects.get(key)?.bytes;
      if (found === undefined) throw new StoreError("not_found", key, "It is not there");
      if (found.length > maxBytes) throw new StoreError("too_large", key, "It is too large");
      if (wanted === undefined || equal(sha256(found), wanted)) return found;
      throw new StoreError("wrong_hash", key, "It is another one");
    },
    head(key) {
      const found = objects.get(key);
      return resolved(found && { size: found.bytes.length, modifiedMs: found.modifiedMs });
    },
    list: (prefix) => resolved([...objects.keys()].filter((key) => key.startsWith(prefix)).sort()),
    delete(key) {
      objects.delete(key);
      return resolved(undefined);
    },
  };
}

const withStores = (body: (store: Store, cache: Store) => Promise<void>) =>
  body(memory(), memory());

/** `store`, with `before` called before each put and get. */
function watched(
  store: Store,
  before: (what: "put" | "get", key: string) => void | Promise<void>,
): Store {
  return {
    put: async (key, ...rest) => {
      await before("put", key);
      return await store.put(key, ...rest);
    },
    get: async (key, options) => {
      await before("get", key);
      return await store.get(key, options);
    },
    head: (key) => store.head(key),
    list: (...args) => store.list(...args),
    delete: (key) => store.delete(key),
  };
}

/** Fails the puts or gets of chunks behind the first `count`. */
function cutAfter(store: Store, what: "put" | "get", count: number): Store {
  let seen = 0;
  return watched(store, (call, key) => {
    if (call !== what || !key.startsWith(CHUNKS) || ++seen <= count) return;
    throw new StoreError("unavailable", key, "The line is cut");
  });
}

const held = async (store: Store) => (await store.list(CHUNKS)).length;

Deno.test("putCheckpoint, getCheckpoint: carry a file, each different chunk once", () =>
  withStores(async (store) => {
    assert.deepEqual(await put(store, 1, "abab-"), { chunks: 3, bytes: 2 * CHUNK_BYTES + 1_000 });
    assert.deepEqual(await readManifest(store, 1), manifest(1, "abab-"));
    assert.equal(await get(store, "abab-"), 3);
  }));

Deno.test("putCheckpoint, getCheckpoint: a delta is the changed chunks alone", () =>
  withStores(async (store, cache) => {
    await put(store, 1, "abcd-");
    assert.equal(await get(store, "abcd-", cache), 5);
    assert.equal((await put(store, 2, "abXd-")).chunks, 1);
    assert.equal(await get(store, "abXd-", cache), 1);
    assert.equal(await held(cache), 5, "the cache has the newest chunks alone");
    assert.equal(await get(store, "abXd-", cache), 0);
  }));

Deno.test("putCheckpoint: what was cut off goes on where it was, and shows itself only when it is whole", () =>
  withStores(async (store) => {
    await put(store, 1, "ab");
    await assert.rejects(put(cutAfter(store, "put", 2), 2, "acdef"), { code: "unavailable" });
    assert.deepEqual(await checkpointWindows(store), [1]);
    assert.equal(await held(store), 4);
    assert.equal((await put(store, 2, "acdef")).chunks, 2);
    assert.equal(await get(store, "acdef"), 5);
  }));

Deno.test("getCheckpoint: what was cut off goes on where it was", () =>
  withStores(async (store, cache) => {
    await put(store, 1, "abcdef-");
    await assert.rejects(get(cutAfter(store, "get", 5), "abcdef-", cache), {
      code: "unavailable",
    });
    assert.equal(await held(cache), 5);
    assert.equal(await get(store, "abcdef-", cache), 2);
  }));

Deno.test("getCheckpoint: a bent chunk is refused, one that bent in the cache is fetched again", () =>
  withStores(async (store, cache) => {
    await put(store, 1, "ab");
    await get(store, "ab", cache);
    await cache.put(chunkKey(content("a").hash), content("b").bytes);
    assert.equal(await get(store, "ab", cache), 1);
    await store.put(chunkKey(content("a").hash), content("b").bytes);
    await assert.rejects(get(store, "ab"), { code: "wrong_hash" });
    await store.put(chunkKey(content("a").hash), new Uint8Array(CHUNK_BYTES + 1));
    await assert.rejects(get(store, "ab"), { code: "too_large" });
    await store.delete(chunkKey(content("a").hash));
    await assert.rejects(get(store, "ab"), { code: "not_found" });
  }));

Deno.test("getCheckpoint: a chunk of another length than its place has is refused", () =>
  withStores(async (store) => {
    await put(store, 1, "a-");
    const { chunks, ...about } = manifest(1, "a-");
    const bent = { ...about, chunks: chunks.toReversed() };
    await assert.rejects(getCheckpoint(store, bent, () => {}), StoreError);
  }));

Deno.test("putCheckpoint: refuses a chunk that the manifest does not name", () =>
  withStores(async (store) => {
    const { bytes } = content("b");
    await assert.rejects(putCheckpoint(store, manifest(1, "a"), () => bytes), RangeError);
    assert.deepEqual(await store.list(""), []);
  }));

Deno.test("putCheckpoint, getCheckpoint: four chunks are on their way at most", () =>
  withStores(async (store) => {
    for (const what of ["put", "get"] as const) {
      let [now, most] = [0, 0];
      const slow = watched(store, async (call, key) => {
        if (call !== what || !key.startsWith(CHUNKS)) return;
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now--;
      });
      const letters = "abcdefghij";
      if (what === "put") await put(slow, 1, letters);
      else await get(slow, letters);
      assert.equal(most, 4);
    }
  }));

Deno.test("pruneCheckpoints: keeps what lies behind the horizon, the newest before it, and their chunks", () =>
  withStores(async (store) => {
    for (const [window, letters] of [[2, "ab"], [4, "bc"], [6, "cd"], [9, "de"]] as const) {
      await put(store, window, letters);
    }
    assert.deepEqual(await pruneCheckpoints(store, 2), { checkpoints: [], chunks: 0 });
    assert.deepEqual(await pruneCheckpoints(store, 7), { checkpoints: [4, 2], chunks: 2 });
    assert.deepEqual(await checkpointWindows(store), [9, 6]);
    assert.equal(await get(store, "cd") + await get(store, "de"), 4);
    assert.equal(await held(store), 3);
    assert.deepEqual(await pruneCheckpoints(store, 100), { checkpoints: [6], chunks: 1 });
    assert.equal(await get(store, "de"), 2);
  }));

Deno.test("pruneAggregations: keeps what lies behind the horizon, and what is not ours", () =>
  withStores(async (store) => {
    const others = ["aggregation-1.pt.txt", "aggregation-x.pt"];
    for (const key of [2, 9, 10, 11].map(aggregationKey).concat(others)) {
      await store.put(key, new Uint8Array(1));
    }
    assert.equal(await pruneAggregations(store, 10), 2);
    assert.equal(await pruneAggregations(store, 10), 0);
    const left = [10, 11].map(aggregationKey).concat(others).sort();
    assert.deepEqual(await store.list("aggregation-"), left);
  }));

Deno.test("pruneCheckpoints: leaves the chunks of an upload that is running, and takes no garbage for a checkpoint", () =>
  withStores(async (store) => {
    await put(store, 2, "ab");
    await store.put(manifestKey(5), new Uint8Array(100).fill(0xff));
    await assert.rejects(put(cutAfter(store, "put", 1), 7, "cd"));
    assert.deepEqual(await pruneCheckpoints(store, 6), { checkpoints: [5], chunks: 0 });
    assert.equal(await held(store), 3);
    assert.equal((await put(store, 7, "cd")).chunks, 1);
  }));

Deno.test("pruneCheckpoints: killed at any moment, the next one ends its work", () =>
  withStores(async (store) => {
    for (let cut = 0; cut < 4; cut++) {
      await put(store, 2, "ab");
      await put(store, 8, "cd");
      let seen = 0;
      const dying: Store = {
        ...watched(store, () => {}),
        delete: (key) => {
          if (seen++ === cut) return Promise.reject(new StoreError("unavailable", key, "Killed"));
          return store.delete(key);
        },
      };
      await pruneCheckpoints(dying, 100).catch(() => {});
      await pruneCheckpoints(store, 100);
      assert.deepEqual(
        (await store.list(CHUNKS)).map((key) => key.slice(CHUNKS.length)).sort(),
        [
          toHex(content("c").hash),
          toHex(content("d").hash),
        ].sort(),
      );
    }
  }));
