/// The miners' slots: real stakes, newcomers and evictions, ratings, and the sealed credentials of their buckets.
/// What is asked for in window N takes effect at N+1. At most 256 slots, so that sets of slots are bits of a u256.
module vramhub::peer_registry;

use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::{Self, Coin};
use sui::dynamic_field;
use sui::event;
use sui::sui::SUI;
use sui::table::{Self, Table};
use vramhub::hparams::{AdminCap, Hparams, Params};
use vramhub::round_state::RoundState;
use vramhub::validator_registry::{Self, ValidatorRegistry};

/// The stake is below the least that a miner stakes, or below the fee of an unrevealed commit.
#[error(code = 1)]
const EInsufficientStake: vector<u8> = b"The stake is too small";
/// One slot an address.
#[error(code = 2)]
const EAlreadyRegistered: vector<u8> = b"The sender has a slot already";
/// The table is full and every miner in it is immune or leaves already.
#[error(code = 3)]
const ENoSlot: vector<u8> = b"No slot is free or can be evicted";
/// The slot belongs to somebody else, or to nobody.
#[error(code = 4)]
const ENotOwner: vector<u8> = b"Not the sender's slot";
/// The slot changes hands at the next window.
#[error(code = 5)]
const ENotActive: vector<u8> = b"The slot changes already";
/// The coin for the eviction's fee is too small.
#[error(code = 6)]
const EInsufficientBalance: vector<u8> = b"The fee is too small";
/// No unbonded stake is due.
#[error(code = 7)]
const ENothingToWithdraw: vector<u8> = b"Nothing has finished unbonding";
/// A field of the credentials is empty, too long, or the threshold does not fit the key servers.
#[error(code = 8)]
const EBadCredentials: vector<u8> = b"Credentials out of bounds";
/// Epochs of a slot's credentials count up by one, through all its owners.
#[error(code = 9)]
const EBadEpoch: vector<u8> = b"Not the next epoch";
/// The object is of another version of this package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

const VERSION: u64 = 1;
/// A set without slots.
const NONE: u256 = 0;
/// Zero of a rating's mu, which can be negative.
const BIAS: u64 = 1 << 63;
/// Rating of a newcomer in 1e-6: mu 25, sigma 25/3 rounded up.
const DEFAULT_MU: u64 = 25_000_000;
const DEFAULT_SIGMA: u64 = 8_333_334;
/// Zero of the own-versus-random average, which lies in 0 .. 2e6.
const AVERAGE_ZERO: u64 = 1_000_000;
/// Windows are judged in the next one: later than that nobody asks for a former miner's record.
const FORMER_WINDOWS: u64 = 2;
/// Doublings of the eviction's fee in one window.
const MAX_SHIFT: u64 = 32;
/// Stakes of one address that unbond side by side; a further one joins the last and its later date.
const MAX_UNBONDING: u64 = 32;
const MAX_NAME: u64 = 64;
const MAX_SEALED: u64 = 4_096;
const MAX_KEY_SERVERS: u64 = 16;

/// The one shared object; its state is a dynamic field keyed by the version.
public struct PeerRegistry has key {
    id: UID,
    version: u64,
}

public struct PeerRegistryInner has store {
    /// Whether the first window was synced to: founders are seated before it.
    begun: bool,
    seats: Table<u16, Seat>,
    accounts: Table<address, Account>,
    credentials: Table<u16, Credentials>,
    /// Slots with an owner.
    seated: u256,
    /// Slots that change at window `effective`, and how long what leaves them unbonds.
    changing: u256,
    effective: u64,
    unbonding_ms: u64,
    /// Slots whose commit of `noted_window` is not revealed yet, and what that costs.
    noted: u256,
    noted_window: u64,
    noted_fee: u64,
    /// Evictions for a fee in `evictions_window`.
    evictions: u64,
    evictions_window: u64,
    treasury: Balance<SUI>,
}

