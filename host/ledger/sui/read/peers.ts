/**
 * Miners, and what of a stake is due. As with the head, what the first call of a window would change is worked
 * out here: fees of unrevealed commits, and who takes which slot.
 *
 * @module
 */
import { AVERAGE_ZERO } from "../../../../enclave/protocol/settle.ts";
import type { CredentialsRow } from "../../governance.ts";
import type { Address, MinerRow, Role } from "../../ledger.ts";
import { looseText, type Of } from "../layout/layout.ts";
import { PeerRegistryInner, type PeerSeat, ValidatorRegistryInner } from "../layout/peers.ts";
import type { StateReader } from "../state_reader.ts";
import { type Head, runningHparams } from "./head.ts";

/** Slots there can be: bits of a u256. */
const MAX_SLOTS = 256;
/** Rating of a newcomer in 1e-6. */
const DEFAULT_MU = 25_000_000;
const DEFAULT_SIGMA = 8_333_334;
/** Doublings of the eviction's fee. */
const MAX_SHIFT = 32;
/** VRAM's bonds, by eights of the slots that are taken; none before a million was issued. */
const BONDS = [2_100n, 4_200n, 10_500n, 21_000n].map((vram) => vram * 1_000_000_000n);
const BOND_THRESHOLD = 1_000_000n * 1_000_000_000n;

/** The state of `peer_registry`. */
export type Inner = Of<typeof PeerRegistryInner>;
type Seat = Of<typeof PeerSeat>;

/** The state of `peer_registry`. */
export async function readPeers(reader: StateReader): Promise<Inner> {
  return (await reader.inners(["peerRegistry", PeerRegistryInner]))[0];
}

function has(bits: bigint, uid: number): boolean {
  return (bits >> BigInt(uid) & 1n) === 1n;
}

/** All miners, by uid. */
export async function readMiners(reader: StateReader, head: Head): Promise<MinerRow[]> {
  const inner = await readPeers(reader);
  const seats = await reader.list(
    inner.seats,
    MAX_SLOTS,
    async () => (await readPeers(reader)).seats.size,
  );
  return seats.sort(([a], [b]) => a - b).flatMap(([uid, seat]) => {
    const row = minerOf(inner, head, uid, seat);
    return row === null ? [] : [row];
  });
}

function minerOf(inner: Inner, head: Head, uid: number, seat: Seat): MinerRow | null {
  // A network that was not founded has no windows: its founders sit since before the first.
  const window = head.running;
  const due = head.hparams.founded && inner.effective <= window && has(inner.changing, uid);
  if (due) {
    if (seat.next === null) return null;
    return {
      uid,
      generation: seat.generation + 1,
      owner: seat.next.owner,
      stake: seat.next.stake,
      activeFrom: window,
      mu: DEFAULT_MU,
      sigma: DEFAULT_SIGMA,
      average: AVERAGE_ZERO,
      measured: 0,
      accepted: 0,
      lastAccepted: -1,
    };
  }
  if (seat.slot === null) return null;
  const { active_from, last_accepted, owner, record, stake } = seat.slot;
  const charged = head.hparams.founded && inner.noted_window < window && has(inner.noted, uid);
  const fee = charged ? BigInt(inner.noted_fee) : 0n;
  return {
    uid,
    generation: seat.generation,
    owner,
    stake: stake > fee ? stake - fee : 0n,
    activeFrom: head.hparams.founded && !inner.begun ? window : active_from,
    ...record,
    lastAccepted: last_accepted ?? -1,
  };
}

/** Fee that is sent along with a registration: 0 while a slot is free, else the most that an eviction costs now. */
export async function minerFee(reader: StateReader, head: Head): Promise<bigint> {
  const inner = await readPeers(reader);
  const { eviction_fee, max_miners } = runningHparams(head);
  const taken = inner.seated | inner.changing;
  for (let uid = 0; uid < max_miners; uid++) if (!has(taken, uid)) return 0n;
  const evictions = inner.evictions_window === head.running ? inner.evictions : 0;
  return BigInt(eviction_fee) << BigInt(Math.min(evictions, MAX_SHIFT));
}

/** Fee and bond that are sent along with a validator's registration. */
export function validatorCosts(head: Head, issued: bigint): { fee: bigint; bond: bigint } {
  const { eviction_fee, max_validators } = runningHparams(head);
  const { evictions, pending, slots } = head.validators;
  const taken = new Set([...slots, ...pending].map(({ uid }) => uid));
  const full = taken.size >= max_validators;
  const demand = head.rolled ? evictions : 0;
  const bond = head.hparams.founded && issued >= BOND_THRESHOLD
    ? BONDS[Math.min(3, Math.floor(taken.size / 8))]!
    : 0n;
  const fee = full ? BigInt(eviction_fee) << BigInt(Math.min(demand, MAX_SHIFT)) : 0n;
  return { fee, bond };
}

/** Roles of which an address has stake that is due at `nowMs`. */
export async function dueRoles(
  reader: StateReader,
  owner: Address,
  nowMs: number,
): Promise<Role[]> {
  const [peers, validators] = await reader.inners(
    ["peerRegistry", PeerRegistryInner],
    ["validatorRegistry", ValidatorRegistryInner],
  );
  const account = await reader.entry(peers.accounts, owner);
  const unbonding = await reader.entry(validators.unbonding, owner);
  const isDue = (rows: readonly { readonly due_ms: number }[] | null | undefined) =>
    rows?.some(({ due_ms }) => due_ms <= nowMs) === true;
  const roles: Role[] = [];
  if (isDue(account?.unbonding)) roles.push("miner");
  if (isDue(unbonding)) roles.push("validator");
  return roles;
}

/** The epoch that the next credentials of a slot have: `peer_registry::next_epoch`. */
export async function readNextCredentialsEpoch(reader: StateReader, uid: number): Promise<number> {
  const { credentials } = await readPeers(reader);
  return ((await reader.entry(credentials, uid))?.epoch ?? 0) + 1;
}

/** Credentials of a slot's present owner, or null. */
export async function readCredentials(
  reader: StateReader,
  uid: number,
): Promise<CredentialsRow | null> {
  const inner = await readPeers(reader);
  if (!has(inner.seated, uid)) return null;
  const [row, seat] = await Promise.all([
    reader.entry(inner.credentials, uid),
    reader.entry(inner.seats, uid),
  ]);
  if (row === null || seat === null || row.generation !== seat.generation) return null;
  return {
    generation: row.generation,
    epoch: row.epoch,
    bucket: looseText(row.bucket),
    account: looseText(row.account),
    sealed: row.sealed,
    keyServers: row.key_servers,
    threshold: row.threshold,
  };
}
