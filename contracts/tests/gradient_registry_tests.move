#[test_only, allow(implicit_const_copy)]
module vramhub::gradient_registry_tests;

use std::unit_test::assert_eq;
use sui::bcs;
use sui::event;
use sui::test_scenario;
use vramhub::gradient_registry::{Self as gr, GradientRegistry};
use vramhub::peer_registry as pr;
use vramhub::peers_scenario::{Self as peers, Peers, content, salt};
use vramhub::round_state as rs;
use vramhub::scenario::{Self, miner};

const NEW: address = @0x51;

fun prune(p: &mut Peers, window: u64) {
    let (rs, _, _, _, gr, _, _) = p.parts();
    gr.prune(rs, window);
}

fun acc(p: &mut Peers, window: u64): vector<u8> {
    let (rs, _, _, _, _, _, _) = p.parts();
    rs.acc(window)
}

// === Commit ===

#[test]
fun a_commit_is_numbered_through_all_windows() {
    let mut p = peers::founded(3);
    assert_eq!(p.commit(2, 0), 0);
    let mut expected = bcs::to_bytes(&0u64);
    expected.append(bcs::to_bytes(&2u16));
    expected.append(bcs::to_bytes(&0u64));
    expected.append(bcs::to_bytes(&p.commitment(2, 0)));
    assert_eq!(bcs::to_bytes(&event::events_by_type<gr::GradientCommitted>()[0]), expected);
    assert_eq!(p.commit(0, 0), 1);
    p.at(1, 0);
    assert_eq!(p.commit(1, 1), 2);
    assert_eq!(p.gr().commit_count(0), 2);
    assert_eq!(p.gr().next_seq(), 3);
    let commitment = p.commitment(1, 1);
    assert!(p.gr().commitment(1, 1) == option::some(commitment));
    assert!(p.gr().commitment(1, 0).is_none() && p.gr().commitment(9, 0).is_none());
    p.end();
}

#[test]
fun a_commit_is_taken_one_moment_before_its_deadline() {
    let mut p = peers::founded(1);
    p.at(0, 7_999);
    p.commit(0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ECommitsClosed)]
fun a_commit_is_refused_at_its_deadline() {
    let mut p = peers::founded(1);
    p.at(0, 8_000);
    p.commit(0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EWrongWindow)]
fun a_commit_for_the_next_window_is_refused() {
    let mut p = peers::founded(1);
    p.commit(0, 1);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EWrongWindow)]
fun a_commit_for_the_last_window_is_refused() {
    let mut p = peers::founded(1);
    p.at(1, 0);
    p.commit(0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotOwner)]
fun a_commit_by_a_stranger_is_refused() {
    let mut p = peers::founded(2);
    p.commit_by(miner(1), 0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotOwner)]
fun a_commit_of_an_empty_slot_is_refused() {
    let mut p = peers::founded(1);
    p.commit(9, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotOwner)]
fun a_newcomer_commits_in_the_next_window_only() {
    let mut p = peers::founded(1);
    p.register(NEW, 1_000, 0);
    p.commit_by(NEW, 1, 0);
    p.end();
}

#[test]
fun a_newcomer_commits_in_the_next_window() {
    let mut p = peers::founded(1);
    p.register(NEW, 1_000, 0);
    p.at(1, 0);
    assert_eq!(p.commit_by(NEW, 1, 1), 0);
    p.end();
}

#[test]
fun a_stake_equal_to_the_fee_covers_it() {
    let mut p = peers::with(1, vector[b"unrevealed_fee"], vector[5_000]);
    p.commit(0, 0);
    p.at(1, 0);
    p.roll();
    assert_eq!(p.pr().stake_of(0), 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::EInsufficientStake)]
fun a_stake_one_below_the_fee_does_not() {
    let mut p = peers::with(1, vector[b"unrevealed_fee"], vector[5_001]);
    p.commit(0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadCommitment)]
fun a_commitment_of_31_bytes_is_refused() {
    let mut p = peers::founded(1);
    p.commit_raw(miner(0), 0, 0, vector::tabulate!(31, |_| 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadCommitment)]
fun a_commitment_of_33_bytes_is_refused() {
    let mut p = peers::founded(1);
    p.commit_raw(miner(0), 0, 0, vector::tabulate!(33, |_| 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EAlreadyCommitted)]
fun a_second_commit_is_refused() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.commit(0, 0);
    p.end();
}

// The order of checks is part of the contract.

#[test, expected_failure(abort_code = vramhub::gradient_registry::EWrongWindow)]
fun the_window_is_checked_before_the_owner() {
    let mut p = peers::founded(1);
    p.commit_by(NEW, 0, 1);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ECommitsClosed)]
