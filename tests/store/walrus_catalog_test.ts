/**
 * Catalogs on Walrus, over a stand-in of its publishers and aggregators: what one party published, another finds by key.
 *
 * @module
 */
import assert from "node:assert/strict";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { PRESETS } from "../../enclave/model/presets.ts";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { useNativeSha256 } from "../../host/cli/native.ts";
import {
  checkpointWindows,
  getCheckpoint,
  putCheckpoint,
  readManifest,
} from "../../host/store/checkpoints.ts";
import { Chunks } from "../../host/store/chunks.ts";
import { CHUNKS, completes, isShared, manifestKey } from "../../host/store/keys.ts";
import { LocalStore } from "../../host/store/local.ts";
import { testStore } from "../../host/store/testing.ts";
import { CatalogStore, encodeCatalog } from "../../host/store/walrus_catalog.ts";
import { WalrusStore } from "../../host/store/walrus.ts";
import { startWalrusStandIn, type WalrusStandIn } from "../support/walrus_standin.ts";

const ANY = { maxBytes: 1 << 12 };
/** A dozen chunks and a rest. */
const MODEL = { ...PRESETS.tiny, vocab: 170_000 };
const ABOUT = { modelHash: new Uint8Array(32).fill(1), parent: new Uint8Array(32), window: 3 };
/** Ends what is put before it. */
const LAST = manifestKey(3);

interface Around {
  readonly dir: string;
  readonly standIn: WalrusStandIn;
  /** Publishes. */
  readonly store: WalrusStore;
  /** The ref in the file of {@link store}'s catalog. */
  readonly ref: () => Promise<string>;
  /** Another party, which has no index. */
  readonly other: (...names: string[]) => Promise<CatalogStore>;
}

