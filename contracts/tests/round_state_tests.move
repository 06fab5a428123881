/// Windows: their rows, ends, seeds and digests.
#[test_only]
module vramhub::round_state_tests;

use std::unit_test::assert_eq;
use sui::bcs;
use sui::event;
use sui::random::{Self, Random};
use sui::test_scenario;
use vramhub::dataset_registry;
use vramhub::hparams;
use vramhub::round_state::{
    Self,
    BaseAnchored,
    BaseKept,
    NetworkFounded,
    SeedDrawn,
    WindowClosed,
    WindowOpened,
    WindowPruned,
    WindowSkipped,
};
use vramhub::scenario::{Self, Network};

const ZEROS: vector<u8> = x"0000000000000000000000000000000000000000000000000000000000000000";

fun close(n: &mut Network, window: u64) {
    let (rs, hp, _, _, clock, _) = n.parts();
    rs.close(hp, window, clock);
}

fun reveal(n: &mut Network, window: u64) {
    n.rs().fold(window, 0, 0, scenario::hash(b"gradient"), 64, 1);
}

/// Seeds of the ledger rule, with one validator.
fun drawn(): Network {
    scenario::founded_with(
        vector[10_000],
        scenario::fast_with(vector[b"randomness_kind"], vector[1]),
    )
}

// === Founding ===

#[test]
fun found_keeps_what_digests_bind() {
    let mut n = scenario::begin();
    n.next(scenario::admin());
    n.found();
    assert_eq!(event::events_by_type<NetworkFounded>().length(), 1);
    let rs = n.rs();
    assert_eq!(rs.chain_id(), scenario::hash(b"chain"));
    assert_eq!(rs.model_hash(), scenario::hash(b"model"));
    assert_eq!(rs.next_base(), scenario::hash(b"base"));
    assert_eq!(rs.dataset_pages(), 333);
    assert_eq!(rs.ledger_id(), object::id(rs).to_bytes());
    let root = dataset_registry::root_of(
        333,
        4,
        scenario::hash(b"tokenizer"),
        scenario::hash(b"merkle"),
    );
    assert_eq!(rs.dataset_root(), root);
    let (chain, genesis, period) = rs.beacon();
    assert_eq!(chain, scenario::hash(b"drand chain"));
    assert_eq!(vector[genesis, period], vector[scenario::t0() - 60_000, 1_000]);
    assert!(rs.rolled().is_none());
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::EAlreadyFounded)]
fun found_refuses_a_second_time() {
    let mut n = scenario::founded(vector[]);
    n.found();
    n.end();
}

fun found_with(lengths: vector<u64>, pages: u64, period_ms: u64, retire: bool) {
    let mut n = scenario::begin();
    let (cap, rs, hp, dr, _, clock) = n.governed();
    let id = dataset_registry::register(cap, dr, pages, 4, ZEROS, ZEROS);
    if (retire) dataset_registry::retire(cap, dr, id);
    let hashes = lengths.map!(|length| vector::tabulate!(length, |_| 7u8));
    round_state::found(
        cap,
        rs,
        hp,
        dr,
        id,
        hashes[0],
        hashes[1],
        hashes[2],
        hashes[3],
        0,
        period_ms,
        0,
        0,
        scenario::fast(),
        clock,
    );
    n.end();
}

#[test]
fun found_takes_just_enough_pages() { found_with(vector[32, 32, 32, 32], 80, 1, false); }

#[test, expected_failure(abort_code = vramhub::round_state::EBadLength)]
fun found_refuses_a_chain_id_of_33_bytes() { found_with(vector[33, 32, 32, 32], 333, 1, false); }

#[test, expected_failure(abort_code = vramhub::round_state::EBadLength)]
fun found_refuses_a_model_hash_of_31_bytes() { found_with(vector[32, 31, 32, 32], 333, 1, false); }

#[test, expected_failure(abort_code = vramhub::round_state::EBadLength)]
fun found_refuses_a_base_hash_of_33_bytes() { found_with(vector[32, 32, 33, 32], 333, 1, false); }

