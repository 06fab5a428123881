/// Hyperparameters: integers only, in declared order, so that their BCS digest is the same here and in
/// `enclave/protocol/hparams.ts`. Beside them the calendar that they make: epochs, windows, deadlines. What is
/// set in window N rules from N+1 on and is rotated in by the first call of a window.
module vramhub::hparams;

use std::hash::sha2_256;
use sui::bcs::{Self, BCS};
use sui::clock::Clock;
use sui::dynamic_field;
use sui::event;

/// Only the holder of the offer may take this step.
#[error(code = 1)]
const ENotAdmin: vector<u8> = b"The offer names somebody else";
/// A value no window could live by, or bytes that are not the 39 fields.
#[error(code = 2)]
const EInvalidValue: vector<u8> = b"A value is out of bounds";
/// The network has to be founded first.
#[error(code = 3)]
const ENotFounded: vector<u8> = b"The network is not founded";
/// Nobody was offered the admin capability.
#[error(code = 4)]
const ENoOffer: vector<u8> = b"Nothing is on offer";
/// The first window lies ahead, or the window's epoch is forgotten.
#[error(code = 5)]
const ENoEpoch: vector<u8> = b"No epoch holds this";
/// `validator_registry::roll` comes first, in the same transaction.
#[error(code = 6)]
const ENotRolled: vector<u8> = b"Call roll first";
/// The object is of another version of the package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

const VERSION: u64 = 1;
const BYTES: u64 = 163;
/// BCS of the defaults; `tests/vectors/hparams.json` names each.
const DEFAULTS: vector<u8> =
    x"c027090000000000401f1c2570172823307500000000000060ea00000000000000010100ca9a3b00000000002d310100000000640004000800100000010f0028231c2500002003900000006400000000ca9a3b0000000000e40b5402000000809698000000000000e1f50500000000000120000c00000090000000003c534c10000000102700000000102700840c2400000000c02709000000000000c87e9a00000000";
const BPS: u64 = 10_000;
/// 2^53 - 1: what the judge's numbers hold exactly.
const MAX_SAFE: u64 = 9_007_199_254_740_991;
/// Four epochs rule all unfinished windows; the others are kept for readers.
const MAX_EPOCHS: u64 = 64;
/// A network founded further ahead mistook the unit of time.
const MAX_AHEAD_MS: u64 = 2_592_000_000;

/// Governs hyperparameters, measurements and upgrades. It has no `store`: it moves only by the two steps here.
public struct AdminCap has key { id: UID }

/// The one shared object.
public struct Hparams has key { id: UID, version: u64 }

public struct HparamsInner has store {
    params: Params,
    pending: Option<Pending>,
    epochs: vector<Epoch>,
    unbonding_until: u64,
    beacon_period_ms: u64,
    training_pages: u64,
    heldout_pages: u64,
    founded: bool,
    offer: Option<Offer>,
}

public struct Pending has copy, drop, store { effective: u64, params: Params }

public struct Offer has copy, drop, store { from: address, to: address }

/// From `first_window`, which starts at `start_ms`, windows last `window_ms`.
public struct Epoch has copy, drop, store { first_window: u64, start_ms: u64, window_ms: u64 }

/// All 39 fields; the groups keep within 32 fields a struct and leave no trace in BCS.
public struct Params has copy, drop, store { times: Times, work: Work, money: Money }

public struct Times has copy, drop, store {
    window_ms: u64,
    commit_bps: u16,
    reveal_bps: u16,
    report_bps: u16,
    outcome_bps: u16,
    beacon_margin_ms: u64,
    min_judge_ms: u64,
}

public struct Work has copy, drop, store {
    randomness_kind: u8,
    workload: u8,
    version: u8,
    beta: u64,
    max_update_norm: u64,
    topk_bps: u16,
    own_pages: u16,
    random_pages: u16,
    heldout_pages: u16,
    max_judged: u16,
    top_g: u16,
    overlap_bps: u16,
    correlation_bps: u16,
    max_gradient_bytes: u32,
    retention_windows: u32,
    checkpoint_frequency: u32,
}

public struct Money has copy, drop, store {
    min_miner_stake: u64,
    min_validator_stake: u64,
    unrevealed_fee: u64,
    eviction_fee: u64,
    max_miners: u16,
    max_validators: u16,
    immunity_windows: u32,
    inactive_windows: u32,
    emission: u64,
    miner_bps: u16,
    validator_bps: u16,
    treasury_bps: u16,
    slash_bps: u16,
    unbonding_ms: u64,
    document_age_ms: u64,
    key_ttl_ms: u64,
}

