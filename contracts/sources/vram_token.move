/// VRAM: 9 decimals, at most 21,000,000 for ever. Half is mined, window by window; half is issued once, at the
/// token generation event (TGE), most of it locked in `Vesting` objects. The `TreasuryCap` lies inside the
/// shared `Treasury`: nobody holds it, and every coin passes the same two caps. Burned coins do not free
/// allocation: the caps count what was ever minted.
module vramhub::vram_token;

use std::hash::sha2_256;
use sui::balance::Balance;
use sui::bcs;
use sui::clock::Clock;
use sui::coin::{Self, Coin, TreasuryCap};
use sui::coin_registry;
use sui::dynamic_field;
use sui::event;
use sui::table::{Self, Table};
use vramhub::dataset_registry;
use vramhub::hparams::AdminCap;

// === Constants ===

const VERSION: u64 = 1;
/// One VRAM in its smallest unit.
const VRAM: u64 = 1_000_000_000;
const MAX_SUPPLY: u64 = 21_000_000 * VRAM;
const MINING: u64 = 10_500_000 * VRAM;
const TREASURY: u64 = 5_250_000 * VRAM;
const INVESTORS: u64 = 1_050_000 * VRAM;
const TEAM: u64 = 1_680_000 * VRAM;
const LIQUIDITY: u64 = 1_470_000 * VRAM;
const AIRDROP: u64 = 1_050_000 * VRAM;
const AIRDROP_MAX_PER_ADDRESS: u64 = 105_000 * VRAM;
const AIRDROP_TAG: vector<u8> = b"vramhub/airdrop/v1";
const DAY_MS: u64 = 86_400_000;
/// A twelfth of 365.25 days.
const MONTH_MS: u64 = 2_629_800_000;
const TREASURY_CLIFF: u64 = 6;
const TREASURY_VESTING: u64 = 48;
const TEAM_CLIFF: u64 = 12;
const TEAM_VESTING: u64 = 36;
/// The investors' lock is configurable within these: cliff and vesting together, and each of them.
const MIN_LOCK_MS: u64 = 6 * MONTH_MS;
const MAX_PHASE_MS: u64 = 60 * MONTH_MS;
const MIN_AIRDROP_MS: u64 = 30 * DAY_MS;
const MAX_AIRDROP_MS: u64 = 730 * DAY_MS;
/// Recipients of one class at most.
const MAX_RECIPIENTS: u64 = 64;
const CLASS_TREASURY: u8 = 0;
const CLASS_INVESTORS: u8 = 1;
const CLASS_TEAM: u8 = 2;

// === Errors ===

/// Zero coins are neither minted nor burned.
#[error(code = 1)]
const EZeroAmount: vector<u8> = b"The amount is zero";
/// 10.5 M are mined at most.
#[error(code = 2)]
const EMiningCap: vector<u8> = b"Above 10.5 million VRAM mined";
/// 21 M are minted at most.
#[error(code = 3)]
const ESupplyCap: vector<u8> = b"Above 21 million VRAM minted";
/// There is one token generation event.
#[error(code = 4)]
const ETgeDone: vector<u8> = b"The token generation is over";
/// Recipients and amounts do not match, or do not sum to the class's allocation.
#[error(code = 5)]
const EBadAllocation: vector<u8> = b"Not the allocation's sum";
/// The investors' lock is too short or too long.
#[error(code = 6)]
const EBadSchedule: vector<u8> = b"Lock below 6 months, or a phase above 60";
/// The airdrop's root is 32 bytes over at least one leaf.
#[error(code = 7)]
const EBadRoot: vector<u8> = b"The root or the leaves are unusable";
/// The airdrop's deadline is out of bounds.
#[error(code = 8)]
const EBadDeadline: vector<u8> = b"Not 30 to 730 days ahead";
/// Only the beneficiary does this.
#[error(code = 9)]
const ENotBeneficiary: vector<u8> = b"Not the beneficiary";
/// Nothing has vested since the last claim, or nothing is left.
#[error(code = 10)]
const ENothingToClaim: vector<u8> = b"There is nothing to claim";
/// The vesting was not offered to the sender.
#[error(code = 11)]
const ENotOffered: vector<u8> = b"Not offered to the sender";
/// The root does not hold this leaf at this index.
#[error(code = 12)]
const EBadProof: vector<u8> = b"Not a proof of the airdrop's root";
/// An address gets 105,000 VRAM at most.
#[error(code = 13)]
const EAboveAddressCap: vector<u8> = b"Above 105,000 VRAM an address";
/// One claim an address.
#[error(code = 14)]
const EAlreadyClaimed: vector<u8> = b"Claimed already";
/// The deadline has passed.
#[error(code = 15)]
const EAirdropClosed: vector<u8> = b"The airdrop is over";
/// The deadline has not passed.
#[error(code = 16)]
const EAirdropOpen: vector<u8> = b"The airdrop is not over";
/// The leaves promise more than the allocation, and earlier claims took it.
#[error(code = 17)]
const EAirdropExhausted: vector<u8> = b"The airdrop holds less";
/// The airdrop's rest goes to the vesting of the treasury that its TGE made.
#[error(code = 18)]
const EWrongVesting: vector<u8> = b"Not the treasury's vesting";
/// The object is of another version of the package.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

