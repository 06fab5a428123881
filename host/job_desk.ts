/**
 * The validator's other work: delivered training jobs. While no window waits for the judge, each delivery is measured
 * once; the verdict is kept, put into the store for both parties to read, and submitted where the job is disputed,
 * which decides the dispute. The courier decides nothing here either.
 *
 * @module
 */
import { type Bytes, equal } from "../enclave/protocol/bytes.ts";
import type { ModelConfig } from "../enclave/model/presets.ts";
import { decodeManifest } from "../enclave/protocol/base.ts";
import { LedgerError } from "../enclave/protocol/errors.ts";
import { verifySignature } from "../enclave/protocol/identity.ts";
import { decodeJobVerdict, type JobVerdict } from "../enclave/protocol/job_verdict.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { jobRequest } from "./courier/job_request.ts";
import { JudgeError } from "./courier/judge_error.ts";
import type { JobJudge } from "./courier/judge_like.ts";
import { GradientReader } from "./gradient_reader.ts";
import type { Clock } from "./ledger/clock.ts";
import type { JobRow } from "./ledger/jobs.ts";
import type { Address, Ledger } from "./ledger/ledger.ts";
import { type Log, reason } from "./ledger/log.ts";
import { type Delivered, Deliveries } from "./job_deliveries.ts";
import { idleTime } from "./job_idle.ts";
import { type KeptVerdict, VerdictFiles } from "./job_verdicts.ts";
import {
  checkJobData,
  firstOf,
  hashOfRef,
  openJobBase,
  readChunk,
  readDelivery,
  type ReadObject,
} from "./store/job_weights.ts";
import type { PageSource } from "./store/pages.ts";
import type { Store } from "./store/store.ts";

const TARGET = "vramhub_validator::jobs";
/** Turns a window in which the desk looks for work. */
const LOOKS = 20;
/** A job that cannot be judged now is tried again after a pause that doubles, in milliseconds. */
const [FIRST_PAUSE_MS, MOST_PAUSE_MS] = [5_000, 3_600_000];
/** Share of a window that a job may need at most, whatever earlier ones have taken. */
const MOST_NEEDED = 0.5;

/** What a desk works with. */
export interface JobDeskParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** The validator's judge, which somebody else attests. */
  readonly judge: JobJudge;
  /** The store that all share: verdicts are put there. */
  readonly store: Store;
  /** Where else bases and results may lie. */
  readonly stores?: readonly Store[];
  /** Reads what miners deliver, also from buckets of their own. */
  readonly gradients?: GradientReader;
  /** The data set with this root. */
  readonly data: (root: Bytes) => Promise<PageSource>;
  /** The network's model. */
  readonly model: ModelConfig;
  /** Who submits. */
  readonly owner: Address;
  /** The slot. */
  readonly uid: number;
  /** Folder where verdicts are kept. */
  readonly dir: string;
  /** Time. */
  readonly clock: Clock;
  /** Log lines. */
  readonly log: Log;
}

interface Delay {
  readonly until: number;
  readonly pauseMs: number;
}

/** See the module. */
export class JobDesk {
  readonly #parts: JobDeskParts;
  readonly #deliveries: Deliveries;
  readonly #files: VerdictFiles;
  readonly #read: ReadObject;
  readonly #gradients: GradientReader;
  readonly #delays = new Map<number, Delay>();
  /** The longest judgement so far, in milliseconds. */
  #longestMs = 0;

  /** A desk of these parts. */
  constructor(parts: JobDeskParts) {
    const { ledger, owner, store, stores = [] } = parts;
    this.#parts = parts;
    this.#deliveries = new Deliveries(ledger);
    this.#files = new VerdictFiles(parts.dir);
    this.#read = firstOf([store, ...stores]);
    this.#gradients = parts.gradients ?? new GradientReader({ ledger, owner, store });
  }

