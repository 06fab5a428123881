/// What traces look at after their calls, as numbers: of a hash its first eight bytes.
#[test_only]
module vramhub::conformance_views;

use sui::bcs;
use vramhub::conformance_tape::Tape;
use vramhub::conformance_world::{World, number_of, number_or_none, people, person};
use vramhub::peer_registry;
use vramhub::reward_distributor;
use vramhub::score_ledger;

/// The first eight bytes as a number; 0 of none.
fun start(bytes: vector<u8>): u64 {
    let mut value = 0u64;
    let mut i = bytes.length().min(8);
    while (i > 0) {
        i = i - 1;
        value = (value << 8) | (bytes[i] as u64);
    };
    value
}

fun last_eight(bytes: vector<u8>): vector<u8> {
    vector::tabulate!(8, |i| bytes[bytes.length() - 8 + i])
}

fun digest(bytes: vector<u8>): u64 { start(std::hash::sha2_256(bytes)) }

fun bit(value: bool): u64 { if (value) 1 else 0 }

public fun world(w: &World): vector<u64> {
    let (rewards, treasury) = (w.rewards(), w.treasury());
    let mut found = vector[
        w.hp().current_window(w.clock()),
        rewards.issued(),
        rewards.owed() + rewards.treasury(),
        rewards.treasury(),
        w.pr().treasury_value(),
        w.vr().treasury_value(),
        treasury.issued(),
        treasury.mined(),
        treasury.burned(),
        bit(treasury.tge_done()),
        w.board().fees(),
    ];
    w.hp().epochs().do!(|epoch| {
        let (first_window, start_ms, window_ms) = epoch.epoch_parts();
        found.append(vector[first_window, start_ms, window_ms]);
    });
    found
}

public fun miners(w: &World, t: &mut Tape): vector<u64> {
    let mut found = vector[];
    t.u().do!(|uid| {
        let uid = uid as u16;
        let pr = w.pr();
        let owner = number_or_none(pr.slot_owner(uid));
        found.push_back(owner);
        if (owner > 0) {
            let generation = pr.generation_of(uid).destroy_some();
            let record = peer_registry::record_of(pr, uid, generation);
            found.push_back(pr.stake_of(uid));
            found.push_back(generation);
            found.push_back(pr.active_from(uid));
            found.push_back(record.record_mu());
            found.push_back(record.record_sigma());
            found.push_back(record.record_average());
            found.push_back(record.record_measured());
            found.push_back(record.record_accepted());
            found.push_back(pr.last_accepted(uid).map!(|window| window + 1).destroy_or!(0));
        };
    });
    found
}

public fun validators(w: &World): vector<u64> {
    let mut found = vector[];
    w.vr().seats().do!(|seat| {
        found.push_back(seat.seat_uid() as u64);
        found.push_back(seat.seat_generation());
        found.push_back(number_of(seat.seat_owner()));
        found.push_back(seat.seat_stake());
        found.push_back(seat.seat_active_from());
    });
    found
}

public fun window(w: &World, t: &mut Tape): vector<u64> {
    let (window, with_digest) = (t.u(), t.flag());
    let (rs, hp, sl) = (w.rs(), w.hp(), w.sl());
    let status = rs.status(window);
    let mut found = vector[
        status as u64,
        start(rs.acc(window)),
        start(rs.base_of(window)),
        rs.reveal_count(window),
        rs.seats(window).length(),
        rs.reported_stake(window) as u64,
        rs.outcome_stake(window) as u64,
        rs.snapshot_stake(window) as u64,
    ];
    if (with_digest) found.push_back(start(rs.context_digest(hp, window)));
    w.gr().sorted_uids(window).do!(|uid| found.push_back(uid as u64));
    // What was staged is dropped where a window is skipped.
    let settled = if (status < 4) score_ledger::settled_digest(rs, sl, window) else option::none();
    found.push_back(start(settled.destroy_or!(vector[])));
    let rated = sl.is_rated(window);
    found.push_back(bit(rated));
    let payout = w.rewards().payout(window);
    if (rated && payout.is_some()) {
        let payout = payout.destroy_some();
        found.push_back(payout.payout_issued());
        found.append(reward_distributor::miner_rewards(&payout));
        reward_distributor::miner_weights(&payout).do!(
            |weight| found.push_back(digest(bcs::to_bytes(&weight))),
        );
        found.append(reward_distributor::validator_rewards(&payout));
    };
    found
}

