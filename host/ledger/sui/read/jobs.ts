/**
 * The board of jobs.
 *
 * @module
 */
import { LedgerError } from "../../../../enclave/protocol/errors.ts";
import {
  JOB_STATUSES,
  type JobRow,
  type JobSpec,
  type JobStatus,
  type JobTerms,
  PRECISIONS,
} from "../../jobs.ts";
import { SuiError } from "../errors.ts";
import { BoardInner, type Job, type Terms } from "../layout/jobs.ts";
import { looseText, type Of } from "../layout/layout.ts";
import type { StateReader } from "../state_reader.ts";

/** Jobs of a batch. */
const BATCH = 50;
/** Jobs looked at for one list: what lies further back is found by its number. */
const MAX_SCANNED = 5_000;
const MAX_U64 = (1n << 64n) - 1n;

/** The state of `training_jobs`. */
export async function readBoard(reader: StateReader): Promise<Of<typeof BoardInner>> {
  return (await reader.inners(["jobBoard", BoardInner]))[0];
}

/** The terms as everybody sees them. */
export function toTerms(terms: Of<typeof Terms>): JobTerms {
  return {
    pricePerUnit: terms.price_per_unit,
    feeBps: terms.fee_bps,
    minPrice: terms.min_price,
    disputeWindowMs: terms.dispute_window_ms,
    disputeTimeoutMs: terms.dispute_timeout_ms,
    bondBps: terms.bond_bps,
    defaultSplitBps: terms.default_split_bps,
  };
}

/** Payout and fee of a job under `terms`, MIST: `training_jobs::quote`. */
export function quote(terms: JobTerms, spec: JobSpec): { payout: bigint; fee: bigint } {
  const size = BigInt(spec.modelParamsM) * BigInt(spec.datasetTokensM);
  let units = size * BigInt(spec.numEpochs) / 1_000n;
  if (spec.precision === "INT8") units /= 2n;
  const priced = units * terms.pricePerUnit;
  const payout = priced > terms.minPrice ? priced : terms.minPrice;
  const fee = payout * BigInt(terms.feeBps) / 10_000n;
  if (payout + fee > MAX_U64) {
    throw new LedgerError(
      "training_jobs",
      "EPriceTooHigh",
      "the price is more than a coin can hold",
    );
  }
  return { payout, fee };
}

/** The bond of a claim or dispute of a job, MIST, rounded up. */
export function bondOf({ payout, terms }: Pick<JobRow, "payout" | "terms">): bigint {
  return (payout * BigInt(terms.bondBps) + 9_999n) / 10_000n;
}

/** A job, or null. */
export async function readJob(reader: StateReader, id: number): Promise<JobRow | null> {
  const { jobs } = await readBoard(reader);
  const job = await reader.entry(jobs, id);
  return job === null ? null : toJob(id, job);
}

/** Jobs of a status, newest first. */
export async function readJobs(
  reader: StateReader,
  status: JobStatus | undefined,
  limit: number,
): Promise<JobRow[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    throw new RangeError(`Cannot read jobs: 'limit' must be 1..1000`);
  }
  const { jobs, next_id } = await readBoard(reader);
  const found: JobRow[] = [];
  const last = Math.max(0, next_id - MAX_SCANNED);
  for (let end = next_id; end > last && found.length < limit; end -= BATCH) {
    const start = Math.max(last, end - BATCH);
    const ids = Array.from({ length: end - start }, (_, i) => end - 1 - i);
    const batch = await reader.entries(jobs, ids);
    batch.forEach((job, i) => {
      if (job === null) return; // pruned
      const row = toJob(ids[i]!, job);
      if (status === undefined || row.status === status) found.push(row);
    });
  }
  return found.slice(0, limit);
}

function toJob(id: number, job: Of<typeof Job>): JobRow {
  const { spec } = job;
  const status = JOB_STATUSES[job.status];
  const precision = PRECISIONS[spec.precision];
  if (status === undefined || precision === undefined) {
    throw new SuiError("bad_layout", `Job ${id} has an unknown status or precision`);
  }
  const claimed = BigInt(job.miner) !== 0n;
  return {
    id,
    customer: job.customer,
    spec: {
      modelParamsM: spec.model_params_m,
      datasetTokensM: spec.dataset_tokens_m,
      numEpochs: spec.num_epochs,
      batchSize: spec.batch_size,
      sequenceLength: spec.sequence_length,
      precision,
      minGpuVramGb: spec.min_gpu_vram_gb,
      datasetRoot: spec.dataset_root,
      baseHash: spec.base_hash,
      baseRef: looseText(spec.base_ref),
      minImprovement: spec.min_improvement,
    },
    terms: toTerms(job.terms),
    status,
    postedMs: job.posted_ms,
    deadlineMs: job.deadline_ms,
    sinceMs: job.since_ms,
    payout: job.payout,
    fee: job.fee,
    held: [job.escrow, job.claim_bond, job.dispute_bond],
    miner: claimed && status !== "open" ? { uid: job.uid, owner: job.miner } : null,
    resultHash: job.result_hash.length === 0 ? null : job.result_hash,
  };
}
