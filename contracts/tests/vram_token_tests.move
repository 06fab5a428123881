#[test_only]
module vramhub::vram_token_tests;

use std::hash::sha2_256;
use std::unit_test::{assert_eq, destroy};
use sui::clock::{Self, Clock};
use sui::coin::Coin;
use sui::test_scenario::{Self, Scenario};
use vramhub::hparams;
use vramhub::vram_token::{Self, Airdrop, Treasury, VRAM_TOKEN, Vesting};

const VRAM: u64 = 1_000_000_000;
const MONTH: u64 = 2_629_800_000;
const DAY: u64 = 86_400_000;
const START: u64 = 1_000;
const DEADLINE: u64 = START + 90 * DAY;
const ADMIN: address = @0xAD;
const FUND: address = @0xF0;
const INVESTOR: address = @0x11;
const INVESTOR_2: address = @0x12;
const TEAM: address = @0x71;
const POOL: address = @0x99;
const A: address = @0xA;
const B: address = @0xB;
const C: address = @0xC;

/// The token before or after its generation event.
public struct World { ts: Scenario, clock: Clock, treasury: Treasury }

/// What the generation event is asked for; the tests change one thing each.
public struct Ask has drop {
    investors: vector<address>,
    investor_amounts: vector<u64>,
    cliff_ms: u64,
    duration_ms: u64,
    team_amounts: vector<u64>,
    root: vector<u8>,
    leaves: u64,
    deadline_ms: u64,
}

fun begin(): World {
    let mut ts = test_scenario::begin(ADMIN);
    vram_token::init_for_testing(ts.ctx());
    let mut clock = clock::create_for_testing(ts.ctx());
    clock.set_for_testing(START);
    ts.next_tx(ADMIN);
    let treasury = ts.take_shared();
    World { ts, clock, treasury }
}

fun end(world: World) {
    let World { ts, clock, treasury } = world;
    clock.destroy_for_testing();
    test_scenario::return_shared(treasury);
    ts.end();
}

/// Leaves of the airdrop: A 100,000, B 105,000, C 105,000 and a unit, which is more than one may have.
fun leaves(world: &World): vector<vector<u8>> {
    let id = object::id(&world.treasury);
    vector[
        vram_token::airdrop_leaf(id, A, 100_000 * VRAM),
        vram_token::airdrop_leaf(id, B, 105_000 * VRAM),
        vram_token::airdrop_leaf(id, C, 105_000 * VRAM + 1),
    ]
}

fun node(left: vector<u8>, right: vector<u8>): vector<u8> {
    let mut bytes = vector[1u8];
    bytes.append(left);
    bytes.append(right);
    sha2_256(bytes)
}

/// Three leaves: the third is promoted.
fun root(world: &World): vector<u8> {
    let leaves = leaves(world);
    node(node(leaves[0], leaves[1]), leaves[2])
}

fun ask(world: &World): Ask {
    Ask {
        investors: vector[INVESTOR, INVESTOR_2],
        investor_amounts: vector[1_000_000 * VRAM, 50_000 * VRAM],
        cliff_ms: 6 * MONTH,
        duration_ms: 12 * MONTH,
        team_amounts: vector[1_680_000 * VRAM],
        root: root(world),
        leaves: 3,
        deadline_ms: DEADLINE,
    }
}

fun tge_with(world: &mut World, ask: Ask) {
    let World { ts, clock, treasury } = world;
    let cap = hparams::admin_for_testing(ts.ctx());
    let Ask {
        investors,
        investor_amounts,
        cliff_ms,
        duration_ms,
        team_amounts,
        root,
        leaves,
        deadline_ms,
    } = ask;
    vram_token::tge(
        &cap,
        treasury,
        FUND,
        investors,
        investor_amounts,
        cliff_ms,
        duration_ms,
        vector[TEAM],
        team_amounts,
        POOL,
        root,
        leaves,
        deadline_ms,
        clock,
        ts.ctx(),
    );
    destroy(cap);
    ts.next_tx(ADMIN);
}

fun tge(world: &mut World) {
    let ask = ask(world);
    tge_with(world, ask);
}

