/**
 * Structs of `training_jobs`.
 *
 * @module
 */
import { address, bytes, count, struct, suiBalance, table, u16, u32, u64, u8 } from "./layout.ts";

/** The board's terms. */
export const Terms = struct("training_jobs::Terms", {
  price_per_unit: u64,
  fee_bps: count,
  min_price: u64,
  dispute_window_ms: count,
  dispute_timeout_ms: count,
  bond_bps: count,
  default_split_bps: count,
});
/** What is to be trained. */
export const Spec = struct("training_jobs::Spec", {
  model_params_m: count,
  dataset_tokens_m: count,
  num_epochs: u32,
  batch_size: u32,
  sequence_length: u32,
  precision: u8,
  min_gpu_vram_gb: u32,
  dataset_root: bytes,
  base_hash: bytes,
  base_ref: bytes,
  min_improvement: count,
});
/** A job. */
export const Job = struct("training_jobs::Job", {
  customer: address,
  spec: Spec,
  terms: Terms,
  status: u8,
  posted_ms: count,
  deadline_ms: count,
  payout: u64,
  fee: u64,
  escrow: suiBalance,
  miner: address,
  uid: u16,
  claim_bond: suiBalance,
  result_hash: bytes,
  since_ms: count,
  dispute_bond: suiBalance,
});
/** The state of `training_jobs`. */
export const BoardInner = struct("training_jobs::BoardInner", {
  jobs: table(count, Job),
  next_id: count,
  terms: Terms,
  fees: suiBalance,
});
