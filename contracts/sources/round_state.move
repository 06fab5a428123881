/// Windows, and what their digests bind. A window's row opens with the first call that falls into it; where
/// nobody called there is no row. The object's id is the ledger id of every signed structure.
module vramhub::round_state;

use std::hash::sha2_256;
use sui::bcs;
use sui::clock::Clock;
use sui::dynamic_field;
use sui::event;
use sui::random::Random;
use sui::table::{Self, Table};
use vramhub::dataset_registry::DatasetRegistry;
use vramhub::hparams::{Self, AdminCap, Deadlines, Hparams, Params};

/// The window has no row: nobody called in it, it has not begun, or it was pruned.
#[error(code = 1)]
const EUnknownWindow: vector<u8> = b"The window has no row";
/// The window can still be judged.
#[error(code = 2)]
const ENotClosable: vector<u8> = b"The window can still be judged";
/// A network is founded once.
#[error(code = 3)]
const EAlreadyFounded: vector<u8> = b"The network is founded already";
/// `draw_seeds` comes first.
#[error(code = 4)]
const ESeedNotDrawn: vector<u8> = b"A seed is not drawn yet";
/// Hashes and ids are 32 bytes.
#[error(code = 5)]
const EBadLength: vector<u8> = b"A hash or id is 32 bytes";
/// Rows are kept for `retention_windows`.
#[error(code = 6)]
const ETooYoung: vector<u8> = b"The row is still to be kept";
/// The window needs no seed now.
#[error(code = 7)]
const ENothingToDraw: vector<u8> = b"No seed is due";
/// The object is of another version of the package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

const VERSION: u64 = 1;

const OPEN: u8 = 0;
const SETTLING: u8 = 1;
const SETTLED: u8 = 2;
const CLOSED: u8 = 3;
const SKIPPED: u8 = 4;

const EMPTY_ACC: vector<u8> = x"0000000000000000000000000000000000000000000000000000000000000000";

/// The one shared object.
public struct RoundState has key { id: UID, version: u64 }

public struct RoundStateInner has store {
    founded: bool,
    ledger_id: vector<u8>,
    chain_id: vector<u8>,
    model_hash: vector<u8>,
    dataset_root: vector<u8>,
    dataset_pages: u64,
    beacon_hash: vector<u8>,
    beacon_genesis_ms: u64,
    beacon_period_ms: u64,
    /// Hash of the manifest of the base from which the next window starts.
    base: vector<u8>,
    /// The last window that was rolled to.
    rolled: Option<u64>,
    /// Windows that are neither closed nor skipped, ascending: after a roll at most two.
    open: vector<u64>,
    windows: Table<u64, Window>,
}

public struct Window has drop, store {
    status: u8,
    params: Params,
    base: vector<u8>,
    acc: vector<u8>,
    reveal_count: u64,
    seats: vector<Seat>,
    snapshot_stake: u128,
    reported_stake: u128,
    outcome_stake: u128,
    /// Empty until drawn; only where the ledger draws.
    assign_seed: vector<u8>,
    judge_seed: vector<u8>,
}

/// A validator as the window found it; stake in MIST.
public struct Seat has copy, drop, store {
    uid: u16,
    generation: u64,
    owner: address,
    stake: u64,
    active_from: u64,
}

/// The network begins.
public struct NetworkFounded has copy, drop {
    ledger_id: ID,
    model_hash: vector<u8>,
    base_hash: vector<u8>,
    dataset_root: vector<u8>,
    first_window: u64,
    start_ms: u64,
}
/// The first call of a window.
public struct WindowOpened has copy, drop {
    window: u64,
    base_hash: vector<u8>,
    snapshot: vector<Seat>,
}
/// A window is over: judged, or empty.
public struct WindowClosed has copy, drop { window: u64 }
/// A window is over and changed nothing.
public struct WindowSkipped has copy, drop { window: u64, reason: vector<u8> }
/// The ledger drew a seed of a window: `judge` tells which of the two.
public struct SeedDrawn has copy, drop { window: u64, judge: bool, seed: vector<u8> }
/// `window` starts from a new base; gain in 1e-6 nats, biased by 2^63.
public struct BaseAnchored has copy, drop { window: u64, manifest_hash: vector<u8>, gain: u64 }
/// The merge gained too little: `window` starts from the base there was.
public struct BaseKept has copy, drop { window: u64, manifest_hash: vector<u8>, gain: u64 }
/// A window's row is gone.
public struct WindowPruned has copy, drop { window: u64 }

