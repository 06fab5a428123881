/// Validators' slots and stakes, and the lazy roll-over that every upper entry point begins with. What changes in
/// window N takes effect at N+1. Every MIST that came in lies in a slot, a pending seat, unbonding, or the
/// treasury, or was paid out.
module vramhub::validator_registry;

use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::Coin;
use sui::dynamic_field;
use sui::event;
use sui::sui::SUI;
use sui::table::{Self, Table};
use vramhub::hparams::{AdminCap, Hparams, Params};
use vramhub::round_state::{Self, RoundState};
use vramhub::vram_token::{Treasury, VRAM_TOKEN};

/// Less than `min_validator_stake`.
#[error(code = 1)]
const EInsufficientStake: vector<u8> = b"The stake is too small";
/// One owner, one slot.
#[error(code = 2)]
const EAlreadyRegistered: vector<u8> = b"The sender has a slot already";
/// The table is full.
#[error(code = 3)]
const ENoSlot: vector<u8> = b"No slot is free or can be evicted";
/// Only a slot's owner may leave it.
#[error(code = 4)]
const ENotOwner: vector<u8> = b"Not the sender's slot";
/// The slot changes already.
#[error(code = 5)]
const ENotActive: vector<u8> = b"The slot changes already";
/// The fee coin is too small.
#[error(code = 6)]
const EInsufficientBalance: vector<u8> = b"The fee is too small";
/// No stake whose unbonding is over.
#[error(code = 7)]
const ENothingToWithdraw: vector<u8> = b"Nothing has finished unbonding";
/// The bond coin is too small.
#[error(code = 8)]
const EInsufficientBond: vector<u8> = b"The bond is too small";
/// The object is of another version of the package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

const VERSION: u64 = 1;
/// No more than `max_validators` may ever be.
const MAX_SLOTS: u64 = 32;
/// Entries of one owner that unbond; a further one joins the last.
const MAX_UNBONDING: u64 = 16;
/// Bonds in 1e-9 VRAM, by the validators that are seated: below 8, 16, 24, and up to 32.
const BONDS: vector<u64> = vector[
    2_100_000_000_000, 4_200_000_000_000, 10_500_000_000_000, 21_000_000_000_000,
];
/// No bond while less than 1,000,000 VRAM was ever issued: nobody could have one.
const BOND_THRESHOLD: u64 = 1_000_000_000_000_000;

/// The one shared object.
public struct ValidatorRegistry has key { id: UID, version: u64 }

public struct ValidatorRegistryInner has store {
    /// By ascending uid, at most 32.
    slots: vector<Slot>,
    /// What slots become at a later window; one a uid.
    pending: vector<Pending>,
    unbonding: Table<address, vector<Unbonding>>,
    /// How many each uid has had.
    generations: vector<u64>,
    /// Evictions in the running window: demand.
    evictions: u64,
    treasury: Balance<SUI>,
}

public struct Slot has store {
    uid: u16,
    generation: u64,
    owner: address,
    stake: Balance<SUI>,
    active_from: u64,
}

public struct Pending has store {
    uid: u16,
    effective: u64,
    /// None: the slot becomes free.
    owner: Option<address>,
    stake: Balance<SUI>,
}

public struct Unbonding has store { amount: Balance<SUI>, due_ms: u64 }

/// `owner` takes slot `uid` from window `from` on. Stake and fee in MIST, bond (burned) in 1e-9 VRAM.
public struct ValidatorRegistered has copy, drop {
    uid: u16,
    owner: address,
    stake: u64,
    fee: u64,
    bond: u64,
    from: u64,
}
/// The slot has its new owner.
public struct ValidatorSeated has copy, drop { uid: u16, generation: u64, owner: address }
/// The slot will be free from window `from` on.
public struct ValidatorLeaving has copy, drop { uid: u16, owner: address, from: u64 }
/// The owner is out; its stake can be withdrawn from `due_ms` on.
public struct ValidatorLeft has copy, drop { uid: u16, owner: address, amount: u64, due_ms: u64 }
/// A newcomer paid `fee` for this slot.
public struct ValidatorEvicted has copy, drop { uid: u16, owner: address, fee: u64 }
/// Unbonded stake was paid out.
public struct StakeWithdrawn has copy, drop { owner: address, amount: u64 }
/// Stake went to the treasury for what `validator` did in `window`.
public struct ValidatorSlashed has copy, drop {
    validator: u16,
    window: u64,
    amount: u64,
    reason: vector<u8>,
}
/// The admin took the treasury.
public struct TreasurySwept has copy, drop { amount: u64 }

