/**
 * A data set in a folder of this machine: `pages.bin`, `tree.bin`, `dataset.json`.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { equal } from "../../enclave/protocol/bytes.ts";
import { hashPages } from "./build.ts";
import { type DatasetFile, decodeDatasetFile, encodeDatasetFile } from "./manifest.ts";
import { PagedData } from "./paged.ts";
import { DataError } from "./source_bytes.ts";
import { buildTree, HASH, treeBytes } from "./tree.ts";

/** Open data. */
export interface OpenFolder extends Disposable {
  /** Its pages. */
  readonly pages: PagedData;
  /** What it says of itself. */
  readonly about: DatasetFile;
}

/** What `dataset.json` in `folder` says. @throws {DataError} */
export async function readDatasetFile(folder: string): Promise<DatasetFile> {
  const path = `${folder}/dataset.json`;
  try {
    return decodeDatasetFile(await Deno.readTextFile(path), path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new DataError(`Cannot find a data set in ${folder}: build one with 'dataset build'`);
  }
}

/**
 * Open the data set in `folder`. Its tree is checked now, each page when it is loaded.
 *
 * @throws {DataError}
 */
export async function openFolder(folder: string): Promise<OpenFolder> {
  const about = await readDatasetFile(folder);
  const pages = await Deno.open(`${folder}/pages.bin`, { read: true });
  const tree = await Deno.open(`${folder}/tree.bin`, { read: true });
  const dispose = () => {
    pages.close();
    tree.close();
  };
  try {
    const ranges = {
      pages: reader(pages, `${folder}/pages.bin`),
      tree: reader(tree, `${folder}/tree.bin`),
    };
    return {
      pages: await PagedData.open(about.dataset, ranges),
      about,
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/**
 * Check every byte of the data set in `folder`: each page under its leaf, each hash of the tree, the root, the sizes,
 * the manifest as it was written.
 *
 * @throws {DataError} that names the first file, and page, that is not what it must be.
 */
export async function verifyFolder(folder: string): Promise<DatasetFile> {
  const about = await readDatasetFile(folder);
  if (await Deno.readTextFile(`${folder}/dataset.json`) !== encodeDatasetFile(about)) {
    throw new DataError(`${folder}/dataset.json is not as 'dataset build' wrote it`);
  }
  const { pageCount, pageTokens, merkleRoot } = about.dataset;
  const size = 4 * pageTokens;
  await checkLength(`${folder}/pages.bin`, pageCount * size);
  await checkLength(`${folder}/tree.bin`, treeBytes(pageCount));
  const leaves = await hashPages(`${folder}/pages.bin`, pageCount, size);
  const right = buildTree(leaves);
  const tree = await Deno.readFile(`${folder}/tree.bin`);
  const fault = right.findIndex((byte, at) => byte !== tree[at]);
  const sound = equal(right.subarray(-HASH), merkleRoot);
  if (sound && fault === -1) return about;
  if (sound) throw new DataError(`${folder}/tree.bin is wrong at byte ${fault}`);
  const page = Math.floor(fault / HASH);
  throw new DataError(
    fault !== -1 && page < pageCount
      ? `${folder}/pages.bin is wrong in page ${page}`
      : `${folder}/dataset.json names another root than the pages give`,
  );
}

/** Reads one piece at a time, for callers that ask for several at once. */
function reader(
  file: Deno.FsFile,
  path: string,
): (start: number, length: number) => Promise<Bytes> {
  let turn: Promise<unknown> = Promise.resolve();
  const read = async (start: number, length: number) => {
    const bytes = new Uint8Array(length);
    await file.seek(start, Deno.SeekMode.Start);
    for (let at = 0; at < length;) {
      const taken = await file.read(bytes.subarray(at));
      if (taken === null) throw new DataError(`Cannot read ${path}: it is too short`);
      at += taken;
    }
    return bytes;
  };
  return (start, length) => {
    const next = turn.then(() => read(start, length));
    turn = next.catch(() => {});
    return next;
  };
}

async function checkLength(path: string, wanted: number): Promise<void> {
  const { size } = await Deno.stat(path).catch(() => ({ size: -1 }));
  if (size === wanted) return;
  throw new DataError(
    size === -1 ? `${path} is not there` : `${path} has ${size} bytes instead of ${wanted}`,
  );
}
