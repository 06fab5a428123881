#[test_only]
module vramhub::enclave_registry_tests;

use sui::test_scenario;
use vramhub::enclave_registry::{Self, EnclaveRegistry};
use vramhub::scenario::{Self, Network};
use vramhub::score_fixture::pcr;

const KEY: vector<u8> = x"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
const OTHER: vector<u8> = x"8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394";

/// Two founding validators, build 1 approved, window 0 rolled.
fun begin(): (Network, EnclaveRegistry) {
    let mut net = scenario::founded(vector[10_000, 10_000]);
    enclave_registry::init_for_testing(net.ctx());
    net.next(scenario::admin());
    net.roll();
    let mut er: EnclaveRegistry = net.ts().take_shared();
    er.approve_for_testing(b"build-1", pcr(1, 0), pcr(1, 1), pcr(1, 2));
    (net, er)
}

fun finish(net: Network, er: EnclaveRegistry) {
    test_scenario::return_shared(er);
    net.end();
}

/// A document's parts for validator `uid` of `owner`, of build `n`, made `age` ms ago.
fun register_of(
    net: &mut Network,
    er: &mut EnclaveRegistry,
    uid: u16,
    owner: address,
    key: Option<vector<u8>>,
    n: u8,
    document_ms: u64,
) {
    let (rs, hp, vr, _, clock, _) = net.parts();
    let data = option::some(enclave_registry::expected_user_data(rs, uid, owner));
    let indexes = vector[4, 2, 0, 1];
    let values = vector[pcr(9, 0), pcr(n, 2), pcr(n, 0), pcr(n, 1)];
    enclave_registry::register_parts(
        rs,
        hp,
        vr,
        er,
        indexes,
        values,
        key,
        data,
        document_ms,
        uid,
        clock,
    );
}

fun register(net: &mut Network, er: &mut EnclaveRegistry, uid: u16, key: vector<u8>) {
    let owner = scenario::validator(uid as u64);
    let now = net.clock().timestamp_ms();
    register_of(net, er, uid, owner, option::some(key), 1, now);
}

/// Registers of `indexes`, each with build 1's value of PCR `of[i]`.
fun register_pcrs(
    net: &mut Network,
    er: &mut EnclaveRegistry,
    indexes: vector<u8>,
    of: vector<u8>,
) {
    let (rs, hp, vr, _, clock, _) = net.parts();
    let data = option::some(enclave_registry::expected_user_data(rs, 0, scenario::validator(0)));
    let values = of.map!(|i| pcr(1, i));
    let key = option::some(KEY);
    let now = clock.timestamp_ms();
    enclave_registry::register_parts(rs, hp, vr, er, indexes, values, key, data, now, 0, clock);
}

#[test]
fun key_of_a_document_is_registered() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 0, KEY);
    let owner = scenario::validator(0);
    assert!(er.active_key(0, owner) == option::some(KEY));
    assert!(er.active_key(1, scenario::validator(1)).is_none());
    let enclave = er.enclave(KEY).destroy_some();
    assert!(enclave.uid() == 0 && enclave.owner() == owner && enclave.measurement() == b"build-1");
    assert!(enclave.document_ms() == scenario::t0() && enclave.registered_ms() == scenario::t0());
    assert!(enclave.expires_ms() == scenario::t0() + 10_000_000);
    finish(net, er);
}

#[test]
fun verdict_key_needs_an_approved_build_and_time() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 0, KEY);
    let owner = scenario::validator(0);
    let end = scenario::t0() + 10_000_000;
    assert!(er.verdict_key(0, owner, end - 1) == option::some(KEY));
    assert!(er.verdict_key(0, owner, end).is_none());
    assert!(er.verdict_key(0, scenario::validator(1), end - 1).is_none());
    remove(&mut net, &mut er, b"build-1");
    assert!(er.verdict_key(0, owner, end - 1).is_none());
    finish(net, er);
}

#[test, expected_failure(abort_code = enclave_registry::ENotOwner)]
fun key_of_nobody_s_slot_is_refused() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 9, KEY);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EMeasurementNotApproved)]
fun document_of_another_build_is_refused() {
    let (mut net, mut er) = begin();
    let t0 = scenario::t0();
    register_of(&mut net, &mut er, 0, scenario::validator(0), option::some(KEY), 2, t0);
    abort
}

