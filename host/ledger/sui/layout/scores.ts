/**
 * Structs of `enclave_registry`, `score_ledger` and `reward_distributor`: keys, judgements and pay.
 *
 * @module
 */
import {
  address,
  balance,
  bool,
  bytes,
  count,
  metric,
  option,
  signed,
  struct,
  table,
  text,
  u16,
  u256,
  u64,
  u8,
  vector,
} from "./layout.ts";

/** An approved build. */
export const Measurement = struct("enclave_registry::Measurement", {
  name: text,
  pcr0: bytes,
  pcr1: bytes,
  pcr2: bytes,
  active_from: count,
});
/** How a key was registered. */
export const Enclave = struct("enclave_registry::Enclave", {
  uid: u16,
  owner: address,
  document_ms: count,
  registered_ms: count,
  expires_ms: count,
  measurement: text,
});
/** Whose a key is. */
export const Holder = struct("enclave_registry::Holder", { uid: u16, owner: address });
/** A holder's newest document and its key. */
export const Attested = struct("enclave_registry::Attested", {
  newest_ms: count,
  active: option(bytes),
});
/** What a key was slashed for. */
export const Offence = struct("enclave_registry::Offence", {
  key: bytes,
  intent: u8,
  subject: count,
});
/** The state of `enclave_registry`. */
export const EnclaveRegistryInner = struct("enclave_registry::EnclaveRegistryInner", {
  measurements: vector(Measurement),
  removed: table(bytes, count),
  keys: table(bytes, Enclave),
  holders: table(Holder, Attested),
  offences: table(Offence, count),
});

/** Which message. */
export const MessageKey = struct("score_ledger::MessageKey", {
  window: count,
  intent: u8,
  validator: u16,
});
/** A signed message. */
export const Message = struct("score_ledger::Message", {
  bytes,
  signature: bytes,
  key: bytes,
  at_ms: count,
});
/** Which chunk of settled rows. */
export const ChunkKey = struct("score_ledger::ChunkKey", { window: count, index: count });
/** What was settled for a reveal. */
export const SettledRow = struct("score_ledger::SettledRow", {
  uid: u16,
  verdict: u8,
  own_before: metric,
  own_after: metric,
  random_after: metric,
  prior_mu: signed,
  prior_sigma: count,
});
/** Whose it was. */
export const Origin = struct("score_ledger::Origin", {
  generation: count,
  owner: address,
  average: count,
  measured: count,
  accepted: count,
});
/** Up to 64 settled rows. */
export const Chunk = struct("score_ledger::Chunk", {
  rows: vector(SettledRow),
  origins: vector(Origin),
});
/** Who reported. */
export const Judge = struct("score_ledger::Judge", {
  uid: u16,
  stake: u64,
  random_before: metric,
  rows_at: count,
  abstained: count,
  deviated: count,
});
/** What an outcome says. */
export const Vote = struct("score_ledger::Vote", {
  validator: u16,
  stake: u64,
  ratings: bytes,
  manifest: option(bytes),
  current_loss: metric,
  merged_loss: metric,
});
/** What became of the merge. */
export const Base = struct("score_ledger::Base", {
  hash: bytes,
  moved: bool,
  current_loss: metric,
  merged_loss: metric,
});
/** A window's judgement. */
export const Judgement = struct("score_ledger::Judgement", {
  judges: vector(Judge),
  votes: vector(Vote),
  cursor: count,
  random_before: metric,
  digest: bytes,
  rated: bool,
  base: option(Base),
});
/** The state of `score_ledger`. */
export const ScoreLedgerInner = struct("score_ledger::ScoreLedgerInner", {
  windows: table(count, Judgement),
  messages: table(MessageKey, Message),
  chunks: table(ChunkKey, Chunk),
});

/** A miner's pay. */
export const MinerPay = struct("reward_distributor::MinerPay", {
  uid: u16,
  owner: address,
  weight: u256,
  reward: u64,
  mu: signed,
  sigma: count,
});
/** A validator's pay. */
export const ValidatorPay = struct("reward_distributor::ValidatorPay", {
  uid: u16,
  owner: address,
  stake: u64,
  reward: u64,
  counted: bool,
});
/** What a window paid. */
export const PayoutRow = struct("reward_distributor::Payout", {
  issued: u64,
  treasury: u64,
  miners: vector(MinerPay),
  validators: vector(ValidatorPay),
});
/** The state of `reward_distributor`. */
export const RewardPoolInner = struct("reward_distributor::RewardPoolInner", {
  issued: u64,
  claimable: table(address, u64),
  owed: u64,
  treasury: u64,
  balance: balance("vram_token::VRAM_TOKEN"),
  payouts: table(count, PayoutRow),
});
