#[test_only, allow(implicit_const_copy)]
module vramhub::peer_registry_tests;

use std::unit_test::assert_eq;
use sui::bcs;
use sui::event;
use vramhub::peer_registry::{Self as pr, PeerRegistry};
use vramhub::peers_scenario::{Self as peers, Peers};
use vramhub::scenario::{Self, miner};

const NEW: address = @0x51;
const OTHER: address = @0x52;
const THIRD: address = @0x53;
const BIAS: u64 = 1 << 63;

fun stakes(p: &mut Peers, count: u16): vector<u64> {
    vector::tabulate!(count as u64, |uid| p.pr().stake_of(uid as u16))
}

fun rate(p: &mut Peers, uid: u16, mu: u64, accepted_window: Option<u64>) {
    p.pr().apply_result(uid, 1, BIAS + mu * 1_000_000, 8_333_334, 1_000_000, 1, 1, accepted_window);
}

fun mu(registry: &PeerRegistry, uid: u16, generation: u64): u64 {
    registry.record_of(uid, generation).record_mu()
}

/// The only event of type `T` in the last transaction, as BCS.
fun only<T: copy + drop>(): vector<u8> {
    let events = event::events_by_type<T>();
    assert_eq!(events.length(), 1);
    bcs::to_bytes(&events[0])
}

// === Founders ===

#[test]
fun founders_are_seated_at_once_and_active_from_the_first_window() {
    let mut p = peers::begin(scenario::fast());
    assert_eq!(p.register(miner(0), 1_000, 0), 0);
    assert_eq!(event::events_by_type<pr::PeerSeated>().length(), 1);
    assert_eq!(p.register(miner(1), 1_000, 0), 1);
    assert!(p.pr().slot_owner(1) == option::some(miner(1)));
    p.net().found_at(scenario::t0(), 77, scenario::fast());
    p.roll();
    assert_eq!(p.pr().active_from(0), 77);
    assert_eq!(p.pr().generation_of(0), option::some(1));
    p.end();
}

#[test]
fun a_founder_leaves_at_once_before_the_founding() {
    let mut p = peers::begin(scenario::fast());
    p.register(miner(0), 1_000, 0);
    p.unregister(miner(0), 0);
    assert!(!p.pr().is_seated(0));
    assert_eq!(p.withdraw(miner(0)), 1_000);
    assert_eq!(p.register(miner(0), 2_000, 0), 0);
    assert_eq!(p.pr().generation_of(0), option::some(2));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENoSlot)]
fun founders_evict_nobody() {
    let mut p = peers::begin(scenario::fast_with(vector[b"max_miners"], vector[1]));
    p.register(miner(0), 1_000, 0);
    p.register(miner(1), 1_000, 1_000);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EInsufficientStake)]
fun founders_keep_to_the_least_stake() {
    let mut p = peers::begin(scenario::fast());
    p.register(miner(0), 999, 0);
    p.end();
}

// === Registration ===

#[test]
fun a_newcomer_takes_the_lowest_free_slot_from_the_next_window_on() {
    let mut p = peers::founded(1);
    assert_eq!(p.register(NEW, 2_000, 0), 1);
    let mut expected = bcs::to_bytes(&1u16);
    expected.append(bcs::to_bytes(&NEW));
    expected.append(bcs::to_bytes(&2_000u64));
    expected.append(bcs::to_bytes(&1u64));
    assert_eq!(only<pr::PeerRegistered>(), expected);
    assert_eq!(event::events_by_type<pr::PeerSeated>().length(), 0);
    assert!(p.pr().slot_owner(1).is_none() && p.pr().uid_of(NEW) == option::some(1));
    assert_eq!(p.pr().pending_stake_of(1), 2_000);
    p.at(1, 0);
    p.roll();
    let mut expected = bcs::to_bytes(&1u16);
    expected.append(bcs::to_bytes(&1u64));
    expected.append(bcs::to_bytes(&NEW));
    assert_eq!(only<pr::PeerSeated>(), expected);
    assert_eq!(p.pr().active_from(1), 1);
    assert_eq!(p.pr().stake_of(1), 2_000);
    assert!(p.pr().last_accepted(1).is_none());
    let record = p.pr().record_of(1, 1);
    assert_eq!(record.record_mu(), BIAS + 25_000_000);
    assert_eq!(record.record_sigma(), 8_333_334);
    assert_eq!(record.record_average(), 1_000_000);
    assert_eq!(record.record_measured() + record.record_accepted(), 0);
    p.end();
}

