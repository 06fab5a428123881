/// An economic simulation over all modules: a seeded generator picks operations, lets time pass and leap, and after
/// each operation that the state took every coin that came in is accounted for. Operations that it would refuse are left
/// out, so an abort is a failure; only what it took counts: six runs take over 10,000 besides opening windows.
#[test_only]
module vramhub::simulation_tests;

use vramhub::simulation_jobs::{Self as jobs, Jobs};
use vramhub::simulation_judging::{Self as judging, Judging};
use vramhub::simulation_slots::{Self as slots, Slots};
use vramhub::simulation_tokens::{Self as tokens, Tokens};
use vramhub::simulation_world::{Self as world, World};

/// Operations that each of the five runs takes; more where it has not met all kinds by then.
const OPERATIONS: u64 = 2_000;
/// What a transaction of Sui could hold of them: 1,024 events.
const BATCH: u64 = 100;
const KINDS: u64 = 52;
/// Where kinds of operations begin; the last one is time that opens a window.
const JOINS: u64 = 9;
const TOKENS: u64 = 19;
const JOBS: u64 = 34;
const OTHERS: u64 = 49;
/// How often each operation is tried, by its number below: as windows go by, and where hours and days do.
const WINDOWS: vector<u64> = vector[
    4, 1, 2, 1, 14, 48, 1, 1, 1, 6, 3, 1, 1, 10, 32, 24, 40, 1, 2, 1, 4, 1, 1, 1, 2, 1, 1, 1, 1, 1,
    2, 1, 1, 1, 1, 1, 2, 1, 2, 1, 2, 1, 1, 1, 6, 1, 1, 4, 1, 1, 1, 1,
];
const DAYS: vector<u64> = vector[
    4, 1, 2, 1, 16, 16, 1, 1, 1, 6, 3, 1, 1, 12, 16, 12, 16, 1, 2, 1, 3, 1, 1, 1, 4, 4, 2, 4, 2, 4,
    4, 3, 3, 3, 1, 2, 8, 1, 8, 1, 6, 2, 2, 3, 5, 4, 4, 3, 2, 1, 1, 1,
];

public struct Run {
    w: World,
    slots: Slots,
    judging: Judging,
    jobs: Jobs,
    tokens: Tokens,
    /// Operations that were taken, and how often each was.
    done: u64,
    taken: vector<u64>,
}

fun begin(seed: u64, names: vector<vector<u8>>, values: vector<u64>): Run {
    let mut w = world::begin(seed, names, values);
    let judging = judging::begin(&mut w);
    let (jobs, tokens) = (jobs::begin(&mut w), tokens::begin(&mut w));
    w.p().roll();
    let taken = vector::tabulate!(KINDS, |_| 0);
    Run { w, slots: slots::begin(), judging, jobs, tokens, done: 0, taken }
}

fun end(run: Run) {
    let Run { mut w, slots, judging, jobs, tokens, .. } = run;
    slots.end();
    judging.end();
    jobs.end();
    tokens.end(&mut w);
    w.end();
}

/// Try operation `kind`; whether it was taken.
fun attempt(run: &mut Run, kind: u64): bool {
    let early = run.done < OPERATIONS / 5;
    let Run { w, slots, judging, jobs, tokens, .. } = run;
    match (kind) {
        // Miners.
        0 => slots.register(w),
        1 => slots.leave(w),
        2 => slots.withdraw(w),
        3 => slots.top_up(w),
        4 => slots::commit(w),
        5 => slots::reveal(w),
        6 => slots::seal(w),
        7 => slots::unseal(w),
        8 => slots.sweep(w),
        // Validators and their judges.
        9 => slots.join(w, false),
        10 => slots.join(w, true),
        11 => slots.quit(w),
        12 => slots.withdraw_validator(w),
        13 => judging.attest(w),
        14 => judging.report(w),
        15 => judging.settle(w),
        16 => judging.outcome(w, tokens.rewards()),
        17 => judging.slash(w),
        18 => judging.prune(w, tokens.rewards()),
        // The token.
        19 => tokens.pay(w),
        20 => tokens.claim(w),
        21 => tokens.claim_treasury(w),
        22 => tokens.deposit(w),
        23 => tokens::burn(w),
        24 => !early && tokens.generate(w),
        25 => tokens.claim_vested(w),
        26 => tokens.hand_over(w),
        27 => tokens.claim_airdrop(w),
        28 => tokens.sweep_airdrop(w),
        // Pools.
        29 => tokens.stake(w),
        30 => tokens.collect_reward(w),
        31 => tokens.unstake(w, true),
        32 => tokens.unstake(w, false),
        33 => tokens.reward(w),
        // Jobs.
        34 => jobs.set_terms(w),
        35 => jobs.sweep(w),
        36 => jobs.post(w),
        37 => jobs.cancel(w),
        38 => jobs.claim(w),
        39 => jobs.release(w),
        40 => jobs.complete(w),
        41 => jobs.refund(w, false),
        42 => jobs.refund(w, true),
        43 => jobs.settle(w),
        44 => jobs.dispute(w),
        45 => jobs.judged(w, judging, true),
        46 => jobs.judged(w, judging, false),
        47 => jobs.expire(w),
        48 => jobs.prune(w),
        // Data and parameters.
        49 => world::anchor(w),
        50 => w.tune(),
        // Time: what opens a window is taken, too.
        _ => false,
    }
}