/// The moments of a window N, in milliseconds; all but `start` are exclusive ends.
public struct Deadlines has copy, drop {
    start: u64,
    commit: u64,
    reveal: u64,
    end: u64,
    report: u64,
    outcome: u64,
}

/// New hyperparameters rule from window `effective` on.
public struct HparamsChanged has copy, drop { effective: u64, digest: vector<u8> }
/// The admin capability is on offer.
public struct AdminOffered has copy, drop { from: address, to: address }
/// The admin capability has a new holder.
public struct AdminAccepted has copy, drop { from: address, to: address }
/// The offer was taken back.
public struct AdminOfferWithdrawn has copy, drop { from: address, to: address }

fun init(ctx: &mut TxContext) {
    let mut hp = Hparams { id: object::new(ctx), version: VERSION };
    let inner = HparamsInner {
        params: default_params(),
        pending: option::none(),
        epochs: vector[],
        unbonding_until: 0,
        beacon_period_ms: 0,
        training_pages: 0,
        heldout_pages: 0,
        founded: false,
        offer: option::none(),
    };
    dynamic_field::add(&mut hp.id, VERSION, inner);
    transfer::share_object(hp);
    transfer::transfer(AdminCap { id: object::new(ctx) }, ctx.sender());
}

fun inner(hp: &Hparams): &HparamsInner {
    assert!(hp.version == VERSION, EWrongVersion);
    dynamic_field::borrow(&hp.id, VERSION)
}

fun inner_mut(hp: &mut Hparams): &mut HparamsInner {
    assert!(hp.version == VERSION, EWrongVersion);
    dynamic_field::borrow_mut(&mut hp.id, VERSION)
}

/// The upgrade's door: moves the state to this version. Nothing is older than version 1.
public fun migrate(_: &AdminCap, _: &mut Hparams) {
    abort EWrongVersion
}

// === The admin, in two steps ===

/// Offer the capability to `to`. It is out of everybody's hands until `to` accepts or the offeror takes it back.
public fun offer_admin(cap: AdminCap, hp: &mut Hparams, to: address, ctx: &TxContext) {
    let from = ctx.sender();
    inner_mut(hp).offer = option::some(Offer { from, to });
    let AdminCap { id } = cap;
    id.delete();
    event::emit(AdminOffered { from, to });
}

/// Take the capability that was offered to the sender.
public fun accept_admin(hp: &mut Hparams, ctx: &mut TxContext) {
    let Offer { from, to } = take_offer(hp);
    assert!(ctx.sender() == to, ENotAdmin);
    transfer::transfer(AdminCap { id: object::new(ctx) }, to);
    event::emit(AdminAccepted { from, to });
}

/// Take back the capability that the sender offered.
public fun withdraw_offer(hp: &mut Hparams, ctx: &mut TxContext) {
    let Offer { from, to } = take_offer(hp);
    assert!(ctx.sender() == from, ENotAdmin);
    transfer::transfer(AdminCap { id: object::new(ctx) }, from);
    event::emit(AdminOfferWithdrawn { from, to });
}

fun take_offer(hp: &mut Hparams): Offer {
    let offer = &mut inner_mut(hp).offer;
    assert!(offer.is_some(), ENoOffer);
    offer.extract()
}

// === Change ===