/// All of one uid in one dynamic field.
public struct Seat has store {
    /// How often the slot was taken: a rating is dropped when it changes.
    generation: u64,
    slot: Option<Slot>,
    /// Who takes it next; none where it only leaves.
    next: Option<Next>,
    former: vector<Former>,
}

public struct Slot has store {
    owner: address,
    stake: Balance<SUI>,
    active_from: u64,
    record: Record,
    last_accepted: Option<u64>,
}

public struct Next has store {
    owner: address,
    stake: Balance<SUI>,
}

/// Whoever left a slot is still paid for the window that is being judged.
public struct Former has drop, store {
    generation: u64,
    left_window: u64,
    record: Record,
}

public struct Account has store {
    /// The slot that it has, or takes at the next window.
    uid: Option<u16>,
    unbonding: vector<Unbonding>,
}

public struct Unbonding has store {
    amount: Balance<SUI>,
    due_ms: u64,
}

/// What the ledger knows of a miner: mu in 1e-6 biased by 2^63, sigma in 1e-6, the own-versus-random average
/// (0 .. 2e6, 1e6 is zero), windows in which it was measured, and in which it was accepted.
public struct Record has copy, drop, store {
    mu: u64,
    sigma: u64,
    average: u64,
    measured: u64,
    accepted: u64,
}

/// Read access to a miner's bucket, sealed to `seal_policy` with the identity (uid, epoch).
public struct Credentials has drop, store {
    generation: u64,
    epoch: u64,
    bucket: vector<u8>,
    account: vector<u8>,
    sealed: vector<u8>,
    key_servers: vector<ID>,
    threshold: u8,
}

public struct PeerRegistered has copy, drop { uid: u16, owner: address, stake: u64, from: u64 }

public struct PeerEvicted has copy, drop { uid: u16, owner: address, fee: u64 }

public struct PeerLeaving has copy, drop { uid: u16, owner: address, from: u64 }

public struct PeerLeft has copy, drop { uid: u16, owner: address, amount: u64, due_ms: u64 }

public struct PeerSeated has copy, drop { uid: u16, generation: u64, owner: address }

public struct StakeAdded has copy, drop { uid: u16, owner: address, amount: u64 }

public struct StakeWithdrawn has copy, drop { owner: address, amount: u64 }

public struct UnrevealedCharged has copy, drop { window: u64, uid: u16, fee: u64 }

public struct CredentialsSet has copy, drop { uid: u16, generation: u64, epoch: u64 }

public struct TreasurySwept has copy, drop { amount: u64 }

fun init(ctx: &mut TxContext) {
    let mut id = object::new(ctx);
    let inner = PeerRegistryInner {
        begun: false,
        seats: table::new(ctx),
        accounts: table::new(ctx),
        credentials: table::new(ctx),
        seated: NONE,
        changing: NONE,
        effective: 0,
        unbonding_ms: 0,
        noted: NONE,
        noted_window: 0,
        noted_fee: 0,
        evictions: 0,
        evictions_window: 0,
        treasury: balance::zero(),
    };
    dynamic_field::add(&mut id, VERSION, inner);
    transfer::share_object(PeerRegistry { id, version: VERSION });
}

/// The upgrade's door: there is nothing older than version 1.
public fun migrate(_cap: &AdminCap, _pr: &mut PeerRegistry) {
    abort EWrongVersion
}

