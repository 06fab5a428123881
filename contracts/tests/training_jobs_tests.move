#[test_only]
module vramhub::training_jobs_tests;

use std::unit_test::{assert_eq, destroy};
use sui::balance;
use sui::coin::{Self, Coin};
use sui::sui::SUI;
use sui::test_scenario;
use vramhub::dataset_registry;
use vramhub::enclave_registry::{Self, EnclaveRegistry};
use vramhub::peer_registry::{Self, PeerRegistry};
use vramhub::round_state;
use vramhub::scenario::{Self, Network};
use vramhub::training_jobs::{Self, Spec, TrainingJobBoard};

const CUSTOMER: address = @0xC0;
const MINER: address = @0x31;
const OTHER: address = @0x32;
const ANYONE: address = @0xA1;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 86_400_000;
const PAYOUT: u64 = 1_000_000_000;
const FEE: u64 = 50_000_000;
const BOND: u64 = 100_000_000;
const BASE: vector<u8> = x"0505050505050505050505050505050505050505050505050505050505050505";
const RESULT: vector<u8> = x"0606060606060606060606060606060606060606060606060606060606060606";
/// Public key of the seed of 32 bytes 0x07; the signatures below are by it (enclave/protocol/job_verdict_test.ts).
const KEY: vector<u8> = x"ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
/// What `encodeJobVerdict` gives for job 0, validator 0, an hour after the start, losses 11.0 and 10.9.
const MESSAGE: vector<u8> =
    x"03019414886b1ebf025db067a4cbd13a0903fbd9733a5372bba1b58bd72c1699b798fe14010b4fe83303852f0467c919ef9a7ca089b91e96e3aad7d426dd8707929700000000000000000000803e9318a301000047fb97b4b8ec7f07408dff3b8692e853e50fe81b0cdde8f590c295442ed57d3c05050505050505050505050505050505050505050505050505050505050505050606060606060606060606060606060606060606060606060606060606060606c0d8a700000000802052a60000000080";
const SIGNED: vector<u8> =
    x"271848b77aff6dcada09be79c7e1682a76c7017c009b592d54dc9f111a2e780ef97b0eb67a9ad640ffd49e8d266234bb5f55ff90ecb520529ef057d9896c780c";
/// The same with a loss after of 10.99, at exactly 10,000 units of improvement, and one unit more.
const SIGNED_EXACT: vector<u8> =
    x"ace113598df1da5a4d0ce01bd5d47b7c6f58af7969c1b99b670db1d6eb4f867dda8aac4683a2e5ec31f07b1b3fdc36040d2521ef52ecb68a7e01d7e6e24e1809";
const SIGNED_BELOW: vector<u8> =
    x"821a250480199fb7cc63113b2a5b8072e594225f44c4290a355abf81f66fd17952c0a23e5f06480f831c3f7e48d32b6ccfa0d8a71022503599b9c35ebfcf7e04";
/// The same with a loss after of 11.000001.
const SIGNED_WORSE: vector<u8> =
    x"5885d931ce3e6a808a0195e1ed820339163c524e436952e0c1d13c1b36214373398ed2736bdf7edf4c6a572a2ee63adb7c3352ccbb51d26f4635a8502aa5e90e";
/// The same with a result that could not be measured.
const SIGNED_UNMEASURED: vector<u8> =
    x"a12acc292f01cfccdd877750a05af2c0d55ace16d2c7611dfae8b66f9d607f57ebae290f1026ebf3418cfa1db1bf6a556d038dee8013cc01a532c5f7c8fd4c02";
/// The same five minutes before the job was posted, and five minutes after the chain's clock.
const SIGNED_EARLY: vector<u8> =
    x"9a13e9d2df587efc112008590796db1f9401224a59cc7074e811d28e81e9d2e08ebb77e87dba5027846ae1b1648b25f9b0ced82bf84845382d5212482f916803";
const SIGNED_AHEAD: vector<u8> =
    x"0ed7099e7baab7f3b63973c8d6cfde61986bc9364c96b06f65f1a8913102c3ef52d511781c8c9534e04839bbb706c3636efff916da1898e4c7c770dfc3e21a04";
const BIAS: u64 = 1 << 63;
const BEFORE: u64 = BIAS + 11_000_000;
const AFTER: u64 = BIAS + 10_900_000;

/// A founded network with validator 0, the board, and two miners.
public struct World {
    network: Network,
    board: TrainingJobBoard,
    peers: PeerRegistry,
    enclaves: EnclaveRegistry,
}

// === Fixtures ===

fun pcr(byte: u8): vector<u8> { vector::tabulate!(48, |_| byte) }

