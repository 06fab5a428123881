/**
 * Calls of the board of jobs. Payments and bonds come from the gas coin.
 *
 * @module
 */
import { type Bytes, utf8 } from "../../../../enclave/protocol/bytes.ts";
import { type JobSpec, type JobTerms, PRECISIONS } from "../../jobs.ts";
import { bytes, count, u16, u32, u64, u8 } from "../layout/layout.ts";
import type { Deployment } from "../profile.ts";
import type { OwnedRef } from "../state_reader.ts";
import { type Call, CallBuilder } from "./call.ts";

/** Seats of the running window decide: bring the ledger to it first. */
function roll(b: CallBuilder): void {
  b.call("peer_registry::roll", [
    b.mut("roundState"),
    b.mut("hparams"),
    b.mut("validatorRegistry"),
    b.mut("peerRegistry"),
    b.clock(),
  ]);
}

/** Post a job and pay `price` MIST. */
export function postJob(
  deployment: Deployment,
  spec: JobSpec,
  deadlineMs: number,
  price: bigint,
): Call {
  const b = new CallBuilder(deployment);
  const made = b.call("training_jobs::new_spec", [
    b.ref("datasetRegistry"),
    b.pure(count, spec.datasetId),
    b.pure(count, spec.modelParamsM),
    b.pure(count, spec.datasetTokensM),
    b.pure(u32, spec.numEpochs),
    b.pure(u32, spec.batchSize),
    b.pure(u32, spec.sequenceLength),
    b.pure(u8, PRECISIONS.indexOf(spec.precision)),
    b.pure(u32, spec.minGpuVramGb),
    b.pure(bytes, spec.baseHash),
    b.pure(bytes, utf8(spec.baseRef)),
    b.pure(count, spec.minImprovement),
  ]);
  b.call("training_jobs::post_job", [
    b.mut("jobBoard"),
    b.result(made, "training_jobs::Spec"),
    b.pure(count, deadlineMs),
    b.sui(price),
    b.clock(),
  ]);
  return b.done();
}

/** Claim a job, with its bond. */
export function claimJob(deployment: Deployment, job: number, slot: number, bond: bigint): Call {
  const b = new CallBuilder(deployment);
  roll(b);
  b.call("training_jobs::claim_job", [
    b.mut("jobBoard"),
    b.ref("peerRegistry"),
    b.pure(count, job),
    b.pure(u16, slot),
    b.sui(bond),
    b.clock(),
  ]);
  return b.done();
}

/** Deliver. */
export function completeJob(
  deployment: Deployment,
  job: number,
  resultHash: Bytes,
  resultRef: string,
): Call {
  const b = new CallBuilder(deployment);
  b.call("training_jobs::complete_job", [
    b.mut("jobBoard"),
    b.pure(count, job),
    b.pure(bytes, resultHash),
    b.pure(bytes, utf8(resultRef)),
    b.clock(),
  ]);
  return b.done();
}

/** Dispute a delivery, with a bond. */
export function disputeJob(deployment: Deployment, job: number, bond: bigint): Call {
  const b = new CallBuilder(deployment);
  b.call("training_jobs::dispute_job", [
    b.mut("jobBoard"),
    b.pure(count, job),
    b.sui(bond),
    b.clock(),
  ]);
  return b.done();
}

/** Decide a dispute by a judge's message. */
export function resolveDispute(deployment: Deployment, message: Bytes, signature: Bytes): Call {
  const b = new CallBuilder(deployment);
  roll(b);
  b.call("training_jobs::resolve_dispute", [
    b.mut("jobBoard"),
    b.ref("roundState"),
    b.ref("validatorRegistry"),
    b.ref("enclaveRegistry"),
    b.pure(bytes, message),
    b.pure(bytes, signature),
    b.clock(),
  ]);
  return b.done();
}

/** Steps that take the job's number alone. */
export type JobStep =
  | "cancel_job"
  | "refund_job"
  | "release_job"
  | "settle_job"
  | "expire_dispute"
  | "prune_job";

/** Take a step of a job's life. */
export function stepJob(deployment: Deployment, step: JobStep, job: number): Call {
  const b = new CallBuilder(deployment);
  b.call(`training_jobs::${step}`, [b.mut("jobBoard"), b.pure(count, job), b.clock()]);
  return b.done();
}

/** Set the board's terms. */
export function setJobTerms(deployment: Deployment, cap: OwnedRef, terms: JobTerms): Call {
  const b = new CallBuilder(deployment);
  b.call("training_jobs::set_terms", [
    b.cap(cap),
    b.mut("jobBoard"),
    b.pure(u64, terms.pricePerUnit),
    b.pure(count, terms.feeBps),
    b.pure(u64, terms.minPrice),
    b.pure(count, terms.disputeWindowMs),
    b.pure(count, terms.disputeTimeoutMs),
    b.pure(count, terms.bondBps),
    b.pure(count, terms.defaultSplitBps),
  ]);
  return b.done();
}

/** Take the board's fees. */
export function sweepJobFees(deployment: Deployment, cap: OwnedRef, sender: string): Call {
  const b = new CallBuilder(deployment);
  const coin = b.call("training_jobs::sweep_fees", [b.cap(cap), b.mut("jobBoard")]);
  return b.transfer([coin], sender).done();
}
