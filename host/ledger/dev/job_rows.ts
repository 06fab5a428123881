/**
 * `training_jobs`' rows: what is wanted, on which terms, where a job stands and what it holds.
 *
 * @module
 */
import { fromHex, toHex, utf8 } from "../../../enclave/protocol/bytes.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import {
  JOB_STATUSES,
  type JobRow,
  type JobSpec,
  type JobStatus,
  type JobTerms,
  PRECISIONS,
} from "../jobs.ts";
import type { Address } from "../ledger.ts";
import { liveRoot } from "./datasets.ts";
import { blob, MAX_U64, type Row, type State } from "./state.ts";

const MODULE = "training_jobs";
const HOUR_MS = 3_600_000;
const MAX_MILLIONS = 10_000_000;
/** Bytes of a reference at most. */
const MAX_REF = 256;
/** Losses differ by noise up to 2 units of 1e-6 nats; no loss is above 1,000 nats. */
const [MIN_IMPROVEMENT, MAX_IMPROVEMENT] = [3, 1_000_000_000];

/** A job as its calls change it: the row, and whose it is since the first claim. */
export interface Job {
  /** See {@link JobRow}. */
  readonly id: number;
  /** See {@link JobRow}. */
  readonly customer: Address;
  /** See {@link JobRow}. */
  readonly spec: JobRow["spec"];
  /** See {@link JobRow}. */
  readonly terms: JobTerms;
  /** See {@link JobRow}. */
  status: JobStatus;
  /** See {@link JobRow}. */
  readonly postedMs: number;
  /** See {@link JobRow}. */
  readonly deadlineMs: number;
  /** See {@link JobRow}. */
  sinceMs: number;
  /** See {@link JobRow}. */
  readonly payout: bigint;
  /** See {@link JobRow}. */
  readonly fee: bigint;
  /** Held of the payment, MIST. */
  escrow: bigint;
  /** Held of the miner, MIST. */
  claimBond: bigint;
  /** Held of the customer, MIST. */
  disputeBond: bigint;
  /** Who claimed it; stays with the job once it is settled. */
  miner:
    | { /** The slot. */ readonly uid: number; /** Its owner then. */ readonly owner: Address }
    | null;
  /** See {@link JobRow}. */
  resultHash: JobRow["resultHash"];
}

const within = (value: number, least: number, most: number) =>
  Number.isSafeInteger(value) && value >= least && value <= most;

/** Refuse what no contract takes as a reference: 1 to 256 bytes. */
export function isRef(text: string): boolean {
  const { length } = utf8(text);
  return length > 0 && length <= MAX_REF;
}

/** What is wanted, within bounds, with the root of its live data set. */
export function specOf(state: State, { datasetId, ...spec }: JobSpec): JobRow["spec"] {
  const sound = within(spec.modelParamsM, 1, MAX_MILLIONS) &&
    within(spec.datasetTokensM, 1, MAX_MILLIONS) && within(spec.numEpochs, 1, 1_000) &&
    within(spec.batchSize, 1, 65_536) && within(spec.sequenceLength, 1, 1_048_576) &&
    PRECISIONS.includes(spec.precision) && within(spec.minGpuVramGb, 0, 65_536) &&
    spec.baseHash.length === 32 && isRef(spec.baseRef) &&
    within(spec.minImprovement, MIN_IMPROVEMENT, MAX_IMPROVEMENT);
  requireThat(sound, MODULE, "EInvalidValue", "a field of the job is out of bounds");
  return { ...spec, datasetRoot: liveRoot(state, datasetId) };
}

/** The terms that the board begins with. */
const FIRST_TERMS: JobTerms = {
  pricePerUnit: 10_000n,
  feeBps: 500,
  minPrice: 1_000_000_000n,
  disputeWindowMs: 2 * HOUR_MS,
  disputeTimeoutMs: 48 * HOUR_MS,
  bondBps: 1_000,
  defaultSplitBps: 1_000,
};

function readTerms(text: string): JobTerms {
  const terms = JSON.parse(text);
  return {
    ...terms,
    pricePerUnit: BigInt(terms.pricePerUnit),
    minPrice: BigInt(terms.minPrice),
  };
}

const writeTerms = (terms: JobTerms) =>
  JSON.stringify({
    ...terms,
    pricePerUnit: terms.pricePerUnit.toString(),
    minPrice: terms.minPrice.toString(),
  });

