/// What the economic simulation's parts share: the network, its dice and its clock, the people, and what was sent to
/// them in coins. People are owners of miners first, of validators then.
#[test_only]
module vramhub::simulation_world;

use std::unit_test::{assert_eq, destroy};
use sui::coin::{Self, Coin};
use sui::sui::SUI;
use sui::test_scenario;
use vramhub::peers_scenario::{Self as peers, Peers};
use vramhub::scenario;
use vramhub::vram_token::VRAM_TOKEN;

const MINERS: u64 = 7;
const VALIDATORS: u64 = 5;
/// Slots: fewer than owners, so that some are evicted.
const MINER_SLOTS: u16 = 4;
const VALIDATOR_SLOTS: u16 = 4;
const WINDOW_MS: u64 = 10_000;
const HOUR_MS: u64 = 3_600_000;

public struct World {
    p: Peers,
    seed: u64,
    /// Milliseconds since window 0 began.
    now: u64,
    /// What was claimed, swept or received, and not yet spent.
    purse: Coin<VRAM_TOKEN>,
    /// Coins sent to people since `collect`.
    sui_due: vector<u64>,
    vram_due: vector<u64>,
    /// Changes to the fast parameters.
    names: vector<vector<u8>>,
    values: vector<u64>,
}

/// A founded network with one validator of 10,000 MIST and these further parameters.
public fun begin(seed: u64, names: vector<vector<u8>>, values: vector<u64>): World {
    let mut all = vector[
        b"max_miners",
        b"max_validators",
        b"immunity_windows",
        b"inactive_windows",
        b"unbonding_ms",
        b"retention_windows",
        b"key_ttl_ms",
        b"miner_bps",
        b"validator_bps",
        b"treasury_bps",
    ];
    let mut set = vector[
        MINER_SLOTS as u64,
        VALIDATOR_SLOTS as u64,
        0,
        6,
        0,
        3,
        7 * 24 * HOUR_MS,
        5_000,
        2_000,
        3_000,
    ];
    all.append(names);
    set.append(values);
    let mut p = peers::with(0, all, set);
    p.net().rs().set_ledger_id_for_testing(scenario::hash(b"ledger"));
    let purse = coin::zero(p.net().ctx());
    p.hurry();
    World {
        p,
        seed,
        now: 0,
        purse,
        sui_due: vector::tabulate!(people(), |_| 0),
        vram_due: vector::tabulate!(people(), |_| 0),
        names: all,
        values: set,
    }
}

public fun end(w: World) {
    let World { p, purse, .. } = w;
    destroy(purse);
    p.end();
}

public fun p(w: &mut World): &mut Peers { &mut w.p }

public fun purse(w: &mut World): &mut Coin<VRAM_TOKEN> { &mut w.purse }

/// A coin out of the purse.
public fun spend(w: &mut World, amount: u64): Coin<VRAM_TOKEN> {
    w.purse.split(amount, w.p.net().ctx())
}

// === People ===

public fun people(): u64 { MINERS + VALIDATORS }

public fun validators(): u64 { VALIDATORS }

public fun miner_slots(): u16 { MINER_SLOTS }

public fun validator_slots(): u16 { VALIDATOR_SLOTS }

public fun miners(): u64 { MINERS }

public fun person(i: u64): address {
    if (i < MINERS) scenario::miner(i) else scenario::validator(i - MINERS)
}

public fun number_of(who: address): u64 {
    let mut i = 0;
    while (person(i) != who) i = i + 1;
    i
}

/// `amount` MIST lie in coins that `who` was sent.
public fun owe_sui(w: &mut World, who: address, amount: u64) {
    let due = &mut w.sui_due[number_of(who)];
    *due = *due + amount;
}

/// The same in VRAM.
public fun owe_vram(w: &mut World, who: address, amount: u64) {
    let due = &mut w.vram_due[number_of(who)];
    *due = *due + amount;
}

