import assert from "node:assert/strict";
import { TestNetwork } from "../host/ledger/testing.ts";
import { Pages } from "../host/store/pages.ts";
import { LedgerBatches } from "./batches.ts";

Deno.test("LedgerBatches: assigned pages are the ledger's, random ones are others, both the same each time", async () => {
  const network = await TestNetwork.found({ hparams: { randomness_kind: 1, own_pages: 4 } });
  try {
    const { ledger } = network;
    const bytes = new Uint8Array(new Uint32Array(40 * 5).map((_, i) => i).buffer);
    const pages = new Pages(bytes, 5, new Uint8Array(32));
    const { beacon: chain } = await ledger.info();
    const signature = () => assert.fail("the ledger draws");
    const batches = new LedgerBatches({ ledger, pages, beacon: { chain, signature } });
    const window = await ledger.currentWindow();
    const own = await batches.assigned(3, window);
    const other = await batches.random(3, window);
    assert.deepEqual([own.uid, own.window, own.pages.length], [3, window, 4]);
    assert.equal(other.pages.length, 4);
    const firsts = [...own.pages, ...other.pages].map((page) => page[0]!);
    assert.equal(new Set(firsts).size, 8, "none is in both");
    assert.ok(firsts.every((first) => first < 36 * 5), "none is held out");
    assert.deepEqual(await batches.assigned(3, window), own);
    assert.deepEqual(await batches.random(3, window), other);
    assert.notDeepEqual((await batches.assigned(4, window)).pages, own.pages);
  } finally {
    network[Symbol.dispose]();
  }
});