/// Replace all hyperparameters, given as BCS, from the next window on; another length of windows opens a new
/// epoch at that boundary. Before the founding they hold at once: founders are held to them.
public fun set(_: &AdminCap, hp: &mut Hparams, encoded: vector<u8>, clock: &Clock) {
    let params = decode(encoded);
    if (!is_founded(hp)) {
        inner_mut(hp).params = params;
        event::emit(HparamsChanged { effective: 0, digest: digest(&params) });
        return
    };
    let window = current_window(hp, clock);
    let effective = window + 1;
    let at = inner(hp);
    assert!(!at.pending.is_some_and!(|pending| pending.effective <= window), ENotRolled);
    check(&params, at.beacon_period_ms, at.training_pages, at.heldout_pages);
    // The running window is judged in the next one, whose length is what changes here.
    let now = &at.params;
    let judging =
        now.window_ms() - share(now.window_ms(), now.reveal_bps()) +
        share(params.window_ms(), now.report_bps());
    let needed = now.beacon_margin_ms() + at.beacon_period_ms + now.min_judge_ms();
    assert!(judging >= needed, EInvalidValue);

    let at = inner_mut(hp);
    while (at.epochs[at.epochs.length() - 1].first_window >= effective) { at.epochs.pop_back(); };
    let running = at.epochs[at.epochs.length() - 1];
    if (running.window_ms != params.window_ms()) {
        let start_ms = running.start_ms + (effective - running.first_window) * running.window_ms;
        if (at.epochs.length() == MAX_EPOCHS) { at.epochs.remove(0); };
        at
            .epochs
            .push_back(Epoch { first_window: effective, start_ms, window_ms: params.window_ms() });
    };
    at.pending = option::some(Pending { effective, params });
    event::emit(HparamsChanged { effective, digest: digest(&params) });
}

/// Begin: `round_state::found` alone calls this, once. Founders registered under the current parameters: the
/// first ones may not ask for more stake than these, nor have fewer slots.
public(package) fun found(
    hp: &mut Hparams,
    params: Params,
    beacon_period_ms: u64,
    training_pages: u64,
    heldout_pages: u64,
    epoch_start_ms: u64,
    first_window: u64,
    now_ms: u64,
) {
    assert!(beacon_period_ms > 0 && beacon_period_ms <= 86_400_000, EInvalidValue);
    check(&params, beacon_period_ms, training_pages, heldout_pages);
    assert!(epoch_start_ms <= now_ms + MAX_AHEAD_MS, EInvalidValue);
    assert!(first_window <= MAX_SAFE, EInvalidValue);
    let at = inner_mut(hp);
    assert!(params.min_miner_stake() <= at.params.min_miner_stake(), EInvalidValue);
    assert!(params.min_validator_stake() <= at.params.min_validator_stake(), EInvalidValue);
    assert!(params.max_miners() >= at.params.max_miners(), EInvalidValue);
    assert!(params.max_validators() >= at.params.max_validators(), EInvalidValue);
    at.params = params;
    at.epochs = vector[
        Epoch { first_window, start_ms: epoch_start_ms, window_ms: params.window_ms() },
    ];
    at.beacon_period_ms = beacon_period_ms;
    at.training_pages = training_pages;
    at.heldout_pages = heldout_pages;
    at.founded = true;
}

/// The parameters that rule `window`, which begins to run now: rotates in what was pending.
public(package) fun params_at(hp: &mut Hparams, window: u64, now_ms: u64): Params {
    let at = inner_mut(hp);
    if (at.pending.is_some_and!(|pending| pending.effective <= window)) {
        let Pending { params, .. } = at.pending.extract();
        let before = at.params.unbonding_ms();
        // What is approved meanwhile still waits for the longer period.
        if (params.unbonding_ms() < before) {
            at.unbonding_until = at.unbonding_until.max(now_ms + before);
        };
        at.params = params;
    };
    at.params
}

// === Time ===

/// Whether the network is founded.
public fun is_founded(hp: &Hparams): bool { inner(hp).founded }

/// Abort `ENotFounded` before the founding.
public fun assert_founded(hp: &Hparams) { assert!(is_founded(hp), ENotFounded); }

/// The parameters of the last window that was rolled to.
public fun current(hp: &Hparams): &Params { &inner(hp).params }

/// The beacon's period in milliseconds; 0 before the founding.
public fun beacon_period_ms(hp: &Hparams): u64 { inner(hp).beacon_period_ms }

/// Epochs that are kept, ascending.
public fun epochs(hp: &Hparams): vector<Epoch> { inner(hp).epochs }

/// First window of an epoch, its start in milliseconds, and the length of its windows.
public fun epoch_parts(epoch: &Epoch): (u64, u64, u64) {
    (epoch.first_window, epoch.start_ms, epoch.window_ms)
}

/// The window at `now_ms`.
public fun window_at(hp: &Hparams, now_ms: u64): u64 {
    assert_founded(hp);
    window_in(&inner(hp).epochs, now_ms)
}

/// The running window.
public fun current_window(hp: &Hparams, clock: &Clock): u64 { window_at(hp, clock.timestamp_ms()) }

/// When `window` starts.
public fun window_start(hp: &Hparams, window: u64): u64 {
    assert_founded(hp);
    start_in(&inner(hp).epochs, window)
}