fun init(ctx: &mut TxContext) {
    let mut vr = ValidatorRegistry { id: object::new(ctx), version: VERSION };
    let inner = ValidatorRegistryInner {
        slots: vector[],
        pending: vector[],
        unbonding: table::new(ctx),
        generations: vector::tabulate!(MAX_SLOTS, |_| 0),
        evictions: 0,
        treasury: balance::zero(),
    };
    dynamic_field::add(&mut vr.id, VERSION, inner);
    transfer::share_object(vr);
}

fun inner(vr: &ValidatorRegistry): &ValidatorRegistryInner {
    assert!(vr.version == VERSION, EWrongVersion);
    dynamic_field::borrow(&vr.id, VERSION)
}

fun inner_mut(vr: &mut ValidatorRegistry): &mut ValidatorRegistryInner {
    assert!(vr.version == VERSION, EWrongVersion);
    dynamic_field::borrow_mut(&mut vr.id, VERSION)
}

/// The upgrade's door: moves the state to this version. Nothing is older than version 1.
public fun migrate(_: &AdminCap, _: &mut ValidatorRegistry) {
    abort EWrongVersion
}

// === Rolling ===

/// Bring the ledger to the running window: end what is over, seat and unseat what was decided before, open the
/// window with its stake snapshot. Anyone may call it, as often as they like: the first call of a window counts.
public fun roll(rs: &mut RoundState, hp: &mut Hparams, vr: &mut ValidatorRegistry, clock: &Clock) {
    hp.assert_founded();
    let at = inner_mut(vr);
    if (rs.is_rolled(hp, clock)) return;
    let window = hp.current_window(clock);
    rs.end_over(hp, clock);
    if (rs.rolled().is_none()) {
        // Founders count from the first window, not from window 0.
        at.slots.do_mut!(|slot| slot.active_from = window);
    };
    apply_pending(at, window, clock.timestamp_ms() + hp.current().unbonding_ms());
    at.evictions = 0;
    rs.open_window(hp, snapshot(&at.slots), clock);
}

fun snapshot(slots: &vector<Slot>): vector<round_state::Seat> {
    slots.map_ref!(
        |slot| round_state::new_seat(
            slot.uid,
            slot.generation,
            slot.owner,
            slot.stake.value(),
            slot.active_from,
        ),
    )
}

fun apply_pending(at: &mut ValidatorRegistryInner, window: u64, due_ms: u64) {
    let mut i = 0;
    while (i < at.pending.length()) {
        if (at.pending[i].effective > window) {
            i = i + 1;
            continue
        };
        let Pending { uid, owner, stake, .. } = at.pending.remove(i);
        let before = position(&at.slots, uid);
        if (before.is_some()) leave(at, before.destroy_some(), due_ms);
        if (owner.is_some()) seat(at, uid, owner.destroy_some(), stake, window)
        else stake.destroy_zero();
    }
}

fun seat(
    at: &mut ValidatorRegistryInner,
    uid: u16,
    owner: address,
    stake: Balance<SUI>,
    active_from: u64,
) {
    let count = &mut at.generations[uid as u64];
    *count = *count + 1;
    let generation = *count;
    let mut i = 0;
    while (i < at.slots.length() && at.slots[i].uid < uid) i = i + 1;
    at.slots.insert(Slot { uid, generation, owner, stake, active_from }, i);
    event::emit(ValidatorSeated { uid, generation, owner });
}

