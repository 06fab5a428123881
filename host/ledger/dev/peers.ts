/**
 * `peer_registry` and `validator_registry`: slots, stakes, evictions. What changes in N takes effect at N+1.
 *
 * @module
 */
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { Hparams } from "../../../enclave/protocol/hparams.ts";
import { AVERAGE_ZERO } from "../../../enclave/protocol/settle.ts";
import type { Address } from "../ledger.ts";
import { ordinal } from "../pay.ts";
import type { Row, State } from "./state.ts";

/** Who takes slots. */
export type Role = "miner" | "validator";

/** Rating of a newcomer in 1e-6: mu 25, sigma 25/3 rounded up. */
export const DEFAULT_MU = 25_000_000;
/** See {@link DEFAULT_MU}. */
export const DEFAULT_SIGMA = 8_333_334;

const TABLE = { miner: "miners", validator: "validators" } as const;
/** Which module of the contracts keeps the slots of a role. */
const MODULE = { miner: "peer_registry", validator: "validator_registry" } as const;

/** A founder's slot. */
export interface Seat {
  /** What it does. */
  readonly role: Role;
  /** Who owns it. */
  readonly owner: Address;
  /** MIST. */
  readonly stake: bigint;
}

/** Why founders may not be seated as they are, or null: they keep to the rules that {@link register} has. */
export function badSeat(seats: readonly Seat[], hparams: Hparams): string | null {
  for (const role of ["miner", "validator"] as const) {
    const { least, slots } = limitsOf(role, hparams);
    const seated = seats.filter((seat) => seat.role === role);
    if (seated.length > slots) return `${seated.length} ${role}s have ${slots} slots`;
    if (new Set(seated.map(({ owner }) => owner)).size < seated.length) {
      return `an owner has two ${role} slots`;
    }
    const poor = seated.find(({ stake }) => stake < least);
    if (poor !== undefined) return `a ${role} stakes at least ${least} MIST, not ${poor.stake}`;
  }
  return null;
}

function limitsOf(role: Role, hparams: Hparams): { least: bigint; slots: number } {
  return role === "miner"
    ? { least: BigInt(hparams.min_miner_stake), slots: hparams.max_miners }
    : { least: BigInt(hparams.min_validator_stake), slots: hparams.max_validators };
}

/** Take a slot for `sender`: a free one, else one that is inactive, else the weakest past its immunity, for a fee. */
export function register(state: State, role: Role, sender: Address, stake: bigint): number {
  const window = state.window();
  const { least, slots } = limitsOf(role, state.hparams(window));
  requireThat(
    stake >= least,
    MODULE[role],
    "EInsufficientStake",
    `a ${role} stakes at least ${least} MIST`,
  );
  const owned = state.get(
    `select uid from ${TABLE[role]} where owner = ?1 union
     select uid from pending_slots where role = ?2 and owner = ?1`,
    sender,
    role,
  );
  requireThat(
    owned === undefined,
    MODULE[role],
    "EAlreadyRegistered",
    `${sender} has ${role} slot ${owned?.uid}`,
  );
  const taken = new Set(
    state.all(
      `select uid from ${TABLE[role]} union select uid from pending_slots where role = ?`,
      role,
    ).map((row) => row.uid as number),
  );
  let uid = 0;
  while (taken.has(uid)) uid++;
  if (uid >= slots) uid = evict(state, role, stake, window, sender);
  state.credit(sender, "sui", -stake);
  state.run(
    "insert or replace into pending_slots values (?, ?, ?, ?, ?)",
    role,
    uid,
    window + 1,
    sender,
    stake.toString(),
  );
  state.emit("peer_registry::PeerRegistered", {
    role,
    uid,
    owner: sender,
    stake,
    from: window + 1,
  });
  return uid;
}

/** The slot whose occupant has to go: an idle miner's for nothing, else the weakest one's for the fee. */
function evict(state: State, role: Role, stake: bigint, window: number, sender: Address): number {
  const hparams = state.hparams(window);
  const candidates = state.all(
    `select * from ${TABLE[role]} where uid not in
     (select uid from pending_slots where role = ?) order by uid`,
    role,
  );
  const idle = role === "validator"
    ? undefined
    : candidates.find((row) =>
      Math.max(row.last_accepted as number, row.active_from as number) + hparams.inactive_windows <
        window
    );
  if (idle !== undefined) return evicted(state, role, idle, 0n);
  const value = role === "miner"
    ? (row: Row) => BigInt(ordinal(row.mu as number, row.sigma as number))
    : (row: Row) => BigInt(row.stake as string);
  const weakest = lowest(
    candidates.filter((row) => row.active_from as number + hparams.immunity_windows <= window),
    value,
  );
  requireThat(
    weakest !== undefined && (role === "miner" || value(weakest) < stake),
    MODULE[role],
    "ENoSlot",
    `every ${role} is still immune, or a validator of more stake`,
  );
  // Demand is counted for each role by itself: newcomers among miners make no validator dearer.
  const demand = `evictions/${role}`;
  const evictions = Number(state.meta(demand) ?? "0");
  const fee = BigInt(hparams.eviction_fee) << BigInt(Math.min(evictions, 32));
  state.credit(sender, "sui", -fee);
  state.addTotal("treasury_sui", fee);
  state.setMeta(demand, evictions + 1);
  return evicted(state, role, weakest, fee);
}

