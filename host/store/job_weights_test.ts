import assert from "node:assert/strict";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { PRESETS } from "../../enclave/model/presets.ts";
import { encodeManifest } from "../../enclave/protocol/base.ts";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256, tagged } from "../../enclave/protocol/hash.ts";
import { genesisBase, uploadCheckpoint } from "./bases.ts";
import {
  firstOf,
  GENESIS_REF,
  hashOfRef,
  modelOfHash,
  openJobBase,
  putResult,
  readDelivery,
  readWeights,
} from "./job_weights.ts";
import { blobKey, chunkKey, manifestKey } from "./keys.ts";
import { LocalStore } from "./local.ts";
import { type Store, StoreError } from "./store.ts";

const MODEL = PRESETS.tiny;
const GENESIS = genesisBase(MODEL, modelHash(MODEL));
const SPEC = { baseHash: GENESIS.hash, baseRef: manifestKey(GENESIS.manifest.window) };

async function inStore(run: (store: LocalStore) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(await LocalStore.open(dir));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("openJobBase: an uploaded checkpoint, or the first base of the network's model", () =>
  inStore(async (store) => {
    await uploadCheckpoint(store, MODEL, GENESIS);
    for (const spec of [SPEC, { ...SPEC, baseRef: GENESIS_REF }]) {
      const base = await openJobBase(spec, MODEL, firstOf([store]));
      assert.deepEqual(base.bytes, encodeManifest(GENESIS.manifest));
      assert.deepEqual(await readWeights(base), GENESIS.theta);
    }
    const other = { baseHash: sha256(utf8("x")), baseRef: GENESIS_REF };
    await assert.rejects(openJobBase(other, MODEL, firstOf([store])), /not the first one of tiny/);
  }));

Deno.test("openJobBase: refuses another manifest, and a model that this program does not know", () =>
  inStore(async (store) => {
    const foreign = encodeManifest({ ...GENESIS.manifest, modelHash: new Uint8Array(32) });
    await store.put("base", foreign);
    const read = firstOf([store]);
    const spec = { ...SPEC, baseRef: "base" };
    await assert.rejects(openJobBase(spec, MODEL, read), { code: "wrong_hash" });
    const named = { ...spec, baseHash: tagged("vramhub/base/v1", foreign) };
    await assert.rejects(
      openJobBase(named, MODEL, read),
      /this program knows nano-gpt, small, tiny/,
    );
  }));

Deno.test("putResult: by its content, so that it is read back by the ledger's hash; once", () =>
  inStore(async (store) => {
    const base = {
      bytes: encodeManifest(GENESIS.manifest),
      manifest: GENESIS.manifest,
      model: MODEL,
    };
    const theta = GENESIS.theta.map((value) => value + 1);
    const { hash, ref } = await putResult(store, theta, base);
    assert.deepEqual(await putResult(store, theta, base), { hash, ref });
    const read = firstOf([store]);
    const bytes = await readDelivery(read, ref, hash);
    assert.deepEqual(hashOfRef(ref), sha256(bytes));
    const result = await openJobBase({ baseHash: hash, baseRef: ref }, MODEL, read);
    assert.deepEqual(result.manifest.parent, GENESIS.hash);
    assert.deepEqual(await readWeights(result), theta);
  }));

Deno.test("putResult: a store that names objects itself is said so", () =>
  inStore(async (store) => {
    const walrus: Store = {
      put: async (...args) => ({ ...await store.put(...args), ref: "walrus:x" }),
      get: (...args) => store.get(...args),
      head: (key) => store.head(key),
      list: (...args) => store.list(...args),
      delete: (key) => store.delete(key),
    };
    const base = {
      bytes: encodeManifest(GENESIS.manifest),
      manifest: GENESIS.manifest,
      model: MODEL,
    };
    await assert.rejects(putResult(walrus, GENESIS.theta, base), /use a folder or a bucket/);
  }));

Deno.test("firstOf: asks one store after another; one that may have it later tells more", async () => {
  const failing = (code: "not_found" | "unavailable") => ({
    get: (key: string) => Promise.reject(new StoreError(code, key, code)),
  });
  const options = { maxBytes: 1 };
  const having = { get: () => Promise.resolve(utf8("x")) };
  assert.deepEqual(await firstOf([failing("unavailable"), having])("k", options), utf8("x"));
  const both = firstOf([failing("not_found"), failing("unavailable")]);
  await assert.rejects(both("k", options), { code: "unavailable" });
});

Deno.test("hashOfRef, modelOfHash: names by content, models by their graph", () => {
  const hash = sha256(utf8("x"));
  assert.deepEqual([blobKey(hash), chunkKey(hash)].map(hashOfRef), [hash, hash]);
  for (const ref of ["blobs/00", "genesis", "gradients/a", `x/${"0".repeat(64)}`]) {
    assert.equal(hashOfRef(ref), undefined);
  }
  const network = { ...PRESETS.tiny, name: "the network's", layers: 1 };
  for (const model of [MODEL, network]) {
    assert.equal(modelOfHash(modelHash(model), network), model);
  }
  assert.equal(modelOfHash(hash, network), undefined);
});
