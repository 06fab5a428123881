/**
 * `validator_registry`: validators' slots, stakes and bonds, and the lazy roll-over that upper calls begin with.
 * What changes in N takes effect at N+1.
 *
 * @module
 */
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { Address } from "../ledger.ts";
import { burnBond } from "./mint.ts";
import { endOver, openWindow, rolledTo } from "./rounds.ts";
import { chargeEviction, insertPending, joinUnbonding, lowest, withdrawDue } from "./slots.ts";
import type { Row, State } from "./state.ts";

const MODULE = "validator_registry";
/** Stakes of one owner that unbond side by side; a further one joins the last. */
const MAX_UNBONDING = 16;
/** Bonds in 1e-9 VRAM, by the validators that are seated: below 8, 16, 24, and up to 32. */
const BONDS = [2_100, 4_200, 10_500, 21_000].map((vram) => BigInt(vram) * 1_000_000_000n);
/** No bond while less than this was ever issued: nobody could have one. */
const BOND_THRESHOLD = 1_000_000_000_000_000n;

/** Bring the ledger to the running window: end what is over, seat and unseat, open the window's row. */
export function roll(state: State): void {
  const window = state.window();
  const rolled = rolledTo(state);
  if (rolled >= window) return;
  endOver(state, window);
  // Founders count from the first window, not from window 0.
  if (rolled < 0) state.run("update validators set active_from = ?", window);
  applyPending(state, window);
  state.setMeta("evictions/validator", 0);
  openWindow(state, window);
}

function applyPending(state: State, window: number): void {
  const dueMs = state.nowMs + state.current().unbonding_ms;
  const rows = state.all(
    "select rowid, * from pending_slots where role = 'validator' and effective <= ? order by rowid",
    window,
  );
  for (const row of rows) {
    const uid = row.uid as number;
    state.run("delete from pending_slots where role = 'validator' and uid = ?", uid);
    const before = state.get("select * from validators where uid = ?", uid);
    if (before !== undefined) leave(state, before, dueMs);
    if (row.owner !== null) seat(state, uid, row.owner as Address, row.stake as string, window);
  }
}

/** Seat `owner` in slot `uid`; the founders without a window's delay. */
function seat(state: State, uid: number, owner: Address, stake: string, activeFrom: number): void {
  const key = `generation/validator/${uid}`;
  const generation = Number(state.meta(key) ?? "0") + 1;
  state.setMeta(key, generation);
  state.run(
    "insert into validators values (?, ?, ?, ?, ?)",
    uid,
    generation,
    owner,
    stake,
    activeFrom,
  );
  state.emit("validator_registry::ValidatorSeated", { uid, generation, owner });
}

/** Seat a founder: at once, without fee or bond. */
export function seatFounder(state: State, uid: number, owner: Address, stake: bigint): void {
  const body = { uid, owner, stake, fee: 0n, bond: 0n, from: 0 };
  state.emit("validator_registry::ValidatorRegistered", body);
  seat(state, uid, owner, stake.toString(), 0);
}

/** Put the stake of whoever leaves into unbonding; until it is withdrawn it can still be slashed. */
function leave(state: State, row: Row, dueMs: number): void {
  const { uid, owner } = row;
  const amount = BigInt(row.stake as string);
  state.run("delete from validators where uid = ?", uid as number);
  state.emit("validator_registry::ValidatorLeft", { uid, owner, amount, dueMs });
  joinUnbonding(state, "validator", owner as Address, amount, dueMs, MAX_UNBONDING);
}

/** Take a slot: a free one, else the one of least stake past its immunity, for more stake and a fee. */
export function register(state: State, sender: Address, stake: bigint): number {
  roll(state);
  const window = state.window();
  const hparams = state.current();
  const least = BigInt(hparams.min_validator_stake);
  requireThat(
    stake >= least,
    MODULE,
    "EInsufficientStake",
    `a validator stakes at least ${least} MIST`,
  );
  const owned = state.get(
    `select uid from validators where owner = ?1 union
     select uid from pending_slots where role = 'validator' and owner = ?1`,
    sender,
  );
  requireThat(
    owned === undefined,
    MODULE,
    "EAlreadyRegistered",
    `${sender} has validator slot ${owned?.uid}`,
  );
  const taken = new Set(
    state.all(
      "select uid from validators union select uid from pending_slots where role = 'validator'",
    ).map((row) => row.uid as number),
  );
  let uid = 0;
  while (taken.has(uid)) uid++;
  const full = uid >= hparams.max_validators;
  const evicted = full ? weakest(state, stake, window, hparams.immunity_windows) : undefined;
  const fee = evicted === undefined
    ? 0n
    : chargeEviction(state, "validator", sender, stake, hparams.eviction_fee);
  if (evicted !== undefined) {
    uid = evicted.uid as number;
    state.emit("validator_registry::ValidatorEvicted", { uid, owner: evicted.owner, fee });
  }
  const bond = bondTier(taken.size, state.total("supply"));
  requireThat(
    state.account(sender).vram >= bond,
    MODULE,
    "EInsufficientBond",
    `validator number ${taken.size} burns ${bond} of VRAM`,
  );
  burnBond(state, sender, bond);
  const from = window + 1;
  state.credit(sender, "sui", -stake);
  const body = { uid, owner: sender, stake, fee, bond, from };
  state.emit("validator_registry::ValidatorRegistered", body);
  insertPending(state, "validator", uid, from, sender, stake);
  return uid;
}