/// Take a slot from the next window on, and return its uid: the lowest free one, else that of the first idle miner,
/// else that of the weakest past its immunity, for a fee that doubles with each such eviction of a window.
/// All of `stake` (MIST) is at stake. What of `fee` is not needed goes back to the sender. One slot an address.
/// Before the network is founded its founders are seated at once.
#[allow(lint(self_transfer))]
public fun register(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    stake: Coin<SUI>,
    mut fee: Coin<SUI>,
    clock: &Clock,
    ctx: &mut TxContext,
): u16 {
    let founded = hp.is_founded();
    roll_if_founded(rs, hp, vr, pr, clock);
    let window = if (founded) hp.current_window(clock) else 0;
    let params = if (founded) *rs.params(window) else *hp.current();
    let inner = pr.inner_mut();
    let owner = ctx.sender();
    assert!(stake.value() >= params.min_miner_stake(), EInsufficientStake);
    assert!(account_uid(inner, owner).is_none(), EAlreadyRegistered);
    let mut uid = 0;
    let taken = inner.seated | inner.changing;
    let slots = params.max_miners();
    while (uid < slots && has(taken, uid)) uid = uid + 1;
    if (uid == slots) {
        assert!(founded, ENoSlot);
        uid = evict(inner, &params, window, &mut fee);
    };
    if (fee.value() == 0) fee.destroy_zero() else transfer::public_transfer(fee, owner);
    let from = if (founded) window + 1 else 0;
    event::emit(PeerRegistered { uid, owner, stake: stake.value(), from });
    account_mut(inner, owner).uid = option::some(uid);
    if (!inner.seats.contains(uid)) inner.seats.add(uid, empty_seat());
    if (founded) {
        inner.seats[uid].next.fill(Next { owner, stake: stake.into_balance() });
        change(inner, uid, from, &params);
    } else {
        sit(inner, uid, owner, stake.into_balance(), 0);
    };
    uid
}

/// Leave slot `uid` at the next window; the stake unbonds from there. By its owner. Before the network is founded
/// a founder leaves at once.
public fun unregister(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    uid: u16,
    clock: &Clock,
    ctx: &TxContext,
) {
    roll_if_founded(rs, hp, vr, pr, clock);
    assert_owner(pr, uid, ctx.sender());
    let inner = pr.inner_mut();
    assert!(!has(inner.changing, uid), ENotActive);
    if (!hp.is_founded()) return leave(inner, uid, 0, clock.timestamp_ms());
    let window = hp.current_window(clock);
    change(inner, uid, window + 1, rs.params(window));
    event::emit(PeerLeaving { uid, owner: ctx.sender(), from: window + 1 });
}

/// Take back what of the sender's stake has finished unbonding.
public fun withdraw(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    clock: &Clock,
    ctx: &mut TxContext,
): Coin<SUI> {
    roll_if_founded(rs, hp, vr, pr, clock);
    let inner = pr.inner_mut();
    let owner = ctx.sender();
    assert!(inner.accounts.contains(owner), ENothingToWithdraw);
    let Account { uid, unbonding } = inner.accounts.remove(owner);
    let mut due = balance::zero();
    let mut later = vector[];
    unbonding.do!(|entry| {
        if (entry.due_ms <= clock.timestamp_ms()) {
            let Unbonding { amount, due_ms: _ } = entry;
            due.join(amount);
        } else {
            later.push_back(entry);
        }
    });
    assert!(due.value() > 0, ENothingToWithdraw);
    if (uid.is_none() && later.is_empty()) {
        later.destroy_empty();
    } else {
        inner.accounts.add(owner, Account { uid, unbonding: later });
    };
    event::emit(StakeWithdrawn { owner, amount: due.value() });
    coin::from_balance(due, ctx)
}

/// Add to the stake of slot `uid`, which unrevealed commits may have eaten. By its owner.
public fun top_up_stake(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    uid: u16,
    stake: Coin<SUI>,
    clock: &Clock,
    ctx: &TxContext,
) {
    roll_if_founded(rs, hp, vr, pr, clock);
    assert_owner(pr, uid, ctx.sender());
    assert!(stake.value() > 0, EInsufficientStake);
    event::emit(StakeAdded { uid, owner: ctx.sender(), amount: stake.value() });
    slot_mut(pr.inner_mut(), uid).stake.join(stake.into_balance());
}