/// A world after the generation event.
fun generated(): World {
    let mut world = begin();
    tge(&mut world);
    world
}

/// The first vesting of `beneficiary`.
fun vesting_of(world: &mut World, beneficiary: address): Vesting {
    world.ts.next_tx(ADMIN);
    let mut found = vector[];
    let mut others = vector[];
    while (test_scenario::has_most_recent_shared<Vesting>()) {
        let vesting: Vesting = world.ts.take_shared();
        if (vesting.beneficiary() == beneficiary && found.is_empty()) found.push_back(vesting)
        else others.push_back(vesting);
    };
    others.destroy!(|vesting| test_scenario::return_shared(vesting));
    let vesting = found.pop_back();
    found.destroy_empty();
    vesting
}

fun claim(world: &mut World, vesting: &mut Vesting, who: address, now: u64): u64 {
    world.clock.set_for_testing(now);
    world.ts.next_tx(who);
    vesting.claim_vested(&world.clock, world.ts.ctx()).burn_for_testing()
}

fun claim_airdrop(
    world: &mut World,
    who: address,
    index: u64,
    amount: u64,
    proof: vector<vector<u8>>,
): u64 {
    world.ts.next_tx(who);
    let mut airdrop: Airdrop = world.ts.take_shared();
    let coin = airdrop.claim_airdrop(index, amount, proof, &world.clock, world.ts.ctx());
    test_scenario::return_shared(airdrop);
    coin.burn_for_testing()
}

fun sweep(world: &mut World, beneficiary: address): u64 {
    world.ts.next_tx(C);
    let vesting = vesting_of(world, beneficiary);
    let mut airdrop: Airdrop = world.ts.take_shared();
    airdrop.sweep_airdrop(&vesting, &world.clock, world.ts.ctx());
    test_scenario::return_shared(airdrop);
    test_scenario::return_shared(vesting);
    world.ts.next_tx(C);
    world.ts.take_from_address<Coin<VRAM_TOKEN>>(beneficiary).burn_for_testing()
}

fun proof_of(world: &World, index: u64): vector<vector<u8>> {
    let leaves = leaves(world);
    if (index == 0) vector[leaves[1], leaves[2]] else if (index == 1) vector[leaves[0], leaves[2]]
    else vector[node(leaves[0], leaves[1])]
}

// === Minting and burning ===

#[test]
fun mining_reaches_its_cap() {
    let mut world = begin();
    world.treasury.mint_mining(10_500_000 * VRAM - 1, world.ts.ctx()).burn_for_testing();
    world.treasury.mint_mining(1, world.ts.ctx()).burn_for_testing();
    assert_eq!(world.treasury.mined(), 10_500_000 * VRAM);
    assert_eq!(world.treasury.issued(), 10_500_000 * VRAM);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EMiningCap)]
fun mining_refuses_one_unit_above() {
    let mut world = begin();
    world.treasury.mint_mining(10_500_000 * VRAM, world.ts.ctx()).burn_for_testing();
    world.treasury.mint_mining(1, world.ts.ctx()).burn_for_testing();
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EMiningCap)]
fun mining_refuses_more_at_once() {
    let mut world = begin();
    world.treasury.mint_mining(10_500_000 * VRAM + 1, world.ts.ctx()).burn_for_testing();
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EZeroAmount)]
fun mining_refuses_zero() {
    let mut world = begin();
    world.treasury.mint_mining(0, world.ts.ctx()).burn_for_testing();
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EMiningCap)]
fun burned_coins_free_no_mining() {
    let mut world = begin();
    let coin = world.treasury.mint_mining(10_500_000 * VRAM, world.ts.ctx());
    world.treasury.burn(coin);
    assert_eq!(world.treasury.circulating(), 0);
    world.treasury.mint_mining(1, world.ts.ctx()).burn_for_testing();
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ESupplyCap)]
fun burned_coins_free_no_supply() {
    let mut world = begin();
    let coin = world.treasury.mint_for_testing(21_000_000 * VRAM, world.ts.ctx());
    world.treasury.burn(coin);
    world.treasury.mint_mining(1, world.ts.ctx()).burn_for_testing();
    end(world);
}

