/// What a window pays, by the policy `ordinal-v1`, and the integer rules that lead there: medians, verdicts,
/// averages, weights. Losses are u64 in 1e-6 nats with 2^63 added, exactly 2^63 where unmeasured; ratings are
/// in 1e-6, mu with 2^63 added. Rewards are credited here and minted when they are claimed.
module vramhub::reward_distributor;

use sui::balance::{Self, Balance};
use sui::coin::{Self, Coin};
use sui::dynamic_field as df;
use sui::event;
use sui::table::{Self, Table};
use vramhub::hparams::{Self, AdminCap, Params};
use vramhub::vram_token::{Self, Treasury, VRAM_TOKEN};

/// The sender, or the treasury, has earned nothing that it has not claimed.
#[error(code = 1)]
const ENothingToClaim: vector<u8> = b"There is nothing to claim";
/// The shared object is of another version of this package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

/// Version of the state that this package reads.
const VERSION: u64 = 1;
/// Name of the policy, on the ledger beside every payment.
const POLICY: vector<u8> = b"ordinal-v1";
/// VRAM (1e-9) ever issued to mining.
const MINING_ALLOCATION: u64 = 10_500_000_000_000_000;
/// After 7 M VRAM the emission halves.
const HALVING_TRIGGER: u64 = 7_000_000_000_000_000;
/// Ordinals count up to 40.
const ORDINAL_CAP: u64 = 40_000_000;
/// 2^63: zero of a biased value, and an unmeasured loss.
const BIAS: u64 = 1 << 63;
/// A score must exceed this many units to count: AVX-512 and AVX2 differ by less.
const SCORE_NOISE: u64 = 2;
/// An honest judge on another CPU lies within this many units of the median.
const DEVIATION: u64 = 5;
/// The own-versus-random average is stored in 0 … 2e6 with this as zero.
const AVERAGE_ZERO: u64 = 1_000_000;
/// It counts as at least this (0.05) during a miner's first windows.
const AVERAGE_FLOOR: u64 = 50_000;
/// How many measured windows that lasts.
const AVERAGE_NEWCOMER: u64 = 8;

/// A judge's verdicts: `ok`, refusals 2..10, abstentions.
const OK: u8 = 1;
const UNAVAILABLE: u8 = 20;
const NOT_SAMPLED: u8 = 21;
/// What the ledger settles: an `ok` becomes one of the first three, a split jury the last.
const ACCEPTED: u8 = 30;
const NOT_BETTER: u8 = 31;
const HARMFUL: u8 = 32;
const DISPUTED: u8 = 33;

/// The pool: one shared object, made when the package is published.
public struct RewardPool has key { id: UID, version: u64 }

public struct RewardPoolInner has store {
    /// Issued to mining so far, claimed or not.
    issued: u64,
    claimable: Table<address, u64>,
    /// Sum of `claimable`.
    owed: u64,
    /// The treasury's unclaimed share.
    treasury: u64,
    /// Deposits, which claims use up before anything is minted.
    balance: Balance<VRAM_TOKEN>,
    payouts: Table<u64, Payout>,
}

/// What a window paid.
public struct Payout has copy, drop, store {
    issued: u64,
    treasury: u64,
    miners: vector<MinerPay>,
    validators: vector<ValidatorPay>,
}

/// A miner's weight and reward, with its rating after the window.
public struct MinerPay has copy, drop, store {
    uid: u16,
    owner: address,
    weight: u256,
    reward: u64,
    mu: u64,
    sigma: u64,
}

/// A validator's stake and reward, and whether its report counted.
public struct ValidatorPay has copy, drop, store {
    uid: u16,
    owner: address,
    stake: u64,
    reward: u64,
    counted: bool,
}

/// A window was paid; `total` is what was issued so far.
public struct WindowPaid has copy, drop {
    window: u64,
    policy: vector<u8>,
    issued: u64,
    treasury: u64,
    total: u64,
}
/// Rewards were claimed.
public struct RewardClaimed has copy, drop { owner: address, amount: u64 }
/// The treasury's share was claimed by the admin.
public struct TreasuryClaimed has copy, drop { amount: u64 }
/// Somebody added coins that claims are paid from.
public struct Deposited has copy, drop { amount: u64 }

fun init(ctx: &mut TxContext) {
    let mut id = object::new(ctx);
    let inner = RewardPoolInner {
        issued: 0,
        claimable: table::new(ctx),
        owed: 0,
        treasury: 0,
        balance: balance::zero(),
        payouts: table::new(ctx),
    };
    df::add(&mut id, VERSION, inner);
    transfer::share_object(RewardPool { id, version: VERSION });
}

