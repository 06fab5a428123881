/**
 * The data set's pages on disk: one file of fixed-size runs of tokens, u32 little endian, and its identity
 * beside it. The root is checked when it is opened: whoever holds another file holds another data set.
 *
 * @module
 */
import { type Bytes, equal, fromHex, toHex } from "../../enclave/protocol/bytes.ts";
import {
  type Dataset,
  datasetRoot,
  decodeDataset,
  encodeDataset,
} from "../../enclave/protocol/dataset.ts";
import { leafHash, merkleLevels, merkleProof } from "../../enclave/protocol/merkle.ts";

/** Pages that can be proven. Those that are used must be loaded first. */
export interface PageSource {
  /** What the root is the hash of. */
  readonly dataset: Dataset;
  /** Make these pages ready. Others that were loaded before may be forgotten. */
  load(indices: readonly number[]): Promise<void>;
  /** Bytes of page `index`. @throws {RangeError} where it is not loaded. */
  bytes(index: number): Bytes;
  /** Tokens of page `index`. @throws {RangeError} where it is not loaded. */
  tokens(index: number): Uint32Array;
  /** Sibling hashes of page `index`, leaf upwards. @throws {RangeError} where it is not loaded. */
  proof(index: number): Bytes[];
}

/** The tokens of a page's bytes. */
export function tokensOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
}

/** The pages of a data set, in memory, with their Merkle tree. */
export class Pages implements PageSource {
  /** What the root is the hash of. */
  readonly dataset: Dataset;
  readonly #bytes: Bytes;
  readonly #levels: Bytes[][];

  /**
   * Pages of `pageTokens` tokens each over `bytes`; a rest that is no whole page is left out.
   *
   * @throws {RangeError} where there are fewer than ten pages.
   */
  constructor(bytes: Bytes, pageTokens: number, tokenizerHash: Bytes) {
    const size = 4 * pageTokens;
    const pageCount = Math.floor(bytes.length / size);
    if (pageCount < 10) {
      throw new RangeError(`Cannot make a data set of ${pageCount} pages: it needs at least 10`);
    }
    this.#bytes = bytes;
    const leaves = Array.from(
      { length: pageCount },
      (_, i) => leafHash(bytes.subarray(i * size, (i + 1) * size)),
    );
    this.#levels = merkleLevels(leaves);
    this.dataset = {
      pageCount,
      pageTokens,
      tokenizerHash,
      merkleRoot: this.#levels.at(-1)![0]!,
    };
  }

  /** Pages of a run of tokens. */
  static fromTokens(tokens: Uint32Array, pageTokens: number, tokenizerHash: Bytes): Pages {
    const bytes = new Uint8Array(4 * tokens.length);
    const view = new DataView(bytes.buffer);
    tokens.forEach((token, i) => view.setUint32(4 * i, token, true));
    return new Pages(bytes, pageTokens, tokenizerHash);
  }

  /** Write `pages.bin` and `dataset.json` into `dir`; the second appears last. */
  async save(dir: string): Promise<void> {
    await Deno.mkdir(dir, { recursive: true });
    await Deno.writeFile(`${dir}/pages.bin`, this.#bytes);
    const about = {
      root: toHex(datasetRoot(this.dataset)),
      dataset: toHex(encodeDataset(this.dataset)),
      page_count: this.dataset.pageCount,
      page_tokens: this.dataset.pageTokens,
    };
    await Deno.writeTextFile(`${dir}/dataset.json`, JSON.stringify(about, null, 2) + "\n");
  }

  /**
   * The data set in `dir`.
   *
   * @throws {TypeError} where the pages are not those that `dataset.json` names.
   */
  static async open(dir: string): Promise<Pages> {
    const about = JSON.parse(await Deno.readTextFile(`${dir}/dataset.json`));
    const dataset = decodeDataset(fromHex(about.dataset));
    const bytes = await Deno.readFile(`${dir}/pages.bin`);
    const pages = new Pages(bytes, dataset.pageTokens, dataset.tokenizerHash);
    if (!equal(datasetRoot(pages.dataset), datasetRoot(dataset))) {
      throw new TypeError(`Cannot use the data set in ${dir}: its pages do not give its root`);
    }
    return pages;
  }

  /** All of them are in memory. */
  load(): Promise<void> {
    return Promise.resolve();
  }

  /** Bytes of page `index`. */
  bytes(index: number): Bytes {
    const { pageCount, pageTokens } = this.dataset;
    if (!Number.isInteger(index) || index < 0 || index >= pageCount) {
      throw new RangeError(`Cannot read page ${index}: there are ${pageCount}`);
    }
    return this.#bytes.slice(4 * pageTokens * index, 4 * pageTokens * (index + 1));
  }

  /** Tokens of page `index`. */
  tokens(index: number): Uint32Array {
    return tokensOf(this.bytes(index));
  }

  /** Sibling hashes of page `index`, leaf upwards. */
  proof(index: number): Bytes[] {
    return merkleProof(this.#levels, index);
  }
}