#[test]
fun the_whole_fee_goes_back_where_a_slot_is_free() {
    let mut p = peers::founded(1);
    p.register(NEW, 1_000, 77);
    assert_eq!(p.change(NEW), 77);
    assert_eq!(p.pr().treasury_value(), 0);
    p.end();
}

#[test]
fun the_least_stake_is_enough() {
    let mut p = peers::founded(1);
    assert_eq!(p.register(NEW, 1_000, 0), 1);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EInsufficientStake)]
fun one_less_than_the_least_stake_is_refused() {
    let mut p = peers::founded(1);
    p.register(NEW, 999, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EAlreadyRegistered)]
fun a_seated_owner_has_one_slot() {
    let mut p = peers::founded(1);
    p.register(miner(0), 1_000, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EAlreadyRegistered)]
fun a_pending_owner_has_one_slot() {
    let mut p = peers::founded(1);
    p.register(NEW, 1_000, 0);
    p.register(NEW, 1_000, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EAlreadyRegistered)]
fun a_leaving_owner_has_its_slot_until_the_next_window() {
    let mut p = peers::founded(1);
    p.unregister(miner(0), 0);
    p.register(miner(0), 1_000, 0);
    p.end();
}

#[test]
fun a_leaving_slot_is_not_free_before_the_next_window() {
    let mut p = peers::founded(2);
    p.unregister(miner(0), 0);
    assert_eq!(p.register(NEW, 1_000, 0), 2);
    p.at(1, 0);
    assert_eq!(p.register(OTHER, 1_000, 0), 0);
    p.end();
}

#[test]
fun all_256_slots_can_be_taken() {
    let mut p = peers::founded(0);
    p.seat(255);
    assert_eq!(p.register(NEW, 1_000, 0), 255);
    p.at(1, 0);
    p.roll();
    assert!(p.pr().is_seated(255) && !p.pr().is_seated(256));
    p.end();
}

// === Eviction ===

#[test, expected_failure(abort_code = vramhub::peer_registry::ENoSlot)]
fun a_full_table_of_newcomers_admits_nobody() {
    let mut p = peers::with(2, vector[b"max_miners"], vector[2]);
    p.register(NEW, 1_000, 1_000);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENoSlot)]
fun immunity_holds_in_its_last_window() {
    let mut p = peers::with(1, vector[b"max_miners"], vector[1]);
    p.roll();
    p.at(1, 9_999);
    p.register(NEW, 1_000, 1_000);
    p.end();
}

#[test]
fun immunity_ends_with_its_last_window() {
    let mut p = peers::with(1, vector[b"max_miners"], vector[1]);
    p.roll();
    p.at(2, 0);
    assert_eq!(p.register(NEW, 1_000, 50), 0);
    p.end();
}

