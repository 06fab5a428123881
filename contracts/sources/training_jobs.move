/// Training for hire, in SUI. A customer escrows the price, a miner's owner claims the job with a bond, delivers
/// a result, and is paid when the dispute window has passed. A dispute is decided by an attested judge, which
/// measures the job's base and its result on the held-out pages of the data set that the job anchors: a message
/// of intent 3 that anyone may bring. Every state has a way out that needs neither the admin nor the other party.
///
/// Bonds: whoever loses by a verdict loses its bond, half to the winner and half to the validator's owner, so
/// that judging pays and pays the same either way. Where no verdict comes, the miner gets `default_split_bps` of
/// its pay and loses its bond, which is never less: the miner holds data, base and result and can always have them
/// measured, so withholding the result gains it nothing.
module vramhub::training_jobs;

use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::Coin;
use sui::dynamic_field;
use sui::ed25519;
use sui::event;
use sui::sui::SUI;
use sui::table::{Self, Table};
use vramhub::dataset_registry::DatasetRegistry;
use vramhub::enclave_registry::{Self as er, EnclaveRegistry};
use vramhub::hparams::AdminCap;
use vramhub::peer_registry::{Self, PeerRegistry};
use vramhub::round_state::RoundState;
use vramhub::validator_registry::{Self, ValidatorRegistry};

// === Constants ===

const VERSION: u64 = 1;
const HOUR_MS: u64 = 3_600_000;
const BPS: u128 = 10_000;
const STATUS_OPEN: u8 = 0;
const STATUS_CLAIMED: u8 = 1;
const STATUS_COMPLETED: u8 = 2;
const STATUS_SETTLED: u8 = 3;
const STATUS_DISPUTED: u8 = 4;
const STATUS_REFUNDED: u8 = 5;
const PRECISION_INT8: u8 = 3;
const MAX_MILLIONS: u64 = 10_000_000;
const MAX_EPOCHS: u64 = 1_000;
const MAX_BATCH: u64 = 65_536;
const MAX_SEQUENCE: u64 = 1_048_576;
const MAX_VRAM_GB: u32 = 65_536;
const MAX_REF: u64 = 256;
/// Losses differ by noise up to 2 units of 1e-6 nats; no loss is above 1,000 nats.
const MIN_IMPROVEMENT: u64 = 3;
const MAX_IMPROVEMENT: u64 = 1_000_000_000;
const MIN_DEADLINE_MS: u64 = HOUR_MS;
const MAX_DEADLINE_MS: u64 = 168 * HOUR_MS;
/// How far a judge's clock may be from the chain's.
const SKEW_MS: u64 = 300_000;
/// A closed job's row stays this long.
const RETENTION_MS: u64 = 720 * HOUR_MS;
const MESSAGE_BYTES: u64 = 196;
const INTENT_JOB: u8 = 3;
/// Offset of losses on the wire; exactly this where the result could not be measured.
const BIAS: u64 = 1 << 63;
const MAX_LOSS: u64 = (1 << 53) - 1;

// === Errors ===

