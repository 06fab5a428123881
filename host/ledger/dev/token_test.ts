import assert from "node:assert/strict";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { MINING_ALLOCATION } from "../pay.ts";
import { address, ADMIN, minerOf, refuses, TestNetwork, validatorOf } from "../testing.ts";
import { COIN, DAY, generate, generation, MONTH, TREASURER, WHALE } from "../testing_coins.ts";
import { DatabaseSync } from "node:sqlite";
import { mint, mintMining } from "./mint.ts";
import { SCHEMA } from "./schema.ts";
import { State } from "./state.ts";

const vram = async ({ ledger }: TestNetwork, who: string) => (await ledger.balance(who)).vram;
const found = () => TestNetwork.found({ attested: false });
const isUnknown = (error: unknown) => error instanceof Refusal && error.code === "unknown_object";

Deno.test("generateTokens: issues the other half once, most of it locked", async () => {
  using network = await found();
  const { clock, ledger } = network;
  assert.deepEqual(await ledger.vestings(), []);
  assert.equal(await ledger.airdrop(), null);
  await refuses("hparams::ENotAdmin", ledger.generateTokens(WHALE, await generation(network)));
  const airdrop = await generate(network);
  await refuses("vram_token::ETgeDone", generate(network));
  const { issued, mined, burned, generated } = await ledger.supply();
  assert.deepEqual([issued, mined, burned, generated], [10_500_000n * COIN, 0n, 0n, true]);
  assert.equal(await vram(network, WHALE), 1_470_000n * COIN);
  assert.equal((await ledger.airdrop())!.id, airdrop);
  assert.equal((await ledger.airdrop())!.unclaimed, 1_050_000n * COIN);
  const rows = (await ledger.vestings()).map((row) => [
    row.class,
    row.beneficiary,
    row.total / COIN,
    row.startMs - clock.now(),
    row.cliffMs / MONTH,
    row.durationMs / MONTH,
  ]);
  assert.deepEqual(rows, [
    ["treasury", TREASURER, 5_250_000n, 0, 6, 48],
    ["investors", address(11), 1_000_000n, 0, 6, 12],
    ["investors", address(12), 50_000n, 0, 6, 12],
    ["team", address(13), 1_680_000n, 0, 12, 36],
  ]);
  const kinds = (await network.events()).map(({ kind }) => kind.split("::"))
    .filter(([module]) => module === "vram_token").map(([, name]) => name);
  assert.deepEqual(kinds, [...Array(4).fill("VestingCreated"), "TokenGenerated"]);
});

Deno.test("generateTokens: refuses other sums, locks, roots and deadlines", async () => {
  using network = await found();
  const { ledger } = network;
  const right = await generation(network);
  const now = network.clock.now();
  const team = [{ to: address(1), amount: 1_680_000n * COIN }];
  const cases = [
    ["EBadAllocation", { investors: [] }],
    ["EBadAllocation", { investors: [{ to: WHALE, amount: 1_050_000n * COIN - 1n }] }],
    ["EBadAllocation", { team: [...team, { to: WHALE, amount: 0n }] }],
    ["EBadAllocation", { team: [{ to: WHALE, amount: -COIN }, ...team] }],
    ["EBadAllocation", { team: Array(65).fill({ to: WHALE, amount: 1n }) }],
    ["EBadSchedule", { investorsCliffMs: 6 * MONTH - 1, investorsDurationMs: 0 }],
    ["EBadSchedule", { investorsCliffMs: 60 * MONTH + 1 }],
    ["EBadSchedule", { investorsDurationMs: 60 * MONTH + 1 }],
    ["EBadRoot", { airdropRoot: new Uint8Array(31) }],
    ["EBadRoot", { airdropLeaves: 0 }],
    ["EBadDeadline", { airdropDeadlineMs: now + 30 * DAY - 1 }],
    ["EBadDeadline", { airdropDeadlineMs: now + 730 * DAY + 1 }],
  ] as const;
  for (const [name, change] of cases) {
    await refuses(`vram_token::${name}`, ledger.generateTokens(ADMIN, { ...right, ...change }));
  }
  assert.equal((await ledger.supply()).issued, 0n);
  const least = { investorsCliffMs: 6 * MONTH, investorsDurationMs: 0 };
  const longest = { airdropDeadlineMs: now + 730 * DAY };
  await ledger.generateTokens(ADMIN, { ...right, ...least, ...longest });
});

Deno.test("claimVested: nothing before the cliff's end, all at the end, linear between, to the beneficiary", async () => {
  using network = await found();
  const { clock, ledger } = network;
  await generate(network);
  const start = clock.now();
  const { id, total } = (await ledger.vestings())[1]!;
  const investor = address(11);
  await refuses("vram_token::ENotBeneficiary", ledger.claimVested(WHALE, id));
  clock.set(start + 6 * MONTH);
  await refuses("vram_token::ENothingToClaim", ledger.claimVested(investor, id));
  clock.set(start + 6 * MONTH + 1);
  const first = total / BigInt(12 * MONTH);
  assert.equal(await ledger.claimVested(investor, id), first);
  await refuses("vram_token::ENothingToClaim", ledger.claimVested(investor, id));
  clock.set(start + 12 * MONTH);
  assert.equal(await ledger.claimVested(investor, id), total / 2n - first);
  clock.set(start + 18 * MONTH);
  assert.equal(await ledger.claimVested(investor, id), total / 2n);
  assert.equal(await vram(network, investor), total);
  const row = (await ledger.vestings())[1]!;
  assert.deepEqual([row.claimed, row.vested], [total, total]);
  await assert.rejects(ledger.claimVested(investor, address(77)), isUnknown);
});