#[test]
fun both_halves_are_exactly_the_supply() {
    let mut world = begin();
    world.treasury.mint_mining(10_500_000 * VRAM, world.ts.ctx()).burn_for_testing();
    tge(&mut world);
    assert_eq!(world.treasury.issued(), 21_000_000 * VRAM);
    assert_eq!(world.treasury.circulating(), 21_000_000 * VRAM);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ESupplyCap)]
fun supply_refuses_one_unit_above() {
    let mut world = begin();
    world.treasury.mint_mining(10_500_000 * VRAM, world.ts.ctx()).burn_for_testing();
    tge(&mut world);
    world.treasury.mint_for_testing(1, world.ts.ctx()).burn_for_testing();
    end(world);
}

#[test]
fun burn_lowers_what_circulates_only() {
    let mut world = begin();
    let coin = world.treasury.mint_mining(10, world.ts.ctx());
    world.treasury.burn(coin);
    assert_eq!(world.treasury.issued(), 10);
    assert_eq!(world.treasury.burned(), 10);
    assert_eq!(world.treasury.circulating(), 0);
    world.treasury.mint_mining(5, world.ts.ctx()).burn_for_testing();
    assert_eq!(world.treasury.issued(), 15);
    assert_eq!(world.treasury.circulating(), 5);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EZeroAmount)]
fun burn_refuses_zero() {
    let mut world = begin();
    world.treasury.burn(sui::coin::zero(world.ts.ctx()));
    end(world);
}

#[test]
fun burn_bond_takes_an_empty_coin() {
    let mut world = begin();
    let coin = world.treasury.mint_mining(10, world.ts.ctx());
    world.treasury.burn_bond(coin);
    world.treasury.burn_bond(sui::coin::zero(world.ts.ctx()));
    assert_eq!(world.treasury.burned(), 10);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EWrongVersion)]
fun another_version_is_refused() {
    let mut world = begin();
    world.treasury.set_version_for_testing(2);
    world.treasury.issued();
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EWrongVersion)]
fun migrate_has_nothing_older() {
    let mut world = begin();
    let cap = hparams::admin_for_testing(world.ts.ctx());
    vram_token::migrate(&cap, &mut world.treasury);
    destroy(cap);
    end(world);
}

// === Token generation event ===

#[test]
fun tge_issues_the_other_half() {
    let mut world = begin();
    assert!(!world.treasury.tge_done());
    tge(&mut world);
    assert!(world.treasury.tge_done());
    assert_eq!(world.treasury.issued(), 10_500_000 * VRAM);
    assert_eq!(world.treasury.mined(), 0);
    let mut sum = 0;
    vector[FUND, INVESTOR, INVESTOR_2, TEAM].zip_do!(
        vector[5_250_000, 1_000_000, 50_000, 1_680_000],
        |who, amount| {
            let vesting = vesting_of(&mut world, who);
            assert_eq!(vesting.locked(), amount * VRAM);
            sum = sum + vesting.locked();
            test_scenario::return_shared(vesting);
        },
    );
    let liquidity = world.ts.take_from_address<Coin<VRAM_TOKEN>>(POOL);
    assert_eq!(liquidity.value(), 1_470_000 * VRAM);
    let airdrop: Airdrop = world.ts.take_shared();
    assert_eq!(airdrop.unclaimed(), 1_050_000 * VRAM);
    assert_eq!(sum + liquidity.value() + airdrop.unclaimed(), 10_500_000 * VRAM);
    test_scenario::return_shared(airdrop);
    test_scenario::return_to_address(POOL, liquidity);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ETgeDone)]
fun tge_is_once() {
    let mut world = begin();
    tge(&mut world);
    tge(&mut world);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadAllocation)]