/// Bounds are checked on everything that is stored.
#[error(code = 1)]
const EInvalidValue: vector<u8> = b"A value is out of bounds";
/// A job runs between an hour and a week.
#[error(code = 2)]
const EBadDeadline: vector<u8> = b"Not 1 hour to 7 days ahead";
/// Payout and fee fit a u64 of MIST.
#[error(code = 3)]
const EPriceTooHigh: vector<u8> = b"No coin holds the price";
/// Price and bonds are paid in full.
#[error(code = 4)]
const EInsufficientPayment: vector<u8> = b"The coin is too small";
/// Never posted, or pruned.
#[error(code = 5)]
const EUnknownJob: vector<u8> = b"No such job";
/// Each step starts from its own status.
#[error(code = 6)]
const EWrongStatus: vector<u8> = b"Not in this status";
/// The customer's step.
#[error(code = 7)]
const ENotCustomer: vector<u8> = b"Not the customer";
/// The miner's owner's step.
#[error(code = 8)]
const ENotMiner: vector<u8> = b"Not the miner's owner";
/// Deadlines are exclusive.
#[error(code = 9)]
const ETooLate: vector<u8> = b"The time for this is over";
/// What anyone may do, anyone may do from here on.
#[error(code = 10)]
const ETooEarly: vector<u8> = b"The time for this has not come";
/// Exact length, intent, version and range of losses.
#[error(code = 11)]
const EBadMessage: vector<u8> = b"Not a verdict on a job";
/// No replay across deployments.
#[error(code = 12)]
const EWrongLedger: vector<u8> = b"Verdict for another ledger";
/// No verdict about anything but this delivery.
#[error(code = 13)]
const EWrongSubject: vector<u8> = b"Verdict on another delivery";
/// Seated validators judge.
#[error(code = 14)]
const ENotValidator: vector<u8> = b"The validator has no seat";
/// Their attested judges sign.
#[error(code = 15)]
const ENoEnclave: vector<u8> = b"The validator has no valid key";
/// Ed25519 over the whole message.
#[error(code = 16)]
const EBadSignature: vector<u8> = b"Not signed by the validator's key";
/// Five minutes of difference between the clocks are allowed.
#[error(code = 17)]
const EBadTimestamp: vector<u8> = b"Signed before the job, or ahead";
/// An empty coin is nothing to give.
#[error(code = 18)]
const ENothingToSweep: vector<u8> = b"There is nothing to sweep";
/// An upgrade migrates first.
#[error(code = 100)]
const EWrongVersion: vector<u8> = b"Object of another version";

// === Objects ===

/// The singleton that holds every job.
public struct TrainingJobBoard has key { id: UID, version: u64 }

public struct BoardInner has store {
    jobs: Table<u64, Job>,
    next_id: u64,
    terms: Terms,
    fees: Balance<SUI>,
}

/// What the admin sets, for jobs posted from then on: each job keeps the terms that it was posted under.
public struct Terms has copy, drop, store {
    /// MIST for a thousand (million parameters · million tokens · epochs).
    price_per_unit: u64,
    fee_bps: u64,
    /// MIST.
    min_price: u64,
    dispute_window_ms: u64,
    dispute_timeout_ms: u64,
    /// Of the payout; for the miner's claim and for the customer's dispute alike.
    bond_bps: u64,
    /// Of the payout, to the miner, where a dispute times out; at most `bond_bps`.
    default_split_bps: u64,
}

/// What is to be trained.
public struct Spec has copy, drop, store {
    model_params_m: u64,
    dataset_tokens_m: u64,
    num_epochs: u32,
    batch_size: u32,
    sequence_length: u32,
    precision: u8,
    min_gpu_vram_gb: u32,
    dataset_root: vector<u8>,
    base_hash: vector<u8>,
    base_ref: vector<u8>,
    /// What the held-out loss must fall by, in 1e-6 nats.
    min_improvement: u64,
}

public struct Job has store {
    customer: address,
    spec: Spec,
    terms: Terms,
    status: u8,
    posted_ms: u64,
    deadline_ms: u64,
    payout: u64,
    fee: u64,
    /// Payout and fee.
    escrow: Balance<SUI>,
    miner: address,
    uid: u16,
    claim_bond: Balance<SUI>,
    result_hash: vector<u8>,
    /// When the last phase began: completed, disputed or closed.
    since_ms: u64,
    dispute_bond: Balance<SUI>,
}

// === Events ===

public struct TermsChanged has copy, drop { terms: Terms }
public struct JobPosted has copy, drop {
    job: u64,
    customer: address,
    payout: u64,
    fee: u64,
    deadline_ms: u64,
    spec: Spec,
}
public struct JobClaimed has copy, drop { job: u64, uid: u16, miner: address, bond: u64 }
public struct JobReleased has copy, drop { job: u64, miner: address, bond: u64 }
public struct JobCompleted has copy, drop {
    job: u64,
    result_hash: vector<u8>,
    result_ref: vector<u8>,
}
public struct JobDisputed has copy, drop { job: u64, bond: u64 }
/// What a judge decided; losses in 1e-6 nats, `loss_after` zero where it could not be measured.
public struct DisputeResolved has copy, drop {
    job: u64,
    validator: u16,
    for_miner: bool,
    loss_before: u64,
    loss_after: u64,
}
/// The end of a job: MIST to the miner, to the fees, back to the customer.
public struct JobClosed has copy, drop { job: u64, status: u8, payout: u64, fee: u64, refund: u64 }
public struct FeesSwept has copy, drop { amount: u64 }
public struct JobPruned has copy, drop { job: u64 }

