import assert from "node:assert/strict";
import { summaryOf } from "../summary.ts";
import { TestNetwork } from "../testing.ts";

Deno.test("windows: each summary is that of the window's view, newest first", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.whole(0, [0, 1]);
  await network.whole(1, [0, 1, 2], {
    measure: (uid) => uid === 2 ? { randomAfter: 2_000_000 } : {},
  });
  await network.play(2, [0]);
  network.at(4); // nobody reported: skipped
  await ledger.close(2);
  await network.play(4, [1]);
  const listed = await ledger.windows(99, 200);
  assert.deepEqual(listed.map(({ window }) => window), [5, 4, 3, 2, 1, 0]);
  for (const summary of listed) {
    assert.deepEqual(summary, summaryOf(await ledger.window(summary.window)));
  }
  assert.deepEqual(listed.find(({ window }) => window === 1)!.accepted, 2);
  assert.deepEqual((await ledger.windows(2, 1)).map(({ window }) => window), [1]);
});

Deno.test("windows: refuses pages that no ledger gives", async () => {
  using network = await TestNetwork.found();
  for (const [before, limit] of [[0.5, 1], [1, 0], [1, 201], [1, 1.5]] as const) {
    await assert.rejects(network.ledger.windows(before, limit), RangeError);
  }
});
