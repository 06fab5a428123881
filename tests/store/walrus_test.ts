/**
 * WalrusStore against a stand-in of the published HTTP interface. Not run here: Walrus itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { testStore } from "../../host/store/testing.ts";
import { isWalrusRef, WalrusStore } from "../../host/store/walrus.ts";
import {
  startWalrusStandIn,
  type WalrusFault,
  type WalrusStandIn,
} from "../support/walrus_standin.ts";

const ANY = { maxBytes: 1 << 20 };

async function withWalrus(
  body: (store: WalrusStore, standIn: WalrusStandIn, index: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await using standIn = startWalrusStandIn();
  try {
    const { url } = standIn;
    const index = `${folder}/index`;
    using store = await WalrusStore.open({
      publisher: url,
      aggregator: url,
      index,
      patienceMs: 1_000,
    });
    await body(store, standIn, index);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

testStore("WalrusStore over a stand-in", (body) => withWalrus((store) => body(store)));

Deno.test("WalrusStore: whoever knows the ref reads the blob, without an index of it", () =>
  withWalrus(async (store, standIn, index) => {
    const { ref, sha256 } = await store.put("gradient-7-3-v1.pt", utf8("a gradient"));
    assert(isWalrusRef(ref), ref);
    using reader = await WalrusStore.open({
      aggregator: standIn.url,
      index: `${index}-of-another`,
    });
    assert.deepEqual(await reader.get(ref, { ...ANY, sha256 }), utf8("a gradient"));
    assert.deepEqual(
      await reader.get(ref, { ...ANY, range: { start: 2, length: 4 } }),
      utf8("grad"),
    );
    assert.equal(await reader.head("gradient-7-3-v1.pt"), undefined);
    await assert.rejects(reader.put("a", utf8("x")), { code: "denied", message: /no Walrus publ/ });
  }));

Deno.test("WalrusStore: its index outlives it, and epochs are asked for", () =>
  withWalrus(async (_, standIn, index) => {
    const { url } = standIn;
    const options = { publisher: url, aggregator: url, index: `${index}-kept` };
    {
      using store = await WalrusStore.open(options);
      await store.put("a", utf8("first"));
      await store.put("b", utf8("second"));
      await store.delete("a");
    }
    using again = await WalrusStore.open({ ...options, epochs: 9 });
    assert.deepEqual(await again.list(""), ["b"]);
    assert.deepEqual(await again.get("b", ANY), utf8("second"));
    await again.put("c", utf8("third"));
    assert.deepEqual([...standIn.epochs.values()], [5, 5, 9]);
  }));

Deno.test("WalrusStore: its index holds no more dead lines than live ones when it is opened", () =>
  withWalrus(async (_, standIn, index) => {
    const { url } = standIn;
    const options = { publisher: url, aggregator: url, index: `${index}-long` };
    {
      using store = await WalrusStore.open(options);
      for (let i = 0; i < 200; i++) await store.put("a", utf8(`${i}`));
      await store.put("b", utf8("kept"));
    }
    const lines = async () => (await Deno.readTextFile(options.index)).trimEnd().split("\n").length;
    assert.equal(await lines(), 201);
    for (let opened = 0; opened < 2; opened++) {
      using store = await WalrusStore.open(options);
      assert.equal(await lines(), 2);
      assert.deepEqual(await store.get("a", ANY), utf8("199"));
      assert.deepEqual(await store.list(""), ["a", "b"]);
    }
  }));

Deno.test("WalrusStore: what an aggregator or a publisher does wrong is typed and bounded", () =>
  withWalrus(async (store, standIn) => {
    await store.put("a", utf8("a blob"));
    const faults: [WalrusFault, string, string][] = [
      ["busy", "unavailable", "unavailable"],
      ["garbage", "wrong_hash", "unavailable"],
      ["redirect", "denied", "denied"],
      ["endless", "too_large", "unavailable"],
      ["forged", "wrong_hash", "unavailable"],
      ["slow", "unavailable", "unavailable"],
      ["not yet", "not_found", "not_found"],
    ];
    for (const [fault, onGet, onPut] of faults) {
      standIn.fault = fault;
      await assert.rejects(store.get("a", { maxBytes: 1 << 10 }), {
        name: "StoreError",
        code: onGet,
      }, fault);
      if (fault === "endless") continue; // its answer to a put is bounded by the same code
      await assert.rejects(store.put("b", utf8("new")), { name: "StoreError", code: onPut }, fault);
    }
    standIn.fault = "none";
    assert.deepEqual(await store.list(""), ["a"]);
    assert.deepEqual(await store.get("a", ANY), utf8("a blob"));
    const tooLarge = store.put("b", new Uint8Array(11 << 20));
    await assert.rejects(tooLarge, { code: "denied", message: /more than the publisher takes/ });
  }));

Deno.test("WalrusStore.open: refuses what is no URL", async () => {
  for (const aggregator of ["", "walrus", "file:///etc/passwd"]) {
    await assert.rejects(WalrusStore.open({ aggregator, index: "never" }), RangeError);
  }
});