// === Objects ===

/// One-time witness.
public struct VRAM_TOKEN has drop {}

/// The singleton behind every coin.
public struct Treasury has key { id: UID, version: u64 }

public struct TreasuryInner has store {
    cap: TreasuryCap<VRAM_TOKEN>,
    /// Ever minted.
    issued: u64,
    /// Of it, mined.
    mined: u64,
    burned: u64,
    tge_done: bool,
}

/// Locked coins: nothing until `start_ms + cliff_ms`, then linear over `duration_ms`. Shared, so that its
/// beneficiary can change: four years outlive many a key. The change takes two steps, an offer and an
/// acceptance, so that a slip cannot send the lock to an address that nobody holds.
public struct Vesting has key {
    id: UID,
    class: u8,
    beneficiary: address,
    offered: Option<address>,
    total: u64,
    claimed: u64,
    start_ms: u64,
    cliff_ms: u64,
    duration_ms: u64,
    balance: Balance<VRAM_TOKEN>,
}

/// What was promised for points before the launch: claimed with a Merkle proof until `deadline_ms`.
public struct Airdrop has key {
    id: UID,
    /// In every leaf, so that a tree is good for one deployment.
    treasury: ID,
    treasury_vesting: ID,
    root: vector<u8>,
    leaves: u64,
    deadline_ms: u64,
    claimed: Table<address, u64>,
    balance: Balance<VRAM_TOKEN>,
}

// === Events ===

public struct Mined has copy, drop { amount: u64, mined: u64 }
public struct Burned has copy, drop { amount: u64, burned: u64, bond: bool }
public struct TokenGenerated has copy, drop {
    airdrop: ID,
    root: vector<u8>,
    deadline_ms: u64,
    liquidity: address,
}
public struct VestingCreated has copy, drop {
    vesting: ID,
    class: u8,
    beneficiary: address,
    total: u64,
    start_ms: u64,
    cliff_ms: u64,
    duration_ms: u64,
}
public struct VestingClaimed has copy, drop {
    vesting: ID,
    beneficiary: address,
    amount: u64,
    claimed: u64,
}
public struct BeneficiaryOffered has copy, drop { vesting: ID, to: Option<address> }
public struct BeneficiaryChanged has copy, drop { vesting: ID, from: address, to: address }
public struct AirdropClaimed has copy, drop { airdrop: ID, index: u64, who: address, amount: u64 }
public struct AirdropSwept has copy, drop { airdrop: ID, to: address, amount: u64 }

fun init(witness: VRAM_TOKEN, ctx: &mut TxContext) {
    let (currency, cap) = coin_registry::new_currency_with_otw(
        witness,
        9,
        b"VRAM".to_string(),
        b"VRAM".to_string(),
        b"Rewards of attested decentralised training".to_string(),
        b"".to_string(),
        ctx,
    );
    currency.finalize_and_delete_metadata_cap(ctx);
    let mut treasury = Treasury { id: object::new(ctx), version: VERSION };
    let inner = TreasuryInner { cap, issued: 0, mined: 0, burned: 0, tge_done: false };
    dynamic_field::add(&mut treasury.id, VERSION, inner);
    transfer::share_object(treasury);
}

/// The door of an upgrade: there is nothing older than version 1.
public fun migrate(_: &AdminCap, _: &mut Treasury) {
    abort EWrongVersion
}

// === Minting and burning ===

