/// Reports in, settlement by cursor, outcomes in. The bytes that a judge signed are decoded here; no argument
/// travels beside them. Losses and mu are u64 biased by 2^63, in 1e-6.
///
/// Sui allows a transaction 1,000 dynamic fields. At 256 miners and 32 validators the outcome that crosses the
/// quorum touches about 580: 256 miners' slots, 288 rows of claims, 5 chunks of settled rows, 1 message, 1 payout,
/// and under 30 of the shared objects, the windows' rows, the judge's key and the roll. So it applies all at once.
/// A settle call touches 32 reports, 64 slots and as many former records, 8 chunks: under 200.
module vramhub::score_ledger;

use std::hash::sha2_256;
use sui::bcs;
use sui::clock::Clock;
use sui::dynamic_field as df;
use sui::ed25519;
use sui::event;
use sui::table::{Self, Table};
use vramhub::enclave_registry::{Self as er, EnclaveRegistry, Head};
use vramhub::gradient_registry::GradientRegistry;
use vramhub::hparams::{AdminCap, Hparams};
use vramhub::peer_registry::{Self, PeerRegistry};
use vramhub::reward_distributor::{Self as rd, RewardPool};
use vramhub::round_state::{Self, RoundState};
use vramhub::validator_registry::{Self, ValidatorRegistry};

/// The bytes are not, exactly, a message of that intent.
#[error(code = 1)]
const EBadMessage: vector<u8> = b"Not a judge's message of this kind";
/// Signed for another chain or ledger.
#[error(code = 2)]
const EWrongLedger: vector<u8> = b"Message for another ledger";
/// Not in the window's stake snapshot; or nothing is at stake any more.
#[error(code = 3)]
const ENotValidator: vector<u8> = b"Not this window's validator";
/// Before the window's end, or past the deadline.
#[error(code = 4)]
const EWrongPhase: vector<u8> = b"Too early or too late";
/// The window before this one can still be judged.
#[error(code = 5)]
const EPreviousOpen: vector<u8> = b"The window before is open";
/// No key of this validator counts.
#[error(code = 6)]
const ENoEnclave: vector<u8> = b"No enclave is registered";
/// Registered at or after the window's reveal deadline.
#[error(code = 7)]
const EKeyTooNew: vector<u8> = b"Key registered after the reveals";
/// Past the hparam `key_ttl_ms`.
#[error(code = 8)]
const EKeyExpired: vector<u8> = b"Key expired: attest again";
/// Not by the registered key over these very bytes.
#[error(code = 9)]
const EBadSignature: vector<u8> = b"Not signed by the registered key";
/// One report and one outcome a validator and window; one slash an offence.
#[error(code = 10)]
const EAlreadySubmitted: vector<u8> = b"Submitted already";
/// Another window, base, data set, set of gradients or settlement was judged.
#[error(code = 11)]
const EWrongDigest: vector<u8> = b"Of another window or settlement";
/// Not exactly one row for every reveal, or for every rated miner.
#[error(code = 12)]
const EWrongEntries: vector<u8> = b"Not exactly the rows due";
/// Reports of at most half of the snapshot's stake.
#[error(code = 13)]
const ENoQuorum: vector<u8> = b"Not more than half has reported";
/// Outcomes follow the settlement.
#[error(code = 14)]
const ENotSettled: vector<u8> = b"The window is not settled";
/// Closed or skipped.
#[error(code = 15)]
const EClosed: vector<u8> = b"The window is over";
/// Settling waits for the deadline, or for all reports.
#[error(code = 16)]
const EReportsOpen: vector<u8> = b"Reports are still taken";
/// Not two different messages by one registered key for one intent and window, or job.
#[error(code = 17)]
const ENotEquivocation: vector<u8> = b"Not two messages on one subject";
/// 1..64 reveals a call.
#[error(code = 18)]
const EBadLimit: vector<u8> = b"A call settles 1 to 64 reveals";
/// The rows are still to be kept.
#[error(code = 19)]
const ETooYoung: vector<u8> = b"The rows are still to be kept";
/// The shared object is of another version of this package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

/// Version of the state that this package reads.
const VERSION: u64 = 1;
/// Reveals that one settle call handles at most, and rows of a chunk.
const MAX_SETTLE: u64 = 64;
/// Intents.
const REPORT: u8 = 1;
const OUTCOME: u8 = 2;
const JOB: u8 = 3;
/// 2^63: an unmeasured loss, and zero of a biased value.
const BIAS: u64 = 1 << 63;
/// Rows of a message at most: one a miner's slot.
const MAX_ROWS: u64 = 256;
/// 2^53 − 1: losses are at most this.
const MAX_SAFE: u64 = (1 << 53) - 1;
/// Ratings lie within a million, in 1e-6.
const MAX_RATING: u64 = 1_000_000_000_000;
/// Bytes of a report's entry, of a rating, of a job's verdict.
const ENTRY: u64 = 27;
const RATING: u64 = 18;
const JOB_BYTES: u64 = 196;
/// The base moves where the merge gains more units than this.
const SCORE_NOISE: u64 = 2;

