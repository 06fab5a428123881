/**
 * A training job from claim to pay. Where it stands, the ledger says: begun again at any moment, it goes on from there,
 * and from the weights that were kept last. Nothing is delivered that the judge's own graph finds too little in.
 *
 * @module
 */
import { equal, toHex } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { JobRow } from "../../host/ledger/jobs.ts";
import type { Address, Ledger } from "../../host/ledger/ledger.ts";
import { reason } from "../../host/ledger/log.ts";
import { type Patience, retryUntil } from "../../host/ledger/retry.ts";
import { checkJobData, openJobBase, putResult, readWeights } from "../../host/store/job_weights.ts";
import { HeldOutLoss } from "./held_out.ts";
import {
  iso,
  type JobEnd,
  type JobMinerParts,
  type JobTrainer,
  lastMoment,
  type Prepared,
  SEE_OPEN,
  sui,
  taken,
  TARGET,
} from "./job_parts.ts";
import { stepsOf, trainJob } from "./job_training.ts";
import { JobProgress } from "./progress.ts";

/** Between two tries of what may pass, in milliseconds. */
const PAUSE_MS = 5_000;

async function rowOf(ledger: Pick<Ledger, "job">, id: number): Promise<JobRow> {
  const job = await ledger.job(id);
  if (job !== null) return job;
  const why = "there is none, or it was forgotten";
  throw new Refusal("unknown_job", `Cannot work on job ${id}: ${why}. ${SEE_OPEN}`);
}

/** A job that was claimed and trained can be delivered up to its deadline; an open one must leave time to train. */
function checkTime(job: JobRow, now: number): void {
  const { deadlineMs, id, status } = job;
  if (now < (status === "open" ? lastMoment(job) : deadlineMs)) return;
  const over = now < deadlineMs ? "is too near" : "has passed";
  throw new Refusal(
    "too_late",
    `Cannot work on job ${id}: its deadline, ${iso(deadlineMs)}, ${over}. ${SEE_OPEN}`,
  );
}

/**
 * Job `id`, where `owner` can go on with it. What needs a slot asks here before it stakes anything.
 *
 * @throws {Refusal} `unknown_job`, `wrong_state`, `too_late`.
 */
export async function jobFor(
  ledger: Pick<Ledger, "job" | "now">,
  id: number,
  owner: Address,
): Promise<JobRow> {
  const job = await rowOf(ledger, id);
  if (job.status !== "open" && job.miner?.owner !== owner) throw taken(job);
  if (job.status === "open" || job.status === "claimed") checkTime(job, ledger.now());
  return job;
}

/** See the module. */
export class JobMiner {
  readonly #parts: JobMinerParts;

  /** A miner of these parts. */
  constructor(parts: JobMinerParts) {
    this.#parts = parts;
  }

  /**
   * Bring job `id` as far as it can be brought now.
   *
   * @throws {Refusal} `unknown_job`, `wrong_state`, `too_late`, `no_bond`, `diverged` or `no_improvement`;
   * its message says what to do. Others where no judge could measure such a job.
   * @throws {BaseError} where the base is none of a model that this program knows.
   * @throws {StoreError} where base or data are not to be had, or the store does not take the result.
   */
  async run(id: number, signal: AbortSignal): Promise<JobEnd> {
    const { ledger, log, owner } = this.#parts;
    const job = await jobFor(ledger, id, owner);
    switch (job.status) {
      case "open":
      case "claimed":
        return await this.#work(job, signal);
      case "completed":
        return await this.#pay(job);
      case "disputed": {
        const until = iso(job.sinceMs + job.terms.disputeTimeoutMs);
        log("info", TARGET, "Job disputed; a validator's judge decides", { job: id, until });
        return "disputed";
      }
      default:
        await this.#progress(job).clear();
        log("info", TARGET, "Job over", { job: id, status: job.status });
        return "over";
    }
  }