fun init(ctx: &mut TxContext) {
    let mut rs = RoundState { id: object::new(ctx), version: VERSION };
    let inner = RoundStateInner {
        founded: false,
        ledger_id: rs.id.to_bytes(),
        chain_id: vector[],
        model_hash: vector[],
        dataset_root: vector[],
        dataset_pages: 0,
        beacon_hash: vector[],
        beacon_genesis_ms: 0,
        beacon_period_ms: 0,
        base: vector[],
        rolled: option::none(),
        open: vector[],
        windows: table::new(ctx),
    };
    dynamic_field::add(&mut rs.id, VERSION, inner);
    transfer::share_object(rs);
}

fun inner(rs: &RoundState): &RoundStateInner {
    assert!(rs.version == VERSION, EWrongVersion);
    dynamic_field::borrow(&rs.id, VERSION)
}

fun inner_mut(rs: &mut RoundState): &mut RoundStateInner {
    assert!(rs.version == VERSION, EWrongVersion);
    dynamic_field::borrow_mut(&mut rs.id, VERSION)
}

/// The upgrade's door: moves the state to this version. Nothing is older than version 1.
public fun migrate(_: &AdminCap, _: &mut RoundState) {
    abort EWrongVersion
}

fun row(rs: &RoundState, window: u64): &Window {
    let windows = &inner(rs).windows;
    assert!(windows.contains(window), EUnknownWindow);
    &windows[window]
}

fun row_mut(rs: &mut RoundState, window: u64): &mut Window {
    let windows = &mut inner_mut(rs).windows;
    assert!(windows.contains(window), EUnknownWindow);
    &mut windows[window]
}

/// Found the network, once: what its digests bind for ever, its first base and hyperparameters, its calendar.
/// Founders have registered before; the first window's snapshot holds them.
public fun found(
    _: &AdminCap,
    rs: &mut RoundState,
    hp: &mut Hparams,
    dr: &DatasetRegistry,
    dataset_id: u64,
    chain_id: vector<u8>,
    model_hash: vector<u8>,
    base_hash: vector<u8>,
    beacon_chain_hash: vector<u8>,
    beacon_genesis_ms: u64,
    beacon_period_ms: u64,
    epoch_start_ms: u64,
    first_window: u64,
    encoded_params: vector<u8>,
    clock: &Clock,
) {
    assert!(!inner(rs).founded, EAlreadyFounded);
    assert!(chain_id.length() == 32 && model_hash.length() == 32, EBadLength);
    assert!(base_hash.length() == 32 && beacon_chain_hash.length() == 32, EBadLength);
    let params = hparams::decode(encoded_params);
    let dataset_root = dr.root(dataset_id);
    let dataset_pages = dr.page_count(dataset_id);
    let training = dr.training_pages(dataset_id);
    dr.assert_live(dataset_id);
    hp.found(
        params,
        beacon_period_ms,
        training,
        dataset_pages - training,
        epoch_start_ms,
        first_window,
        clock.timestamp_ms(),
    );
    let ledger_id = object::id(rs);
    let at = inner_mut(rs);
    at.founded = true;
    at.chain_id = chain_id;
    at.model_hash = model_hash;
    at.dataset_root = dataset_root;
    at.dataset_pages = dataset_pages;
    at.beacon_hash = beacon_chain_hash;
    at.beacon_genesis_ms = beacon_genesis_ms;
    at.beacon_period_ms = beacon_period_ms;
    at.base = base_hash;
    event::emit(NetworkFounded {
        ledger_id,
        model_hash,
        base_hash,
        dataset_root,
        first_window,
        start_ms: epoch_start_ms,
    });
}

// === Rolling and ending ===

/// Whether the running window was rolled to.
public fun is_rolled(rs: &RoundState, hp: &Hparams, clock: &Clock): bool {
    let window = hp.current_window(clock);
    inner(rs).rolled.is_some_and!(|rolled| *rolled >= window)
}

/// The last window that was rolled to; none before the first call.
public fun rolled(rs: &RoundState): Option<u64> { inner(rs).rolled }

/// Close or skip every window that is over. Never aborts: rolling depends on it.
public(package) fun end_over(rs: &mut RoundState, hp: &Hparams, clock: &Clock) {
    let running = hp.current_window(clock);
    let open = inner(rs).open;
    open.do!(|window| if (window < running) { close_if_over(rs, hp, window, clock); });
}

