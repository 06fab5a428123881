/**
 * A limit on the time that a service may take. Only time in which this process ran counts: where it stood still, since
 * it computed or had no processor, an answer may have arrived in time and is yet to be read.
 *
 * @module
 */

/** A stall of whatever length counts as one of these parts of the limit. */
const PARTS = 8;

/** A running limit; disposing of it ends it. */
export interface TimeLimit extends Disposable {
  /** Aborts when the time is over. */
  readonly signal: AbortSignal;
}

/** Begin a limit of `ms` milliseconds. */
export function timeLimit(ms: number): TimeLimit {
  const ended = new AbortController();
  let left = PARTS;
  const timer = setInterval(() => {
    if (--left > 0) return;
    clearInterval(timer);
    ended.abort(new DOMException(`No whole answer within ${Math.ceil(ms)} ms`, "TimeoutError"));
  }, ms / PARTS);
  return { signal: ended.signal, [Symbol.dispose]: () => clearInterval(timer) };
}
