/// Validators' slots and stakes, and the roll-over.
#[test_only]
module vramhub::validator_registry_tests;

use std::unit_test::assert_eq;
use sui::bcs;
use sui::coin::Coin;
use sui::event;
use sui::sui::SUI;
use vramhub::round_state;
use vramhub::scenario::{Self, Network};
use vramhub::validator_registry::{
    Self,
    StakeWithdrawn,
    TreasurySwept,
    ValidatorEvicted,
    ValidatorLeaving,
    ValidatorLeft,
    ValidatorRegistered,
    ValidatorSeated,
    ValidatorSlashed,
};
use vramhub::vram_token::VRAM_TOKEN;

const NEW: address = @0x51;
const OTHER: address = @0x52;
const THIRD: address = @0x53;
/// 1e-9 VRAM.
const VRAM: u64 = 1_000_000_000;

fun fast(name: vector<u8>, value: u64): vector<u8> {
    scenario::fast_with(vector[name], vector[value])
}

/// Two slots, both taken, in window 0.
fun full(): Network {
    let mut n = scenario::founded_with(vector[10_000, 5_000], fast(b"max_validators", 2));
    n.roll();
    n
}

fun uids(n: &mut Network, window: u64): vector<u16> {
    n.rs().seats(window).map_ref!(|seat| seat.seat_uid())
}

fun slash(n: &mut Network, uid: u16, owner: address, bps: u16): u64 {
    n.vr().take_stake(uid, owner, bps, 3, b"equivocation")
}

/// MIST that the registry holds for somebody, `who` being all who ever staked.
fun held(n: &mut Network, who: vector<address>): u64 {
    let mut sum = n.vr().treasury_value() + n.vr().pending_stake();
    n.vr().seats().do!(|seat| sum = sum + seat.seat_stake());
    who.do!(|owner| sum = sum + n.vr().unbonding_of(owner));
    sum
}

/// What `owner` was given back in the transaction before.
fun sui_of(n: &mut Network, owner: address): u64 {
    n.next(owner);
    if (!sui::test_scenario::has_most_recent_for_sender<Coin<SUI>>(n.ts())) return 0;
    n.ts().take_from_sender<Coin<SUI>>().burn_for_testing()
}

// === Rolling ===

#[test]
fun roll_takes_the_founders_into_the_first_snapshot() {
    let mut n = scenario::founded(vector[10_000, 7_000]);
    n.roll();
    let seats = *n.rs().seats(0);
    assert_eq!(seats.length(), 2);
    assert_eq!(seats[1].seat_owner(), scenario::validator(1));
    assert_eq!(seats[1].seat_generation(), 1);
    assert_eq!(seats[1].seat_stake(), 7_000);
    assert_eq!(n.rs().snapshot_stake(0), 17_000);
    assert_eq!(n.rs().seat(0, 1), option::some(seats[1]));
    assert!(n.rs().seat(0, 2).is_none());
    n.end();
}

#[test]
fun roll_counts_founders_from_the_first_window() {
    let mut n = scenario::begin();
    n.register_validator(scenario::validator(0), 10_000, 0);
    assert_eq!(n.vr().seats()[0].seat_active_from(), 0);
    n.found_at(scenario::t0(), 2_957_300, scenario::fast());
    n.roll();
    assert_eq!(n.rs().seats(2_957_300)[0].seat_active_from(), 2_957_300);
    n.end();
}

#[test]
fun roll_is_idempotent() {
    let mut n = scenario::founded(vector[10_000]);
    n.roll();
    n.register_validator(NEW, 2_000, 0);
    n.roll();
    n.at(1, 0);
    n.roll();
    n.roll();
    assert_eq!(event::events_by_type<ValidatorSeated>().length(), 1);
    assert_eq!(event::events_by_type<round_state::WindowOpened>().length(), 1);
    assert_eq!(uids(&mut n, 0), vector[0]);
    assert_eq!(uids(&mut n, 1), vector[0, 1]);
    n.end();
}