/// Publish read credentials, sealed to the identity (uid, `epoch`) of `seal_policy`, in place of the slot's earlier
/// ones. `epoch` is `next_epoch`. By the slot's owner; they are void when the slot changes hands.
public fun set_credentials(
    pr: &mut PeerRegistry,
    uid: u16,
    epoch: u64,
    bucket: vector<u8>,
    account: vector<u8>,
    sealed: vector<u8>,
    key_servers: vector<ID>,
    threshold: u8,
    ctx: &TxContext,
) {
    assert_owner(pr, uid, ctx.sender());
    assert!(epoch == next_epoch(pr, uid), EBadEpoch);
    let servers = key_servers.length();
    assert!(
        within(&bucket, MAX_NAME) && within(&account, MAX_NAME) && within(&sealed, MAX_SEALED) &&
        servers <= MAX_KEY_SERVERS && threshold > 0 && (threshold as u64) <= servers,
        EBadCredentials,
    );
    let inner = pr.inner_mut();
    let generation = inner.seats[uid].generation;
    if (inner.credentials.contains(uid)) { inner.credentials.remove(uid); };
    inner
        .credentials
        .add(
            uid,
            Credentials { generation, epoch, bucket, account, sealed, key_servers, threshold },
        );
    event::emit(CredentialsSet { uid, generation, epoch });
}

/// Bring the registry to the running window. Anyone; every other call does it too.
public fun roll(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    clock: &Clock,
) {
    validator_registry::roll(rs, hp, vr, clock);
    sync(pr, hp.current_window(clock), clock.timestamp_ms());
}

/// Take the fees out of the treasury. The admin.
public fun sweep_treasury(_cap: &AdminCap, pr: &mut PeerRegistry, ctx: &mut TxContext): Coin<SUI> {
    let swept = pr.inner_mut().treasury.withdraw_all();
    event::emit(TreasurySwept { amount: swept.value() });
    coin::from_balance(swept, ctx)
}

// === What modules above call ===

/// Charge for commits of earlier windows that were never revealed, before anybody leaves: nobody escapes the fee by
/// giving up the slot. Then seat and unseat what was decided before `window`. After `validator_registry::roll`.
public(package) fun sync(pr: &mut PeerRegistry, window: u64, now_ms: u64) {
    let inner = pr.inner_mut();
    if (!inner.begun) {
        inner.begun = true;
        uids(inner.seated).do!(|uid| slot_mut(inner, uid).active_from = window);
    };
    if (inner.noted != NONE && inner.noted_window < window) charge_unrevealed(inner);
    if (inner.changing == NONE || inner.effective > window) return;
    let changing = inner.changing;
    let due_ms = now_ms + inner.unbonding_ms;
    inner.changing = NONE;
    uids(changing).do!(|uid| {
        if (has(inner.seated, uid)) leave(inner, uid, window, due_ms);
        if (inner.seats[uid].next.is_some()) {
            let Next { owner, stake } = inner.seats[uid].next.extract();
            sit(inner, uid, owner, stake, window);
        }
    });
}

/// Refuse unless `sender` owns slot `uid` now.
public(package) fun assert_owner(pr: &PeerRegistry, uid: u16, sender: address) {
    assert!(slot_owner(pr, uid).is_some_and!(|owner| *owner == sender), ENotOwner);
}

/// Refuse unless the stake of slot `uid` covers `fee`: it must be there to take.
public(package) fun assert_covers(pr: &PeerRegistry, uid: u16, fee: u64) {
    assert!(stake_of(pr, uid) >= fee, EInsufficientStake);
}

/// Slot `uid` has committed in the running window: `fee` (MIST) is due unless it reveals. After `sync`.
public(package) fun note_commit(pr: &mut PeerRegistry, uid: u16, window: u64, fee: u64) {
    let inner = pr.inner_mut();
    inner.noted = inner.noted | bit(uid);
    inner.noted_window = window;
    inner.noted_fee = fee;
}

/// Slot `uid` has revealed what it committed in the running window.
public(package) fun note_reveal(pr: &mut PeerRegistry, uid: u16) {
    let inner = pr.inner_mut();
    if (has(inner.noted, uid)) inner.noted = inner.noted ^ bit(uid);
}