#[test]
fun registers_are_looked_up_by_index() {
    let (mut net, mut er) = begin();
    register_pcrs(&mut net, &mut er, vector[8, 2, 1, 0], vector[0, 2, 1, 0]);
    finish(net, er);
}

#[test, expected_failure(abort_code = enclave_registry::EMeasurementNotApproved)]
fun registers_in_the_right_places_with_other_indexes_are_refused() {
    let (mut net, mut er) = begin();
    register_pcrs(&mut net, &mut er, vector[1, 0, 2], vector[0, 1, 2]);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EMeasurementNotApproved)]
fun document_without_one_of_the_registers_is_refused() {
    let (mut net, mut er) = begin();
    register_pcrs(&mut net, &mut er, vector[0, 1, 3], vector[0, 1, 2]);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EMeasurementNotApproved)]
fun document_without_registers_is_refused() {
    let (mut net, mut er) = begin();
    register_pcrs(&mut net, &mut er, vector[], vector[]);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EBadDocument)]
fun document_that_names_a_register_twice_is_refused() {
    let (mut net, mut er) = begin();
    register_pcrs(&mut net, &mut er, vector[0, 1, 2, 2], vector[0, 1, 2, 2]);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EMeasurementNotApproved)]
fun debug_document_is_refused() {
    let (mut net, mut er) = begin();
    let (rs, hp, vr, _, clock, _) = net.parts();
    let data = option::some(enclave_registry::expected_user_data(rs, 0, scenario::validator(0)));
    let zeros = vector::tabulate!(3, |_| vector::tabulate!(48, |_| 0));
    let key = option::some(KEY);
    let now = clock.timestamp_ms();
    enclave_registry::register_parts(
        rs,
        hp,
        vr,
        &mut er,
        vector[0, 1, 2],
        zeros,
        key,
        data,
        now,
        0,
        clock,
    );
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EMeasurementNotApproved)]
fun document_of_a_removed_build_is_refused() {
    let (mut net, mut er) = begin();
    remove(&mut net, &mut er, b"build-1");
    register(&mut net, &mut er, 0, KEY);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EWrongUserData)]
fun document_for_another_owner_is_refused() {
    let (mut net, mut er) = begin();
    let t0 = scenario::t0();
    register_of(&mut net, &mut er, 0, scenario::validator(1), option::some(KEY), 1, t0);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EWrongUserData)]
fun document_without_user_data_is_refused() {
    let (mut net, mut er) = begin();
    let (rs, hp, vr, _, clock, _) = net.parts();
    let values = vector[pcr(1, 0), pcr(1, 1), pcr(1, 2)];
    let (key, none) = (option::some(KEY), option::none());
    let now = clock.timestamp_ms();
    enclave_registry::register_parts(
        rs,
        hp,
        vr,
        &mut er,
        vector[0, 1, 2],
        values,
        key,
        none,
        now,
        0,
        clock,
    );
    abort
}

#[test]
fun user_data_is_116_bytes_of_tag_chain_ledger_uid_and_owner() {
    let (mut net, er) = begin();
    let (rs, _, _, _, _, _) = net.parts();
    rs.set_ledger_id_for_testing(scenario::hash(b"ledger"));
    let owner = @0x44fc547558e5d010f6125c7f3cc7c20d0b2e5c02a8685c12753a15a2b1f814e4;
    // tests/vectors/report.json
    let expected =
        x"7672616d6875622f656e636c6176652f76319414886b1ebf025db067a4cbd13a0903fbd9733a5372bba1b58bd72c1699b798fe14010b4fe83303852f0467c919ef9a7ca089b91e96e3aad7d426dd87079297050044fc547558e5d010f6125c7f3cc7c20d0b2e5c02a8685c12753a15a2b1f814e4";
    assert!(enclave_registry::expected_user_data(rs, 5, owner) == expected);
    finish(net, er);
}

// === Keys ===

#[test, expected_failure(abort_code = enclave_registry::EBadKey)]
fun document_without_a_key_is_refused() {
    let (mut net, mut er) = begin();
    let t0 = scenario::t0();
    register_of(&mut net, &mut er, 0, scenario::validator(0), option::none(), 1, t0);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EBadKey)]
