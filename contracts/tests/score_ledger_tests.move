#[test_only]
module vramhub::score_ledger_tests;

use vramhub::peer_registry;
use vramhub::scenario;
use vramhub::score_fixture::{Self as fx, Arena};
use vramhub::score_ledger;

/// A settled window 0 of miners 0 and 1, judged by validators of these stakes.
fun settled(stakes: vector<u64>): Arena {
    let mut arena = fx::begin(stakes, 3);
    arena.play(0, vector[0, 1]);
    stakes.length().do!(|v| arena.report(v as u16, 0, fx::all_good(vector[0, 1])));
    assert!(arena.settle(0, 64));
    arena
}

// === Reports ===

#[test]
fun report_is_kept_as_it_was_signed() {
    let mut arena = fx::begin(vector[10_000, 10_000], 3);
    arena.play(0, vector[2, 0]);
    let digest = arena.digest(0);
    let message = fx::report_of(0, 0, digest, 1_000_000, fx::all_good(vector[0, 2]));
    arena.take_report(message);
    assert!(arena.sl().message(0, 1, 0).is_some());
    assert!(arena.sl().message(0, 1, 1).is_none());
    assert!(arena.net().rs().reported_stake(0) == 10_000);
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::EAlreadySubmitted)]
fun report_is_taken_once() {
    let mut arena = fx::begin(vector[10_000, 10_000], 3);
    arena.play(0, vector[0]);
    arena.report(0, 0, fx::all_good(vector[0]));
    arena.report(0, 0, vector[fx::after(0, 900_000)]);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongDigest)]
fun report_of_another_window_is_refused() {
    let mut arena = fx::begin(vector[10_000], 3);
    arena.whole(0, vector[0]);
    let digest = arena.digest(0);
    arena.play(1, vector[0]);
    arena.take_report(fx::report_of(0, 1, digest, 1_000_000, fx::all_good(vector[0])));
    abort
}

#[test, expected_failure(abort_code = score_ledger::EClosed)]
fun report_of_an_empty_window_is_refused() {
    let mut arena = fx::begin(vector[10_000], 3);
    arena.at(1, 0);
    arena.net().roll();
    arena.report(0, 0, vector[]);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EClosed)]
fun report_while_settling_is_refused() {
    let mut arena = fx::begin(vector[10_000, 1_000], 3);
    arena.play(0, vector[0, 1]);
    arena.report(0, 0, fx::all_good(vector[0, 1]));
    arena.at(1, 6_000);
    assert!(!arena.settle(0, 1));
    arena.report(1, 0, fx::all_good(vector[0, 1]));
    abort
}

#[test, expected_failure(abort_code = score_ledger::EPreviousOpen)]
fun report_waits_for_the_window_before() {
    let mut arena = fx::begin(vector[10_000], 3);
    arena.play(0, vector[0]);
    arena.report(0, 0, fx::all_good(vector[0]));
    arena.at(1, 8_999);
    arena.reveal(1, 0);
    arena.report(0, 1, fx::all_good(vector[0]));
    abort
}

macro fun wrong_entries($uids: vector<u16>) {
    let mut arena = fx::begin(vector[10_000], 3);
    arena.play(0, vector[2, 0]);
    arena.report(0, 0, fx::all_good($uids));
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongEntries)]
fun report_without_entries_is_refused() { wrong_entries!(vector[]) }

#[test, expected_failure(abort_code = score_ledger::EWrongEntries)]
fun report_with_a_missing_entry_is_refused() { wrong_entries!(vector[0]) }

#[test, expected_failure(abort_code = score_ledger::EWrongEntries)]
fun report_with_an_extra_entry_is_refused() { wrong_entries!(vector[0, 1, 2]) }

#[test, expected_failure(abort_code = score_ledger::EWrongEntries)]
fun report_with_another_uid_is_refused() { wrong_entries!(vector[0, 1]) }

