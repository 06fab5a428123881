/**
 * `training_jobs`: a job's life on the board, in SUI. Every state has a way out that needs neither the admin nor
 * the other party.
 *
 * @module
 */
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import { type JobLedger, type JobSpec, type JobTerms, PRECISIONS } from "../jobs.ts";
import type { Address } from "../ledger.ts";
import { expire, resolve } from "./disputes.ts";
import { closeJob, enter, pay } from "./job_parts.ts";
import {
  isRef,
  type Job,
  jobOf,
  jobView,
  jobViews,
  save,
  setTerms,
  specOf,
  termsNow,
} from "./job_rows.ts";
import type { Operations } from "./operations.ts";
import { MAX_U64, type State } from "./state.ts";

const MODULE = "training_jobs";
const HOUR_MS = 3_600_000;
const [MIN_DEADLINE_MS, MAX_DEADLINE_MS] = [HOUR_MS, 168 * HOUR_MS];
/** A closed job's row stays this long. */
const RETENTION_MS = 720 * HOUR_MS;

/** Payout and fee of a job posted now, in MIST. */
function priceOf(state: State, spec: Job["spec"]): { payout: bigint; fee: bigint } {
  const terms = termsNow(state);
  const size = BigInt(spec.modelParamsM) * BigInt(spec.datasetTokensM);
  let units = size * BigInt(spec.numEpochs) / 1_000n;
  if (spec.precision === "INT8") units /= 2n;
  const asked = units * terms.pricePerUnit;
  const payout = asked > terms.minPrice ? asked : terms.minPrice;
  const fee = payout * BigInt(terms.feeBps) / 10_000n;
  requireThat(
    payout + fee <= MAX_U64,
    MODULE,
    "EPriceTooHigh",
    "the price is more than a coin can hold",
  );
  return { payout, fee };
}

/** Take `due` of the sender's SUI. */
function take(state: State, sender: Address, due: bigint): bigint {
  const { sui } = state.account(sender);
  requireThat(sui >= due, MODULE, "EInsufficientPayment", `${sender} has ${sui} MIST, not ${due}`);
  state.credit(sender, "sui", -due);
  return due;
}

function post(state: State, sender: Address, wanted: JobSpec, deadlineMs: number): number {
  const spec = specOf(state, wanted);
  const ahead = deadlineMs - state.nowMs;
  requireThat(
    Number.isSafeInteger(ahead) && ahead >= MIN_DEADLINE_MS && ahead <= MAX_DEADLINE_MS,
    MODULE,
    "EBadDeadline",
    "the deadline is not 1 hour to 7 days ahead",
  );
  const { payout, fee } = priceOf(state, spec);
  const escrow = take(state, sender, payout + fee);
  const id = nextId(state);
  state.setMeta("next_job", id + 1);
  save(state, {
    id,
    customer: sender,
    spec,
    terms: termsNow(state),
    status: "open",
    postedMs: state.nowMs,
    deadlineMs,
    sinceMs: state.nowMs,
    payout,
    fee,
    escrow,
    claimBond: 0n,
    disputeBond: 0n,
    miner: null,
    resultHash: null,
  });
  state.emit("training_jobs::JobPosted", {
    job: id,
    customer: sender,
    payout,
    fee,
    deadlineMs,
    spec: { ...spec, precision: PRECISIONS.indexOf(spec.precision) },
  });
  return id;
}

const nextId = (state: State) => Number(state.meta("next_job") ?? "0");

function cancel(state: State, sender: Address, id: number): void {
  const job = jobOf(state, id, "open");
  requireThat(sender === job.customer, MODULE, "ENotCustomer", `${sender} is not the customer`);
  closeJob(state, job, "refunded", 0n, 0n, job.customer);
}

/** The bond of a job, rounded up. */
function bondOf({ payout, terms }: Job): bigint {
  return (payout * BigInt(terms.bondBps) + 9_999n) / 10_000n;
}

function claim(state: State, sender: Address, id: number, uid: number): void {
  const job = jobOf(state, id, "open");
  const slot = state.get("select owner from miners where uid = ?", uid);
  requireThat(slot?.owner === sender, MODULE, "ENotMiner", `${sender} does not own miner ${uid}`);
  requireThat(state.nowMs < job.deadlineMs, MODULE, "ETooLate", `job ${id} ended`);
  const bond = take(state, sender, bondOf(job));
  job.claimBond += bond;
  job.miner = { uid, owner: sender };
  enter(state, job, "claimed");
  save(state, job);
  state.emit("training_jobs::JobClaimed", { job: id, uid, miner: sender, bond });
}

