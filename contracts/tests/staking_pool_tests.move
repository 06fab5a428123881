#[test_only]
module vramhub::staking_pool_tests;

use std::unit_test::{assert_eq, destroy};
use sui::clock::{Self, Clock};
use sui::coin;
use sui::test_scenario::{Self, Scenario};
use vramhub::hparams;
use vramhub::staking_pool::{Self, StakerTicket, StakingPool};

public struct COIN has drop {}

const A: address = @0xA;
const B: address = @0xB;
const DAY: u64 = 86_400_000;
const WEEK: u64 = 604_800_000;

/// A pool, its clock, and what all parties have put in and taken out.
public struct World {
    ts: Scenario,
    clock: Clock,
    pool: StakingPool<COIN>,
    put: u64,
    taken: u64,
}

fun begin(): World {
    let mut ts = test_scenario::begin(A);
    let mut clock = clock::create_for_testing(ts.ctx());
    clock.set_for_testing(1_000);
    let pool = new_pool(&mut ts, &clock);
    World { ts, clock, pool, put: 0, taken: 0 }
}

fun new_pool(ts: &mut Scenario, clock: &Clock): StakingPool<COIN> {
    let cap = hparams::admin_for_testing(ts.ctx());
    staking_pool::create_pool<COIN>(&cap, clock, ts.ctx());
    destroy(cap);
    ts.next_tx(A);
    let id = test_scenario::most_recent_id_shared<StakingPool<COIN>>().destroy_some();
    ts.take_shared_by_id(id)
}

fun another(world: &mut World): StakingPool<COIN> {
    let World { ts, clock, .. } = world;
    new_pool(ts, clock)
}

/// Conservation: what was put in and not taken out lies in the two balances.
fun end(world: World) {
    assert_eq!(world.put - world.taken, world.pool.staked() + world.pool.rewards());
    assert!(world.pool.unreleased() <= world.pool.rewards());
    let World { ts, clock, pool, .. } = world;
    clock.destroy_for_testing();
    test_scenario::return_shared(pool);
    ts.end();
}

fun wait(world: &mut World, ms: u64) { world.clock.increment_for_testing(ms); }

fun deposit(world: &mut World, amount: u64) {
    let coin = coin::mint_for_testing<COIN>(amount, world.ts.ctx());
    world.pool.deposit_rewards(coin, &world.clock);
    world.put = world.put + amount;
}

fun stake(world: &mut World, who: address, amount: u64, tier: u8): StakerTicket<COIN> {
    world.ts.next_tx(who);
    let coin = coin::mint_for_testing<COIN>(amount, world.ts.ctx());
    world.pool.stake(coin, tier, &world.clock, world.ts.ctx());
    world.put = world.put + amount;
    world.ts.next_tx(who);
    world.ts.take_from_sender()
}

fun claim(world: &mut World, ticket: &mut StakerTicket<COIN>): u64 {
    let coin = world.pool.claim_rewards(ticket, &world.clock, world.ts.ctx());
    let amount = coin.burn_for_testing();
    world.taken = world.taken + amount;
    amount
}

fun unstake(world: &mut World, ticket: StakerTicket<COIN>): u64 {
    let coin = world.pool.unstake(ticket, &world.clock, world.ts.ctx());
    let amount = coin.burn_for_testing();
    world.taken = world.taken + amount;
    amount
}

/// The accumulator rounds down: the last unit may be a fraction short, and joins the stream with the last leaver.
fun assert_about(actual: u64, expected: u64) {
    assert!(actual == expected || actual + 1 == expected);
}

fun earned(world: &World, ticket: &StakerTicket<COIN>): u64 {
    world.pool.earned(ticket, &world.clock)
}

#[test]
fun tier_0_locks_30_days() {
    let mut world = begin();
    let ticket = stake(&mut world, A, 1_000, 0);
    assert_eq!(ticket.amount(), 1_000);
    assert_eq!(ticket.weight(), 10000);
    assert_eq!(ticket.unlock_ms(), 1_000 + 30 * DAY);
    assert_eq!(world.pool.total_weight(), 10000);
    wait(&mut world, 30 * DAY - 1);
    let other = stake(&mut world, B, 1_000, 0);
    wait(&mut world, 1);
    assert_eq!(unstake(&mut world, ticket), 1_000);
    assert_eq!(unstake(&mut world, other), 750);
    end(world);
}