#[test, expected_failure(abort_code = vramhub::round_state::EBadLength)]
fun found_refuses_a_beacon_of_31_bytes() { found_with(vector[32, 32, 32, 31], 333, 1, false); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun found_refuses_too_few_pages() { found_with(vector[32, 32, 32, 32], 79, 1, false); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun found_refuses_a_beacon_without_a_period() { found_with(vector[32, 32, 32, 32], 333, 0, false); }

#[test, expected_failure(abort_code = vramhub::dataset_registry::ERetired)]
fun found_refuses_a_retired_data_set() { found_with(vector[32, 32, 32, 32], 333, 1, true); }

// === Rolling and ending ===

#[test]
fun windows_open_lazily_by_the_first_call() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    n.roll();
    let opened = event::events_by_type<WindowOpened>();
    assert_eq!(opened.length(), 1);
    let mut expected = bcs::to_bytes(&0u64);
    expected.append(bcs::to_bytes(&scenario::hash(b"base")));
    expected.append(bcs::to_bytes(n.rs().seats(0)));
    assert_eq!(bcs::to_bytes(&opened[0]), expected);
    n.at(3, 5_000);
    n.roll();
    let rs = n.rs();
    assert_eq!(rs.status(3), round_state::status_open());
    assert!(rs.has_window(0) && !rs.has_window(2) && !rs.has_window(4));
    assert_eq!(rs.rolled(), option::some(3));
    assert_eq!(rs.open_windows(), vector[3]);
    assert_eq!(rs.status(0), round_state::status_closed());
    assert_eq!(rs.acc(3), ZEROS);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::EUnknownWindow)]
fun a_window_in_which_nobody_called_has_no_row() {
    let mut n = scenario::founded(vector[]);
    n.at(1, 0);
    n.roll();
    n.rs().status(0);
    n.end();
}

#[test]
fun close_takes_an_empty_window_at_its_reveal_deadline() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    n.at(0, 9_500);
    close(&mut n, 0);
    close(&mut n, 0);
    assert_eq!(n.rs().status(0), round_state::status_closed());
    assert_eq!(event::events_by_type<WindowClosed>().length(), 1);
    n.at(4, 0);
    n.roll();
    close(&mut n, 2);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ENotClosable)]
fun close_refuses_before_the_reveal_deadline() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    n.at(0, 9_499);
    close(&mut n, 0);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::EUnknownWindow)]
fun close_refuses_a_window_that_has_not_begun() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    close(&mut n, 1);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ENotClosable)]
fun close_refuses_before_the_report_deadline() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    reveal(&mut n, 0);
    n.at(0, 15_999);
    close(&mut n, 0);
    n.end();
}

fun skipped_for(reason: vector<u8>) {
    let events = event::events_by_type<WindowSkipped>();
    assert_eq!(events.length(), 1);
    let mut expected = bcs::to_bytes(&0u64);
    expected.append(bcs::to_bytes(&reason));
    assert_eq!(bcs::to_bytes(&events[0]), expected);
}

#[test]
fun close_skips_at_the_report_deadline_where_half_is_no_quorum() {
    let mut n = scenario::founded(vector[10_000, 10_000]);
    n.roll();
    reveal(&mut n, 0);
    n.rs().add_reported(0, 10_000);
    assert!(!n.rs().has_report_quorum(0));
    n.at(0, 16_000);
    close(&mut n, 0);
    assert_eq!(n.rs().status(0), round_state::status_skipped());
    skipped_for(b"no quorum of reports");
    assert_eq!(n.rs().open_windows(), vector[]);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ENotClosable)]
fun close_waits_for_outcomes_where_there_is_a_quorum() {
    let mut n = scenario::founded(vector[10_000, 10_001]);
    n.roll();
    reveal(&mut n, 0);
    n.rs().add_reported(0, 10_001);
    n.at(0, 18_999);
    close(&mut n, 0);
    n.end();
}

#[test]
fun close_skips_at_the_outcome_deadline() {
    let mut n = scenario::founded(vector[10_000, 10_001]);
    n.roll();
    reveal(&mut n, 0);
    n.rs().add_reported(0, 10_001);
    n.rs().add_outcome(0, 10_000);
    assert_eq!(n.rs().outcome_stake(0), 10_000);
    n.at(0, 19_000);
    close(&mut n, 0);
    skipped_for(b"no quorum of outcomes");
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ENotClosable)]
fun close_waits_for_outcomes_while_a_window_is_settled() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    reveal(&mut n, 0);
    n.rs().set_status(0, round_state::status_settling());
    n.at(0, 16_000);
    close(&mut n, 0);
    n.end();
}

