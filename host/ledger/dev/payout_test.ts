import assert from "node:assert/strict";
import { VERDICT } from "../../../enclave/protocol/verdict.ts";
import { address, minerOf, refuses, TestNetwork, unmeasured, validatorOf } from "../testing.ts";

Deno.test("pay: begins with the second accepted window and follows ordinal-v1", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.whole(0, [0, 1]);
  assert.equal(await ledger.issued(), 0n, "nobody has two accepted windows");
  // Scores 50,000 and 100,000. Averages: 0 rises to 0.0975; 1 gains as much on random pages as on its own,
  // falls to 0.0475, and counts as the newcomers' 0.05. Ordinals are 15 each.
  const measure = (uid: number) => ({ randomAfter: uid === 0 ? 950_000 : 900_000 });
  await network.whole(1, [0, 1, 2], { measure: (uid) => uid === 2 ? {} : measure(uid) });
  const { payout } = await ledger.window(1);
  const square = 15_000_000n ** 2n;
  assert.deepEqual(payout!.miners.map(({ uid, weight, reward }) => [uid, weight, reward]), [
    [0, square * 97_500n * 50_000n, 34_556_962_025n],
    [1, square * 50_000n * 100_000n, 35_443_037_974n],
    [2, 0n, 0n],
  ]);
  assert.equal(payout!.issued, 69_999_999_999n, "the dust is not issued");
  assert.equal(await ledger.issued(), 69_999_999_999n);
  assert.deepEqual((await ledger.miners()).map(({ average }) => average), [
    1_097_500,
    1_047_500,
    1_050_000,
  ]);
});

Deno.test("claim: moves what was earned, once", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await refuses("reward_distributor::ENothingToClaim", ledger.claim(minerOf(0)));
  await network.whole(0, [0]);
  await network.whole(1, [0]);
  const earned = 70_000_000_000n;
  assert.deepEqual(await ledger.balance(minerOf(0)), { sui: 0n, vram: 0n, claimable: earned });
  assert.equal(await ledger.claim(minerOf(0)), earned);
  assert.deepEqual(await ledger.balance(minerOf(0)), { sui: 0n, vram: earned, claimable: 0n });
  await refuses("reward_distributor::ENothingToClaim", ledger.claim(minerOf(0)));
});

Deno.test("pay: a refused, harmful or unmeasured gradient earns nothing", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.whole(0, [0, 1, 2]);
  await network.whole(1, [0, 1, 2]);
  const before = await ledger.issued();
  await network.whole(2, [0, 1, 2], {
    measure: (uid) =>
      [
        unmeasured(VERDICT.duplicate),
        { randomAfter: 1_200_000 },
        unmeasured(VERDICT.unavailable),
      ][uid]!,
  });
  const { payout } = await ledger.window(2);
  assert.deepEqual(payout!.miners.map(({ reward }) => reward), [0n, 0n, 0n]);
  assert.equal(await ledger.issued(), before);
  const miners = await ledger.miners();
  assert.deepEqual(miners.map(({ measured }) => measured), [2, 3, 2]);
  assert.deepEqual(miners.map(({ lastAccepted }) => lastAccepted), [1, 1, 1]);
});

Deno.test("pay: whoever left its slot while it was judged is paid as what it was", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.whole(0, [0]);
  network.at(1, 1_000);
  await network.commit(0, 1);
  await ledger.unregister(minerOf(0), "miner", 0);
  network.at(1, 8_000);
  await network.reveal(0, 1);
  network.at(2);
  const heir = address(0x99);
  ledger.faucet(heir, 5_000n);
  assert.equal(await ledger.registerMiner(heir, 1_000n), 0);
  await network.report(0, 1);
  await ledger.settle(1, 64);
  assert.equal((await ledger.window(1)).settled!.rows[0]!.priorMu, 30_000_000);
  await network.outcome(0, 1);
  assert.equal((await ledger.balance(minerOf(0))).claimable, 70_000_000_000n);
  assert.equal((await ledger.balance(heir)).claimable, 0n);
  network.at(3);
  const [row] = await ledger.miners();
  assert.deepEqual([row!.owner, row!.mu, row!.accepted], [heir, 25_000_000, 0]);
});

const SHARES = { miner_bps: 5_000, validator_bps: 2_000, treasury_bps: 3_000 };

Deno.test("pay: shares go to miners, validators by stake, and the treasury", async () => {
  const validators = [6_000n, 3_000n, 1_000n];
  using network = await TestNetwork.found({ validators, hparams: SHARES });
  const { ledger } = network;
  for (const window of [0, 2]) {
    await network.play(window, [0]);
    for (const i of [0, 1]) await network.report(i, window);
    network.at(window, 16_000);
    await ledger.settle(window, 64);
    await network.outcome(0, window);
    const { payout } = await ledger.window(window);
    const paid = [9_333_333_333n, 4_666_666_666n, 0n];
    // 14 VRAM among 6,000 and 3,000: the third validator sent nothing.
    assert.deepEqual(payout!.validators.map(({ reward }) => reward), paid);
    assert.deepEqual(payout!.validators.map(({ counted }) => counted), [true, true, false]);
    const miners = window === 0 ? 0n : 35_000_000_000n;
    const treasury = window === 0 ? 0n : 21_000_000_000n;
    assert.equal(payout!.issued, 13_999_999_999n + miners + treasury, "unearned: not issued");
  }
});

Deno.test("pay: a validator that abstains or deviates on more than one entry of a few is not paid", async () => {
  const cases: [paid: boolean, (uid: number) => ReturnType<typeof unmeasured>][] = [
    [true, () => ({ randomAfter: 950_005, ownBefore: 999_995 })],
    [true, (uid) => uid === 1 ? { randomAfter: 950_006 } : {}],
    [false, (uid) => uid === 1 ? {} : { randomAfter: 950_006 }],
    [false, (uid) => uid === 1 ? {} : { ownAfter: 899_994 }],
    [true, (uid) => uid === 1 ? unmeasured(VERDICT.zero) : {}],
    [false, (uid) => uid === 1 ? {} : unmeasured(VERDICT.zero)],
    [true, (uid) => uid === 1 ? unmeasured(VERDICT.unavailable) : {}],
    [false, (uid) => uid === 1 ? {} : unmeasured(VERDICT.unavailable)],
    [false, () => unmeasured(VERDICT.not_sampled)],
  ];
  for (const [n, [paid, measure]] of cases.entries()) {
    using network = await TestNetwork.found({ validators: [9_000n, 1_000n], hparams: SHARES });
    await network.play(0, [0, 1, 2]);
    await network.report(0, 0);
    await network.report(1, 0, { measure });
    await network.ledger.settle(0, 64);
    await network.outcome(0, 0);
    const { payout } = await network.ledger.window(0);
    assert.deepEqual(payout!.validators.map(({ counted }) => counted), [true, paid], `case ${n}`);
    const claimable = (await network.ledger.balance(validatorOf(1))).claimable;
    assert.equal(claimable, paid ? 1_400_000_000n : 0n);
  }
});