fun tge_refuses_investors_below_their_sum() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.investor_amounts = vector[1_000_000 * VRAM, 50_000 * VRAM - 1];
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadAllocation)]
fun tge_refuses_investors_above_their_sum() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.investor_amounts = vector[1_000_000 * VRAM, 50_000 * VRAM + 1];
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadAllocation)]
fun tge_refuses_sums_that_would_wrap() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.investor_amounts = vector[18_446_744_073_709_551_615, 1_050_000 * VRAM + 1];
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadAllocation)]
fun tge_refuses_an_amount_of_zero() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.investor_amounts = vector[1_050_000 * VRAM, 0];
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadAllocation)]
fun tge_refuses_a_missing_amount() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.investor_amounts = vector[1_050_000 * VRAM];
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadAllocation)]
fun tge_refuses_a_team_above_its_sum() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.team_amounts = vector[1_680_000 * VRAM + 1];
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadAllocation)]
fun tge_refuses_65_recipients() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.investors = vector::tabulate!(65, |_| INVESTOR);
    ask.investor_amounts = vector::tabulate!(65, |i| if (i == 0) 1_050_000 * VRAM - 64 else 1);
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadSchedule)]
fun tge_refuses_a_lock_below_six_months() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.cliff_ms = 0;
    ask.duration_ms = 6 * MONTH - 1;
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadSchedule)]
fun tge_refuses_a_long_cliff() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.cliff_ms = 60 * MONTH + 1;
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadSchedule)]
fun tge_refuses_a_long_duration() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.duration_ms = 60 * MONTH + 1;
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadRoot)]
fun tge_refuses_a_short_root() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.root.pop_back();
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadRoot)]
fun tge_refuses_a_root_without_leaves() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.leaves = 0;
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadDeadline)]
fun tge_refuses_an_early_deadline() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.deadline_ms = START + 30 * DAY - 1;
    tge_with(&mut world, ask);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadDeadline)]
fun tge_refuses_a_late_deadline() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.deadline_ms = START + 730 * DAY + 1;
    tge_with(&mut world, ask);
    end(world);
}

#[test]
fun tge_takes_the_shortest_lock() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.cliff_ms = 6 * MONTH;
    ask.duration_ms = 0;
    ask.deadline_ms = START + 30 * DAY;
    tge_with(&mut world, ask);
    let mut vesting = vesting_of(&mut world, INVESTOR);
    assert_eq!(vesting.vested_at(START + 6 * MONTH - 1), 0);
    assert_eq!(claim(&mut world, &mut vesting, INVESTOR, START + 6 * MONTH), 1_000_000 * VRAM);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test]
fun tge_takes_the_longest_lock() {
    let mut world = begin();
    let mut ask = ask(&world);
    ask.cliff_ms = 60 * MONTH;
    ask.duration_ms = 60 * MONTH;
    ask.deadline_ms = START + 730 * DAY;
    tge_with(&mut world, ask);
    let vesting = vesting_of(&mut world, INVESTOR_2);
    assert_eq!(vesting.vested_at(START + 90 * MONTH), 25_000 * VRAM);
    test_scenario::return_shared(vesting);
    end(world);
}

// === Vesting ===

#[test]
fun treasury_vests_after_its_cliff() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, FUND);
    let cliff = START + 6 * MONTH;
    let total = 5_250_000 * VRAM;
    assert_eq!(vesting.class(), 0);
    assert_eq!(vesting.vested_at(START), 0);
    assert_eq!(vesting.vested_at(cliff - 1), 0);
    assert_eq!(vesting.vested_at(cliff), 0);
    assert_eq!(vesting.vested_at(cliff + 1), ((total as u128) / (48 * MONTH as u128)) as u64);
    assert_eq!(vesting.vested_at(cliff + 24 * MONTH), total / 2);
    assert!(vesting.vested_at(cliff + 48 * MONTH - 1) < total);
    assert_eq!(vesting.vested_at(cliff + 48 * MONTH), total);
    assert_eq!(vesting.vested_at(18_446_744_073_709_551_615), total);
    let half = claim(&mut world, &mut vesting, FUND, cliff + 24 * MONTH);
    let rest = claim(&mut world, &mut vesting, FUND, cliff + 48 * MONTH);
    assert_eq!(half + rest, total);
    assert_eq!(vesting.locked(), 0);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test]