/// The ledger of scores: one shared object, made when the package is published.
public struct ScoreLedger has key { id: UID, version: u64 }

public struct ScoreLedgerInner has store {
    windows: Table<u64, Judgement>,
    messages: Table<MessageKey, Message>,
    /// The staging rows: an outcome makes them count, a skip makes them void.
    chunks: Table<ChunkKey, Chunk>,
}

public struct MessageKey has copy, drop, store { window: u64, intent: u8, validator: u16 }

/// A message as it was signed, by which key, and when it came.
public struct Message has copy, drop, store {
    bytes: vector<u8>,
    signature: vector<u8>,
    key: vector<u8>,
    at_ms: u64,
}

public struct ChunkKey has copy, drop, store { window: u64, index: u64 }

public struct Chunk has drop, store { rows: vector<SettledRow>, origins: vector<Origin> }

/// What was settled for one reveal; its BCS is what the settled digest hashes: 43 bytes.
public struct SettledRow has copy, drop, store {
    uid: u16,
    verdict: u8,
    own_before: u64,
    own_after: u64,
    random_after: u64,
    prior_mu: u64,
    prior_sigma: u64,
}

/// Whose the reveal is, its average after the window, and its counts before.
public struct Origin has copy, drop, store {
    generation: u64,
    owner: address,
    average: u64,
    measured: u64,
    accepted: u64,
}

/// A window's judgement so far.
public struct Judgement has drop, store {
    judges: vector<Judge>,
    votes: vector<Vote>,
    /// How many reveals are settled, by ascending uid.
    cursor: u64,
    random_before: u64,
    /// Empty until all are settled.
    digest: vector<u8>,
    rated: bool,
    base: Option<Base>,
}

/// Who reported, and what settling made of its entries.
public struct Judge has drop, store {
    uid: u16,
    stake: u64,
    random_before: u64,
    /// Where its entries begin in its message.
    rows_at: u64,
    abstained: u64,
    deviated: u64,
}

/// What an outcome says, its ratings by their hash.
public struct Vote has copy, drop, store {
    validator: u16,
    stake: u64,
    ratings: vector<u8>,
    manifest: Option<vector<u8>>,
    current_loss: u64,
    merged_loss: u64,
}

/// What became of the merge: lower medians of its signers.
public struct Base has copy, drop, store {
    hash: vector<u8>,
    moved: bool,
    current_loss: u64,
    merged_loss: u64,
}

/// A judge's report was taken.
public struct ReportSubmitted has copy, drop { window: u64, validator: u16, message: vector<u8> }
/// Some reveals were settled, up to the uid `cursor`.
public struct SettleAdvanced has copy, drop { window: u64, cursor: u16 }
/// All reveals were settled.
public struct WindowSettled has copy, drop { window: u64, digest: vector<u8>, random_before: u64 }
/// A judge's outcome was taken.
public struct OutcomeSubmitted has copy, drop { window: u64, validator: u16, message: vector<u8> }
/// The window's messages and rows were dropped from state.
public struct JudgementPruned has copy, drop { window: u64 }

fun init(ctx: &mut TxContext) {
    let mut id = object::new(ctx);
    let inner = ScoreLedgerInner {
        windows: table::new(ctx),
        messages: table::new(ctx),
        chunks: table::new(ctx),
    };
    df::add(&mut id, VERSION, inner);
    transfer::share_object(ScoreLedger { id, version: VERSION });
}

fun inner(sl: &ScoreLedger): &ScoreLedgerInner {
    assert!(sl.version == VERSION, EWrongVersion);
    df::borrow(&sl.id, VERSION)
}

fun inner_mut(sl: &mut ScoreLedger): &mut ScoreLedgerInner {
    assert!(sl.version == VERSION, EWrongVersion);
    df::borrow_mut(&mut sl.id, VERSION)
}

/// The door of an upgrade. Version 1 has nothing older to come from.
public fun migrate(_: &AdminCap, _: &mut ScoreLedger) {
    abort EWrongVersion
}

// === Reports ===

/// Take a judge's report: its validator, once, from the window's end to the report deadline.
public fun submit_report(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    er: &EnclaveRegistry,
    gr: &GradientRegistry,
    sl: &mut ScoreLedger,
    message: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    validator_registry::roll(rs, hp, vr, clock);
    let head = decode_report(&message);
    let key = authenticate(rs, hp, er, &head, REPORT, &message, &signature, clock, ctx);
    accept_report(rs, hp, gr, sl, &head, message, signature, key, clock);
}

