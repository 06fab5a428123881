/**
 * What the miners' and the validators' registries have in common: changes to come, unbonding stakes, fees of
 * evictions.
 *
 * @module
 */
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { Address, Role } from "../ledger.ts";
import type { Row, State } from "./state.ts";

/** Which module of the contracts keeps the slots of a role. */
export const MODULE_OF = { miner: "peer_registry", validator: "validator_registry" } as const;
/** Doublings of the eviction's fee in one window. */
const MAX_SHIFT = 32;

/** What slot `uid` becomes at window `effective`: an owner's, or free. */
export function insertPending(
  state: State,
  role: Role,
  uid: number,
  effective: number,
  owner: Address | null,
  stake: bigint,
): void {
  state.run(
    "insert into pending_slots values (?, ?, ?, ?, ?)",
    role,
    uid,
    effective,
    owner,
    owner === null ? null : stake.toString(),
  );
}

/** Let `amount` unbond; of more than `most` entries a further one joins the last and its later date. */
export function joinUnbonding(
  state: State,
  role: Role,
  owner: Address,
  amount: bigint,
  dueMs: number,
  most: number,
): void {
  if (amount === 0n) return;
  const entries = state.all(
    "select id, amount, due_ms from unbonding where role = ? and owner = ? order by id",
    role,
    owner,
  );
  const last = entries.at(-1);
  if (last === undefined || entries.length < most) {
    state.run(
      "insert into unbonding (role, owner, amount, due_ms) values (?, ?, ?, ?)",
      role,
      owner,
      amount.toString(),
      dueMs,
    );
    return;
  }
  state.run(
    "update unbonding set amount = ?, due_ms = ? where id = ?",
    (BigInt(last.amount as string) + amount).toString(),
    Math.max(last.due_ms as number, dueMs),
    last.id as number,
  );
}

/** Whether stake of `owner` has finished unbonding, and not all of it was slashed. */
export function hasDue(state: State, role: Role, owner: Address): boolean {
  const due = state.get(
    "select 1 from unbonding where role = ? and owner = ? and due_ms <= ? and amount <> '0'",
    role,
    owner,
    state.nowMs,
  );
  return due !== undefined;
}

/** Pay out what is due; returns MIST, 0 where nothing is. */
export function withdrawDue(state: State, role: Role, owner: Address): bigint {
  const due = state.all(
    "select id, amount from unbonding where role = ? and owner = ? and due_ms <= ?",
    role,
    owner,
    state.nowMs,
  );
  const amount = due.reduce((sum, row) => sum + BigInt(row.amount as string), 0n);
  for (const row of due) state.run("delete from unbonding where id = ?", row.id as number);
  state.credit(owner, "sui", amount);
  return amount;
}

/**
 * Charge for an eviction: `fee`, doubled with each eviction of the role in this window, from what the sender
 * has beside its stake. Demand is counted for each role by itself.
 */
export function chargeEviction(
  state: State,
  role: Role,
  sender: Address,
  stake: bigint,
  fee: number,
): bigint {
  const demand = `evictions/${role}`;
  const evictions = Number(state.meta(demand) ?? "0");
  const cost = BigInt(fee) << BigInt(Math.min(evictions, MAX_SHIFT));
  requireThat(
    cost === 0n || state.account(sender).sui - stake >= cost,
    MODULE_OF[role],
    "EInsufficientBalance",
    `${sender} lacks the fee of ${cost} MIST for an eviction`,
  );
  state.credit(sender, "sui", -cost);
  state.addTotal(`treasury/${role}`, cost);
  state.setMeta(demand, evictions + 1);
  return cost;
}

/** The row of least value; among equals the longest seated, then the lowest uid. */
export function lowest(rows: readonly Row[], value: (row: Row) => bigint): Row | undefined {
  return [...rows].sort((a, b) =>
    Number(value(a) > value(b)) - Number(value(a) < value(b)) ||
    (a.active_from as number) - (b.active_from as number) || (a.uid as number) - (b.uid as number)
  )[0];
}
