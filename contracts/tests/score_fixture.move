/// A network in which windows are judged: all objects from the peers to the scores, miners seated, reveals put in
/// place, and a judge's messages made field by field. Losses are written without the bias; 0 is unmeasured.
#[test_only]
module vramhub::score_fixture;

use std::unit_test::destroy;
use sui::balance;
use sui::bcs;
use sui::clock::Clock;
use sui::sui::SUI;
use vramhub::enclave_registry::{Self, EnclaveRegistry};
use vramhub::gradient_registry::{Self, GradientRegistry};
use vramhub::hparams::Hparams;
use vramhub::peer_registry::{Self, PeerRegistry};
use vramhub::reward_distributor::{Self, RewardPool};
use vramhub::round_state::RoundState;
use vramhub::scenario::{Self, Network};
use vramhub::score_ledger::{Self, ScoreLedger};
use vramhub::validator_registry::ValidatorRegistry;

const BIAS: u64 = 1 << 63;

public struct Arena {
    net: Network,
    er: EnclaveRegistry,
    pr: PeerRegistry,
    gr: GradientRegistry,
    sl: ScoreLedger,
    pool: RewardPool,
}

/// A report's entry.
public struct Entry has copy, drop { uid: u16, verdict: u8, losses: vector<u64> }

/// A window 0 with validators of these stakes and miners 0, 1, … of 5,000 MIST.
public fun begin(stakes: vector<u64>, miners: u16): Arena {
    begin_with(stakes, miners, vector[], vector[])
}

/// The same with changes to the fast parameters.
public fun begin_with(
    stakes: vector<u64>,
    miners: u16,
    names: vector<vector<u8>>,
    values: vector<u64>,
): Arena {
    let mut net = scenario::founded_with(stakes, scenario::fast_with(names, values));
    net.rs().set_ledger_id_for_testing(scenario::hash(b"ledger"));
    let ctx = net.ctx();
    enclave_registry::init_for_testing(ctx);
    peer_registry::init_for_testing(ctx);
    gradient_registry::init_for_testing(ctx);
    score_ledger::init_for_testing(ctx);
    reward_distributor::init_for_testing(ctx);
    net.next(scenario::admin());
    net.roll();
    let ts = net.ts();
    let mut arena = Arena {
        er: ts.take_shared(),
        pr: ts.take_shared(),
        gr: ts.take_shared(),
        sl: ts.take_shared(),
        pool: ts.take_shared(),
        net,
    };
    miners.do!(|uid| arena.seat(uid, scenario::miner(uid as u64)));
    arena
}

public fun end(arena: Arena) {
    let Arena { net, er, pr, gr, sl, pool } = arena;
    destroy(er);
    destroy(pr);
    destroy(gr);
    destroy(sl);
    destroy(pool);
    net.end();
}

/// Everything that calls take.
public fun parts(
    arena: &mut Arena,
): (
    &mut RoundState,
    &mut Hparams,
    &mut ValidatorRegistry,
    &mut PeerRegistry,
    &mut EnclaveRegistry,
    &mut GradientRegistry,
    &mut ScoreLedger,
    &mut RewardPool,
    &Clock,
    &mut TxContext,
) {
    let Arena { net, er, pr, gr, sl, pool } = arena;
    let (rs, hp, vr, _, clock, ctx) = net.parts();
    (rs, hp, vr, pr, er, gr, sl, pool, clock, ctx)
}

public fun net(arena: &mut Arena): &mut Network { &mut arena.net }

public fun er(arena: &mut Arena): &mut EnclaveRegistry { &mut arena.er }

public fun pr(arena: &mut Arena): &mut PeerRegistry { &mut arena.pr }

public fun sl(arena: &mut Arena): &mut ScoreLedger { &mut arena.sl }

public fun pool(arena: &mut Arena): &mut RewardPool { &mut arena.pool }

/// Seat a miner: generation 1 is the first of its slot.
public fun seat(arena: &mut Arena, uid: u16, owner: address) {
    let stake = balance::create_for_testing<SUI>(5_000);
    arena.pr.seat_for_testing(uid, owner, stake, 0);
}

/// Set the clock to `offset` ms after the start of `window`.
public fun at(arena: &mut Arena, window: u64, offset: u64) { arena.net.at(window, offset); }

