/**
 * `peer_registry`: miners' slots, stakes, evictions and ratings. What changes in N takes effect at N+1, by the
 * first call that reaches {@link sync}.
 *
 * @module
 */
import { requireThat } from "../../../enclave/protocol/errors.ts";
import { AVERAGE_ZERO } from "../../../enclave/protocol/settle.ts";
import type { Hparams } from "../../../enclave/protocol/hparams.ts";
import type { Address } from "../ledger.ts";
import { ordinal } from "../pay.ts";
import { chargeEviction, insertPending, joinUnbonding, lowest, withdrawDue } from "./slots.ts";
import type { Row, State } from "./state.ts";
import * as validators from "./validators.ts";

const MODULE = "peer_registry";
/** Rating of a newcomer in 1e-6: mu 25, sigma 25/3 rounded up. */
export const DEFAULT_MU = 25_000_000;
/** See {@link DEFAULT_MU}. */
export const DEFAULT_SIGMA = 8_333_334;
/** Stakes of one owner that unbond side by side; a further one joins the last. */
const MAX_UNBONDING = 32;

/** Bring the ledger to the running window: both registries. */
export function roll(state: State): void {
  validators.roll(state);
  sync(state);
}

/** The last window that the miners' slots were brought to, or -1. */
export function syncedTo(state: State): number {
  return Number(state.meta("synced") ?? "-1");
}

/**
 * Charge for commits of earlier windows that were never revealed, before anybody leaves: nobody escapes the
 * fee by giving up the slot. Then seat and unseat what was decided before this window, which is rolled to.
 */
export function sync(state: State): void {
  const window = state.window();
  const synced = syncedTo(state);
  if (synced >= window) return;
  if (synced < 0) state.run("update miners set active_from = ?", window);
  chargeUnrevealed(state, window);
  applyPending(state, window);
  state.setMeta("evictions/miner", 0);
  state.setMeta("synced", window);
}

/** Commits of a window that are not revealed yet, and what each costs. */
interface Noted {
  window: number;
  fee: number;
  uids: number[];
}

function noted(state: State): Noted | undefined {
  const text = state.meta("noted");
  return text === undefined ? undefined : JSON.parse(text);
}

/** Slot `uid` has committed in the running window: `fee` is due unless it reveals. */
export function noteCommit(state: State, uid: number, window: number, fee: number): void {
  const uids = [...noted(state)?.uids ?? [], uid];
  state.setMeta("noted", JSON.stringify({ window, fee, uids }));
}

/** Slot `uid` has revealed what it committed in the running window. */
export function noteReveal(state: State, uid: number): void {
  const { uids, ...rest } = noted(state)!;
  state.setMeta("noted", JSON.stringify({ ...rest, uids: uids.filter((other) => other !== uid) }));
}

function chargeUnrevealed(state: State, running: number): void {
  const commits = noted(state);
  if (commits === undefined || commits.window >= running) return;
  state.run("delete from meta where key = 'noted'");
  const { window, uids } = commits;
  const wanted = BigInt(commits.fee);
  for (const uid of uids.sort((a, b) => a - b)) {
    const stake = BigInt(state.get("select stake from miners where uid = ?", uid)!.stake as string);
    const fee = wanted < stake ? wanted : stake;
    state.run("update miners set stake = ? where uid = ?", (stake - fee).toString(), uid);
    state.addTotal("treasury/miner", fee);
    state.emit("peer_registry::UnrevealedCharged", { window, uid, fee });
  }
}

function applyPending(state: State, window: number): void {
  const rows = state.all(
    "select * from pending_slots where role = 'miner' and effective <= ? order by uid",
    window,
  );
  // The unbonding time is that of the window in which the changes were asked for, as all of one window are.
  const dueMs = state.nowMs + Number(state.meta("unbonding_ms") ?? "0");
  for (const row of rows) {
    const uid = row.uid as number;
    state.run("delete from pending_slots where role = 'miner' and uid = ?", uid);
    const before = state.get("select * from miners where uid = ?", uid);
    if (before !== undefined) leave(state, before, window, dueMs);
    if (row.owner !== null) sit(state, uid, row.owner as Address, row.stake as string, window);
  }
  // Windows are judged in the next one: later than that nobody asks for a former miner's record.
  state.run("delete from former_miners where left_window + 2 < ?", window);
}

function sit(state: State, uid: number, owner: Address, stake: string, activeFrom: number): void {
  const key = `generation/miner/${uid}`;
  const generation = Number(state.meta(key) ?? "0") + 1;
  state.setMeta(key, generation);
  state.run(
    "insert into miners values (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, -1)",
    uid,
    generation,
    owner,
    stake,
    activeFrom,
    DEFAULT_MU,
    DEFAULT_SIGMA,
    AVERAGE_ZERO,
  );
  state.emit("peer_registry::PeerSeated", { uid, generation, owner });
}

/** Seat a founder: at once. */
export function seatFounder(state: State, uid: number, owner: Address, stake: bigint): void {
  state.emit("peer_registry::PeerRegistered", { uid, owner, stake, from: 0 });
  sit(state, uid, owner, stake.toString(), 0);
}

function leave(state: State, row: Row, window: number, dueMs: number): void {
  const { uid, owner } = row;
  const amount = BigInt(row.stake as string);
  state.run(
    `insert into former_miners
     select uid, generation, mu, sigma, average, measured, accepted, ? from miners where uid = ?`,
    window,
    uid as number,
  );
  state.run("delete from miners where uid = ?", uid as number);
  state.emit("peer_registry::PeerLeft", { uid, owner, amount, dueMs });
  joinUnbonding(state, "miner", owner as Address, amount, dueMs, MAX_UNBONDING);
}

