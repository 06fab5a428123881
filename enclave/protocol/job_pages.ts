/**
 * Which held-out pages a job is measured on. They follow from what the verdict's message says and the ledger
 * compares, so no courier chooses them; the result's hash is among it, so no miner knows them while it trains.
 *
 * @module
 */
import { type Bytes, u64le } from "./bytes.ts";
import { type Dataset, datasetRoot, trainingPages } from "./dataset.ts";
import { drawDistinct, drawFromSeed } from "./draw.ts";
import { tagged } from "./hash.ts";
import { Refusal } from "./refusal.ts";

/** Pages that a job is measured on at most: of a data set that holds out more, as many are drawn. */
export const MAX_JOB_PAGES = 128;

/** What is measured. */
export interface JobSubject {
  /** 32 bytes. */
  readonly ledgerId: Bytes;
  /** The job's number. */
  readonly job: number;
  /** Hash of the base's manifest: 32 bytes. */
  readonly baseHash: Bytes;
  /** Hash of the delivered result's manifest: 32 bytes. */
  readonly resultHash: Bytes;
}

/**
 * How many pages a job on `dataset` is measured on: the last tenth or {@linkcode MAX_JOB_PAGES}, in whole batches.
 *
 * @throws {Refusal} `too_few_pages` where the last tenth is less than a batch: no judge can measure such a job.
 */
export function jobPageCount({ pageCount }: Dataset, batch: number): number {
  const heldOut = pageCount - trainingPages(pageCount);
  const count = Math.floor(Math.min(heldOut, MAX_JOB_PAGES) / batch) * batch;
  if (count > 0) return count;
  throw new Refusal(
    "too_few_pages",
    `The data set holds out ${heldOut} pages, a batch of the model takes ${batch}`,
    "dataset",
  );
}

/**
 * The pages, in the order in which they are measured: drawn without repetition from the last tenth by the stream of
 * `SHA-256("vramhub/job/v1" ‖ ledger id ‖ job u64le ‖ dataset_root ‖ base_hash ‖ result_hash)`.
 *
 * @param batch Pages that one run of the model takes.
 * @throws {Refusal} as {@linkcode jobPageCount} does.
 */
export function jobPages(dataset: Dataset, subject: JobSubject, batch: number): number[] {
  const { baseHash, job, ledgerId, resultHash } = subject;
  const count = jobPageCount(dataset, batch);
  const first = trainingPages(dataset.pageCount);
  const root = datasetRoot(dataset);
  const seed = tagged("vramhub/job/v1", ledgerId, u64le(job), root, baseHash, resultHash);
  return drawDistinct(drawFromSeed(seed), count, dataset.pageCount - first)
    .map((page) => first + page);
}