#[test]
fun roll_seats_what_was_decided_windows_ago() {
    let mut n = scenario::founded(vector[10_000]);
    n.register_validator(NEW, 2_000, 0);
    n.at(9, 0);
    n.roll();
    assert_eq!(uids(&mut n, 9), vector[0, 1]);
    assert_eq!(n.rs().seats(9)[1].seat_active_from(), 9);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::ENotFounded)]
fun roll_refuses_before_the_founding() {
    let mut n = scenario::begin();
    n.roll();
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::ENoEpoch)]
fun roll_refuses_before_the_first_window() {
    let mut n = scenario::begin();
    n.found_at(scenario::t0() + 1, 0, scenario::fast());
    n.roll();
    n.end();
}

// === Founders ===

#[test]
fun founders_pay_neither_fee_nor_bond() {
    let mut n = scenario::begin();
    n.register_bonded(NEW, 1_000, 70, 5);
    assert_eq!(n.vr().seat_owner(0), option::some(NEW));
    assert_eq!(event::events_by_type<ValidatorSeated>().length(), 1);
    assert_eq!(sui_of(&mut n, NEW), 70);
    let bond: Coin<VRAM_TOKEN> = n.ts().take_from_sender();
    assert_eq!(bond.burn_for_testing(), 5);
    n.end();
}

#[test]
fun founders_leave_at_once() {
    let mut n = scenario::begin();
    n.register_validator(NEW, 1_000, 0);
    n.unregister_validator(NEW, 0);
    assert_eq!(n.withdraw_validator(NEW), 1_000);
    n.register_validator(OTHER, 1_000, 0);
    assert_eq!(n.vr().seats()[0].seat_generation(), 2);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENotOwner)]
fun founders_leave_only_their_own_slot() {
    let mut n = scenario::begin();
    n.register_validator(NEW, 1_000, 0);
    n.unregister_validator(OTHER, 0);
    n.end();
}

#[test]
fun founders_may_be_32() {
    let mut n = scenario::founded(vector::tabulate!(32, |i| 1_000 + i));
    n.roll();
    assert_eq!(n.rs().seats(0).length(), 32);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENoSlot)]
fun founders_may_not_be_33() {
    let n = scenario::founded(vector::tabulate!(33, |i| 1_000 + i));
    n.end();
}

// === Registering ===

#[test]
fun register_takes_the_first_free_slot_from_the_next_window_on() {
    let mut n = scenario::founded(vector[10_000]);
    assert_eq!(n.register_validator(NEW, 1_000, 30), 1);
    let mut expected = bcs::to_bytes(&1u16);
    expected.append(bcs::to_bytes(&NEW));
    expected.append(bcs::to_bytes(&1_000u64));
    expected.append(bcs::to_bytes(&0u64));
    expected.append(bcs::to_bytes(&0u64));
    expected.append(bcs::to_bytes(&1u64));
    assert_eq!(bcs::to_bytes(&event::events_by_type<ValidatorRegistered>()[0]), expected);
    assert_eq!(sui_of(&mut n, NEW), 30);
    assert_eq!(n.vr().pending_stake(), 1_000);
    assert!(n.vr().seat_owner(1).is_none());
    assert_eq!(n.vr().owner_of(1), option::some(NEW));
    assert_eq!(n.vr().owner_of(0), option::some(scenario::validator(0)));
    assert!(n.vr().owner_of(2).is_none());
    assert!(!n.vr().is_active(NEW, 0) && n.vr().is_active(NEW, 1));
    assert_eq!(n.register_validator(OTHER, 1_000, 0), 2);
    n.at(1, 0);
    n.roll();
    assert_eq!(n.vr().pending_stake(), 0);
    assert_eq!(n.vr().seat_owner(1), option::some(NEW));
    assert!(n.vr().is_active(NEW, 1) && !n.vr().is_active(NEW, 0));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::EInsufficientStake)]
