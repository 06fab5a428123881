/**
 * A window as everybody sees it, put together from four modules' tables. They are read one after the other, so
 * the parts are held against each other: the reveals must fold to the row's accumulator, and the rows that were
 * read first must be unchanged at the end.
 *
 * @module
 */
import { equal } from "../../../../enclave/protocol/bytes.ts";
import {
  foldReveals,
  type Randomness,
  type WindowContext,
  windowDigest,
} from "../../../../enclave/protocol/commit.ts";
import { firstRoundAfter, firstRoundAtOrAfter } from "../../../../enclave/protocol/drand.ts";
import { LedgerError } from "../../../../enclave/protocol/errors.ts";
import { hparamsDigest } from "../../../../enclave/protocol/hparams.ts";
import type { Payout, RevealRow, WindowStatus, WindowView } from "../../ledger.ts";
import { SuiError } from "../errors.ts";
import type { Of } from "../layout/layout.ts";
import { GradientRegistryInner, Submissions, Window } from "../layout/rounds.ts";
import { Judgement, PayoutRow, RewardPoolInner, ScoreLedgerInner } from "../layout/scores.ts";
import type { ChainObject, StateReader } from "../state_reader.ts";
import {
  assertFounded,
  hasReportQuorum,
  type Head,
  openedRow,
  STATUS,
  windowState,
} from "./head.ts";
import { readSettlement } from "./settlement.ts";

/** Reveals of a chunk. */
const REVEAL_CHUNK = 64;
/** Tries at a window that changes while it is read. */
const TRIES = 5;
const NAMES: readonly WindowStatus[] = ["open", "settling", "settled", "closed", "skipped"];

/** The tables in which windows lie. */
export interface WindowTables {
  /** `round_state`'s. */
  readonly windows: Head["rounds"]["windows"];
  /** `gradient_registry`'s. */
  readonly submissions: Of<typeof GradientRegistryInner>["windows"];
  /** `score_ledger`'s. */
  readonly scores: Of<typeof ScoreLedgerInner>;
  /** `reward_distributor`'s. */
  readonly payouts: Of<typeof RewardPoolInner>["payouts"];
}

/** Read which tables hold the windows. */
export async function windowTables(reader: StateReader, head: Head): Promise<WindowTables> {
  const [gradients, scores, pool] = await reader.inners(
    ["gradientRegistry", GradientRegistryInner],
    ["scoreLedger", ScoreLedgerInner],
    ["rewardPool", RewardPoolInner],
  );
  return {
    windows: head.rounds.windows,
    submissions: gradients.windows,
    scores,
    payouts: pool.payouts,
  };
}

/** Read a window that has begun. */
export async function readWindow(
  reader: StateReader,
  head: Head,
  tables: WindowTables,
  window: number,
): Promise<WindowView> {
  assertFounded(head);
  const ids = [
    reader.entryId(tables.windows, window),
    reader.entryId(tables.submissions, window),
    reader.entryId(tables.scores.windows, window),
    reader.entryId(tables.payouts, window),
  ];
  let found = await reader.objects(ids);
  for (let tries = 0; tries < TRIES; tries++) {
    const view = await assemble(reader, head, tables, window, found);
    const again = await reader.objects(ids);
    // Commits move the submissions and nothing that is shown.
    const quiet = again.every((object, i) => i === 1 || object?.version === found[i]?.version);
    if (view !== null && quiet) return view;
    found = again;
  }
  throw new SuiError("torn_read", `Window ${window} changed while it was read`);
}

