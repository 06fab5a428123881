import assert from "node:assert/strict";
import { Bases } from "../../host/store/bases.ts";
import { checkpointWindows } from "../../host/store/checkpoints.ts";
import { CHUNKS } from "../../host/store/keys.ts";
import { LocalStore } from "../../host/store/local.ts";
import { type Store, StoreError } from "../../host/store/store.ts";
import { FIRST, MODEL, World } from "../crash/world.ts";

const HPARAMS = { retention_windows: 3, checkpoint_frequency: 1 };
const LAST = FIRST + 7;

/** A world that has played through {@link LAST}, and bases that were opened in its first window and asked nothing since. */
async function played(
  aggregates: boolean,
  body: (world: World, store: LocalStore, sleeper: Bases) => Promise<void>,
): Promise<void> {
  const world = await World.found({ hparams: HPARAMS });
  const store = await LocalStore.open(`${world.dir}/store`);
  const sleeper = await Bases.open(world.ledger, store, MODEL);
  const parties = [world.validator(), world.miner(0), world.miner(1)];
  if (aggregates) parties.push(world.aggregator());
  try {
    await world.until(LAST);
    await body(world, store, sleeper);
  } finally {
    await world.close(parties);
  }
}

Deno.test("checkpoints: those past retention_windows are removed, with their chunks, and a newcomer needs none of them", () =>
  played(true, async ({ ledger }, store) => {
    const windows = await checkpointWindows(store);
    const horizon = LAST - HPARAMS.retention_windows;
    assert(windows.filter((window) => window < horizon - 1).length <= 1, windows.join());
    const chunks = await store.list(CHUNKS);
    assert(chunks.length <= windows.length, "one chunk each, and no other");
    const newcomer = await Bases.open(ledger, store, MODEL);
    const running = await ledger.currentWindow();
    const { baseHash } = await ledger.window(running);
    assert.deepEqual((await newcomer.reach(baseHash, running)).hash, baseHash);
  }));

Deno.test("Bases: who slept through what is served goes on from a checkpoint", () =>
  played(true, async ({ ledger }, _, sleeper) => {
    const running = await ledger.currentWindow();
    const { baseHash } = await ledger.window(running);
    const base = await sleeper.reach(baseHash, running);
    assert.deepEqual(base.hash, baseHash);
    assert(sleeper.manifest(baseHash) !== undefined);
  }));

Deno.test("Bases: without a checkpoint, who slept says what is not to be had any more", () =>
  played(false, async ({ ledger }, _, sleeper) => {
    const running = await ledger.currentWindow();
    const { baseHash } = await ledger.window(running);
    await assert.rejects(sleeper.reach(baseHash, running), { code: "not_found" });
  }));

Deno.test("Bases: a store that may be read and not listed has its checkpoint found by the ledger's windows", () =>
  played(true, async ({ ledger }, store) => {
    const unlisted: Store = {
      put: (...args) => store.put(...args),
      get: (...args) => store.get(...args),
      head: (key) => store.head(key),
      list: (prefix) => Promise.reject(new StoreError("denied", prefix, "Listing is denied")),
      delete: (key) => store.delete(key),
    };
    const bases = await Bases.open(ledger, unlisted, MODEL);
    assert(bases.current.manifest.window > FIRST);
  }));

Deno.test("Bases: with a cache, a second start fetches no chunk", () =>
  played(true, async ({ dir, ledger }, store) => {
    const cache = await LocalStore.open(`${dir}/cache`);
    const fetched: string[] = [];
    const counted: Store = {
      put: (...args) => store.put(...args),
      get: (key, options) => {
        if (key.startsWith(CHUNKS)) fetched.push(key);
        return store.get(key, options);
      },
      head: (key) => store.head(key),
      list: (...args) => store.list(...args),
      delete: (key) => store.delete(key),
    };
    const first = await Bases.open(ledger, counted, MODEL, { cache });
    assert.equal(fetched.length, first.current.manifest.chunks.length);
    const second = await Bases.open(ledger, counted, MODEL, { cache });
    assert.deepEqual(second.current.theta, first.current.theta);
    assert.equal(fetched.length, first.current.manifest.chunks.length);
  }));