fun init(ctx: &mut TxContext) {
    let mut board = TrainingJobBoard { id: object::new(ctx), version: VERSION };
    let inner = BoardInner {
        jobs: table::new(ctx),
        next_id: 0,
        terms: Terms {
            price_per_unit: 10_000,
            fee_bps: 500,
            min_price: 1_000_000_000,
            dispute_window_ms: 2 * HOUR_MS,
            dispute_timeout_ms: 48 * HOUR_MS,
            bond_bps: 1_000,
            default_split_bps: 1_000,
        },
        fees: balance::zero(),
    };
    dynamic_field::add(&mut board.id, VERSION, inner);
    transfer::share_object(board);
}

// === Governance ===

/// The door of an upgrade: there is nothing older than version 1.
public fun migrate(_: &AdminCap, _: &mut TrainingJobBoard) {
    abort EWrongVersion
}

/// Set the terms of later jobs: fee at most 10 %, dispute window 1 to 24 hours, time-out 12 hours to 7 days,
/// bonds 5 to 50 %, the default split at most the bond.
public fun set_terms(
    _: &AdminCap,
    board: &mut TrainingJobBoard,
    price_per_unit: u64,
    fee_bps: u64,
    min_price: u64,
    dispute_window_ms: u64,
    dispute_timeout_ms: u64,
    bond_bps: u64,
    default_split_bps: u64,
) {
    assert!(price_per_unit > 0 && min_price > 0 && fee_bps <= 1_000, EInvalidValue);
    assert!(dispute_window_ms >= HOUR_MS && dispute_window_ms <= 24 * HOUR_MS, EInvalidValue);
    assert!(
        dispute_timeout_ms >= 12 * HOUR_MS && dispute_timeout_ms <= 168 * HOUR_MS,
        EInvalidValue,
    );
    assert!(bond_bps >= 500 && bond_bps <= 5_000 && default_split_bps <= bond_bps, EInvalidValue);
    let terms = Terms {
        price_per_unit,
        fee_bps,
        min_price,
        dispute_window_ms,
        dispute_timeout_ms,
        bond_bps,
        default_split_bps,
    };
    inner_mut(board).terms = terms;
    event::emit(TermsChanged { terms });
}

/// Take the fees of settled jobs.
public fun sweep_fees(_: &AdminCap, board: &mut TrainingJobBoard, ctx: &mut TxContext): Coin<SUI> {
    let fees = inner_mut(board).fees.withdraw_all();
    assert!(fees.value() > 0, ENothingToSweep);
    event::emit(FeesSwept { amount: fees.value() });
    fees.into_coin(ctx)
}

// === A job's life ===