fun begin(): World {
    let mut network = scenario::begin();
    scenario::register_validator(&mut network, scenario::validator(0), 1_000, 0);
    scenario::next(&mut network, scenario::admin());
    let ctx = scenario::ctx(&mut network);
    training_jobs::init_for_testing(ctx);
    peer_registry::init_for_testing(ctx);
    enclave_registry::init_for_testing(ctx);
    scenario::next(&mut network, scenario::admin());
    let ts = scenario::ts(&mut network);
    let board = ts.take_shared();
    let mut peers = ts.take_shared();
    let mut enclaves = ts.take_shared();
    peer_registry::seat_for_testing(&mut peers, 3, MINER, balance::create_for_testing(1_000), 0);
    peer_registry::seat_for_testing(&mut peers, 4, OTHER, balance::create_for_testing(1_000), 0);
    let (cap, rs, hp, _, _, _) = scenario::governed(&mut network);
    round_state::set_ledger_id_for_testing(rs, scenario::hash(b"ledger"));
    enclave_registry::approve_at_genesis(cap, &mut enclaves, hp, b"v1", pcr(1), pcr(2), pcr(3));
    scenario::found(&mut network);
    World { network, board, peers, enclaves }
}

fun end(world: World) {
    let World { network, board, peers, enclaves } = world;
    test_scenario::return_shared(board);
    test_scenario::return_shared(peers);
    test_scenario::return_shared(enclaves);
    scenario::end(network);
}

fun at(world: &mut World, offset_ms: u64) {
    scenario::clock(&mut world.network).set_for_testing(scenario::t0() + offset_ms);
}

fun next(world: &mut World, sender: address) { scenario::next(&mut world.network, sender); }

fun mint(world: &mut World, amount: u64): Coin<SUI> {
    coin::mint_for_testing(amount, scenario::ctx(&mut world.network))
}

/// MIST that `who` has received; they are gone afterwards.
fun received(world: &mut World, who: address): u64 {
    next(world, ANYONE);
    let ts = scenario::ts(&mut world.network);
    let ids = test_scenario::ids_for_address<Coin<SUI>>(who);
    ids.fold!(0, |sum, id| {
        let coin: Coin<SUI> = ts.take_from_address_by_id(who, id);
        sum + coin.burn_for_testing()
    })
}

/// Params, tokens, epochs, batch, sequence, precision, GPU memory, base, its reference, improvement.
fun spec_with(
    world: &mut World,
    params_m: u64,
    tokens_m: u64,
    epochs: u32,
    batch: u32,
    sequence: u32,
    precision: u8,
    vram: u32,
    base: vector<u8>,
    base_ref: vector<u8>,
    improvement: u64,
): Spec {
    training_jobs::new_spec(
        scenario::dr(&mut world.network),
        0,
        params_m,
        tokens_m,
        epochs,
        batch,
        sequence,
        precision,
        vram,
        base,
        base_ref,
        improvement,
    )
}

fun bytes(length: u64): vector<u8> { vector::tabulate!(length, |_| 0x61u8) }

fun spec(world: &mut World): Spec {
    spec_with(world, 100, 1_000, 1, 8, 256, 2, 24, BASE, b"walrus:base", 10_000)
}

fun post_with(world: &mut World, spec: Spec, deadline_ms: u64, amount: u64): u64 {
    next(world, CUSTOMER);
    let payment = mint(world, amount);
    let (_, _, _, _, clock, ctx) = scenario::parts(&mut world.network);
    training_jobs::post_job(&mut world.board, spec, deadline_ms, payment, clock, ctx)
}

/// A job posted at the start, due in a day.
fun post(world: &mut World): u64 {
    let spec = spec(world);
    post_with(world, spec, scenario::t0() + DAY, PAYOUT + FEE)
}

fun claim_as(world: &mut World, who: address, job: u64, uid: u16, amount: u64) {
    next(world, who);
    let bond = mint(world, amount);
    let World { network, board, peers, .. } = world;
    let (_, _, _, _, clock, ctx) = scenario::parts(network);
    training_jobs::claim_job(board, peers, job, uid, bond, clock, ctx);
}

fun claim(world: &mut World, job: u64) { claim_as(world, MINER, job, 3, BOND); }

fun complete_as(world: &mut World, who: address, job: u64, hash: vector<u8>, at: vector<u8>) {
    next(world, who);
    let (_, _, _, _, clock, ctx) = scenario::parts(&mut world.network);
    training_jobs::complete_job(&mut world.board, job, hash, at, clock, ctx);
}

fun complete(world: &mut World, job: u64) {
    complete_as(world, MINER, job, RESULT, b"walrus:result");
}

fun dispute_as(world: &mut World, who: address, job: u64, amount: u64) {
    next(world, who);
    let bond = mint(world, amount);
    let (_, _, _, _, clock, ctx) = scenario::parts(&mut world.network);
    training_jobs::dispute_job(&mut world.board, job, bond, clock, ctx);
}

fun release(world: &mut World, who: address, job: u64) {
    next(world, who);
    let (_, _, _, _, clock, ctx) = scenario::parts(&mut world.network);
    training_jobs::release_job(&mut world.board, job, clock, ctx);
}