#[test, expected_failure(abort_code = score_ledger::EBadMessage)]
fun report_with_unsorted_entries_is_refused() { wrong_entries!(vector[2, 0]) }

#[test, expected_failure(abort_code = score_ledger::EBadMessage)]
fun report_with_a_uid_twice_is_refused() { wrong_entries!(vector[0, 0, 2]) }

// === Settlement ===

/// The digest of miners 0 and 1 with the default rating, both `good`.
fun digest_of_two_good(arena: &mut Arena): vector<u8> {
    let zero = 1 << 63;
    let rows = vector[0, 1].map!(|uid| {
        score_ledger::row_for_testing(
            uid,
            30,
            zero + 1_000_000,
            zero + 900_000,
            zero + 950_000,
            zero + 25_000_000,
            8_333_334,
        )
    });
    let digest = arena.digest(0);
    let base = scenario::hash(b"base");
    score_ledger::settled_digest_for_testing(digest, base, zero + 1_000_000, rows)
}

#[test]
fun settle_goes_on_where_it_stopped_and_does_nothing_twice() {
    let mut arena = fx::begin(vector[10_000], 3);
    arena.play(0, vector[0, 1]);
    arena.report(0, 0, fx::all_good(vector[0, 1]));
    assert!(!arena.settle(0, 1));
    assert!(arena.status(0) == 1 && arena.sl().cursor(0) == 1);
    assert!(arena.settle(0, 1));
    assert!(arena.status(0) == 2 && arena.sl().cursor(0) == 2);
    let digest = arena.settled(0);
    assert!(arena.settle(0, 64));
    assert!(arena.settled(0) == digest && arena.sl().cursor(0) == 2);
    assert!(digest == digest_of_two_good(&mut arena));
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::EBadLimit)]
fun settle_of_none_is_refused() {
    let mut arena = settled(vector[10_000]);
    arena.settle(0, 0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EBadLimit)]
fun settle_of_65_is_refused() {
    let mut arena = settled(vector[10_000]);
    arena.settle(0, 65);
    abort
}

#[test, expected_failure(abort_code = vramhub::round_state::EUnknownWindow)]
fun settle_of_an_unknown_window_is_refused() {
    let mut arena = settled(vector[10_000]);
    arena.settle(7, 64);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EReportsOpen)]
fun settle_waits_for_the_window_to_end() {
    let mut arena = fx::begin(vector[10_000], 3);
    arena.settle(0, 64);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EReportsOpen)]
fun settle_waits_for_the_deadline() {
    let mut arena = fx::begin(vector[10_000, 1_000], 3);
    arena.play(0, vector[0]);
    arena.report(0, 0, fx::all_good(vector[0]));
    arena.at(1, 5_999);
    arena.settle(0, 64);
    abort
}

#[test]
fun settle_at_the_deadline_needs_only_a_quorum() {
    let mut arena = fx::begin(vector[10_001, 10_000], 3);
    arena.play(0, vector[0]);
    arena.report(0, 0, fx::all_good(vector[0]));
    arena.at(1, 6_000);
    assert!(arena.settle(0, 64));
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::ENoQuorum)]
fun settle_of_exactly_half_of_the_stake_is_refused() {
    let mut arena = fx::begin(vector[10_000, 10_000], 3);
    arena.play(0, vector[0]);
    arena.report(0, 0, fx::all_good(vector[0]));
    arena.at(1, 6_000);
    arena.settle(0, 64);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EClosed)]
fun settle_of_a_skipped_window_is_refused() {
    let mut arena = fx::begin(vector[10_000, 10_000], 3);
    arena.play(0, vector[0]);
    arena.at(1, 6_000);
    let (rs, hp, _, _, _, _, _, _, clock, _) = arena.parts();
    rs.close(hp, 0, clock);
    arena.settle(0, 64);
    abort
}

#[test]
fun settle_of_an_empty_window_is_done() {
    let mut arena = fx::begin(vector[10_000], 3);
    arena.at(1, 0);
    assert!(arena.settle(0, 64));
    arena.end();
}