/// Open the running window's row with its stake snapshot, `seats` by ascending uid. `validator_registry::roll` alone
/// calls this, once what was over has ended.
public(package) fun open_window(
    rs: &mut RoundState,
    hp: &mut Hparams,
    seats: vector<Seat>,
    clock: &Clock,
) {
    let window = hp.current_window(clock);
    let params = hp.params_at(window, clock.timestamp_ms());
    let snapshot_stake = seats.fold!(0u128, |sum, seat| sum + (seat.stake as u128));
    let at = inner_mut(rs);
    let base = at.base;
    at
        .windows
        .add(
            window,
            Window {
                status: OPEN,
                params,
                base,
                acc: EMPTY_ACC,
                reveal_count: 0,
                seats,
                snapshot_stake,
                reported_stake: 0,
                outcome_stake: 0,
                assign_seed: vector[],
                judge_seed: vector[],
            },
        );
    at.open.push_back(window);
    at.rolled = option::some(window);
    event::emit(WindowOpened { window, base_hash: base, snapshot: seats });
}

/// Anyone may close a window that is empty after its reveals, or whose outcomes are over.
public fun close(rs: &mut RoundState, hp: &Hparams, window: u64, clock: &Clock) {
    assert!(window <= hp.current_window(clock), EUnknownWindow);
    assert!(close_if_over(rs, hp, window, clock), ENotClosable);
}

/// Whether `window` is closed or skipped, ending it where its time is over. A window without a row is.
public(package) fun close_if_over(
    rs: &mut RoundState,
    hp: &Hparams,
    window: u64,
    clock: &Clock,
): bool {
    if (is_ended(rs, window)) return true;
    let now = clock.timestamp_ms();
    // In N+2 all of N's deadlines are over, whatever epochs are still kept.
    let over = window + 2 <= hp.current_window(clock);
    let (after_reveals, after_reports, after_outcomes) = if (over) (true, true, true) else {
        let at = hp.deadlines(window, params(rs, window));
        (now >= at.reveal(), now >= at.report(), now >= at.outcome())
    };
    if (!after_reveals) return false;
    let row = row(rs, window);
    if (row.reveal_count == 0) {
        end_window(rs, window, CLOSED, b"");
        return true
    };
    if (row.status == OPEN && after_reports && !has_report_quorum(rs, window)) {
        end_window(rs, window, SKIPPED, b"no quorum of reports");
        return true
    };
    if (!after_outcomes) return false;
    end_window(rs, window, SKIPPED, b"no quorum of outcomes");
    true
}

/// End a window: `status` is closed (3) or skipped (4).
public(package) fun end_window(rs: &mut RoundState, window: u64, status: u8, reason: vector<u8>) {
    row_mut(rs, window).status = status;
    let open = &mut inner_mut(rs).open;
    let (found, i) = open.index_of(&window);
    if (found) { open.remove(i); };
    if (status == CLOSED) event::emit(WindowClosed { window })
    else event::emit(WindowSkipped { window, reason });
}

/// Whether rows of `window` may go: it is over, and `retention_windows` lie between it and the last rolled one.
public fun is_prunable(rs: &RoundState, window: u64): bool {
    let at = inner(rs);
    if (!at.rolled.is_some_and!(|rolled| *rolled > window)) return false;
    if (!at.windows.contains(window)) return true;
    let row = &at.windows[window];
    let kept = row.params.retention_windows() as u64;
    row.status >= CLOSED && *at.rolled.borrow() - window > kept
}

/// Delete an old window's row. Anyone may; the rows of other modules go by their own `prune`.
public fun prune(rs: &mut RoundState, window: u64) {
    assert!(has_window(rs, window), EUnknownWindow);
    assert!(is_prunable(rs, window), ETooYoung);
    inner_mut(rs).windows.remove(window);
    event::emit(WindowPruned { window });
}

// === Seeds that the ledger draws (randomness kind 1) ===