fun cancel(world: &mut World, who: address, job: u64) {
    next(world, who);
    let (_, _, _, _, clock, ctx) = scenario::parts(&mut world.network);
    training_jobs::cancel_job(&mut world.board, job, clock, ctx);
}

fun refund(world: &mut World, job: u64) {
    next(world, ANYONE);
    let (_, _, _, _, clock, ctx) = scenario::parts(&mut world.network);
    training_jobs::refund_job(&mut world.board, job, clock, ctx);
}

fun settle(world: &mut World, job: u64) {
    next(world, ANYONE);
    let (_, _, _, _, clock, ctx) = scenario::parts(&mut world.network);
    training_jobs::settle_job(&mut world.board, job, clock, ctx);
}

fun expire(world: &mut World, job: u64) {
    next(world, ANYONE);
    let (_, _, _, _, clock, ctx) = scenario::parts(&mut world.network);
    training_jobs::expire_dispute(&mut world.board, job, clock, ctx);
}

fun prune(world: &mut World, job: u64) {
    training_jobs::prune_job(&mut world.board, job, scenario::clock(&mut world.network));
}

fun resolve(world: &mut World, message: vector<u8>, signature: vector<u8>) {
    next(world, ANYONE);
    let World { network, board, enclaves, .. } = world;
    let (rs, _, vr, _, clock, ctx) = scenario::parts(network);
    training_jobs::resolve_dispute(board, rs, vr, enclaves, message, signature, clock, ctx);
}

/// A job of number 0, disputed after one hour, and validator 0's judge attested after three.
fun disputed(): World {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    at(&mut world, HOUR / 2);
    complete(&mut world, job);
    at(&mut world, HOUR);
    dispute_as(&mut world, CUSTOMER, job, BOND);
    at(&mut world, 3 * HOUR);
    attest(&mut world);
    world
}

fun attest(world: &mut World) {
    let World { network, enclaves, .. } = world;
    let (_, rs, hp, _, vr, clock) = scenario::governed(network);
    let user_data = enclave_registry::expected_user_data(rs, 0, scenario::validator(0));
    enclave_registry::register_parts(
        rs,
        hp,
        vr,
        enclaves,
        vector[0, 1, 2],
        vector[pcr(1), pcr(2), pcr(3)],
        option::some(KEY),
        option::some(user_data),
        clock.timestamp_ms(),
        0,
        clock,
    );
}

/// A verdict as `encodeJobVerdict` writes it.
fun verdict(
    job: u64,
    validator: u16,
    time: u64,
    result: vector<u8>,
    before: u64,
    after: u64,
): vector<u8> {
    let mut message = vector[3u8, 1];
    message.append(scenario::hash(b"chain"));
    message.append(scenario::hash(b"ledger"));
    message.append(sui::bcs::to_bytes(&validator));
    message.append(sui::bcs::to_bytes(&job));
    message.append(sui::bcs::to_bytes(&time));
    vector::tabulate!(32, |i| MESSAGE[84 + i]).do!(|byte| message.push_back(byte));
    message.append(BASE);
    message.append(result);
    message.append(sui::bcs::to_bytes(&before));
    message.append(sui::bcs::to_bytes(&after));
    message
}

fun verdict_of(after: u64): vector<u8> {
    verdict(0, 0, scenario::t0() + HOUR, RESULT, BEFORE, after)
}

fun changed(mut message: vector<u8>, index: u64, value: u8): vector<u8> {
    *&mut message[index] = value;
    message
}

fun status(world: &World, job: u64): u8 {
    training_jobs::status(training_jobs::job(&world.board, job))
}

fun assert_held(world: &World, job: u64, escrow: u64, claim: u64, dispute: u64) {
    let (e, c, d) = training_jobs::held(training_jobs::job(&world.board, job));
    assert_eq!(e, escrow);
    assert_eq!(c, claim);
    assert_eq!(d, dispute);
}

/// What each party ended with; together all that went in.
fun assert_paid(
    world: &mut World,
    customer: u64,
    miner: u64,
    validator: u64,
    fees: u64,
    total: u64,
) {
    assert_eq!(received(world, CUSTOMER), customer);
    assert_eq!(received(world, MINER), miner);
    assert_eq!(received(world, scenario::validator(0)), validator);
    assert_eq!(training_jobs::fees(&world.board), fees);
    assert_eq!(customer + miner + validator + fees, total);
    assert_held(world, 0, 0, 0, 0);
}

/// A second job, posted after three hours.
fun post_later(world: &mut World): u64 {
    let spec = spec(world);
    post_with(world, spec, scenario::t0() + 2 * DAY, PAYOUT + FEE)
}

// === The vector that TypeScript shares ===