/// Mint `amount` units of the mining allocation. Aborts above 10.5 M in all.
public(package) fun mint_mining(
    treasury: &mut Treasury,
    amount: u64,
    ctx: &mut TxContext,
): Coin<VRAM_TOKEN> {
    let inner = inner_mut(treasury);
    assert!(amount > 0, EZeroAmount);
    assert!(amount <= MINING - inner.mined, EMiningCap);
    inner.mined = inner.mined + amount;
    event::emit(Mined { amount, mined: inner.mined });
    inner.mint(amount).into_coin(ctx)
}

/// Burn a validator's bond; an empty coin is destroyed without a word.
public(package) fun burn_bond(treasury: &mut Treasury, bond: Coin<VRAM_TOKEN>) {
    if (bond.value() == 0) bond.destroy_zero() else burn_coin(treasury, bond, true);
}

/// Burn one's own coins. What is burned is never minted again.
public fun burn(treasury: &mut Treasury, coin: Coin<VRAM_TOKEN>) {
    assert!(coin.value() > 0, EZeroAmount);
    burn_coin(treasury, coin, false);
}

fun burn_coin(treasury: &mut Treasury, coin: Coin<VRAM_TOKEN>, bond: bool) {
    let inner = inner_mut(treasury);
    let amount = inner.cap.burn(coin);
    inner.burned = inner.burned + amount;
    event::emit(Burned { amount, burned: inner.burned, bond });
}

/// The one place that mints.
fun mint(inner: &mut TreasuryInner, amount: u64): Balance<VRAM_TOKEN> {
    assert!(amount <= MAX_SUPPLY - inner.issued, ESupplyCap);
    inner.issued = inner.issued + amount;
    inner.cap.mint_balance(amount)
}

// === Token generation event ===

/// Issue the other half, once: treasury 5.25 M (6 months' cliff, then 48 linear), investors 1.05 M (the given
/// lock), team 1.68 M (12, then 36), liquidity 1.47 M at once, airdrop 1.05 M. Each list's amounts are units
/// and sum to exactly its class. The airdrop's `root` is over `leaves` leaves as `airdrop_leaf` makes them.
public fun tge(
    _: &AdminCap,
    treasury: &mut Treasury,
    treasury_beneficiary: address,
    investors: vector<address>,
    investor_amounts: vector<u64>,
    investor_cliff_ms: u64,
    investor_duration_ms: u64,
    team: vector<address>,
    team_amounts: vector<u64>,
    liquidity: address,
    root: vector<u8>,
    leaves: u64,
    deadline_ms: u64,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let treasury_id = object::id(treasury);
    let inner = inner_mut(treasury);
    let now = clock.timestamp_ms();
    assert!(!inner.tge_done, ETgeDone);
    check_allocation(&investors, &investor_amounts, INVESTORS);
    check_allocation(&team, &team_amounts, TEAM);
    assert!(
        investor_cliff_ms <= MAX_PHASE_MS && investor_duration_ms <= MAX_PHASE_MS,
        EBadSchedule,
    );
    assert!(investor_cliff_ms + investor_duration_ms >= MIN_LOCK_MS, EBadSchedule);
    assert!(root.length() == 32 && leaves > 0, EBadRoot);
    assert!(
        deadline_ms >= now + MIN_AIRDROP_MS && deadline_ms <= now + MAX_AIRDROP_MS,
        EBadDeadline,
    );
    inner.tge_done = true;

    let treasury_vesting = inner.lock(
        CLASS_TREASURY,
        treasury_beneficiary,
        TREASURY,
        now,
        TREASURY_CLIFF * MONTH_MS,
        TREASURY_VESTING * MONTH_MS,
        ctx,
    );
    inner.lock_all(
        CLASS_INVESTORS,
        investors,
        investor_amounts,
        now,
        investor_cliff_ms,
        investor_duration_ms,
        ctx,
    );
    inner.lock_all(
        CLASS_TEAM,
        team,
        team_amounts,
        now,
        TEAM_CLIFF * MONTH_MS,
        TEAM_VESTING * MONTH_MS,
        ctx,
    );
    transfer::public_transfer(coin::from_balance(inner.mint(LIQUIDITY), ctx), liquidity);
    let airdrop = Airdrop {
        id: object::new(ctx),
        treasury: treasury_id,
        treasury_vesting,
        root,
        leaves,
        deadline_ms,
        claimed: table::new(ctx),
        balance: inner.mint(AIRDROP),
    };
    event::emit(TokenGenerated { airdrop: object::id(&airdrop), root, deadline_ms, liquidity });
    transfer::share_object(airdrop);
}