/// Every deadline of `window` by the parameters that ruled it; reports and outcomes by the length of N+1.
public fun deadlines(hp: &Hparams, window: u64, params: &Params): Deadlines {
    assert_founded(hp);
    deadlines_in(&inner(hp).epochs, window, params)
}

fun window_in(epochs: &vector<Epoch>, now_ms: u64): u64 {
    let mut i = epochs.length();
    while (i > 0 && epochs[i - 1].start_ms > now_ms) i = i - 1;
    assert!(i > 0, ENoEpoch);
    let epoch = &epochs[i - 1];
    epoch.first_window + (now_ms - epoch.start_ms) / epoch.window_ms
}

fun start_in(epochs: &vector<Epoch>, window: u64): u64 {
    let mut i = epochs.length();
    while (i > 0 && epochs[i - 1].first_window > window) i = i - 1;
    assert!(i > 0, ENoEpoch);
    let epoch = &epochs[i - 1];
    epoch.start_ms + (window - epoch.first_window) * epoch.window_ms
}

fun deadlines_in(epochs: &vector<Epoch>, window: u64, params: &Params): Deadlines {
    let start = start_in(epochs, window);
    let end = start_in(epochs, window + 1);
    let next = start_in(epochs, window + 2) - end;
    Deadlines {
        start,
        commit: start + share(end - start, params.commit_bps()),
        reveal: start + share(end - start, params.reveal_bps()),
        end,
        report: end + share(next, params.report_bps()),
        outcome: end + share(next, params.outcome_bps()),
    }
}

/// When what is approved now becomes active: after the unbonding period, the pending one if that is longer, and
/// not before a longer one that was in force is over. To shorten the period first gains nothing.
public fun approval_time(hp: &Hparams, now_ms: u64): u64 {
    let at = inner(hp);
    let mut wait = at.params.unbonding_ms();
    at.pending.do_ref!(|pending| wait = wait.max(pending.params.unbonding_ms()));
    at.unbonding_until.max(now_ms + wait)
}

/// N starts.
public fun start(at: &Deadlines): u64 { at.start }

/// Commits end.
public fun commit(at: &Deadlines): u64 { at.commit }

/// Reveals end.
public fun reveal(at: &Deadlines): u64 { at.reveal }

/// N ends and N+1 starts.
public fun end(at: &Deadlines): u64 { at.end }

/// Reports for N end.
public fun report(at: &Deadlines): u64 { at.report }

/// Outcomes for N end.
public fun outcome(at: &Deadlines): u64 { at.outcome }

// === Bytes ===

/// BCS of the fields in declared order.
public fun encode(params: &Params): vector<u8> { bcs::to_bytes(params) }

/// `SHA-256("vramhub/hparams/v1" ‖ BCS)`.
public fun digest(params: &Params): vector<u8> {
    let mut bytes = b"vramhub/hparams/v1";
    bytes.append(encode(params));
    sha2_256(bytes)
}

/// The inverse of `encode`: exact length, every field within its bounds, and a set that holds together.
public fun decode(encoded: vector<u8>): Params {
    assert!(encoded.length() == BYTES, EInvalidValue);
    let mut from = bcs::new(encoded);
    let from = &mut from;
    let times = Times {
        window_ms: from.u64_in(200, 604_800_000),
        commit_bps: from.u16_in(1, 9_999),
        reveal_bps: from.u16_in(1, 10_000),
        report_bps: from.u16_in(1, 9_999),
        outcome_bps: from.u16_in(1, 10_000),
        beacon_margin_ms: from.u64_in(0, 3_600_000),
        min_judge_ms: from.u64_in(0, 86_400_000),
    };
    let work = Work {
        randomness_kind: from.u8_in(0, 1),
        workload: from.u8_in(1, 1),
        version: from.u8_in(1, 1),
        beta: from.u64_in(1, 100_000_000_000),
        max_update_norm: from.u64_in(1, 1_000_000_000_000),
        topk_bps: from.u16_in(1, 10_000),
        own_pages: from.u16_in(1, 64),
        random_pages: from.u16_in(1, 64),
        heldout_pages: from.u16_in(1, 256),
        max_judged: from.u16_in(1, 256),
        top_g: from.u16_in(1, 256),
        overlap_bps: from.u16_in(1, 10_001),
        correlation_bps: from.u16_in(1, 10_000),
        max_gradient_bytes: from.u32_in(64, 268_435_456),
        retention_windows: from.u32_in(3, 100_000),
        checkpoint_frequency: from.u32_in(1, 100_000),
    };
    let money = Money {
        min_miner_stake: from.u64_in(0, MAX_SAFE),
        min_validator_stake: from.u64_in(1, MAX_SAFE),
        unrevealed_fee: from.u64_in(0, MAX_SAFE),
        eviction_fee: from.u64_in(0, MAX_SAFE),
        max_miners: from.u16_in(1, 256),
        max_validators: from.u16_in(1, 32),
        immunity_windows: from.u32_in(0, 100_000),
        inactive_windows: from.u32_in(1, 1_000_000),
        emission: from.u64_in(0, 1_000_000_000_000_000),
        miner_bps: from.u16_in(0, 10_000),
        validator_bps: from.u16_in(0, 10_000),
        treasury_bps: from.u16_in(0, 10_000),
        slash_bps: from.u16_in(0, 10_000),
        unbonding_ms: from.u64_in(0, 31_536_000_000),
        document_age_ms: from.u64_in(1_000, 86_400_000),
        key_ttl_ms: from.u64_in(1_000, 315_360_000_000),
    };
    let params = Params { times, work, money };
    check_rules(&params, 0);
    params
}