#[test]
fun verdict_is_the_bytes_of_the_judge() {
    let mut world = disputed();
    assert_eq!(verdict_of(AFTER), MESSAGE);
    assert_eq!(MESSAGE.length(), 196);
    assert!(sui::ed25519::ed25519_verify(&SIGNED, &KEY, &MESSAGE));
    resolve(&mut world, MESSAGE, SIGNED);
    end(world);
}

// === Price ===

#[test]
fun quote_has_a_minimum() {
    let mut world = begin();
    let spec = spec(&mut world);
    let (payout, fee) = training_jobs::quote(&world.board, &spec);
    assert_eq!(payout, PAYOUT);
    assert_eq!(fee, FEE);
    end(world);
}

#[test]
fun quote_of_the_largest_job_does_not_overflow() {
    let mut world = begin();
    let spec = spec_with(
        &mut world,
        10_000_000,
        10_000_000,
        1_000,
        65_536,
        1_048_576,
        0,
        65_536,
        BASE,
        bytes(256),
        1_000_000_000,
    );
    let (payout, fee) = training_jobs::quote(&world.board, &spec);
    assert_eq!(payout, 1_000_000_000_000_000_000);
    assert_eq!(fee, 50_000_000_000_000_000);
    end(world);
}

#[test]
fun quote_halves_int8() {
    let mut world = begin();
    let whole = spec_with(&mut world, 1_000_000, 1_000, 1_000, 1, 1, 2, 0, BASE, b"b", 3);
    let half = spec_with(&mut world, 1_000_000, 1_000, 1_000, 1, 1, 3, 0, BASE, b"b", 3);
    let (a, _) = training_jobs::quote(&world.board, &whole);
    let (b, _) = training_jobs::quote(&world.board, &half);
    assert_eq!(a, 10_000_000_000_000);
    assert_eq!(b, a / 2);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EPriceTooHigh)]
fun quote_refuses_what_no_coin_holds() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        1000000,
        500,
        1000000000,
        2 * HOUR,
        48 * HOUR,
        1000,
        1000,
    );
    let spec = spec_with(&mut world, 10_000_000, 10_000_000, 1_000, 1, 1, 0, 0, BASE, b"b", 3);
    training_jobs::quote(&world.board, &spec);
    end(world);
}

// === Bounds of a job ===

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_params_zero() {
    let mut world = begin();
    spec_with(&mut world, 0, 1_000, 1, 8, 256, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_params_above() {
    let mut world = begin();
    spec_with(&mut world, 10_000_001, 1_000, 1, 8, 256, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_tokens_zero() {
    let mut world = begin();
    spec_with(&mut world, 100, 0, 1, 8, 256, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_tokens_above() {
    let mut world = begin();
    spec_with(&mut world, 100, 10_000_001, 1, 8, 256, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_epochs_zero() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 0, 8, 256, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_epochs_above() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1_001, 8, 256, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_batch_zero() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 0, 256, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_batch_above() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 65_537, 256, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_sequence_zero() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 0, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_sequence_above() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 1_048_577, 2, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_precision_above() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 256, 4, 24, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_gpu_memory_above() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 256, 2, 65_537, BASE, b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_base_hash_short() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 256, 2, 24, bytes(31), b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_base_hash_long() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 256, 2, 24, bytes(33), b"base", 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_base_ref_empty() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 256, 2, 24, BASE, vector[], 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_base_ref_long() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 256, 2, 24, BASE, bytes(257), 10_000);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_improvement_noise() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 256, 2, 24, BASE, b"base", 2);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun spec_refuses_improvement_above() {
    let mut world = begin();
    spec_with(&mut world, 100, 1_000, 1, 8, 256, 2, 24, BASE, b"base", 1_000_000_001);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::dataset_registry::ERetired)]
fun spec_refuses_a_retired_data_set() {
    let mut world = begin();
    let (cap, _, _, dr, _, _) = scenario::governed(&mut world.network);
    dataset_registry::retire(cap, dr, 0);
    spec(&mut world);
    end(world);
}

#[test]
fun post_takes_deadlines_at_both_bounds() {
    let mut world = begin();
    let spec = spec(&mut world);
    post_with(&mut world, spec, scenario::t0() + HOUR, PAYOUT + FEE);
    let spec = spec(&mut world);
    post_with(&mut world, spec, scenario::t0() + 7 * DAY, PAYOUT + FEE);
    assert_eq!(status(&world, 1), 0);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadDeadline)]
fun post_refuses_a_deadline_below_an_hour() {
    let mut world = begin();
    let spec = spec(&mut world);
    post_with(&mut world, spec, scenario::t0() + HOUR - 1, PAYOUT + FEE);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadDeadline)]
fun post_refuses_a_deadline_above_a_week() {
    let mut world = begin();
    let spec = spec(&mut world);
    post_with(&mut world, spec, scenario::t0() + 7 * DAY + 1, PAYOUT + FEE);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInsufficientPayment)]
fun post_refuses_a_coin_below_the_price() {
    let mut world = begin();
    let spec = spec(&mut world);
    post_with(&mut world, spec, scenario::t0() + DAY, PAYOUT + FEE - 1);
    end(world);
}

#[test]
fun post_gives_back_the_rest() {
    let mut world = begin();
    let spec = spec(&mut world);
    post_with(&mut world, spec, scenario::t0() + DAY, PAYOUT + FEE + 7);
    assert_eq!(received(&mut world, CUSTOMER), 7);
    assert_held(&world, 0, PAYOUT + FEE, 0, 0);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EUnknownJob)]
fun unknown_job_is_refused() {
    let mut world = begin();
    claim(&mut world, 0);
    end(world);
}

// === Paid, cancelled, refunded ===

#[test]
fun settle_pays_miner_and_fee() {
    let mut world = begin();
    let job = post(&mut world);
    claim_as(&mut world, MINER, job, 3, BOND + 5);
    assert_held(&world, job, PAYOUT + FEE, BOND, 0);
    complete(&mut world, job);
    at(&mut world, 2 * HOUR);
    settle(&mut world, job);
    assert_eq!(status(&world, job), 3);
    assert_paid(&mut world, 0, PAYOUT + BOND + 5, 0, FEE, PAYOUT + FEE + BOND + 5);
    let (_, _, _, _, _, ctx) = scenario::parts(&mut world.network);
    let cap = vramhub::hparams::admin_for_testing(ctx);
    let fees = training_jobs::sweep_fees(&cap, &mut world.board, ctx);
    assert_eq!(fees.burn_for_testing(), FEE);
    destroy(cap);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ETooEarly)]
