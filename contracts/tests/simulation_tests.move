/// An economic simulation: a seeded generator drives registrations, exits, withdrawals, top-ups, commits, reveals,
/// windows, validators, payments, claims, deposits and burns, and after each operation every coin that came in is
/// accounted for. Operations that the state would refuse are left out, so that an abort is a failure.
#[test_only]
module vramhub::simulation_tests;

use std::unit_test::{assert_eq, destroy};
use sui::coin::{Self, Coin};
use sui::sui::SUI;
use sui::test_scenario;
use vramhub::peers_scenario::{Self as peers, Peers};
use vramhub::reward_distributor::{Self, RewardPool};
use vramhub::scenario;
use vramhub::validator_registry;
use vramhub::vram_token::{Self, VRAM_TOKEN};

const SLOTS: u64 = 4;
const MINERS: u64 = 7;
const VALIDATORS: u64 = 4;
const FEE: u64 = 100_000;
const UNREVEALED: u64 = 300;
const OPERATIONS: u64 = 2_000;
const MINING_ALLOCATION: u64 = 10_500_000_000_000_000;
const MAX_SUPPLY: u64 = 21_000_000_000_000_000;

public struct World {
    p: Peers,
    rewards: RewardPool,
    /// Claimed and not yet deposited or burned.
    purse: Coin<VRAM_TOKEN>,
    seed: u64,
    now: u64,
    window: u64,
    /// Miner slots and validator owners that change in this window already.
    changed: vector<bool>,
    leaving: vector<bool>,
    paid_in: u64,
    paid_out: u64,
    payments: u64,
    claimed: u64,
    /// Operations that the state took.
    done: u64,
}

fun begin(seed: u64): World {
    let names = vector[
        b"max_miners",
        b"immunity_windows",
        b"inactive_windows",
        b"unbonding_ms",
        b"emission",
        b"miner_bps",
        b"validator_bps",
        b"treasury_bps",
    ];
    let values = vector[SLOTS, 0, 6, 0, 100_000_000_000_000, 5_000, 2_000, 3_000];
    let mut p = peers::with(0, names, values);
    reward_distributor::init_for_testing(p.net().ctx());
    p.net().next(scenario::admin());
    let rewards = p.net().ts().take_shared();
    let purse = coin::zero(p.net().ctx());
    p.hurry();
    World {
        p,
        rewards,
        purse,
        seed,
        now: 0,
        window: 0,
        changed: vector::tabulate!(SLOTS, |_| false),
        leaving: vector::tabulate!(VALIDATORS, |_| false),
        // The founding validator's.
        paid_in: 10_000,
        paid_out: 0,
        payments: 0,
        claimed: 0,
        done: 0,
    }
}

fun end(w: World) {
    let World { p, rewards, purse, .. } = w;
    destroy(purse);
    test_scenario::return_shared(rewards);
    p.end();
}

/// A number below `bound`, from Knuth's MMIX generator.
fun draw(w: &mut World, bound: u64): u64 {
    let next = (w.seed as u128) * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407;
    w.seed = (next % (1 << 64)) as u64;
    (w.seed >> 33) % bound
}

fun advance(w: &mut World) {
    w.now = w.now + w.draw(1_500);
    if (w.draw(200) == 0) w.now = w.now + 30_000;
    let window = w.now / 10_000;
    if (window != w.window) {
        w.window = window;
        w.changed = vector::tabulate!(SLOTS, |_| false);
        w.leaving = vector::tabulate!(VALIDATORS, |_| false);
    };
    w.p.at(window, w.now % 10_000);
    w.p.roll();
}

// === Miners ===

fun register(w: &mut World) {
    let who = scenario::miner(w.draw(MINERS));
    if (w.p.pr().uid_of(who).is_some()) return;
    // Whatever is free or can be evicted does not change yet.
    if (w.changed.all!(|changed| *changed)) return;
    let stake = 1_000 + w.draw(5_000);
    let before = w.p.pr().treasury_value();
    let uid = w.p.register(who, stake, FEE);
    let fee = w.p.pr().treasury_value() - before;
    assert!(fee <= FEE && !w.changed[uid as u64]);
    *&mut w.changed[uid as u64] = true;
    w.paid_in = w.paid_in + stake + fee;
    w.done = w.done + 1;
}

