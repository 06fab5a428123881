/**
 * `training_jobs`' disputes: decided by a judge's signed message (intent 3), or split when their time is over.
 *
 * @module
 */
import { type Bytes, equal } from "../../../enclave/protocol/bytes.ts";
import { LedgerError, requireThat } from "../../../enclave/protocol/errors.ts";
import { verifySignature } from "../../../enclave/protocol/identity.ts";
import { decodeJobVerdict, type JobVerdict } from "../../../enclave/protocol/job_verdict.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import type { Address } from "../ledger.ts";
import { verdictKey } from "./enclaves.ts";
import { closeJob, pay } from "./job_parts.ts";
import { jobOf } from "./job_rows.ts";
import type { State } from "./state.ts";
import { seatOwner } from "./validators.ts";

const MODULE = "training_jobs";
/** How far a judge's clock may be from the chain's. */
const SKEW_MS = 300_000;

/** Decide a dispute by a judge's signed verdict; the checks stand in the contract's order. */
export function resolve(state: State, _sender: Address, message: Bytes, signature: Bytes): void {
  const info = state.info();
  const verdict = decode(message);
  const { validator, timestampMs } = verdict;
  requireThat(
    equal(verdict.chainId, info.chainId) && equal(verdict.ledgerId, info.ledgerId),
    MODULE,
    "EWrongLedger",
    "the verdict is for another chain or ledger",
  );
  const job = jobOf(state, verdict.job, "disputed");
  requireThat(
    state.nowMs < job.sinceMs + job.terms.disputeTimeoutMs,
    MODULE,
    "ETooLate",
    `the time for a verdict on job ${job.id} is over`,
  );
  requireThat(
    equal(verdict.datasetRoot, job.spec.datasetRoot) &&
      equal(verdict.baseHash, job.spec.baseHash) &&
      job.resultHash !== null && equal(verdict.resultHash, job.resultHash),
    MODULE,
    "EWrongSubject",
    "the verdict is about other data, another base or another result",
  );
  requireThat(
    timestampMs <= state.nowMs + SKEW_MS && timestampMs >= job.postedMs - SKEW_MS,
    MODULE,
    "EBadTimestamp",
    "the verdict's time is before the job or in the future",
  );
  const owner = seatOwner(state, validator);
  requireThat(owner !== null, MODULE, "ENotValidator", `there is no validator ${validator}`);
  const key = verdictKey(state, validator, owner);
  const none = `validator ${validator} has no active, approved, unexpired key`;
  requireThat(key !== null, MODULE, "ENoEnclave", none);
  requireThat(
    verifySignature(signature, message, key),
    MODULE,
    "EBadSignature",
    "the signature is not by the validator's key",
  );

  const { lossBefore, lossAfter } = verdict;
  const forMiner = lossAfter !== null && lossBefore - lossAfter >= job.spec.minImprovement;
  state.emit("training_jobs::DisputeResolved", {
    job: job.id,
    validator,
    forMiner,
    lossBefore,
    lossAfter: lossAfter ?? 0,
  });
  // Judging pays, and pays the same either way.
  const loser = forMiner ? "disputeBond" : "claimBond";
  pay(state, job, loser, job[loser] / 2n, owner);
  if (forMiner) closeJob(state, job, "settled", job.payout, job.fee, job.miner!.owner);
  else closeJob(state, job, "refunded", 0n, 0n, job.customer);
}

function decode(message: Bytes): JobVerdict {
  try {
    return decodeJobVerdict(message);
  } catch (error) {
    if (error instanceof Refusal) throw new LedgerError(MODULE, "EBadMessage", error.message);
    throw error;
  }
}

/** Where no verdict came in time, split by default: the rest and both bonds go to the customer. */
export function expire(state: State, _sender: Address, id: number): void {
  const job = jobOf(state, id, "disputed");
  const until = job.sinceMs + job.terms.disputeTimeoutMs;
  requireThat(state.nowMs >= until, MODULE, "ETooEarly", `a verdict may come until ${until}`);
  const part = (amount: bigint) => amount * BigInt(job.terms.defaultSplitBps) / 10_000n;
  closeJob(state, job, "settled", part(job.payout), part(job.fee), job.customer);
}
