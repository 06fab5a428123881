/// What a signature binds: messages that were really signed, in tests/signed_fixtures.move.
#[test_only]
module vramhub::score_ledger_signed_tests;

use vramhub::enclave_registry;
use vramhub::scenario;
use vramhub::score_fixture::{Self as fx, Arena};
use vramhub::score_ledger;
use vramhub::signed_fixtures as signed;

/// Validator 0 has the judge of the fixtures; miners 0 and 1 revealed in window 0, which is over.
fun judged(): Arena { judged_with(vector[10_000, 10_000], vector[], vector[]) }

fun judged_with(stakes: vector<u64>, names: vector<vector<u8>>, values: vector<u64>): Arena {
    let mut arena = fx::begin_with(stakes, 2, names, values);
    approve(&mut arena);
    arena.attest(0, signed::key());
    arena.play(0, vector[0, 1]);
    arena
}

/// Build 1 counts at once.
fun approve(arena: &mut Arena) {
    arena.er().approve_for_testing(b"build-1", fx::pcr(1, 0), fx::pcr(1, 1), fx::pcr(1, 2));
}

fun submit(arena: &mut Arena, sender: address, message: vector<u8>, signature: vector<u8>) {
    arena.net().next(sender);
    let (rs, hp, vr, _, er, gr, sl, _, clock, ctx) = arena.parts();
    score_ledger::submit_report(rs, hp, vr, er, gr, sl, message, signature, clock, ctx);
}

fun submit_outcome(arena: &mut Arena, message: vector<u8>, signature: vector<u8>) {
    arena.net().next(scenario::validator(0));
    let (rs, hp, vr, pr, er, _, sl, pool, clock, ctx) = arena.parts();
    score_ledger::submit_outcome(rs, hp, vr, pr, er, sl, pool, message, signature, clock, ctx);
}

fun send(arena: &mut Arena) {
    let (message, signature) = signed::report();
    submit(arena, scenario::validator(0), message, signature);
}

#[test]
fun a_window_goes_from_signed_report_to_paid_outcome() {
    let mut arena = judged_with(vector[10_000], vector[], vector[]);
    send(&mut arena);
    assert!(arena.settle(0, 64));
    let (message, signature) = signed::outcome();
    submit_outcome(&mut arena, message, signature);
    assert!(score_ledger::is_rated(arena.sl(), 0) && arena.status(0) == 3);
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::EAlreadySubmitted)]
fun a_report_replayed_is_refused() {
    let mut arena = judged();
    send(&mut arena);
    send(&mut arena);
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENotValidator)]
fun a_stranger_cannot_submit_a_report() {
    let mut arena = judged();
    let (message, signature) = signed::report();
    submit(&mut arena, @0x666, message, signature);
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENotValidator)]
fun another_validator_cannot_submit_a_report() {
    let mut arena = judged();
    let (message, signature) = signed::report();
    submit(&mut arena, scenario::validator(1), message, signature);
    abort
}

/// The signed report with one byte changed.
fun send_changed(arena: &mut Arena, at: u64, sender: u64) {
    let (mut message, signature) = signed::report();
    let byte = &mut message[at];
    *byte = *byte ^ 1;
    submit(arena, scenario::validator(sender), message, signature);
}

#[test, expected_failure(abort_code = score_ledger::EBadMessage)]
fun another_intent_is_refused() {
    let mut arena = judged();
    send_changed(&mut arena, 0, 0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EBadMessage)]
fun another_message_version_is_refused() {
    let mut arena = judged();
    send_changed(&mut arena, 1, 0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongLedger)]
fun another_chain_is_refused() {
    let mut arena = judged();
    send_changed(&mut arena, 2, 0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongLedger)]
fun another_ledger_is_refused() {
    let mut arena = judged();
    send_changed(&mut arena, 65, 0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENoEnclave)]
fun bytes_of_another_validator_are_not_this_one_s() {
    let mut arena = judged();
    send_changed(&mut arena, 66, 1);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongPhase)]
fun bytes_of_the_running_window_are_refused() {
    let mut arena = judged();
    send_changed(&mut arena, 68, 0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENotValidator)]
fun bytes_of_a_window_without_a_row_are_refused() {
    let mut arena = judged();
    send_changed(&mut arena, 72, 0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EBadSignature)]
fun another_timestamp_breaks_the_signature() {
    let mut arena = judged();
    send_changed(&mut arena, 76, 0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EBadSignature)]