fun leave(w: &mut World) {
    let uid = w.draw(SLOTS);
    let owner = w.p.pr().slot_owner(uid as u16);
    if (owner.is_none() || w.changed[uid]) return;
    w.p.unregister(owner.destroy_some(), uid as u16);
    w.done = w.done + 1;
    *&mut w.changed[uid] = true;
}

fun withdraw(w: &mut World) {
    let who = scenario::miner(w.draw(MINERS));
    let due = w.p.pr().unbonding_of(who);
    if (due == 0) return;
    assert_eq!(w.p.withdraw(who), due);
    w.done = w.done + 1;
    w.paid_out = w.paid_out + due;
}

fun top_up(w: &mut World) {
    let uid = w.draw(SLOTS) as u16;
    let owner = w.p.pr().slot_owner(uid);
    if (owner.is_none()) return;
    let amount = 1 + w.draw(500);
    w.p.top_up(owner.destroy_some(), uid, amount);
    w.done = w.done + 1;
    w.paid_in = w.paid_in + amount;
}

fun commit(w: &mut World) {
    let uid = w.draw(SLOTS) as u16;
    let window = w.window;
    let owner = w.p.pr().slot_owner(uid);
    if (owner.is_none() || w.now % 10_000 >= 8_000) return;
    if (w.p.pr().stake_of(uid) < UNREVEALED) return;
    if (w.p.gr().commitment(window, uid).is_some()) return;
    w.p.commit_by(owner.destroy_some(), uid, window);
    w.done = w.done + 1;
}

fun reveal(w: &mut World) {
    let uid = w.draw(SLOTS) as u16;
    let window = w.window;
    let phase = w.now % 10_000;
    if (phase < 8_000 || phase >= 9_500 || w.p.gr().commitment(window, uid).is_none()) return;
    if (w.p.gr().sorted_uids(window).contains(&uid)) return;
    let owner = w.p.pr().slot_owner(uid).destroy_some();
    w.p.reveal_by(owner, uid, window);
    w.done = w.done + 1;
}

// === Validators ===

fun validator_uid(w: &mut World, who: address): Option<u16> {
    let vr = w.p.net().vr();
    let mut found = option::none();
    8u16.do!(|uid| if (vr.owner_of(uid) == option::some(who)) found = option::some(uid));
    found
}

fun validate(w: &mut World) {
    let i = w.draw(VALIDATORS);
    let who = scenario::validator(i + 1);
    let uid = validator_uid(w, who);
    if (w.leaving[i]) return;
    *&mut w.leaving[i] = true;
    w.p.sender(who);
    if (uid.is_some()) {
        let (rs, hp, vr, _, _, clock, ctx) = w.p.parts();
        validator_registry::unregister(rs, hp, vr, uid.destroy_some(), clock, ctx);
    } else {
        // The bond is burned from what was mined, and none is asked for before 1 M VRAM are issued.
        let seated = w.p.net().vr().seats().length();
        let bond = validator_registry::bond_tier(seated, w.p.net().treasury().issued());
        if (w.purse.value() < bond) return;
        let stake = 1_000 + w.draw(9_000);
        w.paid_in = w.paid_in + stake;
        let (rs, hp, vr, treasury, clock, ctx) = w.p.net().parts();
        let stake = coin::mint_for_testing<SUI>(stake, ctx);
        let (fee, bond) = (coin::zero(ctx), w.purse.split(bond, ctx));
        validator_registry::register(rs, hp, vr, treasury, stake, fee, bond, clock, ctx);
    };
    w.done = w.done + 1;
}

fun withdraw_validator(w: &mut World) {
    let who = scenario::validator(w.draw(VALIDATORS) + 1);
    let due = w.p.net().vr().unbonding_of(who);
    if (due == 0) return;
    w.p.sender(who);
    let (_, _, vr, _, _, clock, ctx) = w.p.parts();
    assert_eq!(vr.withdraw(clock, ctx).burn_for_testing(), due);
    w.done = w.done + 1;
    w.paid_out = w.paid_out + due;
}

// === Token ===

