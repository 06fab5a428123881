/// Fixtures that the tests share: a network of the lower modules' objects, with a clock of its own and the fast
/// hyperparameters of `host/ledger/testing.ts` (windows of 10 s, commits end at 8 s, reveals at 9.5 s, reports 6 s
/// and outcomes 9 s into the next).
#[test_only]
module vramhub::scenario;

use std::unit_test::destroy;
use sui::bcs;
use sui::clock::{Self, Clock};
use sui::coin;
use sui::sui::SUI;
use sui::test_scenario::{Self, Scenario};
use vramhub::dataset_registry::{Self, DatasetRegistry};
use vramhub::hparams::{Self, AdminCap, Hparams};
use vramhub::round_state::{Self, RoundState};
use vramhub::validator_registry::{Self, ValidatorRegistry};
use vramhub::vram_token::{Self, Treasury};

/// When window 0 of the fixtures starts.
const T0: u64 = 1_800_000_000_000;
const WINDOW_MS: u64 = 10_000;
const ADMIN: address = @0xAD;

const NAMES: vector<vector<u8>> = vector[
    b"window_ms",
    b"commit_bps",
    b"reveal_bps",
    b"report_bps",
    b"outcome_bps",
    b"beacon_margin_ms",
    b"min_judge_ms",
    b"randomness_kind",
    b"workload",
    b"version",
    b"beta",
    b"max_update_norm",
    b"topk_bps",
    b"own_pages",
    b"random_pages",
    b"heldout_pages",
    b"max_judged",
    b"top_g",
    b"overlap_bps",
    b"correlation_bps",
    b"max_gradient_bytes",
    b"retention_windows",
    b"checkpoint_frequency",
    b"min_miner_stake",
    b"min_validator_stake",
    b"unrevealed_fee",
    b"eviction_fee",
    b"max_miners",
    b"max_validators",
    b"immunity_windows",
    b"inactive_windows",
    b"emission",
    b"miner_bps",
    b"validator_bps",
    b"treasury_bps",
    b"slash_bps",
    b"unbonding_ms",
    b"document_age_ms",
    b"key_ttl_ms",
];
/// Bytes of each field, in that order.
const WIDTHS: vector<u64> = vector[
    8, 2, 2, 2, 2, 8, 8, 1, 1, 1, 8, 8, 2, 2, 2, 2, 2, 2, 2, 2, 4, 4, 4, 8, 8, 8, 8, 2, 2, 4, 4, 8,
    2, 2, 2, 2, 8, 8, 8,
];

/// The lower modules' objects, taken for the whole test.
public struct Network {
    ts: Scenario,
    clock: Clock,
    cap: AdminCap,
    rs: RoundState,
    hp: Hparams,
    dr: DatasetRegistry,
    vr: ValidatorRegistry,
    treasury: Treasury,
}

// === Parameters ===

/// `encoded` with the named fields set to other values.
public fun patched(
    mut encoded: vector<u8>,
    names: vector<vector<u8>>,
    values: vector<u64>,
): vector<u8> {
    let (known, widths) = (NAMES, WIDTHS);
    names.zip_do!(values, |name, value| {
        let (found, index) = known.index_of(&name);
        assert!(found);
        let offset = vector::tabulate!(index, |i| widths[i]).fold!(0, |a, b| a + b);
        let bytes = bcs::to_bytes(&value);
        widths[index].do!(|i| *&mut encoded[offset + i] = bytes[i]);
    });
    encoded
}

/// The fast parameters, as BCS.
public fun fast(): vector<u8> { fast_with(vector[], vector[]) }

/// The fast parameters with changes, as BCS.
public fun fast_with(names: vector<vector<u8>>, values: vector<u64>): vector<u8> {
    let fast = patched(
        hparams::encode(&hparams::default_params()),
        vector[
            b"window_ms",
            b"beacon_margin_ms",
            b"min_judge_ms",
            b"heldout_pages",
            b"max_gradient_bytes",
            b"min_miner_stake",
            b"min_validator_stake",
            b"unrevealed_fee",
            b"eviction_fee",
            b"immunity_windows",
            b"unbonding_ms",
            b"document_age_ms",
            b"key_ttl_ms",
        ],
        vector[
            WINDOW_MS,
            100,
            1_000,
            8,
            10_000,
            1_000,
            1_000,
            300,
            50,
            2,
            50_000,
            60_000,
            10_000_000,
        ],
    );
    patched(fast, names, values)
}

