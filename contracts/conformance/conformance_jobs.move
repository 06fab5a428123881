/// Calls of traces: the board of training jobs.
#[test_only]
module vramhub::conformance_jobs;

use vramhub::conformance_tape::Tape;
use vramhub::conformance_world::World;
use vramhub::training_jobs::{Self, Spec};

fun spec(w: &mut World, t: &mut Tape): Spec {
    let (params, tokens, epochs, batch) = (t.u(), t.u(), t.u() as u32, t.u() as u32);
    let (sequence, precision, vram, dataset) = (t.u() as u32, t.u() as u8, t.u() as u32, t.u());
    let (base_hash, base_ref, improvement) = (t.b(), t.b(), t.u());
    let (_, dr, _, _, _, _, _, _) = w.market();
    training_jobs::new_spec(
        dr,
        dataset,
        params,
        tokens,
        epochs,
        batch,
        sequence,
        precision,
        vram,
        base_hash,
        base_ref,
        improvement,
    )
}

public fun quote(w: &mut World, t: &mut Tape): vector<u64> {
    let spec = spec(w, t);
    let (payout, fee) = training_jobs::quote(w.board(), &spec);
    vector[payout, fee]
}

public fun post(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let spec = spec(w, t);
    let (deadline, payment) = (t.u(), w.pay_sui(i, t.u()));
    let (board, _, _, _, _, _, clock, ctx) = w.market();
    vector[board.post_job(spec, deadline, payment, clock, ctx)]
}

public fun claim(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let (id, uid, bond) = (t.u(), t.u() as u16, w.pay_sui(i, t.u()));
    let (board, _, _, _, _, pr, clock, ctx) = w.market();
    board.claim_job(pr, id, uid, bond, clock, ctx);
    vector[]
}

public fun complete(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (id, hash, name) = (t.u(), t.b(), t.b());
    let (board, _, _, _, _, _, clock, ctx) = w.market();
    board.complete_job(id, hash, name, clock, ctx);
    vector[]
}

public fun settle(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (board, _, _, _, _, _, clock, ctx) = w.market();
    board.settle_job(t.u(), clock, ctx);
    vector[]
}

public fun cancel(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (board, _, _, _, _, _, clock, ctx) = w.market();
    board.cancel_job(t.u(), clock, ctx);
    vector[]
}

public fun refund(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (board, _, _, _, _, _, clock, ctx) = w.market();
    board.refund_job(t.u(), clock, ctx);
    vector[]
}

public fun release(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (board, _, _, _, _, _, clock, ctx) = w.market();
    board.release_job(t.u(), clock, ctx);
    vector[]
}

public fun dispute(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let (id, bond) = (t.u(), w.pay_sui(i, t.u()));
    let (board, _, _, _, _, _, clock, ctx) = w.market();
    board.dispute_job(id, bond, clock, ctx);
    vector[]
}

public fun resolve(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (message, signature) = (t.b(), t.b());
    let (board, _, rs, vr, er, _, clock, ctx) = w.market();
    board.resolve_dispute(rs, vr, er, message, signature, clock, ctx);
    vector[]
}

public fun expire(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (board, _, _, _, _, _, clock, ctx) = w.market();
    board.expire_dispute(t.u(), clock, ctx);
    vector[]
}

public fun prune(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (board, _, _, _, _, _, clock, _) = w.market();
    board.prune_job(t.u(), clock);
    vector[]
}

public fun set_terms(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let (price, fee, least, window) = (t.u(), t.u(), t.u(), t.u());
    let (timeout, bond, split) = (t.u(), t.u(), t.u());
    let (cap, _, _, _, _, _, _, _, board, _, _) = w.governed();
    training_jobs::set_terms(cap, board, price, fee, least, window, timeout, bond, split);
    vector[]
}

public fun sweep_fees(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let (cap, _, _, _, _, _, _, _, board, _, ctx) = w.governed();
    let coin = training_jobs::sweep_fees(cap, board, ctx);
    vector[w.keep_sui(i, coin)]
}
