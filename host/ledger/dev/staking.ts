/**
 * `staking_pool` for VRAM: tickets with a lock and a weight share what a stream of deposits releases.
 *
 * @module
 */
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { Address } from "../ledger.ts";
import {
  LOCK_DAYS,
  type LockTier,
  type PoolRow,
  type StakingLedger,
  type TicketRow,
} from "../staking.ts";
import type { ObjectId } from "../token.ts";
import type { Operations } from "./operations.ts";
import { amountOf, type Row, type State, unknownObject } from "./state.ts";

const MODULE = "staking_pool";
const DAY_MS = 86_400_000;
/** A deposit is released evenly over a week in which somebody stakes. */
const STREAM_MS = 7n * 86_400_000n;
/** Weight of one unit of each tier, in tenths. */
const WEIGHT_TENTHS = [10n, 12n, 15n, 20n];
/** Penalty for leaving before the lock's end; rounded up. */
const PENALTY_BPS = 2_500n;
/** Scale of the accumulator: above any weight, so that a division loses less than a unit of anybody's reward. */
const SCALE = 1n << 128n;

interface Pool {
  readonly id: ObjectId;
  stake: bigint;
  rewards: bigint;
  unreleased: bigint;
  leftMs: bigint;
  updatedMs: bigint;
  weight: bigint;
  tickets: bigint;
  accumulated: bigint;
}

interface Ticket {
  readonly id: ObjectId;
  readonly pool: ObjectId;
  readonly owner: Address;
  readonly amount: bigint;
  readonly tier: LockTier;
  readonly weight: bigint;
  readonly unlockMs: number;
  readonly paidAt: bigint;
  readonly fraction: bigint;
}

function toPool(row: Row): Pool {
  const of = (column: string) => BigInt(row[column] as string);
  return {
    id: row.id as ObjectId,
    stake: of("stake"),
    rewards: of("rewards"),
    unreleased: of("unreleased"),
    leftMs: of("left_ms"),
    updatedMs: of("updated_ms"),
    weight: of("weight"),
    tickets: of("tickets"),
    accumulated: of("accumulated"),
  };
}

function poolOf(state: State, id: ObjectId): Pool {
  const row = state.get("select * from pools where id = ?", id);
  if (row === undefined) throw unknownObject("pool", id);
  return toPool(row);
}

function save(state: State, pool: Pool): void {
  const { id, stake, rewards, unreleased, leftMs, updatedMs, weight, tickets, accumulated } = pool;
  const values = [stake, rewards, unreleased, leftMs, updatedMs, weight, tickets, accumulated];
  state.run(
    `update pools set stake = ?, rewards = ?, unreleased = ?, left_ms = ?, updated_ms = ?, weight = ?,
     tickets = ?, accumulated = ? where id = ?`,
    ...values.map(String),
    id,
  );
}

function toTicket(row: Row): Ticket {
  return {
    id: row.id as ObjectId,
    pool: row.pool as ObjectId,
    owner: row.owner as Address,
    amount: BigInt(row.amount as string),
    tier: row.tier as LockTier,
    weight: BigInt(row.weight as string),
    unlockMs: row.unlock_ms as number,
    paidAt: BigInt(row.paid_at as string),
    fraction: BigInt(row.fraction as string),
  };
}

/** The sender's ticket and the pool that it is used with: by default its own. */
function used(
  state: State,
  sender: Address,
  id: ObjectId,
  named: ObjectId | undefined,
): { ticket: Ticket; pool: Pool } {
  const row = state.get("select * from tickets where id = ? and owner = ?", id, sender);
  if (row === undefined) throw unknownObject("ticket", id);
  const ticket = toTicket(row);
  const pool = poolOf(state, named ?? ticket.pool);
  requireThat(ticket.pool === pool.id, MODULE, "EWrongPool", `the ticket is of ${ticket.pool}`);
  return { ticket, pool };
}

function createPool(state: State, sender: Address): ObjectId {
  state.assertAdmin(sender);
  const id = state.newObject();
  state.run(
    "insert into pools values (?, '0', '0', '0', '0', ?, '0', '0', '0')",
    id,
    String(state.nowMs),
  );
  state.emit("staking_pool::PoolCreated", { pool: id });
  return id;
}

function deposit(state: State, sender: Address, id: ObjectId, amount: bigint): void {
  const pool = poolOf(state, id);
  requireThat(amountOf(amount) > 0n, MODULE, "EZeroAmount", "nothing is deposited");
  release(pool, state.nowMs);
  state.credit(sender, "vram", -amount);
  pool.rewards += amount;
  stream(pool, amount);
  save(state, pool);
  const { unreleased, leftMs } = pool;
  const body = { pool: id, amount, unreleased, leftMs: Number(leftMs) };
  state.emit("staking_pool::RewardsDeposited", body);
}