#[test]
fun roll_leaves_the_last_window_to_its_judges() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    reveal(&mut n, 0);
    n.at(1, 0);
    n.roll();
    assert_eq!(n.rs().open_windows(), vector[0, 1]);
    assert_eq!(n.rs().status(0), round_state::status_open());
    n.at(2, 0);
    n.roll();
    assert_eq!(n.rs().status(0), round_state::status_skipped());
    assert_eq!(n.rs().status(1), round_state::status_closed());
    n.end();
}

#[test]
fun roll_ends_a_window_whose_epoch_is_forgotten() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    reveal(&mut n, 0);
    n.rs().set_status(0, round_state::status_settled());
    n.at(50, 0);
    n.roll();
    skipped_for(b"no quorum of outcomes");
    n.end();
}

#[test]
fun close_counts_the_next_windows_length() {
    let mut n = scenario::founded(vector[10_000]);
    n.set(scenario::fast_with(vector[b"window_ms"], vector[20_000]));
    reveal(&mut n, 0);
    n.at(0, 22_000); // 10,000 + 60 % of 20,000
    close(&mut n, 0);
    skipped_for(b"no quorum of reports");
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ENotClosable)]
fun close_refuses_before_the_longer_windows_report_deadline() {
    let mut n = scenario::founded(vector[10_000]);
    n.set(scenario::fast_with(vector[b"window_ms"], vector[20_000]));
    reveal(&mut n, 0);
    n.at(0, 21_999);
    close(&mut n, 0);
    n.end();
}

// === Bases ===

#[test]
fun a_base_moves_for_windows_that_have_not_begun() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    let gain = (1u64 << 63) + 3;
    let moved = scenario::hash(b"moved");
    n.rs().set_base(0, moved, gain);
    n.rs().keep_base(0, moved, gain);
    assert_eq!(n.rs().base_of(0), scenario::hash(b"base"));
    let mut expected = bcs::to_bytes(&2u64);
    expected.append(bcs::to_bytes(&moved));
    expected.append(bcs::to_bytes(&gain));
    assert_eq!(bcs::to_bytes(&event::events_by_type<BaseAnchored>()[0]), expected);
    assert_eq!(bcs::to_bytes(&event::events_by_type<BaseKept>()[0]), expected);
    n.at(1, 0);
    n.roll();
    assert_eq!(n.rs().base_of(1), moved);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::EBadLength)]
fun set_base_refuses_a_short_hash() {
    let mut n = scenario::founded(vector[]);
    n.rs().set_base(0, x"00", 0);
    n.end();
}

// === Digests (tests/vectors/commit.json) ===

#[test]
fun folds_are_those_of_the_vectors() {
    let mut acc = ZEROS;
    acc =
        round_state::folded(
            acc,
            258,
            12,
            x"d738c3dd3e55e4a8710635f6ee9d9b1d023e1bf62d01821fb1b70458c51acb10",
            41_000,
            2,
        );
    assert_eq!(acc, x"ecf83f1171ac82fb5bdf41df9df0777de5767df304066a4b7adc6cdaf7ac7ca7");
    acc =
        round_state::folded(
            acc,
            3,
            10,
            x"87d3b9e5a4272ddc007fc8d4dfbe8ddef4fd6ba5b684b154a93ec1914abc8e65",
            52_428_800,
            1,
        );
    assert_eq!(acc, x"2304b78f5d5eab78a00c41d8be7d6dbea1fb22f53c7e8390d9d6908fc6fdfb49");
    acc =
        round_state::folded(
            acc,
            7,
            8_589_934_592,
            x"0b0232c89d44a2da21e6d010b4c009f795d583543c0d5b29b9a790638622cf50",
            64,
            2,
        );
    assert_eq!(acc, x"c0dd17d24d057d4a405e31e231e271d0a8ebd4a3cd7e2f9a91672c4aaf3621c4");
}

#[test, expected_failure(abort_code = vramhub::round_state::EBadLength)]
fun fold_refuses_a_short_hash() { round_state::folded(ZEROS, 0, 0, x"00", 64, 1); }