#[test]
fun tier_1_locks_90_days() {
    let mut world = begin();
    let ticket = stake(&mut world, A, 1_000, 1);
    assert_eq!(ticket.amount(), 1_000);
    assert_eq!(ticket.weight(), 12000);
    assert_eq!(ticket.unlock_ms(), 1_000 + 90 * DAY);
    assert_eq!(world.pool.total_weight(), 12000);
    wait(&mut world, 90 * DAY - 1);
    let other = stake(&mut world, B, 1_000, 1);
    wait(&mut world, 1);
    assert_eq!(unstake(&mut world, ticket), 1_000);
    assert_eq!(unstake(&mut world, other), 750);
    end(world);
}

#[test]
fun tier_2_locks_180_days() {
    let mut world = begin();
    let ticket = stake(&mut world, A, 1_000, 2);
    assert_eq!(ticket.amount(), 1_000);
    assert_eq!(ticket.weight(), 15000);
    assert_eq!(ticket.unlock_ms(), 1_000 + 180 * DAY);
    assert_eq!(world.pool.total_weight(), 15000);
    wait(&mut world, 180 * DAY - 1);
    let other = stake(&mut world, B, 1_000, 2);
    wait(&mut world, 1);
    assert_eq!(unstake(&mut world, ticket), 1_000);
    assert_eq!(unstake(&mut world, other), 750);
    end(world);
}

#[test]
fun tier_3_locks_365_days() {
    let mut world = begin();
    let ticket = stake(&mut world, A, 1_000, 3);
    assert_eq!(ticket.amount(), 1_000);
    assert_eq!(ticket.weight(), 20000);
    assert_eq!(ticket.unlock_ms(), 1_000 + 365 * DAY);
    assert_eq!(world.pool.total_weight(), 20000);
    wait(&mut world, 365 * DAY - 1);
    let other = stake(&mut world, B, 1_000, 3);
    wait(&mut world, 1);
    assert_eq!(unstake(&mut world, ticket), 1_000);
    assert_eq!(unstake(&mut world, other), 750);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::EBadTier)]
fun tier_4_is_refused() {
    let mut world = begin();
    let ticket = stake(&mut world, A, 1_000, 4);
    unstake(&mut world, ticket);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::EZeroAmount)]
fun stake_refuses_zero() {
    let mut world = begin();
    let ticket = stake(&mut world, A, 0, 0);
    unstake(&mut world, ticket);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::EZeroAmount)]
fun deposit_refuses_zero() {
    let mut world = begin();
    deposit(&mut world, 0);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::ENothingToClaim)]
fun claim_refuses_nothing() {
    let mut world = begin();
    let mut ticket = stake(&mut world, A, 1_000, 0);
    deposit(&mut world, 1_000);
    claim(&mut world, &mut ticket);
    unstake(&mut world, ticket);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::ENothingToClaim)]
fun claim_pays_once() {
    let mut world = begin();
    let mut ticket = stake(&mut world, A, 1_000, 0);
    deposit(&mut world, 1_000);
    wait(&mut world, DAY);
    assert_about(claim(&mut world, &mut ticket), 142);
    claim(&mut world, &mut ticket);
    unstake(&mut world, ticket);
    end(world);
}

#[test]
fun one_millisecond_before_the_lock_ends_costs_a_quarter() {
    let mut world = begin();
    let ticket = stake(&mut world, A, 1_000, 0);
    wait(&mut world, 30 * DAY - 1);
    assert_eq!(unstake(&mut world, ticket), 750);
    assert_eq!(world.pool.unreleased(), 250);
    end(world);
}

#[test]
fun penalty_is_rounded_up() {
    let mut world = begin();
    let a = stake(&mut world, A, 1, 0);
    let b = stake(&mut world, B, 5, 0);
    assert_eq!(unstake(&mut world, a), 0);
    assert_eq!(unstake(&mut world, b), 3);
    assert_eq!(world.pool.rewards(), 3);
    end(world);
}