fun inner(pool: &RewardPool): &RewardPoolInner {
    assert!(pool.version == VERSION, EWrongVersion);
    df::borrow(&pool.id, VERSION)
}

fun inner_mut(pool: &mut RewardPool): &mut RewardPoolInner {
    assert!(pool.version == VERSION, EWrongVersion);
    df::borrow_mut(&mut pool.id, VERSION)
}

/// The door of an upgrade. Version 1 has nothing older to come from.
public fun migrate(_: &AdminCap, _: &mut RewardPool) {
    abort EWrongVersion
}

/// Pay a window: the shares go to miners by weight, to the validators that counted by stake, and to the
/// treasury where a miner earned. What nobody earned, and the dust, is not issued.
public(package) fun pay(
    pool: &mut RewardPool,
    window: u64,
    params: &Params,
    mut miners: vector<MinerPay>,
    mut validators: vector<ValidatorPay>,
) {
    let state = inner_mut(pool);
    let emission = emission_at(state.issued, hparams::emission(params));
    let miner_pot = share(emission, hparams::miner_bps(params));
    let validator_pot = share(emission, hparams::validator_bps(params));
    let miner_pay = split(miner_pot, &miners.map_ref!(|row| row.weight));
    let stakes = validators.map_ref!(|row| if (row.counted) row.stake as u256 else 0);
    let validator_pay = split(validator_pot, &stakes);
    let mut issued = 0;
    miners.length().do!(|i| {
        let row = &mut miners[i];
        row.reward = miner_pay[i];
        issued = issued + row.reward;
        credit(state, row.owner, row.reward);
    });
    let treasury = if (issued > 0) share(emission, hparams::treasury_bps(params)) else 0;
    validators.length().do!(|i| {
        let row = &mut validators[i];
        row.reward = validator_pay[i];
        issued = issued + row.reward;
        credit(state, row.owner, row.reward);
    });
    issued = issued + treasury;
    state.treasury = state.treasury + treasury;
    state.issued = state.issued + issued;
    state.payouts.add(window, Payout { issued, treasury, miners, validators });
    event::emit(WindowPaid { window, policy: POLICY, issued, treasury, total: state.issued });
}

fun credit(state: &mut RewardPoolInner, owner: address, amount: u64) {
    if (amount == 0) return;
    state.owed = state.owed + amount;
    if (state.claimable.contains(owner)) {
        let claimable = &mut state.claimable[owner];
        *claimable = *claimable + amount;
    } else {
        state.claimable.add(owner, amount);
    }
}

/// Take one's rewards: the sender. Deposits first, the rest is minted.
public fun claim(pool: &mut RewardPool, t: &mut Treasury, ctx: &mut TxContext): Coin<VRAM_TOKEN> {
    let owner = ctx.sender();
    let state = inner_mut(pool);
    assert!(state.claimable.contains(owner), ENothingToClaim);
    let amount = state.claimable.remove(owner);
    state.owed = state.owed - amount;
    event::emit(RewardClaimed { owner, amount });
    take(state, t, amount, ctx)
}

/// Take the treasury's share: the admin.
public fun claim_treasury(
    _: &AdminCap,
    pool: &mut RewardPool,
    t: &mut Treasury,
    ctx: &mut TxContext,
): Coin<VRAM_TOKEN> {
    let state = inner_mut(pool);
    let amount = state.treasury;
    assert!(amount > 0, ENothingToClaim);
    state.treasury = 0;
    event::emit(TreasuryClaimed { amount });
    take(state, t, amount, ctx)
}

fun take(
    state: &mut RewardPoolInner,
    t: &mut Treasury,
    amount: u64,
    ctx: &mut TxContext,
): Coin<VRAM_TOKEN> {
    let there = state.balance.value().min(amount);
    let mut coin = coin::from_balance(state.balance.split(there), ctx);
    if (there < amount) coin.join(vram_token::mint_mining(t, amount - there, ctx));
    coin
}

/// Add coins that claims are paid from before anything is minted: anybody.
public fun deposit(pool: &mut RewardPool, coin: Coin<VRAM_TOKEN>) {
    event::emit(Deposited { amount: coin.value() });
    inner_mut(pool).balance.join(coin.into_balance());
}

/// What a window may issue, given what was issued before and the hparam `emission`.
public fun emission_at(issued: u64, emission: u64): u64 {
    let rate = if (issued >= HALVING_TRIGGER) emission / 2 else emission;
    rate.min(MINING_ALLOCATION - issued)
}

/// `floor(pot · weight / total)` for each weight; the dust is not issued.
public fun split(pot: u64, weights: &vector<u256>): vector<u64> {
    let mut total = 0u256;
    weights.do_ref!(|weight| total = total + *weight);
    weights.map_ref!(|weight| {
        if (total == 0) 0 else ((pot as u256) * *weight / total) as u64
    })
}