/// A report whose signature is checked; aborts EBadMessage for other bytes.
public(package) fun accept_report(
    rs: &mut RoundState,
    hp: &Hparams,
    gr: &GradientRegistry,
    sl: &mut ScoreLedger,
    head: &Head,
    message: vector<u8>,
    signature: vector<u8>,
    key: vector<u8>,
    clock: &Clock,
) {
    let window = head.head_subject();
    let validator = head.head_validator();
    assert!(rs.status(window) == round_state::status_open(), EClosed);
    assert!(window == 0 || rs.close_if_over(hp, window - 1, clock), EPreviousOpen);
    let state = inner_mut(sl);
    let id = MessageKey { window, intent: REPORT, validator };
    assert!(!state.messages.contains(id), EAlreadySubmitted);
    assert!(er::slice(&message, 84, 32) == rs.context_digest(hp, window), EWrongDigest);
    let (uids, rows_at) = read_rows(&message, 124, ENTRY);
    assert!(uids == gr.sorted_uids(window), EWrongEntries);
    if (!state.windows.contains(window)) state.windows.add(window, new_judgement());
    let stake = rs.seat(window, validator).destroy_some().seat_stake();
    let random_before = er::u64_at(&message, 116);
    state
        .windows[window]
        .judges
        .push_back(Judge {
            uid: validator,
            stake,
            random_before,
            rows_at,
            abstained: 0,
            deviated: 0,
        });
    event::emit(ReportSubmitted { window, validator, message });
    let at_ms = clock.timestamp_ms();
    state.messages.add(id, Message { bytes: message, signature, key, at_ms });
    rs.add_reported(window, stake);
}

fun new_judgement(): Judgement {
    Judgement {
        judges: vector[],
        votes: vector[],
        cursor: 0,
        random_before: BIAS,
        digest: vector[],
        rated: false,
        base: option::none(),
    }
}

/// The head of a report: strict BCS with known verdicts, uids ascending, and losses where, and only where, the
/// verdict has them.
public(package) fun decode_report(message: &vector<u8>): Head {
    let head = read_head(message, REPORT);
    let (uids, rows_at) = read_rows(message, 124, ENTRY);
    assert!(rows_at + uids.length() * ENTRY == message.length(), EBadMessage);
    let random_before = metric_at(message, 116);
    let mut at = rows_at;
    uids.length().do!(|_| {
        let verdict = message[at + 2];
        let known = (verdict >= 1 && verdict <= 10) || verdict == 20 || verdict == 21;
        assert!(known && (verdict != 1 || random_before != BIAS), EBadMessage);
        3u64.do!(|k| {
            let loss = metric_at(message, at + 3 + 8 * k);
            assert!((loss != BIAS) == (verdict == 1), EBadMessage);
        });
        at = at + ENTRY;
    });
    head
}

fun read_head(message: &vector<u8>, intent: u8): Head {
    let head = er::read_head(message, intent);
    assert!(head.is_some(), EBadMessage);
    head.destroy_some()
}

/// The uids of the list at `at`, strictly ascending, and where its rows of `width` bytes begin. They are counted in
/// ULEB128, minimal, and at most 256.
fun read_rows(message: &vector<u8>, at: u64, width: u64): (vector<u16>, u64) {
    let end = message.length();
    assert!(at < end, EBadMessage);
    let mut count = message[at] as u64;
    let mut rows_at = at + 1;
    if (count >= 0x80) {
        assert!(rows_at < end && message[rows_at] != 0, EBadMessage);
        count = count - 0x80 + 0x80 * (message[rows_at] as u64);
        rows_at = rows_at + 1;
    };
    assert!(count <= MAX_ROWS && rows_at + count * width <= end, EBadMessage);
    let mut next = 0;
    let uids = vector::tabulate!(count, |i| {
        let uid = er::u16_at(message, rows_at + width * i);
        assert!(uid as u64 >= next, EBadMessage);
        next = uid as u64 + 1;
        uid
    });
    (uids, rows_at)
}

/// A biased loss, within the numbers that every reader can hold.
fun metric_at(message: &vector<u8>, at: u64): u64 {
    let value = er::u64_at(message, at);
    assert!(value >= BIAS && value - BIAS <= MAX_SAFE, EBadMessage);
    value
}

