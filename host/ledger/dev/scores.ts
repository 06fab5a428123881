/**
 * `score_ledger`: reports in, settlement by cursor, outcomes in. The signed bytes are decoded here; no
 * argument travels beside them.
 *
 * @module
 */
import { type Bytes, equal, toHex } from "../../../enclave/protocol/bytes.ts";
import { windowDigest } from "../../../enclave/protocol/commit.ts";
import { LedgerError, requireThat } from "../../../enclave/protocol/errors.ts";
import { verifySignature } from "../../../enclave/protocol/identity.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import {
  decodeOutcome,
  decodeReport,
  INTENT,
  type MessageHead,
  ratedUids,
  type Report,
} from "../../../enclave/protocol/report.ts";
import {
  lowerMedian,
  nextAverage,
  settledDigest,
  type SettledRow,
  settleEntry,
  type Weighted,
} from "../../../enclave/protocol/settle.ts";
import { hasMetrics } from "../../../enclave/protocol/verdict.ts";
import type { Address } from "../ledger.ts";
import { applyOutcome } from "./outcomes.ts";
import { recordOf, roll as rollAll } from "./peers.ts";
import {
  assertSeedsDrawn,
  closeIfOver,
  contextOf,
  hasQuorum,
  isPrunable,
  stakeSent,
} from "./rounds.ts";
import { blob, type Row, type State } from "./state.ts";
import { roll } from "./validators.ts";

const MODULE = "score_ledger";
/** Reveals that one settle call handles at most. */
export const MAX_SETTLE = 64;

/** `read` with the ledger's refusal for bytes that are no such message. */
export function decode<T>(read: (bytes: Uint8Array) => T, message: Uint8Array): T {
  try {
    return read(message);
  } catch (error) {
    if (error instanceof Refusal) throw new LedgerError(MODULE, "EBadMessage", error.message);
    throw error;
  }
}

/** The checks that both messages share; returns the key that signed. */
function authenticate(
  state: State,
  sender: Address,
  head: MessageHead,
  message: Bytes,
  signature: Bytes,
  intent: number,
): Bytes {
  const info = state.info();
  requireThat(
    equal(head.chainId, info.chainId) && equal(head.ledgerId, info.ledgerId),
    MODULE,
    "EWrongLedger",
    "the message is for another ledger",
  );
  const seat = state.get(
    "select * from snapshots where window = ? and uid = ?",
    head.window,
    head.validator,
  );
  requireThat(
    seat !== undefined && seat.owner === sender,
    MODULE,
    "ENotValidator",
    `${sender} is not validator ${head.validator} of window ${head.window}`,
  );
  // In N+2 all of N's deadlines are over, whatever epochs are still kept.
  const over = `messages of window ${head.window} were taken in the window after it`;
  requireThat(head.window + 2 > state.window(), MODULE, "EWrongPhase", over);
  const { end, report, outcome } = state.deadlines(head.window);
  const deadline = intent === INTENT.report ? report : outcome;
  requireThat(
    state.nowMs >= end && state.nowMs < deadline,
    MODULE,
    "EWrongPhase",
    `messages of window ${head.window} are taken from ${end} until ${deadline}`,
  );
  const enclave = state.get(
    "select * from enclaves where uid = ? and owner = ? and active = 1",
    head.validator,
    sender,
  );
  requireThat(
    enclave !== undefined,
    MODULE,
    "ENoEnclave",
    `validator ${head.validator} has no registered enclave`,
  );
  const measured = state.get(
    "select 1 from measurements where name = ? and active_from <= ?",
    enclave.measurement as string,
    state.nowMs,
  );
  requireThat(
    measured !== undefined,
    "enclave_registry",
    "EMeasurementNotApproved",
    `build ${enclave.measurement} is not approved any more`,
  );
  requireThat(
    intent !== INTENT.report ||
      enclave.registered_ms as number < state.deadlines(head.window).reveal,
    MODULE,
    "EKeyTooNew",
    "a key registered after the reveals cannot sign this report",
  );
  requireThat(
    state.nowMs < (enclave.expires_ms as number),
    MODULE,
    "EKeyExpired",
    "the enclave's key has expired: attest again",
  );
  const key = blob(enclave.key);
  requireThat(
    verifySignature(signature, message, key),
    MODULE,
    "EBadSignature",
    "the signature is not by the registered key",
  );
  return key;
}

