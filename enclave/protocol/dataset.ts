/**
 * The data set's identity and who trains on which page. Nobody can feed the judge other data, or fewer
 * pages: the root binds count, size, tokenizer and every page.
 *
 * @module
 */
import { BcsReader, BcsWriter } from "./bcs.ts";
import { type Bytes, u64le } from "./bytes.ts";
import { type Draw, drawDistinct, drawFromBeacon, drawFromSeed } from "./draw.ts";
import { tagged } from "./hash.ts";
import { Refusal } from "./refusal.ts";

/** What `dataset_root` is the hash of. */
export interface Dataset {
  /** Number of pages. */
  readonly pageCount: number;
  /** Tokens of a page: the model's context plus one. */
  readonly pageTokens: number;
  /** 32 bytes. */
  readonly tokenizerHash: Bytes;
  /** Root of the pages' Merkle tree, 32 bytes. */
  readonly merkleRoot: Bytes;
}

/** BCS: page_count u64, page_tokens u32, tokenizer_hash, merkle_root. */
export function encodeDataset(dataset: Dataset): Bytes {
  return new BcsWriter().u64(dataset.pageCount).u32(dataset.pageTokens)
    .fixed(dataset.tokenizerHash, 32).fixed(dataset.merkleRoot, 32).finish();
}

/** The inverse of {@link encodeDataset}. */
export function decodeDataset(bytes: Uint8Array): Dataset {
  const reader = new BcsReader(bytes);
  const dataset = {
    pageCount: reader.count(),
    pageTokens: reader.u32(),
    tokenizerHash: reader.fixed(32),
    merkleRoot: reader.fixed(32),
  };
  reader.finish();
  if (dataset.pageCount < 10) {
    throw new Refusal("bad_dataset", "A data set needs at least 10 pages", "page_count");
  }
  return dataset;
}

/** `SHA-256("vramhub/dataset/v1" ‖ page_count ‖ page_tokens ‖ tokenizer_hash ‖ merkle_root)`. */
export function datasetRoot(dataset: Dataset): Bytes {
  return tagged("vramhub/dataset/v1", encodeDataset(dataset));
}

/** Pages that may be trained on: all but the last tenth (`floor(page_count / 10)`), which measures bases. */
export function trainingPages(pageCount: number): number {
  return pageCount - Math.floor(pageCount / 10);
}

/** `SHA-256("vramhub/data/v1" ‖ dataset_root ‖ uid u64le ‖ N u64le ‖ beacon)`. */
export function assignmentSeed(
  root: Uint8Array,
  uid: number,
  window: number,
  beacon: Uint8Array,
): Bytes {
  return tagged("vramhub/data/v1", root, u64le(uid), u64le(window), beacon);
}

/** Different pages below `bound`; the data set and the count come from a ledger, so too few pages are its fault. */
function drawPages(draw: Draw, count: number, bound: number): number[] {
  if (count > bound) {
    throw new Refusal(
      "too_few_pages",
      `${count} different pages are asked for, the data set has ${bound} of their kind`,
      "page_count",
    );
  }
  return drawDistinct(draw, count, bound);
}

/** The `count` pages that `uid` trains on in `window`. Known to nobody before the window's beacon. */
export function assignedPages(
  dataset: Dataset,
  uid: number,
  window: number,
  beacon: Uint8Array,
  count: number,
): number[] {
  const seed = assignmentSeed(datasetRoot(dataset), uid, window, beacon);
  return drawPages(drawFromSeed(seed), count, trainingPages(dataset.pageCount));
}

/** The pages on which every gradient of `window` is measured besides its own. */
export function randomPages(
  dataset: Dataset,
  ledgerId: Uint8Array,
  window: number,
  beacon: Uint8Array,
  count: number,
): number[] {
  const draw = drawFromBeacon("random", ledgerId, window, beacon);
  return drawPages(draw, count, trainingPages(dataset.pageCount));
}

/** The held-out pages that measure a merge: the `random` stream over the last tenth. */
export function heldOutPages(
  dataset: Dataset,
  ledgerId: Uint8Array,
  window: number,
  beacon: Uint8Array,
  count: number,
): number[] {
  const first = trainingPages(dataset.pageCount);
  const draw = drawFromBeacon("random", ledgerId, window, beacon);
  return drawPages(draw, count, dataset.pageCount - first).map((page) => first + page);
}
