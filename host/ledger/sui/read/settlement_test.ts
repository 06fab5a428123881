import assert from "node:assert/strict";
import { nextAverage } from "../../../../enclave/protocol/settle.ts";
import { SETTLED } from "../../../../enclave/protocol/verdict.ts";
import type { StateReader } from "../state_reader.ts";
import { readSettlement, type Scores } from "./settlement.ts";

/** A window with one settled row: its average after, and how often the miner was measured before. */
interface Past {
  readonly average: number;
  readonly measured?: number;
  readonly generation?: number;
  readonly rated?: boolean;
  readonly verdict?: number;
}

const RANDOM_BEFORE = 1_000_000;
const LOSSES = { own_before: 1_000_000, own_after: 900_000, random_after: 950_000 };

/** A reader of `past` alone, by window; `record` is the average in the miner's slot. */
function readerOf(past: readonly (Past | null)[], record?: number): StateReader {
  const judgement = (window: number) => {
    const found = past[window];
    return found == null
      ? null
      : { rated: found.rated ?? true, cursor: 1, random_before: RANDOM_BEFORE };
  };
  const chunk = (window: number) => {
    const { average, generation = 1, measured = 1, verdict = SETTLED.accepted } = past[window]!;
    return {
      rows: [{ uid: 3, verdict, ...LOSSES, prior_mu: 1, prior_sigma: 1 }],
      origins: [{ generation, owner: "0x1", average, measured, accepted: 0 }],
    };
  };
  const slot = { generation: 1, slot: { record: { average: record } }, former: [] };
  return {
    entry: (_table: unknown, window: number) => Promise.resolve(judgement(window)),
    entries: (_table: unknown, keys: readonly (number | { window: number })[]) =>
      Promise.resolve(keys.map((key) => typeof key === "number" ? slot : chunk(key.window))),
    inners: () => Promise.resolve([{ seats: {} }]),
  } as unknown as StateReader;
}

async function prior(past: readonly (Past | null)[], record?: number): Promise<number> {
  const window = past.length - 1;
  const judgement = {
    rated: past[window]!.rated ?? true,
    cursor: 1,
    random_before: RANDOM_BEFORE,
    digest: new Uint8Array(32),
  };
  const scores = {} as Scores;
  const settled = await readSettlement(readerOf(past, record), scores, window, judgement as never);
  return settled.records[0]!.priorAverage;
}

Deno.test("readSettlement: the average before comes from where it is known", async () => {
  // nothing was measured before, or nothing in this window
  assert.equal(await prior([{ average: 1_050_000, measured: 0 }]), 1_000_000);
  assert.equal(await prior([{ average: 7, verdict: SETTLED.disputed }]), 7);
  // before the outcome it stands in the slot
  assert.equal(await prior([{ average: 5, rated: false }], 1_234), 1_234);
  // after it, in the window that was settled last; skipped windows and earlier owners count for nothing
  assert.equal(await prior([{ average: 1_111 }, { average: 5 }]), 1_111);
  assert.equal(
    await prior([{ average: 1_111 }, { average: 2, rated: false }, null, { average: 5 }]),
    1_111,
  );
});

Deno.test("readSettlement: an average that lies too far back passes every check of the settlement", async () => {
  const row = { ownBefore: 1_000_000, ownAfter: 900_000, randomAfter: 950_000 };
  for (const before of [0, 1, 999_999, 1_000_000, 1_234_567, 1_999_999, 2_000_000]) {
    const average = nextAverage(before, RANDOM_BEFORE, row);
    const found = await prior([{ average: 1, generation: 9 }, { average }]);
    assert.equal(nextAverage(found, RANDOM_BEFORE, row), average);
    assert.ok(Math.abs(found - before) <= 1, `${before}: ${found}`);
  }
});