macro fun outvoted($lie: vector<fx::Entry>) {
    let mut arena = fx::begin(vector[10_000, 10_000, 10_000], 3);
    arena.play(0, vector[0, 1]);
    arena.report_from(0, 0, 7, $lie);
    arena.report(1, 0, fx::all_good(vector[0, 1]));
    arena.report(2, 0, fx::all_good(vector[0, 1]));
    arena.settle(0, 64);
    assert!(arena.settled(0) == digest_of_two_good(&mut arena));
    arena.end();
}

#[test]
fun settle_outvotes_a_liar_about_losses() {
    outvoted!(vector[fx::entry(0, 1, vector[1, 9_000_000, 1]), fx::after(1, 1 << 50)])
}

#[test]
fun settle_outvotes_a_liar_about_verdicts() { outvoted!(vector[fx::bare(0, 8), fx::bare(1, 9)]) }

#[test]
fun settle_outvotes_one_that_abstains() { outvoted!(vector[fx::bare(0, 20), fx::bare(1, 21)]) }

#[test]
fun settle_tells_noise_acceptance_and_harm_apart() {
    let mut arena = fx::begin(vector[10_000], 4);
    arena.play(0, vector[0, 1, 2, 3]);
    let afters = vector[999_997, 999_998, 1_000_002, 1_000_003];
    arena.report(0, 0, vector::tabulate!(4, |i| fx::after(i as u16, afters[i])));
    arena.settle(0, 64);
    assert!(arena.verdicts(0) == vector[30, 31, 31, 32]);
    arena.end();
}

#[test]
fun settle_of_a_split_jury_is_disputed() {
    let mut arena = fx::begin(vector[5_000, 5_000], 2);
    arena.play(0, vector[0, 1]);
    arena.report(0, 0, vector[fx::good(0), fx::bare(1, 20)]);
    arena.report(1, 0, vector[fx::bare(0, 8), fx::bare(1, 20)]);
    arena.settle(0, 64);
    assert!(arena.verdicts(0) == vector[33, 20]);
    arena.end();
}

#[test]
fun settle_takes_reveals_in_whatever_order_they_came() {
    let mut arena = fx::begin(vector[10_000], 3);
    arena.play(0, vector[2, 0, 1]);
    arena.report(0, 0, vector[fx::bare(0, 2), fx::bare(1, 3), fx::bare(2, 4)]);
    assert!(!arena.settle(0, 2));
    assert!(arena.settle(0, 2));
    assert!(arena.verdicts(0) == vector[2, 3, 4]);
    arena.end();
}

// === Outcomes ===

#[test]
fun outcome_applies_in_the_call_that_crosses_half() {
    let mut arena = settled(vector[5_000, 5_000, 5_000]);
    arena.outcome(0, 0, vector[0, 1]);
    assert!(!score_ledger::is_rated(arena.sl(), 0) && arena.status(0) == 2);
    arena.outcome(1, 0, vector[0, 1]);
    assert!(score_ledger::is_rated(arena.sl(), 0) && arena.status(0) == 3);
    let record = arena.pr().record_of(0, 1);
    assert!(record.record_mu() == (1 << 63) + 30_000_000 && record.record_sigma() == 5_000_000);
    assert!(record.record_average() == 1_050_000);
    assert!(record.record_measured() == 1 && record.record_accepted() == 1);
    assert!(arena.pr().last_accepted(0) == option::some(0));
    assert!(arena.pr().record_of(2, 1).record_measured() == 0);
    arena.outcome(2, 0, vector[0, 1]);
    assert!(arena.pr().record_of(0, 1) == record);
    arena.end();
}