fun investors_vests_after_its_cliff() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, INVESTOR);
    let cliff = START + 6 * MONTH;
    let total = 1_000_000 * VRAM;
    assert_eq!(vesting.class(), 1);
    assert_eq!(vesting.vested_at(START), 0);
    assert_eq!(vesting.vested_at(cliff - 1), 0);
    assert_eq!(vesting.vested_at(cliff), 0);
    assert_eq!(vesting.vested_at(cliff + 1), ((total as u128) / (12 * MONTH as u128)) as u64);
    assert_eq!(vesting.vested_at(cliff + 6 * MONTH), total / 2);
    assert!(vesting.vested_at(cliff + 12 * MONTH - 1) < total);
    assert_eq!(vesting.vested_at(cliff + 12 * MONTH), total);
    assert_eq!(vesting.vested_at(18_446_744_073_709_551_615), total);
    let half = claim(&mut world, &mut vesting, INVESTOR, cliff + 6 * MONTH);
    let rest = claim(&mut world, &mut vesting, INVESTOR, cliff + 12 * MONTH);
    assert_eq!(half + rest, total);
    assert_eq!(vesting.locked(), 0);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test]
fun team_vests_after_its_cliff() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    let cliff = START + 12 * MONTH;
    let total = 1_680_000 * VRAM;
    assert_eq!(vesting.class(), 2);
    assert_eq!(vesting.vested_at(START), 0);
    assert_eq!(vesting.vested_at(cliff - 1), 0);
    assert_eq!(vesting.vested_at(cliff), 0);
    assert_eq!(vesting.vested_at(cliff + 1), ((total as u128) / (36 * MONTH as u128)) as u64);
    assert_eq!(vesting.vested_at(cliff + 18 * MONTH), total / 2);
    assert!(vesting.vested_at(cliff + 36 * MONTH - 1) < total);
    assert_eq!(vesting.vested_at(cliff + 36 * MONTH), total);
    assert_eq!(vesting.vested_at(18_446_744_073_709_551_615), total);
    let half = claim(&mut world, &mut vesting, TEAM, cliff + 18 * MONTH);
    let rest = claim(&mut world, &mut vesting, TEAM, cliff + 36 * MONTH);
    assert_eq!(half + rest, total);
    assert_eq!(vesting.locked(), 0);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test]
fun odd_claims_leave_no_dust() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    let mut now = START + 12 * MONTH;
    let mut sum = 0;
    while (sum < 1_680_000 * VRAM) {
        now = now + 2_345_678_901;
        sum = sum + claim(&mut world, &mut vesting, TEAM, now);
        assert_eq!(sum + vesting.locked(), 1_680_000 * VRAM);
    };
    assert_eq!(sum, 1_680_000 * VRAM);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ENothingToClaim)]
fun vesting_refuses_before_the_cliff() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    claim(&mut world, &mut vesting, TEAM, START + 12 * MONTH);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ENothingToClaim)]
fun vesting_pays_once() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    claim(&mut world, &mut vesting, TEAM, START + 24 * MONTH);
    claim(&mut world, &mut vesting, TEAM, START + 24 * MONTH);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ENotBeneficiary)]
fun vesting_refuses_others() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    claim(&mut world, &mut vesting, ADMIN, START + 24 * MONTH);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test]
fun beneficiary_changes_in_two_steps() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    world.ts.next_tx(TEAM);
    vesting.offer_beneficiary(option::some(A), world.ts.ctx());
    assert_eq!(vesting.beneficiary(), TEAM);
    world.ts.next_tx(A);
    vesting.accept_beneficiary(world.ts.ctx());
    assert_eq!(vesting.beneficiary(), A);
    assert_eq!(claim(&mut world, &mut vesting, A, START + 48 * MONTH), 1_680_000 * VRAM);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ENotBeneficiary)]
fun former_beneficiary_claims_nothing() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    world.ts.next_tx(TEAM);
    vesting.offer_beneficiary(option::some(A), world.ts.ctx());
    world.ts.next_tx(A);
    vesting.accept_beneficiary(world.ts.ctx());
    claim(&mut world, &mut vesting, TEAM, START + 48 * MONTH);
    test_scenario::return_shared(vesting);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ENotBeneficiary)]
