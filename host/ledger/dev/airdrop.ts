/**
 * `vram_token`'s airdrop: leaves of a tree, claimed with a proof until a deadline.
 *
 * @module
 */
import { type Bytes, toHex } from "../../../enclave/protocol/bytes.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import { verifyMerkle } from "../../../enclave/protocol/merkle.ts";
import { airdropLeaf } from "../airdrop.ts";
import type { Address } from "../ledger.ts";
import type { AirdropRow, ObjectId, TokenGeneration } from "../token.ts";
import { mint, treasuryId } from "./mint.ts";
import { amountOf, blob, type State, unknownObject } from "./state.ts";
import { vestingOf } from "./vesting.ts";

const MODULE = "vram_token";
/** What all leaves may take, in 1e-9 VRAM. */
const AIRDROP = 1_050_000_000_000_000n;
/** What one address may take. */
const MOST = 105_000_000_000_000n;

/** The token generation event opens it; `vesting` is the treasury's, which gets the rest. */
export function openAirdrop(state: State, event: TokenGeneration, vesting: ObjectId): ObjectId {
  const { airdropRoot: root, airdropLeaves, airdropDeadlineMs: deadlineMs, liquidity } = event;
  const id = state.newObject();
  mint(state, AIRDROP);
  state.run(
    "insert into airdrops values (?, ?, ?, ?, ?, ?)",
    id,
    vesting,
    root,
    airdropLeaves,
    deadlineMs,
    AIRDROP.toString(),
  );
  state.emit("vram_token::TokenGenerated", { airdrop: id, root, deadlineMs, liquidity });
  return id;
}

/** The airdrop, or null before the token generation event. */
export function airdrop(state: State): AirdropRow | null {
  const row = state.get("select * from airdrops");
  return row === undefined ? null : {
    id: row.id as ObjectId,
    root: blob(row.root),
    leaves: row.leaves as number,
    deadlineMs: row.deadline_ms as number,
    unclaimed: BigInt(row.balance as string),
  };
}

function opened(state: State): AirdropRow {
  const found = airdrop(state);
  if (found === null) throw unknownObject("airdrop", "before the token generation event");
  return found;
}

/** Take the sender's share, leaf number `index`: once an address, before the deadline. */
export function claimAirdrop(
  state: State,
  sender: Address,
  index: number,
  amount: bigint,
  proof: readonly Bytes[],
): bigint {
  amountOf(amount);
  const { id, root, leaves, deadlineMs, unclaimed } = opened(state);
  requireThat(state.nowMs < deadlineMs, MODULE, "EAirdropClosed", "the airdrop is over");
  requireThat(amount > 0n, MODULE, "EZeroAmount", "nothing is claimed");
  requireThat(amount <= MOST, MODULE, "EAboveAddressCap", `an address gets at most ${MOST}`);
  const earlier = state.get("select 1 from airdrop_claims where address = ?", sender);
  requireThat(earlier === undefined, MODULE, "EAlreadyClaimed", `${sender} has claimed`);
  const leaf = airdropLeaf(treasuryId(state), { to: sender, amount });
  requireThat(
    verifyMerkle(root, leaves, index, leaf, proof),
    MODULE,
    "EBadProof",
    `leaf ${index} under ${toHex(root)} is another`,
  );
  requireThat(
    amount <= unclaimed,
    MODULE,
    "EAirdropExhausted",
    `the airdrop holds ${unclaimed} only`,
  );
  state.run("insert into airdrop_claims values (?, ?)", sender, amount.toString());
  state.run("update airdrops set balance = ?", (unclaimed - amount).toString());
  state.credit(sender, "vram", amount);
  state.emit("vram_token::AirdropClaimed", { airdrop: id, index, who: sender, amount });
  return amount;
}

/** From the deadline on, anyone sends the rest to the beneficiary of the treasury's vesting. */
export function sweepAirdrop(state: State, _sender: Address, vesting?: ObjectId): void {
  const { id, deadlineMs, unclaimed } = opened(state);
  const treasury = state.get("select vesting from airdrops")!.vesting as ObjectId;
  const { beneficiary: to } = vestingOf(state, vesting ?? treasury);
  requireThat(state.nowMs >= deadlineMs, MODULE, "EAirdropOpen", "the airdrop is not over");
  const right = vesting === undefined || vesting === treasury;
  requireThat(right, MODULE, "EWrongVesting", `${vesting} is not the treasury's vesting`);
  requireThat(unclaimed > 0n, MODULE, "ENothingToClaim", "nothing of the airdrop is left");
  state.run("update airdrops set balance = '0'");
  state.credit(to, "vram", unclaimed);
  state.emit("vram_token::AirdropSwept", { airdrop: id, to, amount: unclaimed });
}