fun share(amount: u64, bps: u16): u64 { ((amount as u128) * (bps as u128) / 10_000) as u64 }

/// `min(max(0, mu − 3 sigma), 40)² · max(0, average) · max(0, score)`, from the second accepted window on.
/// `average` is the stored one; `measured` and `accepted` count this window.
public fun pay_weight(
    mu: u64,
    sigma: u64,
    average: u64,
    measured: u64,
    accepted: u64,
    random_before: u64,
    random_after: u64,
): u256 {
    if (accepted < 2) return 0;
    let ordinal = less(mu, BIAS + 3 * sigma).min(ORDINAL_CAP) as u256;
    let average = effective_average(average, measured) as u256;
    ordinal * ordinal * average * (less(random_before, random_after) as u256)
}

/// The positive part of the stored average, with the newcomers' floor.
public fun effective_average(average: u64, measured: u64): u64 {
    let signed = less(average, AVERAGE_ZERO);
    if (measured <= AVERAGE_NEWCOMER) signed.max(AVERAGE_FLOOR) else signed
}

/// `max(0, a − b)`.
fun less(a: u64, b: u64): u64 { if (a > b) a - b else 0 }

/// The smallest value with `2 · cumulative stake ≥ total`; 2^63 for no values. `stakes[i]` is behind `values[i]`.
public fun lower_median(mut values: vector<u64>, mut stakes: vector<u64>): u64 {
    let mut total = 0u128;
    values.length().do!(|i| {
        total = total + (stakes[i] as u128);
        let mut j = i;
        while (j > 0 && values[j - 1] > values[j]) {
            values.swap(j - 1, j);
            stakes.swap(j - 1, j);
            j = j - 1;
        };
    });
    let mut cumulative = 0u128;
    let mut i = 0;
    while (i < values.length()) {
        cumulative = cumulative + (stakes[i] as u128);
        if (2 * cumulative >= total) return values[i];
        i = i + 1;
    };
    BIAS
}

/// The lower median of the values at the positions `at`, by the stakes there.
public(package) fun median_at(at: &vector<u64>, values: &vector<u64>, stakes: &vector<u64>): u64 {
    let (mut chosen, mut behind) = (vector[], vector[]);
    at.do_ref!(|i| {
        chosen.push_back(values[*i]);
        behind.push_back(stakes[*i]);
    });
    lower_median(chosen, behind)
}

/// Settle one reveal from the entries of all who reported: `verdicts[i]` and the losses of judge i, of whose
/// stake it is. It counts where more than half of the reporting stake measured it; its verdict is that of more
/// than half of the measuring stake, else `disputed`; its losses are the lower medians over that verdict.
/// Returns verdict, own_before, own_after, random_after.
public fun settle_entry(
    verdicts: &vector<u8>,
    own_before: &vector<u64>,
    own_after: &vector<u64>,
    random_after: &vector<u64>,
    stakes: &vector<u64>,
    random_before: u64,
): (u8, u64, u64, u64) {
    let mut tally = vector::tabulate!(UNAVAILABLE as u64 + 2, |_| 0u128);
    let mut reporting = 0u128;
    verdicts.length().do!(|i| {
        let stake = stakes[i] as u128;
        let votes = &mut tally[verdicts[i] as u64];
        *votes = *votes + stake;
        reporting = reporting + stake;
    });
    let skipped = tally.pop_back();
    let measuring = reporting - skipped - tally.pop_back();
    if (2 * measuring <= reporting) {
        let verdict = if (2 * skipped > reporting) NOT_SAMPLED else UNAVAILABLE;
        return (verdict, BIAS, BIAS, BIAS)
    };
    let winner = tally.find_index!(|votes| 2 * *votes > measuring);
    if (winner.is_none()) return (DISPUTED, BIAS, BIAS, BIAS);
    let winner = winner.destroy_some() as u8;
    if (winner != OK) return (winner, BIAS, BIAS, BIAS);
    let oks = verdicts.find_indices!(|verdict| *verdict == OK);
    let after = median_at(&oks, random_after, stakes);
    let verdict = if (random_before > after + SCORE_NOISE) ACCEPTED
    else if (after > random_before + SCORE_NOISE) HARMFUL
    else NOT_BETTER;
    (verdict, median_at(&oks, own_before, stakes), median_at(&oks, own_after, stakes), after)
}

/// One step of the own-versus-random average: α 0.05 of the sign of (own drop − random drop).
public fun next_average(
    average: u64,
    random_before: u64,
    own_before: u64,
    own_after: u64,
    random_after: u64,
): u64 {
    let own = (own_before as u128) + (random_after as u128);
    let random = (own_after as u128) + (random_before as u128);
    let sign = if (own > random) 2
    else if (own == random) 1
    else 0;
    (19 * average + sign * AVERAGE_ZERO) / 20
}