fun settle_refuses_inside_the_dispute_window() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete(&mut world, job);
    at(&mut world, 2 * HOUR - 1);
    settle(&mut world, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun settle_pays_once() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete(&mut world, job);
    at(&mut world, 2 * HOUR);
    settle(&mut world, job);
    settle(&mut world, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun settle_refuses_an_undelivered_job() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    at(&mut world, 2 * HOUR);
    settle(&mut world, job);
    end(world);
}

#[test]
fun cancel_gives_everything_back() {
    let mut world = begin();
    let job = post(&mut world);
    cancel(&mut world, CUSTOMER, job);
    assert_eq!(status(&world, job), 5);
    assert_paid(&mut world, PAYOUT + FEE, 0, 0, 0, PAYOUT + FEE);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENotCustomer)]
fun cancel_refuses_others() {
    let mut world = begin();
    let job = post(&mut world);
    cancel(&mut world, ANYONE, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun cancel_refuses_a_claimed_job() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    cancel(&mut world, CUSTOMER, job);
    end(world);
}

#[test]
fun refund_returns_an_unclaimed_job() {
    let mut world = begin();
    let job = post(&mut world);
    at(&mut world, DAY);
    refund(&mut world, job);
    assert_paid(&mut world, PAYOUT + FEE, 0, 0, 0, PAYOUT + FEE);
    end(world);
}

#[test]
fun griefing_claim_costs_its_bond() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    at(&mut world, DAY);
    refund(&mut world, job);
    assert_eq!(status(&world, job), 5);
    assert_paid(&mut world, PAYOUT + FEE + BOND, 0, 0, 0, PAYOUT + FEE + BOND);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ETooEarly)]
fun refund_refuses_before_the_deadline() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    at(&mut world, DAY - 1);
    refund(&mut world, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun refund_refuses_a_delivered_job() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete(&mut world, job);
    at(&mut world, DAY);
    refund(&mut world, job);
    end(world);
}

// === Claims and delivery ===

#[test, expected_failure(abort_code = vramhub::training_jobs::ENotMiner)]
fun claim_refuses_a_foreign_miner() {
    let mut world = begin();
    let job = post(&mut world);
    claim_as(&mut world, OTHER, job, 3, BOND);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENotMiner)]
fun claim_refuses_an_empty_slot() {
    let mut world = begin();
    let job = post(&mut world);
    claim_as(&mut world, MINER, job, 9, BOND);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInsufficientPayment)]
fun claim_refuses_a_small_bond() {
    let mut world = begin();
    let job = post(&mut world);
    claim_as(&mut world, MINER, job, 3, BOND - 1);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ETooLate)]
fun claim_refuses_from_the_deadline_on() {
    let mut world = begin();
    let job = post(&mut world);
    at(&mut world, DAY);
    claim(&mut world, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun claim_refuses_a_second_miner() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    claim_as(&mut world, OTHER, job, 4, BOND);
    end(world);
}

#[test]
fun release_costs_the_bond_and_reopens() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    release(&mut world, MINER, job);
    assert_eq!(status(&world, job), 0);
    assert_held(&world, job, PAYOUT + FEE, 0, 0);
    assert_eq!(received(&mut world, CUSTOMER), BOND);
    claim_as(&mut world, OTHER, job, 4, BOND);
    complete_as(&mut world, OTHER, job, RESULT, b"r");
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENotMiner)]
fun release_refuses_others() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    release(&mut world, OTHER, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENotMiner)]
fun released_miner_cannot_deliver() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    release(&mut world, MINER, job);
    claim_as(&mut world, OTHER, job, 4, BOND);
    complete(&mut world, job);
    end(world);
}