// === Beginning and end ===

/// Objects before the founding: founders may register; the parameters are the fast ones.
public fun begin(): Network { begin_with(fast()) }

/// Objects before the founding, with these parameters (BCS).
public fun begin_with(encoded: vector<u8>): Network {
    let mut ts = test_scenario::begin(ADMIN);
    let ctx = ts.ctx();
    hparams::init_for_testing(ctx);
    dataset_registry::init_for_testing(ctx);
    round_state::init_for_testing(ctx);
    validator_registry::init_for_testing(ctx);
    vram_token::init_for_testing(ctx);
    let mut clock = clock::create_for_testing(ctx);
    clock.set_for_testing(T0);
    ts.next_tx(ADMIN);
    let mut network = Network {
        cap: ts.take_from_sender(),
        rs: ts.take_shared(),
        hp: ts.take_shared(),
        dr: ts.take_shared(),
        vr: ts.take_shared(),
        treasury: ts.take_shared(),
        clock,
        ts,
    };
    set_at_once(&mut network, encoded);
    network
}

/// Found the network at `T0` with window 0, 333 pages and a beacon of 1 s that began a minute before.
public fun found(network: &mut Network) {
    let encoded = hparams::encode(hparams::current(&network.hp));
    found_at(network, T0, 0, encoded);
}

/// Found the network with another calendar or other parameters.
public fun found_at(network: &mut Network, start_ms: u64, first: u64, encoded: vector<u8>) {
    let Network { cap, rs, hp, dr, clock, .. } = network;
    let id = dataset_registry::register(cap, dr, 333, 4, hash(b"tokenizer"), hash(b"merkle"));
    round_state::found(
        cap,
        rs,
        hp,
        dr,
        id,
        hash(b"chain"),
        hash(b"model"),
        hash(b"base"),
        hash(b"drand chain"),
        T0 - 60_000,
        1_000,
        start_ms,
        first,
        encoded,
        clock,
    );
}

/// A founded network of fast parameters in window 0, not yet rolled, with founding validators 0, 1, ….
public fun founded(stakes: vector<u64>): Network { founded_with(stakes, fast()) }

/// The same with other parameters (BCS).
public fun founded_with(stakes: vector<u64>, encoded: vector<u8>): Network {
    let mut network = begin_with(encoded);
    let mut i = 0;
    stakes.do!(|stake| {
        register_validator(&mut network, validator(i), stake, 0);
        i = i + 1;
    });
    found(&mut network);
    network.next(ADMIN);
    network
}

/// Done: nothing is checked.
public fun end(network: Network) {
    let Network { ts, clock, cap, rs, hp, dr, vr, treasury } = network;
    destroy(cap);
    clock.destroy_for_testing();
    test_scenario::return_shared(rs);
    test_scenario::return_shared(hp);
    test_scenario::return_shared(dr);
    test_scenario::return_shared(vr);
    test_scenario::return_shared(treasury);
    ts.end();
}

// === Who and when ===

/// SHA-256 of a name.
public fun hash(name: vector<u8>): vector<u8> { std::hash::sha2_256(name) }

/// Owner of founding validator `i`.
public fun validator(i: u64): address { sui::address::from_u256(0x2000 + (i as u256)) }

/// Owner of founding miner `i`.
public fun miner(i: u64): address { sui::address::from_u256(0x1000 + (i as u256)) }

/// Holder of the admin capability.
public fun admin(): address { ADMIN }

/// When window 0 starts.
public fun t0(): u64 { T0 }

/// Set the clock to `offset_ms` after the start of `window`, as the fast calendar has it.
public fun at(network: &mut Network, window: u64, offset_ms: u64) {
    network.clock.set_for_testing(T0 + window * WINDOW_MS + offset_ms);
}

/// The next transaction, by `sender`: events are counted from here.
public fun next(network: &mut Network, sender: address) { network.ts.next_tx(sender); }

