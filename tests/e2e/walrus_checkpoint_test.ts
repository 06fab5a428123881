/**
 * A network on Walrus alone (a STAND-IN of publisher and aggregator): miners reveal refs, an aggregator publishes a
 * checkpoint there, and a newcomer that has nothing but the catalog's ref and the ledger reaches the running base: it
 * downloads the checkpoint, then replays the merges since, of gradients that it reads by the refs on the ledger.
 * SCRIPTED is the clock.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openReader, openWalrusReader } from "../../host/cli/open_reader.ts";
import { type OpenStores, openStores } from "../../host/cli/open_store.ts";
import { Aggregator } from "../../host/aggregator.ts";
import { Config, ConfigError } from "../../host/config/mod.ts";
import { Bases } from "../../host/store/bases.ts";
import { checkpointWindows } from "../../host/store/checkpoints.ts";
import { LocalStore } from "../../host/store/local.ts";
import { FIRST, MODEL, VALIDATOR, World } from "../crash/world.ts";
import { startWalrusStandIn } from "../support/walrus_standin.ts";

const LAST = FIRST + 7;

const configOf = (values: Record<string, string>) => new Config([{ name: "a test", values }]);

Deno.test("Walrus: who has a catalog's ref and the ledger downloads a checkpoint, resumes, and replays what was merged since", async () => {
  await using cleanup = new AsyncDisposableStack();
  const standIn = cleanup.use(startWalrusStandIn());
  const dir = await Deno.makeTempDir();
  cleanup.defer(() => Deno.remove(dir, { recursive: true }));
  const open = async (name: string, more: Record<string, string> = {}) => {
    const config = configOf({
      VRAMHUB_STORAGE_BACKEND: "walrus",
      VRAMHUB_WALRUS_AGGREGATOR: standIn.url,
      VRAMHUB_DATA_DIR: `${dir}/${name}`,
      ...more,
    });
    return { config, stores: cleanup.use(await openStores(config)) };
  };
  const writes = { VRAMHUB_WALRUS_PUBLISHER: standIn.url };
  const miners: OpenStores[] = [];
  for (const uid of [0, 1]) miners.push((await open(`miner-${uid}`, writes)).stores);
  const { stores: publishing } = await open("aggregator", writes);
  const reading = configOf({ VRAMHUB_WALRUS_AGGREGATOR: standIn.url });
  const world = await World.found({
    uploads: (uid) => miners[uid]!.write,
    reader: (parts) => openReader(reading, { ...parts, owner: VALIDATOR }),
  });
  const { ledger, turns } = world;
  const parties = [world.validator(), world.miner(0), world.miner(1)];
  cleanup.defer(() => world.close(parties));
  const local = await LocalStore.open(`${world.dir}/store`);

  await world.until(FIRST + 3);
  const published = await world.window();
  const bases = await Bases.open(ledger, local, MODEL);
  const store = publishing.write;
  const clock = { now: () => turns.now(), until: () => Promise.reject(new Error("No waiting")) };
  await new Aggregator({ ledger, store, bases, model: MODEL, clock, log: () => {} })
    .publish(published - published % 2);
  const ref = (await Deno.readTextFile(publishing.catalog!)).trim();
  await world.until(LAST);
  for (const { error } of parties) assert.equal(error, undefined);

  const { config, stores } = await open("newcomer", { VRAMHUB_WALRUS_CATALOG: ref });
  const [checkpoint] = await checkpointWindows(stores.shared);
  assert(checkpoint! > FIRST && checkpoint! < LAST - 1, `${checkpoint}`);
  assert.deepEqual(await stores.write.list(""), [], "it has no index of its own");
  assert((await stores.shared.list("blobs/")).length === 0, "gradients are found by refs alone");
  const cache = await LocalStore.open(`${dir}/cache`);
  const walrus = await openWalrusReader(config, stores.write);
  const newcomer = () => Bases.open(ledger, stores.shared, MODEL, { cache, walrus });
  standIn.fault = "busy";
  await assert.rejects(newcomer(), { code: "unavailable", retryable: true });
  standIn.fault = "none";
  const reached = await newcomer();
  assert.equal(reached.current.manifest.window, checkpoint, "it starts from the checkpoint");
  const running = await world.window();
  const { baseHash } = await ledger.window(running);
  const base = await reached.reach(baseHash, running);
  assert.deepEqual(base.hash, baseHash);
  assert(base.manifest.window > checkpoint!, "and has merged what came after it");
  const right = await bases.reach(baseHash, running);
  assert.deepEqual(base.theta, right.theta);

  const blind = await open("blind");
  const lost = await Bases.open(ledger, blind.stores.shared, MODEL);
  await assert.rejects(lost.reach(baseHash, running), { code: "not_found" });
  await assert.rejects(
    open("wrong", { VRAMHUB_WALRUS_CATALOG: "somewhere" }),
    (error) =>
      error instanceof ConfigError && /VRAMHUB_WALRUS_CATALOG.*walrus:/.test(error.message),
  );
});
