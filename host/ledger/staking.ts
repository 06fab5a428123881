/**
 * Pools in which holders of VRAM lock it for a time and share what is deposited as rewards.
 *
 * @module
 */
import type { Address } from "./ledger.ts";
import type { ObjectId } from "./token.ts";

/** Days of the lock of tiers 0 to 3. */
export const LOCK_DAYS = [30, 90, 180, 365] as const;
/** Index of a lock in {@link LOCK_DAYS}. */
export type LockTier = 0 | 1 | 2 | 3;

/** A pool. */
export interface PoolRow {
  /** The object. */
  readonly id: ObjectId;
  /** Locked by all. */
  readonly staked: bigint;
  /** Held for rewards. */
  readonly rewards: bigint;
  /** Of it not yet released to the tickets. */
  readonly unreleased: bigint;
  /** Until all is released. */
  readonly leftMs: number;
  /** Sum of the tickets' weights. */
  readonly weight: bigint;
}

/** Somebody's lock in a pool. */
export interface TicketRow {
  /** The object. */
  readonly id: ObjectId;
  /** Its pool. */
  readonly pool: ObjectId;
  /** Whose it is. */
  readonly owner: Address;
  /** Locked. */
  readonly amount: bigint;
  /** Its lock. */
  readonly tier: LockTier;
  /** Free of penalty from this moment on. */
  readonly unlockMs: number;
  /** Rewards that it could claim now. */
  readonly earned: bigint;
}

/** Calls and views of the pools. Each call refuses with `staking_pool::…`. */
export interface StakingLedger {
  /** Create a pool of VRAM; returns its id. Admin. */
  createPool(sender: Address): Promise<ObjectId>;
  /** Deposit rewards, released over a week. Anyone. */
  depositPoolRewards(sender: Address, pool: ObjectId, amount: bigint): Promise<void>;
  /** Lock VRAM; returns the ticket's id. */
  stake(sender: Address, pool: ObjectId, amount: bigint, tier: LockTier): Promise<ObjectId>;
  /** Take a ticket's rewards from its pool (which need not be named); returns VRAM. Its owner. */
  claimPoolRewards(sender: Address, ticket: ObjectId, pool?: ObjectId): Promise<bigint>;
  /** Take the stake and its rewards, less the penalty before the unlock; returns VRAM. Its owner. */
  unstake(sender: Address, ticket: ObjectId, pool?: ObjectId): Promise<bigint>;
  /** All pools, in the order of their making. */
  pools(): Promise<readonly PoolRow[]>;
  /** Tickets of an owner, in the order of their making. */
  tickets(owner: Address): Promise<readonly TicketRow[]>;
}
