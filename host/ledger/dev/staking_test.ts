import assert from "node:assert/strict";
import fc from "fast-check";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import type { LockTier } from "../staking.ts";
import { address, ADMIN, refuses, TestNetwork } from "../testing.ts";
import { COIN, DAY, generate, WHALE } from "../testing_coins.ts";

const isUnknown = (error: unknown) => error instanceof Refusal && error.code === "unknown_object";

async function withPool(): Promise<{ network: TestNetwork; pool: string }> {
  const network = await TestNetwork.found({ attested: false, miners: 0 });
  await generate(network);
  return { network, pool: await network.ledger.createPool(ADMIN) };
}

Deno.test("createPool: by the admin; a pool begins empty", async () => {
  const { network, pool } = await withPool();
  using _network = network;
  await refuses("hparams::ENotAdmin", network.ledger.createPool(WHALE));
  assert.deepEqual(await network.ledger.pools(), [
    { id: pool, staked: 0n, rewards: 0n, unreleased: 0n, leftMs: 0, weight: 0n },
  ]);
  const second = await network.ledger.createPool(ADMIN);
  assert.deepEqual((await network.ledger.pools()).map(({ id }) => id), [pool, second]);
});

Deno.test("stake: a ticket with its tier's lock and weight; refuses nothing, bad tiers, and coins that are not there", async () => {
  const { network, pool } = await withPool();
  using _network = network;
  const { clock, ledger } = network;
  await refuses("staking_pool::EZeroAmount", ledger.stake(WHALE, pool, 0n, 0));
  for (const tier of [-1, 4, 0.5]) {
    await refuses("staking_pool::EBadTier", ledger.stake(WHALE, pool, 1n, tier as LockTier));
  }
  await refuses("peer_registry::EInsufficientBalance", ledger.stake(ADMIN, pool, 1n, 0));
  await assert.rejects(ledger.stake(WHALE, address(3), 1n, 0), isUnknown);
  for (const tier of [0, 1, 2, 3] as const) await ledger.stake(WHALE, pool, 10n, tier);
  const rows = await ledger.tickets(WHALE);
  const days = rows.map(({ unlockMs }) => (unlockMs - clock.now()) / DAY);
  assert.deepEqual(days, [30, 90, 180, 365]);
  const [row] = await ledger.pools();
  assert.deepEqual([row!.staked, row!.weight], [40n, 570n]);
  assert.deepEqual(await ledger.tickets(ADMIN), []);
});

Deno.test("depositPoolRewards: released over a week, by weight, while somebody stakes", async () => {
  const { network, pool } = await withPool();
  using _network = network;
  const { clock, ledger } = network;
  const start = clock.now();
  await refuses("staking_pool::EZeroAmount", ledger.depositPoolRewards(WHALE, pool, 0n));
  await ledger.depositPoolRewards(WHALE, pool, 700n);
  clock.set(start + 3 * DAY); // nobody stakes: the stream stands still
  const a = await ledger.stake(WHALE, pool, 100n, 0);
  const b = await ledger.stake(WHALE, pool, 100n, 3);
  await refuses("staking_pool::ENothingToClaim", ledger.claimPoolRewards(WHALE, a));
  clock.set(start + 4 * DAY);
  assert.deepEqual((await ledger.tickets(WHALE)).map(({ earned }) => earned), [33n, 66n]);
  assert.equal(await ledger.claimPoolRewards(WHALE, b), 66n);
  const [row] = await ledger.pools();
  assert.deepEqual([row!.rewards, row!.unreleased, row!.leftMs], [634n, 600n, 6 * DAY]);
  await ledger.depositPoolRewards(WHALE, pool, 600n); // its end moves to the mean of both
  assert.equal((await ledger.pools())[0]!.leftMs, 6.5 * DAY);
  clock.set(start + 40 * DAY);
  assert.deepEqual((await ledger.tickets(WHALE)).map(({ earned }) => earned), [433n, 800n]);
  assert.equal(await ledger.claimPoolRewards(WHALE, a), 433n);
});

