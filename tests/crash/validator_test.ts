import assert from "node:assert/strict";
import { checkCoins, checkOnce, checkWhole, missed } from "./checks.ts";
import { Life, type Moment, nameOf } from "./faults.ts";
import { FIRST, World } from "./world.ts";

const JOURNAL = "validator.journal";

/** The moments of a validator's first window: from its start to the first step of the next one. */
async function momentsOfAWindow(): Promise<Moment[]> {
  const world = await World.found();
  const life = new Life();
  const parties = [world.validator(life), world.miner(0), world.miner(1)];
  await world.until(FIRST);
  await world.close(parties);
  return life.moments;
}

const MOMENTS = await momentsOfAWindow();
/** `after` a call is the state `before` the next one: the last moment apart, one of the two is enough. */
const STATES = MOMENTS.map((moment, index) => ({ moment, index })).filter(({ moment, index }) =>
  moment.at !== "after" || index === MOMENTS.length - 1
);

/** Run two windows with a validator that dies at the moment of number `index` and comes back after `downMs`. */
async function dieAt(
  index: number,
  options: { readonly downMs?: number; readonly judgeDies?: boolean },
  check: (world: World) => Promise<void>,
): Promise<void> {
  const world = await World.found();
  const validator = world.mortal(
    (life) => world.validator(life),
    (_, i) => i === index,
    {
      downMs: options.downMs ?? 20,
      onDeath: async () => {
        if (MOMENTS[index]!.at === "torn") await world.tear(JOURNAL);
        if (options.judgeDies) await world.judge.end();
        await world.judge.restart();
      },
    },
  );
  const parties = [validator, world.miner(0), world.miner(1)];
  try {
    await world.until(FIRST + 1, [validator]);
    assert.equal(validator.lives.length, 2, "it did not die");
    assert.equal(validator.error, undefined);
    checkCoins(world);
    await checkOnce(world, validator.lives);
    await check(world);
  } finally {
    await world.close(parties);
  }
}

for (const { moment, index } of STATES) {
  Deno.test(`validator killed ${nameOf(moment)} (${index}): it goes on, and no window is lost`, async () => {
    await dieAt(index, {}, async (world) => {
      await checkWhole(world, FIRST);
      await checkWhole(world, FIRST + 1);
      assert.deepEqual(await missed(world), []);
    });
  });
}

const begun = MOMENTS.findIndex(({ call }) => call === "journal.append begun");
const signed = MOMENTS.findIndex(({ at, call }) =>
  at === "after" && call === "journal.append report_signed"
);
assert(begun > 0 && signed > begun);

for (const { moment, index } of STATES) {
  if (moment.at !== "before" || !moment.call.startsWith("journal.")) continue;
  const isLost = index >= begun && index < signed;
  const how = isLost ? "its unsigned report is missed" : "what the old key signed is sent";
  Deno.test(`validator and judge killed ${nameOf(moment)} (${index}): ${how}, the next window is whole`, async () => {
    await dieAt(index, { judgeDies: true }, async (world) => {
      await checkWhole(world, FIRST + 1);
      assert.deepEqual(await missed(world), isLost ? [`${FIRST} report`] : []);
      if (!isLost) return await checkWhole(world, FIRST);
      const { skipReason } = await world.ledger.window(FIRST);
      assert.equal(skipReason, "no quorum of reports");
    });
  });
}

Deno.test("validator killed before its report, back behind the report deadline: missed is journalled", async () => {
  await dieAt(begun, { downMs: 7_000 }, async (world) => {
    assert.deepEqual(await missed(world), [`${FIRST} report`]);
    await checkWhole(world, FIRST + 1);
  });
});

Deno.test("validator killed between its report and the outcome, back behind the deadline: the outcome is missed", async () => {
  const settling = MOMENTS.findIndex(({ at, call }) => at === "after" && call === "ledger.settle");
  await dieAt(settling, { downMs: 9_500 }, async (world) => {
    assert.deepEqual(await missed(world), [`${FIRST} outcome`]);
    const { skipReason } = await world.ledger.window(FIRST);
    assert.equal(skipReason, "no quorum of outcomes");
    await checkWhole(world, FIRST + 1);
  });
});

Deno.test("validator down for whole windows: each is missed, the last one is still reported", async () => {
  const world = await World.found();
  const validator = world.mortal(
    (life) => world.validator(life),
    (_, i) => i === begun,
    { downMs: 31_000 },
  );
  const parties = [validator, world.miner(0), world.miner(1)];
  try {
    await world.until(FIRST + 4, [validator]);
    assert.deepEqual(await missed(world), [0, 1, 2].map((n) => `${FIRST + n} report`));
    await checkWhole(world, FIRST + 3);
    await checkWhole(world, FIRST + 4);
    await checkOnce(world, validator.lives);
    checkCoins(world);
  } finally {
    await world.close(parties);
  }
});