/// Put the stake of whoever leaves slot number `i` into unbonding; until it is withdrawn it can still be slashed.
fun leave(at: &mut ValidatorRegistryInner, i: u64, due_ms: u64) {
    let Slot { uid, owner, stake, .. } = at.slots.remove(i);
    let amount = stake.value();
    event::emit(ValidatorLeft { uid, owner, amount, due_ms });
    if (amount == 0) {
        stake.destroy_zero();
        return
    };
    if (!at.unbonding.contains(owner)) at.unbonding.add(owner, vector[]);
    let entries = &mut at.unbonding[owner];
    let last = entries.length();
    if (last == MAX_UNBONDING) {
        let entry = &mut entries[last - 1];
        entry.amount.join(stake);
        entry.due_ms = entry.due_ms.max(due_ms);
    } else entries.push_back(Unbonding { amount: stake, due_ms });
}

// === Coming and going ===

/// Take a slot for the sender: a free one, else the one of least stake past its immunity, for more stake and a
/// fee that doubles with each eviction of the window. All of `stake` is staked; of `fee` and `bond` (burned)
/// what it costs is taken and the rest goes back to the sender. Before the founding the slot is taken at once,
/// without fee or bond.
public fun register(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    treasury: &mut Treasury,
    stake: Coin<SUI>,
    mut fee: Coin<SUI>,
    mut bond: Coin<VRAM_TOKEN>,
    clock: &Clock,
    ctx: &mut TxContext,
): u16 {
    let founded = hp.is_founded();
    if (founded) roll(rs, hp, vr, clock);
    let window = if (founded) hp.current_window(clock) else 0;
    let params = hp.current();
    let at = inner_mut(vr);
    let owner = ctx.sender();
    let from = if (founded) window + 1 else 0;
    let amount = stake.value();
    assert!(amount >= params.min_validator_stake(), EInsufficientStake);
    assert!(!owns(at, owner, from), EAlreadyRegistered);
    let taken = taken(at);
    let mut uid = 0u16;
    while (taken.contains(&uid)) uid = uid + 1;
    let mut cost = 0;
    if (uid >= params.max_validators()) {
        assert!(founded, ENoSlot);
        let i = weakest(at, params, amount, window);
        cost = eviction_cost(params.eviction_fee(), at.evictions, fee.value());
        at.treasury.join(fee.balance_mut().split(cost));
        at.evictions = at.evictions + 1;
        uid = at.slots[i].uid;
        event::emit(ValidatorEvicted { uid, owner: at.slots[i].owner, fee: cost });
    };
    let burned = if (founded) bond_tier(taken.length(), treasury.issued()) else 0;
    assert!(bond.value() >= burned, EInsufficientBond);
    treasury.burn_bond(bond.split(burned, ctx));
    give_back(fee, owner);
    give_back(bond, owner);
    event::emit(ValidatorRegistered { uid, owner, stake: amount, fee: cost, bond: burned, from });
    let stake = stake.into_balance();
    if (founded) {
        let owner = option::some(owner);
        at.pending.push_back(Pending { uid, effective: from, owner, stake });
    } else seat(at, uid, owner, stake, 0);
    uid
}

/// Leave a slot at the next window; before the founding at once, and with nothing to wait for.
public fun unregister(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    uid: u16,
    clock: &Clock,
    ctx: &TxContext,
) {
    let founded = hp.is_founded();
    if (founded) roll(rs, hp, vr, clock);
    let owner = ctx.sender();
    let at = inner_mut(vr);
    let mut found = position(&at.slots, uid);
    assert!(found.is_some_and!(|i| at.slots[*i].owner == owner), ENotOwner);
    if (!founded) {
        leave(at, found.extract(), clock.timestamp_ms());
        return
    };
    let from = hp.current_window(clock) + 1;
    assert!(!changes(at, uid, from), ENotActive);
    let stake = balance::zero();
    at.pending.push_back(Pending { uid, effective: from, owner: option::none(), stake });
    event::emit(ValidatorLeaving { uid, owner, from });
}

