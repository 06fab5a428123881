/**
 * Every event of the package, by module and name.
 *
 * @module
 */
import { Spec, Terms } from "./jobs.ts";
import {
  address,
  type AnyLayout,
  bool,
  bytes,
  count,
  id,
  loose,
  metric,
  option,
  signed,
  struct,
  text,
  u16,
  u32,
  u64,
  u8,
  vector,
} from "./layout.ts";
import { Seat } from "./rounds.ts";

/** Layout of each event. */
// deno-fmt-ignore -- an event a line
export const EVENTS: Readonly<Record<string, Readonly<Record<string, AnyLayout>>>> = {
  dataset_registry: {
    DatasetRegistered: struct("dataset_registry::DatasetRegistered", { id: count, owner: option(address), page_count: count, root: bytes }),
    DatasetRetired: struct("dataset_registry::DatasetRetired", { id: count }),
  },
  enclave_registry: {
    EnclaveRegistered: struct("enclave_registry::EnclaveRegistered", { validator: u16, owner: address, key: bytes, measurement: text, document_ms: count, registered_ms: count, expires_ms: count }),
    EnclaveRevoked: struct("enclave_registry::EnclaveRevoked", { validator: u16, owner: address }),
    MeasurementApproved: struct("enclave_registry::MeasurementApproved", { name: text, pcr0: bytes, pcr1: bytes, pcr2: bytes, active_from: count }),
    MeasurementRemoved: struct("enclave_registry::MeasurementRemoved", { name: text }),
  },
  gradient_registry: {
    GradientCommitted: struct("gradient_registry::GradientCommitted", { window: count, uid: u16, seq: count, commitment: bytes }),
    GradientRevealed: struct("gradient_registry::GradientRevealed", { window: count, uid: u16, commit_seq: count, content_hash: bytes, size: u32, codec: u8, storage_ref: text }),
    SubmissionsPruned: struct("gradient_registry::SubmissionsPruned", { window: count }),
  },
  hparams: {
    AdminAccepted: struct("hparams::AdminAccepted", { from: address, to: address }),
    AdminOfferWithdrawn: struct("hparams::AdminOfferWithdrawn", { from: address, to: address }),
    AdminOffered: struct("hparams::AdminOffered", { from: address, to: address }),
    HparamsChanged: struct("hparams::HparamsChanged", { effective: count, digest: bytes }),
  },
  peer_registry: {
    CredentialsSet: struct("peer_registry::CredentialsSet", { uid: u16, generation: count, epoch: count }),
    PeerEvicted: struct("peer_registry::PeerEvicted", { uid: u16, owner: address, fee: u64 }),
    PeerLeaving: struct("peer_registry::PeerLeaving", { uid: u16, owner: address, from: count }),
    PeerLeft: struct("peer_registry::PeerLeft", { uid: u16, owner: address, amount: u64, due_ms: count }),
    PeerRegistered: struct("peer_registry::PeerRegistered", { uid: u16, owner: address, stake: u64, from: count }),
    PeerSeated: struct("peer_registry::PeerSeated", { uid: u16, generation: count, owner: address }),
    StakeAdded: struct("peer_registry::StakeAdded", { uid: u16, owner: address, amount: u64 }),
    StakeWithdrawn: struct("peer_registry::StakeWithdrawn", { owner: address, amount: u64 }),
    TreasurySwept: struct("peer_registry::TreasurySwept", { amount: u64 }),
    UnrevealedCharged: struct("peer_registry::UnrevealedCharged", { window: count, uid: u16, fee: u64 }),
  },
  reward_distributor: {
    Deposited: struct("reward_distributor::Deposited", { amount: u64 }),
    RewardClaimed: struct("reward_distributor::RewardClaimed", { owner: address, amount: u64 }),
    TreasuryClaimed: struct("reward_distributor::TreasuryClaimed", { amount: u64 }),
    WindowPaid: struct("reward_distributor::WindowPaid", { window: count, policy: text, issued: u64, treasury: u64, total: u64 }),
  },
  round_state: {
    BaseAnchored: struct("round_state::BaseAnchored", { window: count, manifest_hash: bytes, gain: signed }),
    BaseKept: struct("round_state::BaseKept", { window: count, manifest_hash: bytes, gain: signed }),
    NetworkFounded: struct("round_state::NetworkFounded", { ledger_id: id, model_hash: bytes, base_hash: bytes, dataset_root: bytes, first_window: count, start_ms: count }),
    SeedDrawn: struct("round_state::SeedDrawn", { window: count, judge: bool, seed: bytes }),
    WindowClosed: struct("round_state::WindowClosed", { window: count }),
    WindowOpened: struct("round_state::WindowOpened", { window: count, base_hash: bytes, snapshot: vector(Seat) }),
    WindowPruned: struct("round_state::WindowPruned", { window: count }),
    WindowSkipped: struct("round_state::WindowSkipped", { window: count, reason: text }),
  },
  score_ledger: {
    JudgementPruned: struct("score_ledger::JudgementPruned", { window: count }),
    OutcomeSubmitted: struct("score_ledger::OutcomeSubmitted", { window: count, validator: u16, message: bytes }),
    ReportSubmitted: struct("score_ledger::ReportSubmitted", { window: count, validator: u16, message: bytes }),
    SettleAdvanced: struct("score_ledger::SettleAdvanced", { window: count, cursor: u16 }),
    WindowSettled: struct("score_ledger::WindowSettled", { window: count, digest: bytes, random_before: metric }),
  },
  staking_pool: {
    PoolCreated: struct("staking_pool::PoolCreated", { pool: id }),
    RewardsClaimed: struct("staking_pool::RewardsClaimed", { pool: id, ticket: id, amount: u64 }),
    RewardsDeposited: struct("staking_pool::RewardsDeposited", { pool: id, amount: u64, unreleased: u64, left_ms: count }),
    Staked: struct("staking_pool::Staked", { pool: id, ticket: id, owner: address, amount: u64, tier: u8, unlock_ms: count }),
    Unstaked: struct("staking_pool::Unstaked", { pool: id, ticket: id, amount: u64, reward: u64, penalty: u64 }),
  },
  training_jobs: {
    DisputeResolved: struct("training_jobs::DisputeResolved", { job: count, validator: u16, for_miner: bool, loss_before: count, loss_after: count }),
    FeesSwept: struct("training_jobs::FeesSwept", { amount: u64 }),
    JobClaimed: struct("training_jobs::JobClaimed", { job: count, uid: u16, miner: address, bond: u64 }),
    JobClosed: struct("training_jobs::JobClosed", { job: count, status: u8, payout: u64, fee: u64, refund: u64 }),
    JobCompleted: struct("training_jobs::JobCompleted", { job: count, result_hash: bytes, result_ref: loose }),
    JobDisputed: struct("training_jobs::JobDisputed", { job: count, bond: u64 }),
    JobPosted: struct("training_jobs::JobPosted", { job: count, customer: address, payout: u64, fee: u64, deadline_ms: count, spec: Spec }),
    JobPruned: struct("training_jobs::JobPruned", { job: count }),
    JobReleased: struct("training_jobs::JobReleased", { job: count, miner: address, bond: u64 }),
    TermsChanged: struct("training_jobs::TermsChanged", { terms: Terms }),
  },
  validator_registry: {
    StakeWithdrawn: struct("validator_registry::StakeWithdrawn", { owner: address, amount: u64 }),
    TreasurySwept: struct("validator_registry::TreasurySwept", { amount: u64 }),
    ValidatorEvicted: struct("validator_registry::ValidatorEvicted", { uid: u16, owner: address, fee: u64 }),
    ValidatorLeaving: struct("validator_registry::ValidatorLeaving", { uid: u16, owner: address, from: count }),
    ValidatorLeft: struct("validator_registry::ValidatorLeft", { uid: u16, owner: address, amount: u64, due_ms: count }),
    ValidatorRegistered: struct("validator_registry::ValidatorRegistered", { uid: u16, owner: address, stake: u64, fee: u64, bond: u64, from: count }),
    ValidatorSeated: struct("validator_registry::ValidatorSeated", { uid: u16, generation: count, owner: address }),
    ValidatorSlashed: struct("validator_registry::ValidatorSlashed", { validator: u16, window: count, amount: u64, reason: text }),
  },
  vram_token: {
    AirdropClaimed: struct("vram_token::AirdropClaimed", { airdrop: id, index: count, who: address, amount: u64 }),
    AirdropSwept: struct("vram_token::AirdropSwept", { airdrop: id, to: address, amount: u64 }),
    BeneficiaryChanged: struct("vram_token::BeneficiaryChanged", { vesting: id, from: address, to: address }),
    BeneficiaryOffered: struct("vram_token::BeneficiaryOffered", { vesting: id, to: option(address) }),
    Burned: struct("vram_token::Burned", { amount: u64, burned: u64, bond: bool }),
    Mined: struct("vram_token::Mined", { amount: u64, mined: u64 }),
    TokenGenerated: struct("vram_token::TokenGenerated", { airdrop: id, root: bytes, deadline_ms: count, liquidity: address }),
    VestingClaimed: struct("vram_token::VestingClaimed", { vesting: id, beneficiary: address, amount: u64, claimed: u64 }),
    VestingCreated: struct("vram_token::VestingCreated", { vesting: id, class: u8, beneficiary: address, total: u64, start_ms: count, cliff_ms: count, duration_ms: count }),
  },
};
