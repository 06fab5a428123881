/// Staking of a coin `T` for a share of rewards in the same coin. A stake is a ticket with a lock (30, 90, 180
/// or 365 days) and a weight (1.0, 1.2, 1.5 or 2.0 times the amount).
///
/// Rewards are not paid out at once: each deposit is streamed over `STREAM_MS`, and the stream stands still
/// while nobody stakes. So a stake that arrives just before a deposit, or into an empty pool, earns for the time
/// that it is there, and finds no jackpot. What the stream releases is divided by weight through an accumulator
/// scaled by 2^128 and rounded down; each ticket carries its fraction of a unit, and what tickets leave behind joins
/// the stream again when the last one goes, so no unit is lost.
/// The penalty for leaving early goes into the same stream. Two balances are kept apart, and so
/// `stake` always equals the sum of the tickets' amounts.
module vramhub::staking_pool;

use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::Coin;
use sui::dynamic_field;
use sui::event;
use vramhub::hparams::AdminCap;

// === Constants ===

const VERSION: u64 = 1;
const DAY_MS: u64 = 86_400_000;
/// A deposit is released evenly over a week in which somebody stakes.
const STREAM_MS: u64 = 7 * DAY_MS;
/// Lock of each tier.
const LOCK_DAYS: vector<u64> = vector[30, 90, 180, 365];
/// Weight of one unit of each tier, in tenths: an integer, so that nothing is gained by cutting a stake up.
const WEIGHT_TENTHS: vector<u128> = vector[10, 12, 15, 20];
/// Penalty for leaving before the lock's end; rounded up.
const PENALTY_BPS: u128 = 2_500;
const BPS: u128 = 10_000;
/// Scale of the accumulator: above any weight, so that a division loses less than a unit of anybody's reward.
const SCALE: u256 = 1 << 128;

// === Errors ===

/// Empty coins are not taken.
#[error(code = 1)]
const EZeroAmount: vector<u8> = b"The amount is zero";
/// There are tiers 0 to 3.
#[error(code = 2)]
const EBadTier: vector<u8> = b"A tier is 0, 1, 2 or 3";
/// A ticket counts in its own pool only.
#[error(code = 3)]
const EWrongPool: vector<u8> = b"The ticket is of another pool";
/// The ticket has earned less than one unit since its last claim.
#[error(code = 4)]
const ENothingToClaim: vector<u8> = b"There is nothing to claim";
/// The object is of another version of the package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

// === Objects ===

/// A pool. Only the admin makes one.
public struct StakingPool<phantom T> has key { id: UID, version: u64 }

public struct PoolInner<phantom T> has store {
    /// The sum of the tickets' amounts.
    stake: Balance<T>,
    /// All rewards not paid yet: `unreleased` and what the tickets have earned.
    rewards: Balance<T>,
    /// Of `rewards`, what the stream still holds.
    unreleased: u64,
    /// How long the stream still runs; zero only when it is empty.
    left_ms: u64,
    /// When the stream was last brought up to date.
    updated_ms: u64,
    total_weight: u128,
    tickets: u64,
    /// Rewards a unit of weight since the beginning, times `SCALE`.
    accumulated: u256,
}

/// A stake. Without `store`: it stays with its owner.
public struct StakerTicket<phantom T> has key {
    id: UID,
    pool: ID,
    amount: u64,
    tier: u8,
    weight: u128,
    unlock_ms: u64,
    /// The pool's accumulator when this ticket was last paid.
    paid_at: u256,
    /// Fraction of a unit earned and not paid, times `SCALE`.
    fraction: u256,
}

// === Events ===

public struct PoolCreated has copy, drop { pool: ID }
public struct Staked has copy, drop {
    pool: ID,
    ticket: ID,
    owner: address,
    amount: u64,
    tier: u8,
    unlock_ms: u64,
}
public struct RewardsDeposited has copy, drop {
    pool: ID,
    amount: u64,
    unreleased: u64,
    left_ms: u64,
}
public struct RewardsClaimed has copy, drop { pool: ID, ticket: ID, amount: u64 }
public struct Unstaked has copy, drop {
    pool: ID,
    ticket: ID,
    amount: u64,
    reward: u64,
    penalty: u64,
}

// === Pools ===

/// Make and share a pool for `T`.
public fun create_pool<T>(_: &AdminCap, clock: &Clock, ctx: &mut TxContext) {
    let mut pool = StakingPool<T> { id: object::new(ctx), version: VERSION };
    let inner = PoolInner<T> {
        stake: balance::zero(),
        rewards: balance::zero(),
        unreleased: 0,
        left_ms: 0,
        updated_ms: clock.timestamp_ms(),
        total_weight: 0,
        tickets: 0,
        accumulated: 0,
    };
    dynamic_field::add(&mut pool.id, VERSION, inner);
    event::emit(PoolCreated { pool: object::id(&pool) });
    transfer::share_object(pool);
}