fun small_order_key_is_refused() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 0, vector::tabulate!(32, |i| if (i == 0) 1 else 0));
    abort
}

#[test]
fun keys_of_small_order_and_long_forms_are_unsound() {
    // the fourteen of attestation/ed25519_test.ts
    vector[
        x"0100000000000000000000000000000000000000000000000000000000000000",
        x"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        x"0000000000000000000000000000000000000000000000000000000000000000",
        x"0000000000000000000000000000000000000000000000000000000000000080",
        x"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        x"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        x"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        x"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        x"0100000000000000000000000000000000000000000000000000000000000080",
        x"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        x"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        x"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        x"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        x"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ].do!(|key| assert!(!enclave_registry::is_sound_key(&key)));
}

#[test]
fun keys_of_other_lengths_are_unsound() {
    vector[0, 1, 31, 33, 64].do!(|n| {
        assert!(!enclave_registry::is_sound_key(&vector::tabulate!(n, |_| 9)));
    });
}

#[test]
fun keys_of_rfc_8032_are_sound() {
    vector[
        x"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        x"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        x"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    ].do!(|key| assert!(enclave_registry::is_sound_key(&key)));
}

#[test, expected_failure(abort_code = enclave_registry::EKeyTaken)]
fun key_of_another_validator_is_refused() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 0, KEY);
    register(&mut net, &mut er, 1, KEY);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EKeyTaken)]
fun key_stays_with_its_first_owner_also_when_it_counts_no_more() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 0, KEY);
    net.at(0, 1);
    register(&mut net, &mut er, 0, OTHER);
    register(&mut net, &mut er, 1, KEY);
    abort
}

// === Documents in time ===

macro fun aged($document_ms: u64) {
    let (mut net, mut er) = begin();
    net.at(10, 0);
    net.roll();
    let owner = scenario::validator(0);
    register_of(&mut net, &mut er, 0, owner, option::some(KEY), 1, $document_ms);
    finish(net, er);
}

#[test]
fun document_of_the_oldest_age_is_taken() { aged!(scenario::t0() + 40_000) }

#[test, expected_failure(abort_code = enclave_registry::EDocumentTooOld)]
fun document_above_the_oldest_age_is_refused() { aged!(scenario::t0() + 39_999) }

#[test]
fun document_half_a_minute_ahead_is_taken() { aged!(scenario::t0() + 130_000) }

#[test, expected_failure(abort_code = enclave_registry::EBadDocument)]
fun document_of_the_future_is_refused() { aged!(scenario::t0() + 130_001) }

#[test, expected_failure(abort_code = enclave_registry::EDocumentNotNewer)]
fun document_replayed_is_refused() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 0, KEY);
    register(&mut net, &mut er, 0, KEY);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EDocumentNotNewer)]
fun older_document_does_not_bring_a_key_back() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 0, KEY);
    net.at(0, 1_000);
    register(&mut net, &mut er, 0, OTHER);
    let first = scenario::t0() + 999;
    register_of(&mut net, &mut er, 0, scenario::validator(0), option::some(KEY), 1, first);
    abort
}

#[test]
fun renewed_key_keeps_its_age_and_lives_longer() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 0, KEY);
    net.at(0, 1_000);
    register(&mut net, &mut er, 0, KEY);
    let enclave = er.enclave(KEY).destroy_some();
    assert!(enclave.registered_ms() == scenario::t0());
    assert!(enclave.expires_ms() == scenario::t0() + 10_001_000);
    finish(net, er);
}

#[test]
fun key_that_comes_back_is_new() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 0, KEY);
    net.at(0, 1_000);
    register(&mut net, &mut er, 0, OTHER);
    net.at(0, 2_000);
    register(&mut net, &mut er, 0, KEY);
    assert!(er.enclave(KEY).destroy_some().registered_ms() == scenario::t0() + 2_000);
    assert!(er.active_key(0, scenario::validator(0)) == option::some(KEY));
    finish(net, er);
}

// === Builds ===

fun remove(net: &mut Network, er: &mut EnclaveRegistry, name: vector<u8>) {
    let (cap, _, _, _, _, clock) = net.governed();
    enclave_registry::remove(cap, er, name, clock);
}

