import assert from "node:assert/strict";
import fc from "fast-check";
import { DEFAULT_HPARAMS } from "./hparams.ts";
import { deadlines, type Epoch, epochAt, windowAt, windowStart } from "./window.ts";

const GENESIS: Epoch = { firstWindow: 0, startMs: 0, windowMs: 600_000 };
/** Windows of ten minutes until window 5 starts, of one minute until 20 starts, of an hour from then on. */
const CHANGED: Epoch[] = [
  GENESIS,
  { firstWindow: 5, startMs: 3_000_000, windowMs: 60_000 },
  { firstWindow: 20, startMs: 3_900_000, windowMs: 3_600_000 },
];

Deno.test("windowAt: is floor(now / 600000) by default, as the seeds have it", () => {
  for (const now of [0, 599_999, 600_000, 1_774_380_000_000, 1_774_380_599_999]) {
    assert.equal(windowAt([GENESIS], now), Math.floor(now / 600_000));
  }
  assert.equal(windowAt([GENESIS], 1_774_380_000_000), 2_957_300);
  assert.equal(windowAt([{ ...GENESIS, startMs: 1_000 }], 999), -1);
});

Deno.test("windowAt: an epoch begins at its very millisecond", () => {
  const expected: [number, number][] = [
    [2_999_999, 4],
    [3_000_000, 5],
    [3_059_999, 5],
    [3_060_000, 6],
    [3_899_999, 19],
    [3_900_000, 20],
    [7_499_999, 20],
    [7_500_000, 21],
  ];
  for (const [now, window] of expected) assert.equal(windowAt(CHANGED, now), window, `${now}`);
  assert.equal(epochAt(CHANGED, 2_999_999), CHANGED[0]);
  assert.equal(epochAt(CHANGED, 3_000_000), CHANGED[1]);
  assert.equal(epochAt(CHANGED, -1), CHANGED[0]);
});

Deno.test("windowStart: is the first moment of its window, in every epoch", () => {
  fc.assert(
    fc.property(fc.nat(200), (window) => {
      const start = windowStart(CHANGED, window);
      assert.equal(windowAt(CHANGED, start), window);
      if (window > 0) assert.equal(windowAt(CHANGED, start - 1), window - 1);
    }),
    { seed: 4 },
  );
});

Deno.test("windowAt and windowStart: without an epoch there is no time", () => {
  assert.throws(() => windowAt([], 0), RangeError);
  assert.throws(() => epochAt([], 0), RangeError);
  assert.throws(() => windowStart([], 0), RangeError);
});

Deno.test("deadlines: commits and reveals in N, reports and outcomes in N+1", () => {
  assert.deepEqual(deadlines([GENESIS], 3, DEFAULT_HPARAMS), {
    start: 1_800_000,
    commit: 2_280_000,
    reveal: 2_370_000,
    end: 2_400_000,
    report: 2_760_000,
    outcome: 2_940_000,
  });
});

Deno.test("deadlines: a change of length counts from the window that it begins with", () => {
  // N = 4 is the last long window: its own deadlines lie in 600,000 ms, what N+1 = 5 holds in 60,000 ms.
  assert.deepEqual(deadlines(CHANGED, 4, DEFAULT_HPARAMS), {
    start: 2_400_000,
    commit: 2_880_000,
    reveal: 2_970_000,
    end: 3_000_000,
    report: 3_036_000,
    outcome: 3_054_000,
  });
  assert.deepEqual(deadlines(CHANGED, 19, DEFAULT_HPARAMS), {
    start: 3_840_000,
    commit: 3_888_000,
    reveal: 3_897_000,
    end: 3_900_000,
    report: 6_060_000,
    outcome: 7_140_000,
  });
});

Deno.test("deadlines: are floored, in order, and end before N+1 does", () => {
  const hparams = fc.record({
    window_ms: fc.integer({ min: 200, max: 604_800_000 }),
    reveal_bps: fc.integer({ min: 2, max: 10_000 }),
    outcome_bps: fc.integer({ min: 2, max: 10_000 }),
  });
  fc.assert(
    fc.property(hparams, fc.nat(10_000), ({ window_ms, reveal_bps, outcome_bps }, window) => {
      const epochs = [{ ...GENESIS, windowMs: window_ms }];
      const at = deadlines(epochs, window, {
        ...DEFAULT_HPARAMS,
        window_ms,
        reveal_bps,
        outcome_bps,
        commit_bps: reveal_bps - 1,
        report_bps: outcome_bps - 1,
      });
      assert.equal(at.reveal, at.start + Math.floor(window_ms * reveal_bps / 10_000));
      assert.equal(at.report, at.end + Math.floor(window_ms * (outcome_bps - 1) / 10_000));
      assert(at.start <= at.commit && at.commit <= at.reveal && at.reveal <= at.end);
      assert(at.end <= at.report && at.report <= at.outcome && at.outcome <= at.end + window_ms);
    }),
    { seed: 5 },
  );
});
