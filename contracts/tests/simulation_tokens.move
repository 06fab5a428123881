/// The simulation's token: mining rewards, the token generation event with its vestings and airdrop, burns, and two
/// staking pools.
#[test_only]
module vramhub::simulation_tokens;

use std::hash::sha2_256;
use std::unit_test::{assert_eq, destroy};
use sui::test_scenario;
use vramhub::hparams;
use vramhub::reward_distributor::{Self, RewardPool};
use vramhub::scenario;
use vramhub::simulation_world::{Self as world, World};
use vramhub::staking_pool::{Self, StakerTicket, StakingPool};
use vramhub::vram_token::{Self, Airdrop, Vesting, VRAM_TOKEN};

const VRAM: u64 = 1_000_000_000;
const MAX_SUPPLY: u64 = 21_000_000 * VRAM;
const MINING: u64 = 10_500_000 * VRAM;
const GENERATED: u64 = 10_500_000 * VRAM;
const LIQUIDITY: u64 = 1_470_000 * VRAM;
const MONTH_MS: u64 = 2_629_800_000;
const DAY_MS: u64 = 86_400_000;
/// Tickets of one pool at one time.
const TICKETS: u64 = 4;
/// What the airdrop promises to people 5, 6, 7 and 8.
const AIRDROP: vector<u64> = vector[105_000 * VRAM, 100_000 * VRAM, 1, 50_000 * VRAM];
const FIRST_OF_AIRDROP: u64 = 5;

public struct Tokens {
    rewards: RewardPool,
    /// People of even numbers stake in the first, others in the second.
    pools: vector<StakingPool<VRAM_TOKEN>>,
    tickets: vector<vector<StakerTicket<VRAM_TOKEN>>>,
    /// Stakes whose tickets are on their way, and how many.
    fresh: vector<u64>,
    fresh_count: vector<u64>,
    generated: bool,
    vestings: vector<Vesting>,
    totals: vector<u64>,
    airdrop: vector<Airdrop>,
    claimed_airdrop: vector<bool>,
    airdrop_ends: u64,
    payments: u64,
    claimed: u64,
}

public fun begin(w: &mut World): Tokens {
    reward_distributor::init_for_testing(w.p().net().ctx());
    let cap = hparams::admin_for_testing(w.p().net().ctx());
    2u64.do!(|_| {
        let (_, _, _, _, clock, ctx) = w.p().net().parts();
        staking_pool::create_pool<VRAM_TOKEN>(&cap, clock, ctx);
    });
    destroy(cap);
    w.p().net().next(scenario::admin());
    let ts = w.p().net().ts();
    Tokens {
        rewards: ts.take_shared(),
        pools: vector::tabulate!(2, |_| ts.take_shared()),
        tickets: vector[vector[], vector[]],
        fresh: vector[0, 0],
        fresh_count: vector[0, 0],
        generated: false,
        vestings: vector[],
        totals: vector[],
        airdrop: vector[],
        claimed_airdrop: vector[false, false, false, false],
        airdrop_ends: 0,
        payments: 0,
        claimed: 0,
    }
}

/// Everybody leaves the pools: their stakes are all there.
public fun end(t: Tokens, w: &mut World) {
    let Tokens { rewards, mut pools, tickets, vestings, airdrop, .. } = t;
    let mut k = 0;
    tickets.do!(|tickets| {
        tickets.do!(|ticket| {
            let (_, _, _, _, clock, ctx) = w.p().net().parts();
            let coin = pools[k].unstake(ticket, clock, ctx);
            w.purse().join(coin);
        });
        assert!(pools[k].staked() == 0 && pools[k].unreleased() == pools[k].rewards());
        k = k + 1;
    });
    pools.destroy!(|pool| test_scenario::return_shared(pool));
    vestings.destroy!(|vesting| test_scenario::return_shared(vesting));
    airdrop.destroy!(|airdrop| test_scenario::return_shared(airdrop));
    test_scenario::return_shared(rewards);
}

public fun rewards(t: &mut Tokens): &mut RewardPool { &mut t.rewards }