#[test]
fun outcome_of_half_the_stake_or_of_two_opinions_is_not_enough() {
    let mut arena = settled(vector[5_000, 4_000, 1_000]);
    arena.outcome(0, 0, vector[0, 1]);
    arena.rate(1, 0, vector[0, 1], 31_000_000);
    arena.rate(2, 0, vector[0, 1], 32_000_000);
    assert!(arena.status(0) == 2);
    arena.at(1, 9_000);
    let (rs, hp, _, _, _, _, _, _, clock, _) = arena.parts();
    rs.close(hp, 0, clock);
    assert!(arena.status(0) == 4);
    assert!(arena.pr().record_of(0, 1).record_mu() == (1 << 63) + 25_000_000);
    arena.end();
}

#[test, expected_failure(abort_code = vramhub::round_state::ENotClosable)]
fun outcome_may_come_until_the_deadline() {
    let mut arena = settled(vector[5_000, 5_000]);
    arena.at(1, 8_999);
    let (rs, hp, _, _, _, _, _, _, clock, _) = arena.parts();
    rs.close(hp, 0, clock);
    abort
}

#[test]
fun skipped_window_shows_no_settlement_and_keeps_records() {
    let mut arena = settled(vector[5_000]);
    arena.at(2, 0);
    arena.net().roll();
    assert!(arena.status(0) == 4);
    let (rs, _, _, _, _, _, sl, pool, _, _) = arena.parts();
    assert!(score_ledger::settled_digest(rs, sl, 0).is_none());
    assert!(pool.issued() == 0);
    assert!(arena.pr().record_of(0, 1).record_average() == 1_000_000);
    arena.whole(2, vector[0, 1]);
    assert!(arena.status(2) == 3);
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::EClosed)]
fun outcome_of_a_skipped_window_is_refused() {
    let mut arena = settled(vector[5_000]);
    let digest = arena.settled(0);
    arena.at(2, 0);
    arena.net().roll();
    arena.take_outcome(fx::outcome_of(0, 0, digest, vector[0, 1], 1, 1, b"", 0, 0));
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENotSettled)]
fun outcome_before_the_settlement_is_refused() {
    let mut arena = fx::begin(vector[5_000], 2);
    arena.play(0, vector[0, 1]);
    arena.report(0, 0, fx::all_good(vector[0, 1]));
    arena.settle(0, 1);
    let digest = scenario::hash(b"guess");
    arena.take_outcome(fx::outcome_of(0, 0, digest, vector[0], 1, 1, b"", 0, 0));
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENotSettled)]
fun outcome_with_the_empty_digest_before_the_settlement_is_refused() {
    let mut arena = fx::begin(vector[5_000], 2);
    arena.play(0, vector[0, 1]);
    let zeros = vector::tabulate!(32, |_| 0);
    arena.take_outcome(fx::outcome_of(0, 0, zeros, vector[], 1, 1, b"", 0, 0));
    abort
}

#[test, expected_failure(abort_code = score_ledger::EAlreadySubmitted)]
fun outcome_is_taken_once() {
    let mut arena = settled(vector[5_000, 5_000]);
    arena.outcome(0, 0, vector[0, 1]);
    arena.rate(0, 0, vector[0, 1], 31_000_000);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongDigest)]
fun outcome_of_another_settlement_is_refused() {
    let mut arena = settled(vector[5_000]);
    let digest = scenario::hash(b"another");
    arena.take_outcome(fx::outcome_of(0, 0, digest, vector[0, 1], 1, 1, b"", 0, 0));
    abort
}

macro fun wrong_ratings($uids: vector<u16>) {
    let mut arena = settled(vector[5_000]);
    arena.outcome(0, 0, $uids);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongEntries)]
fun outcome_without_ratings_is_refused() { wrong_ratings!(vector[]) }

#[test, expected_failure(abort_code = score_ledger::EWrongEntries)]
fun outcome_with_a_missing_rating_is_refused() { wrong_ratings!(vector[0]) }

#[test, expected_failure(abort_code = score_ledger::EWrongEntries)]
fun outcome_with_an_unrated_uid_is_refused() { wrong_ratings!(vector[0, 2]) }