/** The slot of least stake past its immunity that does not change already; it has less than `stake`. */
function weakest(state: State, stake: bigint, window: number, immunity: number): Row {
  const open = state.all(
    `select * from validators where active_from + ? <= ? and uid not in
     (select uid from pending_slots where role = 'validator')`,
    immunity,
    window,
  );
  const value = (row: Row) => BigInt(row.stake as string);
  const found = lowest(open, value);
  requireThat(
    found !== undefined && value(found) < stake,
    MODULE,
    "ENoSlot",
    "every validator is still immune, or of more stake",
  );
  return found;
}

/** What a newcomer burns, in 1e-9 VRAM, beside `seated` validators and with `issued` ever issued. */
export function bondTier(seated: number, issued: bigint): bigint {
  return issued < BOND_THRESHOLD ? 0n : BONDS[Math.min(Math.floor(seated / 8), 3)]!;
}

/** Leave a slot at the next window. */
export function unregister(state: State, sender: Address, uid: number): void {
  roll(state);
  const owner = state.get("select owner from validators where uid = ?", uid)?.owner;
  requireThat(
    owner === sender,
    MODULE,
    "ENotOwner",
    `${sender} does not own validator slot ${uid}`,
  );
  const pending = state.get(
    "select 1 from pending_slots where role = 'validator' and uid = ?",
    uid,
  );
  requireThat(pending === undefined, MODULE, "ENotActive", `slot ${uid} changes already`);
  const from = state.window() + 1;
  insertPending(state, "validator", uid, from, null, 0n);
  state.emit("validator_registry::ValidatorLeaving", { uid, owner: sender, from });
}

/** Take back unbonded stake that is due. */
export function withdraw(state: State, sender: Address): bigint {
  const amount = withdrawDue(state, "validator", sender);
  requireThat(
    amount > 0n,
    MODULE,
    "ENothingToWithdraw",
    `${sender} has no stake whose unbonding is over`,
  );
  state.emit("validator_registry::StakeWithdrawn", { owner: sender, amount });
  return amount;
}

/** Take the share `bps` of all that `owner` has at stake: in slot `uid`, in a seat to come, unbonding. */
export function takeStake(
  state: State,
  uid: number,
  owner: Address,
  bps: number,
  window: number,
): bigint {
  let taken = 0n;
  const cut = (table: string, column: string, rows: readonly Row[]) => {
    for (const row of rows) {
      const stake = BigInt(row.amount as string);
      const amount = stake * BigInt(bps) / 10_000n;
      taken += amount;
      state.run(
        `update ${table} set ${column} = ? where rowid = ?`,
        (stake - amount).toString(),
        row.id as number,
      );
    }
  };
  cut(
    "validators",
    "stake",
    state.all(
      "select rowid as id, stake as amount from validators where uid = ? and owner = ?",
      uid,
      owner,
    ),
  );
  const pending = "select rowid as id, stake as amount from pending_slots";
  cut(
    "pending_slots",
    "stake",
    state.all(`${pending} where role = 'validator' and owner = ?`, owner),
  );
  const unbonding = "select id, amount from unbonding";
  cut(
    "unbonding",
    "amount",
    state.all(`${unbonding} where role = 'validator' and owner = ?`, owner),
  );
  state.addTotal("treasury/validator", taken);
  if (taken > 0n) {
    const body = { validator: uid, window, amount: taken, reason: "equivocation" };
    state.emit("validator_registry::ValidatorSlashed", body);
  }
  return taken;
}

/** Who has slot `uid`. */
export function seatOwner(state: State, uid: number): Address | null {
  const owner = state.get("select owner from validators where uid = ?", uid)?.owner;
  return (owner as Address | undefined) ?? null;
}
