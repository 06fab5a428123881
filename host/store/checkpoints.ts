/**
 * Checkpoints: bases that were uploaded. A base's file lies in a store as chunks that are named by their content,
 * beside the base's manifest, which lists them in order and whose hash the ledger anchors. So a chunk that did not
 * change since the last checkpoint is neither uploaded nor fetched again, a transfer that was cut off goes on where it
 * was, and nobody can bend a byte. A few chunks are in memory at a time, whatever the model's size.
 *
 * @module
 */
import {
  CHUNK_BYTES,
  decodeManifest,
  encodeManifest,
  type Manifest,
} from "../../enclave/protocol/base.ts";
import { type Bytes, equal, toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { chunkKey, CHUNKS, manifestKey } from "./keys.ts";
import { MAX_LIST, type Store, StoreError } from "./store.ts";

/** Chunks on their way at once. */
const AT_ONCE = 4;
const MAX_MANIFEST_BYTES = 1 << 20;

/** What a transfer moved; the other chunks were there. */
export interface Moved {
  /** Chunks. */
  readonly chunks: number;
  /** Their bytes. */
  readonly bytes: number;
}

/**
 * Upload a base: the chunks that the store lacks, then the manifest. Who finds the manifest finds the chunks.
 *
 * @param chunk gives chunk `index` of the file.
 * @throws {RangeError} where a chunk is not the manifest's.
 * @throws {StoreError}
 */
export async function putCheckpoint(
  store: Store,
  manifest: Manifest,
  chunk: (index: number) => Bytes | Promise<Bytes>,
): Promise<Moved> {
  const there = await newestChunks(store);
  let [chunks, bytes] = [0, 0];
  await eachChunk(manifest, async (index, hash, size) => {
    if (await there(hash, size)) return;
    const content = await chunk(index);
    if (!equal(sha256(content), hash)) {
      throw new RangeError(
        `Cannot upload chunk ${index}: it is not the one that the manifest names`,
      );
    }
    await store.put(chunkKey(hash), content);
    chunks++;
    bytes += size;
  });
  await store.put(manifestKey(manifest.window), encodeManifest(manifest));
  return { chunks, bytes };
}

/**
 * Which chunks need no upload: those of the newest checkpoint, and those that were put after it, by an upload that
 * was cut off. Others that are there may be removed at any moment, by whoever prunes.
 */
async function newestChunks(
  store: Store,
): Promise<(hash: Bytes, size: number) => Promise<boolean>> {
  const [newest] = await checkpointWindows(store);
  const manifest = newest === undefined ? null : await readManifest(store, newest);
  const since = newest === undefined ? undefined : await store.head(manifestKey(newest));
  const own = new Set(manifest?.chunks.map(toHex));
  return async (hash, size) => {
    const head = await store.head(chunkKey(hash));
    if (head?.size !== size) return false;
    return own.has(toHex(hash)) || since === undefined || head.modifiedMs > since.modifiedMs;
  };
}

/**
 * Fetch the chunks of a manifest, in any order, each under its hash.
 *
 * @param take gets each chunk once for every place that it has in the file.
 * @param cache keeps the chunks: those that it has are not fetched, and afterwards it has these alone.
 * @throws {StoreError}
 */
export async function getCheckpoint(
  store: Store,
  manifest: Manifest,
  take: (index: number, bytes: Bytes) => void | Promise<void>,
  cache?: Store,
): Promise<Moved> {
  const places = new Map<string, number[]>();
  manifest.chunks.forEach((hash, index) => {
    const hex = toHex(hash);
    places.set(hex, [...places.get(hex) ?? [], index]);
  });
  let [chunks, bytes] = [0, 0];
  await eachChunk(manifest, async (_, hash, size) => {
    const options = { maxBytes: size, sha256: hash };
    const kept = await cache?.get(chunkKey(hash), options).catch(ignoreUseless);
    const content = kept ?? await store.get(chunkKey(hash), options);
    if (kept === undefined) {
      await cache?.put(chunkKey(hash), content);
      chunks++;
      bytes += size;
    }
    for (const index of places.get(toHex(hash))!) {
      if (content.length !== chunkSize(manifest, index)) {
        throw new StoreError("too_short", chunkKey(hash), `Chunk ${index} has another length`);
      }
      await take(index, content);
    }
  });
  if (cache !== undefined) await removeChunks(cache, new Set(places.keys()));
  return { chunks, bytes };
}

/** What the cache cannot give is fetched. */
function ignoreUseless(error: unknown): undefined {
  if (!(error instanceof StoreError) || error.retryable) throw error;
}

/** Bytes of chunk `index`: the last one may be shorter. */
function chunkSize({ size }: Manifest, index: number): number {
  return Math.min(CHUNK_BYTES, size - index * CHUNK_BYTES);
}

/** `run` for every chunk of different content, a few at a time; with the first error no more are begun. */
async function eachChunk(
  manifest: Manifest,
  run: (index: number, hash: Bytes, size: number) => Promise<void>,
): Promise<void> {
  const first = new Map<string, number>();
  manifest.chunks.forEach((hash, index) => {
    if (!first.has(toHex(hash))) first.set(toHex(hash), index);
  });
  const left = [...first.values()].reverse();
  const errors: unknown[] = [];
  const worker = async () => {
    for (let index = left.pop(); index !== undefined && errors.length === 0; index = left.pop()) {
      try {
        await run(index, manifest.chunks[index]!, chunkSize(manifest, index));
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (errors.length > 0) throw errors[0];
}

/** Windows whose merges were uploaded, newest first: by the names of the manifests alone. */
export async function checkpointWindows(store: Store): Promise<number[]> {
  const windows: number[] = [];
  for await (const key of keysOf(store, "checkpoint-")) {
    const window = Number(/^checkpoint-(\d+)-v1\.manifest$/.exec(key)?.[1] ?? NaN);
    if (Number.isSafeInteger(window)) windows.push(window);
  }
  return windows.sort((a, b) => b - a);
}

/** The manifest of the base that `window` merged as it lies in the store, or null where there is none. Nobody is bound by it. */
export async function readManifest(store: Store, window: number): Promise<Manifest | null> {
  try {
    const bytes = await store.get(manifestKey(window), { maxBytes: MAX_MANIFEST_BYTES });
    const manifest = decodeManifest(bytes);
    return manifest.window === window ? manifest : null;
  } catch (error) {
    // Anybody may have put something there; a store that fails for now is another matter.
    if (error instanceof Refusal || (error instanceof StoreError && !error.retryable)) return null;
    throw error;
  }
}

/** What was removed. */
export interface Pruned {
  /** Windows whose checkpoints were removed. */
  readonly checkpoints: readonly number[];
  /** Chunks that no checkpoint has any more. */
  readonly chunks: number;
}

/**
 * Remove the checkpoints of windows before `horizon`, but the newest of them, from which the windows behind it are
 * reached; then the chunks that no checkpoint has. Chunks younger than the newest checkpoint stay: they may be of the
 * next one, which somebody is uploading. It may be begun again at any moment.
 *
 * @throws {StoreError}
 */
export async function pruneCheckpoints(store: Store, horizon: number): Promise<Pruned> {
  const kept: Manifest[] = [];
  const removed: number[] = [];
  for (const window of await checkpointWindows(store)) {
    const last = kept.at(-1);
    const manifest = last !== undefined && last.window < horizon
      ? null
      : await readManifest(store, window);
    if (manifest !== null) kept.push(manifest);
    else if (window < horizon) removed.push(window);
  }
  for (const window of removed) await store.delete(manifestKey(window));
  const newest = kept[0];
  const newestHead = newest && await store.head(manifestKey(newest.window));
  if (newestHead === undefined) return { checkpoints: removed, chunks: 0 };
  const used = new Set(kept.flatMap(({ chunks }) => chunks.map(toHex)));
  const chunks = await removeChunks(store, used, newestHead.modifiedMs);
  return { checkpoints: removed, chunks };
}

/**
 * Remove what tells of the merges of windows before `horizon`, whose gradients nobody serves any more; returns how many
 * there were. It may be begun again at any moment.
 *
 * @throws {StoreError}
 */
export async function pruneAggregations(store: Store, horizon: number): Promise<number> {
  let count = 0;
  for await (const key of keysOf(store, "aggregation-")) {
    const window = Number(/^aggregation-(\d+)\.pt$/.exec(key)?.[1] ?? NaN);
    if (!(window < horizon)) continue;
    await store.delete(key);
    count++;
  }
  return count;
}

/** Remove the chunks that are not `used`, and older than `beforeMs` where that is given. */
async function removeChunks(
  store: Store,
  used: ReadonlySet<string>,
  beforeMs?: number,
): Promise<number> {
  let count = 0;
  for await (const key of keysOf(store, CHUNKS)) {
    if (used.has(key.slice(CHUNKS.length))) continue;
    if (beforeMs !== undefined) {
      const head = await store.head(key);
      if (head === undefined || head.modifiedMs >= beforeMs) continue;
    }
    await store.delete(key);
    count++;
  }
  return count;
}

async function* keysOf(store: Store, prefix: string): AsyncIterable<string> {
  for (let after = "";;) {
    const keys = await store.list(prefix, { after });
    yield* keys;
    if (keys.length < MAX_LIST) return;
    after = keys.at(-1)!;
  }
}