fun check_allocation(recipients: &vector<address>, amounts: &vector<u64>, allocation: u64) {
    assert!(recipients.length() == amounts.length(), EBadAllocation);
    assert!(recipients.length() <= MAX_RECIPIENTS, EBadAllocation);
    let mut sum = 0u128;
    amounts.do_ref!(|amount| {
        assert!(*amount > 0, EBadAllocation);
        sum = sum + (*amount as u128);
    });
    assert!(sum == allocation as u128, EBadAllocation);
}

fun lock_all(
    inner: &mut TreasuryInner,
    class: u8,
    beneficiaries: vector<address>,
    amounts: vector<u64>,
    start_ms: u64,
    cliff_ms: u64,
    duration_ms: u64,
    ctx: &mut TxContext,
) {
    beneficiaries.zip_do!(amounts, |to, amount| {
        inner.lock(class, to, amount, start_ms, cliff_ms, duration_ms, ctx);
    });
}

fun lock(
    inner: &mut TreasuryInner,
    class: u8,
    beneficiary: address,
    total: u64,
    start_ms: u64,
    cliff_ms: u64,
    duration_ms: u64,
    ctx: &mut TxContext,
): ID {
    let balance = inner.mint(total);
    let id = object::new(ctx);
    let vesting = id.to_inner();
    event::emit(VestingCreated {
        vesting,
        class,
        beneficiary,
        total,
        start_ms,
        cliff_ms,
        duration_ms,
    });
    transfer::share_object(Vesting {
        id,
        class,
        beneficiary,
        offered: option::none(),
        total,
        claimed: 0,
        start_ms,
        cliff_ms,
        duration_ms,
        balance,
    });
    vesting
}

// === Vesting ===

/// Units vested by `now_ms`: zero up to the end of the cliff, all of them at the end of the duration.
public fun vested_at(vesting: &Vesting, now_ms: u64): u64 {
    let begin = vesting.start_ms + vesting.cliff_ms;
    if (now_ms < begin) 0
    else if (now_ms - begin >= vesting.duration_ms) vesting.total
    else {
        let product = (vesting.total as u128) * ((now_ms - begin) as u128);
        (product / (vesting.duration_ms as u128)) as u64
    }
}

/// Take what has vested and was not taken; the beneficiary only.
public fun claim_vested(
    vesting: &mut Vesting,
    clock: &Clock,
    ctx: &mut TxContext,
): Coin<VRAM_TOKEN> {
    assert!(ctx.sender() == vesting.beneficiary, ENotBeneficiary);
    let amount = vesting.vested_at(clock.timestamp_ms()) - vesting.claimed;
    assert!(amount > 0, ENothingToClaim);
    vesting.claimed = vesting.claimed + amount;
    event::emit(VestingClaimed {
        vesting: object::id(vesting),
        beneficiary: vesting.beneficiary,
        amount,
        claimed: vesting.claimed,
    });
    vesting.balance.split(amount).into_coin(ctx)
}

/// First step of a change of beneficiary, by the beneficiary: offer to an address, or to nobody, which
/// withdraws the offer before it.
public fun offer_beneficiary(vesting: &mut Vesting, to: Option<address>, ctx: &TxContext) {
    assert!(ctx.sender() == vesting.beneficiary, ENotBeneficiary);
    vesting.offered = to;
    event::emit(BeneficiaryOffered { vesting: object::id(vesting), to });
}

/// Second step, by the address that it was offered to.
public fun accept_beneficiary(vesting: &mut Vesting, ctx: &TxContext) {
    let to = ctx.sender();
    assert!(vesting.offered == option::some(to), ENotOffered);
    event::emit(BeneficiaryChanged { vesting: object::id(vesting), from: vesting.beneficiary, to });
    vesting.beneficiary = to;
    vesting.offered = option::none();
}

// === Airdrop ===

/// A leaf: `SHA-256(0x00 ‖ "vramhub/airdrop/v1" ‖ treasury id ‖ address ‖ amount u64)`. Nodes are
/// `SHA-256(0x01 ‖ left ‖ right)`, an odd one is promoted: the tree of the data sets' pages.
public fun airdrop_leaf(treasury: ID, who: address, amount: u64): vector<u8> {
    let mut bytes = vector[0u8];
    bytes.append(AIRDROP_TAG);
    bytes.append(treasury.to_bytes());
    bytes.append(bcs::to_bytes(&who));
    bytes.append(bcs::to_bytes(&amount));
    sha2_256(bytes)
}

