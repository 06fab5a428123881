/**
 * Calls of the token and of the pools.
 *
 * @module
 */
import type { Bytes } from "../../../../enclave/protocol/bytes.ts";
import type { TokenGeneration } from "../../token.ts";
import { address, bytes, count, option, u64, u8, vector } from "../layout/layout.ts";
import { VRAM } from "../layout/token.ts";
import type { Deployment, SharedObject } from "../profile.ts";
import type { CoinRef, OwnedRef } from "../state_reader.ts";
import { type Argument, type Call, CallBuilder } from "./call.ts";

const VESTING = "vram_token::Vesting";
const AIRDROP = "vram_token::Airdrop";
const POOL = "staking_pool::StakingPool<T0>";
const TICKET = "staking_pool::StakerTicket<T0>";

/** The token generation event. */
export function generateTokens(
  deployment: Deployment,
  cap: OwnedRef,
  generation: TokenGeneration,
): Call {
  const b = new CallBuilder(deployment);
  const shares = (shares: TokenGeneration["team"]) => [
    b.pure(vector(address), shares.map(({ to }) => to)),
    b.pure(vector(u64), shares.map(({ amount }) => amount)),
  ];
  b.call("vram_token::tge", [
    b.cap(cap),
    b.mut("treasury"),
    b.pure(address, generation.treasury),
    ...shares(generation.investors),
    b.pure(count, generation.investorsCliffMs),
    b.pure(count, generation.investorsDurationMs),
    ...shares(generation.team),
    b.pure(address, generation.liquidity),
    b.pure(bytes, generation.airdropRoot),
    b.pure(count, generation.airdropLeaves),
    b.pure(count, generation.airdropDeadlineMs),
    b.clock(),
  ]);
  return b.done();
}

/** Take what is unlocked. */
export function claimVested(deployment: Deployment, vesting: SharedObject, sender: string): Call {
  const b = new CallBuilder(deployment);
  const coin = b.call("vram_token::claim_vested", [b.shared(vesting, VESTING, true), b.clock()]);
  return b.transfer([coin], sender).done();
}

/** Offer a vesting, or withdraw the offer. */
export function offerVesting(
  deployment: Deployment,
  vesting: SharedObject,
  to: string | null,
): Call {
  const b = new CallBuilder(deployment);
  b.call("vram_token::offer_beneficiary", [
    b.shared(vesting, VESTING, true),
    b.pure(option(address), to),
  ]);
  return b.done();
}

/** Take an offered vesting. */
export function acceptVesting(deployment: Deployment, vesting: SharedObject): Call {
  const b = new CallBuilder(deployment);
  b.call("vram_token::accept_beneficiary", [b.shared(vesting, VESTING, true)]);
  return b.done();
}

/** Claim one's leaf of the airdrop. */
export function claimAirdrop(
  deployment: Deployment,
  airdrop: SharedObject,
  index: number,
  amount: bigint,
  proof: readonly Bytes[],
  sender: string,
): Call {
  const b = new CallBuilder(deployment);
  const coin = b.call("vram_token::claim_airdrop", [
    b.shared(airdrop, AIRDROP, true),
    b.pure(count, index),
    b.pure(u64, amount),
    b.pure(vector(bytes), [...proof]),
    b.clock(),
  ]);
  return b.transfer([coin], sender).done();
}

/** Send the airdrop's rest to the treasury's beneficiary. */
export function sweepAirdrop(
  deployment: Deployment,
  airdrop: SharedObject,
  vesting: SharedObject,
): Call {
  const b = new CallBuilder(deployment);
  b.call("vram_token::sweep_airdrop", [
    b.shared(airdrop, AIRDROP, true),
    b.shared(vesting, VESTING, false),
    b.clock(),
  ]);
  return b.done();
}

/** Burn VRAM. */
export function burn(deployment: Deployment, amount: bigint, coins: readonly CoinRef[]): Call {
  const b = new CallBuilder(deployment);
  b.call("vram_token::burn", [b.mut("treasury"), b.vram(amount, coins)]);
  return b.done();
}

/** Fund the reward pool. */
export function depositRewards(
  deployment: Deployment,
  amount: bigint,
  coins: readonly CoinRef[],
): Call {
  const b = new CallBuilder(deployment);
  b.call("reward_distributor::deposit", [b.mut("rewardPool"), b.vram(amount, coins)]);
  return b.done();
}

/** Take the treasury's share of mining. */
export function claimTreasury(deployment: Deployment, cap: OwnedRef, sender: string): Call {
  const b = new CallBuilder(deployment);
  const coin = b.call("reward_distributor::claim_treasury", [
    b.cap(cap),
    b.mut("rewardPool"),
    b.mut("treasury"),
  ]);
  return b.transfer([coin], sender).done();
}

/** Create a pool of VRAM. */
export function createPool(deployment: Deployment, cap: OwnedRef): Call {
  const b = new CallBuilder(deployment);
  b.call("staking_pool::create_pool", [b.cap(cap), b.clock()], [VRAM]);
  return b.done();
}

/** A coin of VRAM is a `Coin<T0>` of a pool of VRAM. */
function stakeCoin(b: CallBuilder, amount: bigint, coins: readonly CoinRef[]): Argument {
  return { ...b.vram(amount, coins), move: "0x2::coin::Coin<T0>" };
}

/** Deposit rewards into a pool. */
export function depositPoolRewards(
  deployment: Deployment,
  pool: SharedObject,
  amount: bigint,
  coins: readonly CoinRef[],
): Call {
  const b = new CallBuilder(deployment);
  b.call("staking_pool::deposit_rewards", [
    b.shared(pool, POOL, true),
    stakeCoin(b, amount, coins),
    b.clock(),
  ], [VRAM]);
  return b.done();
}

/** Lock VRAM in a pool. */
export function stake(
  deployment: Deployment,
  pool: SharedObject,
  amount: bigint,
  tier: number,
  coins: readonly CoinRef[],
): Call {
  const b = new CallBuilder(deployment);
  b.call("staking_pool::stake", [
    b.shared(pool, POOL, true),
    stakeCoin(b, amount, coins),
    b.pure(u8, tier),
    b.clock(),
  ], [VRAM]);
  return b.done();
}

/** Take a ticket's rewards. */
export function claimPoolRewards(
  deployment: Deployment,
  pool: SharedObject,
  ticket: OwnedRef,
  sender: string,
): Call {
  const b = new CallBuilder(deployment);
  const coin = b.call("staking_pool::claim_rewards", [
    b.shared(pool, POOL, true),
    b.owned(ticket, `&mut ${TICKET}`),
    b.clock(),
  ], [VRAM]);
  return b.transfer([coin], sender).done();
}

/** End a stake. */
export function unstake(
  deployment: Deployment,
  pool: SharedObject,
  ticket: OwnedRef,
  sender: string,
): Call {
  const b = new CallBuilder(deployment);
  const coin = b.call("staking_pool::unstake", [
    b.shared(pool, POOL, true),
    b.owned(ticket, TICKET),
    b.clock(),
  ], [VRAM]);
  return b.transfer([coin], sender).done();
}