#[test]
fun rewards_follow_weight_and_stream_over_a_week() {
    let mut world = begin();
    let mut a = stake(&mut world, A, 1_000, 0);
    let mut b = stake(&mut world, B, 1_000, 3);
    deposit(&mut world, 3_000_000);
    wait(&mut world, WEEK / 2);
    assert_eq!(earned(&world, &a), 500_000);
    assert_eq!(claim(&mut world, &mut a), 500_000);
    assert_eq!(claim(&mut world, &mut b), 1_000_000);
    wait(&mut world, WEEK);
    assert_eq!(claim(&mut world, &mut a), 500_000);
    assert_eq!(claim(&mut world, &mut b), 1_000_000);
    assert_eq!(world.pool.rewards(), 0);
    destroy(a);
    destroy(b);
    end(world);
}

#[test]
fun empty_pool_keeps_rewards_for_its_first_staker() {
    let mut world = begin();
    deposit(&mut world, 7_000);
    wait(&mut world, 100 * DAY);
    let ticket = stake(&mut world, A, 1_000, 0);
    assert_eq!(earned(&world, &ticket), 0);
    wait(&mut world, DAY);
    assert_about(earned(&world, &ticket), 1_000);
    wait(&mut world, 6 * DAY);
    assert_about(earned(&world, &ticket), 7_000);
    destroy(ticket);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::ENothingToClaim)]
fun first_staker_finds_no_jackpot() {
    let mut world = begin();
    deposit(&mut world, 1_000_000_000);
    wait(&mut world, 100 * DAY);
    let mut ticket = stake(&mut world, A, 1, 3);
    claim(&mut world, &mut ticket);
    unstake(&mut world, ticket);
    end(world);
}

#[test]
fun stake_before_a_deposit_earns_its_time_only() {
    let mut world = begin();
    let loyal = stake(&mut world, A, 1_000_000, 0);
    let sniper = stake(&mut world, B, 1_000_000, 0);
    deposit(&mut world, 1_000_000);
    wait(&mut world, 1_000);
    // a second of a week's stream, halved; and a quarter of the stake
    assert_eq!(unstake(&mut world, sniper), 750_000);
    wait(&mut world, 2 * WEEK);
    assert_about(earned(&world, &loyal), 1_250_000);
    destroy(loyal);
    end(world);
}

#[test]
fun sole_unit_staker_before_others_earns_its_time_only() {
    let mut world = begin();
    deposit(&mut world, 604_800_000);
    let early = stake(&mut world, A, 1, 0);
    wait(&mut world, 10);
    let late = stake(&mut world, B, 999_999, 0);
    wait(&mut world, WEEK);
    assert_eq!(earned(&world, &early), 10 + 604);
    assert_eq!(earned(&world, &late), 604_800_000 - 10 - 605);
    destroy(early);
    destroy(late);
    end(world);
}

#[test]
fun stream_stands_still_without_a_stake() {
    let mut world = begin();
    let a = stake(&mut world, A, 1_000, 0);
    wait(&mut world, 30 * DAY);
    deposit(&mut world, 7_000);
    wait(&mut world, DAY);
    assert_about(unstake(&mut world, a), 2_000);
    wait(&mut world, 300 * DAY);
    // the leaver's fraction joined the stream again, and moved its end a little
    let left = world.pool.stream_left_ms();
    assert!(left >= 6 * DAY && left < 6 * DAY + 60_000);
    let b = stake(&mut world, B, 1_000, 0);
    wait(&mut world, left);
    assert_about(earned(&world, &b), 6_001);
    destroy(b);
    end(world);
}

#[test]
fun dust_deposit_does_not_stretch_the_stream() {
    let mut world = begin();
    let ticket = stake(&mut world, A, 1_000, 0);
    deposit(&mut world, 1_000_000_000);
    wait(&mut world, WEEK - 1_000);
    20u64.do!(|_| deposit(&mut world, 1));
    assert!(world.pool.stream_left_ms() <= 9_000_000);
    let left = world.pool.stream_left_ms();
    wait(&mut world, left);
    assert_about(earned(&world, &ticket), 1_000_000_020);
    destroy(ticket);
    end(world);
}

#[test]
fun two_deposits_end_at_their_mean() {
    let mut world = begin();
    let ticket = stake(&mut world, A, 1_000, 0);
    deposit(&mut world, 2_000);
    wait(&mut world, WEEK / 2);
    deposit(&mut world, 1_000);
    assert_eq!(world.pool.unreleased(), 2_000);
    assert_eq!(world.pool.stream_left_ms(), WEEK / 4 * 3);
    wait(&mut world, WEEK / 4 * 3);
    assert_about(earned(&world, &ticket), 3_000);
    destroy(ticket);
    end(world);
}