fun register_refuses_a_mist_too_little() {
    let mut n = scenario::founded(vector[]);
    n.register_validator(NEW, 999, 0);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::EAlreadyRegistered)]
fun register_refuses_a_second_slot() {
    let mut n = scenario::founded(vector[10_000]);
    n.register_validator(scenario::validator(0), 10_000, 0);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::EAlreadyRegistered)]
fun register_refuses_a_second_slot_to_come() {
    let mut n = scenario::founded(vector[10_000]);
    n.register_validator(NEW, 10_000, 0);
    n.register_validator(NEW, 10_000, 0);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENoSlot)]
fun register_refuses_where_all_are_immune() {
    let mut n = full();
    n.at(1, 9_999);
    n.register_validator(NEW, 20_000, 50);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENoSlot)]
fun register_refuses_to_evict_equal_stake() {
    let mut n = full();
    n.at(2, 0);
    n.register_validator(NEW, 5_000, 50);
    n.end();
}

#[test]
fun register_evicts_the_lowest_stake_for_more_and_a_fee() {
    let mut n = full();
    n.at(2, 0);
    assert_eq!(n.register_validator(NEW, 5_001, 80), 1);
    let mut expected = bcs::to_bytes(&1u16);
    expected.append(bcs::to_bytes(&scenario::validator(1)));
    expected.append(bcs::to_bytes(&50u64));
    assert_eq!(bcs::to_bytes(&event::events_by_type<ValidatorEvicted>()[0]), expected);
    assert_eq!(sui_of(&mut n, NEW), 30);
    assert_eq!(n.vr().treasury_value(), 50);
    assert_eq!(n.vr().seat_owner(1), option::some(scenario::validator(1)));
    assert_eq!(uids(&mut n, 2), vector[0, 1]);
    n.at(3, 0);
    // what is due counts before anybody rolls
    assert!(!n.vr().is_active(scenario::validator(1), 3) && n.vr().is_active(NEW, 3));
    n.next(NEW);
    n.roll();
    assert_eq!(n.vr().seat_owner(1), option::some(NEW));
    assert_eq!(n.rs().seats(3)[1].seat_generation(), 2);
    assert_eq!(event::events_by_type<ValidatorLeft>().length(), 1);
    assert_eq!(n.vr().unbonding_of(scenario::validator(1)), 5_000);
    n.end();
}

#[test]
fun register_charges_a_fee_that_doubles_and_starts_again() {
    let mut n = full();
    n.at(2, 0);
    assert_eq!(n.register_validator(NEW, 11_000, 50), 1);
    assert_eq!(n.register_validator(OTHER, 11_000, 100), 0);
    assert_eq!(n.vr().treasury_value(), 150);
    n.at(3, 0);
    n.roll();
    n.at(5, 0);
    // of equal stakes the lowest uid goes
    assert_eq!(n.register_validator(THIRD, 12_000, 50), 0);
    assert_eq!(n.vr().treasury_value(), 200);
    n.end();
}

#[test]
fun register_evicts_the_longest_seated_of_equals() {
    let mut n = scenario::founded_with(vector[5_000, 5_000], fast(b"max_validators", 2));
    n.roll();
    n.at(2, 0);
    assert_eq!(n.register_validator(NEW, 10_000, 50), 0);
    n.at(3, 0);
    n.roll();
    assert_eq!(slash(&mut n, 0, NEW, 5_000), 5_000);
    n.at(5, 0);
    // both have 5,000: slot 0 since window 3, slot 1 since window 0
    assert_eq!(n.register_validator(OTHER, 6_000, 50), 1);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::EInsufficientBalance)]
fun register_refuses_a_fee_that_did_not_double() {
    let mut n = full();
    n.at(2, 0);
    n.register_validator(NEW, 11_000, 50);
    n.register_validator(OTHER, 11_000, 99);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENoSlot)]
