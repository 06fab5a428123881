import assert from "node:assert/strict";
import type { Ledger } from "../ledger/ledger.ts";
import { TestNetwork } from "../ledger/testing.ts";
import { WindowIndex } from "./window_index.ts";

const signal = new AbortController().signal;

Deno.test("WindowIndex: knows every window as the ledger has it, however it came to know", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const early = new WindowIndex(ledger);
  await early.refresh();
  for (let window = 0; window < 12; window++) {
    // An empty window closes by itself.
    if (window % 3 === 2) network.at(window + 1);
    else await network.whole(window, [0, 1]);
    if (window % 5 === 0) await early.refresh();
  }
  await early.refresh();
  const late = new WindowIndex(ledger);
  await late.fill(signal);
  const told = await ledger.windows(99, 200);
  assert.deepEqual(late.list(99, 200), told);
  assert.deepEqual(early.list(99, 200), told);
  assert.deepEqual(late.size, { windows: 13, isWhole: true });
  assert.deepEqual(late.list(5, 2).map(({ window }) => window), [4, 3]);
  assert.deepEqual(late.list(0, 5), []);
});

Deno.test("WindowIndex: a curve has no more points than asked for, and loses no emission", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  for (let window = 0; window < 7; window++) await network.whole(window, [0, 1]);
  const index = new WindowIndex(ledger);
  await index.fill(signal);
  for (const points of [2, 3, 5, 8, 100]) {
    const curve = index.curve(points);
    assert.ok(curve.length <= points);
    assert.equal(curve.reduce((sum, { issued }) => sum + issued, 0n), await ledger.issued());
    assert.equal(curve.at(-1)!.window, 7);
  }
});

Deno.test("WindowIndex: what has ended, or did not move, is read once", async () => {
  using network = await TestNetwork.found();
  for (let window = 0; window < 4; window++) await network.whole(window, [0]);
  let reads = 0;
  const ledger = new Proxy(network.ledger, {
    get(target, name) {
      if (name === "window") reads++;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as Ledger;
  const index = new WindowIndex(ledger);
  await index.fill(signal);
  const before = reads;
  for (let i = 0; i < 3; i++) await index.detail(1);
  assert.equal(reads, before);
  for (let i = 0; i < 3; i++) await index.detail(4);
  assert.equal(reads, before + 1, "it is running yet, and nothing moved it");
  network.at(4, 1_000);
  await network.commit(0, 4);
  network.at(4, 8_000);
  await network.reveal(0, 4);
  for (let i = 0; i < 3; i++) assert.equal((await index.detail(4))!.detail.gradients.length, 1);
  assert.equal(reads, before + 2);
  assert.equal(await index.detail(400), null);
});
