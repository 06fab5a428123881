/// The simulation's judges: keys attested and renewed, reports and outcomes that are really signed, settlement,
/// equivocations that are slashed, and rows that are pruned.
#[test_only]
module vramhub::simulation_judging;

use std::unit_test::{assert_eq, destroy};
use vramhub::enclave_registry::{Self, EnclaveRegistry};
use vramhub::reward_distributor::{Self, RewardPool};
use vramhub::scenario;
use vramhub::score_fixture::{Self, Entry, pcr};
use vramhub::score_ledger::{Self, ScoreLedger};
use vramhub::simulation_judge as judge;
use vramhub::simulation_world::{Self as world, World};

const REPORT: u8 = 1;
const OUTCOME: u8 = 2;
const JOB: u8 = 3;
/// Phases in which the window before takes reports and outcomes, and reveals of its own.
const REPORTS_MS: u64 = 6_000;
const OUTCOMES_MS: u64 = 9_000;
const REVEALS_MS: u64 = 9_500;

public struct Judging {
    er: EnclaveRegistry,
    sl: ScoreLedger,
    /// Windows whose rows are still kept.
    kept: vector<u64>,
    slashed: u64,
    /// Windows that were paid, and of them, whose merge became the base.
    rated: u64,
    moved: u64,
}

public fun begin(w: &mut World): Judging {
    enclave_registry::init_for_testing(w.p().net().ctx());
    score_ledger::init_for_testing(w.p().net().ctx());
    w.p().net().next(scenario::admin());
    let mut er: EnclaveRegistry = w.p().net().ts().take_shared();
    er.approve_for_testing(b"build-1", pcr(1, 0), pcr(1, 1), pcr(1, 2));
    let sl = w.p().net().ts().take_shared();
    Judging { er, sl, kept: vector[0], slashed: 0, rated: 0, moved: 0 }
}

public fun end(j: Judging) {
    let Judging { er, sl, .. } = j;
    destroy(er);
    destroy(sl);
}

/// Windows were judged and paid, a base moved, and a stake was slashed.
public fun is_lively(j: &Judging): bool { j.rated > 0 && j.moved > 0 && j.slashed > 0 }

public fun er(j: &Judging): &EnclaveRegistry { &j.er }

/// A window was opened.
public fun opened(j: &mut Judging, window: u64) { j.kept.push_back(window); }

/// Each pair of slot and owner has a judge of its own: a key never changes hands.
public fun judge_of(uid: u16, owner: address): u64 {
    (uid as u64) * world::validators() + world::number_of(owner) - world::miners()
}

/// Whether the judge of `uid` under `owner` counts now.
public fun counts(j: &Judging, uid: u16, owner: address, now_ms: u64): bool {
    j.er.verdict_key(uid, owner, now_ms).is_some()
}

/// A judge's key is attested, or renewed.
public fun attest(j: &mut Judging, w: &mut World): bool {
    let seats = w.p().net().vr().seats();
    if (seats.is_empty()) return false;
    let i = w.draw(seats.length());
    let (uid, owner) = (seats[i].seat_uid(), seats[i].seat_owner());
    let now = w.now_ms();
    if (j.counts(uid, owner, now) && !w.one_in(10)) return false;
    let key = judge::key(judge_of(uid, owner));
    if (j.er.enclave(key).is_some_and!(|known| known.document_ms() >= now)) return false;
    let (rs, hp, vr, _, _, clock, _) = w.p().parts();
    let data = enclave_registry::expected_user_data(rs, uid, owner);
    let values = vector[pcr(1, 0), pcr(1, 1), pcr(1, 2)];
    let (key, data) = (option::some(key), option::some(data));
    enclave_registry::register_parts(
        rs,
        hp,
        vr,
        &mut j.er,
        vector[0, 1, 2],
        values,
        key,
        data,
        now,
        uid,
        clock,
    );
    true
}