#[test]
fun the_weakest_ordinal_goes_for_a_fee_that_doubles() {
    let mut p = peers::with(3, vector[b"max_miners"], vector[3]);
    p.roll();
    rate(&mut p, 0, 30, option::some(0));
    rate(&mut p, 1, 28, option::some(0));
    rate(&mut p, 2, 35, option::some(0));
    p.at(2, 0);
    assert_eq!(p.register(NEW, 1_000, 1_000), 1);
    let mut expected = bcs::to_bytes(&1u16);
    expected.append(bcs::to_bytes(&miner(1)));
    expected.append(bcs::to_bytes(&50u64));
    assert_eq!(only<pr::PeerEvicted>(), expected);
    assert_eq!(p.change(NEW), 950);
    assert_eq!(p.register(OTHER, 1_000, 1_000), 0);
    assert_eq!(p.change(OTHER), 900);
    assert_eq!(p.register(THIRD, 1_000, 200), 2);
    assert_eq!(p.pr().treasury_value(), 350);
    assert!(p.pr().slot_owner(1) == option::some(miner(1)));
    p.at(3, 0);
    p.roll();
    assert!(p.pr().slot_owner(1) == option::some(NEW));
    assert_eq!(p.pr().generation_of(1), option::some(2));
    p.at(8, 0);
    assert_eq!(p.withdraw(miner(1)), 5_000);
    assert_eq!(p.register(@0x54, 1_000, 50), 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EInsufficientBalance)]
fun one_less_than_the_fee_is_refused() {
    let mut p = peers::with(1, vector[b"max_miners"], vector[1]);
    p.roll();
    p.at(2, 0);
    p.register(NEW, 1_000, 49);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EInsufficientBalance)]
fun the_doubled_fee_is_not_the_first() {
    let mut p = peers::with(2, vector[b"max_miners"], vector[2]);
    p.roll();
    p.at(2, 0);
    p.register(NEW, 1_000, 50);
    p.register(OTHER, 1_000, 99);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENoSlot)]
fun who_leaves_already_cannot_be_evicted() {
    let mut p = peers::with(1, vector[b"max_miners"], vector[1]);
    p.roll();
    p.at(2, 0);
    p.register(NEW, 1_000, 50);
    p.register(OTHER, 1_000, 1_000);
    p.end();
}

#[test]
fun doubling_ends_at_two_to_the_32() {
    let names = vector[b"eviction_fee", b"immunity_windows", b"max_miners"];
    let mut p = peers::with(0, names, vector[1, 0, 34]);
    p.seat(34);
    p.hurry();
    34u64.do!(|i| {
        let fee = 1 << (i.min(32) as u8);
        p.register(sui::address::from_u256(0x5000 + (i as u256)), 1_000, fee);
    });
    assert_eq!(p.pr().treasury_value(), (1 << 33) - 1 + (1 << 32));
    p.end();
}

#[test]
fun equal_ordinals_evict_the_longest_seated() {
    let mut p = peers::with(2, vector[b"max_miners"], vector[3]);
    p.unregister(miner(0), 0);
    p.at(1, 0);
    assert_eq!(p.register(NEW, 1_000, 0), 0);
    assert_eq!(p.register(OTHER, 1_000, 0), 2);
    p.at(5, 0);
    assert_eq!(p.register(THIRD, 1_000, 50), 1);
    p.end();
}

#[test]
fun equal_ordinals_of_equal_age_evict_the_lowest_uid() {
    let mut p = peers::with(3, vector[b"max_miners"], vector[3]);
    p.roll();
    p.at(2, 0);
    assert_eq!(p.register(NEW, 1_000, 50), 0);
    p.end();
}

#[test]
fun an_ordinal_below_zero_is_the_weakest() {
    let mut p = peers::with(2, vector[b"max_miners"], vector[2]);
    p.roll();
    p.pr().apply_result(1, 1, BIAS - 5_000_000, 1, 1_000_000, 1, 0, option::none());
    p.pr().apply_result(0, 1, BIAS, 1_666_666, 1_000_000, 1, 0, option::none());
    p.at(2, 0);
    assert_eq!(p.register(NEW, 1_000, 50), 1);
    p.end();
}

#[test]
fun an_idle_slot_goes_first_and_for_nothing() {
    let mut p = peers::with(2, vector[b"max_miners", b"inactive_windows"], vector[2, 3]);
    p.roll();
    rate(&mut p, 0, 16, option::some(2));
    rate(&mut p, 1, 20, option::some(0));
    p.at(4, 0);
    assert_eq!(p.register(NEW, 1_000, 0), 1);
    assert_eq!(p.pr().treasury_value(), 0);
    p.end();
}

