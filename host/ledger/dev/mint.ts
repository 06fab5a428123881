/**
 * The one place where VRAM is minted and burned, held to the two caps: `vram_token`'s inner half.
 *
 * @module
 */
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { Address } from "../ledger.ts";
import { MINING_ALLOCATION } from "../pay.ts";
import type { ObjectId } from "../token.ts";
import type { State } from "./state.ts";

const MODULE = "vram_token";
/** All that is ever minted, in 1e-9 VRAM. */
export const MAX_SUPPLY = 21_000_000_000_000_000n;

/** The one object that mints. */
export function treasuryId(state: State): ObjectId {
  return state.objectId("treasury");
}

/** Mint `amount`; where it goes is the caller's to say. */
export function mint(state: State, amount: bigint): void {
  requireThat(
    amount <= MAX_SUPPLY - state.total("supply"),
    MODULE,
    "ESupplyCap",
    "more than 21 million VRAM would have been minted",
  );
  state.addTotal("supply", amount);
}

/** Mint `amount` of the mining allocation. */
export function mintMining(state: State, amount: bigint): void {
  requireThat(amount > 0n, MODULE, "EZeroAmount", "nothing is minted");
  requireThat(
    amount <= MINING_ALLOCATION - state.total("mined"),
    MODULE,
    "EMiningCap",
    "more than 10.5 million VRAM would have been mined",
  );
  state.addTotal("mined", amount);
  state.emit("vram_token::Mined", { amount, mined: state.total("mined") });
  mint(state, amount);
}

/** Burn a validator's bond; none is burned without a word. */
export function burnBond(state: State, owner: Address, bond: bigint): void {
  if (bond > 0n) burnOf(state, owner, bond, true);
}

/** Burn one's own coins. What is burned is never minted again. */
export function burn(state: State, sender: Address, amount: bigint): void {
  requireThat(amount > 0n, MODULE, "EZeroAmount", "nothing is burned");
  burnOf(state, sender, amount, false);
}

function burnOf(state: State, owner: Address, amount: bigint, bond: boolean): void {
  state.credit(owner, "vram", -amount);
  state.addTotal("burned", amount);
  state.emit("vram_token::Burned", { amount, burned: state.total("burned"), bond });
}