/// The checks that reports and outcomes share; returns the key that signed.
fun authenticate(
    rs: &RoundState,
    hp: &Hparams,
    er: &EnclaveRegistry,
    head: &Head,
    intent: u8,
    message: &vector<u8>,
    signature: &vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
): vector<u8> {
    let now = clock.timestamp_ms();
    let window = head.head_subject();
    let validator = head.head_validator();
    assert!(head.is_for(rs), EWrongLedger);
    let seat = if (rs.has_window(window)) rs.seat(window, validator) else option::none();
    assert!(seat.is_some_and!(|seat| seat.seat_owner() == ctx.sender()), ENotValidator);
    // In N+2 all of N's deadlines are over, whatever epochs are still kept.
    assert!(window + 2 > hp.current_window(clock), EWrongPhase);
    let times = rs.deadlines(hp, window);
    let deadline = if (intent == REPORT) times.report() else times.outcome();
    assert!(now >= times.end() && now < deadline, EWrongPhase);
    let key = er.active_key(validator, ctx.sender());
    assert!(key.is_some(), ENoEnclave);
    let key = key.destroy_some();
    let enclave = er.enclave(key).destroy_some();
    er.assert_approved(enclave.measurement(), now);
    assert!(intent != REPORT || enclave.registered_ms() < times.reveal(), EKeyTooNew);
    assert!(now < enclave.expires_ms(), EKeyExpired);
    assert!(is_signed(signature, &key, message), EBadSignature);
    key
}

fun is_signed(signature: &vector<u8>, key: &vector<u8>, message: &vector<u8>): bool {
    signature.length() == 64 && ed25519::ed25519_verify(signature, key, message)
}

// === Settlement ===

/// Settle up to `limit` more reveals by ascending uid: anyone, after the report deadline or once the whole
/// snapshot has reported. Returns whether all are settled; then calling it again changes nothing.
public fun settle(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    gr: &GradientRegistry,
    sl: &mut ScoreLedger,
    window: u64,
    limit: u64,
    clock: &Clock,
): bool {
    validator_registry::roll(rs, hp, vr, clock);
    peer_registry::sync(pr, hp.current_window(clock), clock.timestamp_ms());
    assert!(limit >= 1 && limit <= MAX_SETTLE, EBadLimit);
    let status = rs.status(window);
    if (status == round_state::status_settled() || status == round_state::status_closed()) {
        return true
    };
    assert!(status != round_state::status_skipped(), EClosed);
    assert_reported(rs, hp, window, clock.timestamp_ms());
    settle_next(rs, hp, pr, gr, sl, window, limit)
}

/// Refuse while reports can still come, and where too few have.
fun assert_reported(rs: &RoundState, hp: &Hparams, window: u64, now: u64) {
    let times = rs.deadlines(hp, window);
    assert!(now >= times.end(), EReportsOpen);
    let all = rs.reported_stake(window) == rs.snapshot_stake(window);
    assert!(all || now >= times.report(), EReportsOpen);
    assert!(rs.has_report_quorum(window), ENoQuorum);
}

