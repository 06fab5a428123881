/**
 * Test support: the dev ledger's state written down as the contracts would store it, object by object.
 *
 * @module
 */
import { datasetRoot } from "../../../enclave/protocol/dataset.ts";
import { DEFAULT_HPARAMS, type Hparams } from "../../../enclave/protocol/hparams.ts";
import type { MinerRow, WindowStatus, WindowView } from "../ledger.ts";
import { bytes32, minerOf, type TestNetwork } from "../testing.ts";
import { HparamsInner, Money, Times, Work } from "./layout/hparams.ts";
import { count, type Of, u16, vector } from "./layout/layout.ts";
import { PeerRegistryInner, PeerSeat, ValidatorRegistryInner } from "./layout/peers.ts";
import {
  GradientRegistryInner,
  Reveal,
  RoundStateInner,
  Submissions,
  Window,
} from "./layout/rounds.ts";
import {
  Chunk,
  ChunkKey,
  Judgement,
  Message,
  MessageKey,
  PayoutRow,
  RewardPoolInner,
  ScoreLedgerInner,
} from "./layout/scores.ts";
import { Dataset, DatasetRegistryInner } from "./layout/token.ts";
import { deployed, idOf, PROFILE, putField, putInner } from "./testing.ts";

const STATUSES: readonly WindowStatus[] = ["open", "settling", "settled", "closed", "skipped"];
/** Ids of the tables. */
export const TABLES = Object.fromEntries(
  [
    "windows",
    "submissions",
    "scores",
    "messages",
    "chunks",
    "payouts",
    "claimable",
    "seats",
    "datasets",
  ]
    .map((name, i) => [name, idOf(0x700 + i)]),
) as Record<string, string>;
const table = (id: string, size = 0) => ({ id, size });
const NONE = table(idOf(0x7ff));

/** Hparams as Move groups them. */
export function params(hparams: Hparams): Of<typeof HparamsInner>["params"] {
  const pick = (fields: object) =>
    Object.fromEntries(Object.keys(fields).map((name) => [name, hparams[name as keyof Hparams]]));
  return { times: pick(Times.fields), work: pick(Work.fields), money: pick(Money.fields) } as never;
}

/** What waits for the next window. */
export interface Waiting {
  /** Hparams. */
  readonly hparams?: Hparams;
  /** Changes of validators' slots. */
  readonly validators?: Of<typeof ValidatorRegistryInner>["pending"];
  /** Changes of miners' slots: null leaves. */
  readonly miners?: Map<number, { owner: string; stake: bigint } | null>;
  /** Who has committed and not revealed. */
  readonly noted?: readonly number[];
}

/** The dev ledger's state as the contracts' objects. */
export async function mirror(
  network: TestNetwork,
  waiting: Waiting = {},
): Promise<Map<string, object>> {
  const { ledger } = network;
  const objects = deployed();
  const info = await ledger.info();
  const running = await ledger.currentWindow();
  const views: WindowView[] = [];
  for (let window = 0; window <= running; window++) views.push(await ledger.window(window));
  const last = views.at(-1)!;
  putInner(objects, "hparams", HparamsInner, {
    params: params(last.hparams),
    pending: waiting.hparams === undefined
      ? null
      : { effective: running + 1, params: params(waiting.hparams) },
    epochs: (await ledger.epochs()).map((epoch) => ({
      first_window: epoch.firstWindow,
      start_ms: epoch.startMs,
      window_ms: epoch.windowMs,
    })),
    unbonding_until: 0,
    beacon_period_ms: info.beacon.periodMs,
    training_pages: 90,
    heldout_pages: 10,
    founded: true,
    offer: null,
  });
  putInner(objects, "roundState", RoundStateInner, {
    founded: true,
    ledger_id: info.ledgerId,
    chain_id: info.chainId,
    model_hash: info.modelHash,
    dataset_root: datasetRoot(info.dataset),
    dataset_pages: info.dataset.pageCount,
    beacon_hash: info.beacon.chainHash,
    beacon_genesis_ms: info.beacon.genesisMs,
    beacon_period_ms: info.beacon.periodMs,
    base: last.baseHash,
    rolled: running,
    open: [],
    windows: table(TABLES.windows!, views.length),
  });
  putInner(objects, "validatorRegistry", ValidatorRegistryInner, {
    slots: (await ledger.validators()).map(({ activeFrom, ...slot }) => ({
      ...slot,
      active_from: activeFrom,
    })),
    pending: waiting.validators ?? [],
    unbonding: NONE,
    generations: Array.from({ length: 32 }, (_, uid) => uid < 2 ? 1 : 0),
    evictions: 0,
    treasury: 0n,
  });
  putInner(objects, "gradientRegistry", GradientRegistryInner, {
    next_seq: 99,
    windows: table(TABLES.submissions!),
  });
  putInner(objects, "scoreLedger", ScoreLedgerInner, {
    windows: table(TABLES.scores!),
    messages: table(TABLES.messages!),
    chunks: table(TABLES.chunks!),
  });
  putInner(objects, "rewardPool", RewardPoolInner, {
    issued: await ledger.issued(),
    claimable: table(TABLES.claimable!),
    owed: 0n,
    treasury: 0n,
    balance: 0n,
    payouts: table(TABLES.payouts!),
  });
  putInner(objects, "datasetRegistry", DatasetRegistryInner, {
    datasets: table(TABLES.datasets!, 2),
    next_id: 2,
    owned: NONE,
  });
  const { merkleRoot, pageCount, pageTokens, tokenizerHash } = info.dataset;
  putField(objects, TABLES.datasets!, "u64", count, 1, Dataset, {
    page_count: pageCount,
    page_tokens: pageTokens,
    tokenizer_hash: tokenizerHash,
    merkle_root: merkleRoot,
    root: datasetRoot(info.dataset),
    owner: null,
    retired: false,
  });
  for (const view of views) await putWindow(objects, network, view);
  await putMiners(objects, network, running, waiting);
  return objects;
}

