/**
 * Checkpoints in a real S3 server that goes away in mid-transfer. Runs where the server has been built.
 *
 * @module
 */
import assert from "node:assert/strict";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { PRESETS } from "../../enclave/model/presets.ts";
import { useNativeSha256 } from "../../host/cli/native.ts";
import { getCheckpoint, putCheckpoint, readManifest } from "../../host/store/checkpoints.ts";
import { Chunks } from "../../host/store/chunks.ts";
import { CHUNKS } from "../../host/store/keys.ts";
import { LocalStore } from "../../host/store/local.ts";
import { S3Store } from "../../host/store/s3.ts";
import { findServer, startServer } from "../support/s3_server.ts";

const program = await findServer();
/** Ten chunks and a rest. */
const MODEL = { ...PRESETS.tiny, vocab: 170_000 };
const ABOUT = { modelHash: new Uint8Array(32).fill(1), parent: new Uint8Array(32), window: 3 };

Deno.test({
  name:
    "checkpoints in S3: a server that is restarted in mid-upload and mid-download costs no chunk that was there",
  ignore: program === undefined,
  async fn() {
    useNativeSha256();
    const dir = await Deno.makeTempDir();
    await using server = await startServer(program!);
    try {
      using store = new S3Store({ ...await server.bucket("base"), patienceMs: 10_000 });
      const theta = genesisWeights(MODEL, ABOUT.modelHash);
      const chunks = Chunks.of(MODEL, theta);
      const manifest = chunks.manifest(ABOUT);
      assert(manifest.chunks.length > 8);

      let asked = 0;
      const cut = putCheckpoint(store, manifest, async (index) => {
        if (++asked === 6) await server.restart();
        return chunks.at(index);
      });
      await cut.catch((error) => assert.equal(error.code, "unavailable"));
      const there = (await store.list(CHUNKS)).length;
      assert(there > 0);
      const rest = await putCheckpoint(store, manifest, (index) => chunks.at(index));
      assert.equal(rest.chunks, manifest.chunks.length - there);
      assert.deepEqual(await readManifest(store, 3), manifest);

      const cache = await LocalStore.open(dir);
      const filling = Chunks.into(MODEL);
      let taken = 0;
      const fetch = () =>
        getCheckpoint(store, manifest, async (index, bytes) => {
          filling.put(index, bytes);
          if (++taken === 4) await server.restart();
        }, cache);
      await fetch().catch((error) => assert.equal(error.code, "unavailable"));
      const held = (await cache.list(CHUNKS)).length;
      assert.equal((await fetch()).chunks, manifest.chunks.length - held);
      assert.deepEqual(filling.finish(), theta);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
