/**
 * How long the parts of a window take this miner: moving averages of its own, from which it takes its deadlines. What
 * cannot be ready in time is not begun, and an upload ends early enough for the reveal that must follow it.
 *
 * @module
 */
import { Refusal } from "../enclave/protocol/refusal.ts";
import type { WindowView } from "../host/ledger/ledger.ts";

/** A part of a window that takes time. */
export type Part = "train" | "commit" | "upload" | "reveal";

/** Weight of the newest time. */
const ALPHA = 0.3;
/** What is left of an average that kept the miner from trying: a few windows later it tries again. */
const FORGET = 0.8;
/** Largest share of the time for reveals that is kept free of uploading. */
const MOST_FREE = 0.25;
/** Share of the time for reveals above which uploads are said to be slow. */
const SLOW = 0.75;

/** Milliseconds for people. */
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** See the module. */
export class Pace {
  readonly #averages = new Map<Part, number>();
  readonly #now: () => number;

  /** Counts by `now`, in milliseconds: the ledger's time. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds that `part` takes on average; 0 before the first. */
  average(part: Part): number {
    return this.#averages.get(part) ?? 0;
  }

  /** Take `ms` of `part` into its average. */
  add(part: Part, ms: number): void {
    const known = this.#averages.get(part);
    this.#averages.set(part, known === undefined ? ms : known + ALPHA * (ms - known));
  }

  /** What `call` gives, its time taken into the average of `part` where it succeeds. */
  async timed<T>(part: Part, call: () => Promise<T>): Promise<T> {
    const began = this.#now();
    const result = await call();
    this.add(part, this.#now() - began);
    return result;
  }

  /**
   * Whether training may begin.
   *
   * @throws {Refusal} `too_late` where commits are over, or will be before it has ended.
   */
  checkTrain({ deadlines, window }: WindowView): void {
    const left = deadlines.commit - this.#now();
    if (left <= 0) throw new Refusal("too_late", `Commits of window ${window} are over`);
    const [train, commit] = [this.average("train"), this.average("commit")];
    if (train + commit <= left) return;
    this.#averages.set("train", FORGET * train);
    throw new Refusal(
      "too_late",
      `Training takes ${seconds(train)} and a commit ${seconds(commit)} on average, and ${
        seconds(left)
      } are left: lower VRAMHUB_INNER_STEPS, or take a faster --device`,
    );
  }

  /**
   * Whether there is time left to commit.
   *
   * @throws {Refusal} `too_late` where there is none.
   */
  checkCommit({ deadlines, window }: WindowView): void {
    const over = this.#now() - deadlines.commit;
    if (over < 0) return;
    throw new Refusal(
      "too_late",
      `The gradient of window ${window} was ready ${seconds(over)} after the commit deadline: ` +
        `training takes ${seconds(this.average("train"))} on average`,
    );
  }

  /** Until when an upload is tried: early enough for the reveal behind it. */
  uploadBy({ deadlines: { commit, reveal } }: WindowView): number {
    return reveal - Math.min(this.average("reveal"), MOST_FREE * (reveal - commit));
  }

  /** What is to be said of uploads that take nearly all the time there is; undefined where they do not. */
  slowUploads({ deadlines: { commit, reveal } }: WindowView): string | undefined {
    const takes = this.average("upload") + this.average("reveal");
    if (takes <= SLOW * (reveal - commit)) return undefined;
    return `An upload and its reveal take ${seconds(takes)} on average, and there are ${
      seconds(reveal - commit)
    }: a nearer store or a smaller gradient is needed`;
  }
}