fun the_deadline_is_checked_before_the_owner() {
    let mut p = peers::founded(1);
    p.at(0, 8_000);
    p.commit_by(NEW, 0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadCommitment)]
fun the_commitment_is_checked_before_an_earlier_one() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.commit_raw(miner(0), 0, 0, vector[]);
    p.end();
}

// === Reveal ===

#[test]
fun reveals_are_folded_and_kept_in_order_of_arrival() {
    let mut p = peers::founded(3);
    p.commit(1, 0);
    p.commit(0, 0);
    p.commit(2, 0);
    p.at(0, 8_000);
    let empty = acc(&mut p, 0);
    p.reveal(2, 0);
    let mut expected = bcs::to_bytes(&0u64);
    expected.append(bcs::to_bytes(&2u16));
    expected.append(bcs::to_bytes(&2u64));
    expected.append(bcs::to_bytes(&content(2, 0)));
    expected.append(bcs::to_bytes(&1_000u32));
    expected.append(bcs::to_bytes(&1u8));
    expected.append(bcs::to_bytes(&b"gradient-v1.pt"));
    assert_eq!(bcs::to_bytes(&event::events_by_type<gr::GradientRevealed>()[0]), expected);
    p.reveal(1, 0);
    let first = rs::folded(empty, 2, 2, content(2, 0), 1_000, 1);
    assert_eq!(acc(&mut p, 0), rs::folded(first, 1, 0, content(1, 0), 1_000, 1));
    let registry = p.gr();
    assert_eq!(registry.reveal_count(0), 2);
    assert_eq!(registry.sorted_uids(0), vector[1, 2]);
    let row = registry.reveal_at(0, 0);
    assert_eq!(row.reveal_uid(), 2);
    assert_eq!(row.reveal_generation(), 1);
    assert_eq!(row.reveal_owner(), miner(2));
    assert_eq!(row.reveal_commit_seq(), 2);
    assert_eq!(row.reveal_content_hash(), content(2, 0));
    assert_eq!(row.reveal_size(), 1_000);
    assert_eq!(row.reveal_codec(), 1);
    assert_eq!(row.reveal_storage_ref(), b"gradient-v1.pt");
    assert_eq!(registry.reveal_at(0, 1).reveal_uid(), 1);
    assert_eq!(registry.sorted_reveal(0, 0).reveal_uid(), 1);
    assert!(registry.sorted_reveal(0, 1) == row);
    p.end();
}

#[test]
fun an_unknown_window_has_no_rows() {
    let mut p = peers::founded(1);
    assert_eq!(p.gr().commit_count(5) + p.gr().reveal_count(5), 0);
    assert_eq!(p.gr().sorted_uids(5), vector[]);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EUnknownWindow)]
fun an_unknown_window_has_no_first_reveal() {
    let mut p = peers::founded(1);
    p.gr().reveal_at(5, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EUnknownWindow)]
fun an_unknown_window_has_no_lowest_reveal() {
    let mut p = peers::founded(1);
    p.gr().sorted_reveal(5, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ERevealsNotOpen)]
fun a_reveal_is_refused_one_moment_before_the_commit_deadline() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.at(0, 7_999);
    p.reveal(0, 0);
    p.end();
}

#[test]
fun a_reveal_is_taken_one_moment_before_its_deadline() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.at(0, 9_499);
    p.reveal(0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ERevealsClosed)]
fun a_reveal_is_refused_at_its_deadline() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.at(0, 9_500);
    p.reveal(0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EWrongWindow)]
fun a_reveal_in_the_next_window_is_refused() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.at(1, 8_000);
    p.reveal(0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ENotCommitted)]
fun a_reveal_without_a_commit_is_refused() {
    let mut p = peers::founded(2);
    p.commit(0, 0);
    p.at(0, 8_000);
    p.reveal(1, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ENotCommitted)]
fun a_reveal_of_the_last_windows_commit_is_refused() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.at(1, 8_000);
    p.reveal(0, 1);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::peer_registry::ENotOwner)]
fun a_reveal_by_a_stranger_is_refused() {
    let mut p = peers::founded(2);
    p.commit(0, 0);
    p.at(0, 8_000);
    p.reveal_by(miner(1), 0, 0);
    p.end();
}