fun register_refuses_where_all_change_already() {
    let mut n = full();
    n.at(2, 0);
    n.register_validator(NEW, 11_000, 50);
    n.unregister_validator(scenario::validator(0), 0);
    n.register_validator(OTHER, 20_000, 5_000);
    n.end();
}

#[test]
fun eviction_cost_stops_doubling_and_does_not_overflow() {
    let top = 18_446_744_073_709_551_615;
    assert_eq!(validator_registry::eviction_cost_for_testing(1, 32, top), 1 << 32);
    assert_eq!(validator_registry::eviction_cost_for_testing(1, 99, top), 1 << 32);
    assert_eq!(validator_registry::eviction_cost_for_testing(0, 5, 0), 0);
}

#[test, expected_failure(abort_code = vramhub::validator_registry::EInsufficientBalance)]
fun eviction_cost_beyond_u64_is_refused() {
    let top = 18_446_744_073_709_551_615;
    validator_registry::eviction_cost_for_testing(9_007_199_254_740_991, 32, top);
}

// === Bonds ===

#[test]
fun bond_tiers_rise_with_the_seats() {
    let issued = 1_000_000 * VRAM;
    let tiers = vector[0, 7, 8, 15, 16, 23, 24, 31, 32];
    let bonds = tiers.map!(|seated| validator_registry::bond_tier(seated, issued) / VRAM);
    assert_eq!(bonds, vector[2_100, 2_100, 4_200, 4_200, 10_500, 10_500, 21_000, 21_000, 21_000]);
    assert_eq!(validator_registry::bond_tier(0, issued - 1), 0);
    assert_eq!(validator_registry::bond_tier(32, 0), 0);
}

fun issue(n: &mut Network, amount: u64) {
    let (_, _, _, treasury, _, ctx) = n.parts();
    treasury.mint_for_testing(amount, ctx).burn_for_testing();
}

#[test]
fun register_burns_exactly_the_bond() {
    let mut n = scenario::founded(vector[10_000]);
    issue(&mut n, 1_000_000 * VRAM);
    n.register_bonded(NEW, 1_000, 0, 2_100 * VRAM + 7);
    n.next(NEW);
    let rest: Coin<VRAM_TOKEN> = n.ts().take_from_sender();
    assert_eq!(rest.burn_for_testing(), 7);
    assert_eq!(n.treasury().burned(), 2_100 * VRAM);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::EInsufficientBond)]
fun register_refuses_a_bond_that_is_short() {
    let mut n = scenario::founded(vector[10_000]);
    issue(&mut n, 1_000_000 * VRAM);
    n.register_bonded(NEW, 1_000, 0, 2_100 * VRAM - 1);
    n.end();
}

#[test]
fun register_counts_seats_to_come_for_the_bond() {
    let mut n = scenario::founded(vector::tabulate!(7, |_| 1_000));
    issue(&mut n, 1_000_000 * VRAM);
    n.register_bonded(NEW, 1_000, 0, 2_100 * VRAM);
    n.register_bonded(OTHER, 1_000, 0, 4_200 * VRAM);
    assert_eq!(n.treasury().burned(), 6_300 * VRAM);
    n.end();
}

// === Leaving ===