/// A seat of the window before this one whose judge counts.
fun voter(j: &Judging, w: &mut World): Option<vramhub::round_state::Seat> {
    let window = w.window();
    if (window == 0 || !w.p().net().rs().has_window(window - 1)) return option::none();
    let seats = *w.p().net().rs().seats(window - 1);
    if (seats.is_empty()) return option::none();
    let i = w.draw(seats.length());
    let now = w.now_ms();
    if (!j.counts(seats[i].seat_uid(), seats[i].seat_owner(), now)) return option::none();
    option::some(seats[i])
}

/// Most judges find the same; one in ten entries is another judge's opinion.
fun entry_of(w: &mut World, uid: u16, window: u64): Entry {
    let noise = (window * 7_919 + (uid as u64) * 104_729) % 60_000;
    if (w.one_in(30)) return score_fixture::bare(uid, 2 + (w.draw(9) as u8));
    if (w.one_in(30)) return score_fixture::bare(uid, 20 + (w.draw(2) as u8));
    let far = if (w.one_in(10)) w.draw(1_000) else w.draw(3);
    score_fixture::entry(uid, 1, vector[1_000_000, 900_000, 945_000 + noise + far])
}

public fun report(j: &mut Judging, w: &mut World): bool {
    if (w.phase() >= REPORTS_MS) return false;
    let voter = j.voter(w);
    if (voter.is_none()) return false;
    let (uid, owner) = (voter.borrow().seat_uid(), voter.borrow().seat_owner());
    let window = w.window() - 1;
    let n = judge_of(uid, owner);
    let known = j.er.enclave(judge::key(n)).destroy_some();
    if (known.registered_ms() >= w.now_ms() - w.phase() - 10_000 + REVEALS_MS) return false;
    if (w.p().net().rs().status(window) != 0) return false;
    if (j.sl.message(window, REPORT, uid).is_some()) return false;
    let uids = w.p().gr().sorted_uids(window);
    let entries = uids.map!(|uid| entry_of(w, uid, window));
    let (rs, hp, _, _, _, _, _) = w.p().parts();
    let digest = rs.context_digest(hp, window);
    let message = score_fixture::report_of(uid, window, digest, 1_000_000, entries);
    w.p().sender(owner);
    let (rs, hp, vr, _, gr, clock, ctx) = w.p().parts();
    let signature = judge::sign(n, &message);
    let Judging { er, sl, .. } = j;
    score_ledger::submit_report(rs, hp, vr, er, gr, sl, message, signature, clock, ctx);
    true
}

public fun settle(j: &mut Judging, w: &mut World): bool {
    let window = w.window();
    if (window == 0 || !w.p().net().rs().has_window(window - 1)) return false;
    let window = window - 1;
    let limit = 1 + w.draw(4);
    let late = w.phase() >= REPORTS_MS;
    let rs = w.p().net().rs();
    if (rs.status(window) > 1 || !rs.has_report_quorum(window)) return false;
    if (!late && rs.reported_stake(window) != rs.snapshot_stake(window)) return false;
    let (rs, hp, vr, pr, gr, clock, _) = w.p().parts();
    score_ledger::settle(rs, hp, vr, pr, gr, &mut j.sl, window, limit, clock);
    true
}

