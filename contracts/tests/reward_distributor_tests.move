#[test_only]
module vramhub::reward_distributor_tests;

use sui::test_scenario;
use vramhub::hparams::{Self, Params};
use vramhub::reward_distributor::{Self as rd, RewardPool};
use vramhub::scenario::{Self, Network};
use vramhub::vram_token;

const ZERO: u64 = 1 << 63;
const MINING: u64 = 10_500_000_000_000_000;
const TRIGGER: u64 = 7_000_000_000_000_000;
const EMISSION: u64 = 70_000_000_000;

fun begin(): (Network, RewardPool) {
    let mut net = scenario::begin();
    rd::init_for_testing(net.ctx());
    net.next(scenario::admin());
    let pool: RewardPool = net.ts().take_shared();
    (net, pool)
}

fun finish(net: Network, pool: RewardPool) {
    test_scenario::return_shared(pool);
    net.end();
}

fun params(miners: u64, validators: u64, treasury: u64): Params {
    let names = vector[b"miner_bps", b"validator_bps", b"treasury_bps"];
    hparams::decode(scenario::fast_with(names, vector[miners, validators, treasury]))
}

fun weigh(mu: u64, sigma: u64, average: u64, measured: u64, accepted: u64, score: u64): u256 {
    let before = ZERO + 1_000_000 + score;
    rd::pay_weight(ZERO + mu, sigma, average, measured, accepted, before, ZERO + 1_000_000)
}

#[test]
fun weight_is_that_of_ordinal_v1() {
    let square = 15_000_000u256 * 15_000_000;
    let weight = weigh(30_000_000, 5_000_000, 1_097_500, 2, 2, 50_000);
    assert!(weight == square * 97_500 * 50_000);
}

#[test]
fun weight_begins_with_the_second_accepted_window() {
    assert!(weigh(30_000_000, 5_000_000, 1_100_000, 9, 1, 50_000) == 0);
    assert!(weigh(30_000_000, 5_000_000, 1_100_000, 9, 2, 50_000) > 0);
}

#[test]
fun weight_caps_the_ordinal_at_40() {
    let square = 40_000_000u256 * 40_000_000;
    vector[40_000_003, 40_000_004, 900_000_000_000].do!(|mu| {
        assert!(weigh(mu, 1, 2_000_000, 9, 9, 1) == square * 1_000_000);
    });
    assert!(weigh(40_000_002, 1, 2_000_000, 9, 9, 1) < square * 1_000_000);
}

#[test]
fun weight_of_a_negative_ordinal_average_or_score_is_nothing() {
    assert!(weigh(15_000_000, 5_000_000, 1_100_000, 9, 9, 50_000) == 0);
    assert!(weigh(14_999_999, 5_000_000, 1_100_000, 9, 9, 50_000) == 0);
    assert!(rd::pay_weight(ZERO - 1, 1, 1_100_000, 9, 9, ZERO + 9, ZERO + 1) == 0);
    assert!(weigh(30_000_000, 5_000_000, 999_999, 9, 9, 50_000) == 0);
    assert!(rd::pay_weight(ZERO + 30_000_000, 1, 1_100_000, 9, 9, ZERO + 1, ZERO + 9) == 0);
    assert!(rd::pay_weight(ZERO + 30_000_000, 1, 1_100_000, 9, 9, ZERO, ZERO) == 0);
}

#[test]
fun average_has_a_floor_for_eight_measured_windows() {
    assert!(rd::effective_average(0, 8) == 50_000);
    assert!(rd::effective_average(0, 9) == 0);
    assert!(rd::effective_average(1_050_001, 8) == 50_001);
    assert!(rd::effective_average(1_050_001, 9) == 50_001);
}

#[test]
fun emission_halves_and_ends() {
    assert!(rd::emission_at(0, EMISSION) == EMISSION);
    assert!(rd::emission_at(TRIGGER - 1, EMISSION) == EMISSION);
    assert!(rd::emission_at(TRIGGER, EMISSION) == EMISSION / 2);
    assert!(rd::emission_at(MINING - EMISSION / 2, EMISSION) == EMISSION / 2);
    assert!(rd::emission_at(MINING - 1, EMISSION) == 1);
    assert!(rd::emission_at(MINING, EMISSION) == 0);
}

