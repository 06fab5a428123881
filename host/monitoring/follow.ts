/**
 * Follows a network's windows for whoever counts them: each that ended, once, with what became of its gradients.
 *
 * @module
 */
import { verdictName } from "../../enclave/protocol/verdict.ts";
import type { Ledger, WindowView } from "../ledger/ledger.ts";
import { windowOrNull } from "../store/bases.ts";
import { pause } from "../ledger/clock.ts";
import type { KeyAges } from "./metrics.ts";

/** What following tells of. */
export interface Follower {
  /** A window ended. */
  windowEnded(outcome: "closed" | "skipped" | "empty"): void;
  /** A gradient of it was settled. */
  settled(verdict: string): void;
  /** Which window runs, how many gradients wait for a report, and the base's loss in nats where it is known. */
  progress(window: number, queue: number, lossNats: number | null): void;
  /** The keys of the followed validators. */
  keys(all: readonly KeyAges[]): void;
  /** A window that ended, whole. */
  ended(view: WindowView): void;
}

/** How to follow. */
export interface FollowOptions {
  /** Slots of the validators whose reports are waited for and whose keys are told of. */
  readonly validators: readonly number[];
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Follow until the signal aborts. A look that fails is made again: the ledger's own probe says why it does. */
export async function follow(
  ledger: Ledger,
  told: Follower,
  options: FollowOptions,
): Promise<void> {
  const { everyMs, signal } = options;
  const walk = new Walk(ledger, told, options.validators);
  while (!signal.aborted) {
    await walk.look().catch(() => {});
    await pause(everyMs, signal);
  }
}

/** One walk along the windows. */
export class Walk {
  readonly #ledger: Ledger;
  readonly #told: Follower;
  readonly #validators: readonly number[];
  /** The first window that is not told of. */
  #next: number | undefined;
  #loss: number | null = null;

  /** Begins at the window before the running one. */
  constructor(ledger: Ledger, told: Follower, validators: readonly number[]) {
    this.#ledger = ledger;
    this.#told = told;
    this.#validators = validators;
  }

  /** Tell of what happened since the last look. */
  async look(): Promise<void> {
    const current = await this.#ledger.currentWindow();
    this.#next ??= Math.max(0, current - 1);
    let queue = 0;
    let waits = false;
    for (let window = this.#next; window < current; window++) {
      const view = await windowOrNull(this.#ledger, window);
      if (view !== null) queue += this.#queued(view);
      waits ||= view !== null && view.status !== "closed" && view.status !== "skipped";
      if (waits) continue; // the order of windows is that of what is told
      this.#tell(view);
      this.#next = window + 1;
    }
    this.#told.progress(current, queue, this.#loss);
    await this.#tellKeys();
  }

  #queued({ reported, reveals, snapshot, status }: WindowView): number {
    if (status !== "open") return 0;
    const owing = this.#validators.some((uid) =>
      !reported.includes(uid) && snapshot.some((seat) => seat.uid === uid)
    );
    return owing ? reveals.length : 0;
  }

  #tell(view: WindowView | null): void {
    const told = this.#told;
    if (view === null || (view.status === "closed" && view.settled === null)) {
      told.windowEnded("empty");
    } else {
      told.windowEnded(view.status === "skipped" ? "skipped" : "closed");
    }
    if (view === null) return;
    if (view.status === "closed" && view.settled !== null) {
      for (const { verdict } of view.settled.rows) told.settled(verdictName(verdict) ?? "unknown");
      if (view.settled.randomBefore !== null) this.#loss = view.settled.randomBefore / 1e6;
    }
    told.ended(view);
  }

  async #tellKeys(): Promise<void> {
    const now = this.#ledger.now();
    const ages: KeyAges[] = [];
    for (const uid of this.#validators) {
      const key = await this.#ledger.enclave(uid);
      if (key === null) continue;
      const ageSeconds = (now - key.documentMs) / 1_000;
      ages.push({ uid, ageSeconds, expirySeconds: (key.expiresMs - now) / 1_000 });
    }
    this.#told.keys(ages);
  }
}