  /** Work until `signal` aborts. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, ledger, log } = this.#parts;
    while (!signal.aborted) {
      let pauseMs = 1_000;
      try {
        const { hparams } = await ledger.window(await ledger.currentWindow());
        pauseMs = hparams.window_ms / LOOKS;
        if (await this.turn()) continue;
      } catch (error) {
        if (signal.aborted) return;
        log("warn", TARGET, "Jobs not looked at", { reason: reason(error) });
      }
      await clock.until(clock.now() + pauseMs, signal).catch(() => {});
    }
  }

  /** Do one piece of work, where there is any that can be done now. Whether there was. */
  async turn(): Promise<boolean> {
    const { ledger, uid } = this.#parts;
    const key = (await ledger.enclave(uid))?.key;
    if (key === undefined) return false; // a verdict would be nobody's
    const ready = [...await this.#deliveries.open()].filter(({ job }) =>
      (this.#delays.get(job.id)?.until ?? 0) <= ledger.now()
    );
    for (const delivered of ready) {
      const { job } = delivered;
      const kept = await this.#files.load(job.id);
      const known = kept !== null && equal(kept.key, key);
      if (known && job.status === "completed") continue;
      if (known) return await this.#attempt(job, () => this.#submit(job, kept));
      if (await this.#isIdle()) return await this.#attempt(job, () => this.#judge(delivered, key));
    }
    return false;
  }

  /** Whether no window waits for the judge, nor will before it has judged a job. */
  async #isIdle(): Promise<boolean> {
    const { ledger, uid } = this.#parts;
    const idle = await idleTime(ledger, uid);
    if (idle === null) return false;
    // One that took long, on a day of much work, does not end all work for good: half a window is enough to try.
    const needed = Math.min(2 * this.#longestMs, MOST_NEEDED * idle.windowMs);
    return idle.until - ledger.now() >= needed;
  }

  /** `work` on `job`; what fails is tried again later. Always true: the desk was at work. */
  async #attempt(job: JobRow, work: () => Promise<void>): Promise<true> {
    const { ledger, log } = this.#parts;
    try {
      await work();
      this.#delays.delete(job.id);
    } catch (error) {
      const { pauseMs: last = FIRST_PAUSE_MS } = this.#delays.get(job.id) ?? {};
      const passes = error instanceof JudgeError && error.retryable;
      const pauseMs = passes ? FIRST_PAUSE_MS : Math.min(MOST_PAUSE_MS, 2 * last);
      this.#delays.set(job.id, { pauseMs, until: ledger.now() + pauseMs });
      const again = `in ${Math.ceil(pauseMs / 1_000)} s`;
      log("warn", TARGET, "Job not judged", { job: job.id, reason: reason(error), again });
    }
    return true;
  }

  /** Have it measured, and keep and publish what the judge says. */
  async #judge(delivered: Delivered, key: Bytes): Promise<void> {
    const { judge, ledger, log, store, uid } = this.#parts;
    const { job, resultHash } = delivered;
    const began = performance.now();
    const { chainId, ledgerId } = await ledger.info();
    const { base, result } = await this.#gather(delivered);
    const { bytes, model } = base;
    const pages = await this.#parts.data(job.spec.datasetRoot);
    checkJobData(pages.dataset, model);
    const parts = { job, resultHash, ledgerId, pages, model, base: bytes, result: result.bytes };
    const payload = await jobRequest(parts);
    for (const { chunk, hashes } of [base, result]) {
      for (const [i, hash] of hashes.entries()) {
        if (!await judge.hasBlob(hash)) await judge.putBlob(hash, await chunk(i));
      }
    }
    const { message, signature } = await judge.processJob(payload);
    this.#longestMs = Math.max(this.#longestMs, performance.now() - began);
    if (!verifySignature(signature, message, key)) {
      throw new Refusal("wrong_key", "The judge's signature is not by its registered key");
    }
    const verdict = decodeJobVerdict(message);
    checkSubject(verdict, {
      ...job.spec,
      chainId,
      ledgerId,
      validator: uid,
      job: job.id,
      resultHash,
    });
    const kept = { key, message, signature };
    await this.#files.save(job.id, kept);
    const name = `job-verdicts/${job.id}/${uid}.json`;
    await store.put(name, this.#files.encode(kept));
    const { lossAfter, lossBefore } = verdict;
    log("info", TARGET, "Job judged", {
      job: job.id,
      loss_before: lossBefore / 1e6,
      loss_after: lossAfter === null ? "not to be measured" : lossAfter / 1e6,
      asked: job.spec.minImprovement / 1e6,
      for: isForMiner(verdict, job) ? "the miner" : "the customer",
      verdict: name,
    });
  }

  /** Base and result, as far as they are what the ledger's hashes say. */
  async #gather({ job, ref, resultHash, uid }: Delivered) {
    const base = await openJobBase(job.spec, this.#parts.model, this.#read);
    const read = this.#reader(uid);
    const bytes = await readDelivery(read, ref, resultHash);
    const hashes = chunksOf(bytes, base.manifest.modelHash, base.manifest.size);
    return {
      base: { ...base, hashes: base.manifest.chunks },
      result: { bytes, hashes, chunk: (index: number) => readChunk(read, hashes[index]!) },
    };
  }

  /** What miner `uid` delivered: by its content from its own bucket, else from the stores. */
  #reader(uid: number): ReadObject {
    return async (ref, options) => {
      const contentHash = options.sha256 ?? hashOfRef(ref);
      if (contentHash === undefined) return await this.#read(ref, options);
      const hash = contentHash as Bytes;
      const reveal = {
        uid,
        ref,
        contentHash: hash,
        size: options.maxBytes,
        commitSeq: 0,
        codec: 0,
      };
      try {
        return await this.#gradients.read(
          { ...reveal, owner: this.#parts.owner, generation: 0 },
          0,
        );
      } catch (error) {
        // Its own failure tells more.
        return await this.#read(ref, options).catch(() => Promise.reject(error));
      }
    };
  }