#[test]
fun split_rounds_down_and_never_gives_more_than_the_pot() {
    assert!(rd::split(10, &vector[1, 1, 1]) == vector[3, 3, 3]);
    assert!(rd::split(10, &vector[0, 0]) == vector[0, 0]);
    assert!(rd::split(10, &vector[]) == vector[]);
    assert!(rd::split(10, &vector[0, 7]) == vector[0, 10]);
    // A jackpot beside a dust weight: the dust gets nothing, and no product overflows.
    let jackpot = 1_600_000_000_000_000u256 * 1_000_000 * ((1 << 53) - 1);
    let pot = 1_000_000_000_000_000;
    assert!(rd::split(pot, &vector[jackpot, 1]) == vector[pot - 1, 0]);
    let even = rd::split(pot, &vector::tabulate!(256, |_| jackpot));
    assert!(even.all!(|part| *part == pot / 256));
}

// === Settling ===

#[test]
fun median_is_the_lower_one_by_stake() {
    assert!(rd::lower_median(vector[10, 30], vector[5, 5]) == 10);
    assert!(rd::lower_median(vector[10, 30], vector[4, 5]) == 30);
    assert!(rd::lower_median(vector[10, 30, 20], vector[1, 5, 2]) == 30);
    assert!(rd::lower_median(vector[3, 2, 1], vector[1, 1, 1]) == 2);
    assert!(rd::lower_median(vector[9], vector[0]) == 9);
    assert!(rd::lower_median(vector[], vector[]) == ZERO);
    let much = 18_446_744_073_709_551_615;
    assert!(rd::lower_median(vector[2, 1, 3], vector[much, much, much]) == 2);
}

fun verdict(verdicts: vector<u8>, stakes: vector<u64>): u8 {
    let losses = verdicts.map_ref!(|verdict| if (*verdict == 1) ZERO + 100 else ZERO);
    let before = ZERO + 200;
    let (verdict, _, _, _) = rd::settle_entry(
        &verdicts,
        &losses,
        &losses,
        &losses,
        &stakes,
        before,
    );
    verdict
}

#[test]
fun entry_counts_where_more_than_half_measured_it() {
    assert!(verdict(vector[1, 20], vector[5, 5]) == 20);
    assert!(verdict(vector[1, 20], vector[6, 5]) == 30);
    assert!(verdict(vector[21, 20], vector[5, 5]) == 20);
    assert!(verdict(vector[21, 20], vector[6, 5]) == 21);
    assert!(verdict(vector[21, 20, 1], vector[5, 4, 2]) == 20);
}

#[test]
fun entry_s_verdict_is_that_of_more_than_half_of_the_measuring_stake() {
    assert!(verdict(vector[1, 8], vector[5, 5]) == 33);
    assert!(verdict(vector[1, 8], vector[5, 6]) == 8);
    assert!(verdict(vector[8, 9, 10], vector[5, 5, 5]) == 33);
    assert!(verdict(vector[8, 9, 20], vector[5, 4, 2]) == 8);
    vector[2, 3, 4, 5, 6, 7, 8, 9, 10].do!(
        |code| assert!(verdict(vector[code], vector[1]) == code),
    );
}

#[test]
fun average_steps_by_the_sign() {
    assert!(rd::next_average(1_000_000, ZERO + 9, ZERO + 9, ZERO + 1, ZERO + 5) == 1_050_000);
    assert!(rd::next_average(1_000_000, ZERO + 9, ZERO + 9, ZERO + 5, ZERO + 5) == 1_000_000);
    assert!(rd::next_average(1_000_000, ZERO + 9, ZERO + 9, ZERO + 6, ZERO + 5) == 950_000);
    assert!(rd::next_average(2_000_000, ZERO + 9, ZERO + 9, ZERO + 1, ZERO + 5) == 2_000_000);
    assert!(rd::next_average(1, ZERO + 9, ZERO + 9, ZERO + 6, ZERO + 5) == 0);
}

