import assert from "node:assert/strict";
import { checkCoins, checkOnce, checkWhole, missed } from "./checks.ts";
import { Life, type Moment, nameOf } from "./faults.ts";
import { FIRST, World } from "./world.ts";

const JOURNAL = "miner-0/steps.jsonl";

/** The moments of a miner's first window. */
async function momentsOfAWindow(): Promise<Moment[]> {
  const world = await World.found();
  const life = new Life();
  const parties = [world.miner(0, life)];
  await world.turns.drive(async () => await world.window() > FIRST);
  await world.close(parties);
  const end = life.moments.findIndex(({ at, call }) =>
    at === "after" && call === "journal.append revealed"
  );
  return life.moments.slice(0, end + 1);
}

const MOMENTS = await momentsOfAWindow();
const STATES = MOMENTS.map((moment, index) => ({ moment, index })).filter(({ moment, index }) =>
  moment.at !== "after" || index === MOMENTS.length - 1
);

/** Run two windows with miner 0 dying at a moment of the first one. */
async function dieAt(
  index: number,
  downMs: number,
  check: (world: World, lives: readonly Life[]) => Promise<void>,
): Promise<void> {
  const world = await World.found();
  const miner = world.mortal((life) => world.miner(0, life), (_, i) => i === index, {
    downMs,
    onDeath: async () => {
      if (MOMENTS[index]!.at === "torn") await world.tear(JOURNAL);
    },
  });
  const validator = new Life();
  const parties = [world.validator(validator), miner, world.miner(1)];
  try {
    await world.until(FIRST + 1, [miner]);
    assert.equal(miner.lives.length, 2, "it did not die");
    assert.equal(miner.error, undefined);
    checkCoins(world);
    await checkOnce(world, [...miner.lives, validator]);
    await checkWhole(world, FIRST + 1);
    await check(world, miner.lives);
  } finally {
    await world.close(parties);
  }
}

for (const { moment, index } of STATES) {
  Deno.test(`miner killed ${nameOf(moment)} (${index}): it goes on with the same gradient, no window is lost`, async () => {
    await dieAt(index, 20, async (world) => {
      await checkWhole(world, FIRST);
      assert.deepEqual(await missed(world, JOURNAL), []);
    });
  });
}

const indexOf = (name: string) => {
  const index = MOMENTS.findIndex((moment) => nameOf(moment) === name);
  assert(index >= 0, name);
  return index;
};

Deno.test("miner killed between commit and journal, back behind the commit deadline: it reveals all the same", async () => {
  await dieAt(indexOf("after ledger.commit"), 8_500, async (world) => {
    await checkWhole(world, FIRST);
    assert.deepEqual(await missed(world, JOURNAL), []);
  });
});

for (
  const [name, downMs, why] of [
    ["before ledger.commit", 8_500, "its commit"],
    ["before journal.append training", 8_500, "everything, which nothing had begun"],
    ["before ledger.reveal", 3_000, "its reveal"],
    ["after ledger.commit", 11_000, "its reveal"],
  ] as const
) {
  Deno.test(`miner killed ${name}, back after ${downMs} ms: it missed ${why}`, async () => {
    await dieAt(indexOf(name), downMs, async (world) => {
      const { reveals } = await world.ledger.window(FIRST);
      assert.deepEqual(reveals.map(({ uid }) => uid), [1]);
      assert.deepEqual(await missed(world, JOURNAL), [`${FIRST}`]);
    });
  });
}

Deno.test("miner killed behind its reveal: the gradient that it uploaded stays as it is", async () => {
  await dieAt(indexOf("after journal.append revealed"), 20, (_world, [, life]) => {
    const puts = life!.moments.filter(({ call }) => call.startsWith("store.put gradient-1-"));
    assert.deepEqual(puts, []);
    return Promise.resolve();
  });
});
