/**
 * Structs of `round_state` and `gradient_registry`: windows and what was revealed in them.
 *
 * @module
 */
import { Params } from "./hparams.ts";
import {
  address,
  bool,
  bytes,
  count,
  option,
  struct,
  table,
  text,
  u128,
  u16,
  u32,
  u64,
  u8,
  vector,
} from "./layout.ts";

/** A validator in a window's snapshot. */
export const Seat = struct("round_state::Seat", {
  uid: u16,
  generation: count,
  owner: address,
  stake: u64,
  active_from: count,
});

/** A window's row. */
export const Window = struct("round_state::Window", {
  status: u8,
  params: Params,
  base: bytes,
  acc: bytes,
  reveal_count: count,
  seats: vector(Seat),
  snapshot_stake: u128,
  reported_stake: u128,
  outcome_stake: u128,
  assign_seed: bytes,
  judge_seed: bytes,
});

/** The state of `round_state`. */
export const RoundStateInner = struct("round_state::RoundStateInner", {
  founded: bool,
  ledger_id: bytes,
  chain_id: bytes,
  model_hash: bytes,
  dataset_root: bytes,
  dataset_pages: count,
  beacon_hash: bytes,
  beacon_genesis_ms: count,
  beacon_period_ms: count,
  base: bytes,
  rolled: option(count),
  open: vector(count),
  windows: table(count, Window),
});

/** A commitment. */
export const Commit = struct("gradient_registry::Commit", {
  generation: count,
  owner: address,
  seq: count,
  commitment: bytes,
  revealed: bool,
});

/** A revealed gradient. */
export const Reveal = struct("gradient_registry::Reveal", {
  uid: u16,
  generation: count,
  owner: address,
  commit_seq: count,
  content_hash: bytes,
  size: u32,
  codec: u8,
  storage_ref: text,
});

/** What a window holds of submissions. */
export const Submissions = struct("gradient_registry::Submissions", {
  commits: table(u16, Commit),
  committed: vector(u16),
  chunks: table(count, vector(Reveal)),
  uids: vector(u16),
  places: vector(count),
});

/** The state of `gradient_registry`. */
export const GradientRegistryInner = struct("gradient_registry::GradientRegistryInner", {
  next_seq: count,
  windows: table(count, Submissions),
});
