/**
 * Time, injected: everything that waits for a deadline takes a {@link Clock}, so that tests drive it.
 *
 * @module
 */

/** Where the time comes from and how to wait for it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves at or after `ms`; rejects with the signal's reason where it aborts first. */
  until(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  until(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, Math.max(0, ms - Date.now()));
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal!.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};

/** Wait `ms` by the machine's clock, or until `signal` aborts, which is no error. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** A clock that only moves when it is told to. */
export class VirtualClock implements Clock {
  #now: number;
  #waiters: { at: number; resolve: () => void }[] = [];

  /** Starts at `now` milliseconds. */
  constructor(now: number) {
    this.#now = now;
  }

  /** The set time. */
  now(): number {
    return this.#now;
  }

  /** Resolves when {@link set} reaches `ms`. */
  until(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (ms <= this.#now) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(signal!.reason);
      };
      const waiter = {
        at: ms,
        resolve: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#waiters.push(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Move to `ms`, never backwards, and wake those who waited for it. */
  set(ms: number): void {
    if (ms < this.#now) throw new RangeError(`Cannot set the clock back to ${ms}`);
    this.#now = ms;
    const due = this.#waiters.filter((waiter) => waiter.at <= ms).sort((a, b) => a.at - b.at);
    this.#waiters = this.#waiters.filter((waiter) => waiter.at > ms);
    for (const waiter of due) waiter.resolve();
  }
}
