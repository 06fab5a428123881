/// Hyperparameters that change, the founding, and the admin's two steps.
#[test_only]
module vramhub::hparams_change_tests;

use std::unit_test::assert_eq;
use sui::bcs;
use sui::event;
use sui::test_scenario;
use vramhub::hparams::{Self, AdminAccepted, AdminCap, AdminOffered, HparamsChanged};
use vramhub::scenario::{Self, Network};

fun fast(name: vector<u8>, value: u64): vector<u8> {
    scenario::fast_with(vector[name], vector[value])
}

// === Change ===

#[test]
fun set_before_the_founding_holds_at_once() {
    let mut n = scenario::begin();
    n.next(scenario::admin());
    n.set_at_once(fast(b"top_g", 3));
    assert_eq!(n.hp().current().top_g(), 3);
    assert_eq!(event::events_by_type<HparamsChanged>().length(), 1);
    n.end();
}

#[test]
fun set_rules_from_the_next_window_on() {
    let mut n = scenario::founded(vector[]);
    n.set(fast(b"top_g", 3));
    n.next(scenario::admin());
    n.set(fast(b"top_g", 4));
    let events = event::events_by_type<HparamsChanged>();
    let mut expected = bcs::to_bytes(&1u64);
    expected.append(bcs::to_bytes(&hparams::decode(fast(b"top_g", 4)).digest()));
    assert_eq!(bcs::to_bytes(&events[0]), expected);
    assert_eq!(n.hp().current().top_g(), 15);
    n.at(1, 0);
    n.roll();
    assert_eq!(n.rs().params(1).top_g(), 4);
    assert_eq!(n.rs().params(0).top_g(), 15);
    assert_eq!(n.hp().epochs().length(), 1);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::ENotRolled)]
fun set_wants_a_roll_where_a_change_is_due() {
    let mut n = scenario::founded(vector[]);
    n.set(fast(b"top_g", 3));
    n.at(1, 0);
    n.set_at_once(fast(b"top_g", 4));
    n.end();
}

fun epoch_of(n: &mut Network, i: u64): (u64, u64, u64) { n.hp().epochs()[i].epoch_parts() }

#[test]
fun set_of_another_length_opens_an_epoch_at_the_boundary() {
    let mut n = scenario::founded(vector[]);
    n.set(fast(b"window_ms", 30_000));
    n.set(fast(b"window_ms", 20_000));
    let t0 = scenario::t0();
    assert_eq!(n.hp().epochs().length(), 2);
    let (first, start, length) = epoch_of(&mut n, 1);
    assert_eq!(vector[first, start, length], vector[1, t0 + 10_000, 20_000]);
    let (rs, hp, _, _, _, _) = n.parts();
    let at = rs.deadlines(hp, 0);
    assert_eq!(at.end(), t0 + 10_000);
    assert_eq!(at.report(), t0 + 22_000);
    n.at(2, 9_999);
    assert_eq!(n.hp().window_at(t0 + 29_999), 1);
    assert_eq!(n.hp().window_at(t0 + 30_000), 2);
    n.set(fast(b"window_ms", 20_000));
    assert_eq!(n.hp().epochs().length(), 2);
    n.end();
}

#[test]
fun set_takes_back_a_length_that_has_not_begun() {
    let mut n = scenario::founded(vector[]);
    n.set(fast(b"window_ms", 20_000));
    n.set(scenario::fast());
    assert_eq!(n.hp().epochs().length(), 1);
    n.at(1, 0);
    n.roll();
    assert_eq!(n.rs().params(1).window_ms(), 10_000);
    n.end();
}

#[test]
fun set_forgets_the_oldest_of_64_epochs_only() {
    let mut n = scenario::founded(vector[]);
    let mut now = scenario::t0();
    70u64.do!(|i| {
        let length = if (i % 2 == 0) 11_000 else 10_000;
        n.set(fast(b"window_ms", length));
        now = now + (if (i % 2 == 0) 10_000 else 11_000);
        n.clock().set_for_testing(now);
        n.roll();
        assert_eq!(n.hp().window_at(now), i + 1);
    });
    assert_eq!(n.hp().epochs().length(), 64);
    let (first, _, _) = epoch_of(&mut n, 0);
    assert_eq!(first, 7);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::ENoEpoch)]
fun window_start_refuses_a_window_before_the_first() {
    let mut n = scenario::begin();
    n.found_at(scenario::t0(), 5, scenario::fast());
    n.hp().window_start(4);
    n.end();
}