#[test]
fun a_slot_is_not_idle_in_its_last_window() {
    let mut p = peers::with(2, vector[b"max_miners", b"inactive_windows"], vector[2, 3]);
    p.roll();
    rate(&mut p, 0, 16, option::some(2));
    rate(&mut p, 1, 20, option::some(0));
    p.at(3, 9_999);
    assert_eq!(p.register(NEW, 1_000, 50), 0);
    p.end();
}

#[test]
fun a_free_eviction_makes_the_next_no_dearer() {
    let mut p = peers::with(2, vector[b"max_miners", b"inactive_windows"], vector[2, 3]);
    p.roll();
    rate(&mut p, 0, 16, option::some(2));
    p.at(4, 0);
    p.register(NEW, 1_000, 0);
    assert_eq!(p.register(OTHER, 1_000, 50), 0);
    p.end();
}

// === Leaving ===

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotOwner)]
fun a_stranger_cannot_unregister() {
    let mut p = peers::founded(1);
    p.unregister(NEW, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotOwner)]
fun an_empty_slot_has_no_owner() {
    let mut p = peers::founded(1);
    p.unregister(miner(0), 77);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotOwner)]
fun a_uid_beyond_all_slots_has_no_owner() {
    let mut p = peers::founded(1);
    p.unregister(miner(0), 256);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotActive)]
fun a_slot_is_left_once() {
    let mut p = peers::founded(1);
    p.unregister(miner(0), 0);
    p.unregister(miner(0), 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotActive)]
fun the_evicted_cannot_leave_besides() {
    let mut p = peers::with(1, vector[b"max_miners"], vector[1]);
    p.roll();
    p.at(2, 0);
    p.register(NEW, 1_000, 50);
    p.unregister(miner(0), 0);
    p.end();
}

#[test]
fun a_miner_leaves_at_the_next_window_and_its_stake_unbonds_from_there() {
    let mut p = peers::founded(2);
    p.unregister(miner(0), 0);
    let mut expected = bcs::to_bytes(&0u16);
    expected.append(bcs::to_bytes(&miner(0)));
    expected.append(bcs::to_bytes(&1u64));
    assert_eq!(only<pr::PeerLeaving>(), expected);
    p.commit(0, 0);
    p.at(1, 0);
    p.roll();
    assert!(!p.pr().is_seated(0) && p.pr().is_seated(1));
    let mut expected = bcs::to_bytes(&0u16);
    expected.append(bcs::to_bytes(&miner(0)));
    expected.append(bcs::to_bytes(&4_700u64));
    expected.append(bcs::to_bytes(&(scenario::t0() + 60_000)));
    assert_eq!(only<pr::PeerLeft>(), expected);
    assert_eq!(p.pr().unbonding_of(miner(0)), 4_700);
    assert!(p.pr().uid_of(miner(0)).is_none());
    p.at(6, 0);
    assert_eq!(p.withdraw(miner(0)), 4_700);
    assert_eq!(event::events_by_type<pr::StakeWithdrawn>().length(), 1);
    assert_eq!(p.pr().unbonding_of(miner(0)), 0);
    assert_eq!(p.register(miner(0), 1_000, 0), 0);
    p.at(7, 0);
    p.roll();
    assert_eq!(p.pr().generation_of(0), option::some(2));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENothingToWithdraw)]
fun stake_that_still_unbonds_is_not_paid_out() {
    let mut p = peers::founded(1);
    p.unregister(miner(0), 0);
    p.at(1, 0);
    p.roll();
    p.at(5, 9_999);
    p.withdraw(miner(0));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENothingToWithdraw)]
fun who_never_had_a_slot_has_nothing_to_withdraw() {
    let mut p = peers::founded(1);
    p.withdraw(NEW);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENothingToWithdraw)]
