/// The simulation's jobs. A model beside the board knows what each job holds and who must get what; real coins are
/// compared with it when people collect them.
#[test_only]
module vramhub::simulation_jobs;

use std::unit_test::{assert_eq, destroy};
use sui::coin::{Self, Coin};
use sui::sui::SUI;
use sui::test_scenario;
use vramhub::scenario;
use vramhub::simulation_judge as judge;
use vramhub::simulation_judging::{Self as judging, Judging};
use vramhub::simulation_world::{Self as world, World};
use vramhub::training_jobs::{Self, TrainingJobBoard};

const HOUR_MS: u64 = 3_600_000;
const RETENTION_MS: u64 = 720 * HOUR_MS;
const OPEN: u8 = 0;
const CLAIMED: u8 = 1;
const COMPLETED: u8 = 2;
const SETTLED: u8 = 3;
const DISPUTED: u8 = 4;
const REFUNDED: u8 = 5;
/// Jobs that run at one time.
const MOST: u64 = 6;

public struct Jobs {
    board: TrainingJobBoard,
    running: vector<Job>,
    closed: vector<Job>,
    terms: Terms,
    paid_in: u64,
    paid_out: u64,
}

public struct Terms has copy, drop {
    window_ms: u64,
    timeout_ms: u64,
    bond_bps: u64,
    split_bps: u64,
}

public struct Job has copy, drop {
    id: u64,
    status: u8,
    customer: address,
    miner: address,
    terms: Terms,
    deadline_ms: u64,
    since_ms: u64,
    payout: u64,
    fee: u64,
    /// Of each side.
    bond: u64,
}

public fun begin(w: &mut World): Jobs {
    training_jobs::init_for_testing(w.p().net().ctx());
    w.p().net().next(scenario::admin());
    Jobs {
        board: w.p().net().ts().take_shared(),
        running: vector[],
        closed: vector[],
        terms: Terms {
            window_ms: 2 * HOUR_MS,
            timeout_ms: 48 * HOUR_MS,
            bond_bps: 1_000,
            split_bps: 1_000,
        },
        paid_in: 0,
        paid_out: 0,
    }
}

public fun end(jobs: Jobs) {
    let Jobs { board, .. } = jobs;
    test_scenario::return_shared(board);
}

/// Conservation: every MIST is in a job or a fee, or was paid out; each job holds exactly what its state says.
public fun check(jobs: &Jobs) {
    let mut held = jobs.board.fees();
    jobs.running.do_ref!(|job| {
        let row = jobs.board.job(job.id);
        let (escrow, claim, dispute) = row.held();
        let claimed = job.status == CLAIMED || job.status == COMPLETED || job.status == DISPUTED;
        assert!(row.status() == job.status);
        assert!(escrow == job.payout + job.fee);
        assert!(claim == if (claimed) job.bond else 0);
        assert!(dispute == if (job.status == DISPUTED) job.bond else 0);
        held = held + escrow + claim + dispute;
    });
    assert_eq!(jobs.paid_in, jobs.paid_out + held);
}

/// A running job in this state, by its place.
fun pick(jobs: &Jobs, w: &mut World, status: u8): Option<u64> {
    let found = jobs.running.find_indices!(|job| job.status == status);
    if (found.is_empty()) return option::none();
    option::some(found[w.draw(found.length())])
}

/// A coin of `due` MIST and some more, which come back.
fun pay(jobs: &mut Jobs, w: &mut World, who: address, due: u64): Coin<SUI> {
    let more = w.draw(3);
    jobs.paid_in = jobs.paid_in + due;
    w.owe_sui(who, more);
    w.p().sender(who);
    coin::mint_for_testing(due + more, w.p().net().ctx())
}

fun owe(jobs: &mut Jobs, w: &mut World, who: address, amount: u64) {
    jobs.paid_out = jobs.paid_out + amount;
    w.owe_sui(who, amount);
}

fun enter(jobs: &mut Jobs, w: &World, at: u64, status: u8) {
    let job = &mut jobs.running[at];
    job.status = status;
    job.since_ms = w.now_ms();
}

/// The job is closed: nothing is left in it.
fun close(jobs: &mut Jobs, w: &World, at: u64, status: u8) {
    enter(jobs, w, at, status);
    let job = jobs.running.swap_remove(at);
    let (escrow, claim, dispute) = jobs.board.job(job.id).held();
    assert!(escrow == 0 && claim == 0 && dispute == 0);
    assert!(jobs.board.job(job.id).status() == status);
    jobs.closed.push_back(job);
}