/// All that must hold, in all modules.
fun check(run: &mut Run) {
    let Run { w, slots, jobs, tokens, .. } = run;
    slots.check(w);
    jobs.check();
    tokens.check(w);
}

/// The same of the modules that operation `kind` has in hand: it cannot reach the others' objects.
fun check_after(run: &mut Run, kind: u64) {
    let Run { w, slots, jobs, tokens, .. } = run;
    if (kind < TOKENS || kind >= OTHERS) slots.check(w);
    if ((kind >= JOINS && kind < JOBS) || kind >= OTHERS) tokens.check(w);
    if (kind >= JOBS) jobs.check();
}

/// A window was opened.
fun open(run: &mut Run) {
    let Run { w, slots, judging, .. } = run;
    slots.turn(w);
    judging.opened(w.window());
}

/// The next transaction: people find what they were sent.
fun collect(run: &mut Run) {
    let Run { w, tokens, .. } = run;
    w.collect();
    tokens.collect(w);
    run.check();
}

fun took(run: &mut Run, kind: u64) {
    let taken = &mut run.taken[kind];
    *taken = *taken + 1;
    run.done = run.done + 1;
    if (run.done % 10 == 0) run.check() else run.check_after(kind);
}

/// An operation by its weight; one in four is of those that were never taken.
fun pick(run: &mut Run, weights: &vector<u64>, total: u64): u64 {
    if (run.w.one_in(4)) {
        let missing = run.taken.find_indices!(|count| *count == 0);
        if (!missing.is_empty()) return missing[run.w.draw(missing.length())];
    };
    let mut at = run.w.draw(total);
    let mut kind = 0;
    while (at >= weights[kind]) {
        at = at - weights[kind];
        kind = kind + 1;
    };
    kind
}

/// `OPERATIONS` of them as `windows` go by, or days: before each try less than `step_ms` pass, and before one in
/// `leaps` much more.
fun run(
    seed: u64,
    windows: bool,
    step_ms: u64,
    leaps: u64,
    names: vector<vector<u8>>,
    values: vector<u64>,
) {
    let mut run = begin(seed, names, values);
    let weights = if (windows) WINDOWS else DAYS;
    let total = weights.fold!(0, |a, b| a + b);
    let mut sent = 0;
    while (run.done < OPERATIONS || (run.done < 4 * OPERATIONS && run.taken.contains(&0))) {
        let leap = run.w.one_in(leaps);
        let ms = run.w.draw(step_ms);
        let opened = if (leap) run.w.leap() else run.w.wait(ms);
        if (opened) {
            run.open();
            run.took(KINDS - 1);
        };
        let kind = run.pick(&weights, total);
        if (run.attempt(kind)) run.took(kind);
        if (run.done / BATCH > sent) {
            sent = run.done / BATCH;
            run.collect();
        };
    };
    run.collect();
    // Every kind was taken: the code has a bit for each that was not.
    let mut missing = 0;
    KINDS.do!(|kind| if (run.taken[kind] == 0) missing = missing | (1u64 << (kind as u8)));
    assert!(missing == 0, missing);
    assert!(!windows || run.judging.is_lively());
    run.end();
}

#[test]
fun coins_are_conserved_as_windows_go_by_with_seed_1() {
    run(1, true, 500, 200, vector[b"emission"], vector[100_000_000_000_000])
}

#[test]
fun coins_are_conserved_as_windows_go_by_with_seed_2() {
    let names = vector[b"emission", b"slash_bps", b"unrevealed_fee"];
    run(2, true, 400, 250, names, vector[50_000_000_000_000, 2_500, 300])
}

#[test]
fun coins_are_conserved_as_days_go_by_with_seed_3() {
    run(3, false, 500, 200, vector[b"emission"], vector[100_000_000_000_000])
}

#[test]
fun coins_are_conserved_as_days_go_by_with_seed_4() {
    run(4, false, 500, 200, vector[b"slash_bps"], vector[5_000])
}

#[test]
fun coins_are_conserved_as_days_go_by_with_seed_5() {
    run(5, false, 500, 150, vector[b"emission"], vector[200_000_000_000_000])
}

#[test]
fun coins_are_conserved_as_days_go_by_with_seed_6() {
    run(6, false, 500, 200, vector[b"emission"], vector[100_000_000_000_000])
}
