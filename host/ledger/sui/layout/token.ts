/**
 * Structs of `vram_token`, `staking_pool` and `dataset_registry`.
 *
 * @module
 */
import {
  address,
  balance,
  bool,
  bytes,
  count,
  id,
  type Layout,
  option,
  struct,
  table,
  u128,
  u256,
  u32,
  u64,
  u8,
  uid,
} from "./layout.ts";

/** VRAM's type, less the package. */
export const VRAM = "vram_token::VRAM_TOKEN";

/** The right to mint, inside the treasury: its id and the supply. */
const TreasuryCap: Layout<{ readonly id: string; readonly total_supply: bigint }> = struct(
  `0x2::coin::TreasuryCap<${VRAM}>`,
  { id: uid, total_supply: u64 },
);

/** The state of `vram_token`. */
export const TreasuryInner = struct("vram_token::TreasuryInner", {
  cap: TreasuryCap,
  issued: u64,
  mined: u64,
  burned: u64,
  tge_done: bool,
});
/** Locked coins. */
export const Vesting = struct("vram_token::Vesting", {
  id: uid,
  class: u8,
  beneficiary: address,
  offered: option(address),
  total: u64,
  claimed: u64,
  start_ms: count,
  cliff_ms: count,
  duration_ms: count,
  balance: balance(VRAM),
});
/** The airdrop. */
export const Airdrop = struct("vram_token::Airdrop", {
  id: uid,
  treasury: id,
  treasury_vesting: id,
  root: bytes,
  leaves: count,
  deadline_ms: count,
  claimed: table(address, u64),
  balance: balance(VRAM),
});

/** The state of a pool. */
export const PoolInner = struct("staking_pool::PoolInner", {
  stake: balance("T0"),
  rewards: balance("T0"),
  unreleased: u64,
  left_ms: count,
  updated_ms: count,
  total_weight: u128,
  tickets: count,
  accumulated: u256,
});
/** A stake in a pool. */
export const StakerTicket = struct("staking_pool::StakerTicket", {
  id: uid,
  pool: id,
  amount: u64,
  tier: u8,
  weight: u128,
  unlock_ms: count,
  paid_at: u256,
  fraction: u256,
});

/** An anchored data set. */
export const Dataset = struct("dataset_registry::Dataset", {
  page_count: count,
  page_tokens: u32,
  tokenizer_hash: bytes,
  merkle_root: bytes,
  root: bytes,
  owner: option(address),
  retired: bool,
});
/** The state of `dataset_registry`. */
export const DatasetRegistryInner = struct("dataset_registry::DatasetRegistryInner", {
  datasets: table(count, Dataset),
  next_id: count,
  owned: table(address, count),
});
