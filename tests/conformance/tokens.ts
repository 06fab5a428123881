/**
 * Operations of traces on the token: its generation event, vestings, the airdrop, burning, pools.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { merkleLevels, merkleProof } from "../../enclave/protocol/merkle.ts";
import { airdropLeaf } from "../../host/ledger/airdrop.ts";
import type { Address } from "../../host/ledger/ledger.ts";
import { address, ADMIN } from "../../host/ledger/testing.ts";
import { COIN, DAY, MONTH, TREASURER, WHALE } from "../../host/ledger/testing_coins.ts";
import type { LockTier } from "../../host/ledger/staking.ts";
import type { ObjectId, Share, TokenGeneration } from "../../host/ledger/token.ts";
import type { Dice } from "./dice.ts";
import { governor } from "./judging.ts";
import { PEOPLE } from "./people.ts";
import type { Player } from "./player.ts";
import type { Operation } from "./slots.ts";
import type { Value } from "./tape.ts";

/** The id that Move's treasury has in `conformance_world.move`: it comes from a hint that is set there. */
const MOVE_TREASURY: ObjectId =
  "0xf46f7c6f634f962aad15293258db143133fb6fae7938207940fa78ef5793b636";
const FULL_SHARES = 11;
/** Ten full shares take the whole airdrop: the eleventh finds nothing. One share is above the cap. */
const SHARES: readonly Share[] = [
  ...PEOPLE.slice(1, 1 + FULL_SHARES).map((to) => ({ to, amount: 105_000n * COIN })),
  { to: TREASURER, amount: 105_001n * COIN },
  ...[11, 12, 13].map((n) => ({ to: address(n), amount: BigInt(n) })),
];
const levels = (treasury: ObjectId) =>
  merkleLevels(SHARES.map((share) => airdropLeaf(treasury, share)));
const MOVE_LEVELS = levels(MOVE_TREASURY);

/** Somebody who has VRAM, and how much. */
async function holder(p: Player, d: Dice): Promise<{ who: Address; vram: bigint }> {
  const holders = [];
  for (const who of PEOPLE) {
    const { vram } = await p.ledger.balance(who);
    if (vram > 0n) holders.push({ who, vram });
  }
  return d.maybe(holders) ?? { who: WHALE, vram: 0n };
}

/** A part of `most`; all of it, or nothing, now and then. */
function partOf(d: Dice, most: bigint): bigint {
  if (d.oneIn(12)) return 0n;
  if (d.oneIn(12)) return most;
  return most * BigInt(1 + d.below(1_000)) / 3_000n;
}

async function generateTokens(p: Player, d: Dice): Promise<void> {
  const { treasury } = await p.ledger.supply();
  const event: TokenGeneration = {
    treasury: TREASURER,
    investors: [
      { to: address(11), amount: 1_000_000n * COIN },
      { to: address(12), amount: 50_000n * COIN },
    ],
    investorsCliffMs: d.pick([3, 6]) * MONTH,
    investorsDurationMs: d.pick([3, 12]) * MONTH,
    team: [{ to: address(13), amount: 1_680_000n * COIN }],
    liquidity: WHALE,
    airdropRoot: levels(treasury).at(-1)![0]!,
    airdropLeaves: SHARES.length,
    airdropDeadlineMs: p.network.clock.now() + d.pick([30, 90]) * DAY,
  };
  const faults: Partial<TokenGeneration>[] = [
    { investors: [{ to: address(11), amount: 1n }] },
    { team: [] },
    { investorsCliffMs: MONTH, investorsDurationMs: MONTH },
    { investorsCliffMs: 61 * MONTH },
    { airdropRoot: new Uint8Array(31) },
    { airdropLeaves: 0 },
    { airdropDeadlineMs: p.network.clock.now() + 30 * DAY - 1 },
    { airdropDeadlineMs: p.network.clock.now() + 731 * DAY },
  ];
  const wanted = { ...event, ...(d.oneIn(8) ? d.pick(faults) : {}) };
  const shares = (list: readonly Share[]): Value[] => [
    list.length,
    ...list.flatMap(({ to, amount }) => [to, amount]),
  ];
  const sender = await governor(p, d);
  await p.govern(
    "generateTokens",
    sender,
    [
      wanted.treasury,
      ...shares(wanted.investors),
      wanted.investorsCliffMs,
      wanted.investorsDurationMs,
      ...shares(wanted.team),
      wanted.liquidity,
      wanted.airdropRoot.length === 32 ? MOVE_LEVELS.at(-1)![0]! : wanted.airdropRoot,
      wanted.airdropLeaves,
      wanted.airdropDeadlineMs,
    ],
    async () => void await p.ledger.generateTokens(sender, wanted),
  );
}

async function vestingCall(
  p: Player,
  d: Dice,
  call: (k: number, id: ObjectId, beneficiary: Address, offered: Address | null) => Promise<void>,
): Promise<void> {
  const rows = await p.ledger.vestings();
  if (rows.length === 0) return;
  const k = d.below(rows.length);
  const { id, beneficiary, offered } = rows[k]!;
  await call(k, id, beneficiary, offered);
}

const claimVested: Operation = (p, d) =>
  vestingCall(p, d, async (k, id, beneficiary) => {
    const who = d.oneIn(8) ? d.pick(PEOPLE) : beneficiary;
    await p.play("claimVested", [who, k], () => p.ledger.claimVested(who, id));
  });

