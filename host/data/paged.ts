/**
 * Pages of a data set that is not in memory: a window's are loaded before they are used, each proven under the root.
 *
 * Above the leaves' hashes one level of at most 2^15 hashes is held; it is checked against the root once. A page then
 * needs its own bytes and the hashes of its block of leaves, whose subtree must give its place in that level.
 *
 * @module
 */
import { type Bytes, equal } from "../../enclave/protocol/bytes.ts";
import { type Dataset } from "../../enclave/protocol/dataset.ts";
import { leafHash, merkleLevels, merkleProof } from "../../enclave/protocol/merkle.ts";
import { type PageSource, tokensOf } from "../store/pages.ts";
import { DataError } from "./source_bytes.ts";
import { HASH, levelOffset, levelWidths } from "./tree.ts";

/** Where bytes of the two files come from. Nobody trusts it. */
export interface Ranges {
  /** `length` bytes of `pages.bin`. */
  pages(start: number, length: number): Promise<Bytes>;
  /** `length` bytes of `tree.bin`. */
  tree(start: number, length: number): Promise<Bytes>;
}

interface Loaded {
  readonly bytes: Bytes;
  readonly proof: Bytes[];
}

const MAX_TOP = 1 << 15;
/** Bytes of pages kept beyond those that were asked for last. */
const CACHE_BYTES = 64 << 20;
/** Pages asked for at once. */
const AT_ONCE = 8;

/** A data set behind ranges. */
export class PagedData implements PageSource {
  /** See {@link PageSource}. */
  readonly dataset: Dataset;
  readonly #ranges: Ranges;
  /** Level of the held hashes, and the levels from there to the root. */
  readonly #level: number;
  readonly #top: Bytes[][];
  readonly #cacheBytes: number;
  /** Pages at hand, those that were asked for last at the end. */
  readonly #loaded = new Map<number, Loaded>();
  /** What the loads that are running have asked for. */
  readonly #loading = new Set<ReadonlySet<number>>();

  private constructor(
    dataset: Dataset,
    ranges: Ranges,
    level: number,
    top: Bytes[][],
    cacheBytes: number,
  ) {
    this.dataset = dataset;
    this.#ranges = ranges;
    this.#level = level;
    this.#top = top;
    this.#cacheBytes = cacheBytes;
  }

  /**
   * The data set `dataset` behind `ranges`.
   *
   * @param cacheBytes of pages that are kept beyond those in use; default 64 MiB.
   * @throws {DataError} where the tree there is not the data set's.
   */
  static async open(
    dataset: Dataset,
    ranges: Ranges,
    cacheBytes: number = CACHE_BYTES,
  ): Promise<PagedData> {
    const { pageCount, merkleRoot } = dataset;
    const widths = levelWidths(pageCount);
    const level = widths.findIndex((width) => width <= MAX_TOP);
    const bytes = await ranges.tree(levelOffset(pageCount, level), HASH * widths[level]!);
    const top = merkleLevels(split(bytes));
    if (!equal(top.at(-1)![0]!, merkleRoot)) {
      throw new DataError("Cannot use the data set: its tree does not lead to its root");
    }
    return new PagedData(dataset, ranges, level, top, cacheBytes);
  }

  /** See {@link PageSource}. @throws {DataError} where a page is not the one that the root binds. */
  async load(indices: readonly number[]): Promise<void> {
    const wanted = new Set(indices);
    for (const index of wanted) this.#check(index);
    this.#loading.add(wanted);
    try {
      const missing = [...wanted].filter((index) => !this.#touch(index));
      for (let at = 0; at < missing.length; at += AT_ONCE) {
        await Promise.all(missing.slice(at, at + AT_ONCE).map((index) => this.#fetch(index)));
      }
      this.#evict();
    } finally {
      this.#loading.delete(wanted);
    }
  }

  /** See {@link PageSource}. */
  bytes(index: number): Bytes {
    return this.#get(index).bytes.slice();
  }

  /** See {@link PageSource}. */
  tokens(index: number): Uint32Array {
    return tokensOf(this.#get(index).bytes);
  }

  /** See {@link PageSource}. */
  proof(index: number): Bytes[] {
    return this.#get(index).proof;
  }

  #get(index: number): Loaded {
    const loaded = this.#loaded.get(index);
    if (loaded === undefined) throw new RangeError(`Cannot read page ${index}: it is not loaded`);
    return loaded;
  }

  #check(index: number): void {
    const { pageCount } = this.dataset;
    if (!Number.isInteger(index) || index < 0 || index >= pageCount) {
      throw new RangeError(`Cannot read page ${index}: there are ${pageCount}`);
    }
  }

  async #fetch(index: number): Promise<void> {
    const { pageCount, pageTokens } = this.dataset;
    const size = 4 * pageTokens;
    const width = 2 ** this.#level;
    const block = Math.floor(index / width);
    const first = block * width;
    const count = Math.min(width, pageCount - first);
    const [bytes, hashes] = await Promise.all([
      this.#ranges.pages(size * index, size),
      this.#ranges.tree(HASH * first, HASH * count),
    ]);
    const levels = merkleLevels(split(hashes));
    const right = bytes.length === size && levels[0]!.length === count &&
      equal(levels[0]![index - first]!, leafHash(bytes)) &&
      equal(levels.at(-1)![0]!, this.#top[0]![block]!);
    if (!right) {
      throw new DataError(`Cannot use page ${index}: it is not the page that the root binds`);
    }
    const proof = [...merkleProof(levels, index - first), ...merkleProof(this.#top, block)];
    this.#loaded.delete(index);
    this.#loaded.set(index, { bytes, proof });
  }

  /** Whether the page is at hand; then it is the last to be forgotten. */
  #touch(index: number): boolean {
    const loaded = this.#loaded.get(index);
    if (loaded === undefined) return false;
    this.#loaded.delete(index);
    this.#loaded.set(index, loaded);
    return true;
  }

  /** Forget the oldest pages above the bound, but none that a running load has asked for. */
  #evict(): void {
    const used = [...this.#loading];
    let bytes = 4 * this.dataset.pageTokens * this.#loaded.size;
    for (const index of this.#loaded.keys()) {
      if (bytes <= this.#cacheBytes) return;
      if (used.some((indices) => indices.has(index))) continue;
      this.#loaded.delete(index);
      bytes -= 4 * this.dataset.pageTokens;
    }
  }
}

function split(hashes: Bytes): Bytes[] {
  return Array.from(
    { length: hashes.length / HASH },
    (_, i) => hashes.slice(HASH * i, HASH * (i + 1)),
  );
}