/// The record of a slot's owner of `generation`, also when it has left since.
public(package) fun record_of(pr: &PeerRegistry, uid: u16, generation: u64): Record {
    let seat = &pr.inner().seats[uid];
    if (seat.slot.is_some() && seat.generation == generation) return seat.slot.borrow().record;
    let found = seat.former.find_index!(|former| former.generation == generation);
    seat.former[found.destroy_some()].record
}

/// An outcome's result. Nothing for whoever has left the slot: its rating is dropped, its pay is not.
public(package) fun apply_result(
    pr: &mut PeerRegistry,
    uid: u16,
    generation: u64,
    mu: u64,
    sigma: u64,
    average: u64,
    measured: u64,
    accepted: u64,
    accepted_window: Option<u64>,
) {
    let seat = &mut pr.inner_mut().seats[uid];
    if (seat.slot.is_none() || seat.generation != generation) return;
    let slot = seat.slot.borrow_mut();
    slot.record = Record { mu, sigma, average, measured, accepted };
    accepted_window.do!(|window| {
        let last = slot.last_accepted.destroy_or!(window);
        slot.last_accepted = option::some(last.max(window));
    });
}

// === Views ===

/// Who owns slot `uid`, if anybody does.
public fun slot_owner(pr: &PeerRegistry, uid: u16): Option<address> {
    if (!is_seated(pr, uid)) return option::none();
    option::some(slot(pr.inner(), uid).owner)
}

/// Whether slot `uid` has an owner.
public fun is_seated(pr: &PeerRegistry, uid: u16): bool { has(pr.inner().seated, uid) }

/// How often slot `uid` was taken, if it has an owner.
public fun generation_of(pr: &PeerRegistry, uid: u16): Option<u64> {
    if (!is_seated(pr, uid)) return option::none();
    option::some(pr.inner().seats[uid].generation)
}

/// The slot that `owner` has, or takes at the next window.
public fun uid_of(pr: &PeerRegistry, owner: address): Option<u16> { account_uid(pr.inner(), owner) }

/// MIST at stake in slot `uid`.
public fun stake_of(pr: &PeerRegistry, uid: u16): u64 {
    if (is_seated(pr, uid)) slot(pr.inner(), uid).stake.value() else 0
}

/// MIST of `owner` that unbond or wait to be withdrawn.
public fun unbonding_of(pr: &PeerRegistry, owner: address): u64 {
    let inner = pr.inner();
    if (!inner.accounts.contains(owner)) return 0;
    let mut sum = 0;
    inner.accounts[owner].unbonding.do_ref!(|entry| sum = sum + entry.amount.value());
    sum
}

/// MIST of fees.
public fun treasury_value(pr: &PeerRegistry): u64 { pr.inner().treasury.value() }

/// The window from which slot `uid` is its owner's. The slot has an owner.
public fun active_from(pr: &PeerRegistry, uid: u16): u64 { slot(pr.inner(), uid).active_from }

/// The last window in which a gradient of slot `uid` was accepted. The slot has an owner.
public fun last_accepted(pr: &PeerRegistry, uid: u16): Option<u64> {
    slot(pr.inner(), uid).last_accepted
}

/// The epoch that the next credentials of slot `uid` have.
public fun next_epoch(pr: &PeerRegistry, uid: u16): u64 {
    let credentials = &pr.inner().credentials;
    if (credentials.contains(uid)) credentials[uid].epoch + 1 else 1
}

/// The epoch of the credentials that the owner of slot `uid` has published, if any.
public fun credentials_epoch(pr: &PeerRegistry, uid: u16): Option<u64> {
    let inner = pr.inner();
    if (!has(inner.seated, uid) || !inner.credentials.contains(uid)) return option::none();
    let credentials = &inner.credentials[uid];
    if (credentials.generation == inner.seats[uid].generation) option::some(credentials.epoch)
    else option::none()
}

/// Biased by 2^63, in 1e-6.
public fun record_mu(record: &Record): u64 { record.mu }

/// In 1e-6.
public fun record_sigma(record: &Record): u64 { record.sigma }

/// 0 .. 2e6; 1e6 is zero.
public fun record_average(record: &Record): u64 { record.average }