/// Take back the sender's unbonded stake that is due.
public fun withdraw(vr: &mut ValidatorRegistry, clock: &Clock, ctx: &mut TxContext): Coin<SUI> {
    let owner = ctx.sender();
    let now = clock.timestamp_ms();
    let at = inner_mut(vr);
    assert!(at.unbonding.contains(owner), ENothingToWithdraw);
    let mut entries = at.unbonding.remove(owner);
    let mut paid = balance::zero();
    let mut i = 0;
    while (i < entries.length()) {
        if (entries[i].due_ms > now) {
            i = i + 1;
            continue
        };
        let Unbonding { amount, .. } = entries.remove(i);
        paid.join(amount);
    };
    if (entries.is_empty()) entries.destroy_empty() else at.unbonding.add(owner, entries);
    let amount = paid.value();
    assert!(amount > 0, ENothingToWithdraw);
    event::emit(StakeWithdrawn { owner, amount });
    paid.into_coin(ctx)
}

/// Take `bps` of all that `owner` has at stake (in slot `uid`, in a seat to come, unbonding) to the treasury.
public(package) fun take_stake(
    vr: &mut ValidatorRegistry,
    uid: u16,
    owner: address,
    bps: u16,
    window: u64,
    reason: vector<u8>,
): u64 {
    let at = inner_mut(vr);
    let mut taken = balance::zero();
    at.slots.do_mut!(|slot| {
        if (slot.uid == uid && slot.owner == owner) {
            taken.join(cut(&mut slot.stake, bps));
        }
    });
    at.pending.do_mut!(|change| {
        if (change.owner == option::some(owner)) {
            taken.join(cut(&mut change.stake, bps));
        }
    });
    if (at.unbonding.contains(owner)) {
        at.unbonding[owner].do_mut!(|entry| { taken.join(cut(&mut entry.amount, bps)); });
    };
    let amount = taken.value();
    at.treasury.join(taken);
    if (amount > 0) event::emit(ValidatorSlashed { validator: uid, window, amount, reason });
    amount
}

/// Take out the treasury: eviction fees and slashed stakes.
public fun sweep_treasury(
    _: &AdminCap,
    vr: &mut ValidatorRegistry,
    ctx: &mut TxContext,
): Coin<SUI> {
    let swept = inner_mut(vr).treasury.withdraw_all();
    event::emit(TreasurySwept { amount: swept.value() });
    swept.into_coin(ctx)
}

fun cut(stake: &mut Balance<SUI>, bps: u16): Balance<SUI> {
    let amount = (stake.value() as u128) * (bps as u128) / 10_000;
    stake.split(amount as u64)
}

fun give_back<T>(coin: Coin<T>, owner: address) {
    if (coin.value() == 0) coin.destroy_zero() else transfer::public_transfer(coin, owner);
}

/// Whether `owner` has a slot, or takes one by window `by`.
fun owns(at: &ValidatorRegistryInner, owner: address, by: u64): bool {
    comes(at, owner, by) || at.slots.any!(|slot| slot.owner == owner)
}

/// Whether slot `uid` becomes another's, or free, by window `by`.
fun changes(at: &ValidatorRegistryInner, uid: u16, by: u64): bool {
    at.pending.any!(|change| change.effective <= by && change.uid == uid)
}

/// Whether `owner` takes a slot by window `by`.
fun comes(at: &ValidatorRegistryInner, owner: address, by: u64): bool {
    at.pending.any!(|change| change.effective <= by && change.owner == option::some(owner))
}

/// Uids that are seated or will be.
fun taken(at: &ValidatorRegistryInner): vector<u16> {
    let mut uids = at.slots.map_ref!(|slot| slot.uid);
    at.pending.do_ref!(|change| if (!uids.contains(&change.uid)) uids.push_back(change.uid));
    uids
}

