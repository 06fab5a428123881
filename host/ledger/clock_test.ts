import assert from "node:assert/strict";
import { type Clock, SYSTEM_CLOCK, VirtualClock } from "./clock.ts";

Deno.test("VirtualClock.until: wakes at its time, in order, and not before", async () => {
  const clock = new VirtualClock(0);
  const woken: number[] = [];
  const waits = [30, 10, 20].map((at) => clock.until(at).then(() => woken.push(at)));
  clock.set(15);
  await Promise.resolve();
  assert.deepEqual(woken, [10]);
  clock.set(40);
  await Promise.all(waits);
  assert.deepEqual(woken, [10, 20, 30]);
  assert.equal(clock.now(), 40);
});

Deno.test("VirtualClock.set: never goes back", () => {
  const clock = new VirtualClock(5);
  assert.throws(() => clock.set(4), RangeError);
});

for (
  const [name, open] of [
    ["SYSTEM_CLOCK", () => SYSTEM_CLOCK],
    ["VirtualClock", () => new VirtualClock(0)],
  ] as [string, () => Clock][]
) {
  Deno.test(`${name}.until: ends with its signal, aborted before or meanwhile`, async () => {
    const clock = open();
    const far = clock.now() + 3_600_000;
    const why = new Error("enough");
    await assert.rejects(clock.until(far, AbortSignal.abort(why)), why);
    const controller = new AbortController();
    const waiting = clock.until(far, controller.signal);
    controller.abort(why);
    await assert.rejects(waiting, why);
  });

  Deno.test(`${name}.until: a time that has come is not waited for`, async () => {
    const clock = open();
    await clock.until(clock.now());
  });
}
