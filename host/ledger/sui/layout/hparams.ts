/**
 * Structs of `hparams`.
 *
 * @module
 */
import type { Hparams } from "../../../../enclave/protocol/hparams.ts";
import type { Epoch } from "../../../../enclave/protocol/window.ts";
import {
  address,
  bool,
  count,
  type Of,
  option,
  struct,
  u16,
  u32,
  u8,
  uid,
  vector,
} from "./layout.ts";

/** Lengths and deadlines. */
export const Times = struct("hparams::Times", {
  window_ms: count,
  commit_bps: u16,
  reveal_bps: u16,
  report_bps: u16,
  outcome_bps: u16,
  beacon_margin_ms: count,
  min_judge_ms: count,
});

/** What is done in a window. */
export const Work = struct("hparams::Work", {
  randomness_kind: u8,
  workload: u8,
  version: u8,
  beta: count,
  max_update_norm: count,
  topk_bps: u16,
  own_pages: u16,
  random_pages: u16,
  heldout_pages: u16,
  max_judged: u16,
  top_g: u16,
  overlap_bps: u16,
  correlation_bps: u16,
  max_gradient_bytes: u32,
  retention_windows: u32,
  checkpoint_frequency: u32,
});

/** Stakes, slots and pay. */
export const Money = struct("hparams::Money", {
  min_miner_stake: count,
  min_validator_stake: count,
  unrevealed_fee: count,
  eviction_fee: count,
  max_miners: u16,
  max_validators: u16,
  immunity_windows: u32,
  inactive_windows: u32,
  emission: count,
  miner_bps: u16,
  validator_bps: u16,
  treasury_bps: u16,
  slash_bps: u16,
  unbonding_ms: count,
  document_age_ms: count,
  key_ttl_ms: count,
});

/** All 39. */
export const Params = struct("hparams::Params", { times: Times, work: Work, money: Money });
/** Parameters of a later window. */
export const Pending = struct("hparams::Pending", { effective: count, params: Params });
/** The admin's rights on offer. */
export const Offer = struct("hparams::Offer", { from: address, to: address });
/** A stretch of equal windows. */
export const EpochRow = struct("hparams::Epoch", {
  first_window: count,
  start_ms: count,
  window_ms: count,
});

/** The state. */
export const HparamsInner = struct("hparams::HparamsInner", {
  params: Params,
  pending: option(Pending),
  epochs: vector(EpochRow),
  unbonding_until: count,
  beacon_period_ms: count,
  training_pages: count,
  heldout_pages: count,
  founded: bool,
  offer: option(Offer),
});

/** The shared object, and every other one of its shape. */
export const Versioned = struct("hparams::Hparams", { id: uid, version: count });
/** The admin's rights. */
export const AdminCap = struct("hparams::AdminCap", { id: uid });

/** The flat form of the protocol. */
export function toHparams({ times, work, money }: Of<typeof Params>): Hparams {
  return { ...times, ...work, ...money };
}

/** The protocol's form. */
export function toEpoch(row: Of<typeof EpochRow>): Epoch {
  return { firstWindow: row.first_window, startMs: row.start_ms, windowMs: row.window_ms };
}