Deno.test("offerVesting, acceptVesting: the beneficiary changes in two steps", async () => {
  using network = await found();
  const { ledger } = network;
  await generate(network);
  const { id } = (await ledger.vestings())[0]!;
  const heir = address(0x4e);
  await refuses("vram_token::ENotBeneficiary", ledger.offerVesting(heir, id, heir));
  await refuses("vram_token::ENotOffered", ledger.acceptVesting(heir, id));
  await ledger.offerVesting(TREASURER, id, heir);
  assert.equal((await ledger.vestings())[0]!.offered, heir);
  await refuses("vram_token::ENotOffered", ledger.acceptVesting(WHALE, id));
  await ledger.offerVesting(TREASURER, id, null);
  await refuses("vram_token::ENotOffered", ledger.acceptVesting(heir, id));
  await ledger.offerVesting(TREASURER, id, heir);
  await ledger.acceptVesting(heir, id);
  const { beneficiary, offered } = (await ledger.vestings())[0]!;
  assert.deepEqual([beneficiary, offered], [heir, null]);
  await refuses("vram_token::ENotBeneficiary", ledger.claimVested(TREASURER, id));
});

Deno.test("burn: one's own coins, which count as issued for ever", async () => {
  using network = await found();
  const { ledger } = network;
  await generate(network);
  await refuses("vram_token::EZeroAmount", ledger.burn(WHALE, 0n));
  await refuses("peer_registry::EInsufficientBalance", ledger.burn(ADMIN, 1n));
  await assert.rejects(ledger.burn(WHALE, -1n), RangeError);
  await ledger.burn(WHALE, COIN);
  const { issued, burned } = await ledger.supply();
  assert.deepEqual([issued, burned], [10_500_000n * COIN, COIN]);
  const burnt = (await network.events()).find(({ kind }) => kind === "vram_token::Burned")!;
  assert.deepEqual(burnt.body, { amount: COIN.toString(), burned: COIN.toString(), bond: false });
});

Deno.test("claim: deposits are used up before anything is minted", async () => {
  using network = await TestNetwork.found({
    hparams: { miner_bps: 5_000, validator_bps: 3_000, treasury_bps: 2_000 },
  });
  const { ledger } = network;
  await refuses("reward_distributor::ENothingToClaim", ledger.claimTreasury(ADMIN));
  await network.whole(0, [0]);
  await network.whole(1, [0]);
  const [miner, treasury] = [35n * COIN, 14n * COIN];
  const judges = 21n * COIN; // of both windows
  assert.equal(await ledger.claim(minerOf(0)), miner);
  assert.deepEqual(await ledger.owed(), { total: treasury + 2n * judges, treasury });
  assert.equal((await ledger.supply()).mined, miner);
  await refuses("peer_registry::EInsufficientBalance", ledger.depositRewards(ADMIN, 1n));
  await ledger.depositRewards(minerOf(0), 20n * COIN);
  await refuses("hparams::ENotAdmin", ledger.claimTreasury(minerOf(0)));
  assert.equal(await ledger.claimTreasury(ADMIN), treasury);
  assert.equal((await ledger.supply()).mined, miner, "the deposit covered it");
  assert.equal(await ledger.claim(validatorOf(0)), 2n * judges);
  assert.equal((await ledger.supply()).mined, miner + 2n * judges - 6n * COIN);
  assert.deepEqual(await ledger.owed(), { total: 0n, treasury: 0n });
  const mined = (await network.events()).filter(({ kind }) => kind === "vram_token::Mined");
  assert.deepEqual(mined.map(({ body }) => body.amount), [
    "35000000000",
    "36000000000",
  ]);
});

Deno.test("mint: neither cap is passed, by a unit", () => {
  const state = new State(new DatabaseSync(":memory:"));
  state.db.exec(SCHEMA);
  const hits = (name: string, run: () => void) =>
    assert.throws(run, (error) => error instanceof LedgerError && error.constant === name);
  state.run("insert into epochs values (0, 0, 1000)");
  hits("EZeroAmount", () => mintMining(state, 0n));
  hits("EMiningCap", () => mintMining(state, MINING_ALLOCATION + 1n));
  mintMining(state, MINING_ALLOCATION);
  hits("EMiningCap", () => mintMining(state, 1n));
  hits("ESupplyCap", () => mint(state, MINING_ALLOCATION + 1n));
  mint(state, MINING_ALLOCATION);
  hits("ESupplyCap", () => mint(state, 1n));
  state.db.close();
});