/// Settle the next reveals of a window whose reports are complete.
fun settle_next(
    rs: &mut RoundState,
    hp: &Hparams,
    pr: &PeerRegistry,
    gr: &GradientRegistry,
    sl: &mut ScoreLedger,
    window: u64,
    limit: u64,
): bool {
    let ScoreLedgerInner { windows, messages, chunks } = inner_mut(sl);
    let Judgement { judges, cursor, random_before, digest, .. } = &mut windows[window];
    let (mut stakes, mut befores) = (vector[], vector[]);
    judges.do_ref!(|judge| {
        stakes.push_back(judge.stake);
        befores.push_back(judge.random_before);
    });
    if (*cursor == 0) {
        let known = befores.find_indices!(|before| *before != BIAS);
        *random_before = rd::median_at(&known, &befores, &stakes);
    };
    let before = *random_before;
    let total = gr.reveal_count(window);
    let n = limit.min(total - *cursor);
    // What the judges say of reveal r lies at r, by judge: each message is read once.
    let mut verdicts = vector::tabulate!(n, |_| vector[]);
    let mut own_before = vector::tabulate!(n, |_| vector[]);
    let mut own_after = own_before;
    let mut random_after = own_before;
    judges.do_ref!(|judge| {
        let id = MessageKey { window, intent: REPORT, validator: judge.uid };
        let bytes = &messages[id].bytes;
        let mut at = judge.rows_at + ENTRY * *cursor;
        n.do!(|r| {
            verdicts[r].push_back(bytes[at + 2]);
            own_before[r].push_back(er::u64_at(bytes, at + 3));
            own_after[r].push_back(er::u64_at(bytes, at + 11));
            random_after[r].push_back(er::u64_at(bytes, at + 19));
            at = at + ENTRY;
        });
    });
    let mut last = 0;
    n.do!(|r| {
        let (verdict, median_before, median_after, median_random) = rd::settle_entry(
            &verdicts[r],
            &own_before[r],
            &own_after[r],
            &random_after[r],
            &stakes,
            before,
        );
        let medians = vector[median_before, median_after, median_random];
        judges.length().do!(|j| {
            let found = vector[own_before[r][j], own_after[r][j], random_after[r][j]];
            let bent = rd::is_far(befores[j], before);
            let (abstained, deviated) = rd::compare(verdicts[r][j], found, bent, verdict, medians);
            let judge = &mut judges[j];
            if (abstained) judge.abstained = judge.abstained + 1;
            if (deviated) judge.deviated = judge.deviated + 1;
        });
        let position = *cursor + r;
        let reveal = gr.sorted_reveal(window, position);
        let uid = reveal.reveal_uid();
        let generation = reveal.reveal_generation();
        let record = pr.record_of(uid, generation);
        let average = if (!rd::has_metrics(verdict)) record.record_average()
        else
            rd::next_average(
                record.record_average(),
                before,
                median_before,
                median_after,
                median_random,
            );
        let id = ChunkKey { window, index: position / MAX_SETTLE };
        if (!chunks.contains(id)) chunks.add(id, Chunk { rows: vector[], origins: vector[] });
        let chunk = &mut chunks[id];
        chunk
            .rows
            .push_back(SettledRow {
                uid,
                verdict,
                own_before: median_before,
                own_after: median_after,
                random_after: median_random,
                prior_mu: record.record_mu(),
                prior_sigma: record.record_sigma(),
            });
        chunk
            .origins
            .push_back(Origin {
                generation,
                owner: reveal.reveal_owner(),
                average,
                measured: record.record_measured(),
                accepted: record.record_accepted(),
            });
        last = uid;
    });
    *cursor = *cursor + n;
    if (*cursor < total) {
        rs.set_status(window, round_state::status_settling());
        event::emit(SettleAdvanced { window, cursor: last });
        return false
    };
    let mut rows = vector[];
    total.divide_and_round_up(MAX_SETTLE).do!(|index| {
        rows.append(chunks[ChunkKey { window, index }].rows);
    });
    let of = rs.context_digest(hp, window);
    *digest = settled_digest_of(of, rs.base_of(window + 1), before, rows);
    rs.set_status(window, round_state::status_settled());
    event::emit(WindowSettled { window, digest: *digest, random_before: before });
    true
}

/// `SHA-256("vramhub/settled/v1" ‖ BCS(window digest, base(N+1), random_before, rows by uid))`.
fun settled_digest_of(
    window_digest: vector<u8>,
    next_base: vector<u8>,
    random_before: u64,
    rows: vector<SettledRow>,
): vector<u8> {
    let mut bytes = b"vramhub/settled/v1";
    bytes.append(window_digest);
    bytes.append(next_base);
    bytes.append(bcs::to_bytes(&random_before));
    bytes.append(bcs::to_bytes(&rows));
    sha2_256(bytes)
}

// === Outcomes ===

/// Take a judge's outcome: its validator, once, until the outcome deadline. The one that crosses half of the
/// snapshot's stake applies the ratings and pays; the base moves where more than half measured that it got better.
public fun submit_outcome(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    pr: &mut PeerRegistry,
    er: &EnclaveRegistry,
    sl: &mut ScoreLedger,
    pool: &mut RewardPool,
    message: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    validator_registry::roll(rs, hp, vr, clock);
    peer_registry::sync(pr, hp.current_window(clock), clock.timestamp_ms());
    let (head, vote) = decode_outcome(&message);
    let key = authenticate(rs, hp, er, &head, OUTCOME, &message, &signature, clock, ctx);
    accept_outcome(rs, pr, sl, pool, &head, vote, message, signature, key, clock);
}

/// An outcome whose signature is checked; `vote` is what `decode_outcome` read.
public(package) fun accept_outcome(
    rs: &mut RoundState,
    pr: &mut PeerRegistry,
    sl: &mut ScoreLedger,
    pool: &mut RewardPool,
    head: &Head,
    mut vote: Vote,
    message: vector<u8>,
    signature: vector<u8>,
    key: vector<u8>,
    clock: &Clock,
) {
    let window = head.head_subject();
    let validator = head.head_validator();
    assert!(rs.status(window) != round_state::status_skipped(), EClosed);
    let id = MessageKey { window, intent: OUTCOME, validator };
    let rows_at = check_outcome(inner(sl), id, &message);
    let ScoreLedgerInner { windows, messages, chunks } = inner_mut(sl);
    let judgement = &mut windows[window];
    vote.stake = rs.seat(window, validator).destroy_some().seat_stake();
    judgement.votes.push_back(vote);
    event::emit(OutcomeSubmitted { window, validator, message });
    let at_ms = clock.timestamp_ms();
    messages.add(id, Message { bytes: message, signature, key, at_ms });
    rs.add_outcome(window, vote.stake);
    let total = rs.snapshot_stake(window);
    if (!judgement.rated) {
        let same = judgement.votes.filter!(|other| other.ratings == vote.ratings);
        // Only a window that is rated moves the base: one whose ratings find no majority is skipped.
        if (2 * stake_of(&same) <= total) return;
        rate(rs, pr, chunks, judgement, pool, window, &message, rows_at);
    };
    if (judgement.base.is_none()) move_base(rs, judgement, window, total);
}