#[test]
fun complete_counts_until_the_deadline() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    at(&mut world, DAY - 1);
    complete(&mut world, job);
    assert_eq!(status(&world, job), 2);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ETooLate)]
fun complete_refuses_at_the_deadline() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    at(&mut world, DAY);
    complete(&mut world, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun complete_refuses_a_short_hash() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete_as(&mut world, MINER, job, bytes(31), b"r");
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun complete_refuses_an_empty_reference() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete_as(&mut world, MINER, job, RESULT, b"");
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun complete_refuses_a_long_reference() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete_as(&mut world, MINER, job, RESULT, bytes(257));
    end(world);
}

// === Disputes ===

#[test]
fun verdict_for_the_miner_pays_it() {
    let mut world = disputed();
    let total = PAYOUT + FEE + 2 * BOND;
    assert_held(&world, 0, PAYOUT + FEE, BOND, BOND);
    resolve(&mut world, verdict_of(AFTER), SIGNED);
    assert_eq!(status(&world, 0), 3);
    assert_paid(&mut world, 0, PAYOUT + BOND + BOND / 2, BOND / 2, FEE, total);
    end(world);
}

#[test]
fun verdict_for_the_customer_pays_it() {
    let mut world = disputed();
    let total = PAYOUT + FEE + 2 * BOND;
    resolve(&mut world, verdict_of(BEFORE + 1), SIGNED_WORSE);
    assert_eq!(status(&world, 0), 5);
    assert_paid(&mut world, PAYOUT + FEE + BOND + BOND / 2, 0, BOND / 2, 0, total);
    end(world);
}

#[test]
fun verdict_at_the_asked_improvement_is_the_miners() {
    let mut world = disputed();
    resolve(&mut world, verdict_of(BEFORE - 10_000), SIGNED_EXACT);
    assert_eq!(status(&world, 0), 3);
    end(world);
}

#[test]
fun verdict_one_unit_below_is_the_customers() {
    let mut world = disputed();
    resolve(&mut world, verdict_of(BEFORE - 9_999), SIGNED_BELOW);
    assert_eq!(status(&world, 0), 5);
    end(world);
}

#[test]
fun verdict_on_an_unmeasurable_result_is_the_customers() {
    let mut world = disputed();
    resolve(&mut world, verdict_of(BIAS), SIGNED_UNMEASURED);
    assert_eq!(status(&world, 0), 5);
    end(world);
}

#[test]
fun verdict_time_may_differ_by_five_minutes() {
    let mut world = disputed();
    resolve(
        &mut world,
        verdict(0, 0, scenario::t0() - 300_000, RESULT, BEFORE, AFTER),
        SIGNED_EARLY,
    );
    end(world);
}

#[test]
fun verdict_time_may_be_five_minutes_ahead() {
    let mut world = disputed();
    let time = scenario::t0() + 3 * HOUR + 300_000;
    resolve(&mut world, verdict(0, 0, time, RESULT, BEFORE, AFTER), SIGNED_AHEAD);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadTimestamp)]
fun verdict_refuses_a_time_before_the_job() {
    let mut world = disputed();
    let time = scenario::t0() - 300_001;
    resolve(&mut world, verdict(0, 0, time, RESULT, BEFORE, AFTER), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadTimestamp)]