  #progress({ id, spec }: JobRow): JobProgress {
    return new JobProgress(`${this.#parts.dir}/job-${id}`, spec.baseHash);
  }

  async #work(job: JobRow, signal: AbortSignal): Promise<JobEnd> {
    const prepared = await retryUntil(this.#patience(job, signal), () => this.#prepare(job));
    let opened: Promise<JobTrainer & AsyncDisposable> | undefined;
    const trainer = () => opened ??= this.#parts.trainer(prepared.base.model, stepsOf(prepared));
    try {
      if (job.status === "open") {
        await trainer(); // without one, no bond is at stake
        await this.#claim(job);
      }
      const tools = { parts: this.#parts, progress: this.#progress(job), trainer };
      const theta = await trainJob(job, prepared, tools, signal);
      return await this.#deliver(job, prepared, theta, signal);
    } finally {
      await prepared.held.close();
      await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]();
    }
  }

  /** What may pass is tried again until the deadline. */
  #patience({ deadlineMs, id }: JobRow, signal: AbortSignal): Patience {
    const { clock, log } = this.#parts;
    const onError = (error: unknown) =>
      log("warn", TARGET, "Trying again", { job: id, reason: reason(error) });
    return { clock, deadline: deadlineMs, pauseMs: PAUSE_MS, signal, onError };
  }

  /** Data and base, before a bond is at stake: a job that no judge can measure is nothing to work on. */
  async #prepare({ id, spec }: JobRow): Promise<Prepared> {
    const { data, ledger, model, read } = this.#parts;
    const pages = await data(spec.datasetRoot);
    const base = await openJobBase(spec, model, read);
    checkJobData(pages.dataset, base.model);
    const theta = await readWeights(base);
    const { ledgerId } = await ledger.info();
    const subject = { ledgerId, job: id, baseHash: spec.baseHash };
    const held = await HeldOutLoss.open(pages, { ...base, theta }, subject);
    try {
      const { before } = await held.measure(theta);
      if (Number.isFinite(before)) return { base, held, pages, theta };
      throw new Refusal("diverged", `Cannot work on job ${id}: its base has no finite loss`);
    } catch (error) {
      await held.close();
      throw error;
    }
  }

  async #claim({ id, payout, spec, terms }: JobRow): Promise<void> {
    const { ledger, log, owner, uid } = this.#parts;
    const bond = (payout * BigInt(terms.bondBps) + 9_999n) / 10_000n;
    const has = (await ledger.balance(owner)).sui;
    if (has < bond) {
      throw new Refusal(
        "no_bond",
        `Cannot claim job ${id}: the bond is ${sui(bond)}, and ${owner} has ${
          sui(has)
        }: send it SUI`,
      );
    }
    if (spec.minGpuVramGb > 0) {
      log("warn", TARGET, "The job asks for a GPU of this size; what counts is the result", {
        job: id,
        gigabytes: spec.minGpuVramGb,
      });
    }
    try {
      await ledger.claimJob(owner, id, uid);
    } catch (error) {
      // Somebody was faster, or an earlier call went through unseen.
      const now = await rowOf(this.#parts.ledger, id);
      if (!(error instanceof LedgerError) || now.status === "open") throw error;
      if (now.status !== "claimed" || now.miner?.owner !== owner) throw taken(now);
    }
    log("info", TARGET, "Job claimed", { job: id, uid, bond: sui(bond), payout: sui(payout) });
  }

  async #deliver(
    job: JobRow,
    { base }: Prepared,
    theta: Float32Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<JobEnd> {
    const { ledger, log, owner, store } = this.#parts;
    const patience = this.#patience(job, signal);
    const { hash, ref } = await retryUntil(patience, () => putResult(store, theta, base));
    log("info", TARGET, "Result uploaded", { job: job.id, ref });
    try {
      await retryUntil(patience, () => ledger.completeJob(owner, job.id, hash, ref));
    } catch (error) {
      const now = await rowOf(this.#parts.ledger, job.id);
      if (!(error instanceof LedgerError)) throw error;
      if (error.constant === "ETooLate") {
        const why = `its deadline, ${
          iso(job.deadlineMs)
        }, has passed, and the bond is the customer's`;
        throw new Refusal("too_late", `Cannot deliver job ${job.id}: ${why}`);
      }
      // It may have gone through before, unseen.
      if (now.resultHash === null || !equal(now.resultHash, hash)) throw error;
    }
    log("info", TARGET, "Job delivered", { job: job.id, result: toHex(hash) });
    return await this.#pay(await rowOf(this.#parts.ledger, job.id));
  }

  /** Take the pay where nobody can dispute the delivery any more. */
  async #pay(job: JobRow): Promise<JobEnd> {
    const { ledger, log, owner } = this.#parts;
    const { id, payout, sinceMs, terms } = job;
    const over = sinceMs + terms.disputeWindowMs;
    if (ledger.now() < over) {
      const next = "run this command again then, or 'deno task vramhub job withdraw'";
      log("info", TARGET, "Pay can be taken, unless there is a dispute", {
        job: id,
        from: iso(over),
        next,
      });
      return "delivered";
    }
    await ledger.settleJob(owner, id);
    await this.#progress(job).clear();
    log("info", TARGET, "Job paid", { job: id, payout: sui(payout) });
    return "paid";
  }
}
