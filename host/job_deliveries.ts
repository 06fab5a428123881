/**
 * Which jobs have been delivered and are not over. The ledger's rows do not say where a result lies, its log does; so
 * that log is followed from its beginning, and each row is read while its job is open.
 *
 * @module
 */
import type { Bytes } from "../enclave/protocol/bytes.ts";
import type { JobRow } from "./ledger/jobs.ts";
import type { Ledger } from "./ledger/ledger.ts";

/** Events read at a time. */
const PAGE = 1_000;

/** A delivery that can still be disputed, or is. */
export interface Delivered {
  /** The job: completed or disputed. */
  readonly job: JobRow;
  /** Hash of the result's manifest. */
  readonly resultHash: Bytes;
  /** Where that lies. */
  readonly ref: string;
  /** The miner's slot. */
  readonly uid: number;
}

/** See the module. */
export class Deliveries {
  readonly #ledger: Pick<Ledger, "events" | "job" | "now">;
  /** Refs by their job's number. */
  readonly #refs = new Map<number, string>();
  #seq = 0;

  /** Those of `ledger`. */
  constructor(ledger: Pick<Ledger, "events" | "job" | "now">) {
    this.#ledger = ledger;
  }

  /** Disputed ones first, then those that can be disputed; each by age. A dispute whose time is over is none. */
  async open(): Promise<Delivered[]> {
    await this.#sync();
    const now = this.#ledger.now();
    const found: Delivered[] = [];
    for (const [id, ref] of this.#refs) {
      const job = await this.#ledger.job(id);
      const { miner = null, resultHash = null, sinceMs = 0, terms } = job ?? {};
      const over = job === null || resultHash === null || miner === null ||
        !(job.status === "completed" || job.status === "disputed") ||
        (job.status === "disputed" && now >= sinceMs + terms!.disputeTimeoutMs);
      if (over) this.#refs.delete(id);
      else found.push({ job, resultHash, ref, uid: miner.uid });
    }
    const rank = ({ job }: Delivered) => job.status === "disputed" ? 0 : 1;
    return found.sort((a, b) => rank(a) - rank(b) || a.job.id - b.job.id);
  }

  async #sync(): Promise<void> {
    for (;;) {
      const page = await this.#ledger.events(this.#seq, PAGE);
      for (const { body, kind, seq } of page) {
        this.#seq = seq;
        const job = Number(body.job);
        if (kind === "training_jobs::JobCompleted") this.#refs.set(job, String(body.resultRef));
        if (kind === "training_jobs::JobClosed") this.#refs.delete(job);
      }
      if (page.length < PAGE) return;
    }
  }
}
