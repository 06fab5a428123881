import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "./bytes.ts";
import { Refusal } from "./refusal.ts";
import type { ReportEntry } from "./report.ts";
import {
  AVERAGE_FLOOR,
  AVERAGE_NEWCOMER,
  AVERAGE_ZERO,
  effectiveAverage,
  lowerMedian,
  nextAverage,
  scoreOf,
  settledDigest,
  type SettledRow,
  settleEntry,
  type Weighted,
} from "./settle.ts";
import { isMeasured, SETTLED, VERDICT } from "./verdict.ts";

const NONE = { ownBefore: null, ownAfter: null, randomAfter: null };
const BEFORE = 11_000_000;
/** A report's entry with `stake` behind it; a number stands for an `ok` with that loss on the random pages. */
function says(stake: number | bigint, what: keyof typeof VERDICT | number): Weighted<ReportEntry> {
  const value = typeof what === "number"
    ? { uid: 1, verdict: VERDICT.ok, ownBefore: BEFORE, ownAfter: what - 5, randomAfter: what }
    : { uid: 1, verdict: VERDICT[what], ...NONE };
  return { value, stake: BigInt(stake) };
}
const settled = (...entries: Weighted<ReportEntry>[]) => settleEntry(entries, BEFORE);

Deno.test("lowerMedian: is the smallest value with half of the stake at or below it", () => {
  const of = (...pairs: [number, number][]) =>
    lowerMedian(pairs.map(([value, stake]) => ({ value, stake: BigInt(stake) })));
  assert.equal(of(), null);
  assert.equal(of([5, 1]), 5);
  assert.equal(of([1, 1], [2, 1]), 1); // exactly half: the lower one
  assert.equal(of([1, 1], [2, 1], [3, 1]), 2);
  assert.equal(of([1, 49], [2, 51]), 2);
  assert.equal(of([1, 50], [2, 50]), 1);
  assert.equal(of([9, 60], [1, 20], [2, 20]), 9);
  assert.equal(of([-3, 1], [-1, 1], [4, 1]), -1);
});

const values = fc.array(
  fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 1, max: 9 })),
  {
    minLength: 1,
    maxLength: 12,
  },
);

Deno.test("lowerMedian: agrees with the plain lower median of each value written out stake times", () => {
  fc.assert(
    fc.property(values, (pairs) => {
      const all = pairs.flatMap(([value, stake]) => new Array<number>(stake).fill(value))
        .sort((a, b) => a - b);
      const plain = all[Math.ceil(all.length / 2) - 1];
      const weighted = pairs.map(([value, stake]) => ({ value, stake: BigInt(stake) }));
      assert.equal(lowerMedian(weighted), plain);
      assert.equal(lowerMedian(weighted.toReversed()), plain);
    }),
    { seed: 1 },
  );
});

Deno.test("lowerMedian: stakes are bigint, far above 2^53", () => {
  const big = 1n << 63n;
  assert.equal(lowerMedian([{ value: 1, stake: big }, { value: 2, stake: big + 1n }]), 2);
  assert.equal(lowerMedian([{ value: 1, stake: big + 1n }, { value: 2, stake: big }]), 1);
});

Deno.test("settleEntry: counts only where more than half of the reporting stake measured it", () => {
  assert.equal(settled(says(50, 10_999_000), says(50, "unavailable")).verdict, VERDICT.unavailable);
  assert.equal(settled(says(51, 10_999_000), says(49, "unavailable")).verdict, SETTLED.accepted);
  assert.equal(settled(says(51, "zero"), says(49, "unavailable")).verdict, VERDICT.zero);
  assert.deepEqual(settled(says(49, 10_999_000), says(51, "unavailable")), {
    verdict: VERDICT.unavailable,
    ...NONE,
  });
  assert.equal(settled().verdict, VERDICT.unavailable);
});

Deno.test("settleEntry: is not_sampled only where more than half of the stake says so", () => {
  assert.equal(settled(says(100, "not_sampled")).verdict, VERDICT.not_sampled);
  assert.equal(settled(says(51, "not_sampled"), says(49, "zero")).verdict, VERDICT.not_sampled);
  const half = settled(says(50, "not_sampled"), says(50, "zero"));
  assert.equal(half.verdict, VERDICT.unavailable);
  assert.equal(settled(says(49, "not_sampled"), says(51, "zero")).verdict, VERDICT.zero);
});