// === What calls take ===

/// The objects that most calls take.
public fun parts(
    network: &mut Network,
): (&mut RoundState, &mut Hparams, &mut ValidatorRegistry, &mut Treasury, &Clock, &mut TxContext) {
    let Network { rs, hp, vr, treasury, clock, ts, .. } = network;
    (rs, hp, vr, treasury, clock, ts.ctx())
}

/// Everything that governs.
public fun governed(
    network: &mut Network,
): (
    &AdminCap,
    &mut RoundState,
    &mut Hparams,
    &mut DatasetRegistry,
    &mut ValidatorRegistry,
    &Clock,
) {
    let Network { cap, rs, hp, dr, vr, clock, .. } = network;
    (cap, rs, hp, dr, vr, clock)
}

/// The data sets and a context.
public fun data(network: &mut Network): (&mut DatasetRegistry, &mut TxContext) {
    let Network { dr, ts, .. } = network;
    (dr, ts.ctx())
}

/// The windows.
public fun rs(network: &mut Network): &mut RoundState { &mut network.rs }

/// The parameters.
public fun hp(network: &mut Network): &mut Hparams { &mut network.hp }

/// The data sets.
public fun dr(network: &mut Network): &mut DatasetRegistry { &mut network.dr }

/// The validators.
public fun vr(network: &mut Network): &mut ValidatorRegistry { &mut network.vr }

/// The token.
public fun treasury(network: &mut Network): &mut Treasury { &mut network.treasury }

/// The admin capability.
public fun cap(network: &Network): &AdminCap { &network.cap }

/// The clock.
public fun clock(network: &mut Network): &mut Clock { &mut network.clock }

/// The test's scenario.
public fun ts(network: &mut Network): &mut Scenario { &mut network.ts }

/// A context of the running transaction.
public fun ctx(network: &mut Network): &mut TxContext { network.ts.ctx() }

// === Calls ===

/// `validator_registry::roll`.
public fun roll(network: &mut Network) {
    let Network { rs, hp, vr, clock, .. } = network;
    validator_registry::roll(rs, hp, vr, clock);
}

/// Replace the parameters from the next window on.
public fun set(network: &mut Network, encoded: vector<u8>) {
    roll(network);
    set_at_once(network, encoded);
}

/// Replace the parameters without a roll before.
public fun set_at_once(network: &mut Network, encoded: vector<u8>) {
    let Network { cap, hp, clock, .. } = network;
    hparams::set(cap, hp, encoded, clock);
}

/// Register a validator with a fee coin and no bond, in a transaction of its own.
public fun register_validator(network: &mut Network, who: address, stake: u64, fee: u64): u16 {
    register_bonded(network, who, stake, fee, 0)
}

/// Register a validator with a bond coin besides.
public fun register_bonded(
    network: &mut Network,
    who: address,
    stake: u64,
    fee: u64,
    bond: u64,
): u16 {
    network.ts.next_tx(who);
    let Network { rs, hp, vr, treasury, clock, ts, .. } = network;
    let ctx = ts.ctx();
    let stake = coin::mint_for_testing<SUI>(stake, ctx);
    let fee = coin::mint_for_testing<SUI>(fee, ctx);
    let bond = if (bond == 0) coin::zero(ctx)
    else vram_token::mint_for_testing(treasury, bond, ctx);
    validator_registry::register(rs, hp, vr, treasury, stake, fee, bond, clock, ctx)
}

/// Leave a validator slot, in a transaction of its own.
public fun unregister_validator(network: &mut Network, who: address, uid: u16) {
    network.ts.next_tx(who);
    let Network { rs, hp, vr, clock, ts, .. } = network;
    validator_registry::unregister(rs, hp, vr, uid, clock, ts.ctx());
}

/// Withdraw a validator's unbonded stake, in a transaction of its own; MIST.
public fun withdraw_validator(network: &mut Network, who: address): u64 {
    network.ts.next_tx(who);
    validator_registry::withdraw(
        &mut network.vr,
        &network.clock,
        network.ts.ctx(),
    ).burn_for_testing()
}
