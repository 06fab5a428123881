/**
 * `vram_token`'s locks: nothing until the end of the cliff, then linear; the beneficiary changes in two steps.
 *
 * @module
 */
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { Address } from "../ledger.ts";
import {
  type ObjectId,
  type Share,
  VESTING_CLASSES,
  type VestingClass,
  type VestingRow,
} from "../token.ts";
import { mint } from "./mint.ts";
import { type Row, type State, unknownObject } from "./state.ts";

const MODULE = "vram_token";

/** Lock an amount for somebody; returns the object's id. */
export function lock(
  state: State,
  name: VestingClass,
  { to, amount }: Share,
  cliffMs: number,
  durationMs: number,
): ObjectId {
  mint(state, amount);
  const id = state.newObject();
  const kind = VESTING_CLASSES.indexOf(name);
  state.run(
    "insert into vestings values (?, ?, ?, null, ?, '0', ?, ?, ?)",
    id,
    kind,
    to,
    amount.toString(),
    state.nowMs,
    cliffMs,
    durationMs,
  );
  state.emit("vram_token::VestingCreated", {
    vesting: id,
    class: kind,
    beneficiary: to,
    total: amount,
    startMs: state.nowMs,
    cliffMs,
    durationMs,
  });
  return id;
}

function toVesting(row: Row, nowMs: number): VestingRow {
  const vesting = {
    id: row.id as ObjectId,
    class: VESTING_CLASSES[row.class as number]!,
    beneficiary: row.beneficiary as Address,
    offered: row.offered as Address | null,
    total: BigInt(row.total as string),
    claimed: BigInt(row.claimed as string),
    startMs: row.start_ms as number,
    cliffMs: row.cliff_ms as number,
    durationMs: row.duration_ms as number,
  };
  return { ...vesting, vested: vestedAt(vesting, nowMs) };
}

/** Units vested: none up to the end of the cliff, all of them at the end of the duration. */
function vestedAt(vesting: Omit<VestingRow, "vested">, nowMs: number): bigint {
  const since = nowMs - vesting.startMs - vesting.cliffMs;
  if (since < 0) return 0n;
  if (since >= vesting.durationMs) return vesting.total;
  return vesting.total * BigInt(since) / BigInt(vesting.durationMs);
}

/** A vesting of this id. */
export function vestingOf(state: State, id: ObjectId): VestingRow {
  const row = state.get("select * from vestings where id = ?", id);
  if (row === undefined) throw unknownObject("vesting", id);
  return toVesting(row, state.nowMs);
}

function ownVesting(state: State, sender: Address, id: ObjectId): VestingRow {
  const vesting = vestingOf(state, id);
  requireThat(
    sender === vesting.beneficiary,
    MODULE,
    "ENotBeneficiary",
    `${sender} is not the beneficiary`,
  );
  return vesting;
}

/** Take what has vested and was not taken. */
export function claimVested(state: State, sender: Address, id: ObjectId): bigint {
  const { vested, claimed: before } = ownVesting(state, sender, id);
  const amount = vested - before;
  requireThat(amount > 0n, MODULE, "ENothingToClaim", "nothing has vested since the last claim");
  state.run("update vestings set claimed = ? where id = ?", vested.toString(), id);
  state.credit(sender, "vram", amount);
  const body = { vesting: id, beneficiary: sender, amount, claimed: vested };
  state.emit("vram_token::VestingClaimed", body);
  return amount;
}

/** Offer a vesting to an address, or to nobody. */
export function offerVesting(
  state: State,
  sender: Address,
  id: ObjectId,
  to: Address | null,
): void {
  ownVesting(state, sender, id);
  state.run("update vestings set offered = ? where id = ?", to, id);
  state.emit("vram_token::BeneficiaryOffered", { vesting: id, to });
}

/** Take what was offered. */
export function acceptVesting(state: State, sender: Address, id: ObjectId): void {
  const { offered, beneficiary: from } = vestingOf(state, id);
  requireThat(offered === sender, MODULE, "ENotOffered", `the vesting is not ${sender}'s to take`);
  state.emit("vram_token::BeneficiaryChanged", { vesting: id, from, to: sender });
  state.run("update vestings set beneficiary = ?, offered = null where id = ?", sender, id);
}

/** All vestings, in the order of their making. */
export function vestings(state: State): VestingRow[] {
  return state.all("select * from vestings order by rowid")
    .map((row) => toVesting(row, state.nowMs));
}
