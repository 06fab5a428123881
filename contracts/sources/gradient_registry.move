/// Commit before anybody can see, reveal when nobody can copy any more. One row per uid and window. Reveals lie in
/// packed chunks in order of arrival, readable from state, and are folded into the window's accumulator.
module vramhub::gradient_registry;

use std::hash::sha2_256;
use sui::bcs;
use sui::clock::Clock;
use sui::dynamic_field;
use sui::event;
use sui::table::{Self, Table};
use vramhub::hparams::{AdminCap, Hparams};
use vramhub::peer_registry::{Self, PeerRegistry};
use vramhub::round_state::RoundState;
use vramhub::validator_registry::ValidatorRegistry;

/// Commits and reveals are for the running window.
#[error(code = 1)]
const EWrongWindow: vector<u8> = b"Not the running window";
/// The commit deadline is over.
#[error(code = 2)]
const ECommitsClosed: vector<u8> = b"Commits are closed";
/// One commit per uid and window.
#[error(code = 3)]
const EAlreadyCommitted: vector<u8> = b"Committed already";
/// A commitment is a SHA-256 hash.
#[error(code = 4)]
const EBadCommitment: vector<u8> = b"A commitment is 32 bytes";
/// Reveals begin at the commit deadline.
#[error(code = 5)]
const ERevealsNotOpen: vector<u8> = b"Reveals are not open yet";
/// The reveal deadline is over.
#[error(code = 6)]
const ERevealsClosed: vector<u8> = b"Reveals are closed";
/// There is nothing to reveal.
#[error(code = 7)]
const ENotCommitted: vector<u8> = b"Not committed in this window";
/// One reveal a commit.
#[error(code = 8)]
const EAlreadyRevealed: vector<u8> = b"Revealed already";
/// Ledger, uid, window, content hash and salt must hash to the commitment.
#[error(code = 9)]
const ECommitmentMismatch: vector<u8> = b"Not what was committed";
/// Empty, or above the window's max_gradient_bytes.
#[error(code = 10)]
const EBadSize: vector<u8> = b"The size is out of bounds";
/// Codecs 1, 2 and 3 are known.
#[error(code = 11)]
const EBadCodec: vector<u8> = b"The codec is unknown";
/// A reference is 1 to 256 printable ASCII characters without spaces.
#[error(code = 12)]
const EBadRef: vector<u8> = b"Not 1 to 256 printable ASCII characters";
/// Rows are kept while their window can be judged and for its retention.
#[error(code = 13)]
const ETooYoung: vector<u8> = b"The rows are still to be kept";
/// There are no rows of this window.
#[error(code = 14)]
const EUnknownWindow: vector<u8> = b"The window has no commits";
/// The object is of another version of this package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

const VERSION: u64 = 1;
/// Reveals in a chunk: 22 KB with the longest references.
const CHUNK: u64 = 64;
const MAX_REF: u64 = 256;
const HASH_BYTES: u64 = 32;

/// The one shared object; its state is a dynamic field keyed by the version.
public struct GradientRegistry has key {
    id: UID,
    version: u64,
}

public struct GradientRegistryInner has store {
    /// Number of the next commit on this ledger.
    next_seq: u64,
    windows: Table<u64, Submissions>,
}

/// What one window holds; at most 256 commits.
public struct Submissions has store {
    commits: Table<u16, Commit>,
    /// Who committed, in order of arrival: what `prune` removes.
    committed: vector<u16>,
    chunks: Table<u64, vector<Reveal>>,
    /// Who revealed, ascending, and beside each uid its place in the order of arrival.
    uids: vector<u16>,
    places: vector<u64>,
}

public struct Commit has drop, store {
    generation: u64,
    owner: address,
    seq: u64,
    commitment: vector<u8>,
    revealed: bool,
}