use fun u8_in as BCS.u8_in;

fun u8_in(from: &mut BCS, min: u8, max: u8): u8 {
    let value = from.peel_u8();
    assert_within(value as u64, min as u64, max as u64);
    value
}

use fun u16_in as BCS.u16_in;

fun u16_in(from: &mut BCS, min: u16, max: u16): u16 {
    let value = from.peel_u16();
    assert_within(value as u64, min as u64, max as u64);
    value
}

use fun u32_in as BCS.u32_in;

fun u32_in(from: &mut BCS, min: u32, max: u32): u32 {
    let value = from.peel_u32();
    assert_within(value as u64, min as u64, max as u64);
    value
}

use fun u64_in as BCS.u64_in;

fun u64_in(from: &mut BCS, min: u64, max: u64): u64 {
    let value = from.peel_u64();
    assert_within(value, min, max);
    value
}

fun assert_within(value: u64, min: u64, max: u64) {
    assert!(min <= value && value <= max, EInvalidValue);
}

/// The defaults of `enclave/protocol/hparams.ts`.
public fun default_params(): Params { decode(DEFAULTS) }

/// `floor(value · bps / 10000)`, exact.
public fun share(value: u64, bps: u16): u64 {
    ((value as u128) * (bps as u128) / (BPS as u128)) as u64
}

fun check(params: &Params, period_ms: u64, training_pages: u64, heldout_pages: u64) {
    check_rules(params, period_ms);
    let own = params.own_pages().max(params.random_pages()) as u64;
    assert!(training_pages >= own, EInvalidValue);
    assert!(heldout_pages >= params.heldout_pages() as u64, EInvalidValue);
}

/// The order of deadlines, the shares, and enough time between the reveals of N and the reports in N+1.
fun check_rules(p: &Params, period_ms: u64) {
    assert!(p.commit_bps() < p.reveal_bps(), EInvalidValue);
    assert!(p.report_bps() < p.outcome_bps(), EInvalidValue);
    assert!(p.miner_bps() + p.validator_bps() + p.treasury_bps() == 10_000, EInvalidValue);
    let length = p.window_ms();
    let judging = length - share(length, p.reveal_bps()) + share(length, p.report_bps());
    assert!(judging >= p.beacon_margin_ms() + period_ms + p.min_judge_ms(), EInvalidValue);
}

// === Fields: what each means stands in `HPARAM_FIELDS` of `enclave/protocol/hparams.ts` ===

/// Milliseconds.
public fun window_ms(p: &Params): u64 { p.times.window_ms }

/// Basis points.
public fun commit_bps(p: &Params): u16 { p.times.commit_bps }

/// Basis points.
public fun reveal_bps(p: &Params): u16 { p.times.reveal_bps }

/// Basis points.
public fun report_bps(p: &Params): u16 { p.times.report_bps }

/// Basis points.
public fun outcome_bps(p: &Params): u16 { p.times.outcome_bps }

/// Milliseconds.
public fun beacon_margin_ms(p: &Params): u64 { p.times.beacon_margin_ms }

