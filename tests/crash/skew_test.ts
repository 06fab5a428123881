/**
 * Machines whose clocks are wrong: parties go by the ledger's time, and nothing is too early or too late.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ledgerClock } from "../../host/cli/network/ledger_clock.ts";
import type { Clock } from "../../host/ledger/clock.ts";
import { checkCoins, checkOnce, checkWhole, missed } from "./checks.ts";
import { Life } from "./faults.ts";
import { FIRST, World } from "./world.ts";

/** A machine's clock that is `ms` ahead. */
const ahead = (clock: Clock, ms: number): Clock => ({
  now: () => clock.now() + ms,
  until: (at, signal) => clock.until(at - ms, signal),
});

for (
  const [name, skew] of [["ahead", 60_000], ["behind", -60_000], ["slightly ahead", 700]] as const
) {
  Deno.test(`machines ${name} by ${Math.abs(skew)} ms: every window is whole, and nothing is sent twice`, async () => {
    const world = await World.found({
      clock: (clock, ledger) => ledgerClock(ledger, ahead(clock, skew)),
    });
    const life = new Life();
    const parties = [world.validator(life), world.miner(0), world.miner(1)];
    try {
      await world.until(FIRST + 1);
      for (const window of [FIRST, FIRST + 1]) await checkWhole(world, window);
      assert.deepEqual(await missed(world), []);
      await checkOnce(world, [life]);
      checkCoins(world);
    } finally {
      await world.close(parties);
    }
  });
}

Deno.test("ledgerClock: wakes behind the ledger's moment by the margin, at once where it has passed", async () => {
  let now = 1_000;
  const slept: number[] = [];
  const machine: Clock = {
    now: () => now + 5_000,
    until: (ms) => {
      slept.push(ms - now - 5_000);
      now = ms - 5_000;
      return Promise.resolve();
    },
  };
  const clock = ledgerClock({ now: () => now }, machine, 500);
  await clock.until(1_000);
  assert.deepEqual(slept, []);
  await clock.until(80_000);
  assert.deepEqual([now, slept], [80_500, [30_000, 30_000, 19_500]]);
  assert.equal(clock.now(), 80_500);
  await assert.rejects(clock.until(90_000, AbortSignal.abort(new Error("stopped"))), /stopped/);
});
