import assert from "node:assert/strict";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { datasetRoot } from "../../enclave/protocol/dataset.ts";
import { buildDataset } from "../data/build.ts";
import { pushDataset } from "../data/shared.ts";
import { LocalStore } from "../store/local.ts";
import { Pages } from "../store/pages.ts";
import { type Store, StoreError } from "../store/store.ts";
import { CatalogStore } from "../store/walrus_catalog.ts";
import { WalrusStore } from "../store/walrus.ts";
import { startWalrusStandIn } from "../../tests/support/walrus_standin.ts";
import { openPages } from "./open_pages.ts";

async function withData(
  body: (dir: string, store: LocalStore, pages: Pages) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/text.txt`, "call me ishmael ".repeat(200));
    const plan = {
      sources: [`${dir}/text.txt`],
      field: "text",
      tokenizer: "bytes",
      pageTokens: 33,
      out: `${dir}/built`,
    };
    await buildDataset(plan, () => {});
    await body(dir, await LocalStore.open(`${dir}/store`), await Pages.open(`${dir}/built`));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("openPages: a folder with a tree, one without, and a store give the same pages", () =>
  withData(async (dir, store, whole) => {
    await whole.save(`${dir}/plain`);
    await pushDataset(`${dir}/built`, store, () => {});
    for (const folder of ["built", "plain", "none"].map((name) => `${dir}/${name}`)) {
      using opened = await openPages(folder, store, whole.dataset);
      assert.equal(opened.from, folder.endsWith("none") ? "the store" : folder);
      await opened.pages.load([3, 5]);
      assert.deepEqual(opened.pages.bytes(5), whole.bytes(5));
      assert.deepEqual(opened.pages.proof(5), whole.proof(5));
    }
  }));

Deno.test("openPages: no data and another data set are refused, each with what to do", () =>
  withData(async (dir, store, { dataset }) => {
    await assert.rejects(openPages(`${dir}/none`, store, dataset), {
      name: "ConfigError",
      code: "missing",
      message: /^Cannot find the network's data set, .* not in .*none, .*'deno task dataset build'/,
    });
    const other = { ...dataset, tokenizerHash: new Uint8Array(32) };
    await assert.rejects(openPages(`${dir}/built`, store, other), {
      code: "bad_value",
      message: new RegExp(`its root is ${toHex(datasetRoot(dataset))}`),
    });
    const down: Store = {
      ...store,
      get: (key: string) => Promise.reject(new StoreError("unavailable", key, "It is down")),
    } as unknown as Store;
    await assert.rejects(openPages(`${dir}/none`, down, dataset), { code: "unavailable" });
  }));

Deno.test("openPages: over Walrus (a stand-in) the data set is found by the catalog that its push published", () =>
  withData(async (dir, _, whole) => {
    await using standIn = startWalrusStandIn();
    const { url } = standIn;
    const catalog = `${dir}/walrus.catalog`;
    const options = { publisher: url, aggregator: url, index: `${dir}/index`, catalog };
    using store = await WalrusStore.open(options);
    await pushDataset(`${dir}/built`, store, () => {});
    const reading = WalrusStore.reading({ aggregator: url });
    await assert.rejects(openPages(`${dir}/none`, reading, whole.dataset), { code: "missing" });
    const shared = await CatalogStore.open(reading, [(await Deno.readTextFile(catalog)).trim()]);
    using opened = await openPages(`${dir}/none`, shared, whole.dataset);
    await opened.pages.load([3, 5]);
    assert.deepEqual(opened.pages.bytes(5), whole.bytes(5));
  }));