#[test, expected_failure(abort_code = score_ledger::EWrongEntries)]
fun outcome_with_an_extra_rating_is_refused() { wrong_ratings!(vector[0, 1, 2]) }

#[test, expected_failure(abort_code = score_ledger::EBadMessage)]
fun outcome_with_unsorted_ratings_is_refused() { wrong_ratings!(vector[1, 0]) }

#[test]
fun outcome_leaves_out_who_was_not_measured() {
    let mut arena = fx::begin(vector[5_000], 3);
    arena.play(0, vector[0, 1, 2]);
    arena.report(0, 0, vector[fx::bare(0, 20), fx::good(1), fx::bare(2, 21)]);
    arena.settle(0, 64);
    arena.outcome(0, 0, vector[1]);
    let first = arena.pr().record_of(0, 1);
    assert!(first.record_mu() == (1 << 63) + 25_000_000 && first.record_measured() == 0);
    assert!(arena.pr().record_of(1, 1).record_mu() == (1 << 63) + 30_000_000);
    arena.end();
}

// === The base ===

fun base_after(arena: &mut Arena): vector<u8> { arena.net().rs().next_base() }

macro fun merged($loss: u64, $moves: bool) {
    let mut arena = settled(vector[5_000]);
    arena.merge(0, 0, vector[0, 1], 30_000_000, b"merged", $loss);
    let name = if ($moves) b"merged" else b"base";
    assert!(base_after(&mut arena) == scenario::hash(name));
    let base = score_ledger::base(arena.sl(), 0).destroy_some();
    let (_, moved, current, merged) = base.base_parts();
    assert!(moved == $moves && current == (1 << 63) + 1_000 && merged == (1 << 63) + $loss);
    arena.end();
}

#[test]
fun base_moves_by_a_gain_of_three_units() { merged!(997, true) }

#[test]
fun base_stays_at_a_gain_of_two_units() { merged!(998, false) }

#[test]
fun base_stays_without_a_gain() { merged!(1_000, false) }

#[test]
fun base_stays_where_the_merge_is_worse() { merged!(1_100, false) }

#[test]
fun base_is_that_of_the_window_after_the_next() {
    let mut arena = settled(vector[5_000]);
    arena.merge(0, 0, vector[0, 1], 30_000_000, b"merged", 900);
    arena.at(2, 0);
    arena.net().roll();
    assert!(arena.net().rs().base_of(1) == scenario::hash(b"base"));
    assert!(arena.net().rs().base_of(2) == scenario::hash(b"merged"));
    arena.end();
}

#[test]
fun base_waits_until_no_minority_can_turn_it() {
    let mut arena = settled(vector[5_000, 5_000, 5_000]);
    arena.merge(0, 0, vector[0, 1], 30_000_000, b"merged", 998);
    arena.merge(1, 0, vector[0, 1], 30_000_000, b"merged", 500);
    assert!(score_ledger::base(arena.sl(), 0).is_none());
    arena.merge(2, 0, vector[0, 1], 30_000_000, b"merged", 600);
    let (_, moved, _, merged) = score_ledger::base(arena.sl(), 0).destroy_some().base_parts();
    assert!(moved && merged == (1 << 63) + 600);
    arena.end();
}

#[test]
fun base_is_kept_where_half_of_the_stake_measured_a_gain() {
    let mut arena = settled(vector[5_000, 10_000, 5_000]);
    arena.merge(1, 0, vector[0, 1], 30_000_000, b"merged", 500);
    assert!(score_ledger::base(arena.sl(), 0).is_none());
    arena.merge(0, 0, vector[0, 1], 30_000_000, b"merged", 998);
    arena.merge(2, 0, vector[0, 1], 30_000_000, b"merged", 1_001);
    let (_, moved, _, _) = score_ledger::base(arena.sl(), 0).destroy_some().base_parts();
    assert!(!moved && base_after(&mut arena) == scenario::hash(b"base"));
    arena.end();
}