/// The door of an upgrade: there is nothing older than version 1.
public fun migrate<T>(_: &AdminCap, _: &mut StakingPool<T>) {
    abort EWrongVersion
}

/// Add rewards; anyone may. They join the stream, whose end moves to the mean of the two ends weighted by
/// amount: a dust deposit cannot stretch it.
public fun deposit_rewards<T>(pool: &mut StakingPool<T>, coin: Coin<T>, clock: &Clock) {
    let id = object::id(pool);
    let inner = inner_mut(pool);
    let amount = coin.value();
    assert!(amount > 0, EZeroAmount);
    inner.release(clock.timestamp_ms());
    inner.rewards.join(coin.into_balance());
    inner.stream(amount);
    event::emit(RewardsDeposited {
        pool: id,
        amount,
        unreleased: inner.unreleased,
        left_ms: inner.left_ms,
    });
}

// === Tickets ===

/// Stake all of `coin` in `tier` (0: 30 days, 1: 90, 2: 180, 3: 365). The ticket goes to the sender.
public fun stake<T>(
    pool: &mut StakingPool<T>,
    coin: Coin<T>,
    tier: u8,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let pool_id = object::id(pool);
    let inner = inner_mut(pool);
    let now = clock.timestamp_ms();
    let amount = coin.value();
    assert!(amount > 0, EZeroAmount);
    let (lock_ms, tenths) = terms(tier);
    inner.release(now);
    let weight = (amount as u128) * tenths;
    inner.stake.join(coin.into_balance());
    inner.total_weight = inner.total_weight + weight;
    inner.tickets = inner.tickets + 1;
    let ticket = StakerTicket<T> {
        id: object::new(ctx),
        pool: pool_id,
        amount,
        tier,
        weight,
        unlock_ms: now + lock_ms,
        paid_at: inner.accumulated,
        fraction: 0,
    };
    let owner = ctx.sender();
    event::emit(Staked {
        pool: pool_id,
        ticket: object::id(&ticket),
        owner,
        amount,
        tier,
        unlock_ms: ticket.unlock_ms,
    });
    transfer::transfer(ticket, owner);
}

/// Take what the ticket has earned. The ticket's owner only: others cannot name it.
public fun claim_rewards<T>(
    pool: &mut StakingPool<T>,
    ticket: &mut StakerTicket<T>,
    clock: &Clock,
    ctx: &mut TxContext,
): Coin<T> {
    let pool_id = object::id(pool);
    assert!(ticket.pool == pool_id, EWrongPool);
    let inner = inner_mut(pool);
    inner.release(clock.timestamp_ms());
    let owed = inner.owed(ticket);
    let amount = (owed / SCALE) as u64;
    assert!(amount > 0, ENothingToClaim);
    ticket.paid_at = inner.accumulated;
    ticket.fraction = owed % SCALE;
    event::emit(RewardsClaimed { pool: pool_id, ticket: object::id(ticket), amount });
    inner.rewards.split(amount).into_coin(ctx)
}

/// End the stake: gives back the amount, less a quarter of it before the lock's end, and all that it has earned.
/// The penalty streams to whoever stakes from then on.
public fun unstake<T>(
    pool: &mut StakingPool<T>,
    ticket: StakerTicket<T>,
    clock: &Clock,
    ctx: &mut TxContext,
): Coin<T> {
    let pool_id = object::id(pool);
    assert!(ticket.pool == pool_id, EWrongPool);
    let inner = inner_mut(pool);
    let now = clock.timestamp_ms();
    inner.release(now);
    let reward = (inner.owed(&ticket) / SCALE) as u64;
    let StakerTicket { id, amount, weight, unlock_ms, .. } = ticket;
    let penalty = if (now >= unlock_ms) 0 else penalty_of(amount);
    inner.total_weight = inner.total_weight - weight;
    inner.tickets = inner.tickets - 1;
    let mut out = inner.stake.split(amount);
    inner.rewards.join(out.split(penalty));
    out.join(inner.rewards.split(reward));
    inner.stream(penalty);
    if (inner.tickets == 0) {
        // Nobody is owed anything: the fractions that tickets took with them return to the stream.
        let dust = inner.rewards.value() - inner.unreleased;
        inner.stream(dust);
    };
    event::emit(Unstaked { pool: pool_id, ticket: id.to_inner(), amount, reward, penalty });
    id.delete();
    out.into_coin(ctx)
}

// === The stream ===

