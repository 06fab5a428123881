/**
 * What `dataset.json` says of a data set: its identity, and where it came from. The identity is checked whenever it is
 * read; the rest is for people.
 *
 * @module
 */
import { equal, fromHex, toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import {
  type Dataset,
  datasetRoot,
  decodeDataset,
  encodeDataset,
} from "../../enclave/protocol/dataset.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DataError } from "./source_bytes.ts";

/** Where documents came from. */
export interface Origin {
  /** Path or URL. */
  readonly name: string;
  /** ETag and size, or size and time. */
  readonly version: string;
  /** Documents taken from it. */
  readonly documents: number;
}

/** A data set's `dataset.json`. */
export interface DatasetFile {
  /** What the root is the hash of. */
  readonly dataset: Dataset;
  /** Name of the tokenizer, where it was built by us. */
  readonly tokenizer?: string;
  /** Sources, in order. */
  readonly origins?: readonly Origin[];
}

/** As it is written. `check` is the SHA-256 of all that stands before it, as JSON without spaces. */
export function encodeDatasetFile({ dataset, tokenizer, origins }: DatasetFile): string {
  const about = {
    root: toHex(datasetRoot(dataset)),
    dataset: toHex(encodeDataset(dataset)),
    page_count: dataset.pageCount,
    page_tokens: dataset.pageTokens,
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(origins === undefined ? {} : { origins }),
  };
  const check = toHex(sha256(utf8(JSON.stringify(about))));
  return JSON.stringify({ ...about, check }, null, 2) + "\n";
}

/**
 * The inverse of {@link encodeDatasetFile}; `where` is for the error. What is for people alone is not compared with
 * `check`: `dataset verify` does that.
 *
 * @throws {DataError} where it is not one, or its parts contradict each other.
 */
export function decodeDatasetFile(text: string, where: string): DatasetFile {
  try {
    const about = JSON.parse(text);
    const dataset = decodeDataset(fromHex(about.dataset));
    const consistent = equal(datasetRoot(dataset), fromHex(about.root)) &&
      dataset.pageCount === about.page_count && dataset.pageTokens === about.page_tokens;
    if (!consistent) throw new TypeError("its parts contradict each other");
    return { dataset, tokenizer: about.tokenizer, origins: about.origins };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DataError(`Cannot use ${where}: ${why}`);
  }
}
