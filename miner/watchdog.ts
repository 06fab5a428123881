/**
 * Nothing waits in silence: while a part of a window goes on, a line now and then says what is waited for, since when
 * and until when. It counts the machine's time, since what hangs does not move the ledger's.
 *
 * @module
 */
import { Refusal } from "../enclave/protocol/refusal.ts";
import type { WindowView } from "../host/ledger/ledger.ts";
import type { Log } from "../host/ledger/log.ts";

const TARGET = "vramhub_miner::watchdog";
/** Lines a window, where all of it is waiting. */
const LINES = 10;
/** Shortest time between two lines. */
const LEAST_MS = 10_000;
/** Longest time that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What is waited for. */
export interface Waiting {
  /** For people: `training`. */
  readonly what: string;
  /** When it should be over, in the ledger's milliseconds; undefined where nobody knows. */
  readonly due?: number;
  /** Whether it is waited for no longer than that. */
  readonly gives?: "up";
}

/** See the module. */
export class Watchdog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #leastMs: number;
  #what = "the ledger";

  /**
   * Writes to `log`; `now` is the clock that deadlines are counted by, `leastMs` the shortest time between two lines.
   */
  constructor(log: Log, now: () => number, leastMs: number = LEAST_MS) {
    this.#log = log;
    this.#now = now;
    this.#leastMs = leastMs;
  }

  /** What was begun last, for the line that tells of a failure. */
  get what(): string {
    return this.#what;
  }

  /**
   * What `call` gives; a tenth of a window without an answer is a line. `view` is null where no window is known.
   *
   * @throws {Refusal} `too_late` where it gives up.
   */
  async during<T>(
    view: Pick<WindowView, "hparams" | "window"> | null,
    waiting: Waiting,
    call: () => Promise<T>,
  ): Promise<T> {
    this.#what = waiting.what;
    const began = performance.now();
    const tell = () => this.#tell(view?.window, waiting, performance.now() - began);
    const everyMs = Math.max(this.#leastMs, (view?.hparams.window_ms ?? 0) / LINES);
    const lines = setInterval(tell, everyMs);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const { due, gives, what } = waiting;
    const left = gives === undefined || due === undefined ? Infinity : due - this.#now();
    const end = setTimeout(
      () => reject(new Refusal("too_late", `It is not ready at its deadline: ${what}`)),
      Math.min(Math.max(left, 0), MAX_TIMER_MS),
    );
    if (left === Infinity) clearTimeout(end);
    Deno.unrefTimer(lines);
    try {
      return await Promise.race([call(), late]);
    } finally {
      clearInterval(lines);
      clearTimeout(end);
    }
  }

  #tell(window: number | undefined, { due, what }: Waiting, sinceMs: number): void {
    const left = due === undefined ? undefined : Math.round((due - this.#now()) / 1_000);
    const until = left === undefined ? {} : left >= 0 ? { due_in_s: left } : { overdue_s: -left };
    const since_s = Math.round(sinceMs / 1_000);
    const which = window === undefined ? {} : { window };
    this.#log("info", TARGET, "Still waiting", { ...which, for: what, since_s, ...until });
  }
}