/** Take a judge's report. */
export function submitReport(
  state: State,
  sender: Address,
  message: Bytes,
  signature: Bytes,
): void {
  roll(state);
  const report = decode(decodeReport, message);
  const window = report.window;
  const key = authenticate(state, sender, report, message, signature, INTENT.report);
  const row = state.windowRow(window);
  requireThat(row.status === "open", MODULE, "EClosed", `window ${window} takes no reports`);
  requireThat(
    window === 0 || closeIfOver(state, window - 1),
    MODULE,
    "EPreviousOpen",
    `window ${window - 1} is not closed yet`,
  );
  requireThat(
    state.get(
      "select 1 from reports where window = ? and uid = ?",
      window,
      report.validator,
    ) === undefined,
    MODULE,
    "EAlreadySubmitted",
    `validator ${report.validator} has reported window ${window}`,
  );
  assertSeedsDrawn(state, window);
  const digest = windowDigest(contextOf(state, window), blob(row.acc));
  requireThat(
    equal(report.windowDigest, digest),
    MODULE,
    "EWrongDigest",
    `the report judged ${toHex(report.windowDigest)}, the window is ${toHex(digest)}`,
  );
  const uids = state.all("select uid from reveals where window = ? order by uid", window);
  requireThat(
    uids.length === report.entries.length &&
      uids.every(({ uid }, i) => uid === report.entries[i]!.uid),
    MODULE,
    "EWrongEntries",
    "the report does not have one entry for every reveal",
  );
  state.run(
    "insert into reports values (?, ?, ?, ?, ?, ?)",
    window,
    report.validator,
    message,
    signature,
    key,
    state.nowMs,
  );
  state.emit("score_ledger::ReportSubmitted", { window, validator: report.validator, message });
}

/** The reports of a window with the snapshot's stakes. */
export function reportsOf(state: State, window: number): Weighted<Report>[] {
  return state.all(
    `select r.message, s.stake from reports r join snapshots s
     on s.window = r.window and s.uid = r.uid where r.window = ? order by r.uid`,
    window,
  ).map((row) => ({
    value: decodeReport(blob(row.message)),
    stake: BigInt(row.stake as string),
  }));
}

/** Settle up to `limit` more reveals; returns whether all are settled. Calling it again changes nothing. */
export function settle(state: State, window: number, limit: number): boolean {
  rollAll(state);
  requireThat(
    Number.isInteger(limit) && limit >= 1 && limit <= MAX_SETTLE,
    MODULE,
    "EBadLimit",
    `a call settles 1..${MAX_SETTLE} reveals`,
  );
  const row = state.windowRow(window);
  if (row.status === "settled" || row.status === "closed") return true;
  requireThat(row.status !== "skipped", MODULE, "EClosed", `window ${window} was skipped`);
  const { end, report } = state.deadlines(window);
  requireThat(state.nowMs >= end, MODULE, "EReportsOpen", `window ${window} is still running`);
  const { sent, total } = stakeSent(state, window, "reports");
  requireThat(
    sent === total || state.nowMs >= report,
    MODULE,
    "EReportsOpen",
    `reports of window ${window} are taken until ${report}`,
  );
  requireThat(
    hasQuorum(state, window, "reports"),
    MODULE,
    "ENoQuorum",
    `${sent} of ${total} stake has reported window ${window}`,
  );
  const reports = reportsOf(state, window);
  const randomBefore = lowerMedian(
    reports.filter(({ value }) => value.randomBefore !== null)
      .map(({ value, stake }) => ({ value: value.randomBefore!, stake })),
  );
  const rows = state.all(
    "select uid, generation from reveals where window = ? and uid > ? order by uid limit ?",
    window,
    row.cursor as number,
    limit,
  );
  for (const { uid, generation } of rows) {
    const entries = reports.map(({ value, stake }) => ({
      value: value.entries.find((entry) => entry.uid === uid)!,
      stake,
    }));
    const settled = settleEntry(entries, randomBefore);
    const record = recordOf(state, uid as number, generation as number);
    const before = record.average as number;
    state.run(
      "insert into settled values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      window,
      uid as number,
      settled.verdict,
      settled.ownBefore,
      settled.ownAfter,
      settled.randomAfter,
      record.mu as number,
      record.sigma as number,
      hasMetrics(settled.verdict) ? nextAverage(before, randomBefore, settled) : before,
      before,
      record.measured as number,
      record.accepted as number,
    );
  }
  const cursor = (rows.at(-1)?.uid as number) ?? row.cursor as number;
  const left = state.get(
    "select count(*) as n from reveals where window = ? and uid > ?",
    window,
    cursor,
  )!.n as number;
  state.run(
    "update windows set status = 'settling', cursor = ?, random_before = ? where window = ?",
    cursor,
    randomBefore,
    window,
  );
  if (left > 0) {
    state.emit("score_ledger::SettleAdvanced", { window, cursor });
    return false;
  }
  const next = blob(state.windowRow(window + 1).base);
  const acc = blob(row.acc);
  const digest = settledDigest(
    windowDigest(contextOf(state, window), acc),
    next,
    randomBefore,
    settledRows(state, window),
  );
  state.run(
    "update windows set status = 'settled', settled_digest = ? where window = ?",
    digest,
    window,
  );
  state.emit("score_ledger::WindowSettled", { window, digest, randomBefore });
  return true;
}