#[test]
fun unregister_leaves_at_the_next_window_and_unbonds_from_there() {
    let mut n = scenario::founded(vector[10_000, 7_000]);
    let owner = scenario::validator(1);
    n.unregister_validator(owner, 1);
    assert_eq!(event::events_by_type<ValidatorLeaving>().length(), 1);
    assert_eq!(uids(&mut n, 0), vector[0, 1]);
    assert!(n.vr().is_active(owner, 0) && !n.vr().is_active(owner, 1));
    n.at(1, 0);
    n.next(owner);
    n.roll();
    let mut expected = bcs::to_bytes(&1u16);
    expected.append(bcs::to_bytes(&owner));
    expected.append(bcs::to_bytes(&7_000u64));
    expected.append(bcs::to_bytes(&(scenario::t0() + 60_000)));
    assert_eq!(bcs::to_bytes(&event::events_by_type<ValidatorLeft>()[0]), expected);
    assert_eq!(uids(&mut n, 1), vector[0]);
    n.at(6, 0);
    assert_eq!(n.withdraw_validator(owner), 7_000);
    assert_eq!(event::events_by_type<StakeWithdrawn>().length(), 1);
    assert_eq!(n.register_validator(owner, 1_000, 0), 1);
    n.at(7, 0);
    n.roll();
    assert_eq!(n.rs().seats(7)[1].seat_generation(), 2);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENothingToWithdraw)]
fun withdraw_refuses_a_millisecond_early() {
    let mut n = scenario::founded(vector[10_000, 7_000]);
    n.unregister_validator(scenario::validator(1), 1);
    n.at(1, 0);
    n.roll();
    n.at(5, 9_999);
    n.withdraw_validator(scenario::validator(1));
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENothingToWithdraw)]
fun withdraw_refuses_a_second_time() {
    let mut n = scenario::begin();
    n.register_validator(NEW, 1_000, 0);
    n.unregister_validator(NEW, 0);
    n.withdraw_validator(NEW);
    n.withdraw_validator(NEW);
    n.end();
}

#[test]
fun unbonding_takes_the_period_of_the_window_that_was_left() {
    let mut n = scenario::founded(vector[10_000, 7_000]);
    n.set(fast(b"unbonding_ms", 0));
    n.unregister_validator(scenario::validator(1), 1);
    n.at(1, 0);
    n.roll();
    n.at(6, 0);
    assert_eq!(n.withdraw_validator(scenario::validator(1)), 7_000);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENotOwner)]
fun unregister_refuses_anothers_slot() {
    let mut n = scenario::founded(vector[10_000]);
    n.unregister_validator(NEW, 0);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENotOwner)]
fun unregister_refuses_an_empty_slot() {
    let mut n = scenario::founded(vector[10_000]);
    n.unregister_validator(scenario::validator(0), 7);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::ENotActive)]
fun unregister_refuses_a_slot_that_changes_already() {
    let mut n = scenario::founded(vector[10_000]);
    n.unregister_validator(scenario::validator(0), 0);
    n.unregister_validator(scenario::validator(0), 0);
    n.end();
}

#[test]
fun unbonding_entries_are_bounded_and_lose_nothing() {
    let mut n = scenario::founded_with(vector[], fast(b"unbonding_ms", 31_536_000_000));
    20u64.do!(|i| {
        n.at(2 * i, 0);
        n.register_validator(NEW, 1_000 + i, 0);
        n.at(2 * i + 1, 0);
        n.unregister_validator(NEW, 0);
    });
    n.at(40, 0);
    n.roll();
    assert_eq!(n.vr().unbonding_of(NEW), 20_190);
    n.at(40, 31_536_000_000);
    assert_eq!(n.withdraw_validator(NEW), 20_190);
    n.end();
}

// === Slashing ===

#[test]
fun take_stake_takes_from_the_seat() {
    let mut n = scenario::founded(vector[10_000, 7_001]);
    assert_eq!(slash(&mut n, 1, scenario::validator(1), 5_000), 3_500);
    let mut expected = bcs::to_bytes(&1u16);
    expected.append(bcs::to_bytes(&3u64));
    expected.append(bcs::to_bytes(&3_500u64));
    expected.append(bcs::to_bytes(&b"equivocation"));
    assert_eq!(bcs::to_bytes(&event::events_by_type<ValidatorSlashed>()[0]), expected);
    assert_eq!(n.vr().treasury_value(), 3_500);
    assert_eq!(n.vr().seats()[1].seat_stake(), 3_501);
    n.end();
}