Deno.test("settleEntry: takes the verdict of more than half of the measuring stake, else disputes", () => {
  assert.equal(settled(says(50, "zero"), says(50, "norm")).verdict, SETTLED.disputed);
  assert.equal(settled(says(51, "zero"), says(49, "norm")).verdict, VERDICT.zero);
  assert.deepEqual(settled(says(50, 10_999_000), says(50, "norm")), {
    verdict: SETTLED.disputed,
    ...NONE,
  });
  const three = settled(says(40, "zero"), says(30, "norm"), says(30, "overlap"));
  assert.equal(three.verdict, SETTLED.disputed);
  // 31 of the 60 that measured it: those who abstained do not dilute the majority.
  assert.equal(
    settled(says(31, "zero"), says(29, "norm"), says(40, "unavailable")).verdict,
    VERDICT.zero,
  );
});

Deno.test("settleEntry: metrics are medians over the reports with the settled verdict alone", () => {
  const row = settled(says(30, 10_000_000), says(30, 10_500_000), says(40, "norm"));
  assert.deepEqual(row, {
    verdict: SETTLED.accepted,
    ownBefore: BEFORE,
    ownAfter: 9_999_995,
    randomAfter: 10_000_000,
  });
  assert.deepEqual(settled(says(30, 1), says(70, "duplicate")), {
    verdict: VERDICT.duplicate,
    ...NONE,
  });
  assert.equal(settled(says(60, "overlap"), says(40, 5)).verdict, VERDICT.overlap);
});

Deno.test("settleEntry: a score above 2 units is accepted, below −2 harmful, between not better", () => {
  const expected: [number, keyof typeof SETTLED][] = [
    [1_000, "accepted"],
    [3, "accepted"],
    [2, "not_better"],
    [0, "not_better"],
    [-2, "not_better"],
    [-3, "harmful"],
    [-1_000, "harmful"],
  ];
  for (const [score, name] of expected) {
    assert.equal(settled(says(1, BEFORE - score)).verdict, SETTLED[name], `score ${score}`);
  }
  assert.equal(scoreOf(10, 4), 6);
  assert.equal(scoreOf(null, 4), 0);
  assert.equal(scoreOf(10, null), 0);
});

const what = fc.oneof(
  fc.constantFrom("zero", "norm", "unavailable", "not_sampled", "duplicate"),
  fc.integer({ min: BEFORE - 6, max: BEFORE + 6 }),
);
const jury = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), what), { maxLength: 9 })
  .map((pairs) => pairs.map(([stake, it]) => says(stake, it as never)));

Deno.test("settleEntry: the order of the reports, and the unit of stake, change nothing", () => {
  fc.assert(
    fc.property(jury, fc.nat(1_000), (entries, salt) => {
      const row = settled(...entries);
      const shuffled = entries.map((entry, i) => ({ entry, key: (i * 7919 + salt) % 101 }))
        .sort((a, b) => a.key - b.key).map(({ entry }) => entry);
      assert.deepEqual(settled(...shuffled), row);
      assert.deepEqual(settled(...entries.toReversed()), row);
      const scale = 1_000_000_007n;
      const scaled = entries.map(({ value, stake }) => ({ value, stake: stake * scale }));
      assert.deepEqual(settled(...scaled), row);
    }),
    { numRuns: 200, seed: 2 },
  );
});

Deno.test("settleEntry: agrees with counting heads, one head a unit of stake", () => {
  fc.assert(
    fc.property(jury, (entries) => {
      const heads = entries.flatMap(({ value, stake }) =>
        new Array<ReportEntry>(Number(stake)).fill(value)
      );
      const measured = heads.filter(({ verdict }) => isMeasured(verdict));
      const count = new Map<number, number>();
      for (const { verdict } of measured) count.set(verdict, (count.get(verdict) ?? 0) + 1);
      const [winner, votes] = [...count].sort((a, b) => b[1] - a[1])[0] ?? [0, 0];
      const skipped = heads.filter(({ verdict }) => verdict === VERDICT.not_sampled).length;
      let expected: number;
      if (measured.length <= heads.length / 2) {
        expected = skipped > heads.length / 2 ? VERDICT.not_sampled : VERDICT.unavailable;
      } else if (votes <= measured.length / 2) expected = SETTLED.disputed;
      else if (winner !== VERDICT.ok) expected = winner;
      else {
        const after = measured.filter(({ verdict }) => verdict === VERDICT.ok)
          .map(({ randomAfter }) => randomAfter!).sort((a, b) => a - b);
        const score = BEFORE - after[Math.ceil(after.length / 2) - 1]!;
        expected = score > 2 ? SETTLED.accepted : score < -2 ? SETTLED.harmful : SETTLED.not_better;
      }
      assert.equal(settled(...entries).verdict, expected);
    }),
    { numRuns: 200, seed: 3 },
  );
});

