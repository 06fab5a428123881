/**
 * Structs of `peer_registry` and `validator_registry`: slots and stakes.
 *
 * @module
 */
import {
  address,
  bool,
  bytes,
  count,
  id,
  option,
  signed,
  struct,
  suiBalance,
  table,
  u16,
  u256,
  u8,
  vector,
} from "./layout.ts";

/** What the ledger knows of a miner. */
export const Record = struct("peer_registry::Record", {
  mu: signed,
  sigma: count,
  average: count,
  measured: count,
  accepted: count,
});

/** An owner's time in a slot. */
export const PeerSlot = struct("peer_registry::Slot", {
  owner: address,
  stake: suiBalance,
  active_from: count,
  record: Record,
  last_accepted: option(count),
});
/** Who takes a slot next. */
export const Next = struct("peer_registry::Next", { owner: address, stake: suiBalance });
/** Who left a slot. */
export const Former = struct("peer_registry::Former", {
  generation: count,
  left_window: count,
  record: Record,
});
/** All of one uid. */
export const PeerSeat = struct("peer_registry::Seat", {
  generation: count,
  slot: option(PeerSlot),
  next: option(Next),
  former: vector(Former),
});
/** A stake that unbonds. */
export const PeerUnbonding = struct("peer_registry::Unbonding", {
  amount: suiBalance,
  due_ms: count,
});
/** An owner. */
export const Account = struct("peer_registry::Account", {
  uid: option(u16),
  unbonding: vector(PeerUnbonding),
});
/** Read access to a bucket, sealed. */
export const Credentials = struct("peer_registry::Credentials", {
  generation: count,
  epoch: count,
  bucket: bytes,
  account: bytes,
  sealed: bytes,
  key_servers: vector(id),
  threshold: u8,
});

/** The state of `peer_registry`. */
export const PeerRegistryInner = struct("peer_registry::PeerRegistryInner", {
  begun: bool,
  seats: table(u16, PeerSeat),
  accounts: table(address, Account),
  credentials: table(u16, Credentials),
  seated: u256,
  changing: u256,
  effective: count,
  unbonding_ms: count,
  noted: u256,
  noted_window: count,
  noted_fee: count,
  evictions: count,
  evictions_window: count,
  treasury: suiBalance,
});

/** A validator's slot. */
export const ValidatorSlot = struct("validator_registry::Slot", {
  uid: u16,
  generation: count,
  owner: address,
  stake: suiBalance,
  active_from: count,
});
/** What a slot becomes. */
export const ValidatorPending = struct("validator_registry::Pending", {
  uid: u16,
  effective: count,
  owner: option(address),
  stake: suiBalance,
});
/** A stake that unbonds. */
export const ValidatorUnbonding = struct("validator_registry::Unbonding", {
  amount: suiBalance,
  due_ms: count,
});

/** The state of `validator_registry`. */
export const ValidatorRegistryInner = struct("validator_registry::ValidatorRegistryInner", {
  slots: vector(ValidatorSlot),
  pending: vector(ValidatorPending),
  unbonding: table(address, vector(ValidatorUnbonding)),
  generations: vector(count),
  evictions: count,
  treasury: suiBalance,
});
