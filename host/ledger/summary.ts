/**
 * A window in one line: what lists and curves show of it, so that nobody reads 256 rows a window for them.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { Metric } from "../../enclave/protocol/report.ts";
import { SETTLED } from "../../enclave/protocol/verdict.ts";
import type { WindowStatus, WindowView } from "./ledger.ts";

/** Most windows of one page of `Ledger.windows`. */
export const MAX_SUMMARIES = 200;

/** See the module. */
export interface WindowSummary {
  /** N. */
  readonly window: number;
  /** Where it stands. */
  readonly status: WindowStatus;
  /** Hash of base(N)'s manifest. */
  readonly baseHash: Bytes;
  /** Gradients revealed. */
  readonly reveals: number;
  /** Of them settled as accepted. */
  readonly accepted: number;
  /** Reports taken. */
  readonly reports: number;
  /** Outcomes taken. */
  readonly outcomes: number;
  /** Median loss of the base on the random pages, once settled. */
  readonly randomBefore: Metric;
  /** What outcomes sign, once settled. */
  readonly settledDigest: Bytes | null;
  /** VRAM issued, once paid. */
  readonly issued: bigint;
  /** The merged base, where it moved. */
  readonly mergedHash: Bytes | null;
  /** Median losses on held-out pages, where measured. */
  readonly currentLoss: Metric;
  /** See `currentLoss`. */
  readonly mergedLoss: Metric;
  /** Why it was skipped. */
  readonly skipReason: string | null;
}

/** The summary of a whole view. */
export function summaryOf(view: WindowView): WindowSummary {
  const { outcomes, payout, reported, reveals, status } = view;
  const settled = status === "skipped" ? null : view.settled;
  return {
    window: view.window,
    status,
    baseHash: view.baseHash,
    reveals: reveals.length,
    accepted: settled?.rows.filter(({ verdict }) => verdict === SETTLED.accepted).length ?? 0,
    reports: reported.length,
    outcomes: outcomes.length,
    randomBefore: settled?.randomBefore ?? null,
    settledDigest: settled?.digest ?? null,
    issued: payout?.issued ?? 0n,
    mergedHash: payout?.mergedHash ?? null,
    currentLoss: payout?.currentLoss ?? null,
    mergedLoss: payout?.mergedLoss ?? null,
    skipReason: view.skipReason,
  };
}

/**
 * Refuse a page that no ledger gives.
 *
 * @throws {RangeError}
 */
export function checkPage(before: number, limit: number): void {
  if (!Number.isSafeInteger(before)) {
    throw new RangeError(`Cannot list windows: 'before' must be an integer, it is ${before}`);
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_SUMMARIES) {
    throw new RangeError(`Cannot list windows: 'limit' must be 1..${MAX_SUMMARIES}`);
  }
}