public fun set_terms(jobs: &mut Jobs, w: &mut World): bool {
    let window_ms = HOUR_MS * (1 + w.draw(2));
    let timeout_ms = HOUR_MS * (12 + w.draw(4));
    let bond_bps = 500 + w.draw(4_501);
    let split_bps = w.draw(bond_bps + 1);
    let fee_bps = w.draw(1_001);
    let cap = w.p().net().cap();
    training_jobs::set_terms(
        cap,
        &mut jobs.board,
        10_000,
        fee_bps,
        1_000,
        window_ms,
        timeout_ms,
        bond_bps,
        split_bps,
    );
    jobs.terms = Terms { window_ms, timeout_ms, bond_bps, split_bps };
    true
}

public fun post(jobs: &mut Jobs, w: &mut World): bool {
    if (jobs.running.length() >= MOST) return false;
    let customer = world::person(w.draw(world::people()));
    let (size, epochs, precision) = (1 + w.draw(100_000), 1 + w.draw(5), w.draw(4));
    let hash = scenario::hash(b"base");
    let spec = training_jobs::new_spec(
        w.p().net().dr(),
        0,
        size,
        1 + size / 3,
        epochs as u32,
        8,
        256,
        precision as u8,
        24,
        hash,
        b"base",
        10_000,
    );
    let (payout, fee) = jobs.board.quote(&spec);
    let deadline_ms = w.now_ms() + HOUR_MS * (1 + w.draw(6));
    let coin = jobs.pay(w, customer, payout + fee);
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    let id = jobs.board.post_job(spec, deadline_ms, coin, clock, ctx);
    let terms = jobs.terms;
    let bond = ((payout as u128) * (terms.bond_bps as u128)).divide_and_round_up(10_000) as u64;
    jobs
        .running
        .push_back(Job {
            id,
            status: OPEN,
            customer,
            miner: @0x0,
            terms,
            deadline_ms,
            since_ms: w.now_ms(),
            payout,
            fee,
            bond,
        });
    true
}

public fun cancel(jobs: &mut Jobs, w: &mut World): bool {
    let at = jobs.pick(w, OPEN);
    if (at.is_none()) return false;
    let at = at.destroy_some();
    let job = jobs.running[at];
    w.p().sender(job.customer);
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    jobs.board.cancel_job(job.id, clock, ctx);
    jobs.owe(w, job.customer, job.payout + job.fee);
    jobs.close(w, at, REFUNDED);
    true
}

public fun claim(jobs: &mut Jobs, w: &mut World): bool {
    let at = jobs.pick(w, OPEN);
    let uid = w.draw(world::miner_slots() as u64) as u16;
    let miner = w.p().pr().slot_owner(uid);
    if (at.is_none() || miner.is_none()) return false;
    let (at, miner) = (at.destroy_some(), miner.destroy_some());
    let job = jobs.running[at];
    if (w.now_ms() >= job.deadline_ms) return false;
    let coin = jobs.pay(w, miner, job.bond);
    let (_, _, _, pr, _, clock, ctx) = w.p().parts();
    jobs.board.claim_job(pr, job.id, uid, coin, clock, ctx);
    jobs.enter(w, at, CLAIMED);
    jobs.running[at].miner = miner;
    true
}

public fun release(jobs: &mut Jobs, w: &mut World): bool {
    let at = jobs.pick(w, CLAIMED);
    if (at.is_none()) return false;
    let at = at.destroy_some();
    let job = jobs.running[at];
    w.p().sender(job.miner);
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    jobs.board.release_job(job.id, clock, ctx);
    jobs.owe(w, job.customer, job.bond);
    jobs.enter(w, at, OPEN);
    true
}

public fun complete(jobs: &mut Jobs, w: &mut World): bool {
    let at = jobs.pick(w, CLAIMED);
    if (at.is_none()) return false;
    let at = at.destroy_some();
    let job = jobs.running[at];
    if (w.now_ms() >= job.deadline_ms) return false;
    w.p().sender(job.miner);
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    jobs.board.complete_job(job.id, scenario::hash(b"result"), b"result", clock, ctx);
    jobs.enter(w, at, COMPLETED);
    true
}

/// Past its deadline, a job that nobody claimed (`claimed` false), or claimed and did not deliver.
public fun refund(jobs: &mut Jobs, w: &mut World, claimed: bool): bool {
    let at = jobs.pick(w, if (claimed) CLAIMED else OPEN);
    if (at.is_none()) return false;
    let at = at.destroy_some();
    let job = jobs.running[at];
    if (w.now_ms() < job.deadline_ms) return false;
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    jobs.board.refund_job(job.id, clock, ctx);
    let bond = if (claimed) job.bond else 0;
    jobs.owe(w, job.customer, job.payout + job.fee + bond);
    jobs.close(w, at, REFUNDED);
    true
}