/// Milliseconds.
public fun min_judge_ms(p: &Params): u64 { p.times.min_judge_ms }

/// 0 drand, 1 drawn by the ledger.
public fun randomness_kind(p: &Params): u8 { p.work.randomness_kind }

/// 1: loss-delta.
public fun workload(p: &Params): u8 { p.work.workload }

/// Of the workload's rules.
public fun version(p: &Params): u8 { p.work.version }

/// In 1e-9.
public fun beta(p: &Params): u64 { p.work.beta }

/// L2, in 1e-6.
public fun max_update_norm(p: &Params): u64 { p.work.max_update_norm }

/// Basis points.
public fun topk_bps(p: &Params): u16 { p.work.topk_bps }

/// Pages.
public fun own_pages(p: &Params): u16 { p.work.own_pages }

/// Pages.
public fun random_pages(p: &Params): u16 { p.work.random_pages }

/// Pages.
public fun heldout_pages(p: &Params): u16 { p.work.heldout_pages }

/// Gradients a window.
public fun max_judged(p: &Params): u16 { p.work.max_judged }

/// Gradients merged.
public fun top_g(p: &Params): u16 { p.work.top_g }

/// Basis points.
public fun overlap_bps(p: &Params): u16 { p.work.overlap_bps }

/// Basis points.
public fun correlation_bps(p: &Params): u16 { p.work.correlation_bps }

/// Bytes.
public fun max_gradient_bytes(p: &Params): u32 { p.work.max_gradient_bytes }

/// Windows.
public fun retention_windows(p: &Params): u32 { p.work.retention_windows }

/// Windows.
public fun checkpoint_frequency(p: &Params): u32 { p.work.checkpoint_frequency }

/// MIST.
public fun min_miner_stake(p: &Params): u64 { p.money.min_miner_stake }

/// MIST.
public fun min_validator_stake(p: &Params): u64 { p.money.min_validator_stake }

/// MIST.
public fun unrevealed_fee(p: &Params): u64 { p.money.unrevealed_fee }

/// MIST; doubles with each.
public fun eviction_fee(p: &Params): u64 { p.money.eviction_fee }

/// Slots.
public fun max_miners(p: &Params): u16 { p.money.max_miners }

/// Slots.
public fun max_validators(p: &Params): u16 { p.money.max_validators }

/// Windows.
public fun immunity_windows(p: &Params): u32 { p.money.immunity_windows }

/// Windows.
public fun inactive_windows(p: &Params): u32 { p.money.inactive_windows }

/// In 1e-9 VRAM, a window.
public fun emission(p: &Params): u64 { p.money.emission }

/// Basis points.
public fun miner_bps(p: &Params): u16 { p.money.miner_bps }

/// Basis points.
public fun validator_bps(p: &Params): u16 { p.money.validator_bps }

/// Basis points.
public fun treasury_bps(p: &Params): u16 { p.money.treasury_bps }

/// Basis points.
public fun slash_bps(p: &Params): u16 { p.money.slash_bps }

/// Milliseconds.
public fun unbonding_ms(p: &Params): u64 { p.money.unbonding_ms }

/// Milliseconds.
public fun document_age_ms(p: &Params): u64 { p.money.document_age_ms }

/// Milliseconds.
public fun key_ttl_ms(p: &Params): u64 { p.money.key_ttl_ms }

#[test_only]
public fun init_for_testing(ctx: &mut TxContext) { init(ctx); }

#[test_only]
public fun admin_for_testing(ctx: &mut TxContext): AdminCap { AdminCap { id: object::new(ctx) } }

#[test_only]
public fun new_epoch_for_testing(first_window: u64, start_ms: u64, window_ms: u64): Epoch {
    Epoch { first_window, start_ms, window_ms }
}

#[test_only]
public fun window_in_for_testing(epochs: &vector<Epoch>, now_ms: u64): u64 {
    window_in(epochs, now_ms)
}

#[test_only]
public fun deadlines_in_for_testing(epochs: &vector<Epoch>, window: u64, p: &Params): Deadlines {
    deadlines_in(epochs, window, p)
}

#[test_only]
public fun set_version_for_testing(hp: &mut Hparams, version: u64) { hp.version = version; }

#[test_only]
public fun check_rules_for_testing(params: &Params, period_ms: u64) {
    check_rules(params, period_ms)
}