/// After `world::collect`: take the tickets, and what the token generation event has shared.
public fun collect(t: &mut Tokens, w: &mut World) {
    world::people().do!(|i| {
        let who = world::person(i);
        let tickets = &mut t.tickets[i % 2];
        test_scenario::ids_for_address<StakerTicket<VRAM_TOKEN>>(who).do!(|id| {
            // Those that were taken before are listed on.
            if (!tickets.any!(|ticket| object::id(ticket) == id)) {
                tickets.push_back(w.p().net().ts().take_from_address_by_id(who, id));
            }
        });
    });
    let mut owed = 0;
    world::people().do!(|i| owed = owed + t.rewards.claimable(world::person(i)));
    assert_eq!(t.rewards.owed(), owed);
    t.fresh = vector[0, 0];
    t.fresh_count = vector[0, 0];
    if (!t.generated || !t.airdrop.is_empty()) return;
    let ts = w.p().net().ts();
    while (test_scenario::has_most_recent_shared<Vesting>()) {
        let vesting: Vesting = ts.take_shared();
        t.totals.push_back(vesting.locked());
        t.vestings.push_back(vesting);
    };
    t.airdrop.push_back(ts.take_shared());
}

/// Conservation and bounds.
public fun check(t: &Tokens, w: &mut World) {
    // Mining: issued is owed, or claimed.
    let rewards = &t.rewards;
    assert_eq!(rewards.issued(), rewards.owed() + rewards.treasury() + t.claimed);
    // Allocations and supply.
    let generated = if (t.generated) GENERATED else 0;
    let treasury = w.p().net().treasury();
    let (issued, mined, circulating) = (
        treasury.issued(),
        treasury.mined(),
        treasury.circulating(),
    );
    assert!(rewards.issued() <= MINING && mined <= rewards.issued());
    assert_eq!(issued, mined + generated);
    assert!(issued <= MAX_SUPPLY);
    assert_eq!(circulating, issued - treasury.burned());
    // Every unit in being lies somewhere.
    let mut held = w.vram_held() + rewards.deposits_for_testing();
    2u64.do!(|k| held = held + t.check_pool(w, k));
    t.vestings.do_ref!(|vesting| held = held + vesting.locked());
    t.airdrop.do_ref!(|airdrop| held = held + airdrop.unclaimed());
    // On its way to where `collect` finds it.
    if (t.generated && t.airdrop.is_empty()) held = held + GENERATED - LIQUIDITY;
    assert_eq!(circulating, held);
    // No vesting gave more than has vested.
    let now = w.now_ms();
    t.vestings.length().do!(|i| {
        let vesting = &t.vestings[i];
        assert!(t.totals[i] - vesting.locked() <= vesting.vested_at(now));
    });
}

/// No ticket is worth more than its pool, nor are all of them; returns what the pool holds.
fun check_pool(t: &Tokens, w: &mut World, k: u64): u64 {
    let pool = &t.pools[k];
    let (staked, rewards) = (pool.staked(), pool.rewards());
    let (_, _, _, _, clock, _) = w.p().net().parts();
    let mut amounts = t.fresh[k];
    let mut earned = 0;
    t.tickets[k].do_ref!(|ticket| {
        let worth = pool.earned(ticket, clock);
        assert!(ticket.amount() <= staked && worth <= rewards);
        amounts = amounts + ticket.amount();
        earned = earned + worth;
    });
    assert_eq!(amounts, staked);
    assert!(earned <= rewards && pool.unreleased() <= rewards);
    staked + rewards
}

// === Mining ===

/// A payment of weights that no window would have; the windows' own come with the outcomes.
public fun pay(t: &mut Tokens, w: &mut World): bool {
    let count = w.draw(4);
    let mut miners = vector[];
    count.do!(|i| {
        let weight = (w.draw(1_000) as u256) << (w.draw(200) as u8);
        miners.push_back(reward_distributor::miner_pay(i as u16, scenario::miner(i), weight, 0, 0));
    });
    let mut validators = vector[];
    2u64.do!(|i| {
        let (stake, counts) = (1 + w.draw(1 << 30), w.one_in(2));
        let who = scenario::validator(i);
        validators.push_back(reward_distributor::validator_pay(i as u16, who, stake, counts));
    });
    let params = *w.p().net().hp().current();
    t.rewards.pay((1 << 40) + t.payments, &params, miners, validators);
    t.payments = t.payments + 1;
    true
}