/// The head of an outcome and what it votes for: strict BCS, uids ascending, ratings within a million, and losses
/// where, and only where, there is a manifest. The vote's stake is not in the message.
public(package) fun decode_outcome(message: &vector<u8>): (Head, Vote) {
    let head = read_head(message, OUTCOME);
    let (uids, rows_at) = read_rows(message, 116, RATING);
    let mut end = rows_at;
    uids.length().do!(|_| {
        let mu = er::u64_at(message, end + 2);
        let sigma = er::u64_at(message, end + 10);
        assert!(mu.diff(BIAS) <= MAX_RATING && sigma >= 1 && sigma <= MAX_RATING, EBadMessage);
        end = end + RATING;
    });
    let merged = message.length() == end + 49 && message[end] == 1;
    assert!(merged || (message.length() == end + 17 && message[end] == 0), EBadMessage);
    let at = message.length() - 16;
    let current_loss = metric_at(message, at);
    let merged_loss = metric_at(message, at + 8);
    assert!((current_loss != BIAS) == merged && (merged_loss != BIAS) == merged, EBadMessage);
    let manifest = if (merged) option::some(er::slice(message, end + 1, 32)) else option::none();
    let ratings = sha2_256(er::slice(message, 116, end - 116));
    let validator = head.head_validator();
    (head, Vote { validator, stake: 0, ratings, manifest, current_loss, merged_loss })
}

/// Refuse a second outcome, one of another settlement, and one that does not rate exactly the rated. Where its ratings
/// begin.
fun check_outcome(state: &ScoreLedgerInner, id: MessageKey, message: &vector<u8>): u64 {
    assert!(state.windows.contains(id.window), ENotSettled);
    let judgement = &state.windows[id.window];
    assert!(!judgement.digest.is_empty(), ENotSettled);
    assert!(!state.messages.contains(id), EAlreadySubmitted);
    assert!(er::slice(message, 84, 32) == judgement.digest, EWrongDigest);
    let (uids, rows_at) = read_rows(message, 116, RATING);
    assert!(uids == rated_uids(&state.chunks, judgement, id.window), EWrongEntries);
    rows_at
}

fun rated_uids(chunks: &Table<ChunkKey, Chunk>, judgement: &Judgement, window: u64): vector<u16> {
    let mut uids = vector[];
    judgement.chunk_count().do!(|index| {
        chunks[ChunkKey { window, index }].rows.do_ref!(|row| {
            if (rd::is_rated(row.verdict)) uids.push_back(row.uid);
        });
    });
    uids
}

fun chunk_count(judgement: &Judgement): u64 { judgement.cursor.divide_and_round_up(MAX_SETTLE) }

fun stake_of(votes: &vector<Vote>): u128 {
    let mut sum = 0u128;
    votes.do_ref!(|vote| sum = sum + (vote.stake as u128));
    sum
}