/// Whether a settled entry is rated: abstentions and disputes are not.
public fun is_rated(settled: u8): bool {
    settled != UNAVAILABLE && settled != NOT_SAMPLED && settled != DISPUTED
}

/// Whether a settled entry carries losses: it was `ok` for a majority.
public fun has_metrics(settled: u8): bool { settled >= ACCEPTED && settled <= HARMFUL }

/// Whether a settled entry was accepted.
public fun is_accepted(settled: u8): bool { settled == ACCEPTED }

/// Whether two losses differ by more than an honest judge's CPU explains.
public fun is_far(a: u64, b: u64): bool { a.diff(b) > DEVIATION }

/// Whether a judge abstained from, and whether it deviated on, an entry: its verdict and losses, whether its
/// random_before was far off (which bends every score), and what was settled.
public fun compare(
    verdict: u8,
    losses: vector<u64>,
    bent: bool,
    settled: u8,
    medians: vector<u64>,
): (bool, bool) {
    if (settled == UNAVAILABLE || settled == NOT_SAMPLED) return (false, false);
    if (verdict >= UNAVAILABLE) return (true, false);
    if (settled == DISPUTED) return (false, false);
    let expected = if (has_metrics(settled)) OK else settled;
    let far =
        is_far(losses[0], medians[0]) || is_far(losses[1], medians[1])
        || is_far(losses[2], medians[2]);
    (false, verdict != expected || (bent && expected == OK) || far)
}

/// Whether a validator earns that reported on `rows` entries: it abstained on at most a tenth and deviated on
/// at most a twentieth, one at the least.
public fun earns(rows: u64, abstained: u64, deviated: u64): bool {
    abstained <= (rows / 10).max(1) && deviated <= (rows / 20).max(1)
}

/// A miner's row of a payment; `pay` sets the reward.
public(package) fun miner_pay(
    uid: u16,
    owner: address,
    weight: u256,
    mu: u64,
    sigma: u64,
): MinerPay {
    MinerPay { uid, owner, weight, reward: 0, mu, sigma }
}

/// A validator's row of a payment; `pay` sets the reward.
public(package) fun validator_pay(
    uid: u16,
    owner: address,
    stake: u64,
    counted: bool,
): ValidatorPay {
    ValidatorPay { uid, owner, stake, reward: 0, counted }
}

/// Drop a window's payment from state; its events stay.
public(package) fun prune(pool: &mut RewardPool, window: u64) {
    let state = inner_mut(pool);
    if (state.payouts.contains(window)) { state.payouts.remove(window); };
}

/// Issued to mining so far, claimed or not.
public fun issued(pool: &RewardPool): u64 { inner(pool).issued }

/// What miners and validators have earned and not claimed.
public fun owed(pool: &RewardPool): u64 { inner(pool).owed }

/// The treasury's unclaimed share.
public fun treasury(pool: &RewardPool): u64 { inner(pool).treasury }

/// What `owner` can claim.
public fun claimable(pool: &RewardPool, owner: address): u64 {
    let state = inner(pool);
    if (state.claimable.contains(owner)) state.claimable[owner] else 0
}

/// What a window paid, or none.
public fun payout(pool: &RewardPool, window: u64): Option<Payout> {
    let state = inner(pool);
    if (state.payouts.contains(window)) option::some(state.payouts[window]) else option::none()
}

/// What a payment issued, the treasury's share included.
public fun payout_issued(payout: &Payout): u64 { payout.issued }

/// The weights of a payment's miners, by uid ascending.
#[test_only]
public fun miner_weights(payout: &Payout): vector<u256> { payout.miners.map_ref!(|row| row.weight) }

/// The rewards of a payment's miners, by uid ascending.
#[test_only]
public fun miner_rewards(payout: &Payout): vector<u64> { payout.miners.map_ref!(|row| row.reward) }

/// The rewards of a payment's validators, by uid ascending.
#[test_only]
public fun validator_rewards(payout: &Payout): vector<u64> {
    payout.validators.map_ref!(|row| row.reward)
}

#[test_only]
public fun init_for_testing(ctx: &mut TxContext) { init(ctx) }

#[test_only]
public fun set_issued_for_testing(pool: &mut RewardPool, issued: u64) {
    inner_mut(pool).issued = issued
}

#[test_only]
public fun set_version_for_testing(pool: &mut RewardPool, version: u64) { pool.version = version }

#[test_only]
/// Units of deposits that no claim has used up.
public fun deposits_for_testing(pool: &RewardPool): u64 { inner(pool).balance.value() }