fun verdict_refuses_a_time_in_the_future() {
    let mut world = disputed();
    let time = scenario::t0() + 3 * HOUR + 300_001;
    resolve(&mut world, verdict(0, 0, time, RESULT, BEFORE, AFTER), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun verdict_is_not_replayed() {
    let mut world = disputed();
    resolve(&mut world, MESSAGE, SIGNED);
    resolve(&mut world, MESSAGE, SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadSignature)]
fun verdict_for_another_job_is_not_replayed() {
    let mut world = disputed();
    at(&mut world, 3 * HOUR);
    let second = post_later(&mut world);
    claim_as(&mut world, OTHER, second, 4, BOND);
    complete_as(&mut world, OTHER, second, RESULT, b"copied");
    dispute_as(&mut world, CUSTOMER, second, BOND);
    // the same data, base and result: only the job's number differs, and it is signed
    resolve(
        &mut world,
        verdict(second, 0, scenario::t0() + 3 * HOUR, RESULT, BEFORE, AFTER),
        SIGNED,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun verdict_refuses_an_undisputed_job() {
    let mut world = disputed();
    let second = post_later(&mut world);
    resolve(
        &mut world,
        verdict(second, 0, scenario::t0() + 3 * HOUR, RESULT, BEFORE, AFTER),
        SIGNED,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EUnknownJob)]
fun verdict_refuses_an_unknown_job() {
    let mut world = disputed();
    resolve(&mut world, verdict(7, 0, scenario::t0() + HOUR, RESULT, BEFORE, AFTER), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongSubject)]
fun verdict_refuses_another_data_set() {
    let mut world = disputed();
    resolve(&mut world, changed(MESSAGE, 84, 9), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongSubject)]
fun verdict_refuses_another_base() {
    let mut world = disputed();
    resolve(&mut world, changed(MESSAGE, 116, 9), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongSubject)]
fun verdict_refuses_another_result() {
    let mut world = disputed();
    resolve(&mut world, changed(MESSAGE, 148, 9), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongLedger)]
fun verdict_refuses_another_chain() {
    let mut world = disputed();
    resolve(&mut world, changed(MESSAGE, 2, 9), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongLedger)]
fun verdict_refuses_another_ledger() {
    let mut world = disputed();
    resolve(&mut world, changed(MESSAGE, 34, 9), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadMessage)]
fun verdict_refuses_another_intent() {
    let mut world = disputed();
    resolve(&mut world, changed(MESSAGE, 0, 1), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadMessage)]
fun verdict_refuses_another_version() {
    let mut world = disputed();
    resolve(&mut world, changed(MESSAGE, 1, 2), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadMessage)]
fun verdict_refuses_a_short_message() {
    let mut world = disputed();
    let mut message = MESSAGE;
    message.pop_back();
    resolve(&mut world, message, SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadMessage)]
fun verdict_refuses_trailing_bytes() {
    let mut world = disputed();
    let mut message = MESSAGE;
    message.push_back(0);
    resolve(&mut world, message, SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadMessage)]
fun verdict_refuses_an_unmeasured_base() {
    let mut world = disputed();
    resolve(&mut world, verdict(0, 0, scenario::t0() + HOUR, RESULT, BIAS, AFTER), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadMessage)]
fun verdict_refuses_a_negative_loss() {
    let mut world = disputed();
    resolve(&mut world, verdict_of(BIAS - 1), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadMessage)]
fun verdict_refuses_a_loss_above_the_range() {
    let mut world = disputed();
    resolve(&mut world, verdict_of(BIAS + (1 << 53)), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENotValidator)]
fun verdict_refuses_an_unseated_validator() {
    let mut world = disputed();
    resolve(&mut world, changed(MESSAGE, 66, 1), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadSignature)]
fun verdict_refuses_a_changed_message() {
    let mut world = disputed();
    resolve(&mut world, verdict_of(AFTER - 1), SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EBadSignature)]
fun verdict_refuses_another_signature() {
    let mut world = disputed();
    resolve(&mut world, MESSAGE, SIGNED_WORSE);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENoEnclave)]
fun verdict_refuses_a_removed_build() {
    let mut world = disputed();
    let World { network, enclaves, .. } = &mut world;
    let (cap, _, _, _, _, clock) = scenario::governed(network);
    enclave_registry::remove(cap, enclaves, b"v1", clock);
    resolve(&mut world, MESSAGE, SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENoEnclave)]
fun verdict_refuses_an_expired_key() {
    let mut world = disputed();
    at(&mut world, 3 * HOUR + 10_000_000);
    resolve(&mut world, MESSAGE, SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENoEnclave)]
fun verdict_refuses_without_an_enclave() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete(&mut world, job);
    dispute_as(&mut world, CUSTOMER, job, BOND);
    at(&mut world, HOUR);
    resolve(&mut world, MESSAGE, SIGNED);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ETooLate)]
fun verdict_refuses_after_the_time_out() {
    let mut world = disputed();
    at(&mut world, 49 * HOUR);
    resolve(&mut world, MESSAGE, SIGNED);
    end(world);
}

#[test]
fun verdict_counts_until_the_time_out() {
    let mut world = disputed();
    at(&mut world, 49 * HOUR - 1);
    attest(&mut world);
    resolve(&mut world, MESSAGE, SIGNED);
    end(world);
}

#[test]
fun dispute_never_stays_stuck() {
    let mut world = disputed();
    at(&mut world, 49 * HOUR);
    expire(&mut world, 0);
    assert_eq!(status(&world, 0), 3);
    let total = PAYOUT + FEE + 2 * BOND;
    let (miner, fee) = (PAYOUT / 10, FEE / 10);
    assert_paid(&mut world, total - miner - fee, miner, 0, fee, total);
    end(world);
}

#[test]
fun withheld_result_gains_nothing() {
    let mut world = disputed();
    at(&mut world, 49 * HOUR);
    expire(&mut world, 0);
    assert!(received(&mut world, MINER) <= BOND);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ETooEarly)]
