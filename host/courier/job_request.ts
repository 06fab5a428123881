/**
 * What the courier hands to the judge about a training job: the job's hashes as the ledger has them, what they stand
 * for, and the held-out pages that follow from them. The same job gives the same bytes, also after a crash.
 *
 * @module
 */
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { type Bytes, concat } from "../../enclave/protocol/bytes.ts";
import { encodeDataset } from "../../enclave/protocol/dataset.ts";
import { jobPages } from "../../enclave/protocol/job_pages.ts";
import type { JobPayload } from "../../enclave/protocol/judge_messages.ts";
import type { JobRow } from "../ledger/jobs.ts";
import type { PageSource } from "../store/pages.ts";

/** What a request is made of. */
export interface JobRequestParts {
  /** The job as the ledger has it. */
  readonly job: JobRow;
  /** Hash of its delivery, which it has. */
  readonly resultHash: Bytes;
  /** The ledger, 32 bytes. */
  readonly ledgerId: Bytes;
  /** The data set that it anchors. */
  readonly pages: PageSource;
  /** The model of its base. */
  readonly model: ModelConfig;
  /** The base's manifest, encoded. */
  readonly base: Bytes;
  /** What was delivered as the result's. */
  readonly result: Bytes;
}

/**
 * Ask for a verdict. The pages that it takes are loaded.
 *
 * @throws {Refusal} `too_few_pages` where no judge can measure such a job.
 * @throws what `PageSource.load` does.
 */
export async function jobRequest(parts: JobRequestParts): Promise<JobPayload> {
  const { base, job, ledgerId, model, pages, result, resultHash } = parts;
  const { baseHash, datasetRoot } = job.spec;
  const subject = { ledgerId, job: job.id, baseHash, resultHash };
  const { vocab, layers, dims, heads, context, batch } = model;
  const drawn = jobPages(pages.dataset, subject, model.batch);
  await pages.load(drawn);
  return {
    job: job.id,
    dataset_root: datasetRoot,
    base_hash: baseHash,
    result_hash: resultHash,
    dataset: encodeDataset(pages.dataset),
    model: { vocab, layers, dims, heads, context, batch },
    pages: drawn.map((index) => ({
      index,
      tokens: pages.bytes(index),
      proof: concat(...pages.proof(index)),
    })),
    base,
    result,
  };
}