#[test]
fun base_is_tallied_apart_from_ratings() {
    let mut arena = settled(vector[5_000, 5_000, 5_000]);
    arena.outcome(0, 0, vector[0, 1]);
    arena.merge(1, 0, vector[0, 1], 30_000_000, b"merged", 900);
    assert!(arena.status(0) == 3 && score_ledger::base(arena.sl(), 0).is_none());
    arena.merge(2, 0, vector[0, 1], 30_000_000, b"merged", 900);
    assert!(base_after(&mut arena) == scenario::hash(b"merged"));
    arena.end();
}

#[test]
fun base_stays_where_two_merges_split_the_stake() {
    let mut arena = settled(vector[5_000, 5_000]);
    arena.merge(0, 0, vector[0, 1], 30_000_000, b"one", 1);
    arena.merge(1, 0, vector[0, 1], 30_000_000, b"other", 1);
    assert!(arena.status(0) == 3 && score_ledger::base(arena.sl(), 0).is_none());
    assert!(base_after(&mut arena) == scenario::hash(b"base"));
    arena.end();
}

#[test]
fun base_moves_only_in_a_rated_window() {
    let mut arena = settled(vector[5_000, 5_000, 5_000]);
    arena.merge(0, 0, vector[0, 1], 31_000_000, b"merged", 900);
    arena.merge(1, 0, vector[0, 1], 30_000_000, b"merged", 900);
    assert!(base_after(&mut arena) == scenario::hash(b"base"));
    arena.outcome(2, 0, vector[0, 1]);
    assert!(base_after(&mut arena) == scenario::hash(b"merged"));
    arena.end();
}

// === Pay, and the whole table ===

#[test]
fun pay_begins_with_the_second_accepted_window() {
    let mut arena = fx::begin(vector[10_000], 3);
    arena.whole(0, vector[0, 1]);
    assert!(arena.pool().issued() == 0);
    arena.play(1, vector[0, 1, 2]);
    let entries = vector[fx::after(0, 950_000), fx::after(1, 900_000), fx::good(2)];
    arena.report(0, 1, entries);
    arena.settle(1, 64);
    arena.outcome(0, 1, vector[0, 1, 2]);
    let payout = arena.pool().payout(1).destroy_some();
    assert!(payout.miner_rewards() == vector[34_556_962_025, 35_443_037_974, 0]);
    assert!(arena.pool().issued() == 69_999_999_999);
    assert!(arena.pool().owed() == 69_999_999_999);
    arena.end();
}

#[test]
fun pay_goes_to_the_owner_of_the_reveal_whoever_has_the_slot_now() {
    let mut arena = fx::begin(vector[10_000], 1);
    arena.whole(0, vector[0]);
    arena.net().next(scenario::miner(0));
    let (rs, hp, vr, pr, _, _, _, _, clock, ctx) = arena.parts();
    peer_registry::unregister(rs, hp, vr, pr, 0, clock, ctx);
    arena.play(1, vector[0]);
    arena.report(0, 1, fx::all_good(vector[0]));
    arena.settle(1, 64);
    assert!(!arena.pr().is_seated(0));
    arena.seat(0, @0x99);
    arena.outcome(0, 1, vector[0]);
    assert!(arena.pool().claimable(scenario::miner(0)) == 70_000_000_000);
    assert!(arena.pool().claimable(@0x99) == 0);
    assert!(arena.pr().record_of(0, 2).record_accepted() == 0);
    arena.end();
}

#[test]
fun pay_shares_by_stake_among_validators_that_reported() {
    let mut arena = fx::begin_with(
        vector[6_000, 3_000, 1_000],
        1,
        vector[b"miner_bps", b"validator_bps", b"treasury_bps"],
        vector[5_000, 2_000, 3_000],
    );
    arena.play(0, vector[0]);
    arena.report(0, 0, fx::all_good(vector[0]));
    arena.report(1, 0, fx::all_good(vector[0]));
    arena.at(1, 6_000);
    arena.settle(0, 64);
    arena.outcome(0, 0, vector[0]);
    let payout = arena.pool().payout(0).destroy_some();
    assert!(payout.validator_rewards() == vector[9_333_333_333, 4_666_666_666, 0]);
    assert!(arena.pool().treasury() == 0 && arena.pool().issued() == 13_999_999_999);
    arena.end();
}