public fun outcome(j: &mut Judging, w: &mut World, rewards: &mut RewardPool): bool {
    if (w.phase() >= OUTCOMES_MS) return false;
    let voter = j.voter(w);
    if (voter.is_none()) return false;
    let (uid, owner) = (voter.borrow().seat_uid(), voter.borrow().seat_owner());
    let window = w.window() - 1;
    let digest = score_ledger::settled_digest(w.p().net().rs(), &j.sl, window);
    if (digest.is_none() || j.sl.message(window, OUTCOME, uid).is_some()) return false;
    let mut rated = vector[];
    if (j.sl.cursor(window) > 0) j.sl.settled_rows(window, 0).do!(|row| {
            let (uid, verdict, _, _, _, _, _) = row.row_parts();
            if (reward_distributor::is_rated(verdict)) rated.push_back(uid);
        });
    let other = if (w.one_in(20)) 1 else 0;
    let mu = 20_000_000 + (window * 7_919_113) % 25_000_000 + other;
    let merged = window % 3 > 0;
    let (hash, current) = if (merged) (scenario::hash(b"merged"), 1_000) else (b"", 0);
    let after = if (merged) 990 + w.draw(10) else 0;
    let message = score_fixture::outcome_of(
        uid,
        window,
        digest.destroy_some(),
        rated,
        mu,
        2_000_000,
        hash,
        current,
        after,
    );
    w.p().sender(owner);
    let signature = judge::sign(judge_of(uid, owner), &message);
    let (before, based) = (j.sl.is_rated(window), j.sl.base(window).is_some());
    let (rs, hp, vr, pr, _, clock, ctx) = w.p().parts();
    let Judging { er, sl, .. } = j;
    score_ledger::submit_outcome(rs, hp, vr, pr, er, sl, rewards, message, signature, clock, ctx);
    if (!before && j.sl.is_rated(window)) j.rated = j.rated + 1;
    if (!based && j.sl.base(window).is_some()) j.moved = j.moved + 1;
    true
}

/// A judge signs two different messages, and anybody brings them.
public fun slash(j: &mut Judging, w: &mut World): bool {
    let uid = w.draw(world::validator_slots() as u64) as u16;
    let owner = scenario::validator(w.draw(world::validators()));
    let intent = 1 + (w.draw(3) as u8);
    let n = judge_of(uid, owner);
    let window = w.window();
    let bps = w.p().net().hp().current().slash_bps() as u64;
    let vr = w.p().net().vr();
    let seat = vr.seats().find_index!(|seat| seat.seat_uid() == uid && seat.seat_owner() == owner);
    let seated = seat.is_some_and!(|i| vr.seats()[*i].seat_stake() * bps >= 10_000);
    // At most 16 entries unbond: one of them is that large.
    if (!seated && vr.unbonding_of(owner) * bps < 17 * 10_000) return false;
    if (j.er.enclave(judge::key(n)).is_none()) return false;
    if (j.er.was_slashed(judge::key(n), intent, window)) return false;
    let messages = vector[b"one", b"another"].map!(
        |name| equivocal(intent, uid, window, w.now_ms(), name),
    );
    let signatures = messages.map_ref!(|message| judge::sign(n, message));
    let (rs, hp, vr, _, _, clock, _) = w.p().parts();
    let before = vr.treasury_value();
    score_ledger::slash(
        rs,
        hp,
        vr,
        &mut j.er,
        judge::key(n),
        messages[0],
        signatures[0],
        messages[1],
        signatures[1],
        clock,
    );
    assert!(vr.treasury_value() > before);
    j.slashed = j.slashed + vr.treasury_value() - before;
    assert!(j.er.active_key(uid, owner).is_none());
    true
}

fun equivocal(intent: u8, uid: u16, subject: u64, now_ms: u64, name: vector<u8>): vector<u8> {
    let hash = scenario::hash(name);
    if (intent == REPORT) return score_fixture::report_of(uid, subject, hash, 1_000_000, vector[]);
    if (intent == OUTCOME)
        return score_fixture::outcome_of(uid, subject, hash, vector[], 0, 1, b"", 0, 0);
    assert_eq!(intent, JOB);
    judge::verdict(uid, subject, now_ms, hash, hash, hash, 1_000, 900)
}

/// Drop the rows of the oldest window that may go.
public fun prune(j: &mut Judging, w: &mut World, rewards: &mut RewardPool): bool {
    if (j.kept.is_empty() || !w.p().net().rs().is_prunable(j.kept[0])) return false;
    let window = j.kept.remove(0);
    let (rs, _, _, _, gr, _, _) = w.p().parts();
    score_ledger::prune(rs, &mut j.sl, rewards, window);
    if (gr.commit_count(window) > 0) gr.prune(rs, window);
    rs.prune(window);
    true
}
