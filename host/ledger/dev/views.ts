/**
 * What is read of the dev ledger.
 *
 * @module
 */
import { windowDigest } from "../../../enclave/protocol/commit.ts";
import type { Metric } from "../../../enclave/protocol/report.ts";
import type {
  LedgerEvent,
  MinerRow,
  Payout,
  RecordRow,
  RevealRow,
  Settlement,
  SignedRow,
  ValidatorRow,
  WindowMessages,
  WindowStatus,
  WindowView,
} from "../ledger.ts";
import { contextOf } from "./rounds.ts";
import { settledRows } from "./scores.ts";
import { blob, type Row, type State } from "./state.ts";

/** Most events of one page. */
export const MAX_EVENTS = 1_000;

/** A window that has begun. */
export function windowView(state: State, window: number): WindowView {
  const row = state.windowRow(window);
  const context = contextOf(state, window);
  const acc = blob(row.acc);
  const uids = (table: "reports" | "outcomes") =>
    state.all(`select uid from ${table} where window = ? order by uid`, window)
      .map(({ uid }) => uid as number);
  return {
    window,
    status: row.status as WindowStatus,
    hparams: state.hparams(window),
    deadlines: state.deadlines(window),
    baseHash: blob(row.base),
    context,
    acc,
    digest: windowDigest(context, acc),
    reveals: state.all("select * from reveals where window = ? order by position", window)
      .map(toReveal),
    snapshot: state.all("select * from snapshots where window = ? order by uid", window)
      .map(toValidator),
    reported: uids("reports"),
    outcomes: uids("outcomes"),
    settled: row.settled_digest === null ? null : settlement(state, row),
    payout: row.rated === 0 ? null : payout(state, row),
    skipReason: row.skip_reason as string | null,
  };
}

function settlement(state: State, row: Row): Settlement {
  return {
    randomBefore: row.random_before as Metric,
    rows: settledRows(state, row.window as number),
    records: state.all("select * from settled where window = ? order by uid", row.window as number)
      .map(toRecord),
    digest: blob(row.settled_digest),
  };
}

function toRecord(row: Row): RecordRow {
  return {
    uid: row.uid as number,
    average: row.average as number,
    priorAverage: row.prior_average as number,
    priorMeasured: row.prior_measured as number,
    priorAccepted: row.prior_accepted as number,
  };
}

/** The signed bytes of a window, in order of arrival. */
export function messages(state: State, window: number): WindowMessages {
  const rows = (table: "reports" | "outcomes") =>
    state.all(`select * from ${table} where window = ? order by rowid`, window).map(toSigned);
  return { reports: rows("reports"), outcomes: rows("outcomes") };
}

function toSigned(row: Row): SignedRow {
  return {
    validator: row.uid as number,
    message: blob(row.message),
    signature: blob(row.signature),
    key: blob(row.key),
    atMs: row.at_ms as number,
  };
}

function payout(state: State, row: Row): Payout {
  const rows = (role: string) =>
    state.all(
      "select * from payouts where window = ? and role = ? order by uid",
      row.window as number,
      role,
    );
  const merged = row.merged === null ? null : blob(row.merged);
  return {
    miners: rows("miner").map((r) => ({
      uid: r.uid as number,
      owner: r.owner as string,
      weight: BigInt(r.weight as string),
      reward: BigInt(r.reward as string),
      mu: r.mu as number,
      sigma: r.sigma as number,
    })),
    validators: rows("validator").map((r) => ({
      uid: r.uid as number,
      owner: r.owner as string,
      counted: r.counted === 1,
      reward: BigInt(r.reward as string),
    })),
    issued: BigInt(row.issued as string),
    mergedHash: merged !== null && merged.length === 32 ? merged : null,
    currentLoss: row.current_loss as Metric,
    mergedLoss: row.merged_loss as Metric,
  };
}

function toReveal(row: Row): RevealRow {
  return {
    uid: row.uid as number,
    generation: row.generation as number,
    owner: row.owner as string,
    commitSeq: row.commit_seq as number,
    contentHash: blob(row.content_hash),
    size: row.size as number,
    codec: row.codec as number,
    ref: row.ref as string,
  };
}

function toValidator(row: Row): ValidatorRow {
  return {
    uid: row.uid as number,
    generation: row.generation as number,
    owner: row.owner as string,
    stake: BigInt(row.stake as string),
    activeFrom: row.active_from as number,
  };
}

/** All validators, by uid. */
export function validators(state: State): ValidatorRow[] {
  return state.all("select * from validators order by uid").map(toValidator);
}

/** All miners, by uid. */
export function miners(state: State): MinerRow[] {
  return state.all("select * from miners order by uid").map((row) => ({
    ...toValidator(row),
    mu: row.mu as number,
    sigma: row.sigma as number,
    average: row.average as number,
    measured: row.measured as number,
    accepted: row.accepted as number,
    lastAccepted: row.last_accepted as number,
  }));
}

/** Events after `seq`, oldest first. */
export function events(state: State, after: number, limit: number): LedgerEvent[] {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_EVENTS) {
    throw new RangeError(`Cannot read events: 'limit' must be 1..${MAX_EVENTS}`);
  }
  return state.all("select * from events where seq > ? order by seq limit ?", after, limit)
    .map((row) => ({
      seq: row.seq as number,
      atMs: row.at_ms as number,
      window: row.window as number,
      kind: row.kind as string,
      body: JSON.parse(row.body as string),
    }));
}
