/// The network in which traces are played: every shared object, the people, their coins and what they own. It is
/// founded as `host/ledger/testing.ts` founds a dev ledger.
#[test_only]
module vramhub::conformance_world;

use std::unit_test::destroy;
use sui::clock::{Self, Clock};
use sui::coin::{Self, Coin};
use sui::sui::SUI;
use sui::test_scenario::{Self, Scenario};
use vramhub::conformance_tape::Tape;
use vramhub::dataset_registry::{Self, DatasetRegistry};
use vramhub::enclave_registry::{Self, EnclaveRegistry};
use vramhub::gradient_registry::{Self, GradientRegistry};
use vramhub::hparams::{Self, AdminCap, Hparams};
use vramhub::peer_registry::{Self, PeerRegistry};
use vramhub::reward_distributor::{Self, RewardPool};
use vramhub::round_state::{Self, RoundState};
use vramhub::scenario::hash;
use vramhub::score_fixture::pcr;
use vramhub::score_ledger::{Self, ScoreLedger};
use vramhub::staking_pool::{StakerTicket, StakingPool};
use vramhub::training_jobs::{Self, TrainingJobBoard};
use vramhub::validator_registry::{Self, ValidatorRegistry};
use vramhub::vram_token::{Self, Airdrop, Treasury, Vesting, VRAM_TOKEN};

const T0: u64 = 1_700_000_000_000;
/// From it comes the id of the treasury, which is part of every leaf of the airdrop.
const TREASURY_HINT: u64 = 7;
/// What people's transactions count from.
const FIRST_HINT: u64 = 1 << 40;

/// Everybody, as `PEOPLE` in `tests/conformance/people.ts`.
const PEOPLE: vector<address> = vector[
    @0xAD,
    @0x1000,
    @0x1001,
    @0x1002,
    @0x1003,
    @0x1004,
    @0x2000,
    @0x2001,
    @0x2002,
    @0x2003,
    @0x2004,
    @0x3a1e,
    @0x3a2e,
    @0xc0,
    @11,
    @12,
    @13,
];

public struct World {
    ts: Scenario,
    clock: Clock,
    cap: Option<AdminCap>,
    rs: RoundState,
    hp: Hparams,
    dr: DatasetRegistry,
    vr: ValidatorRegistry,
    pr: PeerRegistry,
    gr: GradientRegistry,
    er: EnclaveRegistry,
    sl: ScoreLedger,
    rewards: RewardPool,
    treasury: Treasury,
    board: TrainingJobBoard,
    pools: vector<StakingPool<VRAM_TOKEN>>,
    tickets: vector<Option<StakerTicket<VRAM_TOKEN>>>,
    /// In the order of their making: class, then as the token generation event named them.
    vestings: vector<Vesting>,
    airdrop: vector<Airdrop>,
    hint: u64,
    /// What everybody received and gave away, MIST.
    sui_in: vector<u64>,
    sui_out: vector<u64>,
    /// All VRAM that people hold, and how much of it each does.
    pot: Coin<VRAM_TOKEN>,
    vram: vector<u64>,
}

/// Found a network as the head of `tape` says.
public fun begin(tape: &mut Tape): World {
    let mut ts = test_scenario::begin(person(0));
    tx_context::new_from_hint(person(0), TREASURY_HINT, 0, 0, 0);
    let ctx = ts.ctx();
    vram_token::init_for_testing(ctx);
    hparams::init_for_testing(ctx);
    dataset_registry::init_for_testing(ctx);
    round_state::init_for_testing(ctx);
    validator_registry::init_for_testing(ctx);
    peer_registry::init_for_testing(ctx);
    gradient_registry::init_for_testing(ctx);
    enclave_registry::init_for_testing(ctx);
    score_ledger::init_for_testing(ctx);
    reward_distributor::init_for_testing(ctx);
    training_jobs::init_for_testing(ctx);
    let mut clock = clock::create_for_testing(ctx);
    clock.set_for_testing(T0);
    let pot = coin::zero(ctx);
    ts.next_tx(person(0));
    let mut w = World {
        cap: option::some(ts.take_from_sender()),
        rs: ts.take_shared(),
        hp: ts.take_shared(),
        dr: ts.take_shared(),
        vr: ts.take_shared(),
        pr: ts.take_shared(),
        gr: ts.take_shared(),
        er: ts.take_shared(),
        sl: ts.take_shared(),
        rewards: ts.take_shared(),
        treasury: ts.take_shared(),
        board: ts.take_shared(),
        pools: vector[],
        tickets: vector[],
        vestings: vector[],
        airdrop: vector[],
        hint: FIRST_HINT,
        sui_in: PEOPLE.map!(|_| 0),
        sui_out: PEOPLE.map!(|_| 0),
        pot,
        vram: PEOPLE.map!(|_| 0),
        clock,
        ts,
    };
    w.found(tape);
    w
}