function ownClaim(state: State, sender: Address, id: number): Job {
  const job = jobOf(state, id, "claimed");
  requireThat(
    sender === job.miner?.owner,
    MODULE,
    "ENotMiner",
    `${sender} has not claimed job ${id}`,
  );
  return job;
}

function release(state: State, sender: Address, id: number): void {
  const job = ownClaim(state, sender, id);
  enter(state, job, "open");
  const bond = job.claimBond;
  pay(state, job, "claimBond", bond, job.customer);
  save(state, job);
  state.emit("training_jobs::JobReleased", { job: id, miner: sender, bond });
}

function complete(state: State, sender: Address, id: number, hash: Bytes, ref: string): void {
  const job = ownClaim(state, sender, id);
  requireThat(state.nowMs < job.deadlineMs, MODULE, "ETooLate", `job ${id} ended`);
  requireThat(
    hash.length === 32 && isRef(ref),
    MODULE,
    "EInvalidValue",
    "a result is a hash of 32 bytes and a reference of 1 to 256",
  );
  job.resultHash = hash;
  enter(state, job, "completed");
  save(state, job);
  state.emit("training_jobs::JobCompleted", { job: id, resultHash: hash, resultRef: ref });
}

function refund(state: State, _sender: Address, id: number): void {
  const job = jobOf(state, id, "open", "claimed");
  requireThat(state.nowMs >= job.deadlineMs, MODULE, "ETooEarly", `job ${id} has not ended`);
  closeJob(state, job, "refunded", 0n, 0n, job.customer);
}

function settle(state: State, _sender: Address, id: number): void {
  const job = jobOf(state, id, "completed");
  const over = job.sinceMs + job.terms.disputeWindowMs;
  requireThat(state.nowMs >= over, MODULE, "ETooEarly", `job ${id} can be disputed until ${over}`);
  closeJob(state, job, "settled", job.payout, job.fee, job.miner!.owner);
}

function dispute(state: State, sender: Address, id: number): void {
  const job = jobOf(state, id, "completed");
  requireThat(sender === job.customer, MODULE, "ENotCustomer", `${sender} is not the customer`);
  const over = job.sinceMs + job.terms.disputeWindowMs;
  requireThat(state.nowMs < over, MODULE, "ETooLate", `job ${id} could be disputed until ${over}`);
  const bond = take(state, sender, bondOf(job));
  job.disputeBond += bond;
  enter(state, job, "disputed");
  save(state, job);
  state.emit("training_jobs::JobDisputed", { job: id, bond });
}

function prune(state: State, _sender: Address, id: number): void {
  const job = jobOf(state, id, "settled", "refunded");
  const until = job.sinceMs + RETENTION_MS;
  requireThat(state.nowMs >= until, MODULE, "ETooEarly", `job ${id} is kept until ${until}`);
  state.run("delete from jobs where id = ?", id);
  state.emit("training_jobs::JobPruned", { job: id });
}

function changeTerms(state: State, sender: Address, terms: JobTerms): void {
  state.assertAdmin(sender);
  setTerms(state, terms);
  state.emit("training_jobs::TermsChanged", { terms });
}

function sweepFees(state: State, sender: Address): bigint {
  state.assertAdmin(sender);
  const amount = state.takeTotal("job_fees");
  requireThat(amount > 0n, MODULE, "ENothingToSweep", "there are no fees to sweep");
  state.credit(sender, "sui", amount);
  state.emit("training_jobs::FeesSwept", { amount });
  return amount;
}

/** The calls of {@link JobLedger}. */
export const JOB_CALLS: Operations<JobLedger> = {
  quoteJob: (state, spec) => priceOf(state, specOf(state, spec)),
  postJob: post,
  claimJob: claim,
  completeJob: complete,
  settleJob: settle,
  cancelJob: cancel,
  refundJob: refund,
  releaseJob: release,
  disputeJob: dispute,
  resolveDispute: resolve,
  expireDispute: expire,
  pruneJob: prune,
  setJobTerms: changeTerms,
  sweepJobFees: sweepFees,
  jobBoard: (state) => ({
    terms: termsNow(state),
    fees: state.total("job_fees"),
    nextId: nextId(state),
  }),
  job: jobView,
  jobs: jobViews,
};