/// Reveals of `uids`, in this order, in `window`, which is rolled to; the clock stands at the next one's start.
public fun play(arena: &mut Arena, window: u64, uids: vector<u16>) {
    arena.at(window, 9_000);
    arena.net.roll();
    uids.do!(|uid| arena.reveal(window, uid));
    arena.at(window + 1, 0);
    arena.net.roll();
}

public fun reveal(arena: &mut Arena, window: u64, uid: u16) {
    let Arena { net, gr, .. } = arena;
    let (rs, _, _, _, _, ctx) = net.parts();
    let mut name = b"gradient";
    name.append(bcs::to_bytes(&uid));
    let owner = scenario::miner(uid as u64);
    let hash = scenario::hash(name);
    gr.reveal_for_testing(rs, uid, 1, owner, window, hash, 1_000, 1, b"ref", ctx);
}

// === A judge's messages ===

public fun entry(uid: u16, verdict: u8, losses: vector<u64>): Entry {
    Entry { uid, verdict, losses }
}

/// `ok` with a score of 50,000 against 1,000,000.
public fun good(uid: u16): Entry { entry(uid, 1, vector[1_000_000, 900_000, 950_000]) }

/// `ok` with another loss on the random pages.
public fun after(uid: u16, random_after: u64): Entry {
    entry(uid, 1, vector[1_000_000, 900_000, random_after])
}

/// A verdict without losses.
public fun bare(uid: u16, verdict: u8): Entry { entry(uid, verdict, vector[0, 0, 0]) }

/// `good` for each.
public fun all_good(uids: vector<u16>): vector<Entry> { uids.map!(|uid| good(uid)) }

public fun head(intent: u8, validator: u16, window: u64): vector<u8> {
    let mut bytes = vector[intent, 1];
    bytes.append(scenario::hash(b"chain"));
    bytes.append(scenario::hash(b"ledger"));
    bytes.append(bcs::to_bytes(&validator));
    bytes.append(bcs::to_bytes(&window));
    bytes.append(bcs::to_bytes(&1_800_000_010_000u64));
    bytes
}

fun length(n: u64): vector<u8> {
    if (n < 128) vector[n as u8] else vector[((n % 128) as u8) + 128, (n / 128) as u8]
}

fun loss(value: u64): vector<u8> { bcs::to_bytes(&(BIAS + value)) }

/// A report with this digest.
public fun report_of(
    validator: u16,
    window: u64,
    digest: vector<u8>,
    random_before: u64,
    entries: vector<Entry>,
): vector<u8> {
    let mut bytes = head(1, validator, window);
    bytes.append(digest);
    bytes.append(loss(random_before));
    bytes.append(length(entries.length()));
    entries.do!(|entry| {
        bytes.append(bcs::to_bytes(&entry.uid));
        bytes.push_back(entry.verdict);
        entry.losses.do!(|value| bytes.append(loss(value)));
    });
    bytes
}

/// The window's digest.
public fun digest(arena: &mut Arena, window: u64): vector<u8> {
    let (rs, hp, _, _, _, _, _, _, _, _) = arena.parts();
    rs.context_digest(hp, window)
}

/// Take a report below the signature's check.
public fun take_report(arena: &mut Arena, message: vector<u8>) {
    let head = score_ledger::decode_report(&message);
    let (rs, hp, _, _, _, gr, sl, _, clock, _) = arena.parts();
    score_ledger::accept_report(rs, hp, gr, sl, &head, message, b"", b"", clock);
}

/// A report of a base of 1,000,000 with these entries, taken.
public fun report(arena: &mut Arena, validator: u16, window: u64, entries: vector<Entry>) {
    arena.report_from(validator, window, 1_000_000, entries);
}

public fun report_from(
    arena: &mut Arena,
    validator: u16,
    window: u64,
    random_before: u64,
    entries: vector<Entry>,
) {
    let digest = arena.digest(window);
    arena.take_report(report_of(validator, window, digest, random_before, entries));
}

public fun settle(arena: &mut Arena, window: u64, limit: u64): bool {
    let (rs, hp, vr, pr, _, gr, sl, _, clock, _) = arena.parts();
    score_ledger::settle(rs, hp, vr, pr, gr, sl, window, limit, clock)
}

