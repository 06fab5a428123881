/**
 * Virtual time for a whole network: parties run one at a time, and the clock moves to the next moment that
 * somebody waits for once all of them wait. Nobody sleeps, and the same run comes out the same.
 *
 * @module
 */
import type { Clock } from "../../host/ledger/clock.ts";

interface Waiter {
  readonly at: number;
  readonly resolve: () => void;
}

/** A party that runs. */
export interface Running {
  /** Its name. */
  readonly name: string;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<void>;
  /** What it threw, if it did. */
  error: unknown;
  /** Aborts its signal. */
  stop(): void;
}

/** See the module. */
export class Turns {
  #now: number;
  #active = 0;
  #idle = Promise.withResolvers<void>();
  readonly #waiters: Waiter[] = [];

  /** Starts at `now` milliseconds. */
  constructor(now: number) {
    this.#now = now;
    this.#idle.resolve();
  }

  /** The time. */
  now(): number {
    return this.#now;
  }

  /** Start a party. It must wait for nothing but its own work and the clock that it is given. */
  spawn(name: string, run: (clock: Clock, signal: AbortSignal) => Promise<void>): Running {
    const stop = new AbortController();
    const clock: Clock = {
      now: () => this.#now,
      until: (ms, signal = stop.signal) => this.#until(ms, signal),
    };
    this.#wake();
    const running: Running = {
      name,
      error: undefined,
      stop: () => stop.abort(new Error(`${name} was stopped`)),
      ended: run(clock, stop.signal).catch((error) => {
        running.error = error;
      }).finally(() => this.#rest()),
    };
    return running;
  }

  /** Let everybody work until all of them wait; then `done` is asked, and the next one woken unless it says so. */
  async drive(done: () => boolean | Promise<boolean>): Promise<void> {
    for (;;) {
      await this.#idle.promise;
      if (await done()) return;
      const next = this.#waiters.reduce((first, other) => other.at < first.at ? other : first);
      this.#waiters.splice(this.#waiters.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.resolve();
    }
  }

  /** Let time pass while nobody does anything. */
  skip(ms: number): void {
    this.#now += ms;
  }

  #until(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (ms <= this.#now) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        at: ms,
        resolve: () => {
          signal.removeEventListener("abort", onAbort);
          this.#wake();
          resolve();
        },
      };
      const onAbort = () => {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        this.#wake();
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.push(waiter);
      this.#rest();
    });
  }

  #wake(): void {
    if (this.#active++ === 0) this.#idle = Promise.withResolvers();
  }

  #rest(): void {
    if (--this.#active === 0) this.#idle.resolve();
  }
}