fun stake_is_withdrawn_once() {
    let mut p = peers::with(1, vector[b"unbonding_ms"], vector[0]);
    p.unregister(miner(0), 0);
    p.at(1, 0);
    assert_eq!(p.withdraw(miner(0)), 5_000);
    p.withdraw(miner(0));
    p.end();
}

#[test]
fun only_what_is_due_is_withdrawn() {
    let mut p = peers::with(1, vector[b"unbonding_ms"], vector[20_000]);
    p.unregister(miner(0), 0);
    p.at(1, 0);
    p.register(miner(0), 1_000, 0);
    p.at(2, 0);
    p.unregister(miner(0), 0);
    p.at(3, 0);
    assert_eq!(p.withdraw(miner(0)), 5_000);
    assert_eq!(p.pr().unbonding_of(miner(0)), 1_000);
    p.at(5, 0);
    assert_eq!(p.withdraw(miner(0)), 1_000);
    p.end();
}

#[test]
fun a_shorter_unbonding_does_not_shorten_that_of_who_left_before() {
    let mut p = peers::founded(2);
    p.unregister(miner(0), 0);
    p.net().set(scenario::fast_with(vector[b"unbonding_ms"], vector[0]));
    p.at(1, 0);
    p.roll();
    p.unregister(miner(1), 1);
    p.at(2, 0);
    assert_eq!(p.withdraw(miner(1)), 5_000);
    assert_eq!(p.pr().unbonding_of(miner(0)), 5_000);
    p.at(6, 0);
    assert_eq!(p.withdraw(miner(0)), 5_000);
    p.end();
}

#[test]
fun more_stakes_than_are_kept_apart_join_the_last() {
    let names = vector[b"unbonding_ms"];
    let mut p = peers::with(0, names, vector[100_000_000]);
    p.hurry();
    34u64.do!(|i| {
        p.at(2 * i, 0);
        p.register(NEW, 1_000, 0);
        p.at(2 * i + 1, 0);
        p.unregister(NEW, 0);
    });
    p.at(68, 0);
    p.roll();
    assert_eq!(p.pr().unbonding_of(NEW), 34_000);
    // The 32nd left at window 64; the last two joined it and its date moved to the last one's.
    p.at(62 + 10_000, 0);
    assert_eq!(p.withdraw(NEW), 31_000);
    p.at(68 + 10_000, 0);
    assert_eq!(p.withdraw(NEW), 3_000);
    p.end();
}

#[test]
fun former_records_are_kept_for_two_windows() {
    let mut p = peers::founded(1);
    p.roll();
    rate(&mut p, 0, 33, option::none());
    p.unregister(miner(0), 0);
    p.at(1, 0);
    p.register(NEW, 1_000, 0);
    p.at(2, 0);
    p.roll();
    assert_eq!(mu(p.pr(), 0, 1), BIAS + 33_000_000);
    assert_eq!(mu(p.pr(), 0, 2), BIAS + 25_000_000);
    p.end();
}

#[test, expected_failure(abort_code = 0x40001, location = std::option)]
fun older_records_go_with_the_next_owner_that_leaves() {
    let mut p = peers::founded(1);
    p.unregister(miner(0), 0);
    p.at(1, 0);
    p.register(NEW, 1_000, 0);
    p.at(3, 0);
    p.unregister(NEW, 0);
    p.at(4, 0);
    p.roll();
    p.pr().record_of(0, 2);
    p.pr().record_of(0, 1);
    p.end();
}

// === Fees and stakes ===

#[test]
fun a_commit_that_is_never_revealed_costs_a_fee_once() {
    let mut p = peers::founded(3);
    p.commit(0, 0);
    p.commit(1, 0);
    p.at(0, 8_000);
    p.reveal(1, 0);
    assert_eq!(stakes(&mut p, 3), vector[5_000, 5_000, 5_000]);
    p.at(1, 0);
    p.roll();
    let mut expected = bcs::to_bytes(&0u64);
    expected.append(bcs::to_bytes(&0u16));
    expected.append(bcs::to_bytes(&300u64));
    assert_eq!(only<pr::UnrevealedCharged>(), expected);
    assert_eq!(stakes(&mut p, 3), vector[4_700, 5_000, 5_000]);
    p.at(3, 0);
    p.roll();
    assert_eq!(stakes(&mut p, 3), vector[4_700, 5_000, 5_000]);
    assert_eq!(p.pr().treasury_value(), 300);
    p.end();
}

