/**
 * `reward_distributor`'s claims: rewards are credited when a window is paid, and minted when they are claimed,
 * as far as deposits do not cover them.
 *
 * @module
 */
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { Address } from "../ledger.ts";
import { mintMining } from "./mint.ts";
import { amountOf, type State } from "./state.ts";

const MODULE = "reward_distributor";

/** Take one's rewards. */
export function claim(state: State, sender: Address): bigint {
  const { claimable } = state.account(sender);
  requireThat(claimable > 0n, MODULE, "ENothingToClaim", `${sender} has no rewards to claim`);
  state.credit(sender, "claimable", -claimable);
  state.addTotal("owed", -claimable);
  state.emit("reward_distributor::RewardClaimed", { owner: sender, amount: claimable });
  return take(state, sender, claimable);
}

/** Take the treasury's share. The admin. */
export function claimTreasury(state: State, sender: Address): bigint {
  state.assertAdmin(sender);
  const amount = state.total("treasury_vram");
  requireThat(amount > 0n, MODULE, "ENothingToClaim", "the treasury has earned nothing");
  state.takeTotal("treasury_vram");
  state.emit("reward_distributor::TreasuryClaimed", { amount });
  return take(state, sender, amount);
}

function take(state: State, to: Address, amount: bigint): bigint {
  const there = state.total("deposited");
  const used = there < amount ? there : amount;
  state.addTotal("deposited", -used);
  if (used < amount) mintMining(state, amount - used);
  state.credit(to, "vram", amount);
  return amount;
}

/** Add coins that claims are paid from before anything is minted. */
export function deposit(state: State, sender: Address, amount: bigint): void {
  state.credit(sender, "vram", -amountOf(amount));
  state.addTotal("deposited", amount);
  state.emit("reward_distributor::Deposited", { amount });
}

/** What the pool owes. */
export function owed(state: State): { total: bigint; treasury: bigint } {
  const treasury = state.total("treasury_vram");
  return { total: state.total("owed") + treasury, treasury };
}