/** The view, or null where its parts are of different moments. */
async function assemble(
  reader: StateReader,
  head: Head,
  tables: WindowTables,
  window: number,
  [rowObject, submissionsObject, judgementObject, payoutObject]: readonly (ChainObject | null)[],
): Promise<WindowView | null> {
  const row = reader.valueOf(tables.windows, rowObject!) as Of<typeof Window> | null ??
    openedRow(head, window);
  if (row === null) {
    throw new LedgerError(
      "round_state",
      "EUnknownWindow",
      `window ${window} has no row: nobody called in it, it has not begun, or it was pruned`,
    );
  }
  const submissions = reader.valueOf(tables.submissions, submissionsObject!) as
    | Of<typeof Submissions>
    | null;
  const judgement = reader.valueOf(tables.scores.windows, judgementObject!) as
    | Of<typeof Judgement>
    | null;
  const payout = reader.valueOf(tables.payouts, payoutObject!) as Of<typeof PayoutRow> | null;
  const reveals = submissions === null ? [] : await readReveals(reader, submissions);
  if (!equal(foldReveals(reveals), row.acc)) return null;
  const state = windowState(head, window, row);
  const context = contextOf(head, window, state);
  const digest = windowDigest(context, row.acc);
  const skipped = state.status === STATUS.skipped;
  const settled = judgement === null || judgement.digest.length === 0 || skipped
    ? null
    : await readSettlement(reader, tables.scores, window, judgement);
  const sorted = (uids: number[]) => uids.sort((a, b) => a - b);
  return {
    window,
    status: NAMES[state.status]!,
    hparams: state.hparams,
    deadlines: state.deadlines,
    baseHash: row.base,
    context,
    acc: row.acc,
    digest,
    reveals,
    snapshot: row.seats.map(({ active_from, ...seat }) => ({ ...seat, activeFrom: active_from })),
    reported: sorted(judgement?.judges.map(({ uid }) => uid) ?? []),
    outcomes: sorted(judgement?.votes.map(({ validator }) => validator) ?? []),
    settled,
    payout: payout === null || judgement?.rated !== true ? null : toPayout(payout, judgement),
    skipReason: skipped ? `no quorum of ${hasReportQuorum(row) ? "outcomes" : "reports"}` : null,
  };
}

async function readReveals(
  reader: StateReader,
  { chunks, uids }: Of<typeof Submissions>,
): Promise<RevealRow[]> {
  const keys = Array.from({ length: Math.ceil(uids.length / REVEAL_CHUNK) }, (_, i) => i);
  const found = await reader.entries(chunks, keys);
  return found.flatMap((chunk) => chunk ?? []).slice(0, uids.length).map((row) => ({
    uid: row.uid,
    generation: row.generation,
    owner: row.owner,
    commitSeq: row.commit_seq,
    contentHash: row.content_hash,
    size: row.size,
    codec: row.codec,
    ref: row.storage_ref,
  }));
}

/** What a window's digest binds. */
function contextOf(
  head: Head,
  window: number,
  { deadlines, hparams, row }: ReturnType<typeof windowState>,
): WindowContext {
  const { rounds } = head;
  const seed = (bytes: Of<typeof Window>["base"]) =>
    bytes.length === 32 ? bytes : new Uint8Array(32);
  const beacon = {
    chainHash: rounds.beacon_hash,
    publicKey: new Uint8Array(96),
    genesisMs: rounds.beacon_genesis_ms,
    periodMs: rounds.beacon_period_ms,
  };
  const randomness: Randomness = hparams.randomness_kind === 0
    ? {
      kind: "drand",
      chainHash: rounds.beacon_hash,
      assignRound: Number(firstRoundAfter(beacon, deadlines.start)),
      judgeRound: Number(firstRoundAtOrAfter(beacon, deadlines.reveal + hparams.beacon_margin_ms)),
    }
    : { kind: "ledger", assignSeed: seed(row.assign_seed), judgeSeed: seed(row.judge_seed) };
  return {
    chainId: rounds.chain_id,
    ledgerId: rounds.ledger_id,
    workload: hparams.workload,
    version: hparams.version,
    window,
    hparamsDigest: hparamsDigest(hparams),
    modelHash: rounds.model_hash,
    baseHash: row.base,
    datasetRoot: rounds.dataset_root,
    randomness,
  };
}

function toPayout(row: Of<typeof PayoutRow>, { base }: Of<typeof Judgement>): Payout {
  return {
    miners: row.miners,
    validators: row.validators.map(({ counted, owner, reward, uid }) => ({
      uid,
      owner,
      counted,
      reward,
    })),
    issued: row.issued,
    mergedHash: base?.moved === true ? base.hash : null,
    currentLoss: base?.current_loss ?? null,
    mergedLoss: base?.merged_loss ?? null,
  };
}