/** The settled rows, by uid. */
export function settledRows(state: State, window: number): SettledRow[] {
  return state.all("select * from settled where window = ? order by uid", window).map(toSettled);
}

function toSettled(row: Row): SettledRow {
  return {
    uid: row.uid as number,
    verdict: row.verdict as number,
    ownBefore: row.own_before as number | null,
    ownAfter: row.own_after as number | null,
    randomAfter: row.random_after as number | null,
    priorMu: row.prior_mu as number,
    priorSigma: row.prior_sigma as number,
  };
}

/** Take a judge's outcome; the one that crosses half of the stake applies it. */
export function submitOutcome(
  state: State,
  sender: Address,
  message: Bytes,
  signature: Bytes,
): void {
  rollAll(state);
  const outcome = decode(decodeOutcome, message);
  const window = outcome.window;
  const key = authenticate(state, sender, outcome, message, signature, INTENT.outcome);
  const row = state.windowRow(window);
  requireThat(row.status !== "skipped", MODULE, "EClosed", `window ${window} was skipped`);
  requireThat(
    row.settled_digest !== null,
    MODULE,
    "ENotSettled",
    `window ${window} is not settled`,
  );
  requireThat(
    state.get(
      "select 1 from outcomes where window = ? and uid = ?",
      window,
      outcome.validator,
    ) === undefined,
    MODULE,
    "EAlreadySubmitted",
    `validator ${outcome.validator} has sent its outcome of window ${window}`,
  );
  requireThat(
    equal(outcome.settledDigest, blob(row.settled_digest)),
    MODULE,
    "EWrongDigest",
    "the outcome is of another settlement",
  );
  const rated = ratedUids(settledRows(state, window));
  requireThat(
    rated.length === outcome.ratings.length &&
      rated.every((uid, i) => uid === outcome.ratings[i]!.uid),
    MODULE,
    "EWrongEntries",
    "the outcome does not rate exactly the rated miners",
  );
  state.run(
    "insert into outcomes values (?, ?, ?, ?, ?, ?)",
    window,
    outcome.validator,
    message,
    signature,
    key,
    state.nowMs,
  );
  state.emit("score_ledger::OutcomeSubmitted", { window, validator: outcome.validator, message });
  applyOutcome(state, window);
}

/** Drop a window's messages, settled rows and payment. */
export function prune(state: State, window: number): void {
  requireThat(isPrunable(state, window), MODULE, "ETooYoung", `window ${window} is still kept`);
  const judged = state.get("select 1 from reports where window = ? limit 1", window) !== undefined;
  for (const table of ["payouts", "settled", "reports", "outcomes"]) {
    state.run(`delete from ${table} where window = ?`, window);
  }
  if (judged) state.emit("score_ledger::JudgementPruned", { window });
}