/// A revealed gradient, as the ledger numbered it.
public struct Reveal has copy, drop, store {
    uid: u16,
    generation: u64,
    owner: address,
    commit_seq: u64,
    content_hash: vector<u8>,
    size: u32,
    codec: u8,
    storage_ref: vector<u8>,
}

public struct GradientCommitted has copy, drop {
    window: u64,
    uid: u16,
    seq: u64,
    commitment: vector<u8>,
}

public struct GradientRevealed has copy, drop {
    window: u64,
    uid: u16,
    commit_seq: u64,
    content_hash: vector<u8>,
    size: u32,
    codec: u8,
    storage_ref: vector<u8>,
}

public struct SubmissionsPruned has copy, drop { window: u64 }

fun init(ctx: &mut TxContext) {
    let mut id = object::new(ctx);
    let inner = GradientRegistryInner { next_seq: 0, windows: table::new(ctx) };
    dynamic_field::add(&mut id, VERSION, inner);
    transfer::share_object(GradientRegistry { id, version: VERSION });
}

/// The upgrade's door: there is nothing older than version 1.
public fun migrate(_cap: &AdminCap, _gr: &mut GradientRegistry) {
    abort EWrongVersion
}

/// Commit to a gradient in the running window, before its commit deadline. By the owner of slot `uid`, whose stake must
/// cover the fee of an unrevealed commit. `commitment` is 32 bytes:
/// `SHA-256("vramhub/commit/v1" ‖ ledger id ‖ uid u16 ‖ window u64 ‖ content hash ‖ salt)`.
/// Returns the commit's number on this ledger.
public fun commit(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    gr: &mut GradientRegistry,
    uid: u16,
    window: u64,
    commitment: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
): u64 {
    peer_registry::roll(rs, hp, vr, pr, clock);
    assert!(window == hp.current_window(clock), EWrongWindow);
    assert!(clock.timestamp_ms() < rs.deadlines(hp, window).commit(), ECommitsClosed);
    let owner = ctx.sender();
    let fee = rs.params(window).unrevealed_fee();
    pr.assert_owner(uid, owner);
    pr.assert_covers(uid, fee);
    assert!(commitment.length() == HASH_BYTES, EBadCommitment);
    let inner = gr.inner_mut();
    if (!inner.windows.contains(window)) inner.windows.add(window, new_submissions(ctx));
    let rows = &mut inner.windows[window];
    assert!(!rows.commits.contains(uid), EAlreadyCommitted);
    let seq = inner.next_seq;
    inner.next_seq = seq + 1;
    let generation = pr.generation_of(uid).destroy_some();
    rows.commits.add(uid, Commit { generation, owner, seq, commitment, revealed: false });
    rows.committed.push_back(uid);
    pr.note_commit(uid, window, fee);
    event::emit(GradientCommitted { window, uid, seq, commitment });
    seq
}

/// Reveal what was committed: between the commit deadline and the reveal deadline of the running window, by who
/// committed it. `content_hash` is the SHA-256 of the gradient's `size` bytes in wire format `codec`, `salt` 32 bytes,
/// `storage_ref` where they lie.
public fun reveal(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    gr: &mut GradientRegistry,
    uid: u16,
    window: u64,
    content_hash: vector<u8>,
    size: u32,
    codec: u8,
    salt: vector<u8>,
    storage_ref: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    peer_registry::roll(rs, hp, vr, pr, clock);
    assert!(window == hp.current_window(clock), EWrongWindow);
    let times = rs.deadlines(hp, window);
    assert!(clock.timestamp_ms() >= times.commit(), ERevealsNotOpen);
    assert!(clock.timestamp_ms() < times.reveal(), ERevealsClosed);
    let inner = gr.inner_mut();
    assert!(inner.has_commit(window, uid), ENotCommitted);
    // Slots change hands between windows only: the committer owns the slot still.
    pr.assert_owner(uid, ctx.sender());
    let rows = &mut inner.windows[window];
    let committed = &mut rows.commits[uid];
    assert!(!committed.revealed, EAlreadyRevealed);
    assert!(size > 0 && size <= rs.params(window).max_gradient_bytes(), EBadSize);
    assert!(codec >= 1 && codec <= 3, EBadCodec);
    assert!(is_ref(&storage_ref), EBadRef);
    assert!(
        content_hash.length() == HASH_BYTES && salt.length() == HASH_BYTES &&
        commitment_of(rs.ledger_id(), uid, window, content_hash, salt) == committed.commitment,
        ECommitmentMismatch,
    );
    committed.revealed = true;
    let Commit { generation, owner, seq: commit_seq, .. } = committed;
    let row = Reveal {
        uid,
        generation: *generation,
        owner: *owner,
        commit_seq: *commit_seq,
        content_hash,
        size,
        codec,
        storage_ref,
    };
    rows.push(row);
    rs.fold(window, uid, row.commit_seq, content_hash, size, codec);
    pr.note_reveal(uid);
    event::emit(GradientRevealed {
        window,
        uid,
        commit_seq: row.commit_seq,
        content_hash,
        size,
        codec,
        storage_ref,
    });
}