#[test]
fun the_fee_is_that_of_the_window_of_the_commit() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.net().set(scenario::fast_with(vector[b"unrevealed_fee"], vector[1]));
    p.at(4, 0);
    p.commit(0, 4);
    assert_eq!(p.pr().stake_of(0), 4_700);
    p.at(5, 0);
    p.roll();
    assert_eq!(p.pr().stake_of(0), 4_699);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EInsufficientStake)]
fun a_stake_below_the_fee_takes_part_no_more() {
    let mut p = peers::with(1, vector[b"unrevealed_fee"], vector[3_000]);
    p.commit(0, 0);
    p.at(1, 0);
    p.commit(0, 1);
    p.end();
}

#[test]
fun a_topped_up_stake_takes_part_again() {
    let mut p = peers::with(1, vector[b"unrevealed_fee"], vector[3_000]);
    p.commit(0, 0);
    p.at(1, 0);
    p.top_up(miner(0), 0, 1_000);
    assert_eq!(event::events_by_type<pr::StakeAdded>().length(), 1);
    assert_eq!(p.pr().stake_of(0), 3_000);
    assert_eq!(p.commit(0, 1), 1);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotOwner)]
fun a_stranger_cannot_top_up() {
    let mut p = peers::founded(1);
    p.top_up(NEW, 0, 1_000);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EInsufficientStake)]
fun nothing_is_not_topped_up() {
    let mut p = peers::founded(1);
    p.top_up(miner(0), 0, 0);
    p.end();
}

#[test]
fun the_admin_sweeps_the_treasury() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.at(1, 0);
    p.roll();
    let cap = vramhub::hparams::admin_for_testing(p.net().ctx());
    let (_, _, _, registry, _, _, ctx) = p.parts();
    assert_eq!(pr::sweep_treasury(&cap, registry, ctx).burn_for_testing(), 300);
    assert_eq!(registry.treasury_value(), 0);
    std::unit_test::destroy(cap);
    p.end();
}

// === Results ===

#[test]
fun a_result_is_kept_for_the_generation_that_earned_it() {
    let mut p = peers::founded(1);
    p.roll();
    rate(&mut p, 0, 30, option::some(4));
    rate(&mut p, 0, 31, option::some(3));
    assert_eq!(p.pr().last_accepted(0), option::some(4));
    p.pr().apply_result(0, 2, 1, 1, 1, 1, 1, option::some(9));
    assert_eq!(mu(p.pr(), 0, 1), BIAS + 31_000_000);
    p.unregister(miner(0), 0);
    p.at(1, 0);
    p.roll();
    rate(&mut p, 0, 99, option::some(0));
    assert_eq!(mu(p.pr(), 0, 1), BIAS + 31_000_000);
    p.end();
}

// === Credentials ===

#[test]
fun credentials_are_published_by_ascending_epochs() {
    let mut p = peers::founded(1);
    assert!(p.pr().credentials_epoch(0).is_none());
    p.seal(miner(0), 0, 1);
    assert_eq!(event::events_by_type<pr::CredentialsSet>().length(), 1);
    p.seal(miner(0), 0, 2);
    assert_eq!(p.pr().credentials_epoch(0), option::some(2));
    assert_eq!(p.pr().next_epoch(0), 3);
    p.end();
}

#[test]
fun credentials_take_the_longest_fields() {
    let mut p = peers::founded(1);
    p.set_credentials(miner(0), 0, 1, vector[64, 64, 4_096], 16, 16);
    p.set_credentials(miner(0), 0, 2, vector[1, 1, 1], 1, 1);
    p.end();
}