#[test]
fun take_stake_follows_whoever_leaves() {
    let mut n = scenario::founded(vector[10_000, 7_000]);
    let owner = scenario::validator(1);
    n.unregister_validator(owner, 1);
    n.at(1, 0);
    n.roll();
    n.register_validator(owner, 2_000, 0);
    assert_eq!(slash(&mut n, 1, owner, 10_000), 9_000);
    assert_eq!(n.vr().unbonding_of(owner), 0);
    assert_eq!(slash(&mut n, 1, owner, 10_000), 0);
    assert_eq!(slash(&mut n, 0, owner, 10_000), 0);
    assert_eq!(event::events_by_type<ValidatorSlashed>().length(), 1);
    n.at(2, 0);
    n.roll();
    assert_eq!(n.rs().seats(2)[1].seat_stake(), 0);
    n.end();
}

#[test]
fun a_seat_without_stake_leaves_nothing_to_unbond() {
    let mut n = scenario::founded(vector[10_000, 7_000]);
    let owner = scenario::validator(1);
    slash(&mut n, 1, owner, 10_000);
    n.unregister_validator(owner, 1);
    n.at(1, 0);
    n.roll();
    assert_eq!(n.vr().unbonding_of(owner), 0);
    n.end();
}

#[test]
fun sweep_pays_the_treasury_out() {
    let mut n = scenario::founded(vector[10_000]);
    slash(&mut n, 0, scenario::validator(0), 10_000);
    let cap = vramhub::hparams::admin_for_testing(n.ctx());
    let (_, _, vr, _, _, ctx) = n.parts();
    let swept = validator_registry::sweep_treasury(&cap, vr, ctx);
    assert_eq!(swept.burn_for_testing(), 10_000);
    assert_eq!(event::events_by_type<TreasurySwept>().length(), 1);
    assert_eq!(n.vr().treasury_value(), 0);
    std::unit_test::destroy(cap);
    n.end();
}

#[test]
fun no_mist_is_made_or_lost() {
    let mut n = full();
    let who = vector[scenario::validator(0), scenario::validator(1), NEW, OTHER];
    let mut paid_in = 15_000;
    assert_eq!(held(&mut n, who), paid_in);
    n.at(2, 0);
    n.register_validator(NEW, 6_000, 60);
    n.register_validator(OTHER, 20_000, 101);
    paid_in = paid_in + 26_150;
    assert_eq!(held(&mut n, who), paid_in);
    slash(&mut n, 1, scenario::validator(1), 3_333);
    slash(&mut n, 1, NEW, 1);
    assert_eq!(held(&mut n, who), paid_in);
    n.at(3, 0);
    n.roll();
    assert_eq!(held(&mut n, who), paid_in);
    n.unregister_validator(NEW, 1);
    n.at(4, 0);
    n.roll();
    slash(&mut n, 1, NEW, 5_000);
    assert_eq!(held(&mut n, who), paid_in);
    n.at(9, 0);
    let mut paid_out = n.withdraw_validator(NEW);
    paid_out = paid_out + n.withdraw_validator(scenario::validator(0));
    paid_out = paid_out + n.withdraw_validator(scenario::validator(1));
    assert_eq!(held(&mut n, who) + paid_out, paid_in);
    assert_eq!(n.vr().treasury_value() + 20_000, paid_in - paid_out);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::EWrongVersion)]
fun state_of_another_version_is_refused() {
    let mut n = scenario::founded(vector[]);
    n.vr().set_version_for_testing(2);
    n.roll();
    n.end();
}

#[test, expected_failure(abort_code = vramhub::validator_registry::EWrongVersion)]
fun migrate_finds_nothing_older() {
    let mut n = scenario::begin();
    let (cap, _, _, _, vr, _) = n.governed();
    validator_registry::migrate(cap, vr);
    n.end();
}