/// Remove the rows of a window that is over and past its retention. Anyone; the storage's rebate is theirs.
public fun prune(gr: &mut GradientRegistry, rs: &RoundState, window: u64) {
    let inner = gr.inner_mut();
    assert!(inner.windows.contains(window), EUnknownWindow);
    assert!(rs.is_prunable(window), ETooYoung);
    let Submissions { mut commits, committed, mut chunks, uids, places: _ } = inner
        .windows
        .remove(window);
    committed.do!(|uid| { commits.remove(uid); });
    commits.destroy_empty();
    uids.length().divide_and_round_up(CHUNK).do!(|i| { chunks.remove(i); });
    chunks.destroy_empty();
    event::emit(SubmissionsPruned { window });
}

// === Views ===

/// Commits of `window`.
public fun commit_count(gr: &GradientRegistry, window: u64): u64 {
    let inner = gr.inner();
    if (inner.windows.contains(window)) inner.windows[window].committed.length() else 0
}

/// Reveals of `window`.
public fun reveal_count(gr: &GradientRegistry, window: u64): u64 {
    gr.sorted_uids(window).length()
}

/// The commitment of slot `uid` in `window`, if it made one.
public fun commitment(gr: &GradientRegistry, window: u64, uid: u16): Option<vector<u8>> {
    let inner = gr.inner();
    if (!inner.has_commit(window, uid)) return option::none();
    option::some(inner.windows[window].commits[uid].commitment)
}

/// Reveal `i` of `window` in order of arrival; `i` is below `reveal_count`.
public fun reveal_at(gr: &GradientRegistry, window: u64, i: u64): Reveal {
    gr.rows(window).chunks[i / CHUNK][i % CHUNK]
}

/// Who revealed in `window`, strictly ascending.
public fun sorted_uids(gr: &GradientRegistry, window: u64): vector<u16> {
    let inner = gr.inner();
    if (inner.windows.contains(window)) inner.windows[window].uids
    else vector[]
}

/// Reveal `i` of `window` by ascending uid; `i` is below `reveal_count`.
public fun sorted_reveal(gr: &GradientRegistry, window: u64, i: u64): Reveal {
    gr.reveal_at(window, gr.rows(window).places[i])
}

/// Number of the next commit on this ledger.
public fun next_seq(gr: &GradientRegistry): u64 { gr.inner().next_seq }

/// The miner's slot.
public fun reveal_uid(reveal: &Reveal): u16 { reveal.uid }

/// How often the slot had been taken.
public fun reveal_generation(reveal: &Reveal): u64 { reveal.generation }

/// Who is paid for it.
public fun reveal_owner(reveal: &Reveal): address { reveal.owner }

/// The ledger's number of the commit: who was first.
public fun reveal_commit_seq(reveal: &Reveal): u64 { reveal.commit_seq }