fun another_loss_breaks_the_signature() {
    let mut arena = judged();
    send_changed(&mut arena, 128, 0);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EBadSignature)]
fun another_key_s_signature_is_refused() {
    let mut arena = judged();
    let (message, _) = signed::report();
    submit(&mut arena, scenario::validator(0), message, signed::other_signature());
    abort
}

#[test, expected_failure(abort_code = score_ledger::EBadSignature)]
fun a_short_signature_is_refused() {
    let mut arena = judged();
    let (message, mut signature) = signed::report();
    signature.pop_back();
    submit(&mut arena, scenario::validator(0), message, signature);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongPhase)]
fun a_report_at_the_deadline_is_too_late() {
    let mut arena = judged();
    arena.at(1, 6_000);
    send(&mut arena);
    abort
}

#[test]
fun a_report_just_before_the_deadline_is_taken() {
    let mut arena = judged();
    arena.at(1, 5_999);
    send(&mut arena);
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::EWrongPhase)]
fun a_report_before_the_window_ends_is_too_early() {
    let mut arena = fx::begin(vector[10_000], 2);
    arena.reveal(0, 0);
    arena.reveal(0, 1);
    arena.at(0, 9_999);
    send(&mut arena);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongPhase)]
fun a_report_of_long_ago_is_refused() {
    let mut arena = judged();
    arena.at(50, 0);
    send(&mut arena);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongPhase)]
fun an_outcome_at_the_deadline_is_too_late() {
    let mut arena = judged();
    arena.at(1, 9_000);
    let (message, signature) = signed::outcome();
    submit_outcome(&mut arena, message, signature);
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENoEnclave)]
fun a_validator_without_an_enclave_cannot_report() {
    let mut arena = fx::begin(vector[10_000], 2);
    arena.play(0, vector[0, 1]);
    send(&mut arena);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EMeasurementNotApproved)]
fun a_removed_build_signs_nothing_any_more() {
    let mut arena = judged();
    let cap = vramhub::hparams::admin_for_testing(arena.net().ctx());
    let (_, _, _, _, er, _, _, _, clock, _) = arena.parts();
    enclave_registry::remove(&cap, er, b"build-1", clock);
    std::unit_test::destroy(cap);
    send(&mut arena);
    abort
}

/// Registered at `offset` of window 0.
fun registered_at(offset: u64): Arena {
    let mut arena = fx::begin(vector[10_000], 2);
    approve(&mut arena);
    arena.reveal(0, 0);
    arena.reveal(0, 1);
    arena.at(0, offset);
    arena.attest(0, signed::key());
    arena.at(1, 0);
    arena
}

#[test, expected_failure(abort_code = score_ledger::EKeyTooNew)]
fun a_key_of_the_reveal_deadline_is_too_new() {
    let mut arena = registered_at(9_500);
    send(&mut arena);
    abort
}

#[test]
fun a_key_of_just_before_the_reveal_deadline_reports() {
    let mut arena = registered_at(9_499);
    send(&mut arena);
    arena.end();
}

#[test]
fun a_key_too_new_for_the_report_signs_the_outcome() {
    let mut arena = registered_at(9_500);
    arena.report(0, 0, fx::all_good(vector[0, 1]));
    arena.settle(0, 64);
    let (message, signature) = signed::outcome();
    submit_outcome(&mut arena, message, signature);
    assert!(arena.status(0) == 3);
    arena.end();
}

#[test]
fun a_renewed_key_keeps_its_age() {
    let mut arena = judged();
    arena.attest(0, signed::key());
    send(&mut arena);
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::EKeyExpired)]
fun an_expired_key_is_refused() {
    let mut arena = judged();
    arena.er().expire_for_testing(signed::key(), scenario::t0() + 10_000);
    send(&mut arena);
    abort
}

#[test]
fun a_key_counts_until_it_expires() {
    let mut arena = judged();
    arena.er().expire_for_testing(signed::key(), scenario::t0() + 10_001);
    send(&mut arena);
    arena.end();
}

// === Slashing ===

fun slash(
    arena: &mut Arena,
    key: vector<u8>,
    first: vector<u8>,
    first_signature: vector<u8>,
    second: vector<u8>,
    second_signature: vector<u8>,
) {
    let (rs, hp, vr, _, er, _, _, _, clock, _) = arena.parts();
    score_ledger::slash(
        rs,
        hp,
        vr,
        er,
        key,
        first,
        first_signature,
        second,
        second_signature,
        clock,
    );
}