async function putWindow(
  objects: Map<string, object>,
  { ledger }: TestNetwork,
  view: WindowView,
): Promise<void> {
  const { context: { randomness }, payout, reveals, settled, snapshot, window } = view;
  const stake = (uids: readonly number[]) =>
    snapshot.filter(({ uid }) => uids.includes(uid)).reduce((sum, { stake }) => sum + stake, 0n);
  const seeds = randomness.kind === "ledger";
  putField(objects, TABLES.windows!, "u64", count, window, Window, {
    status: STATUSES.indexOf(view.status),
    params: params(view.hparams),
    base: view.baseHash,
    acc: view.acc,
    reveal_count: reveals.length,
    seats: snapshot.map(({ activeFrom, ...seat }) => ({ ...seat, active_from: activeFrom })),
    snapshot_stake: stake(snapshot.map(({ uid }) => uid)),
    reported_stake: stake(view.reported),
    outcome_stake: stake(view.outcomes),
    assign_seed: seeds ? randomness.assignSeed : new Uint8Array(),
    judge_seed: seeds ? randomness.judgeSeed : new Uint8Array(),
  });
  if (reveals.length === 0) return;
  const chunks = idOf(0x7000 + window);
  putField(objects, TABLES.submissions!, "u64", count, window, Submissions, {
    commits: NONE,
    committed: reveals.map(({ uid }) => uid),
    chunks: table(chunks, 1),
    uids: reveals.map(({ uid }) => uid).sort((a, b) => a - b),
    places: reveals.map((_, i) => i),
  });
  putField(
    objects,
    chunks,
    "u64",
    count,
    0,
    vector(Reveal),
    reveals.map((row) => ({
      uid: row.uid,
      generation: row.generation,
      owner: row.owner,
      commit_seq: row.commitSeq,
      content_hash: row.contentHash,
      size: row.size,
      codec: row.codec,
      storage_ref: row.ref,
    })),
  );
  const { outcomes, reports } = await ledger.messages(window);
  if (reports.length === 0) return;
  const typed = (name: string) => `${PROFILE.packageId}::score_ledger::${name}`;
  for (const [intent, rows] of [[1, reports], [2, outcomes]] as const) {
    for (const { atMs, key, message, signature, validator } of rows) {
      const name = { window, intent, validator };
      putField(objects, TABLES.messages!, typed("MessageKey"), MessageKey, name, Message, {
        bytes: message,
        signature,
        key,
        at_ms: atMs,
      });
    }
  }
  putField(objects, TABLES.scores!, "u64", count, window, Judgement, {
    judges: reports.map(({ validator }) => ({
      uid: validator,
      stake: stake([validator]),
      random_before: 1_000_000,
      rows_at: 125,
      abstained: 0,
      deviated: 0,
    })),
    votes: outcomes.map(({ validator }) => ({
      validator,
      stake: stake([validator]),
      ratings: bytes32("ratings"),
      manifest: null,
      current_loss: null,
      merged_loss: null,
    })),
    cursor: settled?.rows.length ?? 0,
    random_before: settled?.randomBefore ?? null,
    digest: settled?.digest ?? new Uint8Array(),
    rated: payout !== null,
    base: payout === null || payout.mergedHash === null ? null : {
      hash: payout.mergedHash,
      moved: true,
      current_loss: payout.currentLoss,
      merged_loss: payout.mergedLoss,
    },
  });
  if (settled !== null) {
    putField(objects, TABLES.chunks!, typed("ChunkKey"), ChunkKey, { window, index: 0 }, Chunk, {
      rows: settled.rows.map((row) => ({
        uid: row.uid,
        verdict: row.verdict,
        own_before: row.ownBefore,
        own_after: row.ownAfter,
        random_after: row.randomAfter,
        prior_mu: row.priorMu,
        prior_sigma: row.priorSigma,
      })),
      origins: settled.records.map((record) => ({
        generation: reveals.find(({ uid }) => uid === record.uid)!.generation,
        owner: minerOf(record.uid),
        average: record.average,
        measured: record.priorMeasured,
        accepted: record.priorAccepted,
      })),
    });
  }
  if (payout === null) return;
  putField(objects, TABLES.payouts!, "u64", count, window, PayoutRow, {
    issued: payout.issued,
    treasury: 0n,
    miners: [...payout.miners],
    validators: payout.validators.map((row) => ({ ...row, stake: stake([row.uid]) })),
  });
}

