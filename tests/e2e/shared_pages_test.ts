/**
 * A network whose parties hold no data set: each reads the pages that a window assigns to it from a store.
 *
 * @module
 */
import assert from "node:assert/strict";
import { pageTokens } from "../../enclave/model/presets.ts";
import { type Dataset, datasetRoot } from "../../enclave/protocol/dataset.ts";
import { buildDataset } from "../../host/data/build.ts";
import { openShared, pushDataset } from "../../host/data/shared.ts";
import { LocalStore } from "../../host/store/local.ts";
import type { Store } from "../../host/store/store.ts";
import type { GradientSource } from "../../miner/source.ts";
import { CheapSource } from "../crash/cheap_source.ts";
import { FIRST, MODEL, World, type WorldOptions } from "../crash/world.ts";

interface Shared {
  readonly store: LocalStore;
  readonly dataset: Dataset;
  /** Bytes that were read of the store. */
  readonly read: () => number;
  readonly data: NonNullable<WorldOptions["data"]>;
}

/** A data set of whale-like words in a store. */
async function withShared(body: (shared: Shared) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const words = "the whale and a sea of white men saw ship in boat old captain said to".split(
      " ",
    );
    const text = Array.from({ length: 60_000 }, (_, i) => words[(i * i + 7 * i) % 16]).join(" ");
    await Deno.writeTextFile(`${dir}/text.txt`, text);
    const plan = {
      sources: [`${dir}/text.txt`],
      field: "text",
      tokenizer: "bytes",
      pageTokens: pageTokens(MODEL),
      out: `${dir}/built`,
    };
    const { dataset } = await buildDataset(plan, () => {});
    const store = await LocalStore.open(`${dir}/store`);
    await pushDataset(`${dir}/built`, store, () => {});
    await Deno.remove(`${dir}/built`, { recursive: true });
    let bytes = 0;
    const counted: Store = {
      put: (...args) => store.put(...args),
      get: async (...args) => {
        const found = await store.get(...args);
        bytes += found.length;
        return found;
      },
      head: (key) => store.head(key),
      list: (...args) => store.list(...args),
      delete: (key) => store.delete(key),
    };
    const data = { dataset, open: () => openShared(counted, datasetRoot(dataset)) };
    await body({ store, dataset, read: () => bytes, data });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Says what it was given. */
function watched(): { readonly windows: Set<number>; readonly source: GradientSource } {
  const cheap = new CheapSource(MODEL);
  const windows = new Set<number>();
  const source: GradientSource = {
    name: cheap.name,
    device: cheap.device,
    produce(assignment) {
      windows.add(assignment.window);
      return cheap.produce(assignment);
    },
  };
  return { windows, source };
}

Deno.test("shared pages: miners and a validator play windows with the pages of a store, and read no more of it", () =>
  withShared(async ({ data, dataset, read }) => {
    const world = await World.found({ data });
    const parties = [world.validator(), world.miner(0), world.miner(1)];
    try {
      await world.until(FIRST + 2);
      for (let window = FIRST; window <= FIRST + 2; window++) {
        const { payout, reveals, status } = await world.ledger.window(window);
        assert.equal(status, "closed");
        assert.equal(reveals.length, 2);
        assert(payout!.mergedHash !== null || window > FIRST, "the first window teaches something");
      }
      const whole = 4 * dataset.pageTokens * dataset.pageCount;
      assert(read() < whole / 2, `${read()} of ${whole} bytes were read`);
    } finally {
      await world.close(parties);
    }
  }));

Deno.test("shared pages: no data, no training: the window is missed with its reason, and the next one goes on", () =>
  withShared(async ({ data, store }) => {
    const lines: string[] = [];
    const { source, windows } = watched();
    const world = await World.found({
      data,
      source,
      log: (level, _, message, fields) => {
        if (level === "error") lines.push(`${message}: ${fields?.reason}`);
      },
    });
    const keys = await store.list("dataset/");
    const parts = keys.filter((key) => /\/pages-\d+\.bin$/.test(key));
    const kept = new Map<string, Uint8Array>();
    const miner = world.miner(0);
    const through = (window: number) =>
      world.turns.drive(async () => await world.window() > window);
    try {
      await through(FIRST);
      for (const key of parts) {
        kept.set(key, await store.get(key, { maxBytes: 1 << 26 }));
        await store.delete(key);
      }
      await through(FIRST + 2);
      for (const [key, bytes] of kept) await store.put(key, bytes);
      await through(FIRST + 4);
      assert(windows.has(FIRST) && !windows.has(FIRST + 2) && windows.has(FIRST + 4));
      assert.equal((await world.ledger.window(FIRST + 2)).reveals.length, 0);
      assert(lines.length > 0);
      for (const line of lines) {
        assert.match(line, new RegExp(`^Window failed: Cannot find ${parts[0]}`));
      }
      const steps = await world.steps("miner-0/steps.jsonl");
      const missed = steps.find(({ step, window }) => step === "missed" && window === FIRST + 2);
      assert.match(String(missed!.reason), /^Cannot find dataset/);
    } finally {
      await world.close([miner]);
    }
  }));

Deno.test("shared pages: a store without the data set is refused before anything starts", () =>
  withShared(async ({ data, store }) => {
    for (const key of await store.list("dataset/")) await store.delete(key);
    await assert.rejects(data.open(), { code: "not_found" });
  }));
