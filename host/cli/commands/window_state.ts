/**
 * Where a window stands, in words, and the last windows of a ledger.
 *
 * @module
 */
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import type { Ledger, WindowView } from "../../ledger/ledger.ts";
import { duration } from "../present/format.ts";

/** A window, or undefined where the ledger has forgotten it, or never had it. */
export async function windowOr(ledger: Ledger, window: number): Promise<WindowView | undefined> {
  if (window < 0) return undefined;
  try {
    return await ledger.window(window);
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}

/** The running window and up to `count` before it that the ledger still has, newest first. */
export async function lastWindows(ledger: Ledger, count: number): Promise<WindowView[]> {
  const current = await ledger.currentWindow();
  const numbers = Array.from({ length: count + 1 }, (_, i) => current - i);
  const views = await Promise.all(numbers.map((window) => windowOr(ledger, window)));
  return views.filter((view) => view !== undefined);
}

/** What is being done in the running window, and how long yet. */
export function phaseOf({ deadlines }: WindowView, now: number): { name: string; until: number } {
  const { commit, end, reveal } = deadlines;
  if (now < commit) return { name: "train and commit", until: commit };
  if (now < reveal) return { name: "reveal", until: reveal };
  return { name: "closed to miners", until: end };
}

/** What is being done about a window that is over. */
export function judgingOf(view: WindowView, now: number): string {
  const { deadlines: { outcome, report }, outcomes, reported, snapshot, status } = view;
  if (status === "closed") return "closed";
  if (status === "skipped") return `skipped: ${view.skipReason}`;
  if (status === "settled") {
    return `outcomes ${outcomes.length}/${snapshot.length}, ${left(outcome, now)}`;
  }
  return `reports ${reported.length}/${snapshot.length}, ${left(report, now)}`;
}

function left(deadline: number, now: number): string {
  return now < deadline ? `${duration(deadline - now)} left` : "overdue: anyone may close it";
}