/// Apply the ratings that begin at `at` in `message`, and pay.
fun rate(
    rs: &mut RoundState,
    pr: &mut PeerRegistry,
    chunks: &Table<ChunkKey, Chunk>,
    judgement: &mut Judgement,
    pool: &mut RewardPool,
    window: u64,
    message: &vector<u8>,
    mut at: u64,
) {
    let mut miners = vector[];
    judgement.chunk_count().do!(|index| {
        let chunk = &chunks[ChunkKey { window, index }];
        chunk.rows.length().do!(|i| {
            let row = &chunk.rows[i];
            let origin = &chunk.origins[i];
            let mut mu = row.prior_mu;
            let mut sigma = row.prior_sigma;
            if (rd::is_rated(row.verdict)) {
                mu = er::u64_at(message, at + 2);
                sigma = er::u64_at(message, at + 10);
                at = at + RATING;
            };
            let was_accepted = rd::is_accepted(row.verdict);
            let measured = origin.measured + if (rd::has_metrics(row.verdict)) 1 else 0;
            let accepted = origin.accepted + if (was_accepted) 1 else 0;
            // Nothing for whoever has left the slot: its rating is dropped, its pay is not.
            pr.apply_result(
                row.uid,
                origin.generation,
                mu,
                sigma,
                origin.average,
                measured,
                accepted,
                if (was_accepted) option::some(window) else option::none(),
            );
            let weight = if (!was_accepted) 0
            else
                rd::pay_weight(
                    mu,
                    sigma,
                    origin.average,
                    measured,
                    accepted,
                    judgement.random_before,
                    row.random_after,
                );
            miners.push_back(rd::miner_pay(row.uid, origin.owner, weight, mu, sigma));
        });
    });
    let rows = judgement.cursor;
    let validators = rs.seats(window).map_ref!(|seat| {
        let uid = seat.seat_uid();
        let counted = judgement
            .judges
            .any!(|judge| judge.uid == uid && rd::earns(rows, judge.abstained, judge.deviated));
        rd::validator_pay(uid, seat.seat_owner(), seat.seat_stake(), counted)
    });
    rd::pay(pool, window, rs.params(window), miners, validators);
    judgement.rated = true;
    rs.end_window(window, round_state::status_closed(), b"");
}

/// The base moves once more than half of `total` measured that it got better: then the signers' median says so,
/// too, and no minority that signs early can hold it or push it. Nothing while a later outcome can still decide.
fun move_base(rs: &mut RoundState, judgement: &mut Judgement, window: u64, total: u128) {
    let votes = &judgement.votes;
    let crossed = votes.find_index!(|vote| {
        vote.manifest.is_some() && 2 * stake_of(&signers_of(votes, vote)) > total
    });
    if (crossed.is_none()) return;
    let signers = signers_of(votes, &votes[crossed.destroy_some()]);
    let better = stake_of(&signers.filter!(|vote| gain_of(vote) > BIAS + SCORE_NOISE));
    let moved = 2 * better > total;
    if (!moved && 2 * (stake_of(&signers) - better) < total) return;
    let (mut stakes, mut gains, mut currents, mut merged) = (
        vector[],
        vector[],
        vector[],
        vector[],
    );
    signers.do_ref!(|vote| {
        stakes.push_back(vote.stake);
        gains.push_back(gain_of(vote));
        currents.push_back(vote.current_loss);
        merged.push_back(vote.merged_loss);
    });
    let gain = rd::lower_median(gains, stakes);
    let current_loss = rd::lower_median(currents, stakes);
    let merged_loss = rd::lower_median(merged, stakes);
    let hash = signers[0].manifest.destroy_some();
    judgement.base = option::some(Base { hash, moved, current_loss, merged_loss });
    if (moved) rs.set_base(window, hash, gain) else rs.keep_base(window, hash, gain);
}

fun signers_of(votes: &vector<Vote>, vote: &Vote): vector<Vote> {
    (*votes).filter!(|other| other.manifest == vote.manifest)
}

/// Current less merged loss, biased.
fun gain_of(vote: &Vote): u64 { vote.current_loss - (vote.merged_loss - BIAS) }

// === Slashing ===

/// Slash the validator whose registered `key` signed two different messages of one intent for one window, or job:
/// anyone who has them. Once an offence; it reaches the seat, and what is pending and unbonding.
public fun slash(
    rs: &mut RoundState,
    hp: &mut Hparams,
    vr: &mut ValidatorRegistry,
    er: &mut EnclaveRegistry,
    key: vector<u8>,
    first: vector<u8>,
    first_signature: vector<u8>,
    second: vector<u8>,
    second_signature: vector<u8>,
    clock: &Clock,
) {
    validator_registry::roll(rs, hp, vr, clock);
    assert!(!first.is_empty(), EBadMessage);
    let intent = if (first[0] == OUTCOME || first[0] == JOB) first[0] else REPORT;
    let a = decode(&first, intent);
    let b = decode(&second, intent);
    assert!(a.is_for(rs) && b.is_for(rs), EWrongLedger);
    let subject = a.head_subject();
    let validator = a.head_validator();
    let enclave = er.enclave(key);
    assert!(validator == b.head_validator() && subject == b.head_subject(), ENotEquivocation);
    assert!(first != second && enclave.is_some(), ENotEquivocation);
    let enclave = enclave.destroy_some();
    assert!(enclave.uid() == validator, ENotEquivocation);
    assert!(is_signed(&first_signature, &key, &first), ENotEquivocation);
    assert!(is_signed(&second_signature, &key, &second), ENotEquivocation);
    // Once for each: with a slash below the whole stake the same proof would take again and again.
    assert!(!er.was_slashed(key, intent, subject), EAlreadySubmitted);
    let bps = hp.current().slash_bps();
    let taken = validator_registry::take_stake(
        vr,
        validator,
        enclave.owner(),
        bps,
        subject,
        b"equivocation",
    );
    assert!(taken > 0, ENotValidator);
    er.revoke(key, intent, subject, clock.timestamp_ms());
}

