/**
 * The data sets that jobs anchor: the network's own, or another one in a store, where `dataset push` puts it.
 *
 * @module
 */
import { type Bytes, equal, toHex } from "../../enclave/protocol/bytes.ts";
import { datasetRoot } from "../../enclave/protocol/dataset.ts";
import { openShared } from "../data/shared.ts";
import type { PageSource } from "../store/pages.ts";
import { type Store, StoreError } from "../store/store.ts";

/** Data sets that are held open besides the network's. */
const KEPT = 4;

/** Opens the data set with a root: `network`'s where it is that one, else the first of `stores` that has it. */
export function openJobData(
  network: PageSource,
  stores: readonly Store[],
): (root: Bytes) => Promise<PageSource> {
  const opened = new Map<string, PageSource>();
  return async (root) => {
    if (equal(root, datasetRoot(network.dataset))) return network;
    const key = toHex(root);
    const pages = opened.get(key) ?? await openAnywhere(stores, root);
    opened.set(key, pages);
    if (opened.size > KEPT) opened.delete(opened.keys().next().value!);
    return pages;
  };
}

async function openAnywhere(stores: readonly Store[], root: Bytes): Promise<PageSource> {
  const errors: StoreError[] = [];
  for (const store of stores) {
    try {
      return await openShared(store, root);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      errors.push(error);
    }
  }
  throw errors.find(({ retryable }) => retryable) ?? errors[0]!;
}