/** The terms of jobs that are posted now. */
export function termsNow(state: State): JobTerms {
  const text = state.meta("job_terms");
  return text === undefined ? FIRST_TERMS : readTerms(text);
}

/** Set the terms of later jobs, within bounds. */
export function setTerms(state: State, terms: JobTerms): void {
  const price = (amount: bigint) => amount > 0n && amount <= MAX_U64;
  const sound = price(terms.pricePerUnit) && price(terms.minPrice) &&
    within(terms.feeBps, 0, 1_000) && within(terms.disputeWindowMs, HOUR_MS, 24 * HOUR_MS) &&
    within(terms.disputeTimeoutMs, 12 * HOUR_MS, 168 * HOUR_MS) &&
    within(terms.bondBps, 500, 5_000) && within(terms.defaultSplitBps, 0, terms.bondBps);
  requireThat(sound, MODULE, "EInvalidValue", "a term of the board is out of bounds");
  state.setMeta("job_terms", writeTerms(terms));
}

/** Keep a job. */
export function save(state: State, job: Job): void {
  const { spec } = job;
  state.run(
    "insert or replace into jobs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    job.id,
    job.customer,
    JSON.stringify({
      ...spec,
      datasetRoot: toHex(spec.datasetRoot),
      baseHash: toHex(spec.baseHash),
    }),
    writeTerms(job.terms),
    JOB_STATUSES.indexOf(job.status),
    job.postedMs,
    job.deadlineMs,
    job.sinceMs,
    job.payout.toString(),
    job.fee.toString(),
    job.escrow.toString(),
    job.claimBond.toString(),
    job.disputeBond.toString(),
    job.miner?.owner ?? null,
    job.miner?.uid ?? null,
    job.resultHash,
  );
}

function toJob(row: Row): Job {
  const spec = JSON.parse(row.spec as string);
  return {
    id: row.id as number,
    customer: row.customer as Address,
    spec: {
      ...spec,
      datasetRoot: fromHex(spec.datasetRoot, 32),
      baseHash: fromHex(spec.baseHash, 32),
    },
    terms: readTerms(row.terms as string),
    status: JOB_STATUSES[row.status as number]!,
    postedMs: row.posted_ms as number,
    deadlineMs: row.deadline_ms as number,
    sinceMs: row.since_ms as number,
    payout: BigInt(row.payout as string),
    fee: BigInt(row.fee as string),
    escrow: BigInt(row.escrow as string),
    claimBond: BigInt(row.claim_bond as string),
    disputeBond: BigInt(row.dispute_bond as string),
    miner: row.miner === null ? null : { uid: row.uid as number, owner: row.miner as Address },
    resultHash: row.result_hash === null ? null : blob(row.result_hash),
  };
}

/** A job of one of `statuses`. */
export function jobOf(state: State, id: number, ...statuses: readonly JobStatus[]): Job {
  const row = state.get("select * from jobs where id = ?", Number.isSafeInteger(id) ? id : -1);
  requireThat(row !== undefined, MODULE, "EUnknownJob", `there is no job ${id}, or not any more`);
  const job = toJob(row);
  requireThat(
    statuses.includes(job.status),
    MODULE,
    "EWrongStatus",
    `job ${id} is ${job.status}, not ${statuses.join(" or ")}`,
  );
  return job;
}

function view(job: Job): JobRow {
  const { escrow, claimBond, disputeBond, ...row } = job;
  // Who gave a claim back has no part in the job any more.
  const miner = job.status === "open" ? null : job.miner;
  return { ...row, miner, held: [escrow, claimBond, disputeBond] };
}

/** A job, or null. */
export function jobView(state: State, id: number): JobRow | null {
  const row = state.get("select * from jobs where id = ?", id);
  return row === undefined ? null : view(toJob(row));
}

/** Most jobs of one page. */
const MAX_JOBS = 1_000;

/** Jobs of a status (all without it), newest first. */
export function jobViews(state: State, status: JobStatus | undefined, limit: number): JobRow[] {
  if (!within(limit, 1, MAX_JOBS)) {
    throw new RangeError(`Cannot list jobs: 'limit' must be 1..${MAX_JOBS}`);
  }
  const code = status === undefined ? null : JOB_STATUSES.indexOf(status);
  return state.all(
    "select * from jobs where ?1 is null or status = ?1 order by id desc limit ?2",
    code,
    limit,
  ).map(toJob).map(view);
}