#[test]
fun set_leaves_the_running_window_just_time_to_be_judged() {
    let mut n = scenario::founded_with(vector[], fast(b"min_judge_ms", 3_000));
    n.set(scenario::fast_with(vector[b"window_ms"], vector[6_000]));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun set_refuses_a_length_that_leaves_the_running_window_no_time() {
    let mut n = scenario::founded_with(vector[], fast(b"min_judge_ms", 3_000));
    n.set(scenario::fast_with(vector[b"window_ms"], vector[5_900]));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun set_measures_the_running_window_by_its_own_shares() {
    let mut n = scenario::founded_with(vector[], fast(b"min_judge_ms", 3_000));
    n.set(scenario::fast_with(vector[b"window_ms", b"report_bps"], vector[5_900, 6_200]));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun set_counts_the_beacons_period() {
    let mut n = scenario::founded(vector[]);
    n.set(fast(b"min_judge_ms", 5_401)); // 6,500 - 100 - 1,000
    n.end();
}

#[test]
fun set_takes_all_held_out_pages() {
    let mut n = scenario::founded(vector[]);
    n.set(fast(b"heldout_pages", 33));
    n.set(fast(b"min_judge_ms", 5_400));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun set_refuses_more_held_out_pages_than_there_are() {
    let mut n = scenario::founded(vector[]);
    n.set(fast(b"heldout_pages", 34));
    n.end();
}

#[test]
fun approvals_wait_for_the_longest_unbonding_period_in_force() {
    let mut n = scenario::founded(vector[]);
    let t0 = scenario::t0();
    assert_eq!(n.hp().approval_time(t0), t0 + 50_000);
    n.set(fast(b"unbonding_ms", 80_000));
    assert_eq!(n.hp().approval_time(t0), t0 + 80_000);
    n.at(1, 0);
    n.roll();
    n.set(fast(b"unbonding_ms", 0));
    n.at(2, 0);
    n.roll();
    // what was in force until window 2 holds back what is approved after it
    assert_eq!(n.hp().approval_time(t0 + 20_000), t0 + 100_000);
    assert_eq!(n.hp().approval_time(t0 + 100_001), t0 + 100_001);
    n.end();
}

// === Founding ===

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun found_refuses_more_stake_than_founders_were_asked() {
    let mut n = scenario::begin();
    n.found_at(scenario::t0(), 0, fast(b"min_validator_stake", 1_001));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun found_refuses_fewer_slots_than_founders_had() {
    let mut n = scenario::begin();
    n.found_at(scenario::t0(), 0, fast(b"max_validators", 31));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun found_refuses_a_start_more_than_thirty_days_ahead() {
    let mut n = scenario::begin();
    n.found_at(scenario::t0() + 2_592_000_001, 0, scenario::fast());
    n.end();
}

#[test]
fun found_takes_a_start_thirty_days_ahead() {
    let mut n = scenario::begin();
    assert!(!n.hp().is_founded());
    n.found_at(scenario::t0() + 2_592_000_000, 0, scenario::fast());
    assert!(n.hp().is_founded());
    assert_eq!(n.hp().beacon_period_ms(), 1_000);
    n.end();
}

// === The admin ===

#[test]
fun admin_moves_in_two_steps() {
    let mut n = scenario::begin();
    let ts = n.ts();
    hparams::init_for_testing(ts.ctx());
    ts.next_tx(scenario::admin());
    let cap: AdminCap = ts.take_from_sender();
    let (_, hp, _, _, _, ctx) = n.parts();
    hparams::offer_admin(cap, hp, @0xB0B, ctx);
    assert_eq!(event::events_by_type<AdminOffered>().length(), 1);
    n.next(@0xB0B);
    let (_, hp, _, _, _, ctx) = n.parts();
    hparams::accept_admin(hp, ctx);
    assert_eq!(event::events_by_type<AdminAccepted>().length(), 1);
    n.next(@0xB0B);
    assert!(test_scenario::has_most_recent_for_sender<AdminCap>(n.ts()));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::ENotAdmin)]
fun admin_is_accepted_by_nobody_else() {
    let mut n = scenario::begin();
    offer(&mut n, @0xB0B);
    n.next(@0xE);
    let (_, hp, _, _, _, ctx) = n.parts();
    hparams::accept_admin(hp, ctx);
    n.end();
}

fun offer(n: &mut Network, to: address) {
    let cap = hparams::admin_for_testing(n.ctx());
    let (_, hp, _, _, _, ctx) = n.parts();
    hparams::offer_admin(cap, hp, to, ctx);
}

#[test]
fun admin_offer_is_taken_back_by_the_offeror() {
    let mut n = scenario::begin();
    offer(&mut n, @0xB0B);
    n.next(scenario::admin());
    let (_, hp, _, _, _, ctx) = n.parts();
    hparams::withdraw_offer(hp, ctx);
    n.next(scenario::admin());
    assert!(test_scenario::has_most_recent_for_sender<AdminCap>(n.ts()));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::ENotAdmin)]
fun admin_offer_is_not_taken_back_by_its_receiver() {
    let mut n = scenario::begin();
    offer(&mut n, @0xB0B);
    n.next(@0xB0B);
    let (_, hp, _, _, _, ctx) = n.parts();
    hparams::withdraw_offer(hp, ctx);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::ENoOffer)]
fun admin_is_not_accepted_twice() {
    let mut n = scenario::begin();
    offer(&mut n, @0xB0B);
    n.next(@0xB0B);
    let (_, hp, _, _, _, ctx) = n.parts();
    hparams::accept_admin(hp, ctx);
    hparams::accept_admin(hp, ctx);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::EWrongVersion)]
fun state_of_another_version_is_refused() {
    let mut n = scenario::begin();
    n.hp().set_version_for_testing(2);
    n.hp().is_founded();
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::EWrongVersion)]
fun migrate_finds_nothing_older() {
    let mut n = scenario::begin();
    let (cap, _, hp, _, _, _) = n.governed();
    hparams::migrate(cap, hp);
    n.end();
}