fun found(w: &mut World, tape: &mut Tape) {
    let encoded = tape.b();
    let miners = tape.u();
    let World { cap, hp, clock, .. } = w;
    hparams::set(cap.borrow(), hp, encoded, clock);
    miners.do!(|i| {
        let (stake, fee) = (w.pay_sui(1 + i, 5_000), w.pay_sui(1 + i, 0));
        w.received_sui(1 + i, 5_000);
        w.turn(1 + i);
        let World { rs, hp, vr, pr, clock, ts, .. } = w;
        peer_registry::register(rs, hp, vr, pr, stake, fee, clock, ts.ctx());
    });
    let validators = tape.u();
    validators.do!(|i| {
        let amount = tape.u();
        let (stake, fee) = (w.pay_sui(6 + i, amount), w.pay_sui(6 + i, 0));
        w.received_sui(6 + i, amount);
        w.turn(6 + i);
        let World { rs, hp, vr, treasury, clock, ts, .. } = w;
        let bond = coin::zero(ts.ctx());
        validator_registry::register(rs, hp, vr, treasury, stake, fee, bond, clock, ts.ctx());
    });
    let World { cap, rs, hp, dr, er, clock, .. } = w;
    let cap = cap.borrow();
    rs.set_ledger_id_for_testing(hash(b"ledger"));
    er.approve_for_testing(b"build-1", pcr(1, 0), pcr(1, 1), pcr(1, 2));
    let id = dataset_registry::register(cap, dr, 100, 33, hash(b"tokenizer"), hash(b"pages"));
    round_state::found(
        cap,
        rs,
        hp,
        dr,
        id,
        hash(b"chain"),
        hash(b"model"),
        hash(b"genesis"),
        tape.b(),
        T0 - 60_000,
        1_000,
        T0 + tape.u(),
        0,
        encoded,
        clock,
    );
}

/// Done: nothing is checked.
public fun end(w: World) { destroy(w) }

// === People and time ===

public fun person(i: u64): address {
    let people = PEOPLE;
    people[i]
}

public fun people(): u64 {
    let people = PEOPLE;
    people.length()
}

/// The number of somebody, from 1.
public fun number_of(who: address): u64 {
    let people = PEOPLE;
    let (known, i) = people.index_of(&who);
    assert!(known);
    i + 1
}

/// The same, or 0 for nobody.
public fun number_or_none(who: Option<address>): u64 {
    who.map!(|who| number_of(who)).destroy_or!(0)
}

public fun set_time(w: &mut World, since: u64) { w.clock.set_for_testing(T0 + since); }

/// The next calls are by `i`.
public fun turn(w: &mut World, i: u64) {
    w.hint = w.hint + 1;
    tx_context::new_from_hint(person(i), w.hint, 0, 0, 0);
}

/// What was transferred and shared can be taken from here on.
public fun next(w: &mut World) { w.ts.next_tx(person(0)); }

// === Coins ===

public fun received_sui(w: &mut World, i: u64, amount: u64) {
    *&mut w.sui_in[i] = w.sui_in[i] + amount;
}

public fun pay_sui(w: &mut World, i: u64, amount: u64): Coin<SUI> {
    *&mut w.sui_out[i] = w.sui_out[i] + amount;
    coin::mint_for_testing(amount, w.ts.ctx())
}

public fun keep_sui(w: &mut World, i: u64, coin: Coin<SUI>): u64 {
    let amount = coin.burn_for_testing();
    w.received_sui(i, amount);
    amount
}

public fun pay_vram(w: &mut World, i: u64, amount: u64): Coin<VRAM_TOKEN> {
    if (w.vram[i] < amount) w.collect();
    *&mut w.vram[i] = w.vram[i] - amount;
    w.pot.split(amount, w.ts.ctx())
}

public fun keep_vram(w: &mut World, i: u64, coin: Coin<VRAM_TOKEN>): u64 {
    let amount = coin.value();
    *&mut w.vram[i] = w.vram[i] + amount;
    w.pot.join(coin);
    amount
}

/// Everybody takes what was sent to them.
public fun collect(w: &mut World) {
    w.next();
    people().do!(|i| {
        let who = person(i);
        test_scenario::ids_for_address<Coin<SUI>>(who).do!(|id| {
            let coin = w.ts.take_from_address_by_id(who, id);
            w.keep_sui(i, coin);
        });
        test_scenario::ids_for_address<Coin<VRAM_TOKEN>>(who).do!(|id| {
            let coin = w.ts.take_from_address_by_id(who, id);
            w.keep_vram(i, coin);
        });
    });
}

public fun sui_of(w: &World, i: u64): u64 { w.sui_in[i] - w.sui_out[i] }

public fun vram_of(w: &World, i: u64): u64 { w.vram[i] }

// === What calls take ===

public fun lower(
    w: &mut World,
): (&mut RoundState, &mut Hparams, &mut ValidatorRegistry, &mut Treasury, &Clock, &mut TxContext) {
    let World { rs, hp, vr, treasury, clock, ts, .. } = w;
    (rs, hp, vr, treasury, clock, ts.ctx())
}

