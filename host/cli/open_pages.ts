/**
 * From a folder or a store to a network's data: what is there must be the data set that the ledger names. Nothing stands
 * in for it.
 *
 * @module
 */
import { equal, toHex } from "../../enclave/protocol/bytes.ts";
import { type Dataset, datasetRoot } from "../../enclave/protocol/dataset.ts";
import { ConfigError } from "../config/mod.ts";
import { openFolder } from "../data/folder.ts";
import { openShared } from "../data/shared.ts";
import { DataError } from "../data/source_bytes.ts";
import { Pages, type PageSource } from "../store/pages.ts";
import { type Store, StoreError } from "../store/store.ts";

/** A network's data. */
export interface OpenPages extends Disposable {
  /** Its pages; those of a window are read when they are loaded. */
  readonly pages: PageSource;
  /** For people: the folder, or `the store`. */
  readonly from: string;
}

/**
 * The data set in `folder`, where there is one, else in `store`.
 *
 * @throws {ConfigError} where it is in neither, or another one is there.
 * @throws {StoreError} where the store fails for now.
 */
export async function openPages(
  folder: string,
  store: Store,
  dataset: Dataset,
): Promise<OpenPages> {
  const root = datasetRoot(dataset);
  const opened = await inFolder(folder) ?? await inStore(store, root, folder);
  const found = datasetRoot(opened.pages.dataset);
  if (equal(found, root)) return opened;
  opened[Symbol.dispose]();
  throw new ConfigError(
    "bad_value",
    `Cannot use the data set in ${folder}: its root is ${toHex(found)}, the network's is ${
      toHex(root)
    }`,
  );
}

async function inFolder(folder: string): Promise<OpenPages | undefined> {
  if (!await exists(`${folder}/dataset.json`)) return undefined;
  // Test mode's folders are small and have no tree: it is made in memory.
  if (!await exists(`${folder}/tree.bin`)) {
    return { pages: await Pages.open(folder), from: folder, [Symbol.dispose]() {} };
  }
  const opened = await openFolder(folder);
  return { pages: opened.pages, from: folder, [Symbol.dispose]: () => opened[Symbol.dispose]() };
}

async function inStore(store: Store, root: Uint8Array, folder: string): Promise<OpenPages> {
  try {
    return { pages: await openShared(store, root), from: "the store", [Symbol.dispose]() {} };
  } catch (error) {
    const wrong = error instanceof DataError || (error instanceof StoreError && !error.retryable);
    if (!wrong) throw error;
    throw new ConfigError(
      "missing",
      `Cannot find the network's data set, ${
        toHex(root)
      }: it is not in ${folder}, and in the store: ` +
        `${error.message}. Build it with 'deno task dataset build', or name a store that has it`,
      { cause: error },
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}