fun decode(message: &vector<u8>, intent: u8): Head {
    if (intent == REPORT) return decode_report(message);
    if (intent == OUTCOME) {
        let (head, _) = decode_outcome(message);
        return head
    };
    assert!(message.length() == JOB_BYTES, EBadMessage);
    read_head(message, JOB)
}

// === Old windows, and views ===

/// Drop a window's messages, rows and payment from state: anyone, once `round_state` lets its rows go.
public fun prune(rs: &RoundState, sl: &mut ScoreLedger, pool: &mut RewardPool, window: u64) {
    assert!(rs.is_prunable(window), ETooYoung);
    rd::prune(pool, window);
    let state = inner_mut(sl);
    if (!state.windows.contains(window)) return;
    let judgement = state.windows.remove(window);
    judgement.chunk_count().do!(|index| { state.chunks.remove(ChunkKey { window, index }); });
    judgement.judges.do_ref!(|judge| {
        state.messages.remove(MessageKey { window, intent: REPORT, validator: judge.uid });
    });
    judgement.votes.do_ref!(|vote| {
        state.messages.remove(MessageKey { window, intent: OUTCOME, validator: vote.validator });
    });
    event::emit(JudgementPruned { window });
}

/// The bytes, the signature, the key and the time of validator's message of `intent` (1 or 2), or none.
public fun message(sl: &ScoreLedger, window: u64, intent: u8, validator: u16): Option<Message> {
    let messages = &inner(sl).messages;
    let id = MessageKey { window, intent, validator };
    if (messages.contains(id)) option::some(messages[id]) else option::none()
}

/// How many reveals of a window are settled.
public fun cursor(sl: &ScoreLedger, window: u64): u64 {
    let windows = &inner(sl).windows;
    if (windows.contains(window)) windows[window].cursor else 0
}

/// Digest, random_before and rows of a settled window; none before, and none where it was skipped.
public fun settled_digest(rs: &RoundState, sl: &ScoreLedger, window: u64): Option<vector<u8>> {
    let windows = &inner(sl).windows;
    let void =
        !windows.contains(window) || windows[window].digest.is_empty()
        || rs.status(window) == round_state::status_skipped();
    if (void) option::none() else option::some(windows[window].digest)
}

/// The settled rows of positions 64 · index and on, by ascending uid; void where the window was skipped.
public fun settled_rows(sl: &ScoreLedger, window: u64, index: u64): vector<SettledRow> {
    inner(sl).chunks[ChunkKey { window, index }].rows
}

/// A row's uid, verdict, own_before, own_after, random_after, prior mu and prior sigma.
public fun row_parts(row: &SettledRow): (u16, u8, u64, u64, u64, u64, u64) {
    (
        row.uid,
        row.verdict,
        row.own_before,
        row.own_after,
        row.random_after,
        row.prior_mu,
        row.prior_sigma,
    )
}

/// Whether ratings were agreed on and paid.
public fun is_rated(sl: &ScoreLedger, window: u64): bool {
    let windows = &inner(sl).windows;
    windows.contains(window) && windows[window].rated
}

/// What became of the merge: its hash, whether it became the base, and its signers' median losses.
public fun base(sl: &ScoreLedger, window: u64): Option<Base> {
    let windows = &inner(sl).windows;
    if (windows.contains(window)) windows[window].base else option::none()
}

/// Hash, whether it became the base, current and merged loss.
public fun base_parts(base: &Base): (vector<u8>, bool, u64, u64) {
    (base.hash, base.moved, base.current_loss, base.merged_loss)
}

#[test_only]
public fun init_for_testing(ctx: &mut TxContext) { init(ctx) }

#[test_only]
public fun row_for_testing(
    uid: u16,
    verdict: u8,
    own_before: u64,
    own_after: u64,
    random_after: u64,
    prior_mu: u64,
    prior_sigma: u64,
): SettledRow {
    SettledRow { uid, verdict, own_before, own_after, random_after, prior_mu, prior_sigma }
}

#[test_only]
public fun settled_digest_for_testing(
    window_digest: vector<u8>,
    next_base: vector<u8>,
    random_before: u64,
    rows: vector<SettledRow>,
): vector<u8> { settled_digest_of(window_digest, next_base, random_before, rows) }

#[test_only]
public fun set_version_for_testing(sl: &mut ScoreLedger, version: u64) { sl.version = version }