fun slash_reports(arena: &mut Arena) {
    let (first, first_signature) = signed::report();
    let (second, second_signature) = signed::second_report();
    slash(arena, signed::key(), first, first_signature, second, second_signature);
}

fun treasury(arena: &mut Arena): u64 { arena.net().vr().treasury_value() }

#[test]
fun slash_takes_the_stake_and_the_key() {
    let mut arena = judged();
    slash_reports(&mut arena);
    assert!(treasury(&mut arena) == 10_000);
    let owner = scenario::validator(0);
    assert!(enclave_registry::active_key(arena.er(), 0, owner).is_none());
    assert!(enclave_registry::was_slashed(arena.er(), signed::key(), 1, 0));
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::ENoEnclave)]
fun slash_ends_reporting() {
    let mut arena = judged();
    slash_reports(&mut arena);
    send(&mut arena);
    abort
}

#[test]
fun slash_is_once_for_each_intent_and_job() {
    let mut arena = judged_with(vector[10_000, 10_000], vector[b"slash_bps"], vector[5_000]);
    slash_reports(&mut arena);
    assert!(treasury(&mut arena) == 5_000);
    let (first, first_signature) = signed::outcome();
    let (second, second_signature) = signed::second_outcome();
    slash(&mut arena, signed::key(), first, first_signature, second, second_signature);
    assert!(treasury(&mut arena) == 7_500);
    let (first, first_signature) = signed::job();
    let (second, second_signature) = signed::second_job();
    slash(&mut arena, signed::key(), first, first_signature, second, second_signature);
    assert!(treasury(&mut arena) == 8_750);
    assert!(enclave_registry::was_slashed(arena.er(), signed::key(), 3, 7));
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::EAlreadySubmitted)]
fun slash_of_a_third_report_of_the_window_is_refused() {
    let mut arena = judged_with(vector[10_000, 10_000], vector[b"slash_bps"], vector[5_000]);
    slash_reports(&mut arena);
    let (first, first_signature) = signed::report();
    let (second, second_signature) = signed::third_report();
    slash(&mut arena, signed::key(), first, first_signature, second, second_signature);
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENotValidator)]
fun slash_of_nothing_left_is_refused() {
    let mut arena = judged();
    slash_reports(&mut arena);
    let (first, first_signature) = signed::job();
    let (second, second_signature) = signed::second_job();
    slash(&mut arena, signed::key(), first, first_signature, second, second_signature);
    abort
}

#[test]
fun slash_reaches_stake_that_is_unbonding() {
    let mut arena = judged();
    scenario::unregister_validator(arena.net(), scenario::validator(0), 0);
    arena.at(2, 0);
    arena.net().roll();
    slash_reports(&mut arena);
    assert!(treasury(&mut arena) == 10_000);
    arena.end();
}

#[test, expected_failure(abort_code = score_ledger::ENotEquivocation)]
fun slash_of_the_same_message_twice_is_refused() {
    let mut arena = judged();
    let (message, signature) = signed::report();
    slash(&mut arena, signed::key(), message, signature, message, signature);
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENotEquivocation)]
fun slash_by_a_forged_signature_is_refused() {
    let mut arena = judged();
    let (first, first_signature) = signed::report();
    let (second, _) = signed::second_report();
    slash(&mut arena, signed::key(), first, first_signature, second, first_signature);
    abort
}

#[test, expected_failure(abort_code = score_ledger::ENotEquivocation)]
fun slash_of_an_unregistered_key_is_refused() {
    let mut arena = judged();
    let (first, first_signature) = signed::report();
    let (second, second_signature) = signed::second_report();
    slash(&mut arena, signed::other_key(), first, first_signature, second, second_signature);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EBadMessage)]
fun slash_of_two_intents_is_refused() {
    let mut arena = judged();
    let (first, first_signature) = signed::report();
    let (second, second_signature) = signed::outcome();
    slash(&mut arena, signed::key(), first, first_signature, second, second_signature);
    abort
}

#[test, expected_failure(abort_code = score_ledger::EBadMessage)]
fun slash_of_nothing_is_refused() {
    let mut arena = judged();
    slash(&mut arena, signed::key(), b"", b"", b"", b"");
    abort
}

#[test, expected_failure(abort_code = score_ledger::EWrongLedger)]
fun slash_for_another_ledger_is_refused() {
    let mut arena = judged();
    arena.net().rs().set_ledger_id_for_testing(scenario::hash(b"another"));
    slash_reports(&mut arena);
    abort
}
