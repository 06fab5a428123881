/**
 * The board of training jobs as everybody sees it: a customer's payment waits in escrow, a miner's claim carries
 * a bond, and a dispute is decided by a judge's signed verdict (intent 3) or by its time running out.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { Address } from "./ledger.ts";

/** Where a job stands; in the order of the contract's codes 0 to 5. */
export const JOB_STATUSES = [
  "open",
  "claimed",
  "completed",
  "settled",
  "disputed",
  "refunded",
] as const;
/** See {@link JOB_STATUSES}. */
export type JobStatus = (typeof JOB_STATUSES)[number];

/** Number formats a job may ask for; in the order of the contract's codes 0 to 3. */
export const PRECISIONS = ["FP32", "FP16", "BF16", "INT8"] as const;
/** See {@link PRECISIONS}. */
export type Precision = (typeof PRECISIONS)[number];

/** What a customer wants. */
export interface JobSpec {
  /** Parameters of the model, in millions. */
  readonly modelParamsM: number;
  /** Tokens of the data set, in millions. */
  readonly datasetTokensM: number;
  /** Passes over the data. */
  readonly numEpochs: number;
  /** Sequences a step. */
  readonly batchSize: number;
  /** Tokens a sequence. */
  readonly sequenceLength: number;
  /** Number format of the training. */
  readonly precision: Precision;
  /** Memory that a miner's GPU should have; 0 asks for none. */
  readonly minGpuVramGb: number;
  /** Number of the anchored data set in the dataset registry. */
  readonly datasetId: number;
  /** Hash of the base's manifest, 32 bytes. */
  readonly baseHash: Bytes;
  /** Where the base lies. */
  readonly baseRef: string;
  /** Least fall of the held-out loss that a judge must see, in 1e-6 nats. */
  readonly minImprovement: number;
}

/** A job that is only priced, by its size: what does not matter to its price is made up. */
export function pricedSpec(
  size: Pick<JobSpec, "modelParamsM" | "datasetTokensM" | "numEpochs" | "precision">,
): JobSpec {
  return {
    ...size,
    batchSize: 1,
    sequenceLength: 1,
    minGpuVramGb: 0,
    datasetId: 0,
    baseHash: new Uint8Array(32),
    baseRef: "unset",
    minImprovement: 3,
  };
}

/** The board's terms; a job keeps those it was posted under. */
export interface JobTerms {
  /** MIST for each whole 10^15 of parameters × tokens × epochs; INT8 counts half of them. */
  readonly pricePerUnit: bigint;
  /** The board's share on top of the payout. */
  readonly feeBps: number;
  /** Least payout, MIST. */
  readonly minPrice: bigint;
  /** How long a customer may dispute a delivery. */
  readonly disputeWindowMs: number;
  /** How long a dispute may wait for a verdict. */
  readonly disputeTimeoutMs: number;
  /** Bond of a claim and of a dispute, of the payout. */
  readonly bondBps: number;
  /** The miner's share where a dispute ends without a verdict. */
  readonly defaultSplitBps: number;
}

/** A job on the board. */
export interface JobRow {
  /** Its number. */
  readonly id: number;
  /** Who pays. */
  readonly customer: Address;
  /** What is wanted; `datasetRoot` is what `datasetId` stood for when it was posted. */
  readonly spec: Omit<JobSpec, "datasetId"> & { readonly datasetRoot: Bytes };
  /** Terms of its posting. */
  readonly terms: JobTerms;
  /** Where it stands. */
  readonly status: JobStatus;
  /** When it was posted. */
  readonly postedMs: number;
  /** Until when it must be delivered. */
  readonly deadlineMs: number;
  /** When it came to its status. */
  readonly sinceMs: number;
  /** What the miner gets, MIST. */
  readonly payout: bigint;
  /** What the board gets, MIST. */
  readonly fee: bigint;
  /** Held now: payment, the miner's bond, the customer's bond. MIST. */
  readonly held: readonly [bigint, bigint, bigint];
  /** Who claimed it, or null. */
  readonly miner: { readonly uid: number; readonly owner: Address } | null;
  /** Hash of the delivery's manifest, or null. */
  readonly resultHash: Bytes | null;
}

/** Calls and views of the board. Each call refuses with `training_jobs::…`. */
export interface JobLedger {
  /** What a job would cost now: payout and fee, MIST. */
  quoteJob(spec: JobSpec): Promise<{ readonly payout: bigint; readonly fee: bigint }>;
  /** Post a job and pay for it; returns its number. */
  postJob(sender: Address, spec: JobSpec, deadlineMs: number): Promise<number>;
  /** Claim an open job for one's miner, with the bond. */
  claimJob(sender: Address, id: number, uid: number): Promise<void>;
  /** Deliver: hash of the result's manifest (32 bytes) and where it lies. */
  completeJob(sender: Address, id: number, resultHash: Bytes, resultRef: string): Promise<void>;
  /** Pay a delivery whose dispute window is over. Anyone. */
  settleJob(sender: Address, id: number): Promise<void>;
  /** Take a job back that nobody claimed. The customer. */
  cancelJob(sender: Address, id: number): Promise<void>;
  /** Take the payment back of a job whose deadline passed undelivered; a claim's bond goes to the customer. */
  refundJob(sender: Address, id: number): Promise<void>;
  /** Give a claim back before the deadline; the bond goes to the customer. The miner. */
  releaseJob(sender: Address, id: number): Promise<void>;
  /** Dispute a delivery, with a bond. The customer. */
  disputeJob(sender: Address, id: number): Promise<void>;
  /** Decide a dispute by a judge's signed verdict. Anyone. */
  resolveDispute(sender: Address, message: Bytes, signature: Bytes): Promise<void>;
  /** End a dispute for which no verdict came. Anyone. */
  expireDispute(sender: Address, id: number): Promise<void>;
  /** Forget a job that ended long ago. Anyone. */
  pruneJob(sender: Address, id: number): Promise<void>;
  /** Change the board's terms for jobs to come. Admin. */
  setJobTerms(sender: Address, terms: JobTerms): Promise<void>;
  /** Take the board's fees; returns MIST. Admin. */
  sweepJobFees(sender: Address): Promise<bigint>;
  /** The board's terms and what it holds of fees, MIST. */
  jobBoard(): Promise<{ readonly terms: JobTerms; readonly fees: bigint; readonly nextId: number }>;
  /** A job, or null where there is none (any more). */
  job(id: number): Promise<JobRow | null>;
  /** Jobs of a status (all without it), newest first, at most `limit`. */
  jobs(status: JobStatus | undefined, limit: number): Promise<readonly JobRow[]>;
}