/// Windows in which it was measured.
public fun record_measured(record: &Record): u64 { record.measured }

/// Windows in which it was accepted.
public fun record_accepted(record: &Record): u64 { record.accepted }

// === Inside ===

fun inner(pr: &PeerRegistry): &PeerRegistryInner {
    assert!(pr.version == VERSION, EWrongVersion);
    dynamic_field::borrow(&pr.id, VERSION)
}

fun inner_mut(pr: &mut PeerRegistry): &mut PeerRegistryInner {
    assert!(pr.version == VERSION, EWrongVersion);
    dynamic_field::borrow_mut(&mut pr.id, VERSION)
}

fun roll_if_founded(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    clock: &Clock,
) {
    if (hp.is_founded()) roll(rs, hp, vr, pr, clock);
}

fun within(bytes: &vector<u8>, most: u64): bool { !bytes.is_empty() && bytes.length() <= most }

fun bit(uid: u16): u256 { 1 << (uid as u8) }

fun has(bits: u256, uid: u16): bool { uid < 256 && bits & bit(uid) != NONE }

/// The slots of a set, ascending.
fun uids(mut bits: u256): vector<u16> {
    let mut found = vector[];
    let mut uid = 0;
    while (bits != NONE) {
        if (bits & 1 != NONE) found.push_back(uid);
        bits = bits >> 1;
        uid = uid + 1;
    };
    found
}

fun slot(inner: &PeerRegistryInner, uid: u16): &Slot { inner.seats[uid].slot.borrow() }

fun slot_mut(inner: &mut PeerRegistryInner, uid: u16): &mut Slot {
    inner.seats[uid].slot.borrow_mut()
}

fun empty_seat(): Seat {
    Seat { generation: 0, slot: option::none(), next: option::none(), former: vector[] }
}

fun account_uid(inner: &PeerRegistryInner, owner: address): Option<u16> {
    if (inner.accounts.contains(owner)) inner.accounts[owner].uid else option::none()
}

fun account_mut(inner: &mut PeerRegistryInner, owner: address): &mut Account {
    if (!inner.accounts.contains(owner)) {
        inner.accounts.add(owner, Account { uid: option::none(), unbonding: vector[] });
    };
    &mut inner.accounts[owner]
}

/// The unbonding time is that of the window in which the change was asked for, as all changes of a window are.
fun change(inner: &mut PeerRegistryInner, uid: u16, effective: u64, params: &Params) {
    inner.changing = inner.changing | bit(uid);
    inner.effective = effective;
    inner.unbonding_ms = params.unbonding_ms();
}

fun evict(inner: &mut PeerRegistryInner, params: &Params, window: u64, fee: &mut Coin<SUI>): u16 {
    let candidates = inner.seated ^ (inner.seated & inner.changing);
    let mut idle = option::none<u16>();
    let mut weakest = option::none<u16>();
    let mut least = 0;
    let mut since = 0;
    uids(candidates).do!(|uid| {
        let slot = inner.slot(uid);
        let seen = slot.last_accepted.destroy_or!(0).max(slot.active_from);
        if (idle.is_none() && seen + (params.inactive_windows() as u64) < window) {
            idle = option::some(uid);
        };
        let value = ordinal(&slot.record);
        let weaker =
            weakest.is_none() || value < least || (value == least && slot.active_from < since);
        if (weaker && slot.active_from + (params.immunity_windows() as u64) <= window) {
            weakest = option::some(uid);
            least = value;
            since = slot.active_from;
        }
    });
    let mut cost = 0;
    if (idle.is_none()) {
        assert!(weakest.is_some(), ENoSlot);
        if (inner.evictions_window != window) {
            inner.evictions_window = window;
            inner.evictions = 0;
        };
        let doubled = (params.eviction_fee() as u128) << (inner.evictions.min(MAX_SHIFT) as u8);
        assert!((fee.value() as u128) >= doubled, EInsufficientBalance);
        cost = doubled as u64;
        inner.evictions = inner.evictions + 1;
        inner.treasury.join(fee.balance_mut().split(cost));
    };
    let uid = if (idle.is_some()) idle.destroy_some() else weakest.destroy_some();
    event::emit(PeerEvicted { uid, owner: inner.slot(uid).owner, fee: cost });
    uid
}