#[test]
fun credentials_are_void_when_the_slot_changes_hands_and_epochs_go_on() {
    let mut p = peers::founded(1);
    p.seal(miner(0), 0, 1);
    p.unregister(miner(0), 0);
    p.at(1, 0);
    p.register(NEW, 1_000, 0);
    assert!(p.pr().credentials_epoch(0).is_none());
    p.at(2, 0);
    p.roll();
    assert!(p.pr().credentials_epoch(0).is_none());
    p.seal(NEW, 0, 2);
    assert_eq!(p.pr().credentials_epoch(0), option::some(2));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EBadEpoch)]
fun an_epoch_is_not_used_twice() {
    let mut p = peers::founded(1);
    p.seal(miner(0), 0, 1);
    p.seal(miner(0), 0, 1);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EBadEpoch)]
fun an_epoch_is_not_left_out() {
    let mut p = peers::founded(1);
    p.seal(miner(0), 0, 2);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotOwner)]
fun a_stranger_publishes_no_credentials() {
    let mut p = peers::founded(1);
    p.seal(NEW, 0, 1);
    p.end();
}

fun bad_credentials(lengths: vector<u64>, servers: u64, threshold: u8) {
    let mut p = peers::founded(1);
    p.set_credentials(miner(0), 0, 1, lengths, servers, threshold);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EBadCredentials)]
fun a_bucket_is_65_bytes_too_long() { bad_credentials(vector[65, 9, 9], 3, 2) }

#[test, expected_failure(abort_code = vramhub::peer_registry::EBadCredentials)]
fun an_account_is_65_bytes_too_long() { bad_credentials(vector[9, 65, 9], 3, 2) }

#[test, expected_failure(abort_code = vramhub::peer_registry::EBadCredentials)]
fun sealed_bytes_are_4097_too_long() { bad_credentials(vector[9, 9, 4_097], 3, 2) }

#[test, expected_failure(abort_code = vramhub::peer_registry::EBadCredentials)]
fun sealed_bytes_are_not_empty() { bad_credentials(vector[9, 9, 0], 3, 2) }

#[test, expected_failure(abort_code = vramhub::peer_registry::EBadCredentials)]
fun key_servers_are_17_too_many() { bad_credentials(vector[9, 9, 9], 17, 2) }

#[test, expected_failure(abort_code = vramhub::peer_registry::EBadCredentials)]
fun a_threshold_is_not_zero() { bad_credentials(vector[9, 9, 9], 3, 0) }

#[test, expected_failure(abort_code = vramhub::peer_registry::EBadCredentials)]
fun a_threshold_is_not_above_the_servers() { bad_credentials(vector[9, 9, 9], 3, 4) }

// === Limits and versions ===

#[test]
fun a_whole_table_can_leave_at_once() {
    let mut p = peers::with(0, vector[b"unbonding_ms"], vector[0]);
    p.seat(256);
    p.hurry();
    256u64.do!(|i| p.unregister(miner(i), i as u16));
    p.rest();
    p.at(1, 0);
    p.roll();
    assert_eq!(event::events_by_type<pr::PeerLeft>().length(), 256);
    assert!(event::num_events() < 1_024);
    assert!(!p.pr().is_seated(0) && !p.pr().is_seated(255));
    assert_eq!(p.withdraw(miner(255)), 5_000);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EWrongVersion)]
fun another_version_is_refused() {
    let mut p = peers::founded(1);
    p.pr().set_version_for_testing(2);
    p.roll();
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EWrongVersion)]
fun another_version_is_not_read() {
    let mut p = peers::founded(1);
    p.pr().set_version_for_testing(0);
    p.pr().treasury_value();
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EWrongVersion)]
fun there_is_nothing_to_migrate() {
    let mut p = peers::founded(1);
    let cap = vramhub::hparams::admin_for_testing(p.net().ctx());
    pr::migrate(&cap, p.pr());
    abort 0
}