/// Draw what is due: the assignment's seed from the window's start, the judge's from its reveal deadline, once
/// each. `entry`, so that no other call sees a seed in time to undo its drawing.
entry fun draw_seeds(
    rs: &mut RoundState,
    hp: &Hparams,
    window: u64,
    random: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let row = row(rs, window);
    assert!(row.params.randomness_kind() == 1, ENothingToDraw);
    let assign = row.assign_seed.is_empty();
    let reveal = hp.deadlines(window, &row.params).reveal();
    let judge = row.judge_seed.is_empty() && clock.timestamp_ms() >= reveal;
    assert!(assign || judge, ENothingToDraw);
    let mut generator = random.new_generator(ctx);
    if (assign) set_seed(rs, window, false, generator.generate_bytes(32));
    if (judge) set_seed(rs, window, true, generator.generate_bytes(32));
}

fun set_seed(rs: &mut RoundState, window: u64, judge: bool, seed: vector<u8>) {
    let row = row_mut(rs, window);
    if (judge) row.judge_seed = seed else row.assign_seed = seed;
    event::emit(SeedDrawn { window, judge, seed });
}

/// Abort `ESeedNotDrawn` where the ledger draws the window's seeds and one is missing.
public fun assert_seeds_drawn(rs: &RoundState, window: u64) {
    let row = row(rs, window);
    if (row.params.randomness_kind() == 1) {
        assert!(!row.assign_seed.is_empty() && !row.judge_seed.is_empty(), ESeedNotDrawn);
    }
}

/// The two seeds; empty where not drawn.
public fun seeds(rs: &RoundState, window: u64): (vector<u8>, vector<u8>) {
    let row = row(rs, window);
    (row.assign_seed, row.judge_seed)
}

// === The window's digest ===

/// Fold a reveal into the window's accumulator.
public(package) fun fold(
    rs: &mut RoundState,
    window: u64,
    uid: u16,
    commit_seq: u64,
    content_hash: vector<u8>,
    size: u32,
    codec: u8,
) {
    let row = row_mut(rs, window);
    row.acc = folded(row.acc, uid, commit_seq, content_hash, size, codec);
    row.reveal_count = row.reveal_count + 1;
}

/// `SHA-256("vramhub/reveal/v1" ‖ acc ‖ uid ‖ commit_seq ‖ content_hash ‖ size ‖ codec)`.
public fun folded(
    acc: vector<u8>,
    uid: u16,
    commit_seq: u64,
    content_hash: vector<u8>,
    size: u32,
    codec: u8,
): vector<u8> {
    assert!(acc.length() == 32 && content_hash.length() == 32, EBadLength);
    let mut bytes = b"vramhub/reveal/v1";
    bytes.append(acc);
    bytes.append(bcs::to_bytes(&uid));
    bytes.append(bcs::to_bytes(&commit_seq));
    bytes.append(content_hash);
    bytes.append(bcs::to_bytes(&size));
    bytes.push_back(codec);
    sha2_256(bytes)
}

/// `windowDigest` of `enclave/protocol/commit.ts`: what a judge signs binds every input of `window`.
public fun context_digest(rs: &RoundState, hp: &Hparams, window: u64): vector<u8> {
    assert_seeds_drawn(rs, window);
    let at = inner(rs);
    let row = row(rs, window);
    let params = &row.params;
    let (tail_hash, assign, judge) = if (params.randomness_kind() == 0) {
        let (assign, judge) = rounds(rs, hp, window);
        (at.beacon_hash, bcs::to_bytes(&assign), bcs::to_bytes(&judge))
    } else (vector[], row.assign_seed, row.judge_seed);
    let mut randomness = vector[params.randomness_kind()];
    randomness.append(tail_hash);
    randomness.append(assign);
    randomness.append(judge);
    digest_of(
        at.chain_id,
        ledger_id(rs),
        params,
        window,
        at.model_hash,
        row.base,
        at.dataset_root,
        randomness,
        row.acc,
    )
}

fun digest_of(
    chain_id: vector<u8>,
    ledger_id: vector<u8>,
    params: &Params,
    window: u64,
    model_hash: vector<u8>,
    base_hash: vector<u8>,
    dataset_root: vector<u8>,
    randomness: vector<u8>,
    acc: vector<u8>,
): vector<u8> {
    let mut bytes = b"vramhub/window/v1";
    bytes.append(chain_id);
    bytes.append(ledger_id);
    bytes.push_back(params.workload());
    bytes.push_back(params.version());
    bytes.append(bcs::to_bytes(&window));
    bytes.append(params.digest());
    bytes.append(model_hash);
    bytes.append(base_hash);
    bytes.append(dataset_root);
    bytes.append(randomness);
    bytes.append(acc);
    sha2_256(bytes)
}

