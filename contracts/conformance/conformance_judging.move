/// Calls of traces: builds, keys, reports, settlement, outcomes, slashing, seeds, pruning, rewards.
#[test_only]
module vramhub::conformance_judging;

use std::unit_test::destroy;
use sui::nitro_attestation;
use vramhub::conformance_tape::Tape;
use vramhub::conformance_world::World;
use vramhub::enclave_registry;
use vramhub::reward_distributor;
use vramhub::round_state;
use vramhub::score_ledger;

public fun approve(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let (name, pcr0, pcr1, pcr2) = (t.b(), t.b(), t.b(), t.b());
    let (cap, hp, _, _, _, er, _, _, _, clock, _) = w.governed();
    enclave_registry::approve(cap, er, hp, name, pcr0, pcr1, pcr2, clock);
    vector[]
}

public fun remove(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let name = t.b();
    let (cap, _, _, _, _, er, _, _, _, clock, _) = w.governed();
    enclave_registry::remove(cap, er, name, clock);
    vector[]
}

/// Empty bytes are a field that the document has not.
fun field(bytes: vector<u8>): Option<vector<u8>> {
    if (bytes.is_empty()) option::none() else option::some(bytes)
}

public fun register_enclave(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let (uid, timestamp) = (t.u() as u16, t.u());
    let pcrs = vector::tabulate!(3, |i| nitro_attestation::pcr_for_testing(i as u8, t.b()));
    let (key, data) = (field(t.b()), field(t.b()));
    let document = nitro_attestation::document_for_testing(timestamp, pcrs, key, data);
    let (rs, hp, vr, _, er, _, _, _, clock, _) = w.judges();
    enclave_registry::register(rs, hp, vr, er, &document, uid, clock);
    destroy(document);
    vector[]
}

public fun submit_report(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (message, signature) = (t.b(), t.b());
    let (rs, hp, vr, _, er, gr, sl, _, clock, ctx) = w.judges();
    score_ledger::submit_report(rs, hp, vr, er, gr, sl, message, signature, clock, ctx);
    vector[]
}

public fun settle(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let (window, limit) = (t.u(), t.u());
    let (rs, hp, vr, pr, _, gr, sl, _, clock, _) = w.judges();
    let done = score_ledger::settle(rs, hp, vr, pr, gr, sl, window, limit, clock);
    vector[if (done) 1 else 0]
}

public fun submit_outcome(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (message, signature) = (t.b(), t.b());
    let (rs, hp, vr, pr, er, _, sl, rewards, clock, ctx) = w.judges();
    score_ledger::submit_outcome(rs, hp, vr, pr, er, sl, rewards, message, signature, clock, ctx);
    vector[]
}

public fun close(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let window = t.u();
    let (rs, hp, _, _, clock, _) = w.lower();
    round_state::close(rs, hp, window, clock);
    vector[]
}

public fun slash(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let (key, first, first_signature) = (t.b(), t.b(), t.b());
    let (second, second_signature) = (t.b(), t.b());
    let (rs, hp, vr, _, er, _, _, _, clock, _) = w.judges();
    score_ledger::slash(
        rs,
        hp,
        vr,
        er,
        key,
        first,
        first_signature,
        second,
        second_signature,
        clock,
    );
    vector[]
}

/// The ledger draws what is due; then the dev ledger's seeds are put in its place.
public fun draw_seeds(w: &mut World, t: &mut Tape): vector<u64> {
    let (window, assign, judge) = (t.u(), t.b(), t.b());
    let random = w.random();
    w.turn(0);
    let (rs, hp, _, _, clock, ctx) = w.lower();
    round_state::draw_seeds_for_testing(rs, hp, window, &random, clock, ctx);
    if (!assign.is_empty()) rs.set_seed_for_testing(window, false, assign);
    if (!judge.is_empty()) rs.set_seed_for_testing(window, true, judge);
    destroy(random);
    vector[]
}

public fun prune(w: &mut World, t: &mut Tape, part: u64): vector<u64> {
    w.turn(0);
    let window = t.u();
    let (rs, _, _, _, _, gr, sl, rewards, _, _) = w.judges();
    if (part == 0) gr.prune(rs, window)
    else if (part == 1) score_ledger::prune(rs, sl, rewards, window)
    else rs.prune(window);
    vector[]
}

// === Rewards ===

public fun claim(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let (_, _, _, _, _, _, rewards, treasury, _, _, ctx) = w.governed();
    let coin = rewards.claim(treasury, ctx);
    vector[w.keep_vram(i, coin)]
}

public fun claim_treasury(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let (cap, _, _, _, _, _, rewards, treasury, _, _, ctx) = w.governed();
    let coin = reward_distributor::claim_treasury(cap, rewards, treasury, ctx);
    vector[w.keep_vram(i, coin)]
}

public fun deposit(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, amount) = (t.u(), t.u());
    let coin = w.pay_vram(i, amount);
    w.turn(i);
    let (_, _, _, _, _, _, _, rewards, _, _) = w.judges();
    rewards.deposit(coin);
    vector[]
}
