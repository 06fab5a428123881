/// `register` of a whole document: that it passes on every part of it. The VM of the unit tests cannot verify one,
/// so the document is made by the overlay's constructors.
#[test_only]
module vramhub::enclave_registry_document_tests;

use sui::nitro_attestation::{Self, NitroAttestationDocument};
use sui::test_scenario;
use vramhub::enclave_registry::{Self, EnclaveRegistry};
use vramhub::scenario::{Self, Network};
use vramhub::score_fixture::pcr;

const KEY: vector<u8> = x"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";

fun begin(): (Network, EnclaveRegistry) {
    let mut net = scenario::founded(vector[10_000]);
    enclave_registry::init_for_testing(net.ctx());
    net.next(scenario::admin());
    let mut er: EnclaveRegistry = net.ts().take_shared();
    er.approve_for_testing(b"build-1", pcr(1, 0), pcr(1, 1), pcr(1, 2));
    (net, er)
}

/// Of build `n`, made now, for validator 0.
fun document(net: &mut Network, n: u8): NitroAttestationDocument {
    let (rs, _, _, _, clock, _) = net.parts();
    let data = enclave_registry::expected_user_data(rs, 0, scenario::validator(0));
    let pcrs = vector[
        nitro_attestation::pcr_for_testing(4, pcr(9, 0)),
        nitro_attestation::pcr_for_testing(0, pcr(n, 0)),
        nitro_attestation::pcr_for_testing(1, pcr(n, 1)),
        nitro_attestation::pcr_for_testing(2, pcr(n, 2)),
    ];
    let (key, data) = (option::some(KEY), option::some(data));
    nitro_attestation::document_for_testing(clock.timestamp_ms(), pcrs, key, data)
}

fun register(net: &mut Network, er: &mut EnclaveRegistry, n: u8) {
    let document = document(net, n);
    let (rs, hp, vr, _, clock, _) = net.parts();
    enclave_registry::register(rs, hp, vr, er, &document, 0, clock);
}

#[test]
fun document_seats_its_key_and_rolls_the_window() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 1);
    assert!(er.active_key(0, scenario::validator(0)) == option::some(KEY));
    assert!(er.enclave(KEY).destroy_some().document_ms() == scenario::t0());
    assert!(net.rs().has_window(0));
    test_scenario::return_shared(er);
    net.end();
}

#[test, expected_failure(abort_code = enclave_registry::EMeasurementNotApproved)]
fun document_of_another_build_is_refused() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 2);
    abort
}

#[test, expected_failure(abort_code = enclave_registry::EDocumentNotNewer)]
fun document_brought_twice_is_refused() {
    let (mut net, mut er) = begin();
    register(&mut net, &mut er, 1);
    register(&mut net, &mut er, 1);
    abort
}