async function putMiners(
  objects: Map<string, object>,
  { ledger }: TestNetwork,
  running: number,
  { miners = new Map(), noted = [] }: Waiting,
): Promise<void> {
  const rows = await ledger.miners();
  const bits = (uids: Iterable<number>) =>
    [...uids].reduce((sum, uid) => sum | 1n << BigInt(uid), 0n);
  const uids = [...new Set([...rows.map(({ uid }) => uid), ...miners.keys()])];
  putInner(objects, "peerRegistry", PeerRegistryInner, {
    begun: true,
    seats: table(TABLES.seats!, uids.length),
    accounts: NONE,
    credentials: NONE,
    seated: bits(rows.map(({ uid }) => uid)),
    changing: bits(miners.keys()),
    effective: running + 1,
    unbonding_ms: 1,
    noted: bits(noted),
    noted_window: running,
    noted_fee: 300,
    evictions: 0,
    evictions_window: 0,
    treasury: 12n,
  });
  for (const uid of uids) {
    const row = rows.find((row) => row.uid === uid);
    putField(objects, TABLES.seats!, "u16", u16, uid, PeerSeat, {
      generation: row?.generation ?? 0,
      slot: row === undefined ? null : slotOf(row),
      next: miners.get(uid) ?? null,
      former: [],
    });
  }
}

function slotOf(row: MinerRow) {
  const { accepted, average, measured, mu, sigma } = row;
  return {
    owner: row.owner,
    stake: row.stake,
    active_from: row.activeFrom,
    record: { mu, sigma, average, measured, accepted },
    last_accepted: row.lastAccepted < 0 ? null : row.lastAccepted,
  };
}

/** A `peer_registry` without peers. */
export const PEERS: Of<typeof PeerRegistryInner> = {
  begun: true,
  seats: NONE,
  accounts: NONE,
  credentials: NONE,
  seated: 0n,
  changing: 0n,
  effective: 0,
  unbonding_ms: 0,
  noted: 0n,
  noted_window: 0,
  noted_fee: 0,
  evictions: 0,
  evictions_window: 0,
  treasury: 3n,
};

/** The state of `hparams` before the founding. */
export function unfoundedHparams(): Of<typeof HparamsInner> {
  return {
    params: params(DEFAULT_HPARAMS),
    pending: null,
    epochs: [],
    unbonding_until: 0,
    beacon_period_ms: 0,
    training_pages: 0,
    heldout_pages: 0,
    founded: false,
    offer: null,
  };
}

/** The head of a network that was not founded yet. */
export function putUnfounded(objects: Map<string, object>): void {
  putInner(objects, "hparams", HparamsInner, unfoundedHparams());
  const nothing = new Uint8Array();
  putInner(objects, "roundState", RoundStateInner, {
    founded: false,
    ledger_id: new Uint8Array(32),
    chain_id: nothing,
    model_hash: nothing,
    dataset_root: nothing,
    dataset_pages: 0,
    beacon_hash: nothing,
    beacon_genesis_ms: 0,
    beacon_period_ms: 0,
    base: nothing,
    rolled: null,
    open: [],
    windows: NONE,
  });
  putInner(objects, "validatorRegistry", ValidatorRegistryInner, {
    slots: [],
    pending: [],
    unbonding: NONE,
    generations: [],
    evictions: 0,
    treasury: 0n,
  });
}