public fun balances(w: &mut World): vector<u64> {
    w.collect();
    let mut found = vector[];
    people().do!(|i| {
        found.push_back(w.sui_of(i));
        found.push_back(w.vram_of(i));
        found.push_back(w.rewards().claimable(person(i)));
    });
    found
}

public fun enclave(w: &World, t: &mut Tape): vector<u64> {
    let uid = t.u() as u16;
    let owner = w.vr().seat_owner(uid);
    if (owner.is_none()) return vector[0];
    let key = w.er().active_key(uid, owner.destroy_some());
    if (key.is_none()) return vector[0];
    let key = key.destroy_some();
    let enclave = w.er().enclave(key).destroy_some();
    vector[
        start(key),
        enclave.document_ms(),
        enclave.registered_ms(),
        enclave.expires_ms(),
        digest(enclave.measurement()),
    ]
}

public fun job(w: &World, t: &mut Tape): vector<u64> {
    let job = w.board().job(t.u());
    let (escrow, claim, dispute) = job.held();
    vector[job.status() as u64, escrow, claim, dispute]
}

public fun pool(w: &mut World, t: &mut Tape): vector<u64> {
    let (pools, _, _, _) = w.pools();
    let pool = &pools[t.u()];
    vector[
        pool.staked(),
        pool.rewards(),
        pool.unreleased(),
        pool.stream_left_ms(),
        pool.total_weight() as u64,
    ]
}

/// A ticket in its pool.
public fun ticket(w: &mut World, t: &mut Tape): vector<u64> {
    let (n, k) = (t.u(), t.u());
    let (pools, tickets, clock, _) = w.pools();
    let ticket = tickets[n].borrow();
    vector[ticket.amount(), ticket.unlock_ms(), pools[k].earned(ticket, clock)]
}

public fun vesting(w: &mut World, t: &mut Tape): vector<u64> {
    let k = t.u();
    let (vestings, clock, _) = w.vestings();
    let vesting = &vestings[k];
    vector[
        vesting.class() as u64,
        number_of(vesting.beneficiary()),
        vesting.locked(),
        vesting.vested_at(clock.timestamp_ms()),
    ]
}

public fun airdrop(w: &mut World): vector<u64> {
    let (airdrop, _, _, _) = w.airdrops();
    vector[airdrop[0].unclaimed()]
}

public fun dataset(w: &World, t: &mut Tape): vector<u64> {
    let (dr, id) = (w.dr(), t.u());
    vector[
        dr.page_count(id),
        dr.page_tokens(id) as u64,
        start(dr.root(id)),
        number_or_none(dr.owner(id)),
        bit(dr.is_retired(id)),
    ]
}

public fun credentials(w: &World, t: &mut Tape): vector<u64> {
    let uid = t.u() as u16;
    vector[w.pr().credentials_epoch(uid).destroy_or!(0), w.pr().next_epoch(uid)]
}

/// How many builds are approved, the sum of when they come into force, and of those named whether they are.
public fun measurements(w: &World, t: &mut Tape): vector<u64> {
    let now = w.clock().timestamp_ms();
    let builds = w.er().measurements();
    let mut from = 0;
    builds.do_ref!(|build| {
        // The last of its fields.
        let bytes = bcs::to_bytes(build);
        from = from + start(last_eight(bytes));
    });
    let mut found = vector[builds.length(), from];
    t.u().do!(|_| found.push_back(bit(w.er().is_approved(t.b(), now))));
    found
}