/// What is to be trained, on the anchored data set `dataset_id`. Sizes in millions; precision 0 FP32, 1 FP16,
/// 2 BF16, 3 INT8; `base_hash` is the manifest's; `min_improvement` in 1e-6 nats of held-out loss.
public fun new_spec(
    datasets: &DatasetRegistry,
    dataset_id: u64,
    model_params_m: u64,
    dataset_tokens_m: u64,
    num_epochs: u32,
    batch_size: u32,
    sequence_length: u32,
    precision: u8,
    min_gpu_vram_gb: u32,
    base_hash: vector<u8>,
    base_ref: vector<u8>,
    min_improvement: u64,
): Spec {
    assert!(within(model_params_m, MAX_MILLIONS), EInvalidValue);
    assert!(within(dataset_tokens_m, MAX_MILLIONS), EInvalidValue);
    assert!(within(num_epochs as u64, MAX_EPOCHS), EInvalidValue);
    assert!(within(batch_size as u64, MAX_BATCH), EInvalidValue);
    assert!(within(sequence_length as u64, MAX_SEQUENCE), EInvalidValue);
    assert!(precision <= PRECISION_INT8 && min_gpu_vram_gb <= MAX_VRAM_GB, EInvalidValue);
    assert!(base_hash.length() == 32, EInvalidValue);
    assert!(within(base_ref.length(), MAX_REF), EInvalidValue);
    assert!(
        min_improvement >= MIN_IMPROVEMENT && min_improvement <= MAX_IMPROVEMENT,
        EInvalidValue,
    );
    datasets.assert_live(dataset_id);
    let dataset_root = datasets.root(dataset_id);
    Spec {
        model_params_m,
        dataset_tokens_m,
        num_epochs,
        batch_size,
        sequence_length,
        precision,
        min_gpu_vram_gb,
        dataset_root,
        base_hash,
        base_ref,
        min_improvement,
    }
}

/// Payout and fee of a job posted now, in MIST.
public fun quote(board: &TrainingJobBoard, spec: &Spec): (u64, u64) {
    let terms = &inner(board).terms;
    let size = (spec.model_params_m as u128) * (spec.dataset_tokens_m as u128);
    let mut units = size * (spec.num_epochs as u128) / 1_000;
    if (spec.precision == PRECISION_INT8) units = units / 2;
    let payout = (units * (terms.price_per_unit as u128)).max(terms.min_price as u128);
    let fee = payout * (terms.fee_bps as u128) / BPS;
    assert!(payout + fee <= std::u64::max_value!() as u128, EPriceTooHigh);
    (payout as u64, fee as u64)
}

/// Post a job and escrow its price from `payment`; the rest goes back to the sender.
public fun post_job(
    board: &mut TrainingJobBoard,
    spec: Spec,
    deadline_ms: u64,
    payment: Coin<SUI>,
    clock: &Clock,
    ctx: &mut TxContext,
): u64 {
    let now = clock.timestamp_ms();
    let ahead = deadline_ms >= now + MIN_DEADLINE_MS && deadline_ms <= now + MAX_DEADLINE_MS;
    assert!(ahead, EBadDeadline);
    let (payout, fee) = quote(board, &spec);
    let escrow = take(payment, payout + fee, ctx);
    let inner = inner_mut(board);
    let job = inner.next_id;
    inner.next_id = job + 1;
    let customer = ctx.sender();
    inner
        .jobs
        .add(
            job,
            Job {
                customer,
                spec,
                terms: inner.terms,
                status: STATUS_OPEN,
                posted_ms: now,
                deadline_ms,
                payout,
                fee,
                escrow,
                miner: @0x0,
                uid: 0,
                claim_bond: balance::zero(),
                result_hash: vector[],
                since_ms: now,
                dispute_bond: balance::zero(),
            },
        );
    event::emit(JobPosted { job, customer, payout, fee, deadline_ms, spec });
    job
}

/// Take back an open job: the customer only.
public fun cancel_job(board: &mut TrainingJobBoard, id: u64, clock: &Clock, ctx: &mut TxContext) {
    let job = job_mut(board, id, STATUS_OPEN);
    let customer = ctx.sender();
    assert!(customer == job.customer, ENotCustomer);
    job.close(id, STATUS_REFUNDED, 0, 0, customer, clock, ctx).destroy_zero();
}

/// Claim an open job for miner `uid`, which the sender owns, before its deadline. The bond is taken from `bond`,
/// the rest goes back to the sender.
public fun claim_job(
    board: &mut TrainingJobBoard,
    peers: &PeerRegistry,
    id: u64,
    uid: u16,
    bond: Coin<SUI>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let miner = ctx.sender();
    let job = job_mut(board, id, STATUS_OPEN);
    assert!(peer_registry::slot_owner(peers, uid) == option::some(miner), ENotMiner);
    assert!(clock.timestamp_ms() < job.deadline_ms, ETooLate);
    let due = job.bond();
    job.claim_bond.join(take(bond, due, ctx));
    job.miner = miner;
    job.uid = uid;
    job.enter(STATUS_CLAIMED, clock);
    event::emit(JobClaimed { job: id, uid, miner, bond: due });
}

