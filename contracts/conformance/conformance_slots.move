/// Calls of traces: slots, stakes, gradients, credentials. Each reads its arguments and returns what the call returned.
#[test_only]
module vramhub::conformance_slots;

use vramhub::conformance_tape::Tape;
use vramhub::conformance_world::{World, person};
use vramhub::dataset_registry;
use vramhub::gradient_registry;
use vramhub::hparams;
use vramhub::peer_registry;
use vramhub::seal_policy;
use vramhub::validator_registry;

public fun roll(w: &mut World) {
    w.turn(0);
    let (rs, hp, vr, pr, _, clock, _) = w.peers();
    peer_registry::roll(rs, hp, vr, pr, clock);
}

public fun register_miner(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let (stake, fee) = (w.pay_sui(i, t.u()), w.pay_sui(i, t.u()));
    let (rs, hp, vr, pr, _, clock, ctx) = w.peers();
    vector[peer_registry::register(rs, hp, vr, pr, stake, fee, clock, ctx) as u64]
}

public fun register_validator(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    let (stake, fee, bond) = (t.u(), t.u(), t.u());
    let bond = w.pay_vram(i, bond);
    w.turn(i);
    let (stake, fee) = (w.pay_sui(i, stake), w.pay_sui(i, fee));
    let (rs, hp, vr, treasury, clock, ctx) = w.lower();
    vector[validator_registry::register(rs, hp, vr, treasury, stake, fee, bond, clock, ctx) as u64]
}

public fun unregister(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (is_validator, uid) = (t.flag(), t.u() as u16);
    let (rs, hp, vr, pr, _, clock, ctx) = w.peers();
    if (is_validator) validator_registry::unregister(rs, hp, vr, uid, clock, ctx)
    else peer_registry::unregister(rs, hp, vr, pr, uid, clock, ctx);
    vector[]
}

public fun withdraw(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let is_validator = t.flag();
    let (rs, hp, vr, pr, _, clock, ctx) = w.peers();
    let coin = if (is_validator) validator_registry::withdraw(vr, clock, ctx)
    else peer_registry::withdraw(rs, hp, vr, pr, clock, ctx);
    vector[w.keep_sui(i, coin)]
}

public fun top_up_stake(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let uid = t.u() as u16;
    let stake = w.pay_sui(i, t.u());
    let (rs, hp, vr, pr, _, clock, ctx) = w.peers();
    peer_registry::top_up_stake(rs, hp, vr, pr, uid, stake, clock, ctx);
    vector[]
}

public fun commit(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (uid, window, commitment) = (t.u() as u16, t.u(), t.b());
    let (rs, hp, vr, pr, gr, clock, ctx) = w.peers();
    vector[gradient_registry::commit(rs, hp, vr, pr, gr, uid, window, commitment, clock, ctx)]
}

public fun reveal(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (uid, window, content, size) = (t.u() as u16, t.u(), t.b(), t.u() as u32);
    let (codec, salt, name) = (t.u() as u8, t.b(), t.b());
    let (rs, hp, vr, pr, gr, clock, ctx) = w.peers();
    gradient_registry::reveal(
        rs,
        hp,
        vr,
        pr,
        gr,
        uid,
        window,
        content,
        size,
        codec,
        salt,
        name,
        clock,
        ctx,
    );
    vector[]
}

public fun sweep_treasury(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let is_validator = t.flag();
    let (cap, _, _, vr, pr, _, _, _, _, _, ctx) = w.governed();
    let coin = if (is_validator) validator_registry::sweep_treasury(cap, vr, ctx)
    else peer_registry::sweep_treasury(cap, pr, ctx);
    vector[w.keep_sui(i, coin)]
}

public fun set_credentials(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (uid, epoch, bucket, account, sealed) = (t.u() as u16, t.u(), t.b(), t.b(), t.b());
    let servers = vector::tabulate!(t.u(), |i| {
        object::id_from_address(sui::address::from_u256(i as u256))
    });
    let threshold = t.u() as u8;
    let (_, _, _, pr, _, _, ctx) = w.peers();
    pr.set_credentials(uid, epoch, bucket, account, sealed, servers, threshold, ctx);
    vector[]
}

public fun seal_approve(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let id = t.b();
    let (rs, hp, _, pr, _, clock, ctx) = w.peers();
    seal_policy::seal_approve_for_testing(id, rs, hp, pr, clock, ctx);
    vector[]
}

// === The admin's cap ===

public fun offer_admin(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let to = person(t.u());
    let cap = w.take_cap();
    let (_, hp, _, _, _, ctx) = w.lower();
    hparams::offer_admin(cap, hp, to, ctx);
    vector[]
}

public fun withdraw_offer(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let (_, hp, _, _, _, ctx) = w.lower();
    hparams::withdraw_offer(hp, ctx);
    w.find_cap(i);
    vector[]
}

public fun accept_admin(w: &mut World, t: &mut Tape): vector<u64> {
    let i = t.u();
    w.turn(i);
    let (_, hp, _, _, _, ctx) = w.lower();
    hparams::accept_admin(hp, ctx);
    w.find_cap(i);
    vector[]
}

public fun set_hparams(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let encoded = t.b();
    let (cap, hp, _, _, _, _, _, _, _, clock, _) = w.governed();
    hparams::set(cap, hp, encoded, clock);
    vector[]
}

// === Data sets ===

public fun register_dataset(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let (pages, tokens, tokenizer, root) = (t.u(), t.u() as u32, t.b(), t.b());
    let (cap, _, dr, _, _, _, _, _, _, _, _) = w.governed();
    vector[dataset_registry::register(cap, dr, pages, tokens, tokenizer, root)]
}

public fun register_job_dataset(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(t.u());
    let (pages, tokens, tokenizer, root) = (t.u(), t.u() as u32, t.b(), t.b());
    let (_, dr, _, _, _, _, _, ctx) = w.market();
    vector[dr.register_for_job(pages, tokens, tokenizer, root, ctx)]
}

public fun retire_dataset(w: &mut World, t: &mut Tape): vector<u64> {
    let (by_admin, i, id) = (t.flag(), t.u(), t.u());
    w.turn(i);
    if (by_admin) {
        let (cap, _, dr, _, _, _, _, _, _, _, _) = w.governed();
        dataset_registry::retire(cap, dr, id);
    } else {
        let (_, dr, _, _, _, _, _, ctx) = w.market();
        dr.retire_own(id, ctx);
    };
    vector[]
}