fun judge(verdict: u8, losses: vector<u64>, bent: bool, settled: u8): (bool, bool) {
    rd::compare(verdict, losses, bent, settled, vector[100, 100, 100])
}

#[test]
fun judge_deviates_above_five_units() {
    let same = vector[100, 100, 100];
    let mut deviations = vector[];
    vector[
        vector[105, 95, 105],
        vector[106, 100, 100],
        vector[100, 94, 100],
        vector[100, 100, 106],
    ].do!(|losses| {
        let (_, deviated) = judge(1, losses, false, 30);
        deviations.push_back(deviated);
    });
    assert!(deviations == vector[false, true, true, true]);
    let (_, deviated) = judge(1, same, true, 32);
    assert!(deviated);
    let (_, deviated) = judge(8, same, true, 8);
    assert!(!deviated);
    let (_, deviated) = judge(8, same, false, 9);
    assert!(deviated);
}

#[test]
fun judge_abstains_where_others_measured() {
    let none = vector[ZERO, ZERO, ZERO];
    let (abstained, deviated) = judge(20, none, true, 30);
    assert!(abstained && !deviated);
    let (abstained, deviated) = judge(21, none, true, 33);
    assert!(abstained && !deviated);
    let (abstained, deviated) = judge(20, none, true, 20);
    assert!(!abstained && !deviated);
    let (abstained, deviated) = judge(1, none, true, 33);
    assert!(!abstained && !deviated);
}

#[test]
fun validator_earns_with_one_slip_or_a_tenth_and_a_twentieth() {
    assert!(rd::earns(0, 0, 0) && rd::earns(1, 1, 1));
    assert!(!rd::earns(19, 2, 0) && rd::earns(20, 2, 0) && !rd::earns(20, 3, 0));
    assert!(!rd::earns(39, 0, 2) && rd::earns(40, 0, 2) && !rd::earns(40, 0, 3));
    assert!(rd::earns(256, 25, 12) && !rd::earns(256, 26, 12) && !rd::earns(256, 25, 13));
}

// === The pool ===

fun pay_one(pool: &mut RewardPool, window: u64, owner: address) {
    let miners = vector[rd::miner_pay(0, owner, 1, ZERO, 1)];
    rd::pay(pool, window, &params(10_000, 0, 0), miners, vector[]);
}

#[test]
fun pay_splits_by_weight_and_does_not_issue_the_dust() {
    let (net, mut pool) = begin();
    let miners = vector[
        rd::miner_pay(0, @0xA, 1, ZERO, 1),
        rd::miner_pay(1, @0xB, 1, ZERO, 1),
        rd::miner_pay(2, @0xA, 1, ZERO, 1),
        rd::miner_pay(3, @0xC, 0, ZERO, 1),
    ];
    rd::pay(&mut pool, 7, &params(10_000, 0, 0), miners, vector[]);
    assert!(pool.claimable(@0xA) == 46_666_666_666 && pool.claimable(@0xB) == 23_333_333_333);
    assert!(pool.claimable(@0xC) == 0);
    assert!(pool.issued() == 69_999_999_999 && pool.owed() == pool.issued());
    let payout = pool.payout(7).destroy_some();
    assert!(payout.payout_issued() == 69_999_999_999);
    assert!(payout.miner_weights() == vector[1, 1, 1, 0]);
    finish(net, pool);
}

