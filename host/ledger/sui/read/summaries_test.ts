import assert from "node:assert/strict";
import { LedgerError } from "../../../../enclave/protocol/errors.ts";
import type { WindowView } from "../../ledger.ts";
import { summaryOf } from "../../summary.ts";
import { TestNetwork } from "../../testing.ts";
import { readSummaries } from "./summaries.ts";

Deno.test("readSummaries: passes over windows without a row, and ends where all is pruned", async () => {
  using network = await TestNetwork.found();
  await network.whole(0, [0]);
  const view = await network.ledger.window(0);
  const asked: number[] = [];
  const read = (kept: (window: number) => boolean) => (window: number): Promise<WindowView> => {
    asked.push(window);
    if (kept(window)) return Promise.resolve({ ...view, window });
    return Promise.reject(new LedgerError("round_state", "EUnknownWindow", "no row"));
  };
  const odd = await readSummaries(read((window) => window % 2 === 1), 10, 3);
  assert.deepEqual(odd.map(({ window }) => window), [9, 7, 5]);
  assert.deepEqual(odd[0], { ...summaryOf(view), window: 9 });
  asked.length = 0;
  const late = await readSummaries(read((window) => window > 997), 1_000, 50);
  assert.deepEqual(late.map(({ window }) => window), [1_000, 999, 998]);
  assert.ok(asked.length < 100, "the pruned past is not read window by window");
  assert.deepEqual(await readSummaries(read(() => true), 1, 50).then((rows) => rows.length), 2);
});

Deno.test("readSummaries: what is no refusal of the ledger passes through", async () => {
  await assert.rejects(
    readSummaries(() => Promise.reject(new TypeError("the node is gone")), 5, 5),
    /the node is gone/,
  );
});
