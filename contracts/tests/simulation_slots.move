/// The simulation's miners and validators: slots, stakes, commits and reveals. Each operation is tried where the state
/// would take it, and says whether it was; what a module holds is what was paid to it and not paid out.
#[test_only]
module vramhub::simulation_slots;

use std::unit_test::assert_eq;
use sui::coin;
use sui::sui::SUI;
use vramhub::peer_registry;
use vramhub::scenario;
use vramhub::seal_policy;
use vramhub::simulation_world::{Self as world, World};
use vramhub::validator_registry;

const FEE: u64 = 100_000;
const UNREVEALED: u64 = 300;

public struct Slots {
    window: u64,
    /// Slots, and owners of validators' slots, that change in this window already.
    miners_change: vector<bool>,
    validators_change: vector<bool>,
    owners_change: vector<bool>,
    miners_in: u64,
    miners_out: u64,
    validators_in: u64,
    validators_out: u64,
}

public fun begin(): Slots {
    Slots {
        window: 0,
        miners_change: vector::tabulate!(world::miner_slots() as u64, |_| false),
        validators_change: vector::tabulate!(world::validator_slots() as u64, |_| false),
        owners_change: vector::tabulate!(world::validators(), |_| false),
        miners_in: 0,
        miners_out: 0,
        // The founding validator's.
        validators_in: 10_000,
        validators_out: 0,
    }
}

public fun end(s: Slots) { let Slots { .. } = s; }

/// A new window has begun, perhaps.
public fun turn(s: &mut Slots, w: &World) {
    if (s.window == w.window()) return;
    s.window = w.window();
    s.miners_change.do_mut!(|changes| *changes = false);
    s.validators_change.do_mut!(|changes| *changes = false);
    s.owners_change.do_mut!(|changes| *changes = false);
}

/// Conservation: every MIST lies in a slot, a seat to come, unbonding or the treasury, or was paid out.
public fun check(s: &Slots, w: &mut World) {
    let vr = w.p().net().vr();
    let mut held = vr.treasury_value() + vr.pending_stake();
    vr.seats().do!(|seat| held = held + seat.seat_stake());
    world::validators().do!(|i| held = held + vr.unbonding_of(scenario::validator(i)));
    assert_eq!(s.validators_in, s.validators_out + held);
    let pr = w.p().pr();
    let mut held = pr.treasury_value();
    world::miner_slots().do!(|uid| held = held + pr.stake_of(uid) + pr.pending_stake_of(uid));
    world::miners().do!(|i| held = held + pr.unbonding_of(scenario::miner(i)));
    assert_eq!(s.miners_in, s.miners_out + held);
}

// === Miners ===

public fun register(s: &mut Slots, w: &mut World): bool {
    let who = scenario::miner(w.draw(world::miners()));
    if (w.p().pr().uid_of(who).is_some()) return false;
    // Whatever is free or can be evicted does not change yet.
    if (s.miners_change.all!(|changes| *changes)) return false;
    let stake = 1_000 + w.draw(5_000);
    let before = w.p().pr().treasury_value();
    let uid = w.p().register(who, stake, FEE) as u64;
    let fee = w.p().pr().treasury_value() - before;
    assert!(fee <= FEE && !s.miners_change[uid]);
    *&mut s.miners_change[uid] = true;
    s.miners_in = s.miners_in + stake + fee;
    w.owe_sui(who, FEE - fee);
    true
}

public fun leave(s: &mut Slots, w: &mut World): bool {
    let uid = w.draw(world::miner_slots() as u64);
    let owner = w.p().pr().slot_owner(uid as u16);
    if (owner.is_none() || s.miners_change[uid]) return false;
    w.p().unregister(owner.destroy_some(), uid as u16);
    *&mut s.miners_change[uid] = true;
    true
}

public fun withdraw(s: &mut Slots, w: &mut World): bool {
    let who = scenario::miner(w.draw(world::miners()));
    let due = w.p().pr().unbonding_of(who);
    if (due == 0) return false;
    assert_eq!(w.p().withdraw(who), due);
    s.miners_out = s.miners_out + due;
    true
}

public fun top_up(s: &mut Slots, w: &mut World): bool {
    let uid = w.draw(world::miner_slots() as u64) as u16;
    let owner = w.p().pr().slot_owner(uid);
    if (owner.is_none()) return false;
    let amount = 1 + w.draw(500);
    w.p().top_up(owner.destroy_some(), uid, amount);
    s.miners_in = s.miners_in + amount;
    true
}

public fun commit(w: &mut World): bool {
    let uid = w.draw(world::miner_slots() as u64) as u16;
    let window = w.window();
    let owner = w.p().pr().slot_owner(uid);
    if (owner.is_none() || w.phase() >= 8_000) return false;
    if (w.p().pr().stake_of(uid) < UNREVEALED) return false;
    if (w.p().gr().commitment(window, uid).is_some()) return false;
    w.p().commit_by(owner.destroy_some(), uid, window);
    true
}

public fun reveal(w: &mut World): bool {
    let uid = w.draw(world::miner_slots() as u64) as u16;
    let (window, phase) = (w.window(), w.phase());
    if (phase < 8_000 || phase >= 9_500) return false;
    if (w.p().gr().commitment(window, uid).is_none()) return false;
    if (w.p().gr().sorted_uids(window).contains(&uid)) return false;
    let owner = w.p().pr().slot_owner(uid).destroy_some();
    w.p().reveal_by(owner, uid, window);
    true
}

