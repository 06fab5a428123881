import assert from "node:assert/strict";
import { Bases } from "../../host/store/bases.ts";
import { aggregationKey } from "../../host/store/keys.ts";
import { LocalStore } from "../../host/store/local.ts";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { Life, type Moment, nameOf } from "./faults.ts";
import { FIRST, MODEL, World } from "./world.ts";

/** Windows that a run lasts: checkpoints are due in every second one. */
const LAST = FIRST + 3;

interface Published {
  readonly keys: readonly string[];
  readonly moments: readonly Moment[];
}

/** What an aggregator has published that dies at a moment and comes back after `downMs`. */
async function publish(index: number, downMs: number): Promise<Published> {
  const world = await World.found();
  const aggregator = world.mortal((life) => world.aggregator(life), (_, i) => i === index, {
    downMs,
  });
  const parties = [world.validator(new Life()), world.miner(0), world.miner(1), aggregator];
  try {
    await world.until(LAST, [aggregator]);
    await world.pass(500, [aggregator]);
    assert.equal(aggregator.lives.length, index < 0 ? 1 : 2);
    const store = await LocalStore.open(`${world.dir}/store`);
    const keys = [...await store.list("aggregation-"), ...await store.list("checkpoint-")];
    // Whoever joins finds a checkpoint that leads to the running base.
    const bases = await Bases.open(world.ledger, store, MODEL);
    const window = await world.window();
    const { baseHash } = await world.ledger.window(window);
    assert.equal(toHex((await bases.reach(baseHash, window)).hash), toHex(baseHash));
    assert(bases.current.manifest.window > 0);
    return { keys, moments: aggregator.lives[0]!.moments };
  } finally {
    await world.close(parties);
  }
}

const whole = await publish(-1, 0);
const states = whole.moments.map((moment, index) => ({ moment, index }))
  .filter(({ moment }) => moment.at === "before");
assert(states.length >= 6);

for (const { moment, index } of states) {
  Deno.test(`aggregator killed ${nameOf(moment)}: it publishes what a whole run does`, async () => {
    assert.deepEqual((await publish(index, 20)).keys, whole.keys);
  });
}

Deno.test("aggregator down for two windows: the merges are published, and a checkpoint as soon as it is back", async () => {
  const first = states.findIndex(({ moment }) => moment.call.includes("aggregation-1"));
  const { keys } = await publish(states[first]!.index, 15_000);
  const merges = (all: readonly string[]) => all.filter((key) => key.startsWith("aggregation-"));
  assert.deepEqual(merges(keys), merges(whole.keys));
});

Deno.test("aggregator: removes merges that are kept no longer, and one that starts late does not bring them back", async () => {
  const world = await World.found({ hparams: { retention_windows: 3 } });
  const parties = [world.validator(), world.miner(0), world.miner(1), world.aggregator()];
  try {
    const store = await LocalStore.open(`${world.dir}/store`);
    // It works at the start of a window, and prunes in every second one.
    await world.until(FIRST + 4);
    await world.pass(500);
    const window = await world.window();
    const kept = [3, 4].map(aggregationKey);
    assert.equal(window, 6);
    assert.deepEqual(await store.list("aggregation-"), kept);
    parties.push(world.aggregator());
    await world.pass(500);
    assert.deepEqual(await store.list("aggregation-"), kept);
    assert.deepEqual(parties.map(({ error }) => error), parties.map(() => undefined));
  } finally {
    await world.close(parties);
  }
});