/** Slot `uid` changes at the next window. */
function change(
  state: State,
  uid: number,
  owner: Address | null,
  stake: bigint,
  hparams: Hparams,
): number {
  const from = state.window() + 1;
  insertPending(state, "miner", uid, from, owner, stake);
  state.setMeta("unbonding_ms", hparams.unbonding_ms);
  return from;
}

/** Take a slot: a free one, else one that is idle, else the weakest past its immunity, for a fee. */
export function register(state: State, sender: Address, stake: bigint): number {
  roll(state);
  const window = state.window();
  const hparams = state.hparams(window);
  const least = BigInt(hparams.min_miner_stake);
  requireThat(
    stake >= least,
    MODULE,
    "EInsufficientStake",
    `a miner stakes at least ${least} MIST`,
  );
  const owned = state.get(
    `select uid from miners where owner = ?1 union
     select uid from pending_slots where role = 'miner' and owner = ?1`,
    sender,
  );
  requireThat(
    owned === undefined,
    MODULE,
    "EAlreadyRegistered",
    `${sender} has miner slot ${owned?.uid}`,
  );
  const taken = new Set(
    state.all("select uid from miners union select uid from pending_slots where role = 'miner'")
      .map((row) => row.uid as number),
  );
  let uid = 0;
  while (uid < hparams.max_miners && taken.has(uid)) uid++;
  if (uid === hparams.max_miners) uid = evict(state, sender, stake, window, hparams);
  state.credit(sender, "sui", -stake);
  const from = change(state, uid, sender, stake, hparams);
  state.emit("peer_registry::PeerRegistered", { uid, owner: sender, stake, from });
  return uid;
}

/** The slot whose occupant has to go: an idle one's for nothing, else the weakest one's for the fee. */
function evict(
  state: State,
  sender: Address,
  stake: bigint,
  window: number,
  hparams: Hparams,
): number {
  const candidates = state.all(
    `select * from miners where uid not in
     (select uid from pending_slots where role = 'miner') order by uid`,
  );
  const idle = candidates.find((row) =>
    Math.max(row.last_accepted as number, row.active_from as number) + hparams.inactive_windows <
      window
  );
  const weakest = lowest(
    candidates.filter((row) => row.active_from as number + hparams.immunity_windows <= window),
    (row) => BigInt(ordinal(row.mu as number, row.sigma as number)),
  );
  const found = idle ?? weakest;
  requireThat(found !== undefined, MODULE, "ENoSlot", "every miner is still immune");
  const fee = idle === undefined
    ? chargeEviction(state, "miner", sender, stake, hparams.eviction_fee)
    : 0n;
  state.emit("peer_registry::PeerEvicted", { uid: found.uid, owner: found.owner, fee });
  return found.uid as number;
}

/** Refuse unless `sender` owns slot `uid` now; returns its row. */
export function assertOwner(state: State, uid: number, sender: Address): Row {
  const row = state.get("select * from miners where uid = ?", uid);
  requireThat(
    row !== undefined && row.owner === sender,
    MODULE,
    "ENotOwner",
    `${sender} does not own miner slot ${uid}`,
  );
  return row;
}

/** Leave a slot at the next window. */
export function unregister(state: State, sender: Address, uid: number): void {
  roll(state);
  assertOwner(state, uid, sender);
  const pending = state.get("select 1 from pending_slots where role = 'miner' and uid = ?", uid);
  requireThat(pending === undefined, MODULE, "ENotActive", `slot ${uid} changes already`);
  const from = change(state, uid, null, 0n, state.hparams(state.window()));
  state.emit("peer_registry::PeerLeaving", { uid, owner: sender, from });
}

/** Take back unbonded stake that is due. */
export function withdraw(state: State, sender: Address): bigint {
  roll(state);
  const amount = withdrawDue(state, "miner", sender);
  requireThat(
    amount > 0n,
    MODULE,
    "ENothingToWithdraw",
    `${sender} has no stake whose unbonding is over`,
  );
  state.emit("peer_registry::StakeWithdrawn", { owner: sender, amount });
  return amount;
}

/** Add to the stake of slot `uid`, which unrevealed commits may have eaten. */
export function topUpStake(state: State, sender: Address, uid: number, amount: bigint): void {
  roll(state);
  const row = assertOwner(state, uid, sender);
  requireThat(amount > 0n, MODULE, "EInsufficientStake", "nothing is added to the stake");
  state.credit(sender, "sui", -amount);
  const stake = BigInt(row.stake as string) + amount;
  state.run("update miners set stake = ? where uid = ?", stake.toString(), uid);
  state.emit("peer_registry::StakeAdded", { uid, owner: sender, amount });
}

/** The record of a slot's owner at a time, also when it has left since: mu, sigma, average, measured, accepted. */
export function recordOf(state: State, uid: number, generation: number): Row {
  const columns = "uid, mu, sigma, average, measured, accepted";
  const row = state.get(
    `select ${columns} from miners where uid = ?1 and generation = ?2 union all
     select ${columns} from former_miners where uid = ?1 and generation = ?2`,
    uid,
    generation,
  );
  if (row === undefined) {
    throw new TypeError(`Cannot find generation ${generation} of miner ${uid}`);
  }
  return row;
}