/// SHA-256 of the gradient's bytes.
public fun reveal_content_hash(reveal: &Reveal): vector<u8> { reveal.content_hash }

/// Their length.
public fun reveal_size(reveal: &Reveal): u32 { reveal.size }

/// Their wire format.
public fun reveal_codec(reveal: &Reveal): u8 { reveal.codec }

/// Where they lie.
public fun reveal_storage_ref(reveal: &Reveal): vector<u8> { reveal.storage_ref }

/// What a miner commits to before anybody can see its gradient.
public fun commitment_of(
    ledger_id: vector<u8>,
    uid: u16,
    window: u64,
    content_hash: vector<u8>,
    salt: vector<u8>,
): vector<u8> {
    let mut bytes = b"vramhub/commit/v1";
    bytes.append(ledger_id);
    bytes.append(bcs::to_bytes(&uid));
    bytes.append(bcs::to_bytes(&window));
    bytes.append(content_hash);
    bytes.append(salt);
    sha2_256(bytes)
}

// === Inside ===

fun inner(gr: &GradientRegistry): &GradientRegistryInner {
    assert!(gr.version == VERSION, EWrongVersion);
    dynamic_field::borrow(&gr.id, VERSION)
}

fun inner_mut(gr: &mut GradientRegistry): &mut GradientRegistryInner {
    assert!(gr.version == VERSION, EWrongVersion);
    dynamic_field::borrow_mut(&mut gr.id, VERSION)
}

fun rows(gr: &GradientRegistry, window: u64): &Submissions {
    let windows = &gr.inner().windows;
    assert!(windows.contains(window), EUnknownWindow);
    &windows[window]
}

fun new_submissions(ctx: &mut TxContext): Submissions {
    Submissions {
        commits: table::new(ctx),
        committed: vector[],
        chunks: table::new(ctx),
        uids: vector[],
        places: vector[],
    }
}

fun has_commit(inner: &GradientRegistryInner, window: u64, uid: u16): bool {
    inner.windows.contains(window) && inner.windows[window].commits.contains(uid)
}

fun is_ref(storage_ref: &vector<u8>): bool {
    let length = storage_ref.length();
    length > 0 && length <= MAX_REF && storage_ref.all!(|byte| *byte > 0x20 && *byte < 0x7f)
}

/// Append a reveal, and keep `uids` sorted by insertion.
fun push(rows: &mut Submissions, row: Reveal) {
    let place = rows.uids.length();
    if (place % CHUNK == 0) rows.chunks.add(place / CHUNK, vector[]);
    rows.chunks[place / CHUNK].push_back(row);
    let mut at = place;
    while (at > 0 && rows.uids[at - 1] > row.uid) at = at - 1;
    rows.uids.insert(row.uid, at);
    rows.places.insert(place, at);
}

#[test_only]
public fun init_for_testing(ctx: &mut TxContext) { init(ctx) }

#[test_only]
public fun set_version_for_testing(gr: &mut GradientRegistry, version: u64) {
    gr.version = version;
}

/// A reveal of `window` without a commit and without checks: row and fold.
#[test_only]
public fun reveal_for_testing(
    gr: &mut GradientRegistry,
    rs: &mut RoundState,
    uid: u16,
    generation: u64,
    owner: address,
    window: u64,
    content_hash: vector<u8>,
    size: u32,
    codec: u8,
    storage_ref: vector<u8>,
    ctx: &mut TxContext,
) {
    let inner = gr.inner_mut();
    if (!inner.windows.contains(window)) inner.windows.add(window, new_submissions(ctx));
    let commit_seq = inner.next_seq;
    inner.next_seq = commit_seq + 1;
    let rows = &mut inner.windows[window];
    rows.push(Reveal {
        uid,
        generation,
        owner,
        commit_seq,
        content_hash,
        size,
        codec,
        storage_ref,
    });
    rs.fold(window, uid, commit_seq, content_hash, size, codec);
}