#[test]
fun pay_gives_the_treasury_its_share_where_a_miner_earned() {
    let (mut net, mut pool) = begin();
    let shares = params(5_000, 2_000, 3_000);
    let validators = vector[
        rd::validator_pay(0, @0x1, 3, true),
        rd::validator_pay(1, @0x2, 9, false),
    ];
    rd::pay(&mut pool, 0, &shares, vector[rd::miner_pay(0, @0xA, 0, ZERO, 1)], validators);
    assert!(pool.treasury() == 0 && pool.issued() == 14_000_000_000);
    rd::pay(&mut pool, 1, &shares, vector[rd::miner_pay(0, @0xA, 1, ZERO, 1)], validators);
    assert!(pool.treasury() == 21_000_000_000 && pool.claimable(@0x2) == 0);
    assert!(pool.claimable(@0xA) == 35_000_000_000 && pool.claimable(@0x1) == 28_000_000_000);
    assert!(pool.issued() == 84_000_000_000);
    let cap = hparams::admin_for_testing(net.ctx());
    let (_, _, _, treasury, _, ctx) = net.parts();
    let coin = rd::claim_treasury(&cap, &mut pool, treasury, ctx);
    assert!(coin.burn_for_testing() == 21_000_000_000 && pool.treasury() == 0);
    std::unit_test::destroy(cap);
    finish(net, pool);
}

#[test]
fun pay_never_issues_above_the_allocation() {
    let (net, mut pool) = begin();
    pool.set_issued_for_testing(MINING - 5);
    pay_one(&mut pool, 0, @0xA);
    pay_one(&mut pool, 1, @0xA);
    assert!(pool.issued() == MINING && pool.claimable(@0xA) == 5);
    finish(net, pool);
}

#[test]
fun pay_halves_at_the_trigger() {
    let (net, mut pool) = begin();
    pool.set_issued_for_testing(TRIGGER - 1);
    pay_one(&mut pool, 0, @0xA);
    assert!(pool.claimable(@0xA) == EMISSION);
    pay_one(&mut pool, 1, @0xB);
    assert!(pool.claimable(@0xB) == EMISSION / 2);
    finish(net, pool);
}

#[test]
fun claim_mints_what_was_earned_once() {
    let (mut net, mut pool) = begin();
    pay_one(&mut pool, 0, scenario::admin());
    let (_, _, _, treasury, _, ctx) = net.parts();
    let coin = rd::claim(&mut pool, treasury, ctx);
    assert!(coin.burn_for_testing() == EMISSION);
    assert!(vram_token::mined(treasury) == EMISSION);
    assert!(pool.owed() == 0 && pool.claimable(scenario::admin()) == 0);
    finish(net, pool);
}

#[test]
fun claim_takes_deposits_first() {
    let (mut net, mut pool) = begin();
    pay_one(&mut pool, 0, scenario::admin());
    let (_, _, _, treasury, _, ctx) = net.parts();
    pool.deposit(vram_token::mint_for_testing(treasury, EMISSION - 1, ctx));
    let coin = rd::claim(&mut pool, treasury, ctx);
    assert!(coin.burn_for_testing() == EMISSION && vram_token::mined(treasury) == 1);
    finish(net, pool);
}

#[test, expected_failure(abort_code = rd::ENothingToClaim)]
fun claim_of_nothing_is_refused() {
    let (mut net, mut pool) = begin();
    pay_one(&mut pool, 0, @0xA);
    let (_, _, _, treasury, _, ctx) = net.parts();
    let _coin = rd::claim(&mut pool, treasury, ctx);
    abort
}

#[test, expected_failure(abort_code = rd::ENothingToClaim)]
fun claim_of_an_empty_treasury_is_refused() {
    let (mut net, mut pool) = begin();
    let cap = hparams::admin_for_testing(net.ctx());
    let (_, _, _, treasury, _, ctx) = net.parts();
    let _coin = rd::claim_treasury(&cap, &mut pool, treasury, ctx);
    abort
}

#[test, expected_failure(abort_code = 0, location = sui::dynamic_field)]
fun window_is_paid_once() {
    let (_net, mut pool) = begin();
    pay_one(&mut pool, 0, @0xA);
    pay_one(&mut pool, 0, @0xA);
    abort
}

#[test, expected_failure(abort_code = rd::EWrongVersion)]
fun another_version_is_refused() {
    let (_net, mut pool) = begin();
    pool.set_version_for_testing(2);
    pool.issued();
    abort
}

#[test, expected_failure(abort_code = rd::EWrongVersion)]
fun migration_has_nothing_to_do() {
    let (net, mut pool) = begin();
    rd::migrate(net.cap(), &mut pool);
    abort
}