/// mu − 3 sigma, moved up so that it is never negative: only compared.
fun ordinal(record: &Record): u128 {
    (record.mu as u128) + (1 << 66) - 3 * (record.sigma as u128)
}

fun charge_unrevealed(inner: &mut PeerRegistryInner) {
    let noted = inner.noted;
    let window = inner.noted_window;
    let wanted = inner.noted_fee;
    inner.noted = NONE;
    uids(noted).do!(|uid| {
        let stake = &mut slot_mut(inner, uid).stake;
        let fee = wanted.min(stake.value());
        let taken = stake.split(fee);
        inner.treasury.join(taken);
        event::emit(UnrevealedCharged { window, uid, fee });
    });
}

fun leave(inner: &mut PeerRegistryInner, uid: u16, window: u64, due_ms: u64) {
    inner.seated = inner.seated ^ bit(uid);
    let seat = &mut inner.seats[uid];
    let Slot { owner, stake, active_from: _, record, last_accepted: _ } = seat.slot.extract();
    let generation = seat.generation;
    let former = &mut seat.former;
    former.push_back(Former { generation, left_window: window, record });
    while (former[0].left_window + FORMER_WINDOWS < window) { former.remove(0); };
    event::emit(PeerLeft { uid, owner, amount: stake.value(), due_ms });
    let account = account_mut(inner, owner);
    account.uid = option::none();
    let count = account.unbonding.length();
    if (stake.value() == 0) {
        stake.destroy_zero();
    } else if (count < MAX_UNBONDING) {
        account.unbonding.push_back(Unbonding { amount: stake, due_ms });
    } else {
        let last = &mut account.unbonding[count - 1];
        last.amount.join(stake);
        last.due_ms = last.due_ms.max(due_ms);
    };
    if (account.unbonding.is_empty()) {
        let Account { uid: _, unbonding } = inner.accounts.remove(owner);
        unbonding.destroy_empty();
    };
}

fun sit(inner: &mut PeerRegistryInner, uid: u16, owner: address, stake: Balance<SUI>, window: u64) {
    inner.seated = inner.seated | bit(uid);
    let seat = &mut inner.seats[uid];
    seat.generation = seat.generation + 1;
    let generation = seat.generation;
    let record = Record {
        mu: BIAS + DEFAULT_MU,
        sigma: DEFAULT_SIGMA,
        average: AVERAGE_ZERO,
        measured: 0,
        accepted: 0,
    };
    seat
        .slot
        .fill(Slot { owner, stake, active_from: window, record, last_accepted: option::none() });
    event::emit(PeerSeated { uid, generation, owner });
}

/// MIST of whoever takes slot `uid` at the next window.
#[test_only]
public fun pending_stake_of(pr: &PeerRegistry, uid: u16): u64 {
    let inner = pr.inner();
    if (!inner.seats.contains(uid)) return 0;
    let next = &inner.seats[uid].next;
    if (next.is_some()) next.borrow().stake.value() else 0
}

#[test_only]
public fun init_for_testing(ctx: &mut TxContext) { init(ctx) }

/// Seat `owner` in `uid` without a window's delay.
#[test_only]
public fun seat_for_testing(
    pr: &mut PeerRegistry,
    uid: u16,
    owner: address,
    stake: Balance<SUI>,
    active_from: u64,
) {
    let inner = pr.inner_mut();
    inner.begun = true;
    account_mut(inner, owner).uid = option::some(uid);
    if (!inner.seats.contains(uid)) inner.seats.add(uid, empty_seat());
    sit(inner, uid, owner, stake, active_from);
}

#[test_only]
public fun set_version_for_testing(pr: &mut PeerRegistry, version: u64) { pr.version = version }
