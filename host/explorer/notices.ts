/**
 * What seems to stand still, and why, as far as the ledger shows it.
 *
 * @module
 */
import type { WindowView } from "../ledger/ledger.ts";

/** Of the time to a deadline, the part after which silence is worth a word. */
const LATE = 0.75;

/** Most slots that one notice names. */
const MAX_NAMED = 8;

/** What is looked at. */
export interface Standing {
  /** The newest window that somebody has opened. */
  readonly current: WindowView;
  /** The window that runs by the clock. */
  readonly running: number;
  /** The one that is being judged. */
  readonly previous: WindowView | null;
  /** Ledger time. */
  readonly nowMs: number;
  /** Why the ledger cannot be read. */
  readonly fault: string | null;
}

/** A word about what stands still. */
export interface Notice {
  /** Which part. */
  readonly part: "ledger" | "miners" | "judges" | "validators";
  /** What is seen. */
  readonly text: string;
}

/** Everything that seems to stand still. */
export function notices({ current, fault, nowMs, previous, running }: Standing): Notice[] {
  const found: Notice[] = [];
  if (fault !== null) found.push({ part: "ledger", text: `The ledger does not answer: ${fault}` });
  if (running > current.window + 1) {
    found.push({
      part: "validators",
      text: `Nobody has called in window ${running}, nor since window ${current.window}: ` +
        "validators and miners are stopped",
    });
  }
  const isOver = nowMs >= current.deadlines.reveal;
  const barren = isOver && current.reveals.length === 0 ? current : previous;
  if (barren !== null && barren.reveals.length === 0) {
    found.push({
      part: "miners",
      text: `Nobody revealed a gradient in window ${barren.window}: ` +
        "miners are stopped, or too slow for its deadlines",
    });
  }
  if (isOver && current.reveals.length > 0 && previous !== null) {
    const now = new Set(current.reveals.map(({ uid }) => uid));
    const silent = previous.reveals.map(({ uid }) => uid).filter((uid) => !now.has(uid));
    if (silent.length > 0) {
      const more = silent.length > MAX_NAMED ? ` and ${silent.length - MAX_NAMED} more` : "";
      found.push({
        part: "miners",
        text: `No gradient in window ${current.window} from miner ` +
          `${silent.sort((a, b) => a - b).slice(0, MAX_NAMED).join(", ")}${more}, ` +
          `which revealed one in window ${previous.window}`,
      });
    }
  }
  if (previous === null || previous.reveals.length === 0) return found;
  const { deadlines: { end, outcome, report }, outcomes, reported, snapshot, status } = previous;
  const at = `window ${previous.window}`;
  const isLate = (deadline: number) => nowMs >= end + LATE * (deadline - end);
  if (status === "skipped") {
    found.push({ part: "judges", text: `${at} was skipped: ${previous.skipReason}` });
  } else if (reported.length === 0 && isLate(report)) {
    found.push({
      part: "judges",
      text:
        `No judge has reported ${at}: validators or their judges are stopped, or cannot read the store`,
    });
  } else if (reported.length > 0 && reported.length < snapshot.length && nowMs >= report) {
    const silent = snapshot.filter(({ uid }) => !reported.includes(uid)).map(({ uid }) => uid);
    found.push({
      part: "validators",
      text: `No report of ${at} from validator ${silent.join(", ")}`,
    });
  }
  if (reported.length > 0 && outcomes.length === 0 && status !== "closed" && isLate(outcome)) {
    found.push({ part: "judges", text: `No judge has signed an outcome of ${at}` });
  }
  return found;
}