/// The beacon rounds of `window`: the first strictly after its start, and the first at or after its reveal
/// deadline plus the margin.
public fun rounds(rs: &RoundState, hp: &Hparams, window: u64): (u64, u64) {
    let at = inner(rs);
    let params = params(rs, window);
    let times = hp.deadlines(window, params);
    let due = times.reveal() + params.beacon_margin_ms();
    (
        round_after(at.beacon_genesis_ms, at.beacon_period_ms, times.start()),
        round_at_or_after(at.beacon_genesis_ms, at.beacon_period_ms, due),
    )
}

fun round_after(genesis_ms: u64, period_ms: u64, time_ms: u64): u64 {
    if (time_ms < genesis_ms) 1 else (time_ms - genesis_ms) / period_ms + 2
}

fun round_at_or_after(genesis_ms: u64, period_ms: u64, time_ms: u64): u64 {
    if (time_ms <= genesis_ms) 1 else (time_ms - genesis_ms).divide_and_round_up(period_ms) + 1
}

// === What upper modules note ===

/// A window is being settled (1) or is settled (2).
public(package) fun set_status(rs: &mut RoundState, window: u64, status: u8) {
    row_mut(rs, window).status = status;
}

/// A validator of `stake` has reported.
public(package) fun add_reported(rs: &mut RoundState, window: u64, stake: u64) {
    let row = row_mut(rs, window);
    row.reported_stake = row.reported_stake + (stake as u128);
}

/// A validator of `stake` has sent its outcome.
public(package) fun add_outcome(rs: &mut RoundState, window: u64, stake: u64) {
    let row = row_mut(rs, window);
    row.outcome_stake = row.outcome_stake + (stake as u128);
}

/// The outcome of `window` moves the base from which `window + 2` starts; gain in 1e-6 nats, biased by 2^63.
public(package) fun set_base(
    rs: &mut RoundState,
    window: u64,
    manifest_hash: vector<u8>,
    gain: u64,
) {
    assert!(manifest_hash.length() == 32, EBadLength);
    inner_mut(rs).base = manifest_hash;
    event::emit(BaseAnchored { window: window + 2, manifest_hash, gain });
}

/// The outcome of `window` agreed on a merge that gained too little.
public(package) fun keep_base(_: &RoundState, window: u64, manifest_hash: vector<u8>, gain: u64) {
    event::emit(BaseKept { window: window + 2, manifest_hash, gain });
}

// === Views ===

/// 32 bytes: the ledger id of every signed structure.
public fun ledger_id(rs: &RoundState): vector<u8> { inner(rs).ledger_id }

/// Sui's chain identifier, 32 bytes.
public fun chain_id(rs: &RoundState): vector<u8> { inner(rs).chain_id }

/// 32 bytes.
public fun model_hash(rs: &RoundState): vector<u8> { inner(rs).model_hash }

/// 32 bytes.
public fun dataset_root(rs: &RoundState): vector<u8> { inner(rs).dataset_root }

/// Pages of the data set, held-out ones included.
public fun dataset_pages(rs: &RoundState): u64 { inner(rs).dataset_pages }

/// The beacon's chain hash, genesis and period in milliseconds.
public fun beacon(rs: &RoundState): (vector<u8>, u64, u64) {
    let at = inner(rs);
    (at.beacon_hash, at.beacon_genesis_ms, at.beacon_period_ms)
}

/// Manifest hash of the base from which the next window starts.
public fun next_base(rs: &RoundState): vector<u8> { inner(rs).base }

/// Windows that are neither closed nor skipped, ascending.
public fun open_windows(rs: &RoundState): vector<u64> { inner(rs).open }

/// Whether `window` has a row.
public fun has_window(rs: &RoundState, window: u64): bool { inner(rs).windows.contains(window) }

/// Whether `window` is closed or skipped, or has no row.
public fun is_ended(rs: &RoundState, window: u64): bool {
    let windows = &inner(rs).windows;
    !windows.contains(window) || windows[window].status >= CLOSED
}

/// The parameters that rule `window`.
public fun params(rs: &RoundState, window: u64): &Params { &row(rs, window).params }

/// The moments of `window`.
public fun deadlines(rs: &RoundState, hp: &Hparams, window: u64): Deadlines {
    hp.deadlines(window, params(rs, window))
}

