/**
 * How a job of `training_jobs` comes to its next status, and how it ends.
 *
 * @module
 */
import { JOB_STATUSES, type JobStatus } from "../jobs.ts";
import type { Address } from "../ledger.ts";
import { type Job, save } from "./job_rows.ts";
import type { State } from "./state.ts";

/** Come to a status now. */
export function enter(state: State, job: Job, status: JobStatus): void {
  job.status = status;
  job.sinceMs = state.nowMs;
}

/** Pay `amount` of what a job holds. */
export function pay(
  state: State,
  job: Job,
  from: "escrow" | "claimBond" | "disputeBond",
  amount: bigint,
  to: Address,
): void {
  job[from] -= amount;
  state.credit(to, "sui", amount);
}

/** End the job: `payout` to the miner, `fee` to the board, the rest to the customer, both bonds to `winner`. */
export function closeJob(
  state: State,
  job: Job,
  status: "settled" | "refunded",
  payout: bigint,
  fee: bigint,
  winner: Address,
): void {
  enter(state, job, status);
  if (payout > 0n) pay(state, job, "escrow", payout, job.miner!.owner);
  job.escrow -= fee;
  state.addTotal("job_fees", fee);
  const refund = job.escrow;
  const body = { job: job.id, status: JOB_STATUSES.indexOf(status), payout, fee, refund };
  state.emit("training_jobs::JobClosed", body);
  pay(state, job, "escrow", refund, job.customer);
  pay(state, job, "claimBond", job.claimBond, winner);
  pay(state, job, "disputeBond", job.disputeBond, winner);
  save(state, job);
}
