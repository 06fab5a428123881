import assert from "node:assert/strict";
import { TestNetwork } from "../../ledger/testing.ts";
import { PayPolicy } from "./policy.ts";
import { Chance, honest, measureAll, more, RANDOM_BEFORE } from "./world.ts";

Deno.test("PayPolicy: pays what the dev ledger pays for the same reports, window by window", async () => {
  const windows = 14; // longer than newcomers' averages are lifted
  const chance = new Chance(5);
  const someHonest = honest(4, (i) => ({ from: i === 3 ? 2 : 0 }));
  const miners = more(someHonest, 2, { owner: 0, skill: 0, ownPages: false });
  const policy = new PayPolicy();
  using network = await TestNetwork.found({ miners: miners.length });
  for (let window = 0; window < windows; window++) {
    const entries = measureAll(miners, window, chance);
    const byUid = new Map(entries.map((entry) => [entry.uid, entry]));
    const payments = policy.step(RANDOM_BEFORE, entries, chance.matches(window));
    const rated = new Map(payments.map(({ uid, mu, sigma }) => [uid, { mu, sigma }]));
    await network.whole(
      window,
      entries.map(({ uid }) => uid),
      { randomBefore: RANDOM_BEFORE, measure: (uid) => byUid.get(uid)! },
      { rate: (uid) => rated.get(uid)! },
    );
    const { payout } = await network.ledger.window(window);
    assert.deepEqual(
      payout!.miners.map(({ uid, reward }) => ({ uid, reward })),
      payments.map(({ uid, reward }) => ({ uid, reward })),
      `window ${window}`,
    );
  }
  assert.ok(policy.issued > 0n);
});

Deno.test("PayPolicy: nobody is paid for a first accepted window", () => {
  const chance = new Chance(1);
  const policy = new PayPolicy();
  const step = (window: number) =>
    policy.step(RANDOM_BEFORE, measureAll(honest(5), window, chance), chance.matches(window));
  assert.ok(step(0).every(({ accepted, reward }) => accepted && reward === 0n));
  assert.ok(step(1).some(({ reward }) => reward > 0n));
});