public fun seal(w: &mut World): bool {
    let uid = w.draw(world::miner_slots() as u64) as u16;
    let owner = w.p().pr().slot_owner(uid);
    if (owner.is_none()) return false;
    let epoch = w.p().pr().next_epoch(uid);
    w.p().seal(owner.destroy_some(), uid, epoch);
    true
}

/// A validator of the running window may open a miner's credentials.
public fun unseal(w: &mut World): bool {
    let uid = w.draw(world::miner_slots() as u64) as u16;
    let window = w.window();
    let epoch = w.p().pr().credentials_epoch(uid);
    let seats = *w.p().net().rs().seats(window);
    if (epoch.is_none() || seats.is_empty()) return false;
    let i = w.draw(seats.length());
    w.p().sender(seats[i].seat_owner());
    let id = seal_policy::identity(uid, epoch.destroy_some());
    let (rs, hp, _, pr, _, clock, ctx) = w.p().parts();
    seal_policy::seal_approve_for_testing(id, rs, hp, pr, clock, ctx);
    true
}

/// The admin takes what both treasuries have.
public fun sweep(s: &mut Slots, w: &mut World): bool {
    w.p().sender(scenario::admin());
    let cap = vramhub::hparams::admin_for_testing(w.p().net().ctx());
    let (_, _, vr, pr, _, _, ctx) = w.p().parts();
    let (slashed, fees) = (vr.treasury_value(), pr.treasury_value());
    assert_eq!(validator_registry::sweep_treasury(&cap, vr, ctx).burn_for_testing(), slashed);
    assert_eq!(peer_registry::sweep_treasury(&cap, pr, ctx).burn_for_testing(), fees);
    std::unit_test::destroy(cap);
    s.validators_out = s.validators_out + slashed;
    s.miners_out = s.miners_out + fees;
    true
}

// === Validators ===

/// A validator comes, with a bond that is burned where one is due (`bonded`). It takes a free slot, else that of less
/// stake.
public fun join(s: &mut Slots, w: &mut World, bonded: bool): bool {
    let i = w.draw(world::validators());
    let who = scenario::validator(i);
    if (s.owners_change[i]) return false;
    let vr = w.p().net().vr();
    let seats = vr.seats();
    if (seats.any!(|seat| seat.seat_owner() == who)) return false;
    let mut free = 0u64;
    world::validator_slots().do!(|uid| if (vr.owner_of(uid).is_none()) free = free + 1);
    let weakest = seats.filter!(|seat| !s.validators_change[seat.seat_uid() as u64]);
    if (free == 0 && weakest.is_empty()) return false;
    let bond = validator_registry::bond_tier(seats.length(), w.p().net().treasury().issued());
    // More than is due: the rest comes back.
    let more = if (bonded) 1 else 0;
    if ((bond > 0) != bonded || w.purse().value() < bond + more) return false;
    let mut stake = 1_000 + w.draw(9_000);
    if (free == 0) weakest.do!(|seat| stake = stake.max(seat.seat_stake() + 1));
    w.p().sender(who);
    let paid = w.spend(bond + more);
    let (rs, hp, vr, treasury, clock, ctx) = w.p().net().parts();
    let (before, burned) = (vr.treasury_value(), treasury.burned());
    let (coin, fee) = (
        coin::mint_for_testing<SUI>(stake, ctx),
        coin::mint_for_testing<SUI>(FEE, ctx),
    );
    let uid = validator_registry::register(rs, hp, vr, treasury, coin, fee, paid, clock, ctx);
    let fee = vr.treasury_value() - before;
    assert_eq!(treasury.burned() - burned, bond);
    *&mut s.owners_change[i] = true;
    *&mut s.validators_change[uid as u64] = true;
    s.validators_in = s.validators_in + stake + fee;
    w.owe_sui(who, FEE - fee);
    w.owe_vram(who, more);
    true
}

public fun quit(s: &mut Slots, w: &mut World): bool {
    let i = w.draw(world::validators());
    let who = scenario::validator(i);
    let seats = w.p().net().vr().seats();
    let found = seats.find_index!(|seat| seat.seat_owner() == who);
    // The last two stay: without judges there is nothing to simulate.
    if (found.is_none() || seats.length() < 3) return false;
    let uid = seats[found.destroy_some()].seat_uid();
    if (s.validators_change[uid as u64]) return false;
    w.p().sender(who);
    let (rs, hp, vr, _, _, clock, ctx) = w.p().parts();
    validator_registry::unregister(rs, hp, vr, uid, clock, ctx);
    *&mut s.owners_change[i] = true;
    *&mut s.validators_change[uid as u64] = true;
    true
}

public fun withdraw_validator(s: &mut Slots, w: &mut World): bool {
    let who = scenario::validator(w.draw(world::validators()));
    let due = w.p().net().vr().unbonding_of(who);
    if (due == 0) return false;
    w.p().sender(who);
    let (_, _, vr, _, _, clock, ctx) = w.p().parts();
    assert_eq!(vr.withdraw(clock, ctx).burn_for_testing(), due);
    s.validators_out = s.validators_out + due;
    true
}