function evicted(state: State, role: Role, row: Row, fee: bigint): number {
  state.emit("peer_registry::PeerEvicted", { role, uid: row.uid, owner: row.owner, fee });
  return row.uid as number;
}

/** The row of least value; among equals the longest seated, then the lowest uid. */
function lowest(rows: readonly Row[], value: (row: Row) => bigint): Row | undefined {
  return [...rows].sort((a, b) =>
    Number(value(a) > value(b)) - Number(value(a) < value(b)) ||
    (a.active_from as number) - (b.active_from as number) || (a.uid as number) - (b.uid as number)
  )[0];
}

/** Leave a slot at the next window. */
export function unregister(state: State, sender: Address, role: Role, uid: number): void {
  const row = state.get(`select owner from ${TABLE[role]} where uid = ?`, uid);
  requireThat(
    row?.owner === sender,
    MODULE[role],
    "ENotOwner",
    `${sender} does not own ${role} slot ${uid}`,
  );
  const pending = state.get("select 1 from pending_slots where role = ? and uid = ?", role, uid);
  requireThat(pending === undefined, MODULE[role], "ENotActive", `slot ${uid} changes already`);
  const from = state.window() + 1;
  state.run("insert into pending_slots values (?, ?, ?, null, null)", role, uid, from);
  state.emit("peer_registry::PeerLeaving", { role, uid, owner: sender, from });
}

/** Take back unbonded stake that is due. */
export function withdraw(state: State, sender: Address): bigint {
  const due = state.all(
    "select id, amount from unbonding where owner = ? and due_ms <= ?",
    sender,
    state.nowMs,
  );
  const amount = due.reduce((sum, row) => sum + BigInt(row.amount as string), 0n);
  requireThat(
    amount > 0n,
    "peer_registry",
    "ENothingToWithdraw",
    `${sender} has no stake whose unbonding is over`,
  );
  for (const row of due) state.run("delete from unbonding where id = ?", row.id as number);
  state.credit(sender, "sui", amount);
  state.emit("peer_registry::StakeWithdrawn", { owner: sender, amount });
  return amount;
}

/** Put the stake of whoever leaves a slot into unbonding; until it is withdrawn it can still be slashed. */
function leave(state: State, role: Role, row: Row, window: number, unbondingMs: number): void {
  const uid = row.uid as number;
  const amount = BigInt(row.stake as string);
  const dueMs = state.nowMs + unbondingMs;
  if (amount > 0n) {
    state.run(
      "insert into unbonding (role, owner, amount, due_ms) values (?, ?, ?, ?)",
      role,
      row.owner as string,
      amount.toString(),
      dueMs,
    );
  }
  if (role === "miner") {
    state.run(
      `insert into former_miners
       select uid, generation, mu, sigma, average, measured, accepted, ? from miners where uid = ?`,
      window,
      uid,
    );
  }
  state.run(`delete from ${TABLE[role]} where uid = ?`, uid);
  state.emit("peer_registry::PeerLeft", { role, uid, owner: row.owner, amount, dueMs });
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

/** Seat and unseat what was decided before `window`. */
export function applyPendingSlots(state: State, window: number): void {
  const hparams = JSON.parse(state.meta("hparams")!);
  const rows = state.all(
    "select * from pending_slots where effective <= ? order by role, uid",
    window,
  );
  for (const row of rows) {
    const role = row.role as Role;
    const uid = row.uid as number;
    const before = state.get(`select * from ${TABLE[role]} where uid = ?`, uid);
    if (before !== undefined) leave(state, role, before, window, hparams.unbonding_ms);
    if (row.owner === null) continue;
    const key = `generation/${role}/${uid}`;
    const generation = Number(state.meta(key) ?? "0") + 1;
    state.setMeta(key, generation);
    const head = [uid, generation, row.owner as string, row.stake as string, window] as const;
    if (role === "validator") {
      state.run("insert into validators values (?, ?, ?, ?, ?)", ...head);
    } else {
      state.run(
        "insert into miners values (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, -1)",
        ...head,
        DEFAULT_MU,
        DEFAULT_SIGMA,
        AVERAGE_ZERO,
      );
    }
    state.emit("peer_registry::PeerSeated", { role, uid, generation, owner: row.owner });
  }
  state.run("delete from pending_slots where effective <= ?", window);
  // Windows are judged in the next one: later than that nobody asks for a former miner's record.
  state.run("delete from former_miners where left_window + 2 < ?", window);
}