Deno.test("unstake: a quarter is lost before the lock's end, to those who stay; nothing after it", async () => {
  const { network, pool } = await withPool();
  using _network = network;
  const { clock, ledger } = network;
  const start = clock.now();
  const early = await ledger.stake(WHALE, pool, 101n, 0);
  const late = await ledger.stake(WHALE, pool, 100n, 0);
  clock.set(start + 30 * DAY - 1);
  assert.equal(await ledger.unstake(WHALE, early), 75n, "the penalty is rounded up");
  assert.equal((await ledger.pools())[0]!.unreleased, 26n);
  clock.set(start + 60 * DAY);
  assert.equal(await ledger.unstake(WHALE, late), 125n, "the accumulator is rounded down");
  const [row] = await ledger.pools();
  assert.deepEqual([row!.staked, row!.rewards, row!.weight], [0n, 1n, 0n]);
  assert.equal(row!.unreleased, 1n, "and the dust returns to the stream");
  await assert.rejects(ledger.unstake(WHALE, late), isUnknown);
});

Deno.test("unstake, claimPoolRewards: a ticket is its owner's and of its own pool", async () => {
  const { network, pool } = await withPool();
  using _network = network;
  const { ledger } = network;
  const ticket = await ledger.stake(WHALE, pool, 5n, 1);
  const other = await ledger.createPool(ADMIN);
  await assert.rejects(ledger.unstake(ADMIN, ticket), isUnknown);
  await assert.rejects(ledger.claimPoolRewards(ADMIN, ticket), isUnknown);
  await refuses("staking_pool::EWrongPool", ledger.unstake(WHALE, ticket, other));
  await refuses("staking_pool::EWrongPool", ledger.claimPoolRewards(WHALE, ticket, other));
  await refuses("staking_pool::ENothingToClaim", ledger.claimPoolRewards(WHALE, ticket, pool));
  await ledger.unstake(WHALE, ticket, pool);
});

Deno.test("pools: whatever is staked, claimed and unstaked, no unit is made or lost", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(
          fc.constantFrom("stake", "claim", "unstake", "deposit", "wait"),
          fc.integer({ min: 1, max: 1_000_000 }),
          fc.integer({ min: 0, max: 3 }),
        ),
        { minLength: 10, maxLength: 40 },
      ),
      async (ops) => {
        const { network, pool } = await withPool();
        using _network = network;
        const { clock, ledger } = network;
        for (const [kind, n, tier] of ops) {
          const rows = await ledger.tickets(WHALE);
          const ticket = rows[n % Math.max(1, rows.length)]?.id ?? pool;
          const known = (error: unknown) =>
            assert.ok(isUnknown(error) || /ENothingToClaim/.test(`${error}`), `${error}`);
          if (kind === "wait") clock.set(clock.now() + n * 300);
          if (kind === "stake") await ledger.stake(WHALE, pool, BigInt(n), tier as LockTier);
          if (kind === "deposit") await ledger.depositPoolRewards(WHALE, pool, BigInt(n));
          if (kind === "claim") await ledger.claimPoolRewards(WHALE, ticket).catch(known);
          if (kind === "unstake") await ledger.unstake(WHALE, ticket).catch(known);
          network.checkAudit();
          const [row] = await ledger.pools();
          const held = await ledger.tickets(WHALE);
          assert.equal(row!.staked, held.reduce((sum, { amount }) => sum + amount, 0n));
          const earned = held.reduce((sum, one) => sum + one.earned, 0n);
          assert.ok(earned <= row!.rewards, "more is owed than is there");
        }
        clock.set(clock.now() + 400 * DAY);
        for (const { id } of await ledger.tickets(WHALE)) await ledger.unstake(WHALE, id);
        const [row] = await ledger.pools();
        assert.equal(row!.rewards, row!.unreleased);
        assert.ok((await ledger.balance(WHALE)).vram + row!.rewards === 1_470_000n * COIN);
      },
    ),
    { numRuns: 15, seed: 7 },
  ));
