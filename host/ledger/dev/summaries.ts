/**
 * The list of windows, from counts instead of rows.
 *
 * @module
 */
import type { Metric } from "../../../enclave/protocol/report.ts";
import { SETTLED } from "../../../enclave/protocol/verdict.ts";
import type { WindowStatus } from "../ledger.ts";
import { checkPage, type WindowSummary } from "../summary.ts";
import { blob, type Row, type State } from "./state.ts";

const count = (table: string, more = "") =>
  `(select count(*) from ${table} as t where t.window = w.window${more})`;

const QUERY = `
select w.*, ${count("reveals")} as reveals, ${count("reports")} as reports,
  ${count("outcomes")} as outcomes, ${count("settled", " and t.verdict = ?")} as accepted
from windows as w where w.window < ? order by w.window desc limit ?`;

/** Windows below `before`, newest first. */
export function windowSummaries(state: State, before: number, limit: number): WindowSummary[] {
  checkPage(before, limit);
  return state.all(QUERY, SETTLED.accepted, before, limit).map(toSummary);
}

function toSummary(row: Row): WindowSummary {
  const settled = row.settled_digest !== null && row.status !== "skipped";
  const rated = row.rated !== 0;
  const merged = row.merged === null ? null : blob(row.merged);
  return {
    window: row.window as number,
    status: row.status as WindowStatus,
    baseHash: blob(row.base),
    reveals: row.reveals as number,
    accepted: settled ? row.accepted as number : 0,
    reports: row.reports as number,
    outcomes: row.outcomes as number,
    randomBefore: settled ? row.random_before as Metric : null,
    settledDigest: settled ? blob(row.settled_digest) : null,
    issued: rated ? BigInt(row.issued as string) : 0n,
    mergedHash: rated && merged?.length === 32 ? merged : null,
    currentLoss: rated ? row.current_loss as Metric : null,
    mergedLoss: rated ? row.merged_loss as Metric : null,
    skipReason: row.skip_reason as string | null,
  };
}