  async #submit(job: JobRow, { message, signature }: KeptVerdict): Promise<void> {
    const { ledger, log, owner } = this.#parts;
    try {
      await ledger.resolveDispute(owner, message, signature);
      const winner = isForMiner(decodeJobVerdict(message), job) ? "the miner" : "the customer";
      log("info", TARGET, "Dispute decided", { job: job.id, for: winner });
    } catch (error) {
      if (!(error instanceof LedgerError) || error.constant !== "EWrongStatus") throw error;
      log("info", TARGET, "Dispute decided by another validator", { job: job.id });
    }
  }
}

/** The chunks that the judge will ask for: none, where what was delivered is no file of this model. */
function chunksOf(bytes: Bytes, modelHash: Bytes, size: number): readonly Bytes[] {
  try {
    const manifest = decodeManifest(bytes);
    return equal(manifest.modelHash, modelHash) && manifest.size === size ? manifest.chunks : [];
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}

function isForMiner({ lossAfter, lossBefore }: JobVerdict, { spec }: JobRow): boolean {
  return lossAfter !== null && lossBefore - lossAfter >= spec.minImprovement;
}

/** Check the answer as the ledger will. */
function checkSubject(
  verdict: JobVerdict,
  wanted: Omit<JobVerdict, "timestampMs" | "lossBefore" | "lossAfter">,
): void {
  const hashes = ["chainId", "ledgerId", "datasetRoot", "baseHash", "resultHash"] as const;
  const wrong = hashes.find((name) => !equal(verdict[name], wanted[name])) ??
    (["validator", "job"] as const).find((name) => verdict[name] !== wanted[name]);
  if (wrong === undefined) return;
  throw new Refusal("wrong_subject", `The judge's verdict is of another ${wrong}`, wrong);
}