function stake(
  state: State,
  sender: Address,
  id: ObjectId,
  amount: bigint,
  tier: LockTier,
): ObjectId {
  const pool = poolOf(state, id);
  requireThat(amountOf(amount) > 0n, MODULE, "EZeroAmount", "nothing is staked");
  const [days, tenths] = [LOCK_DAYS[tier], WEIGHT_TENTHS[tier]];
  requireThat(
    days !== undefined && tenths !== undefined,
    MODULE,
    "EBadTier",
    `tier ${tier} is not 0, 1, 2 or 3`,
  );
  release(pool, state.nowMs);
  state.credit(sender, "vram", -amount);
  const weight = amount * tenths;
  pool.stake += amount;
  pool.weight += weight;
  pool.tickets += 1n;
  save(state, pool);
  const ticket = state.newObject();
  const unlockMs = state.nowMs + days * DAY_MS;
  state.run(
    "insert into tickets values (?, ?, ?, ?, ?, ?, ?, ?, '0')",
    ticket,
    id,
    sender,
    amount.toString(),
    tier,
    weight.toString(),
    unlockMs,
    pool.accumulated.toString(),
  );
  state.emit("staking_pool::Staked", { pool: id, ticket, owner: sender, amount, tier, unlockMs });
  return ticket;
}

function claim(state: State, sender: Address, id: ObjectId, named?: ObjectId): bigint {
  const { ticket, pool } = used(state, sender, id, named);
  release(pool, state.nowMs);
  const due = owed(pool, ticket);
  const amount = due / SCALE;
  requireThat(amount > 0n, MODULE, "ENothingToClaim", "the ticket has earned less than one unit");
  state.run(
    "update tickets set paid_at = ?, fraction = ? where id = ?",
    pool.accumulated.toString(),
    (due % SCALE).toString(),
    id,
  );
  state.emit("staking_pool::RewardsClaimed", { pool: pool.id, ticket: id, amount });
  pool.rewards -= amount;
  save(state, pool);
  state.credit(sender, "vram", amount);
  return amount;
}

function unstake(state: State, sender: Address, id: ObjectId, named?: ObjectId): bigint {
  const { ticket, pool } = used(state, sender, id, named);
  release(pool, state.nowMs);
  const reward = owed(pool, ticket) / SCALE;
  const { amount, unlockMs } = ticket;
  const penalty = state.nowMs >= unlockMs ? 0n : (amount * PENALTY_BPS + 9_999n) / 10_000n;
  pool.weight -= ticket.weight;
  pool.tickets -= 1n;
  pool.stake -= amount;
  pool.rewards += penalty - reward;
  stream(pool, penalty);
  // Nobody is owed anything: the fractions that tickets took with them return to the stream.
  if (pool.tickets === 0n) stream(pool, pool.rewards - pool.unreleased);
  save(state, pool);
  state.run("delete from tickets where id = ?", id);
  state.emit("staking_pool::Unstaked", { pool: pool.id, ticket: id, amount, reward, penalty });
  const paid = amount - penalty + reward;
  state.credit(sender, "vram", paid);
  return paid;
}

/** Bring the stream up to `nowMs`: release its share of the time since the last call, if anybody stakes. */
function release(pool: Pool, nowMs: number): void {
  const elapsed = BigInt(nowMs) - pool.updatedMs;
  pool.updatedMs = BigInt(nowMs);
  if (pool.weight === 0n || pool.leftMs === 0n) return;
  const released = releasedIn(pool, elapsed);
  pool.unreleased -= released;
  pool.leftMs -= elapsed < pool.leftMs ? elapsed : pool.leftMs;
  pool.accumulated += released * SCALE / pool.weight;
}

/** What the stream gives in `elapsed` ms; all of it at its end. */
function releasedIn(pool: Pool, elapsed: bigint): bigint {
  return elapsed >= pool.leftMs ? pool.unreleased : pool.unreleased * elapsed / pool.leftMs;
}

/** Put `amount`, which is in `rewards` already, into the stream: its end moves to the mean by amount. */
function stream(pool: Pool, amount: bigint): void {
  if (amount === 0n) return;
  const after = pool.unreleased * pool.leftMs + amount * STREAM_MS;
  pool.unreleased += amount;
  pool.leftMs = after / pool.unreleased;
}

/** What a ticket has earned and was not paid, times `SCALE`. */
function owed(pool: Pool, ticket: Ticket): bigint {
  return ticket.weight * (pool.accumulated - ticket.paidAt) + ticket.fraction;
}

function pools(state: State): PoolRow[] {
  return state.all("select * from pools order by rowid").map(toPool).map((pool) => ({
    id: pool.id,
    staked: pool.stake,
    rewards: pool.rewards,
    unreleased: pool.unreleased,
    leftMs: Number(pool.leftMs),
    weight: pool.weight,
  }));
}

function tickets(state: State, owner: Address): TicketRow[] {
  const rows = state.all("select * from tickets where owner = ? order by rowid", owner);
  return rows.map(toTicket).map((ticket) => {
    const pool = poolOf(state, ticket.pool);
    release(pool, state.nowMs);
    const { id, amount, tier, unlockMs } = ticket;
    const earned = owed(pool, ticket) / SCALE;
    return { id, pool: pool.id, owner, amount, tier, unlockMs, earned };
  });
}

/** The calls of {@link StakingLedger}. */
export const STAKING_CALLS: Operations<StakingLedger> = {
  createPool,
  depositPoolRewards: deposit,
  stake,
  claimPoolRewards: claim,
  unstake,
  pools,
  tickets,
};