public fun claim(t: &mut Tokens, w: &mut World): bool {
    let who = world::person(w.draw(world::people()));
    let due = t.rewards.claimable(who);
    if (due == 0) return false;
    w.p().sender(who);
    let (_, _, _, treasury, _, ctx) = w.p().net().parts();
    let coin = t.rewards.claim(treasury, ctx);
    assert_eq!(coin.value(), due);
    t.claimed = t.claimed + due;
    w.purse().join(coin);
    true
}

public fun claim_treasury(t: &mut Tokens, w: &mut World): bool {
    let due = t.rewards.treasury();
    if (due == 0) return false;
    let cap = hparams::admin_for_testing(w.p().net().ctx());
    let (_, _, _, treasury, _, ctx) = w.p().net().parts();
    let coin = reward_distributor::claim_treasury(&cap, &mut t.rewards, treasury, ctx);
    destroy(cap);
    assert_eq!(coin.value(), due);
    t.claimed = t.claimed + due;
    w.purse().join(coin);
    true
}

public fun deposit(t: &mut Tokens, w: &mut World): bool {
    let most = w.purse().value() / 8;
    if (most == 0) return false;
    let amount = w.part(most);
    let coin = w.spend(amount);
    t.rewards.deposit(coin);
    true
}

public fun burn(w: &mut World): bool {
    let most = w.purse().value() / 16;
    if (most == 0) return false;
    let amount = w.part(most);
    let coin = w.spend(amount);
    vram_token::burn(w.p().net().treasury(), coin);
    true
}

// === Token generation event ===

public fun generate(t: &mut Tokens, w: &mut World): bool {
    if (t.generated) return false;
    let ends = w.now_ms() + 200 * DAY_MS;
    let leaves = leaves(w);
    let root = node(node(leaves[0], leaves[1]), node(leaves[2], leaves[3]));
    let cap = hparams::admin_for_testing(w.p().net().ctx());
    let (_, _, _, treasury, clock, ctx) = w.p().net().parts();
    vram_token::tge(
        &cap,
        treasury,
        world::person(0),
        vector[world::person(1), world::person(2)],
        vector[1_000_000 * VRAM, 50_000 * VRAM],
        3 * MONTH_MS,
        6 * MONTH_MS,
        vector[world::person(3)],
        vector[1_680_000 * VRAM],
        world::person(4),
        root,
        4,
        ends,
        clock,
        ctx,
    );
    destroy(cap);
    w.owe_vram(world::person(4), LIQUIDITY);
    t.generated = true;
    t.airdrop_ends = ends;
    true
}

fun leaves(w: &mut World): vector<vector<u8>> {
    let id = object::id(w.p().net().treasury());
    let amounts = AIRDROP;
    vector::tabulate!(4, |i| {
        vram_token::airdrop_leaf(id, world::person(FIRST_OF_AIRDROP + i), amounts[i])
    })
}

fun node(left: vector<u8>, right: vector<u8>): vector<u8> {
    let mut bytes = vector[1u8];
    bytes.append(left);
    bytes.append(right);
    sha2_256(bytes)
}

public fun claim_vested(t: &mut Tokens, w: &mut World): bool {
    if (t.vestings.is_empty()) return false;
    let i = w.draw(t.vestings.length());
    let vested = t.vestings[i].vested_at(w.now_ms());
    let taken = t.totals[i] - t.vestings[i].locked();
    if (vested == taken) return false;
    w.p().sender(t.vestings[i].beneficiary());
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    let coin = t.vestings[i].claim_vested(clock, ctx);
    assert_eq!(coin.value(), vested - taken);
    w.purse().join(coin);
    true
}