fun offer_refuses_others() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    world.ts.next_tx(A);
    vesting.offer_beneficiary(option::some(A), world.ts.ctx());
    test_scenario::return_shared(vesting);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ENotOffered)]
fun accept_refuses_others() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    world.ts.next_tx(TEAM);
    vesting.offer_beneficiary(option::some(A), world.ts.ctx());
    world.ts.next_tx(B);
    vesting.accept_beneficiary(world.ts.ctx());
    test_scenario::return_shared(vesting);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ENotOffered)]
fun accept_refuses_a_withdrawn_offer() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    world.ts.next_tx(TEAM);
    vesting.offer_beneficiary(option::some(A), world.ts.ctx());
    world.ts.next_tx(TEAM);
    vesting.offer_beneficiary(option::none(), world.ts.ctx());
    world.ts.next_tx(A);
    vesting.accept_beneficiary(world.ts.ctx());
    test_scenario::return_shared(vesting);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ENotOffered)]
fun accept_is_once() {
    let mut world = generated();
    let mut vesting = vesting_of(&mut world, TEAM);
    world.ts.next_tx(TEAM);
    vesting.offer_beneficiary(option::some(A), world.ts.ctx());
    world.ts.next_tx(A);
    vesting.accept_beneficiary(world.ts.ctx());
    world.ts.next_tx(A);
    vesting.accept_beneficiary(world.ts.ctx());
    test_scenario::return_shared(vesting);
    end(world);
}

// === Airdrop ===

#[test]
fun airdrop_pays_each_leaf() {
    let mut world = generated();
    let proof = proof_of(&world, 0);
    assert_eq!(claim_airdrop(&mut world, A, 0, 100_000 * VRAM, proof), 100_000 * VRAM);
    let proof = proof_of(&world, 1);
    world.clock.set_for_testing(DEADLINE - 1);
    assert_eq!(claim_airdrop(&mut world, B, 1, 105_000 * VRAM, proof), 105_000 * VRAM);
    world.ts.next_tx(ADMIN);
    let airdrop: Airdrop = world.ts.take_shared();
    assert_eq!(airdrop.unclaimed(), 845_000 * VRAM);
    test_scenario::return_shared(airdrop);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EAlreadyClaimed)]
fun airdrop_is_claimed_once() {
    let mut world = generated();
    let proof = proof_of(&world, 0);
    claim_airdrop(&mut world, A, 0, 100_000 * VRAM, proof);
    let proof = proof_of(&world, 0);
    claim_airdrop(&mut world, A, 0, 100_000 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EAboveAddressCap)]
fun airdrop_refuses_above_the_cap_of_an_address() {
    let mut world = generated();
    let proof = proof_of(&world, 2);
    claim_airdrop(&mut world, C, 2, 105_000 * VRAM + 1, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EZeroAmount)]
fun airdrop_refuses_zero() {
    let mut world = generated();
    let proof = proof_of(&world, 0);
    claim_airdrop(&mut world, A, 0, 0, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadProof)]
fun airdrop_refuses_another_amount() {
    let mut world = generated();
    let proof = proof_of(&world, 0);
    claim_airdrop(&mut world, A, 0, 100_001 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadProof)]
fun airdrop_refuses_another_sender() {
    let mut world = generated();
    let proof = proof_of(&world, 0);
    claim_airdrop(&mut world, C, 0, 100_000 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadProof)]
fun airdrop_refuses_another_index() {
    let mut world = generated();
    let proof = proof_of(&world, 0);
    claim_airdrop(&mut world, A, 1, 100_000 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadProof)]
fun airdrop_refuses_an_index_beyond_the_leaves() {
    let mut world = generated();
    let proof = proof_of(&world, 0);
    claim_airdrop(&mut world, A, 3, 100_000 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadProof)]
fun airdrop_refuses_a_short_proof() {
    let mut world = generated();
    let mut proof = proof_of(&world, 0);
    proof.pop_back();
    claim_airdrop(&mut world, A, 0, 100_000 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadProof)]
fun airdrop_refuses_a_long_proof() {
    let mut world = generated();
    let mut proof = proof_of(&world, 0);
    proof.push_back(sha2_256(b"more"));
    claim_airdrop(&mut world, A, 0, 100_000 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadProof)]