/// Give a claimed job back, so that another can take it: the miner only. The bond goes to the customer.
public fun release_job(board: &mut TrainingJobBoard, id: u64, clock: &Clock, ctx: &mut TxContext) {
    let job = job_mut(board, id, STATUS_CLAIMED);
    let miner = ctx.sender();
    assert!(miner == job.miner, ENotMiner);
    job.enter(STATUS_OPEN, clock);
    let bond = job.claim_bond.value();
    pay(job.claim_bond.withdraw_all(), job.customer, ctx);
    event::emit(JobReleased { job: id, miner, bond });
}

/// Deliver before the deadline: the hash of the result's manifest and where it lies; the miner only.
public fun complete_job(
    board: &mut TrainingJobBoard,
    id: u64,
    result_hash: vector<u8>,
    result_ref: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    let job = job_mut(board, id, STATUS_CLAIMED);
    assert!(ctx.sender() == job.miner, ENotMiner);
    assert!(clock.timestamp_ms() < job.deadline_ms, ETooLate);
    assert!(result_hash.length() == 32, EInvalidValue);
    assert!(within(result_ref.length(), MAX_REF), EInvalidValue);
    job.result_hash = result_hash;
    job.enter(STATUS_COMPLETED, clock);
    event::emit(JobCompleted { job: id, result_hash, result_ref });
}

/// From the deadline on, anyone sends the customer its money back where nothing was delivered, and the bond of
/// a miner that claimed in vain.
public fun refund_job(board: &mut TrainingJobBoard, id: u64, clock: &Clock, ctx: &mut TxContext) {
    let job = any_job(inner_mut(board), id);
    assert!(job.status == STATUS_OPEN || job.status == STATUS_CLAIMED, EWrongStatus);
    assert!(clock.timestamp_ms() >= job.deadline_ms, ETooEarly);
    let customer = job.customer;
    job.close(id, STATUS_REFUNDED, 0, 0, customer, clock, ctx).destroy_zero();
}

/// Once the dispute window has passed, anyone pays the miner.
public fun settle_job(board: &mut TrainingJobBoard, id: u64, clock: &Clock, ctx: &mut TxContext) {
    let job = job_mut(board, id, STATUS_COMPLETED);
    assert!(clock.timestamp_ms() >= job.since_ms + job.terms.dispute_window_ms, ETooEarly);
    let (payout, fee, miner) = (job.payout, job.fee, job.miner);
    let fees = job.close(id, STATUS_SETTLED, payout, fee, miner, clock, ctx);
    inner_mut(board).fees.join(fees);
}

// === Disputes ===

/// Dispute a delivered result inside the dispute window, with a bond: the customer only.
public fun dispute_job(
    board: &mut TrainingJobBoard,
    id: u64,
    bond: Coin<SUI>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let job = job_mut(board, id, STATUS_COMPLETED);
    assert!(ctx.sender() == job.customer, ENotCustomer);
    assert!(clock.timestamp_ms() < job.since_ms + job.terms.dispute_window_ms, ETooLate);
    let due = job.bond();
    job.dispute_bond.join(take(bond, due, ctx));
    job.enter(STATUS_DISPUTED, clock);
    event::emit(JobDisputed { job: id, bond: due });
}