public fun settle(jobs: &mut Jobs, w: &mut World): bool {
    let at = jobs.pick(w, COMPLETED);
    if (at.is_none()) return false;
    let at = at.destroy_some();
    let job = jobs.running[at];
    if (w.now_ms() < job.since_ms + job.terms.window_ms) return false;
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    jobs.board.settle_job(job.id, clock, ctx);
    jobs.owe(w, job.miner, job.payout + job.bond);
    jobs.close(w, at, SETTLED);
    true
}

public fun dispute(jobs: &mut Jobs, w: &mut World): bool {
    let at = jobs.pick(w, COMPLETED);
    if (at.is_none()) return false;
    let at = at.destroy_some();
    let job = jobs.running[at];
    if (w.now_ms() >= job.since_ms + job.terms.window_ms) return false;
    let coin = jobs.pay(w, job.customer, job.bond);
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    jobs.board.dispute_job(job.id, coin, clock, ctx);
    jobs.enter(w, at, DISPUTED);
    true
}

/// A judge's signed verdict, for the miner or against it.
public fun judged(jobs: &mut Jobs, w: &mut World, j: &Judging, for_miner: bool): bool {
    let at = jobs.pick(w, DISPUTED);
    let seats = w.p().net().vr().seats();
    if (at.is_none() || seats.is_empty()) return false;
    let at = at.destroy_some();
    let job = jobs.running[at];
    if (w.now_ms() >= job.since_ms + job.terms.timeout_ms) return false;
    let seat = seats[w.draw(seats.length())];
    let (uid, owner) = (seat.seat_uid(), seat.seat_owner());
    if (!j.counts(uid, owner, w.now_ms())) return false;
    let root = w.p().net().dr().root(0);
    let (base, result) = (scenario::hash(b"base"), scenario::hash(b"result"));
    let after = if (for_miner) 1_000_000 - w.draw(1_000) else 1_000_001 + w.draw(50_000);
    let after = if (!for_miner && w.one_in(4)) 0 else after;
    let message = judge::verdict(uid, job.id, w.now_ms(), root, base, result, 1_010_000, after);
    let signature = judge::sign(judging::judge_of(uid, owner), &message);
    let (rs, _, vr, _, _, clock, ctx) = w.p().parts();
    jobs.board.resolve_dispute(rs, vr, j.er(), message, signature, clock, ctx);
    let half = job.bond / 2;
    jobs.owe(w, owner, half);
    if (for_miner) {
        jobs.owe(w, job.miner, job.payout + job.bond + job.bond - half);
        jobs.close(w, at, SETTLED);
    } else {
        jobs.owe(w, job.customer, job.payout + job.fee + job.bond + job.bond - half);
        jobs.close(w, at, REFUNDED);
    };
    true
}

fun share(amount: u64, bps: u64): u64 { ((amount as u128) * (bps as u128) / 10_000) as u64 }

public fun expire(jobs: &mut Jobs, w: &mut World): bool {
    let at = jobs.pick(w, DISPUTED);
    if (at.is_none()) return false;
    let at = at.destroy_some();
    let job = jobs.running[at];
    if (w.now_ms() < job.since_ms + job.terms.timeout_ms) return false;
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    jobs.board.expire_dispute(job.id, clock, ctx);
    let split = job.terms.split_bps;
    let (payout, fee) = (share(job.payout, split), share(job.fee, split));
    jobs.owe(w, job.miner, payout);
    jobs.owe(w, job.customer, job.payout + job.fee - payout - fee + 2 * job.bond);
    jobs.close(w, at, SETTLED);
    true
}

public fun prune(jobs: &mut Jobs, w: &mut World): bool {
    let old = jobs.closed.find_index!(|job| w.now_ms() >= job.since_ms + RETENTION_MS);
    if (old.is_none()) return false;
    let job = jobs.closed.swap_remove(old.destroy_some());
    let (_, _, _, _, clock, _) = w.p().net().parts();
    jobs.board.prune_job(job.id, clock);
    true
}

public fun sweep(jobs: &mut Jobs, w: &mut World): bool {
    let fees = jobs.board.fees();
    if (fees == 0) return false;
    let cap = vramhub::hparams::admin_for_testing(w.p().net().ctx());
    let swept = training_jobs::sweep_fees(&cap, &mut jobs.board, w.p().net().ctx());
    destroy(cap);
    assert_eq!(swept.burn_for_testing(), fees);
    jobs.paid_out = jobs.paid_out + fees;
    true
}