/// Take the sender's share, leaf number `index`: once an address, before the deadline.
public fun claim_airdrop(
    airdrop: &mut Airdrop,
    index: u64,
    amount: u64,
    proof: vector<vector<u8>>,
    clock: &Clock,
    ctx: &mut TxContext,
): Coin<VRAM_TOKEN> {
    let who = ctx.sender();
    assert!(clock.timestamp_ms() < airdrop.deadline_ms, EAirdropClosed);
    assert!(amount > 0, EZeroAmount);
    assert!(amount <= AIRDROP_MAX_PER_ADDRESS, EAboveAddressCap);
    assert!(!airdrop.claimed.contains(who), EAlreadyClaimed);
    let leaf = airdrop_leaf(airdrop.treasury, who, amount);
    let proven = dataset_registry::verify_merkle(airdrop.root, airdrop.leaves, index, leaf, proof);
    assert!(proven, EBadProof);
    assert!(amount <= airdrop.balance.value(), EAirdropExhausted);
    airdrop.claimed.add(who, amount);
    event::emit(AirdropClaimed { airdrop: object::id(airdrop), index, who, amount });
    airdrop.balance.split(amount).into_coin(ctx)
}

/// From the deadline on, anyone sends the rest to the beneficiary of the treasury's vesting.
public fun sweep_airdrop(
    airdrop: &mut Airdrop,
    treasury_vesting: &Vesting,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    assert!(clock.timestamp_ms() >= airdrop.deadline_ms, EAirdropOpen);
    assert!(object::id(treasury_vesting) == airdrop.treasury_vesting, EWrongVesting);
    let rest = airdrop.balance.withdraw_all();
    assert!(rest.value() > 0, ENothingToClaim);
    let to = treasury_vesting.beneficiary;
    event::emit(AirdropSwept { airdrop: object::id(airdrop), to, amount: rest.value() });
    transfer::public_transfer(rest.into_coin(ctx), to);
}

// === Views ===

/// Units ever minted, burned ones included.
public fun issued(treasury: &Treasury): u64 { inner(treasury).issued }

/// Units mined of the 10.5 M.
public fun mined(treasury: &Treasury): u64 { inner(treasury).mined }

/// Units burned.
public fun burned(treasury: &Treasury): u64 { inner(treasury).burned }

/// Units in being: issued and not burned.
public fun circulating(treasury: &Treasury): u64 { inner(treasury).cap.total_supply() }

/// Whether the token generation event has been.
public fun tge_done(treasury: &Treasury): bool { inner(treasury).tge_done }

/// Who may claim.
public fun beneficiary(vesting: &Vesting): address { vesting.beneficiary }

/// 0 treasury, 1 investors, 2 team.
public fun class(vesting: &Vesting): u8 { vesting.class }

/// Units that are locked or not claimed yet.
public fun locked(vesting: &Vesting): u64 { vesting.balance.value() }

/// Units of the airdrop that nobody has claimed.
public fun unclaimed(airdrop: &Airdrop): u64 { airdrop.balance.value() }

fun inner(treasury: &Treasury): &TreasuryInner {
    assert!(treasury.version == VERSION, EWrongVersion);
    dynamic_field::borrow(&treasury.id, VERSION)
}

fun inner_mut(treasury: &mut Treasury): &mut TreasuryInner {
    assert!(treasury.version == VERSION, EWrongVersion);
    dynamic_field::borrow_mut(&mut treasury.id, VERSION)
}

// === Tests ===

#[test_only]
/// The module's `init`, for the transaction's sender.
public fun init_for_testing(ctx: &mut TxContext) {
    init(sui::test_utils::create_one_time_witness(), ctx);
}

#[test_only]
/// Coins outside every class, which count as issued.
public fun mint_for_testing(
    treasury: &mut Treasury,
    amount: u64,
    ctx: &mut TxContext,
): Coin<VRAM_TOKEN> {
    inner_mut(treasury).mint(amount).into_coin(ctx)
}

#[test_only]
/// An object of another version.
public fun set_version_for_testing(treasury: &mut Treasury, version: u64) {
    treasury.version = version;
}