/// A vesting changes hands, in its two steps.
public fun hand_over(t: &mut Tokens, w: &mut World): bool {
    if (t.vestings.is_empty()) return false;
    let i = w.draw(t.vestings.length());
    let to = world::person(w.draw(world::people()));
    let vesting = &mut t.vestings[i];
    w.p().sender(vesting.beneficiary());
    vesting.offer_beneficiary(option::some(to), w.p().net().ctx());
    w.p().sender(to);
    vesting.accept_beneficiary(w.p().net().ctx());
    true
}

public fun claim_airdrop(t: &mut Tokens, w: &mut World): bool {
    let i = w.draw(4);
    if (t.airdrop.is_empty() || t.claimed_airdrop[i] || w.now_ms() >= t.airdrop_ends) return false;
    let (leaves, amounts) = (leaves(w), AIRDROP);
    let beside = if (i < 2) node(leaves[2], leaves[3]) else node(leaves[0], leaves[1]);
    w.p().sender(world::person(FIRST_OF_AIRDROP + i));
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    let proof = vector[leaves[if (i % 2 == 0) i + 1 else i - 1], beside];
    let coin = t.airdrop[0].claim_airdrop(i, amounts[i], proof, clock, ctx);
    assert_eq!(coin.value(), amounts[i]);
    *&mut t.claimed_airdrop[i] = true;
    w.purse().join(coin);
    true
}

public fun sweep_airdrop(t: &mut Tokens, w: &mut World): bool {
    if (t.airdrop.is_empty() || w.now_ms() < t.airdrop_ends) return false;
    let rest = t.airdrop[0].unclaimed();
    if (rest == 0) return false;
    let i = t.vestings.find_index!(|vesting| vesting.class() == 0).destroy_some();
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    t.airdrop[0].sweep_airdrop(&t.vestings[i], clock, ctx);
    w.owe_vram(t.vestings[i].beneficiary(), rest);
    true
}

// === Pools ===

public fun stake(t: &mut Tokens, w: &mut World): bool {
    let i = w.draw(world::people());
    let k = i % 2;
    let most = w.purse().value() / 16;
    if (most == 0 || t.tickets[k].length() + t.fresh_count[k] >= TICKETS) return false;
    let (amount, tier) = (w.part(most), w.draw(4) as u8);
    w.p().sender(world::person(i));
    let coin = w.spend(amount);
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    t.pools[k].stake(coin, tier, clock, ctx);
    *&mut t.fresh[k] = t.fresh[k] + amount;
    *&mut t.fresh_count[k] = t.fresh_count[k] + 1;
    true
}

public fun reward(t: &mut Tokens, w: &mut World): bool {
    let k = w.draw(2);
    let most = w.purse().value() / 64;
    if (most == 0) return false;
    let amount = w.part(most);
    let coin = w.spend(amount);
    let (_, _, _, _, clock, _) = w.p().net().parts();
    t.pools[k].deposit_rewards(coin, clock);
    true
}

public fun collect_reward(t: &mut Tokens, w: &mut World): bool {
    let k = w.draw(2);
    if (t.tickets[k].is_empty()) return false;
    let i = w.draw(t.tickets[k].length());
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    let earned = t.pools[k].earned(&t.tickets[k][i], clock);
    if (earned == 0) return false;
    let coin = t.pools[k].claim_rewards(&mut t.tickets[k][i], clock, ctx);
    assert_eq!(coin.value(), earned);
    w.purse().join(coin);
    true
}

/// A stake ends before its lock (`early`), with a penalty, or after it.
public fun unstake(t: &mut Tokens, w: &mut World, early: bool): bool {
    let k = w.draw(2);
    let now = w.now_ms();
    let found = t.tickets[k].find_indices!(|ticket| (now < ticket.unlock_ms()) == early);
    if (found.is_empty()) return false;
    let ticket = t.tickets[k].swap_remove(found[w.draw(found.length())]);
    let (_, _, _, _, clock, ctx) = w.p().net().parts();
    let penalty = if (early) ticket.amount().divide_and_round_up(4) else 0;
    let due = ticket.amount() - penalty + t.pools[k].earned(&ticket, clock);
    let coin = t.pools[k].unstake(ticket, clock, ctx);
    assert_eq!(coin.value(), due);
    w.purse().join(coin);
    true
}
