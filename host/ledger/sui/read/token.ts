/**
 * The coin, what is locked of it, and the pools.
 *
 * @module
 */
import type { PoolRow, TicketRow } from "../../staking.ts";
import {
  type AirdropRow,
  type ObjectId,
  type Supply,
  VESTING_CLASSES,
  type VestingRow,
} from "../../token.ts";
import { SuiError } from "../errors.ts";
import type { Of } from "../layout/layout.ts";
import { Airdrop, PoolInner, StakerTicket, TreasuryInner, Vesting, VRAM } from "../layout/token.ts";
import type { SharedObject } from "../profile.ts";
import type { ChainObject, OwnedRef, StateReader } from "../state_reader.ts";

/** Scale of a pool's accumulator. */
const SCALE = 1n << 128n;

/** The coin's totals. */
export async function readSupply(reader: StateReader): Promise<Supply> {
  const [inner] = await reader.inners(["treasury", TreasuryInner]);
  const { burned, issued, mined, tge_done } = inner;
  const treasury = reader.deployment.objects.treasury.id;
  return { issued, mined, burned, generated: tge_done, treasury };
}

/** A shared object as a transaction names it. */
export function toShared({ id, initialSharedVersion }: ChainObject): SharedObject {
  if (initialSharedVersion === null) {
    throw new SuiError("bad_layout", `Object ${id} is not shared`);
  }
  return { id, initialSharedVersion };
}

/** Vestings by id, with what has unlocked at `nowMs`. */
export async function readVestings(
  reader: StateReader,
  ids: readonly ObjectId[],
  nowMs: number,
): Promise<VestingRow[]> {
  const rows = await Promise.all(ids.map((id) => reader.object(id, Vesting)));
  return rows.map((row, i) => {
    if (row === null) throw new SuiError("bad_layout", `There is no vesting ${ids[i]}`);
    const { value } = row;
    return {
      id: ids[i]!,
      class: VESTING_CLASSES[value.class]!,
      beneficiary: value.beneficiary,
      offered: value.offered,
      total: value.total,
      claimed: value.claimed,
      vested: vestedAt(value, nowMs),
      startMs: value.start_ms,
      cliffMs: value.cliff_ms,
      durationMs: value.duration_ms,
    };
  });
}

function vestedAt(vesting: Of<typeof Vesting>, nowMs: number): bigint {
  const begin = vesting.start_ms + vesting.cliff_ms;
  if (nowMs < begin) return 0n;
  if (nowMs - begin >= vesting.duration_ms) return vesting.total;
  return vesting.total * BigInt(nowMs - begin) / BigInt(vesting.duration_ms);
}

/** The airdrop, with the vesting to which its rest goes. */
export async function readAirdrop(
  reader: StateReader,
  id: ObjectId,
): Promise<
  { readonly row: AirdropRow; readonly vesting: ObjectId; readonly shared: SharedObject }
> {
  const found = await reader.object(id, Airdrop);
  if (found === null) throw new SuiError("bad_layout", `There is no airdrop ${id}`);
  const { balance, deadline_ms, leaves, root, treasury_vesting } = found.value;
  return {
    row: { id, root, leaves, deadlineMs: deadline_ms, unclaimed: balance },
    vesting: treasury_vesting,
    shared: toShared(found.object),
  };
}

/** Pools by id. */
export async function readPools(
  reader: StateReader,
  ids: readonly ObjectId[],
): Promise<PoolRow[]> {
  const inners = await reader.innersOf(ids.map((id) => [id, PoolInner] as const));
  return inners.map((inner, i) => ({
    id: ids[i]!,
    staked: inner.stake,
    rewards: inner.rewards,
    unreleased: inner.unreleased,
    leftMs: inner.left_ms,
    weight: inner.total_weight,
  }));
}

/** A ticket and the object that a transaction names. */
export interface OwnedTicket {
  /** As everybody sees it. */
  readonly row: TicketRow;
  /** In a transaction. */
  readonly ref: OwnedRef;
}

/** The tickets of an owner, with what they could claim at `nowMs`. */
export async function readTickets(
  reader: StateReader,
  owner: string,
  nowMs: number,
): Promise<OwnedTicket[]> {
  const { typesId } = reader.deployment;
  const type = `${typesId}::staking_pool::StakerTicket<${typesId}::${VRAM}>`;
  const tickets = await reader.owned(owner, type, StakerTicket);
  const ids = [...new Set(tickets.map(({ value }) => value.pool))];
  const inners = await reader.innersOf(ids.map((id) => [id, PoolInner] as const));
  const pools = new Map(ids.map((id, i) => [id, inners[i]!]));
  return tickets.map(({ ref, value }) => ({
    ref,
    row: {
      id: value.id,
      pool: value.pool,
      owner,
      amount: value.amount,
      tier: value.tier as TicketRow["tier"],
      unlockMs: value.unlock_ms,
      earned: earned(pools.get(value.pool)!, value, nowMs),
    },
  }));
}

/** `staking_pool::earned`. */
function earned(
  pool: Of<typeof PoolInner>,
  ticket: Of<typeof StakerTicket>,
  nowMs: number,
): bigint {
  let owed = ticket.weight * (pool.accumulated - ticket.paid_at) + ticket.fraction;
  const elapsed = Math.max(0, nowMs - pool.updated_ms);
  if (pool.left_ms > 0 && pool.total_weight > 0n) {
    const released = elapsed >= pool.left_ms
      ? pool.unreleased
      : pool.unreleased * BigInt(elapsed) / BigInt(pool.left_ms);
    owed += ticket.weight * (released * SCALE / pool.total_weight);
  }
  return owed / SCALE;
}
