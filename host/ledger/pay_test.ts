import assert from "node:assert/strict";
import fc from "fast-check";
import {
  emissionAt,
  HALVING_TRIGGER,
  MINING_ALLOCATION,
  ordinal,
  payWeight,
  type Performance,
  split,
} from "./pay.ts";

const GOOD: Performance = {
  mu: 30_000_000,
  sigma: 5_000_000,
  average: 50_000,
  score: 10_000,
  accepted: 2,
};

Deno.test("ordinal: is mu less three sigma", () => {
  assert.equal(ordinal(25_000_000, 8_333_334), -2);
  assert.equal(ordinal(30_000_000, 5_000_000), 15_000_000);
});

Deno.test("payWeight: is ordinal squared times average times score", () => {
  // 15² · 0.05 · 0.01 = 0.1125 in 1e-24
  assert.equal(payWeight(GOOD), 112_500_000_000_000_000_000_000n);
});

Deno.test("payWeight: ordinals count up to 40", () => {
  const capped = payWeight({ ...GOOD, mu: 41_000_000, sigma: 1 });
  assert.equal(capped, 40_000_000n ** 2n * 50_000n * 10_000n);
  assert.equal(payWeight({ ...GOOD, mu: 400_000_000, sigma: 1 }), capped);
});

Deno.test("payWeight: nothing for a first accepted window, or where a factor is not positive", () => {
  const worthless: Partial<Performance>[] = [
    { accepted: 0 },
    { accepted: 1 },
    { mu: 15_000_000 },
    { mu: -1 },
    { average: 0 },
    { average: -1_000_000 },
    { score: 0 },
    { score: -5 },
  ];
  for (const change of worthless) {
    assert.equal(payWeight({ ...GOOD, ...change }), 0n, JSON.stringify(change));
  }
});

Deno.test("emissionAt: halves after 7 M VRAM and ends with the allocation", () => {
  const emission = 70_000_000_000;
  assert.equal(emissionAt(0n, emission), 70_000_000_000n);
  assert.equal(emissionAt(HALVING_TRIGGER - 1n, emission), 70_000_000_000n);
  assert.equal(emissionAt(HALVING_TRIGGER, emission), 35_000_000_000n);
  assert.equal(emissionAt(MINING_ALLOCATION - 5n, emission), 5n);
  assert.equal(emissionAt(MINING_ALLOCATION, emission), 0n);
});

Deno.test("split: is proportional, rounds down, and gives nothing where nobody earned", () => {
  assert.deepEqual(split(100n, [1n, 1n, 1n]), [33n, 33n, 33n]);
  assert.deepEqual(split(100n, [0n, 3n, 1n]), [0n, 75n, 25n]);
  assert.deepEqual(split(100n, [0n, 0n]), [0n, 0n]);
  assert.deepEqual(split(100n, []), []);
});

Deno.test("split: never pays out more than the pot, and wastes less than a unit a row", () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 40n }), { maxLength: 20 });
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), weights, (pot, all) => {
    const paid = split(pot, all).reduce((sum, amount) => sum + amount, 0n);
    const earned = all.some((weight) => weight > 0n);
    assert.ok(paid <= pot && (!earned || paid + BigInt(all.length) > pot));
  }));
});