fun pay(w: &mut World) {
    let count = w.draw(4);
    let mut miners = vector[];
    count.do!(|i| {
        let weight = (w.draw(1_000) as u256) << (w.draw(200) as u8);
        miners.push_back(reward_distributor::miner_pay(i as u16, scenario::miner(i), weight, 0, 0));
    });
    let mut validators = vector[];
    2u64.do!(|i| {
        let (stake, counts) = (1 + w.draw(1 << 30), w.draw(2) == 0);
        let who = scenario::validator(i);
        validators.push_back(reward_distributor::validator_pay(i as u16, who, stake, counts));
    });
    let params = *w.p.net().hp().current();
    w.rewards.pay(w.payments, &params, miners, validators);
    w.payments = w.payments + 1;
    w.done = w.done + 1;
}

fun claim(w: &mut World) {
    let i = w.draw(4);
    let who = if (w.draw(2) == 0) scenario::miner(i) else scenario::validator(i);
    let due = w.rewards.claimable(who);
    if (due == 0) return;
    w.p.sender(who);
    let (_, _, _, treasury, _, ctx) = w.p.net().parts();
    let coin = w.rewards.claim(treasury, ctx);
    assert_eq!(coin.value(), due);
    w.claimed = w.claimed + due;
    w.done = w.done + 1;
    w.purse.join(coin);
}

fun spend(w: &mut World) {
    let most = w.purse.value();
    if (most == 0) return;
    let amount = 1 + w.draw(most);
    let burn = w.draw(2) == 0;
    let (_, _, _, treasury, _, ctx) = w.p.net().parts();
    let coin = w.purse.split(amount, ctx);
    if (burn) vram_token::burn(treasury, coin) else w.rewards.deposit(coin);
    w.done = w.done + 1;
}

// === What must hold ===

fun check(w: &mut World) {
    let mut held = w.p.net().vr().treasury_value() + w.p.net().vr().pending_stake();
    w.p.net().vr().seats().do!(|seat| held = held + seat.seat_stake());
    (VALIDATORS + 1).do!(|i| {
        held = held + w.p.net().vr().unbonding_of(scenario::validator(i));
    });
    let pr = w.p.pr();
    held = held + pr.treasury_value();
    SLOTS.do!(|uid| held = held + pr.stake_of(uid as u16) + pr.pending_stake_of(uid as u16));
    MINERS.do!(|i| held = held + pr.unbonding_of(scenario::miner(i)));
    assert_eq!(w.paid_in, w.paid_out + held);

    let (issued, owed, share) = (w.rewards.issued(), w.rewards.owed(), w.rewards.treasury());
    let t = w.p.net().treasury();
    assert!(issued <= MINING_ALLOCATION && t.mined() <= issued);
    assert_eq!(issued, owed + share + w.claimed);
    assert!(t.issued() <= MAX_SUPPLY && t.circulating() >= w.purse.value());
    assert_eq!(t.issued(), t.mined());
    assert_eq!(t.circulating(), t.issued() - t.burned());
}

fun run(seed: u64) {
    let mut w = begin(seed);
    OPERATIONS.do!(|i| {
        // A transaction emits 1,024 events at the most.
        if (i % 50 == 0) w.p.net().next(scenario::admin());
        w.advance();
        match (w.draw(16)) {
            0 | 1 => w.register(),
            2 => w.leave(),
            3 => w.withdraw(),
            4 => w.top_up(),
            5 | 6 | 7 => w.commit(),
            8 | 9 | 10 => w.reveal(),
            11 => w.validate(),
            12 => w.withdraw_validator(),
            13 => w.pay(),
            14 => w.claim(),
            _ => w.spend(),
        };
        w.check();
    });
    // It was no idle run.
    assert!(w.done > 1_000 && w.paid_out > 0 && w.claimed > 0 && w.p.gr().next_seq() > 0);
    assert!(w.p.pr().treasury_value() > 0);
    w.end();
}

#[test]
fun coins_are_conserved_with_seed_1() { run(1) }

#[test]
fun coins_are_conserved_with_seed_2() { run(2) }

#[test]
fun coins_are_conserved_with_seed_3() { run(3) }

#[test]
fun coins_are_conserved_with_seed_4() { run(4) }

#[test]
fun coins_are_conserved_with_seed_5() { run(5) }