async function withParties(body: (around: Around) => Promise<void>): Promise<void> {
  useNativeSha256();
  const dir = await Deno.makeTempDir();
  await using standIn = startWalrusStandIn();
  try {
    const { url } = standIn;
    const catalog = `${dir}/catalog`;
    const options = { publisher: url, aggregator: url, index: `${dir}/index`, catalog };
    using store = await WalrusStore.open(options);
    await body({
      dir,
      standIn,
      store,
      ref: async () => (await Deno.readTextFile(catalog)).trim(),
      other: (...names) => CatalogStore.open(WalrusStore.reading({ aggregator: url }), names),
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

testStore("CatalogStore", (body) =>
  withParties(async ({ store }) => {
    const { ref } = await store.put("empty", encodeCatalog([]));
    await store.delete("empty");
    await body(await CatalogStore.open(store, [ref]));
  }));

Deno.test("completes, isShared: manifests and data sets' indices end something; gradients are on the ledger", () => {
  for (const key of [LAST, `dataset/${"ab".repeat(32)}/index.json`]) assert(completes(key), key);
  for (const key of ["checkpoint-3-v1.manifest2", `dataset/x/index.json`, `${CHUNKS}ab`]) {
    assert(!completes(key), key);
  }
  assert(isShared(`${CHUNKS}ab`) && isShared("aggregation-7.pt"));
  assert(!isShared("gradient-7-3-v1.pt") && !isShared("gradient/7/3.bin"));
});

Deno.test("CatalogStore: a checkpoint that was published over Walrus is another party's, cut off and gone on with", () =>
  withParties(async ({ dir, other, ref, standIn, store }) => {
    const theta = genesisWeights(MODEL, ABOUT.modelHash);
    const chunks = Chunks.of(MODEL, theta);
    const manifest = chunks.manifest(ABOUT);
    assert(manifest.chunks.length > 8);
    await store.put("gradient-7-3-v1.pt", utf8("a gradient"));
    await putCheckpoint(store, manifest, (index) => chunks.at(index));

    const shared = await other(await ref());
    assert.deepEqual(await checkpointWindows(shared), [3]);
    assert.deepEqual(await readManifest(shared, 3), manifest);
    assert.equal(await shared.head("gradient-7-3-v1.pt"), undefined, "the ledger has its ref");
    const cache = await LocalStore.open(`${dir}/cache`);
    const filling = Chunks.into(MODEL);
    let taken = 0;
    const fetch = () =>
      getCheckpoint(shared, manifest, (index, bytes) => {
        filling.put(index, bytes);
        if (++taken === 4) standIn.fault = "busy";
      }, cache);
    await assert.rejects(fetch(), { code: "unavailable" });
    standIn.fault = "none";
    const held = (await cache.list(CHUNKS)).length;
    assert(held >= 4 && held < manifest.chunks.length);
    assert.equal((await fetch()).chunks, manifest.chunks.length - held);
    assert.deepEqual(filling.finish(), theta);

    // The next one is listed beside it, with the chunks that both have.
    const changed = theta.slice();
    changed[0]! += 1;
    const next = Chunks.of(MODEL, changed);
    const window = 5;
    const moved = await putCheckpoint(
      store,
      next.manifest({ ...ABOUT, window }),
      (index) => next.at(index),
    );
    assert.equal(moved.chunks, 1, "a delta");
    const later = await other(await ref());
    assert.deepEqual(await checkpointWindows(later), [5, 3]);
    const delta = await getCheckpoint(later, (await readManifest(later, 5))!, () => {}, cache);
    assert.equal(delta.chunks, 1);
  }));

Deno.test("CatalogStore: a URL is followed from one catalog to the next, and what it said last stands while it is gone", () =>
  withParties(async ({ ref, standIn, store }) => {
    let text = "";
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => text === "" ? new Response(null, { status: 503 }) : new Response(text),
    );
    const name = `http://127.0.0.1:${server.addr.port}/walrus.catalog`;
    let now = 0;
    const own = WalrusStore.reading({ aggregator: standIn.url });
    const open = () => CatalogStore.open(own, [name], () => now);
    await assert.rejects(open(), { code: "unavailable", message: /status 503/ });
    text = "<html>";
    await assert.rejects(open(), { code: "denied", message: /gives no walrus:/ });
    text = "x".repeat(1_000);
    await assert.rejects(open(), { code: "unavailable", message: /more than 256 bytes/ });

    await store.put("aggregation-1.pt", utf8("first"));
    await store.put(LAST, utf8("a manifest"));
    text = `${await ref()}\n`;
    const shared = await open();
    assert.deepEqual(await shared.list(""), ["aggregation-1.pt", LAST]);
    await store.put("aggregation-2.pt", utf8("second"));
    await store.put(manifestKey(4), utf8("another"));
    text = "";
    now += 61_000;
    assert.deepEqual(await shared.list(""), ["aggregation-1.pt", LAST]);
    text = await ref();
    await assert.rejects(shared.get("aggregation-2.pt", ANY), { code: "not_found" });
    now += 61_000;
    assert.deepEqual(await shared.get("aggregation-2.pt", ANY), utf8("second"));
    assert.deepEqual(await shared.list("aggregation-", { limit: 1 }), ["aggregation-1.pt"]);
  }));

Deno.test("CatalogStore: a catalog that lies is no worse than one that is not there", () =>
  withParties(async ({ other, ref, standIn, store }) => {
    const { ref: right } = await store.put("aggregation-1.pt", utf8("right"));
    const { ref: wrong } = await store.put("aggregation-2.pt", utf8("wrong"));
    await store.put(LAST, utf8("a manifest"));
    const honest = await ref();
    const lie = async (blob: string, size = 5, sha256 = "00".repeat(32)) => {
      const entry = { key: "aggregation-1.pt", blob: blob.slice("walrus:".length), size, sha256 };
      return (await store.put("lie", encodeCatalog([entry]))).ref;
    };
    const nowhere = `walrus:${"A".repeat(43)}`;
    for (const lying of [await lie(wrong), await lie(nowhere), await lie(right, 1 << 30)]) {
      const alone = await other(lying);
      await assert.rejects(alone.get("aggregation-1.pt", ANY), { name: "StoreError" });
      const both = await other(lying, honest);
      assert.deepEqual(await both.get("aggregation-1.pt", ANY), utf8("right"));
    }
    for (const content of ["", "{}", '{"format":"vramhub/walrus-catalog/v1","entries":[{}]}']) {
      const { ref: garbage } = await store.put("lie", utf8(content));
      await assert.rejects(other(garbage), { code: "denied", message: /as a catalog/ }, content);
    }
    await assert.rejects(other(nowhere), { code: "not_found" });
    await assert.rejects(other("walrus:short"), RangeError);
    standIn.fault = "endless";
    await assert.rejects(other(honest), { code: "too_large" });
  }));

Deno.test("WalrusStore: where the catalog cannot be published, the manifest is not put, and both can be tried again", () =>
  withParties(async ({ dir, ref, standIn, store }) => {
    await store.put("aggregation-1.pt", utf8("first"));
    standIn.fault = "busy";
    await assert.rejects(store.put(LAST, utf8("a manifest")), { code: "unavailable" });
    assert.equal(await store.head(LAST), undefined);
    await assert.rejects(Deno.stat(`${dir}/catalog`), Deno.errors.NotFound);
    standIn.fault = "none";
    await store.put(LAST, utf8("a manifest"));
    assert.match(await ref(), /^walrus:[A-Za-z0-9_-]{43}$/);
  }));