#[test]
fun pay_passes_over_a_validator_that_deviates_on_two_entries() {
    let mut arena = fx::begin_with(
        vector[9_000, 1_000],
        3,
        vector[b"miner_bps", b"validator_bps"],
        vector[8_000, 2_000],
    );
    let uids = vector[0, 1, 2];
    arena.play(0, uids);
    arena.report(0, 0, fx::all_good(uids));
    arena.report(1, 0, vector[fx::good(0), fx::after(1, 950_006), fx::after(2, 949_994)]);
    arena.settle(0, 64);
    arena.outcome(0, 0, uids);
    assert!(arena.pool().claimable(scenario::validator(1)) == 0);
    assert!(arena.pool().claimable(scenario::validator(0)) == 14_000_000_000);
    arena.end();
}

#[test]
fun limits_hold_at_256_miners_and_32_validators() {
    let stakes = vector::tabulate!(32, |_| 10_000);
    let mut arena = fx::begin(stakes, 256);
    let uids = vector::tabulate!(256, |i| (255 - i) as u16);
    let sorted = vector::tabulate!(256, |i| i as u16);
    arena.play(0, uids);
    32u16.do!(|v| arena.report(v, 0, fx::all_good(sorted)));
    3u64.do!(|_| assert!(!arena.settle(0, 64)));
    assert!(arena.settle(0, 64));
    17u16.do!(|v| arena.merge(v, 0, sorted, 30_000_000, b"merged", 900));
    assert!(score_ledger::is_rated(arena.sl(), 0));
    assert!(arena.pr().record_of(255, 1).record_accepted() == 1);
    assert!(base_after(&mut arena) == scenario::hash(b"merged"));
    arena.end();
}

// === Pruning and versions ===

#[test, expected_failure(abort_code = score_ledger::ETooYoung)]
fun prune_waits_for_the_retention() {
    let mut arena = settled(vector[5_000]);
    arena.outcome(0, 0, vector[0, 1]);
    let (rs, _, _, _, _, _, sl, pool, _, _) = arena.parts();
    score_ledger::prune(rs, sl, pool, 0);
    abort
}

#[test]
fun prune_drops_an_old_window_once() {
    let names = vector[b"retention_windows"];
    let mut arena = fx::begin_with(vector[5_000, 1_000], 3, names, vector[3]);
    arena.play(0, vector[0, 1]);
    arena.report(0, 0, fx::all_good(vector[0, 1]));
    arena.at(1, 6_000);
    arena.settle(0, 64);
    arena.outcome(0, 0, vector[0, 1]);
    arena.outcome(1, 0, vector[0, 1]); // of one that did not report
    arena.at(4, 0);
    arena.net().roll();
    let (rs, _, _, _, _, _, sl, pool, _, _) = arena.parts();
    score_ledger::prune(rs, sl, pool, 0);
    assert!(sl.message(0, 1, 0).is_none() && sl.message(0, 2, 1).is_none());
    assert!(pool.payout(0).is_none() && pool.owed() == 0);
    score_ledger::prune(rs, sl, pool, 0);
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::EWrongVersion)]
fun another_version_is_refused() {
    let mut arena = fx::begin(vector[5_000], 1);
    arena.sl().set_version_for_testing(2);
    arena.sl().cursor(0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongVersion)]
fun migration_has_nothing_to_do() {
    let mut arena = fx::begin(vector[5_000], 1);
    let cap = vramhub::hparams::admin_for_testing(arena.net().ctx());
    score_ledger::migrate(&cap, arena.sl());
    abort
}