/// VRAM in the purse and in coins that people were sent.
public fun vram_held(w: &World): u64 { w.vram_due.fold!(w.purse.value(), |a, b| a + b) }

/// The next transaction: everybody has received exactly what they were owed. VRAM goes to the purse.
public fun collect(w: &mut World) {
    w.p.net().next(scenario::admin());
    people().do!(|i| {
        let who = person(i);
        let mut sui = 0;
        test_scenario::ids_for_address<Coin<SUI>>(who).do!(|id| {
            let coin: Coin<SUI> = w.p.net().ts().take_from_address_by_id(who, id);
            sui = sui + coin.burn_for_testing();
        });
        let mut vram = 0;
        test_scenario::ids_for_address<Coin<VRAM_TOKEN>>(who).do!(|id| {
            let coin: Coin<VRAM_TOKEN> = w.p.net().ts().take_from_address_by_id(who, id);
            vram = vram + coin.value();
            w.purse.join(coin);
        });
        assert_eq!(sui, w.sui_due[i]);
        assert_eq!(vram, w.vram_due[i]);
        *&mut w.sui_due[i] = 0;
        *&mut w.vram_due[i] = 0;
    });
}

// === Dice ===

/// A number below `bound`, at most 2^31, from Knuth's MMIX generator.
public fun draw(w: &mut World, bound: u64): u64 {
    let next = (w.seed as u128) * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407;
    w.seed = (next % (1 << 64)) as u64;
    (w.seed >> 33) % bound
}

/// 1 to `most`.
public fun part(w: &mut World, most: u64): u64 {
    let product = ((most - 1) as u128) * (w.draw(1 << 30) as u128);
    1 + ((product >> 30) as u64)
}

public fun one_in(w: &mut World, n: u64): bool { w.draw(n) == 0 }

// === Time ===

public fun window(w: &World): u64 { w.now / WINDOW_MS }

/// Milliseconds since the window began.
public fun phase(w: &World): u64 { w.now % WINDOW_MS }

/// The ledger's clock.
public fun now_ms(w: &World): u64 { scenario::t0() + w.now }

/// Let time pass; whether a window was opened by it.
public fun wait(w: &mut World, ms: u64): bool {
    let before = w.window();
    w.now = w.now + ms;
    let (window, phase) = (w.window(), w.phase());
    w.p.at(window, phase);
    let opened = window != before;
    if (opened) w.p.roll();
    opened
}

/// A leap that lets windows, keys, jobs, locks and vestings come to their ends.
public fun leap(w: &mut World): bool {
    let ms = match (w.draw(8)) {
        0 | 1 => 30_000,
        2 | 3 | 4 => HOUR_MS + w.draw(HOUR_MS),
        5 | 6 => 15 * HOUR_MS + w.draw(HOUR_MS),
        _ => 24 * HOUR_MS * (1 + w.draw(120)),
    };
    w.wait(ms)
}

/// Change a hyperparameter from the next window on.
public fun tune(w: &mut World): bool {
    let (name, value) = match (w.draw(3)) {
        0 => (b"slash_bps", 1_000 * (1 + w.draw(10))),
        1 => (b"emission", 50_000_000_000_000 * (1 + w.draw(2))),
        _ => (b"eviction_fee", 10 + w.draw(90)),
    };
    w.names.push_back(name);
    w.values.push_back(value);
    let encoded = scenario::fast_with(w.names, w.values);
    w.names.pop_back();
    w.values.pop_back();
    w.p.sender(scenario::admin());
    w.p.net().set_at_once(encoded);
    true
}

/// Anchor a data set for jobs, and give it up again.
public fun anchor(w: &mut World): bool {
    let who = person(w.draw(people()));
    w.p.sender(who);
    let (dr, ctx) = w.p.net().data();
    let (tokenizer, root) = (scenario::hash(b"tokenizer"), scenario::hash(b"merkle"));
    let id = dr.register_for_job(100, 16, tokenizer, root, ctx);
    dr.retire_own(id, ctx);
    true
}