/// Decide a dispute by a judge's signed message (enclave/protocol/job_verdict.ts). Anyone may bring it: the
/// message itself says which job, validator, data, base and result it is about.
public fun resolve_dispute(
    board: &mut TrainingJobBoard,
    rounds: &RoundState,
    validators: &ValidatorRegistry,
    enclaves: &EnclaveRegistry,
    message: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let now = clock.timestamp_ms();
    let (head, before, after) = read_verdict(&message);
    assert!(head.is_for(rounds), EWrongLedger);
    let validator = head.head_validator();
    let id = head.head_subject();
    let job = job_mut(board, id, STATUS_DISPUTED);
    job.check_verdict(&message, now);
    let owner = validator_registry::seat_owner(validators, validator);
    assert!(owner.is_some(), ENotValidator);
    let owner = owner.destroy_some();
    let key = er::verdict_key(enclaves, validator, owner, now);
    assert!(key.is_some(), ENoEnclave);
    let signed = ed25519::ed25519_verify(&signature, &key.destroy_some(), &message);
    assert!(signed, EBadSignature);

    let measured = after > BIAS;
    let for_miner = measured && before >= after && before - after >= job.spec.min_improvement;
    event::emit(DisputeResolved {
        job: id,
        validator,
        for_miner,
        loss_before: before - BIAS,
        loss_after: after - BIAS,
    });
    let loser = if (for_miner) &mut job.dispute_bond else &mut job.claim_bond;
    let half = loser.value() / 2;
    pay(loser.split(half), owner, ctx);
    let (payout, fee, miner, customer) = (job.payout, job.fee, job.miner, job.customer);
    let fees = if (for_miner) job.close(id, STATUS_SETTLED, payout, fee, miner, clock, ctx)
    else job.close(id, STATUS_REFUNDED, 0, 0, customer, clock, ctx);
    inner_mut(board).fees.join(fees);
}

/// Where no verdict came in time, anyone splits by default: to the miner `default_split_bps` of the payout, to
/// the fees that share of the fee; everything else, both bonds too, to the customer.
public fun expire_dispute(
    board: &mut TrainingJobBoard,
    id: u64,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let job = job_mut(board, id, STATUS_DISPUTED);
    assert!(clock.timestamp_ms() >= job.since_ms + job.terms.dispute_timeout_ms, ETooEarly);
    let split = job.terms.default_split_bps;
    let (payout, fee, customer) = (part(job.payout, split), part(job.fee, split), job.customer);
    let fees = job.close(id, STATUS_SETTLED, payout, fee, customer, clock, ctx);
    inner_mut(board).fees.join(fees);
}

/// Drop the row of a job that was closed 30 days ago; anyone may.
public fun prune_job(board: &mut TrainingJobBoard, id: u64, clock: &Clock) {
    let inner = inner_mut(board);
    let job = any_job(inner, id);
    assert!(job.status == STATUS_SETTLED || job.status == STATUS_REFUNDED, EWrongStatus);
    assert!(clock.timestamp_ms() >= job.since_ms + RETENTION_MS, ETooEarly);
    let Job { escrow, claim_bond, dispute_bond, .. } = inner.jobs.remove(id);
    escrow.destroy_zero();
    claim_bond.destroy_zero();
    dispute_bond.destroy_zero();
    event::emit(JobPruned { job: id });
}

// === Parts ===

/// Head and losses of a verdict: exact length, a base that was measured.
fun read_verdict(message: &vector<u8>): (er::Head, u64, u64) {
    let head = er::read_head(message, INTENT_JOB);
    assert!(head.is_some() && message.length() == MESSAGE_BYTES, EBadMessage);
    let (before, after) = (er::u64_at(message, 180), er::u64_at(message, 188));
    assert!(before > BIAS && before - BIAS <= MAX_LOSS, EBadMessage);
    assert!(after >= BIAS && after - BIAS <= MAX_LOSS, EBadMessage);
    (head.destroy_some(), before, after)
}

/// Refuse a verdict that comes too late, is about another delivery, or was signed before the job.
fun check_verdict(job: &Job, message: &vector<u8>, now: u64) {
    assert!(now < job.since_ms + job.terms.dispute_timeout_ms, ETooLate);
    assert!(er::slice(message, 84, 32) == job.spec.dataset_root, EWrongSubject);
    assert!(er::slice(message, 116, 32) == job.spec.base_hash, EWrongSubject);
    assert!(er::slice(message, 148, 32) == job.result_hash, EWrongSubject);
    let timestamp_ms = er::u64_at(message, 76);
    assert!(timestamp_ms <= now + SKEW_MS, EBadTimestamp);
    assert!(timestamp_ms >= job.posted_ms.max(SKEW_MS) - SKEW_MS, EBadTimestamp);
}