fun expire_refuses_before_the_time_out() {
    let mut world = disputed();
    at(&mut world, 49 * HOUR - 1);
    expire(&mut world, 0);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun expire_pays_once() {
    let mut world = disputed();
    at(&mut world, 49 * HOUR);
    expire(&mut world, 0);
    expire(&mut world, 0);
    end(world);
}

#[test]
fun dispute_counts_until_the_window_ends() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete(&mut world, job);
    at(&mut world, 2 * HOUR - 1);
    dispute_as(&mut world, CUSTOMER, job, BOND + 1);
    assert_eq!(received(&mut world, CUSTOMER), 1);
    assert_held(&world, job, PAYOUT + FEE, BOND, BOND);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ETooLate)]
fun dispute_refuses_after_the_window() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete(&mut world, job);
    at(&mut world, 2 * HOUR);
    dispute_as(&mut world, CUSTOMER, job, BOND);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENotCustomer)]
fun dispute_refuses_others() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete(&mut world, job);
    dispute_as(&mut world, ANYONE, job, BOND);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInsufficientPayment)]
fun dispute_refuses_a_small_bond() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete(&mut world, job);
    dispute_as(&mut world, CUSTOMER, job, BOND - 1);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun settle_refuses_a_disputed_job() {
    let mut world = disputed();
    settle(&mut world, 0);
    end(world);
}

// === Terms, sweep, prune, version ===

#[test]
fun terms_of_a_job_stay() {
    let mut world = begin();
    let job = post(&mut world);
    claim(&mut world, job);
    complete(&mut world, job);
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        1000,
        1000000000,
        24 * HOUR,
        12 * HOUR,
        5000,
        0,
    );
    at(&mut world, 2 * HOUR);
    settle(&mut world, job);
    assert_paid(&mut world, 0, PAYOUT + BOND, 0, FEE, PAYOUT + FEE + BOND);
    end(world);
}

#[test]
fun terms_take_their_bounds() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        1,
        0,
        1,
        HOUR,
        12 * HOUR,
        500,
        500,
    );
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        1,
        1000,
        1,
        24 * HOUR,
        168 * HOUR,
        5000,
        5000,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_no_price() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        0,
        500,
        1000000000,
        2 * HOUR,
        48 * HOUR,
        1000,
        1000,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_a_fee_above_ten_percent() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        1001,
        1000000000,
        2 * HOUR,
        48 * HOUR,
        1000,
        1000,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_no_minimum() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        500,
        0,
        2 * HOUR,
        48 * HOUR,
        1000,
        1000,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_a_short_window() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        500,
        1000000000,
        HOUR - 1,
        48 * HOUR,
        1000,
        1000,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_a_long_window() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        500,
        1000000000,
        24 * HOUR + 1,
        48 * HOUR,
        1000,
        1000,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_a_short_time_out() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        500,
        1000000000,
        2 * HOUR,
        12 * HOUR - 1,
        1000,
        1000,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_a_long_time_out() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        500,
        1000000000,
        2 * HOUR,
        168 * HOUR + 1,
        1000,
        1000,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_a_small_bond() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        500,
        1000000000,
        2 * HOUR,
        48 * HOUR,
        499,
        499,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_a_large_bond() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        500,
        1000000000,
        2 * HOUR,
        48 * HOUR,
        5001,
        1000,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EInvalidValue)]
fun terms_refuse_a_split_above_the_bond() {
    let mut world = begin();
    training_jobs::set_terms(
        scenario::cap(&world.network),
        &mut world.board,
        10000,
        500,
        1000000000,
        2 * HOUR,
        48 * HOUR,
        1000,
        1001,
    );
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ENothingToSweep)]
fun sweep_refuses_nothing() {
    let mut world = begin();
    let (_, _, _, _, _, ctx) = scenario::parts(&mut world.network);
    let cap = vramhub::hparams::admin_for_testing(ctx);
    training_jobs::sweep_fees(&cap, &mut world.board, ctx).burn_for_testing();
    destroy(cap);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EUnknownJob)]
fun prune_forgets_a_closed_job() {
    let mut world = begin();
    let job = post(&mut world);
    cancel(&mut world, CUSTOMER, job);
    at(&mut world, 30 * DAY);
    prune(&mut world, job);
    status(&world, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::ETooEarly)]
fun prune_refuses_a_young_row() {
    let mut world = begin();
    let job = post(&mut world);
    cancel(&mut world, CUSTOMER, job);
    at(&mut world, 30 * DAY - 1);
    prune(&mut world, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongStatus)]
fun prune_refuses_an_open_job() {
    let mut world = begin();
    let job = post(&mut world);
    at(&mut world, 60 * DAY);
    prune(&mut world, job);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongVersion)]
fun another_version_is_refused() {
    let mut world = begin();
    training_jobs::set_version_for_testing(&mut world.board, 2);
    training_jobs::fees(&world.board);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::training_jobs::EWrongVersion)]
fun migrate_has_nothing_older() {
    let mut world = begin();
    training_jobs::migrate(scenario::cap(&world.network), &mut world.board);
    end(world);
}