public fun peers(
    w: &mut World,
): (
    &mut RoundState,
    &mut Hparams,
    &mut ValidatorRegistry,
    &mut PeerRegistry,
    &mut GradientRegistry,
    &Clock,
    &mut TxContext,
) {
    let World { rs, hp, vr, pr, gr, clock, ts, .. } = w;
    (rs, hp, vr, pr, gr, clock, ts.ctx())
}

public fun judges(
    w: &mut World,
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
    let World { rs, hp, vr, pr, er, gr, sl, rewards, clock, ts, .. } = w;
    (rs, hp, vr, pr, er, gr, sl, rewards, clock, ts.ctx())
}

public fun market(
    w: &mut World,
): (
    &mut TrainingJobBoard,
    &mut DatasetRegistry,
    &mut RoundState,
    &mut ValidatorRegistry,
    &mut EnclaveRegistry,
    &mut PeerRegistry,
    &Clock,
    &mut TxContext,
) {
    let World { board, dr, rs, vr, er, pr, clock, ts, .. } = w;
    (board, dr, rs, vr, er, pr, clock, ts.ctx())
}

/// Everything that an admin's call takes.
public fun governed(
    w: &mut World,
): (
    &AdminCap,
    &mut Hparams,
    &mut DatasetRegistry,
    &mut ValidatorRegistry,
    &mut PeerRegistry,
    &mut EnclaveRegistry,
    &mut RewardPool,
    &mut Treasury,
    &mut TrainingJobBoard,
    &Clock,
    &mut TxContext,
) {
    let World { cap, hp, dr, vr, pr, er, rewards, treasury, board, clock, ts, .. } = w;
    (cap.borrow(), hp, dr, vr, pr, er, rewards, treasury, board, clock, ts.ctx())
}

public fun rs(w: &World): &RoundState { &w.rs }

public fun hp(w: &World): &Hparams { &w.hp }

public fun dr(w: &World): &DatasetRegistry { &w.dr }

public fun vr(w: &World): &ValidatorRegistry { &w.vr }

public fun pr(w: &World): &PeerRegistry { &w.pr }

public fun gr(w: &World): &GradientRegistry { &w.gr }

public fun er(w: &World): &EnclaveRegistry { &w.er }

public fun sl(w: &World): &ScoreLedger { &w.sl }

public fun rewards(w: &World): &RewardPool { &w.rewards }

public fun treasury(w: &World): &Treasury { &w.treasury }

public fun board(w: &World): &TrainingJobBoard { &w.board }

public fun clock(w: &World): &Clock { &w.clock }

// === What people own ===

public fun take_cap(w: &mut World): AdminCap { w.cap.extract() }

/// The cap is with whoever holds it now.
public fun find_cap(w: &mut World, i: u64) {
    w.next();
    w.cap.fill(w.ts.take_from_address(person(i)));
}

public fun vestings(w: &mut World): (&mut vector<Vesting>, &Clock, &mut TxContext) {
    let World { vestings, clock, ts, .. } = w;
    (vestings, clock, ts.ctx())
}

public fun airdrops(
    w: &mut World,
): (&mut vector<Airdrop>, &mut vector<Vesting>, &Clock, &mut TxContext) {
    let World { airdrop, vestings, clock, ts, .. } = w;
    (airdrop, vestings, clock, ts.ctx())
}

/// After the token generation event: its objects, in the order of their making.
public fun find_generated(w: &mut World) {
    w.next();
    while (test_scenario::has_most_recent_shared<Vesting>()) {
        let vesting: Vesting = w.ts.take_shared();
        let (class, locked) = (vesting.class(), vesting.locked());
        let at = w
            .vestings
            .find_index!(
                |
                    other,
                | other.class() > class || (other.class() == class && other.locked() < locked),
            );
        let at = at.destroy_or!(w.vestings.length());
        w.vestings.insert(vesting, at);
    };
    w.airdrop.push_back(w.ts.take_shared());
}

public fun pools(
    w: &mut World,
): (
    &mut vector<StakingPool<VRAM_TOKEN>>,
    &mut vector<Option<StakerTicket<VRAM_TOKEN>>>,
    &Clock,
    &mut TxContext,
) {
    let World { pools, tickets, clock, ts, .. } = w;
    (pools, tickets, clock, ts.ctx())
}

public fun find_pool(w: &mut World) {
    w.next();
    w.pools.push_back(w.ts.take_shared());
}

public fun find_ticket(w: &mut World, i: u64) {
    w.next();
    w.tickets.push_back(option::some(w.ts.take_from_address(person(i))));
}

/// The ledger's randomness; give it to `keep_random`.
public fun random(w: &mut World): sui::random::Random {
    w.ts.next_tx(@0x0);
    sui::random::create_for_testing(w.ts.ctx());
    w.ts.next_tx(@0x0);
    let mut random: sui::random::Random = w.ts.take_shared();
    random.update_randomness_state_for_testing(0, hash(b"random"), w.ts.ctx());
    w.next();
    random
}