#[test]
fun fold_counts_and_keeps_the_accumulator() {
    let mut n = scenario::founded(vector[]);
    n.roll();
    reveal(&mut n, 0);
    let expected = round_state::folded(ZEROS, 0, 0, scenario::hash(b"gradient"), 64, 1);
    assert_eq!(n.rs().acc(0), expected);
    assert_eq!(n.rs().reveal_count(0), 1);
    n.end();
}

fun digest(randomness: vector<u8>, kind: u64, acc: vector<u8>): vector<u8> {
    let encoded = hparams::default_params().encode();
    let params = hparams::decode(
        scenario::patched(encoded, vector[b"randomness_kind"], vector[kind]),
    );
    round_state::digest_of_for_testing(
        scenario::hash(b"chain"),
        scenario::hash(b"ledger"),
        &params,
        2_957_300,
        scenario::hash(b"model"),
        scenario::hash(b"base"),
        scenario::hash(b"data set"),
        randomness,
        acc,
    )
}

#[test]
fun digests_are_those_of_the_vectors() {
    let acc = x"c0dd17d24d057d4a405e31e231e271d0a8ebd4a3cd7e2f9a91672c4aaf3621c4";
    let mut drand = vector[0];
    drand.append(scenario::hash(b"drand chain"));
    drand.append(bcs::to_bytes(&27_192_212u64));
    drand.append(bcs::to_bytes(&27_192_412u64));
    assert_eq!(
        digest(drand, 0, acc),
        x"164a7234bb59ee522fbfefe6d3479f1aa3199499164dd6b479bf26a88051312e",
    );
    assert_eq!(
        digest(drand, 0, ZEROS),
        x"325256290aa4ee723b7006073101c925fdd851c29244529847bdb72fe47ec499",
    );
    let mut seeds = vector[1];
    seeds.append(scenario::hash(b"assign seed"));
    seeds.append(scenario::hash(b"judge seed"));
    assert_eq!(
        digest(seeds, 1, acc),
        x"6368824b73df2292efa5778bb3dde7cac93b61e75b3084264271a7b38c6fd88d",
    );
}

#[test]
fun context_digest_binds_rounds_of_the_windows_times() {
    let mut n = scenario::founded(vector[]);
    n.at(1, 0);
    n.roll();
    let (rs, hp, _, _, _, _) = n.parts();
    // Round 1 was due at T0 - 60 s and a round comes every second: the round of window 1's start is 71.
    let (assign, judge) = rs.rounds(hp, 1);
    assert_eq!(vector[assign, judge], vector[72, 81]);
    let mut randomness = vector[0];
    randomness.append(scenario::hash(b"drand chain"));
    randomness.append(bcs::to_bytes(&72u64));
    randomness.append(bcs::to_bytes(&81u64));
    let expected = round_state::digest_of_for_testing(
        rs.chain_id(),
        rs.ledger_id(),
        rs.params(1),
        1,
        rs.model_hash(),
        rs.base_of(1),
        rs.dataset_root(),
        randomness,
        ZEROS,
    );
    assert_eq!(rs.context_digest(hp, 1), expected);
    n.end();
}

fun rounds_at(time_ms: u64): vector<u64> {
    let (after, at_or_after) = round_state::rounds_for_testing(1_000, 3_000, time_ms);
    vector[after, at_or_after]
}

#[test]
fun rounds_are_strictly_after_or_at() {
    assert_eq!(rounds_at(0), vector[1, 1]);
    assert_eq!(rounds_at(999), vector[1, 1]);
    assert_eq!(rounds_at(1_000), vector[2, 1]);
    assert_eq!(rounds_at(1_001), vector[2, 2]);
    assert_eq!(rounds_at(3_999), vector[2, 2]);
    assert_eq!(rounds_at(4_000), vector[3, 2]);
    assert_eq!(rounds_at(4_001), vector[3, 3]);
}

// === Seeds of the ledger ===

fun with_random(n: &mut Network): Random {
    n.next(@0x0);
    random::create_for_testing(n.ctx());
    n.next(@0x0);
    let mut random: Random = n.ts().take_shared();
    random.update_randomness_state_for_testing(0, scenario::hash(b"random"), n.ctx());
    n.next(scenario::admin());
    random
}