/// An outcome: ratings of mu (without bias) and sigma for `uids`, and a merge (hash, current, merged) or none.
public fun outcome_of(
    validator: u16,
    window: u64,
    digest: vector<u8>,
    uids: vector<u16>,
    mu: u64,
    sigma: u64,
    merged: vector<u8>,
    current_loss: u64,
    merged_loss: u64,
): vector<u8> {
    let mut bytes = head(2, validator, window);
    bytes.append(digest);
    bytes.append(length(uids.length()));
    uids.do!(|uid| {
        bytes.append(bcs::to_bytes(&uid));
        bytes.append(bcs::to_bytes(&(BIAS + mu)));
        bytes.append(bcs::to_bytes(&sigma));
    });
    bytes.push_back(if (merged.is_empty()) 0 else 1);
    bytes.append(merged);
    bytes.append(loss(current_loss));
    bytes.append(loss(merged_loss));
    bytes
}

/// Take an outcome below the signature's check.
public fun take_outcome(arena: &mut Arena, message: vector<u8>) {
    let (head, vote) = score_ledger::decode_outcome(&message);
    let (rs, _, _, pr, _, _, sl, pool, clock, _) = arena.parts();
    score_ledger::accept_outcome(rs, pr, sl, pool, &head, vote, message, b"", b"", clock);
}

/// mu 30, sigma 5, nothing merged.
public fun outcome(arena: &mut Arena, validator: u16, window: u64, uids: vector<u16>) {
    arena.rate(validator, window, uids, 30_000_000);
}

/// Another mu.
public fun rate(arena: &mut Arena, validator: u16, window: u64, uids: vector<u16>, mu: u64) {
    let digest = arena.settled(window);
    arena.take_outcome(outcome_of(validator, window, digest, uids, mu, 5_000_000, b"", 0, 0));
}

/// With a merge of this name that gains `1,000 − merged_loss` units.
public fun merge(
    arena: &mut Arena,
    validator: u16,
    window: u64,
    uids: vector<u16>,
    mu: u64,
    name: vector<u8>,
    merged_loss: u64,
) {
    let digest = arena.settled(window);
    let hash = scenario::hash(name);
    let message = outcome_of(
        validator,
        window,
        digest,
        uids,
        mu,
        5_000_000,
        hash,
        1_000,
        merged_loss,
    );
    arena.take_outcome(message);
}

/// The settled digest.
public fun settled(arena: &mut Arena, window: u64): vector<u8> {
    let (rs, _, _, _, _, _, sl, _, _, _) = arena.parts();
    score_ledger::settled_digest(rs, sl, window).destroy_some()
}

/// The verdicts that were settled, by uid.
public fun verdicts(arena: &mut Arena, window: u64): vector<u8> {
    score_ledger::settled_rows(&arena.sl, window, 0).map!(|row| {
        let (_, verdict, _, _, _, _, _) = row.row_parts();
        verdict
    })
}

/// Play, report, settle and rate a window with validator 0.
public fun whole(arena: &mut Arena, window: u64, uids: vector<u16>) {
    arena.play(window, uids);
    arena.report(0, window, all_good(uids));
    arena.settle(window, 64);
    arena.outcome(0, window, uids);
}

public fun status(arena: &mut Arena, window: u64): u8 { arena.net.rs().status(window) }

/// An approved build `n`: PCR i is 48 bytes of 16 n + i.
public fun pcr(n: u8, i: u8): vector<u8> { vector::tabulate!(48, |_| 16 * n + i + 1) }

/// Approve build 1 for at once, as at genesis, and seat `key` as the judge of validator `uid`.
public fun attest(arena: &mut Arena, uid: u16, key: vector<u8>) {
    let owner = scenario::validator(uid as u64);
    let Arena { net, er, .. } = arena;
    let (rs, hp, vr, _, clock, _) = net.parts();
    let data = enclave_registry::expected_user_data(rs, uid, owner);
    enclave_registry::register_parts(
        rs,
        hp,
        vr,
        er,
        vector[0, 1, 2],
        vector[pcr(1, 0), pcr(1, 1), pcr(1, 2)],
        option::some(key),
        option::some(data),
        clock.timestamp_ms(),
        uid,
        clock,
    );
}
