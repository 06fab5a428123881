/**
 * A data set in a store, in parts: anybody's pages come by ranges, whatever the store.
 *
 * @module
 */
import { type Bytes, equal, fromHex, toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { type Dataset, datasetRoot } from "../../enclave/protocol/dataset.ts";
import type { Store } from "../store/store.ts";
import { type DatasetFile, decodeDatasetFile, encodeDatasetFile } from "./manifest.ts";
import { PagedData, type Ranges } from "./paged.ts";
import { readDatasetFile } from "./folder.ts";
import { DataError } from "./source_bytes.ts";
import { HASH, treeBytes } from "./tree.ts";

/** Bytes of a part, about; a page lies in one part. */
const PART_BYTES = 8 << 20;
/** An index above this is refused: it would name 100 TB. */
const MAX_INDEX_BYTES = 32 << 20;

/** A file in parts of one size; the last may be shorter. */
interface Parts {
  readonly bytes: number;
  readonly refs: readonly string[];
}

/** What lies under {@link indexKey}. */
interface Index {
  readonly about: DatasetFile;
  readonly pages: Parts;
  readonly tree: Parts;
}

/** Where the index of the data set with this root lies. */
export function indexKey(root: Uint8Array): string {
  return `dataset/${toHex(root)}/index.json`;
}

/**
 * Put the data set in `folder` into `store`, its index last. Returns the index's ref.
 *
 * @throws {DataError}
 * @throws {StoreError}
 */
export async function pushDataset(
  folder: string,
  store: Store,
  progress: (share: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const about = await readDatasetFile(folder);
  const { pageCount, pageTokens } = about.dataset;
  const root = toHex(datasetRoot(about.dataset));
  const pageBytes = 4 * pageTokens;
  const files = [
    { name: "pages", size: pageCount * pageBytes, unit: pageBytes },
    { name: "tree", size: treeBytes(pageCount), unit: HASH },
  ];
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let sent = 0;
  const parts: Record<string, Parts> = {};
  for (const { name, size, unit } of files) {
    const bytes = unit * Math.max(1, Math.floor(PART_BYTES / unit));
    using file = await Deno.open(`${folder}/${name}.bin`, { read: true });
    const refs: string[] = [];
    for (let start = 0; start < size; start += bytes) {
      signal?.throwIfAborted();
      const part = await readPart(file, Math.min(bytes, size - start), `${folder}/${name}.bin`);
      refs.push((await store.put(`dataset/${root}/${name}-${refs.length}.bin`, part)).ref);
      sent += part.length;
      progress(sent / total);
    }
    parts[name] = { bytes, refs };
  }
  const index = { about: JSON.parse(encodeDatasetFile(about)), ...parts };
  return (await store.put(indexKey(fromHex(root)), utf8(JSON.stringify(index)))).ref;
}

/**
 * The data set with this root in `store`; `ref` names its index where that is not under its key.
 *
 * @throws {DataError} where what lies there is not this data set.
 * @throws {StoreError}
 */
export async function openShared(
  store: Store,
  root: Uint8Array,
  ref: string = indexKey(root),
): Promise<PagedData> {
  const text = new TextDecoder().decode(await store.get(ref, { maxBytes: MAX_INDEX_BYTES }));
  const { about, pages, tree } = decodeIndex(text, ref);
  if (!equal(datasetRoot(about.dataset), root)) {
    throw new DataError(`Cannot use ${ref}: it is the index of another data set`);
  }
  checkParts(about.dataset, pages, tree, ref);
  const ranges: Ranges = {
    pages: (start, length) => readRange(store, pages, start, length),
    tree: (start, length) => readRange(store, tree, start, length),
  };
  return await PagedData.open(about.dataset, ranges);
}

async function readPart(file: Deno.FsFile, length: number, path: string): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) throw new DataError(`Cannot read ${path}: it is too short`);
    at += read;
  }
  return bytes;
}

/** A range, which may reach over several parts. */
async function readRange(
  store: Store,
  parts: Parts,
  start: number,
  length: number,
): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const number = Math.floor((start + at) / parts.bytes);
    const from = (start + at) % parts.bytes;
    const count = Math.min(parts.bytes - from, length - at);
    const ref = parts.refs[number];
    if (ref === undefined) throw new DataError(`Cannot read byte ${start + at}: no part holds it`);
    const range = { start: from, length: count };
    bytes.set(await store.get(ref, { maxBytes: count, range }), at);
    at += count;
  }
  return bytes;
}

function decodeIndex(text: string, where: string): Index {
  try {
    const { about, pages, tree } = JSON.parse(text);
    for (const { bytes, refs } of [pages, tree] as Parts[]) {
      const sound = Number.isSafeInteger(bytes) && bytes > 0 && Array.isArray(refs) &&
        refs.every((ref) => typeof ref === "string");
      if (!sound) throw new TypeError("its parts are none");
    }
    return { about: decodeDatasetFile(JSON.stringify(about), where), pages, tree };
  } catch (error) {
    if (error instanceof DataError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new DataError(`Cannot use ${where}: ${why}`);
  }
}

function checkParts(dataset: Dataset, pages: Parts, tree: Parts, where: string): void {
  const { pageCount, pageTokens } = dataset;
  const sizes = [[pages, 4 * pageTokens * pageCount], [tree, treeBytes(pageCount)]] as const;
  for (const [{ bytes, refs }, size] of sizes) {
    if (refs.length !== Math.ceil(size / bytes)) {
      throw new DataError(`Cannot use ${where}: its parts do not hold the data set`);
    }
  }
}