#[test]
fun early_leavers_penalty_goes_to_the_others() {
    let mut world = begin();
    let a = stake(&mut world, A, 1_000, 0);
    let b = stake(&mut world, B, 4_000, 0);
    wait(&mut world, DAY);
    assert_eq!(unstake(&mut world, b), 3_000);
    assert_eq!(world.pool.staked(), 1_000);
    wait(&mut world, 29 * DAY);
    assert_about(unstake(&mut world, a), 2_000);
    assert_eq!(world.pool.staked(), 0);
    assert_eq!(world.pool.rewards(), world.pool.unreleased());
    end(world);
}

#[test]
fun last_leavers_penalty_waits_for_the_next() {
    let mut world = begin();
    let a = stake(&mut world, A, 1_000, 0);
    assert_eq!(unstake(&mut world, a), 750);
    assert_eq!(world.pool.staked(), 0);
    let b = stake(&mut world, B, 100, 0);
    wait(&mut world, 30 * DAY);
    assert_eq!(unstake(&mut world, b), 350);
    assert_eq!(world.pool.rewards(), 0);
    end(world);
}

#[test]
fun unstake_pays_what_was_earned() {
    let mut world = begin();
    let a = stake(&mut world, A, 1_000, 0);
    deposit(&mut world, 7_000);
    wait(&mut world, 30 * DAY);
    assert_about(unstake(&mut world, a), 8_000);
    assert_eq!(world.pool.rewards(), world.pool.unreleased());
    end(world);
}

#[test]
fun late_ticket_earns_nothing_of_before() {
    let mut world = begin();
    let a = stake(&mut world, A, 1_000, 0);
    deposit(&mut world, 7_000);
    wait(&mut world, WEEK);
    let b = stake(&mut world, B, 1_000_000, 3);
    assert_eq!(earned(&world, &b), 0);
    assert_about(earned(&world, &a), 7_000);
    wait(&mut world, 365 * DAY);
    assert_eq!(unstake(&mut world, b), 1_000_000);
    assert_about(unstake(&mut world, a), 8_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::EWrongPool)]
fun foreign_ticket_is_refused_by_claim() {
    let mut world = begin();
    let mut other = another(&mut world);
    let mut ticket = stake(&mut world, A, 1_000, 3);
    deposit(&mut world, 1_000);
    wait(&mut world, WEEK);
    other.claim_rewards(&mut ticket, &world.clock, world.ts.ctx()).burn_for_testing();
    unstake(&mut world, ticket);
    test_scenario::return_shared(other);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::EWrongPool)]
fun foreign_ticket_is_refused_by_unstake() {
    let mut world = begin();
    let mut other = another(&mut world);
    let ticket = stake(&mut world, A, 1_000, 3);
    deposit(&mut world, 1_000);
    wait(&mut world, WEEK);
    other.unstake(ticket, &world.clock, world.ts.ctx()).burn_for_testing();
    test_scenario::return_shared(other);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::EWrongPool)]
fun foreign_ticket_is_refused_by_earned() {
    let mut world = begin();
    let other = another(&mut world);
    let ticket = stake(&mut world, A, 1_000, 3);
    deposit(&mut world, 1_000);
    wait(&mut world, WEEK);
    other.earned(&ticket, &world.clock);
    unstake(&mut world, ticket);
    test_scenario::return_shared(other);
    end(world);
}

#[test]
fun cutting_a_stake_up_gains_nothing() {
    let mut world = begin();
    let whole = stake(&mut world, A, 100, 1);
    let parts = vector::tabulate!(100, |_| stake(&mut world, B, 1, 1));
    deposit(&mut world, 1_000_003);
    wait(&mut world, WEEK);
    let mut sum = 0;
    parts.do!(|ticket| {
        sum = sum + earned(&world, &ticket);
        destroy(ticket);
    });
    assert_eq!(earned(&world, &whole), 500_001);
    assert!(sum <= 500_001);
    destroy(whole);
    end(world);
}

