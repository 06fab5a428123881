import assert from "node:assert/strict";
import { genesisBase, uploadCheckpoint } from "../../host/store/bases.ts";
import { firstOf, GENESIS_REF, openJobBase } from "../../host/store/job_weights.ts";
import { manifestKey } from "../../host/store/keys.ts";
import openMemoryStore from "../support/memory_store.ts";
import { recordedPackage } from "../support/package.ts";

Deno.test("openJobBase: no packaged model, not even the network's own", async () => {
  const { config, hash } = await recordedPackage();
  const own = genesisBase(config, hash);
  const store = openMemoryStore();
  await uploadCheckpoint(store, config, own);
  const spec = { baseHash: own.hash, baseRef: manifestKey(own.manifest.window) };
  for (const named of [spec, { ...spec, baseRef: GENESIS_REF }]) {
    await assert.rejects(openJobBase(named, config, firstOf([store])), {
      name: "BaseError",
      message: /packaged model: jobs train presets alone/,
    });
  }
});
