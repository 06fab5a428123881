/// Plays a trace: every step that the dev ledger took is taken here too, with the same result; the one that it refused
/// and that a test is about comes last, and must abort with what the test says.
#[test_only]
module vramhub::conformance_play;

use sui::bcs;
use vramhub::conformance_jobs as jobs;
use vramhub::conformance_judging as judging;
use vramhub::conformance_slots as slots;
use vramhub::conformance_tape::{Self as tape, Tape};
use vramhub::conformance_tokens as tokens;
use vramhub::conformance_views as views;
use vramhub::conformance_world::{Self as world, World};

/// What a step has besides its arguments: nothing, as it was refused; its results; the first eight bytes of their hash.
const REFUSED: u64 = 0;
const LITERAL: u64 = 1;
/// Codes from here on are of what is looked at.
const LOOKS: u64 = 70;
/// More steps than any trace has.
const ALL: u64 = 1 << 32;
/// A result differs: the code is this, the step's number times a thousand, and the result's number (999: their count
/// or their hash).
const DIFFERS: u64 = 1_000_000_000;

/// All that was taken.
public fun play(bytes: vector<u8>) { run(bytes, ALL); }

/// The steps below `refused` that were taken, then this one, which was not.
public fun play_to(bytes: vector<u8>, refused: u64) { run(bytes, refused); }

fun run(bytes: vector<u8>, last: u64) {
    let mut t = tape::new(bytes);
    let mut w = world::begin(&mut t);
    let mut i = 0;
    while (!t.is_done() && i <= last) {
        let (code, kind, length) = (t.u(), t.u(), t.u());
        // What is only looked at changes nothing.
        if (i < last && (kind == REFUSED || (code >= LOOKS && last < ALL))) {
            t.skip(length);
        } else {
            let results = step(&mut w, &mut t, code);
            if (kind != REFUSED) compare(&mut t, kind, results, DIFFERS + i * 1_000);
        };
        i = i + 1;
    };
    w.end();
}

fun compare(t: &mut Tape, kind: u64, results: vector<u64>, code: u64) {
    if (kind == LITERAL) {
        assert!(t.u() == results.length(), code + 999);
        results.length().do!(|k| assert!(t.u() == results[k], code + k));
        return
    };
    let hash = std::hash::sha2_256(bcs::to_bytes(&results));
    8u64.do!(|k| assert!(t.u() == hash[k] as u64, code + 999));
}

/// Codes are those of `CODES` in `tests/conformance/codes.ts`.
fun step(w: &mut World, t: &mut Tape, code: u64): vector<u64> {
    if (code < LOOKS) call(w, t, code) else look(w, t, code)
}

fun call(w: &mut World, t: &mut Tape, code: u64): vector<u64> {
    match (code) {
        0 => {
            w.set_time(t.u());
            vector[]
        },
        1 => {
            let (i, amount) = (t.u(), t.u());
            w.received_sui(i, amount);
            vector[]
        },
        2 => {
            slots::roll(w);
            vector[]
        },
        3 => slots::register_miner(w, t),
        4 => slots::register_validator(w, t),
        5 => slots::unregister(w, t),
        6 => slots::withdraw(w, t),
        7 => slots::top_up_stake(w, t),
        8 => slots::set_hparams(w, t),
        9 => judging::approve(w, t),
        10 => judging::remove(w, t),
        11 => slots::commit(w, t),
        12 => slots::reveal(w, t),
        13 => judging::register_enclave(w, t),
        14 => judging::submit_report(w, t),
        15 => judging::settle(w, t),
        16 => judging::submit_outcome(w, t),
        17 => judging::close(w, t),
        18 => judging::slash(w, t),
        19 => judging::claim(w, t),
        20 => judging::claim_treasury(w, t),
        21 => judging::deposit(w, t),
        22 => tokens::burn(w, t),
        23 => jobs::quote(w, t),
        24 => jobs::post(w, t),
        25 => jobs::claim(w, t),
        26 => jobs::complete(w, t),
        27 => jobs::settle(w, t),
        28 => jobs::cancel(w, t),
        29 => jobs::refund(w, t),
        30 => jobs::release(w, t),
        31 => jobs::dispute(w, t),
        32 => jobs::resolve(w, t),
        33 => jobs::expire(w, t),
        34 => jobs::prune(w, t),
        35 => jobs::set_terms(w, t),
        36 => jobs::sweep_fees(w, t),
        37 => tokens::generate(w, t),
        38 => tokens::claim_vested(w, t),
        39 => tokens::offer_vesting(w, t),
        40 => tokens::accept_vesting(w, t),
        41 => tokens::claim_airdrop(w, t),
        42 => tokens::sweep_airdrop(w, t),
        43 => tokens::create_pool(w),
        44 => tokens::deposit(w, t),
        45 => tokens::stake(w, t),
        46 => tokens::claim_rewards(w, t),
        47 => tokens::unstake(w, t),
        48 => slots::offer_admin(w, t),
        49 => slots::withdraw_offer(w, t),
        50 => slots::accept_admin(w, t),
        51 => slots::register_dataset(w, t),
        52 => slots::register_job_dataset(w, t),
        53 => slots::retire_dataset(w, t),
        54 => slots::sweep_treasury(w, t),
        55 => slots::set_credentials(w, t),
        56 => slots::seal_approve(w, t),
        57 => judging::draw_seeds(w, t),
        58 => judging::prune(w, t, 0),
        59 => judging::prune(w, t, 1),
        60 => judging::prune(w, t, 2),
        _ => abort code,
    }
}

fun look(w: &mut World, t: &mut Tape, code: u64): vector<u64> {
    match (code) {
        70 => views::world(w),
        71 => views::miners(w, t),
        72 => views::validators(w),
        73 => views::window(w, t),
        74 => views::balances(w),
        75 => views::enclave(w, t),
        76 => views::job(w, t),
        77 => views::pool(w, t),
        78 => views::ticket(w, t),
        79 => views::vesting(w, t),
        80 => views::airdrop(w),
        81 => views::dataset(w, t),
        82 => views::credentials(w, t),
        83 => views::measurements(w, t),
        _ => abort code,
    }
}