#[test]
fun an_evicted_or_leaving_miner_still_reveals() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.unregister(miner(0), 0);
    p.at(0, 8_000);
    p.reveal(0, 0);
    p.at(1, 0);
    p.roll();
    assert_eq!(p.pr().unbonding_of(miner(0)), 5_000);
    assert_eq!(event::events_by_type<pr::UnrevealedCharged>().length(), 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EAlreadyRevealed)]
fun a_second_reveal_is_refused() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.at(0, 8_000);
    p.reveal(0, 0);
    p.reveal(0, 0);
    p.end();
}

/// Miner 0 commits as usual and reveals this.
fun revealed(
    content_hash: vector<u8>,
    size: u32,
    codec: u8,
    salt: vector<u8>,
    storage_ref: vector<u8>,
): Peers {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    p.at(0, 8_000);
    p.reveal_raw(miner(0), 0, 0, content_hash, size, codec, salt, storage_ref);
    p
}

#[test]
fun sizes_codecs_and_refs_are_taken_at_their_bounds() {
    let mut p = peers::founded(3);
    p.commit(0, 0);
    p.commit(1, 0);
    p.commit(2, 0);
    p.at(0, 8_000);
    p.reveal_raw(miner(0), 0, 0, content(0, 0), 1, 1, salt(), b"!");
    let longest = vector::tabulate!(256, |_| 0x7e);
    p.reveal_raw(miner(1), 1, 0, content(1, 0), 10_000, 2, salt(), longest);
    p.reveal_raw(miner(2), 2, 0, content(2, 0), 10_000, 3, salt(), b"a");
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadSize)]
fun a_size_of_zero_is_refused() { revealed(content(0, 0), 0, 1, salt(), b"a").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadSize)]
fun a_size_above_the_most_is_refused() { revealed(content(0, 0), 10_001, 1, salt(), b"a").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadCodec)]
fun codec_0_is_refused() { revealed(content(0, 0), 1, 0, salt(), b"a").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadCodec)]
fun codec_4_is_refused() { revealed(content(0, 0), 1, 4, salt(), b"a").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadRef)]
fun an_empty_ref_is_refused() { revealed(content(0, 0), 1, 1, salt(), b"").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadRef)]
fun a_ref_with_a_space_is_refused() { revealed(content(0, 0), 1, 1, salt(), b"a b").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadRef)]
fun a_ref_with_a_delete_is_refused() { revealed(content(0, 0), 1, 1, salt(), x"617f").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadRef)]
fun a_ref_that_is_not_ascii_is_refused() { revealed(content(0, 0), 1, 1, salt(), x"c3a4").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadRef)]
fun a_ref_of_257_bytes_is_refused() {
    revealed(content(0, 0), 1, 1, salt(), vector::tabulate!(257, |_| 0x61)).end()
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ECommitmentMismatch)]
fun another_content_is_refused() { revealed(content(1, 0), 1, 1, salt(), b"a").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::ECommitmentMismatch)]
fun another_salt_is_refused() { revealed(content(0, 0), 1, 1, content(0, 0), b"a").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::ECommitmentMismatch)]
fun a_short_salt_and_a_long_content_do_not_shift() {
    let mut content_hash = content(0, 0);
    let mut rest = salt();
    content_hash.push_back(rest.remove(0));
    revealed(content_hash, 1, 1, rest, b"a").end()
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ECommitmentMismatch)]
fun a_copied_commitment_is_bound_to_the_wrong_slot() {
    let mut p = peers::founded(2);
    p.commit(0, 0);
    let copied = p.commitment(0, 0);
    p.commit_raw(miner(1), 1, 0, copied);
    p.at(0, 8_000);
    p.reveal(0, 0);
    p.reveal_raw(miner(1), 1, 0, content(0, 0), 1_000, 1, salt(), b"a");
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadSize)]
fun the_size_is_checked_before_codec_ref_and_commitment() { revealed(b"", 0, 0, b"", b"").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadCodec)]
fun the_codec_is_checked_before_ref_and_commitment() { revealed(b"", 1, 0, b"", b"").end() }

#[test, expected_failure(abort_code = vramhub::gradient_registry::EBadRef)]
fun the_ref_is_checked_before_the_commitment() { revealed(b"", 1, 1, b"", b"").end() }

#[test]
fun a_commitment_is_that_of_the_shared_vectors() {
    assert_eq!(
        gr::commitment_of(
            x"fe14010b4fe83303852f0467c919ef9a7ca089b91e96e3aad7d426dd87079297",
            258,
            2_957_300,
            x"d738c3dd3e55e4a8710635f6ee9d9b1d023e1bf62d01821fb1b70458c51acb10",
            x"63479ad69a090b258277ec8fba6f99419a2ffb248981510657c944ccd1148e97",
        ),
        x"2a18573cb3733508db00c0135e46e17908a083271aa093f5d435881a084cd4a5",
    );
}

