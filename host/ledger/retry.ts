/**
 * Trying again until a deadline: what a network or a disk does wrong may pass, what a ledger refuses does not.
 *
 * @module
 */
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { Clock } from "./clock.ts";

/** When to try again, and until when. */
export interface Patience {
  /** Time. */
  readonly clock: Clock;
  /** Ends it: the last error is thrown from here on. */
  readonly deadline: number;
  /** Milliseconds between two tries. */
  readonly pauseMs: number;
  /** Ends it at once. */
  readonly signal: AbortSignal;
  /** Hears of every error after which another try follows. */
  readonly onError: (error: unknown) => void | Promise<void>;
}

/**
 * Whether the same call gives the same error for good: a refusal, a programmer's error, or one that says of
 * itself that it is not `retryable`.
 */
export function isFinal(error: unknown): boolean {
  if (error instanceof LedgerError || error instanceof Refusal || error instanceof RangeError) {
    return true;
  }
  return error instanceof Error && "retryable" in error && error.retryable === false;
}

/** A pause that suits windows of `windowMs`: a hundredth, 50 ms to 5 s. */
export function pauseFor(windowMs: number): number {
  return Math.min(5_000, Math.max(50, Math.floor(windowMs / 100)));
}

/** `call`, again and again where it fails for now. At least once, also where the deadline has passed. */
export async function retryUntil<T>(patience: Patience, call: () => Promise<T>): Promise<T> {
  const { clock, deadline, onError, pauseMs, signal } = patience;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal(error) || clock.now() + pauseMs >= deadline) throw error;
      await onError(error);
    }
    await clock.until(clock.now() + pauseMs, signal);
  }
}
