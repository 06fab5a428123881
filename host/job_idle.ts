/**
 * When a validator's judge has nothing else to do: what it owes to the window before is done, and the running one has
 * not ended.
 *
 * @module
 */
import type { Ledger } from "./ledger/ledger.ts";
import { windowOrNull } from "./store/bases.ts";

/** Share of a window that is kept free before its end, where everybody's reveals come in and the judge is prepared. */
const MARGIN = 0.1;

/** Time that no window needs. */
export interface Idle {
  /** Its end, by the ledger's time. */
  readonly until: number;
  /** Length of the running window, in milliseconds. */
  readonly windowMs: number;
}

/** The time from now on in which the judge of validator `uid` is idle; null where it is not. */
export async function idleTime(ledger: Ledger, uid: number): Promise<Idle | null> {
  const now = ledger.now();
  const current = await ledger.currentWindow();
  const { deadlines, hparams } = await ledger.window(current);
  const windowMs = hparams.window_ms;
  const until = deadlines.end - MARGIN * windowMs;
  if (now >= until) return null;
  const before = await windowOrNull(ledger, current - 1);
  if (before === null || before.reveals.length === 0) return { until, windowMs };
  const { outcomes, snapshot, status } = before;
  const owed = snapshot.some((seat) => seat.uid === uid) && !outcomes.includes(uid) &&
    status !== "closed" && status !== "skipped" && now < before.deadlines.outcome;
  return owed ? null : { until, windowMs };
}
