/**
 * The list of windows, each read whole: the chain keeps no list of its own.
 *
 * @module
 */
import { LedgerError } from "../../../../enclave/protocol/errors.ts";
import type { WindowView } from "../../ledger.ts";
import { summaryOf, type WindowSummary } from "../../summary.ts";

/** Windows in a row without a row of their own, after which the list ends: before it all is pruned. */
const MAX_GAP = 64;

/** Summaries from window `first` down, at most `limit`. */
export async function readSummaries(
  read: (window: number) => Promise<WindowView>,
  first: number,
  limit: number,
): Promise<WindowSummary[]> {
  const found: WindowSummary[] = [];
  let gap = 0;
  for (let window = first; window >= 0 && found.length < limit && gap < MAX_GAP; window--) {
    try {
      found.push(summaryOf(await read(window)));
      gap = 0;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      gap++;
    }
  }
  return found;
}