#[test]
fun claiming_often_loses_no_fraction() {
    let mut world = begin();
    let mut a = stake(&mut world, A, 1, 0);
    let b = stake(&mut world, B, 2, 0);
    deposit(&mut world, 700);
    let mut sum = 0;
    700u64.do!(|_| {
        wait(&mut world, WEEK / 700);
        if (earned(&world, &a) > 0) sum = sum + claim(&mut world, &mut a);
    });
    assert_eq!(sum, 233);
    assert_eq!(earned(&world, &b), 466);
    destroy(a);
    destroy(b);
    end(world);
}

#[test]
fun last_leaver_leaves_no_dust_stuck() {
    let mut world = begin();
    let a = stake(&mut world, A, 3, 0);
    let b = stake(&mut world, B, 4, 1);
    deposit(&mut world, 1_000_001);
    wait(&mut world, 90 * DAY);
    let paid = unstake(&mut world, a) + unstake(&mut world, b);
    // what rounding kept is in the stream again, for the next
    assert_eq!(world.pool.rewards(), 1_000_008 - paid);
    assert_eq!(world.pool.unreleased(), 1_000_008 - paid);
    assert!(world.pool.rewards() <= 2);
    let c = stake(&mut world, A, 1, 0);
    wait(&mut world, 30 * DAY);
    assert_about(unstake(&mut world, c), 1_000_009 - paid);
    assert!(world.pool.rewards() <= 1);
    end(world);
}

#[test]
fun largest_amounts_do_not_overflow() {
    let mut world = begin();
    let half = 9_000_000_000_000_000_000;
    let a = stake(&mut world, A, half, 3);
    deposit(&mut world, half);
    wait(&mut world, 365 * DAY);
    assert_about(unstake(&mut world, a), 2 * half);
    end(world);
}

#[test]
fun smallest_stake_with_the_largest_reward_does_not_overflow() {
    let mut world = begin();
    let mut a = stake(&mut world, A, 1, 0);
    deposit(&mut world, 18_000_000_000_000_000_000);
    wait(&mut world, WEEK);
    assert_eq!(claim(&mut world, &mut a), 18_000_000_000_000_000_000);
    let b = stake(&mut world, B, 400_000_000_000_000_000, 3);
    assert_eq!(earned(&world, &b), 0);
    destroy(a);
    destroy(b);
    end(world);
}

#[test]
fun random_order_conserves_every_unit() {
    let mut world = begin();
    // a fixed linear congruence in place of chance
    let mut seed = 12_345u64;
    let mut tickets = vector[];
    let mut principal = 0;
    300u64.do!(|_| {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        let dice = (seed >> 8) % 10;
        let amount = (seed >> 12) % 99_991 + 1;
        wait(&mut world, (seed >> 4) % (3 * DAY));
        if (dice < 3) {
            principal = principal + amount;
            tickets.push_back(stake(&mut world, A, amount, (dice as u8)));
        } else if (dice < 6) {
            deposit(&mut world, amount);
        } else if (!tickets.is_empty()) {
            let i = amount % tickets.length();
            if (dice < 8) {
                let mut ticket = tickets.swap_remove(i);
                if (earned(&world, &ticket) > 0) { claim(&mut world, &mut ticket); };
                tickets.push_back(ticket);
            } else {
                let ticket = tickets.swap_remove(i);
                principal = principal - ticket.amount();
                unstake(&mut world, ticket);
            };
        };
        assert_eq!(world.pool.staked(), principal);
        assert_eq!(world.put - world.taken, principal + world.pool.rewards());
    });
    while (!tickets.is_empty()) {
        let ticket = tickets.pop_back();
        unstake(&mut world, ticket);
    };
    tickets.destroy_empty();
    assert_eq!(world.pool.staked(), 0);
    assert_eq!(world.pool.total_weight(), 0);
    // nothing is anybody's: all that is left streams to the next
    assert_eq!(world.pool.rewards(), world.pool.unreleased());
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::EWrongVersion)]
fun another_version_is_refused() {
    let mut world = begin();
    world.pool.set_version_for_testing(2);
    world.pool.staked();
    end(world);
}

#[test, expected_failure(abort_code = vramhub::staking_pool::EWrongVersion)]
fun migrate_has_nothing_older() {
    let mut world = begin();
    let cap = hparams::admin_for_testing(world.ts.ctx());
    staking_pool::migrate(&cap, &mut world.pool);
    destroy(cap);
    end(world);
}