/// 0 open, 1 settling, 2 settled, 3 closed, 4 skipped.
public fun status(rs: &RoundState, window: u64): u8 { row(rs, window).status }

/// Takes reports.
public fun status_open(): u8 { OPEN }

/// Is being settled.
public fun status_settling(): u8 { SETTLING }

/// Takes outcomes.
public fun status_settled(): u8 { SETTLED }

/// Is over.
public fun status_closed(): u8 { CLOSED }

/// Is over and changed nothing.
public fun status_skipped(): u8 { SKIPPED }

/// The fold of the window's reveals, 32 bytes.
public fun acc(rs: &RoundState, window: u64): vector<u8> { row(rs, window).acc }

/// How many reveals were folded.
public fun reveal_count(rs: &RoundState, window: u64): u64 { row(rs, window).reveal_count }

/// Manifest hash of the base from which `window` started.
public fun base_of(rs: &RoundState, window: u64): vector<u8> { row(rs, window).base }

/// The stake snapshot, by ascending uid.
public fun seats(rs: &RoundState, window: u64): &vector<Seat> { &row(rs, window).seats }

/// The seat of validator `uid` in the snapshot.
public fun seat(rs: &RoundState, window: u64, uid: u16): Option<Seat> {
    let seats = seats(rs, window);
    let found = seats.find_index!(|seat| seat.uid == uid);
    found.map!(|i| seats[i])
}

/// Stake of the whole snapshot, in MIST.
public fun snapshot_stake(rs: &RoundState, window: u64): u128 { row(rs, window).snapshot_stake }

/// Stake of those that reported.
public fun reported_stake(rs: &RoundState, window: u64): u128 { row(rs, window).reported_stake }

/// Stake of those that sent their outcome.
public fun outcome_stake(rs: &RoundState, window: u64): u128 { row(rs, window).outcome_stake }

/// More than half of the snapshot's stake has reported.
public fun has_report_quorum(rs: &RoundState, window: u64): bool {
    let row = row(rs, window);
    2 * row.reported_stake > row.snapshot_stake
}

/// A row of a snapshot.
public(package) fun new_seat(
    uid: u16,
    generation: u64,
    owner: address,
    stake: u64,
    active_from: u64,
): Seat {
    Seat { uid, generation, owner, stake, active_from }
}

/// The slot.
public fun seat_uid(seat: &Seat): u16 { seat.uid }

/// How many had the slot, this one included.
public fun seat_generation(seat: &Seat): u64 { seat.generation }

/// Who has it.
public fun seat_owner(seat: &Seat): address { seat.owner }

/// MIST.
public fun seat_stake(seat: &Seat): u64 { seat.stake }

/// Its first window.
public fun seat_active_from(seat: &Seat): u64 { seat.active_from }

#[test_only]
public fun init_for_testing(ctx: &mut TxContext) { init(ctx); }

#[test_only]
public fun set_version_for_testing(rs: &mut RoundState, version: u64) { rs.version = version; }

/// Signed fixtures are made for a fixed ledger.
#[test_only]
public fun set_ledger_id_for_testing(rs: &mut RoundState, ledger_id: vector<u8>) {
    inner_mut(rs).ledger_id = ledger_id;
}

#[test_only]
public fun draw_seeds_for_testing(
    rs: &mut RoundState,
    hp: &Hparams,
    window: u64,
    random: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) { draw_seeds(rs, hp, window, random, clock, ctx); }

#[test_only]
public fun set_seed_for_testing(rs: &mut RoundState, window: u64, judge: bool, seed: vector<u8>) {
    set_seed(rs, window, judge, seed);
}

#[test_only]
public fun digest_of_for_testing(
    chain_id: vector<u8>,
    ledger_id: vector<u8>,
    params: &Params,
    window: u64,
    model_hash: vector<u8>,
    base_hash: vector<u8>,
    dataset_root: vector<u8>,
    randomness: vector<u8>,
    acc: vector<u8>,
): vector<u8> {
    digest_of(
        chain_id,
        ledger_id,
        params,
        window,
        model_hash,
        base_hash,
        dataset_root,
        randomness,
        acc,
    )
}

#[test_only]
public fun rounds_for_testing(genesis_ms: u64, period_ms: u64, time_ms: u64): (u64, u64) {
    (round_after(genesis_ms, period_ms, time_ms), round_at_or_after(genesis_ms, period_ms, time_ms))
}