fun draw(n: &mut Network, random: &Random, window: u64) {
    let (rs, hp, _, _, clock, ctx) = n.parts();
    round_state::draw_seeds_for_testing(rs, hp, window, random, clock, ctx);
}

#[test]
fun seeds_are_drawn_when_they_are_due() {
    let mut n = drawn();
    let random = with_random(&mut n);
    n.roll();
    draw(&mut n, &random, 0);
    let (assign, judge) = n.rs().seeds(0);
    assert_eq!(vector[assign.length(), judge.length()], vector[32, 0]);
    n.at(0, 9_500);
    draw(&mut n, &random, 0);
    let (same, judge) = n.rs().seeds(0);
    assert_eq!(same, assign);
    assert!(judge.length() == 32 && judge != assign);
    assert_eq!(event::events_by_type<SeedDrawn>().length(), 2);
    n.rs().assert_seeds_drawn(0);
    let (rs, hp, _, _, _, _) = n.parts();
    let digest = rs.context_digest(hp, 0);
    rs.set_seed_for_testing(0, true, assign);
    assert!(rs.context_digest(hp, 0) != digest);
    test_scenario::return_shared(random);
    n.end();
}

#[test]
fun seeds_are_drawn_together_where_the_first_is_late() {
    let mut n = drawn();
    let random = with_random(&mut n);
    n.roll();
    n.at(1, 0);
    draw(&mut n, &random, 0);
    n.rs().assert_seeds_drawn(0);
    test_scenario::return_shared(random);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ENothingToDraw)]
fun seeds_are_not_drawn_before_they_are_due() {
    let mut n = drawn();
    let random = with_random(&mut n);
    n.roll();
    draw(&mut n, &random, 0);
    n.at(0, 9_499);
    draw(&mut n, &random, 0);
    test_scenario::return_shared(random);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ENothingToDraw)]
fun seeds_are_drawn_once() {
    let mut n = drawn();
    let random = with_random(&mut n);
    n.roll();
    n.at(0, 9_500);
    draw(&mut n, &random, 0);
    draw(&mut n, &random, 0);
    test_scenario::return_shared(random);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ENothingToDraw)]
fun seeds_are_not_drawn_beside_drand() {
    let mut n = scenario::founded(vector[]);
    let random = with_random(&mut n);
    n.roll();
    draw(&mut n, &random, 0);
    test_scenario::return_shared(random);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ESeedNotDrawn)]
fun context_digest_wants_both_seeds() {
    let mut n = drawn();
    n.roll();
    n.rs().set_seed_for_testing(0, false, ZEROS);
    let (rs, hp, _, _, _, _) = n.parts();
    rs.context_digest(hp, 0);
    n.end();
}

// === Pruning ===

#[test]
fun prune_takes_a_row_past_its_retention() {
    let mut n = scenario::founded_with(
        vector[10_000],
        scenario::fast_with(vector[b"retention_windows"], vector[3]),
    );
    n.roll();
    n.at(4, 0);
    n.roll();
    assert!(n.rs().is_prunable(0) && !n.rs().is_prunable(4));
    n.rs().prune(0);
    assert!(!n.rs().has_window(0) && n.rs().is_prunable(0) && n.rs().is_ended(0));
    assert_eq!(event::events_by_type<WindowPruned>().length(), 1);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ETooYoung)]
fun prune_refuses_within_the_retention() {
    let mut n = scenario::founded_with(
        vector[10_000],
        scenario::fast_with(vector[b"retention_windows"], vector[3]),
    );
    n.roll();
    n.at(3, 0);
    n.roll();
    n.rs().prune(0);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::EUnknownWindow)]
fun prune_refuses_what_has_no_row() {
    let mut n = scenario::founded(vector[]);
    n.roll();
    n.rs().prune(1);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::EWrongVersion)]
fun state_of_another_version_is_refused() {
    let mut n = scenario::founded(vector[]);
    n.rs().set_version_for_testing(2);
    n.rs().rolled();
    n.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::EWrongVersion)]
fun migrate_finds_nothing_older() {
    let mut n = scenario::begin();
    let (cap, rs, _, _, _, _) = n.governed();
    round_state::migrate(cap, rs);
    n.end();
}