/// Bring the stream up to `now`: release its share of the time since the last call, if anybody stakes.
fun release<T>(inner: &mut PoolInner<T>, now: u64) {
    let elapsed = now - inner.updated_ms;
    inner.updated_ms = now;
    if (inner.total_weight == 0 || inner.left_ms == 0) return;
    let released = released_in(inner, elapsed);
    inner.unreleased = inner.unreleased - released;
    inner.left_ms = inner.left_ms - elapsed.min(inner.left_ms);
    let share = (released as u256) * SCALE / (inner.total_weight as u256);
    inner.accumulated = inner.accumulated + share;
}

/// What the stream gives in `elapsed` ms; all of it at its end.
fun released_in<T>(inner: &PoolInner<T>, elapsed: u64): u64 {
    if (elapsed >= inner.left_ms) return inner.unreleased;
    ((inner.unreleased as u128) * (elapsed as u128) / (inner.left_ms as u128)) as u64
}

/// Put `amount`, which is in `rewards` already, into the stream.
fun stream<T>(inner: &mut PoolInner<T>, amount: u64) {
    if (amount == 0) return;
    let before = (inner.unreleased as u128) * (inner.left_ms as u128);
    let after = before + (amount as u128) * (STREAM_MS as u128);
    inner.unreleased = inner.unreleased + amount;
    // Never zero: the mean is at least what was left, which is at least 1 where something was left.
    inner.left_ms = (after / (inner.unreleased as u128)) as u64;
}

/// What a ticket has earned and was not paid, times `SCALE`.
fun owed<T>(inner: &PoolInner<T>, ticket: &StakerTicket<T>): u256 {
    (ticket.weight as u256) * (inner.accumulated - ticket.paid_at) + ticket.fraction
}

/// Lock in ms and weight of one unit in tenths.
fun terms(tier: u8): (u64, u128) {
    let (days, tenths) = (LOCK_DAYS, WEIGHT_TENTHS);
    assert!((tier as u64) < days.length(), EBadTier);
    (days[tier as u64] * DAY_MS, tenths[tier as u64])
}

fun penalty_of(amount: u64): u64 {
    ((amount as u128) * PENALTY_BPS).divide_and_round_up(BPS) as u64
}

// === Views ===

/// Units staked: the sum of the tickets' amounts.
public fun staked<T>(pool: &StakingPool<T>): u64 { inner(pool).stake.value() }

/// Units of rewards that the pool holds.
public fun rewards<T>(pool: &StakingPool<T>): u64 { inner(pool).rewards.value() }

/// Of `rewards`, units that the stream still holds; as of the pool's last transaction.
public fun unreleased<T>(pool: &StakingPool<T>): u64 { inner(pool).unreleased }

/// How long the stream still runs, in ms of time with a stake; as of the pool's last transaction.
public fun stream_left_ms<T>(pool: &StakingPool<T>): u64 { inner(pool).left_ms }

/// Sum of the tickets' weights, in tenths of a unit.
public fun total_weight<T>(pool: &StakingPool<T>): u128 { inner(pool).total_weight }

/// Units that `claim_rewards` would pay now.
public fun earned<T>(pool: &StakingPool<T>, ticket: &StakerTicket<T>, clock: &Clock): u64 {
    assert!(ticket.pool == object::id(pool), EWrongPool);
    let inner = inner(pool);
    let mut owed = inner.owed(ticket);
    if (inner.left_ms > 0) {
        let released = released_in(inner, clock.timestamp_ms() - inner.updated_ms);
        let share = (released as u256) * SCALE / (inner.total_weight as u256);
        owed = owed + (ticket.weight as u256) * share;
    };
    (owed / SCALE) as u64
}

/// Units staked with the ticket.
public fun amount<T>(ticket: &StakerTicket<T>): u64 { ticket.amount }

/// The ticket's weight, in tenths of a unit.
public fun weight<T>(ticket: &StakerTicket<T>): u128 { ticket.weight }

/// From when on leaving costs nothing.
public fun unlock_ms<T>(ticket: &StakerTicket<T>): u64 { ticket.unlock_ms }

fun inner<T>(pool: &StakingPool<T>): &PoolInner<T> {
    assert!(pool.version == VERSION, EWrongVersion);
    dynamic_field::borrow(&pool.id, VERSION)
}

fun inner_mut<T>(pool: &mut StakingPool<T>): &mut PoolInner<T> {
    assert!(pool.version == VERSION, EWrongVersion);
    dynamic_field::borrow_mut(&mut pool.id, VERSION)
}

// === Tests ===

#[test_only]
/// An object of another version.
public fun set_version_for_testing<T>(pool: &mut StakingPool<T>, version: u64) {
    pool.version = version;
}
