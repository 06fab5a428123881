/**
 * Windows, phases and deadlines. All times are milliseconds since the Unix epoch; deadlines are exclusive.
 * Commits and reveals of window N happen in N; reports and outcomes for N happen in N+1, while N+1 trains.
 *
 * @module
 */
import { type Hparams, share } from "./hparams.ts";

/** From `firstWindow`, which starts at `startMs`, windows last `windowMs`. A change of length opens a new epoch. */
export interface Epoch {
  /** Number of the epoch's first window. */
  readonly firstWindow: number;
  /** When that window starts. */
  readonly startMs: number;
  /** Length of each window of the epoch. */
  readonly windowMs: number;
}

/** The epoch that holds the time `nowMs`; `epochs` ascend by start. Before the first one, the first. */
export function epochAt(epochs: readonly Epoch[], nowMs: number): Epoch {
  let found = epochs[0];
  if (found === undefined) throw new RangeError("Cannot place a time: there is no epoch");
  for (const epoch of epochs) if (epoch.startMs <= nowMs) found = epoch;
  return found;
}

/** `first_window + floor((now − start) / window_ms)`; negative before the first epoch. */
export function windowAt(epochs: readonly Epoch[], nowMs: number): number {
  const epoch = epochAt(epochs, nowMs);
  return epoch.firstWindow + Math.floor((nowMs - epoch.startMs) / epoch.windowMs);
}

/** When `window` starts. */
export function windowStart(epochs: readonly Epoch[], window: number): number {
  let epoch = epochs[0];
  if (epoch === undefined) throw new RangeError("Cannot place a window: there is no epoch");
  for (const next of epochs) if (next.firstWindow <= window) epoch = next;
  return epoch.startMs + (window - epoch.firstWindow) * epoch.windowMs;
}

/** The moments of one window. */
export interface Deadlines {
  /** N starts. */
  readonly start: number;
  /** In N: the last moment (exclusive) for commits. */
  readonly commit: number;
  /** In N: for reveals. */
  readonly reveal: number;
  /** N ends and N+1 starts. */
  readonly end: number;
  /** In N+1: for reports of N. */
  readonly report: number;
  /** In N+1: for outcomes of N. */
  readonly outcome: number;
}

/** Every deadline of `window`, by the hparams that ruled it. */
export function deadlines(epochs: readonly Epoch[], window: number, hparams: Hparams): Deadlines {
  const start = windowStart(epochs, window);
  const end = windowStart(epochs, window + 1);
  const next = windowStart(epochs, window + 2) - end;
  return {
    start,
    commit: start + share(end - start, hparams.commit_bps),
    reveal: start + share(end - start, hparams.reveal_bps),
    end,
    report: end + share(next, hparams.report_bps),
    outcome: end + share(next, hparams.outcome_bps),
  };
}
