/**
 * VRAM itself as everybody sees it: the one token generation event, what it locks, the airdrop and burning.
 * Amounts are bigint in 1e-9 VRAM.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { Address } from "./ledger.ts";

/** Id of an object of the ledger: `0x` and 64 hexadecimal digits. */
export type ObjectId = string;

/** Whose allocation a vesting is; in the order of the contract's codes 0 to 2. */
export const VESTING_CLASSES = ["treasury", "investors", "team"] as const;
/** See {@link VESTING_CLASSES}. */
export type VestingClass = (typeof VESTING_CLASSES)[number];

/** Somebody's share of an allocation. */
export interface Share {
  /** Who gets it. */
  readonly to: Address;
  /** How much. */
  readonly amount: bigint;
}

/** What the token generation event is called with. */
export interface TokenGeneration {
  /** Beneficiary of the treasury's vesting. */
  readonly treasury: Address;
  /** Shares of the investors' allocation. */
  readonly investors: readonly Share[];
  /** Their lock, then their vesting. */
  readonly investorsCliffMs: number;
  /** See `investorsCliffMs`. */
  readonly investorsDurationMs: number;
  /** Shares of the team's allocation. */
  readonly team: readonly Share[];
  /** Who gets the liquidity at once. */
  readonly liquidity: Address;
  /** Merkle root of the airdrop, 32 bytes. */
  readonly airdropRoot: Bytes;
  /** Its leaves. */
  readonly airdropLeaves: number;
  /** Until when it may be claimed. */
  readonly airdropDeadlineMs: number;
}

/** What is locked for somebody. */
export interface VestingRow {
  /** The object. */
  readonly id: ObjectId;
  /** Whose allocation. */
  readonly class: VestingClass;
  /** Who may claim. */
  readonly beneficiary: Address;
  /** To whom it is offered, or null. */
  readonly offered: Address | null;
  /** All of it. */
  readonly total: bigint;
  /** Claimed so far. */
  readonly claimed: bigint;
  /** Unlocked by now, claimed or not. */
  readonly vested: bigint;
  /** When it began. */
  readonly startMs: number;
  /** Nothing before this much time. */
  readonly cliffMs: number;
  /** Linear over this much after it. */
  readonly durationMs: number;
}

/** The airdrop. */
export interface AirdropRow {
  /** The object. */
  readonly id: ObjectId;
  /** Merkle root, 32 bytes. */
  readonly root: Bytes;
  /** Leaves under it. */
  readonly leaves: number;
  /** Until when it may be claimed. */
  readonly deadlineMs: number;
  /** What it holds yet. */
  readonly unclaimed: bigint;
}

/** The coin's totals. */
export interface Supply {
  /** Ever minted. */
  readonly issued: bigint;
  /** Of it by mining. */
  readonly mined: bigint;
  /** Burned. */
  readonly burned: bigint;
  /** The token generation event is over. */
  readonly generated: boolean;
  /** The object that mints: part of every leaf of the airdrop. */
  readonly treasury: ObjectId;
}

/** Calls and views of the token. Each call refuses with `vram_token::…` or `reward_distributor::…`. */
export interface TokenLedger {
  /** The coin's totals. */
  supply(): Promise<Supply>;
  /** Mint and lock everything but mining's half. Once. Admin. Returns the airdrop's id. */
  generateTokens(sender: Address, generation: TokenGeneration): Promise<ObjectId>;
  /** All vestings, in the order of their making. */
  vestings(): Promise<readonly VestingRow[]>;
  /** Take what is unlocked; returns VRAM. The beneficiary. */
  claimVested(sender: Address, vesting: ObjectId): Promise<bigint>;
  /** Offer a vesting to somebody, or withdraw the offer. The beneficiary. */
  offerVesting(sender: Address, vesting: ObjectId, to: Address | null): Promise<void>;
  /** Take an offered vesting. */
  acceptVesting(sender: Address, vesting: ObjectId): Promise<void>;
  /** The airdrop, or null before the token generation event. */
  airdrop(): Promise<AirdropRow | null>;
  /** Claim one's leaf; returns VRAM. */
  claimAirdrop(
    sender: Address,
    index: number,
    amount: bigint,
    proof: readonly Bytes[],
  ): Promise<bigint>;
  /** Give what nobody claimed to the beneficiary of the treasury's vesting, from the deadline on. Anyone. */
  sweepAirdrop(sender: Address, vesting?: ObjectId): Promise<void>;
  /** Burn one's VRAM. */
  burn(sender: Address, amount: bigint): Promise<void>;
  /** Fund the reward pool with one's VRAM. */
  depositRewards(sender: Address, amount: bigint): Promise<void>;
  /** Take the treasury's share of mining; returns VRAM. Admin. */
  claimTreasury(sender: Address): Promise<bigint>;
  /** What the reward pool owes: to all, and of it to the treasury. */
  owed(): Promise<{ readonly total: bigint; readonly treasury: bigint }>;
}