// === Prune and limits ===

#[test]
fun a_window_is_pruned_after_its_retention() {
    let mut p = peers::with(2, vector[b"retention_windows"], vector[3]);
    p.commit(0, 0);
    p.commit(1, 0);
    p.at(0, 8_000);
    p.reveal(1, 0);
    p.at(4, 0);
    p.roll();
    prune(&mut p, 0);
    assert_eq!(event::events_by_type<gr::SubmissionsPruned>().length(), 1);
    assert_eq!(p.gr().commit_count(0) + p.gr().reveal_count(0), 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ETooYoung)]
fun a_window_is_kept_in_its_last_window_of_retention() {
    let mut p = peers::with(1, vector[b"retention_windows"], vector[3]);
    p.commit(0, 0);
    p.at(3, 9_999);
    p.roll();
    prune(&mut p, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::ETooYoung)]
fun the_running_window_is_kept() {
    let mut p = peers::founded(1);
    p.commit(0, 0);
    prune(&mut p, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EUnknownWindow)]
fun a_window_is_pruned_once() {
    let mut p = peers::founded(1);
    prune(&mut p, 0);
    p.end();
}

/// 256 commits and reveals, the uids in an order that is not ascending, with the longest references.
#[test]
fun a_flood_stays_within_suis_limits() {
    let mut p = peers::with(0, vector[b"retention_windows"], vector[3]);
    p.seat(256);
    p.hurry();
    256u64.do!(|i| { p.commit(scattered(i), 0); });
    p.at(0, 8_000);
    let longest = vector::tabulate!(256, |_| 0x7e);
    256u64.do!(|i| {
        let uid = scattered(i);
        let owner = miner(uid as u64);
        p.reveal_raw(owner, uid, 0, content(uid, 0), 1_000, 2, salt(), longest);
    });
    assert_eq!(p.gr().sorted_uids(0), vector::tabulate!(256, |i| i as u16));
    let mut chunk = vector[];
    256u64.do!(|i| {
        let row = p.gr().reveal_at(0, i);
        assert_eq!(row.reveal_uid(), scattered(i));
        assert_eq!(p.gr().sorted_reveal(0, i).reveal_uid(), i as u16);
        if (i < 64) chunk.push_back(row);
    });
    // A chunk is a dynamic field of its own: its 64 rows, its key and its ids are far below 250 KB.
    assert!(bcs::to_bytes(&chunk).length() < 25_000);
    p.rest();
    p.at(4, 0);
    p.roll();
    assert!(event::num_events() < 1_024);
    prune(&mut p, 0);
    assert_eq!(p.gr().reveal_count(0), 0);
    p.end();
}

fun scattered(i: u64): u16 { ((i * 101 + 7) % 256) as u16 }

/// Nobody reveals: the next call charges all 256.
#[test]
fun a_flood_that_nobody_reveals_is_charged_in_one_call() {
    let mut p = peers::founded(0);
    p.seat(256);
    p.hurry();
    256u64.do!(|i| { p.commit(i as u16, 0); });
    p.rest();
    p.at(1, 0);
    p.roll();
    assert_eq!(p.pr().treasury_value(), 256 * 300);
    assert!(event::num_events() < 1_024);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EWrongVersion)]
fun another_version_is_refused() {
    let mut p = peers::founded(1);
    p.gr().set_version_for_testing(2);
    p.commit(0, 0);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EWrongVersion)]
fun another_version_is_not_read() {
    let mut p = peers::founded(1);
    p.gr().set_version_for_testing(0);
    p.gr().next_seq();
    p.end();
}

#[test, expected_failure(abort_code = vramhub::gradient_registry::EWrongVersion)]
fun there_is_nothing_to_migrate() {
    let mut p = peers::founded(1);
    let cap = vramhub::hparams::admin_for_testing(p.net().ctx());
    gr::migrate(&cap, p.gr());
    abort 0
}

#[test]
fun there_is_one_registry() {
    let mut ts = test_scenario::begin(scenario::admin());
    gr::init_for_testing(ts.ctx());
    let effects = ts.next_tx(scenario::admin());
    assert_eq!(effects.shared().length(), 1);
    let registry: GradientRegistry = ts.take_shared();
    test_scenario::return_shared(registry);
    ts.end();
}