/// Position of the slot of least stake past its immunity that does not change already; among equals the longest
/// seated, then the lowest uid. It must have less than `stake`.
fun weakest(at: &ValidatorRegistryInner, params: &Params, stake: u64, window: u64): u64 {
    let immunity = params.immunity_windows() as u64;
    let mut best = option::none<u64>();
    at.slots.length().do!(|i| {
        let slot = &at.slots[i];
        let open = slot.active_from + immunity <= window && !changes(at, slot.uid, window + 1);
        let beaten = best.is_some_and!(|b| !is_weaker(slot, &at.slots[*b]));
        if (open && !beaten) best = option::some(i);
    });
    assert!(best.is_some_and!(|b| at.slots[*b].stake.value() < stake), ENoSlot);
    best.destroy_some()
}

fun is_weaker(a: &Slot, b: &Slot): bool {
    let (x, y) = (a.stake.value(), b.stake.value());
    x < y || (x == y && a.active_from < b.active_from)
}

/// `fee` doubled with each eviction of the window, up to 2^32 times.
fun eviction_cost(fee: u64, evictions: u64, offered: u64): u64 {
    let cost = (fee as u128) << (evictions.min(32) as u8);
    assert!(cost <= (offered as u128), EInsufficientBalance);
    cost as u64
}

/// What a newcomer burns, in 1e-9 VRAM, beside `seated` validators and with `issued` ever issued.
public fun bond_tier(seated: u64, issued: u64): u64 {
    let bonds = BONDS;
    if (issued < BOND_THRESHOLD) 0 else bonds[(seated / 8).min(3)]
}

fun position(slots: &vector<Slot>, uid: u16): Option<u64> {
    slots.find_index!(|slot| slot.uid == uid)
}

// === Views ===

/// Seats as they are now, by ascending uid: the snapshot of a window that would open now without changes.
public fun seats(vr: &ValidatorRegistry): vector<round_state::Seat> { snapshot(&inner(vr).slots) }

/// Who has slot `uid`.
public fun seat_owner(vr: &ValidatorRegistry, uid: u16): Option<address> {
    let slots = &inner(vr).slots;
    position(slots, uid).map!(|i| slots[i].owner)
}

/// Whether `who` is a validator in `window`: changes that are due count, rolled or not.
public fun is_active(vr: &ValidatorRegistry, who: address, window: u64): bool {
    let at = inner(vr);
    comes(at, who, window) || at
        .slots
        .any!(|slot| {
            slot.owner == who && slot.active_from <= window && !changes(at, slot.uid, window)
        })
}

/// MIST of eviction fees and slashes.
public fun treasury_value(vr: &ValidatorRegistry): u64 { inner(vr).treasury.value() }

/// MIST of `owner` that unbond or are due.
public fun unbonding_of(vr: &ValidatorRegistry, owner: address): u64 {
    let unbonding = &inner(vr).unbonding;
    if (!unbonding.contains(owner)) return 0;
    let mut sum = 0;
    unbonding[owner].do_ref!(|entry| sum = sum + entry.amount.value());
    sum
}

/// MIST in seats that are not yet taken.
#[test_only]
public fun pending_stake(vr: &ValidatorRegistry): u64 {
    let mut sum = 0;
    inner(vr).pending.do_ref!(|change| sum = sum + change.stake.value());
    sum
}

/// Who has slot `uid`, or else will have it.
#[test_only]
public fun owner_of(vr: &ValidatorRegistry, uid: u16): Option<address> {
    let seated = seat_owner(vr, uid);
    if (seated.is_some()) return seated;
    let pending = &inner(vr).pending;
    let found = pending.find_index!(|change| change.uid == uid);
    if (found.is_none()) return option::none();
    pending[found.destroy_some()].owner
}

#[test_only]
public fun init_for_testing(ctx: &mut TxContext) { init(ctx); }

#[test_only]
public fun set_version_for_testing(vr: &mut ValidatorRegistry, v: u64) { vr.version = v; }

#[test_only]
public fun eviction_cost_for_testing(fee: u64, evictions: u64, offered: u64): u64 {
    eviction_cost(fee, evictions, offered)
}