fun airdrop_refuses_41_siblings() {
    let mut world = generated();
    let proof = vector::tabulate!(41, |_| sha2_256(b"more"));
    claim_airdrop(&mut world, A, 0, 100_000 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EBadProof)]
fun airdrop_refuses_a_short_sibling() {
    let mut world = generated();
    let mut proof = proof_of(&world, 0);
    proof[0].pop_back();
    claim_airdrop(&mut world, A, 0, 100_000 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EAirdropClosed)]
fun airdrop_closes_at_its_deadline() {
    let mut world = generated();
    world.clock.set_for_testing(DEADLINE);
    let proof = proof_of(&world, 0);
    claim_airdrop(&mut world, A, 0, 100_000 * VRAM, proof);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EAirdropExhausted)]
fun airdrop_refuses_more_than_it_holds() {
    let mut world = begin();
    let id = object::id(&world.treasury);
    // eleven leaves of 105,000 promise more than 1.05 million
    let who = vector::tabulate!(11, |i| sui::address::from_u256(0x500 + (i as u256)));
    let mut level = who.map_ref!(|a| vram_token::airdrop_leaf(id, *a, 105_000 * VRAM));
    let leaves = level;
    while (level.length() > 1) level = above(&level);
    let mut ask = ask(&world);
    ask.root = level[0];
    ask.leaves = 11;
    tge_with(&mut world, ask);
    let mut i = 0;
    who.do!(|address| {
        claim_airdrop(&mut world, address, i, 105_000 * VRAM, proof_in(leaves, i));
        i = i + 1;
    });
    end(world);
}

fun above(level: &vector<vector<u8>>): vector<vector<u8>> {
    let length = level.length();
    vector::tabulate!((length + 1) / 2, |i| {
        if (2 * i + 1 < length) node(level[2 * i], level[2 * i + 1]) else level[2 * i]
    })
}

fun proof_in(mut level: vector<vector<u8>>, mut index: u64): vector<vector<u8>> {
    let mut proof = vector[];
    while (level.length() > 1) {
        let sibling = if (index % 2 == 0) index + 1 else index - 1;
        if (sibling < level.length()) proof.push_back(level[sibling]);
        level = above(&level);
        index = index / 2;
    };
    proof
}

#[test]
fun sweep_sends_the_rest_to_the_treasurys_beneficiary() {
    let mut world = generated();
    let proof = proof_of(&world, 0);
    claim_airdrop(&mut world, A, 0, 100_000 * VRAM, proof);
    world.clock.set_for_testing(DEADLINE);
    assert_eq!(sweep(&mut world, FUND), 950_000 * VRAM);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EAirdropOpen)]
fun sweep_refuses_before_the_deadline() {
    let mut world = generated();
    world.clock.set_for_testing(DEADLINE - 1);
    sweep(&mut world, FUND);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::EWrongVesting)]
fun sweep_refuses_another_vesting() {
    let mut world = generated();
    world.clock.set_for_testing(DEADLINE);
    sweep(&mut world, TEAM);
    end(world);
}

#[test, expected_failure(abort_code = vramhub::vram_token::ENothingToClaim)]
fun sweep_is_once() {
    let mut world = generated();
    world.clock.set_for_testing(DEADLINE);
    sweep(&mut world, FUND);
    sweep(&mut world, FUND);
    end(world);
}

#[test]
fun leaf_is_bound_to_its_deployment() {
    let world = begin();
    let id = object::id(&world.treasury);
    let other = object::id_from_address(@0x1);
    assert!(vram_token::airdrop_leaf(id, A, 1) != vram_token::airdrop_leaf(other, A, 1));
    let mut bytes = vector[0u8];
    bytes.append(b"vramhub/airdrop/v1");
    bytes.append(sui::bcs::to_bytes(&id));
    bytes.append(sui::bcs::to_bytes(&A));
    bytes.append(sui::bcs::to_bytes(&(1u64)));
    assert_eq!(vram_token::airdrop_leaf(id, A, 1), sha2_256(bytes));
    end(world);
}
