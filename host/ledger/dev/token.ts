/**
 * `vram_token`: the token generation event and what it locks.
 *
 * @module
 */
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { Address } from "../ledger.ts";
import type { ObjectId, Share, Supply, TokenGeneration, TokenLedger } from "../token.ts";
import { airdrop, claimAirdrop, openAirdrop, sweepAirdrop } from "./airdrop.ts";
import { burn, mint, treasuryId } from "./mint.ts";
import type { Operations } from "./operations.ts";
import { claimTreasury, deposit, owed } from "./rewards.ts";
import { amountOf, type State } from "./state.ts";
import { acceptVesting, claimVested, lock, offerVesting, vestings } from "./vesting.ts";

const MODULE = "vram_token";
const VRAM = 1_000_000_000n;
/** Units of each class, beside mining's half and the airdrop. */
const TREASURY = 5_250_000n * VRAM;
const INVESTORS = 1_050_000n * VRAM;
const TEAM = 1_680_000n * VRAM;
const LIQUIDITY = 1_470_000n * VRAM;
const DAY_MS = 86_400_000;
/** A twelfth of 365.25 days. */
const MONTH_MS = 2_629_800_000;
/** Cliff, then linear vesting. */
const TREASURY_LOCK = [6 * MONTH_MS, 48 * MONTH_MS] as const;
const TEAM_LOCK = [12 * MONTH_MS, 36 * MONTH_MS] as const;
/** The investors' lock, cliff and vesting together at least, and each of them at most. */
const MIN_LOCK_MS = 6 * MONTH_MS;
const MAX_PHASE_MS = 60 * MONTH_MS;
const MIN_AIRDROP_MS = 30 * DAY_MS;
const MAX_AIRDROP_MS = 730 * DAY_MS;
/** Recipients of one class at most. */
const MAX_RECIPIENTS = 64;

function supply(state: State): Supply {
  return {
    issued: state.total("supply"),
    mined: state.total("mined"),
    burned: state.total("burned"),
    generated: state.meta("generated") !== undefined,
    treasury: treasuryId(state),
  };
}

/** Issue the other half, once; returns the airdrop's id. */
function generate(state: State, sender: Address, event: TokenGeneration): ObjectId {
  state.assertAdmin(sender);
  requireThat(
    state.meta("generated") === undefined,
    MODULE,
    "ETgeDone",
    "the token generation event is over",
  );
  checkAllocation(event.investors, INVESTORS);
  checkAllocation(event.team, TEAM);
  const { investorsCliffMs: cliff, investorsDurationMs: duration } = event;
  requireThat(
    isPhase(cliff) && isPhase(duration) && cliff + duration >= MIN_LOCK_MS,
    MODULE,
    "EBadSchedule",
    "the lock is shorter than 6 months or a phase longer than 60",
  );
  requireThat(
    event.airdropRoot.length === 32 && Number.isSafeInteger(event.airdropLeaves) &&
      event.airdropLeaves > 0,
    MODULE,
    "EBadRoot",
    "the airdrop's root is not 32 bytes over at least one leaf",
  );
  const ahead = event.airdropDeadlineMs - state.nowMs;
  requireThat(
    Number.isSafeInteger(ahead) && ahead >= MIN_AIRDROP_MS && ahead <= MAX_AIRDROP_MS,
    MODULE,
    "EBadDeadline",
    "the airdrop must end in 30 to 730 days",
  );
  state.setMeta("generated", state.nowMs);
  const vesting = lock(
    state,
    "treasury",
    { to: event.treasury, amount: TREASURY },
    ...TREASURY_LOCK,
  );
  for (const share of event.investors) lock(state, "investors", share, cliff, duration);
  for (const share of event.team) lock(state, "team", share, ...TEAM_LOCK);
  mint(state, LIQUIDITY);
  state.credit(event.liquidity, "vram", LIQUIDITY);
  return openAirdrop(state, event, vesting);
}

const isPhase = (ms: number) => Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_PHASE_MS;

function checkAllocation(shares: readonly Share[], allocation: bigint): void {
  const sum = shares.reduce((total, { amount }) => total + amount, 0n);
  requireThat(
    shares.length <= MAX_RECIPIENTS && shares.every(({ amount }) => amount > 0n) &&
      sum === allocation,
    MODULE,
    "EBadAllocation",
    `the amounts of at most ${MAX_RECIPIENTS} recipients do not sum to ${allocation}`,
  );
}

/** The calls of {@link TokenLedger}. */
export const TOKEN_CALLS: Operations<TokenLedger> = {
  supply,
  generateTokens: generate,
  vestings,
  claimVested,
  offerVesting,
  acceptVesting,
  airdrop,
  claimAirdrop,
  sweepAirdrop,
  burn: (state, sender, amount) => burn(state, sender, amountOf(amount)),
  depositRewards: deposit,
  claimTreasury,
  owed,
};