fun approve(net: &mut Network, er: &mut EnclaveRegistry, name: vector<u8>) {
    let (cap, _, hp, _, _, clock) = net.governed();
    enclave_registry::approve(cap, er, hp, name, pcr(2, 0), pcr(2, 1), pcr(2, 2), clock);
}

#[test]
fun build_counts_after_the_unbonding_period() {
    let (mut net, mut er) = begin();
    approve(&mut net, &mut er, b"build-2");
    assert!(!er.is_approved(b"build-2", scenario::t0() + 49_999));
    assert!(er.is_approved(b"build-2", scenario::t0() + 50_000));
    finish(net, er);
}

#[test, expected_failure(abort_code = enclave_registry::EMeasurementNotApproved)]
fun build_that_still_waits_is_refused() {
    let (mut net, mut er) = begin();
    approve(&mut net, &mut er, b"build-2");
    let t0 = scenario::t0();
    net.at(4, 9_999);
    net.roll();
    register_of(&mut net, &mut er, 0, scenario::validator(0), option::some(KEY), 2, t0 + 49_999);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun build_s_name_is_taken() {
    let (mut net, mut er) = begin();
    approve(&mut net, &mut er, b"build-1");
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun removed_build_s_name_is_used_up() {
    let (mut net, mut er) = begin();
    remove(&mut net, &mut er, b"build-1");
    approve(&mut net, &mut er, b"build-1");
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun unknown_build_cannot_be_removed() {
    let (mut net, mut er) = begin();
    remove(&mut net, &mut er, b"build-9");
    abort
}

macro fun named($name: vector<u8>) {
    let (mut net, mut er) = begin();
    approve(&mut net, &mut er, $name);
    finish(net, er);
}

#[test]
fun name_of_64_characters_is_taken() { named!(vector::tabulate!(64, |_| 0x61)) }

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun name_of_65_characters_is_refused() { named!(vector::tabulate!(65, |_| 0x61)) }

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun empty_name_is_refused() { named!(b"") }

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun name_in_capitals_is_refused() { named!(b"Build") }

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun name_that_begins_with_a_dash_is_refused() { named!(b"-build") }

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun short_register_is_refused() {
    let (_net, mut er) = begin();
    let mut short = pcr(2, 0);
    short.pop_back();
    er.approve_for_testing(b"a", short, pcr(2, 1), pcr(2, 2));
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun zero_register_is_refused() {
    let (_net, mut er) = begin();
    er.approve_for_testing(b"a", pcr(2, 0), pcr(2, 1), vector::tabulate!(48, |_| 0));
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EBadMeasurement)]
fun builds_are_at_most_32() {
    let (_net, mut er) = begin();
    32u8.do!(|i| {
        let name = vector[0x61 + i / 10, 0x30 + i % 10];
        er.approve_for_testing(name, pcr(2, 0), pcr(2, 1), pcr(2, 2));
    });
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EAlreadyFounded)]
fun build_of_genesis_comes_before_the_founding() {
    let (mut net, mut er) = begin();
    let (cap, _, hp, _, _, _) = net.governed();
    enclave_registry::approve_at_genesis(cap, &mut er, hp, b"a", pcr(2, 0), pcr(2, 1), pcr(2, 2));
    abort
}

#[test]
fun build_of_genesis_counts_at_once() {
    let mut net = scenario::begin();
    enclave_registry::init_for_testing(net.ctx());
    net.next(scenario::admin());
    let mut er: EnclaveRegistry = net.ts().take_shared();
    let (cap, _, hp, _, _, _) = net.governed();
    enclave_registry::approve_at_genesis(cap, &mut er, hp, b"a", pcr(2, 0), pcr(2, 1), pcr(2, 2));
    assert!(er.is_approved(b"a", 0) && er.measurements().length() == 1);
    finish(net, er);
}

#[test, expected_failure(abort_code = enclave_registry::EWrongVersion)]
fun another_version_is_refused() {
    let (_net, mut er) = begin();
    er.set_version_for_testing(2);
    er.measurements();
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EWrongVersion)]
fun migration_has_nothing_to_do() {
    let (mut net, mut er) = begin();
    let (cap, _, _, _, _, _) = net.governed();
    enclave_registry::migrate(cap, &mut er);
    abort
}