const offerVesting: Operation = (p, d) =>
  vestingCall(p, d, async (k, id, beneficiary) => {
    const who = d.oneIn(8) ? d.pick(PEOPLE) : beneficiary;
    const to = d.oneIn(5) ? null : d.pick(PEOPLE);
    const number = to === null ? 0 : PEOPLE.indexOf(to) + 1;
    await p.play("offerVesting", [who, k, number], () => p.ledger.offerVesting(who, id, to));
  });

const acceptVesting: Operation = (p, d) =>
  vestingCall(p, d, async (k, id, _beneficiary, offered) => {
    const who = d.oneIn(8) ? d.pick(PEOPLE) : offered ?? d.pick(PEOPLE);
    await p.play("acceptVesting", [who, k], () => p.ledger.acceptVesting(who, id));
  });

async function claimAirdrop(p: Player, d: Dice): Promise<void> {
  if (await p.ledger.airdrop() === null) return;
  await claimShare(p, d, d.below(SHARES.length), d.below(16));
}

/** All full shares: the last one finds nothing left. */
async function emptyAirdrop(p: Player, d: Dice): Promise<void> {
  if (await p.ledger.airdrop() === null) return;
  for (let index = 0; index < FULL_SHARES; index++) await claimShare(p, d, index, -1);
}

async function claimShare(p: Player, d: Dice, index: number, fault: number): Promise<void> {
  const share = SHARES[index]!;
  const { treasury } = await p.ledger.supply();
  const amount = fault === 0 ? 0n : fault === 1 ? share.amount - 1n : share.amount;
  const who = fault === 2 ? d.pick(PEOPLE) : share.to;
  const leaf = fault === 3 ? (index + 1) % SHARES.length : index;
  const proof = (of: readonly (readonly Bytes[])[]) => {
    const whole = merkleProof(of, index);
    return fault === 4 ? whole.slice(1) : whole;
  };
  const [mine, theirs] = [proof(levels(treasury)), proof(MOVE_LEVELS)];
  await p.play(
    "claimAirdrop",
    [who, leaf, amount, theirs.length, ...theirs],
    () => p.ledger.claimAirdrop(who, leaf, amount, mine),
  );
}

async function sweepAirdrop(p: Player, d: Dice): Promise<void> {
  const rows = await p.ledger.vestings();
  if (rows.length === 0) return;
  const k = d.oneIn(6) ? d.below(rows.length) : 0;
  const id = rows[k]!.id;
  await p.play("sweepAirdrop", [ADMIN, k], () => p.ledger.sweepAirdrop(ADMIN, id));
}

async function burn(p: Player, d: Dice): Promise<void> {
  const { who, vram } = await holder(p, d);
  const amount = partOf(d, vram) / 8n;
  await p.play("burn", [who, amount], () => p.ledger.burn(who, amount));
}

async function depositRewards(p: Player, d: Dice): Promise<void> {
  const { who, vram } = await holder(p, d);
  const amount = partOf(d, vram) / 8n;
  await p.play(
    "depositRewards",
    [who, amount],
    () => p.ledger.depositRewards(who, amount),
  );
}

// Pools.

async function createPool(p: Player, d: Dice): Promise<void> {
  if (p.pools.length === 3) return;
  const sender = await governor(p, d);
  await p.govern("createPool", sender, [], async () => {
    p.pools.push(await p.ledger.createPool(sender));
  });
}

async function depositPoolRewards(p: Player, d: Dice): Promise<void> {
  if (p.pools.length === 0) return;
  const { who, vram } = await holder(p, d);
  const k = d.below(p.pools.length);
  const amount = partOf(d, vram) / 4n;
  await p.play(
    "depositPoolRewards",
    [who, k, amount],
    () => p.ledger.depositPoolRewards(who, p.pools[k]!, amount),
  );
}

async function stake(p: Player, d: Dice): Promise<void> {
  if (p.pools.length === 0) return;
  const { who, vram } = await holder(p, d);
  const k = d.below(p.pools.length);
  const amount = partOf(d, vram);
  const tier = (d.oneIn(12) ? d.pick([4, 255]) : d.below(4)) as LockTier;
  await p.play("stake", [who, k, amount, tier], async () => {
    const id = await p.ledger.stake(who, p.pools[k]!, amount, tier);
    p.tickets.push({ id, owner: who, pool: k });
  });
}

/** A call on a ticket that its owner has yet. */
function withTicket(name: "claimPoolRewards" | "unstake"): Operation {
  return async (p, d) => {
    const live = [];
    for (const [n, ticket] of p.tickets.entries()) {
      const rows = await p.ledger.tickets(ticket.owner);
      if (rows.some(({ id }) => id === ticket.id)) live.push({ n, ...ticket });
    }
    const ticket = d.maybe(live);
    if (ticket === undefined) return;
    const k = d.oneIn(4) ? d.below(p.pools.length) : ticket.pool;
    const { n, id, owner } = ticket;
    await p.play(name, [owner, n, k], () => p.ledger[name](owner, id, p.pools[k]!));
  };
}

/** Operations on the token. */
export const TOKENS = {
  generateTokens,
  claimVested,
  offerVesting,
  acceptVesting,
  claimAirdrop,
  emptyAirdrop,
  sweepAirdrop,
  burn,
  depositRewards,
  createPool,
  depositPoolRewards,
  stake,
  claimPoolRewards: withTicket("claimPoolRewards"),
  unstake: withTicket("unstake"),
} satisfies Record<string, Operation>;