fun enter(job: &mut Job, status: u8, clock: &Clock) {
    job.status = status;
    job.since_ms = clock.timestamp_ms();
}

/// The bond of this job, rounded up.
fun bond(job: &Job): u64 {
    ((job.payout as u128) * (job.terms.bond_bps as u128)).divide_and_round_up(BPS) as u64
}

/// End the job: `payout` to the miner, the rest of the escrow but `fee` to the customer, both bonds to
/// `winner`. Gives back the fee.
fun close(
    job: &mut Job,
    id: u64,
    status: u8,
    payout: u64,
    fee: u64,
    winner: address,
    clock: &Clock,
    ctx: &mut TxContext,
): Balance<SUI> {
    job.enter(status, clock);
    pay(job.escrow.split(payout), job.miner, ctx);
    let fees = job.escrow.split(fee);
    event::emit(JobClosed { job: id, status, payout, fee, refund: job.escrow.value() });
    pay(job.escrow.withdraw_all(), job.customer, ctx);
    pay(job.claim_bond.withdraw_all(), winner, ctx);
    pay(job.dispute_bond.withdraw_all(), winner, ctx);
    fees
}

fun part(amount: u64, bps: u64): u64 {
    ((amount as u128) * (bps as u128) / BPS) as u64
}

/// `due` of the coin; the rest goes back to the sender.
fun take(coin: Coin<SUI>, due: u64, ctx: &mut TxContext): Balance<SUI> {
    let mut rest = coin.into_balance();
    assert!(rest.value() >= due, EInsufficientPayment);
    let taken = rest.split(due);
    pay(rest, ctx.sender(), ctx);
    taken
}

fun pay(amount: Balance<SUI>, to: address, ctx: &mut TxContext) {
    if (amount.value() == 0) amount.destroy_zero()
    else transfer::public_transfer(amount.into_coin(ctx), to);
}

/// Whether `size` is at least one and at most `most`.
fun within(size: u64, most: u64): bool { 0 < size && size <= most }

fun any_job(inner: &mut BoardInner, id: u64): &mut Job {
    assert!(inner.jobs.contains(id), EUnknownJob);
    &mut inner.jobs[id]
}

fun job_mut(board: &mut TrainingJobBoard, id: u64, status: u8): &mut Job {
    let job = any_job(inner_mut(board), id);
    assert!(job.status == status, EWrongStatus);
    job
}

// === Views ===

/// A job's row.
public fun job(board: &TrainingJobBoard, id: u64): &Job {
    assert!(inner(board).jobs.contains(id), EUnknownJob);
    &inner(board).jobs[id]
}

/// 0 open, 1 claimed, 2 completed, 3 settled, 4 disputed, 5 refunded.
public fun status(job: &Job): u8 { job.status }

/// MIST in escrow, the miner's bond and the customer's bond.
public fun held(job: &Job): (u64, u64, u64) {
    (job.escrow.value(), job.claim_bond.value(), job.dispute_bond.value())
}

/// MIST of fees not swept.
public fun fees(board: &TrainingJobBoard): u64 { inner(board).fees.value() }

fun inner(board: &TrainingJobBoard): &BoardInner {
    assert!(board.version == VERSION, EWrongVersion);
    dynamic_field::borrow(&board.id, VERSION)
}

fun inner_mut(board: &mut TrainingJobBoard): &mut BoardInner {
    assert!(board.version == VERSION, EWrongVersion);
    dynamic_field::borrow_mut(&mut board.id, VERSION)
}

// === Tests ===

#[test_only]
/// The module's `init`.
public fun init_for_testing(ctx: &mut TxContext) { init(ctx) }

#[test_only]
/// An object of another version.
public fun set_version_for_testing(board: &mut TrainingJobBoard, version: u64) {
    board.version = version;
}