const row = (own: number, random: number) => ({
  ownBefore: BEFORE,
  ownAfter: BEFORE - own,
  randomAfter: BEFORE - random,
});

Deno.test("nextAverage: moves by a twentieth towards the sign of own drop less random drop", () => {
  assert.equal(nextAverage(AVERAGE_ZERO, BEFORE, row(10, 9)), 1_050_000);
  assert.equal(nextAverage(AVERAGE_ZERO, BEFORE, row(9, 9)), AVERAGE_ZERO);
  assert.equal(nextAverage(AVERAGE_ZERO, BEFORE, row(-4, 9)), 950_000);
  assert.equal(nextAverage(1_050_000, BEFORE, row(1, 0)), 1_097_500);
  assert.equal(nextAverage(0, BEFORE, row(0, 1)), 0);
});

Deno.test("nextAverage: stays within −1 … 1 for ever, and comes back to zero from above", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 * AVERAGE_ZERO }), fc.integer(), (average, own) => {
      const next = nextAverage(average, BEFORE, row(own % 1_000, 0));
      assert(Number.isInteger(next) && next >= 0 && next <= 2 * AVERAGE_ZERO);
      const exact = 0.95 * average + 0.05 * (Math.sign(own % 1_000) + 1) * AVERAGE_ZERO;
      assert(Math.abs(next - exact) < 1);
    }),
    { seed: 4 },
  );
  let average = 2 * AVERAGE_ZERO;
  for (let i = 0; i < 400; i++) average = nextAverage(average, BEFORE, row(0, 0));
  assert.equal(average, AVERAGE_ZERO);
});

Deno.test("effectiveAverage: a newcomer counts as at least 0.05 in its first 8 measured windows", () => {
  assert.equal(effectiveAverage(AVERAGE_ZERO, 1), AVERAGE_FLOOR);
  assert.equal(effectiveAverage(0, AVERAGE_NEWCOMER), 50_000);
  assert.equal(effectiveAverage(0, AVERAGE_NEWCOMER + 1), -AVERAGE_ZERO);
  assert.equal(effectiveAverage(1_200_000, 1), 200_000);
  assert.equal(effectiveAverage(1_200_000, 100), 200_000);
});

Deno.test("settledDigest: every part moves it; rows out of order are refused", () => {
  const fill = (byte: number) => new Uint8Array(32).fill(byte);
  const one: SettledRow = {
    uid: 1,
    verdict: SETTLED.accepted,
    ...row(10, 9),
    priorMu: -5,
    priorSigma: 8_333_334,
  };
  const two: SettledRow = { ...one, ...NONE, uid: 2, verdict: VERDICT.zero };
  const digests = [
    settledDigest(fill(1), fill(2), BEFORE, [one, two]),
    settledDigest(fill(3), fill(2), BEFORE, [one, two]),
    settledDigest(fill(1), fill(3), BEFORE, [one, two]),
    settledDigest(fill(1), fill(2), BEFORE + 1, [one, two]),
    settledDigest(fill(1), fill(2), null, [one, two]),
    settledDigest(fill(1), fill(2), BEFORE, [one]),
    ...[
      { uid: 0 },
      { verdict: SETTLED.harmful },
      { ownBefore: 1 },
      { ownAfter: 1 },
      { randomAfter: 1 },
      { priorMu: 5 },
      { priorSigma: 1 },
    ].map((change) => settledDigest(fill(1), fill(2), BEFORE, [{ ...one, ...change }, two])),
  ].map(toHex);
  assert.equal(new Set(digests).size, digests.length);
  assert.throws(
    () => settledDigest(fill(1), fill(2), BEFORE, [two, one]),
    (e) => e instanceof Refusal && e.code === "not_ascending",
  );
});
