import assert from "node:assert/strict";
import fc from "fast-check";
import {
  DEFAULT_MU_FIXED,
  DEFAULT_SIGMA_FIXED,
  muFromFixed,
  muToFixed,
  sigmaFromFixed,
  sigmaToFixed,
} from "./fixed.ts";

const BIAS = 2n ** 63n;

Deno.test("muToFixed, sigmaToFixed: the defaults are OpenSkill's", () => {
  assert.equal(DEFAULT_MU_FIXED, muToFixed(25));
  assert.equal(DEFAULT_MU_FIXED, 9_223_372_036_879_775_808n);
  assert.equal(DEFAULT_SIGMA_FIXED, sigmaToFixed(25 / 3));
});

Deno.test("muToFixed: rounds down, sigmaToFixed up", () => {
  assert.equal(muToFixed(0.0000019), BIAS + 1n);
  assert.equal(muToFixed(-0.0000011), BIAS - 2n);
  assert.equal(muToFixed(-0), BIAS);
  assert.equal(sigmaToFixed(0.0000011), 2n);
  assert.equal(sigmaToFixed(1e-12), 1n);
});

Deno.test("muToFixed, sigmaToFixed: the way there and back changes nothing", () => {
  const units = fc.bigInt(-(2n ** 50n) + 1n, 2n ** 50n - 1n);
  fc.assert(
    fc.property(fc.oneof(units, fc.bigInt(-100_000_000n, 100_000_000n)), (units) => {
      assert.equal(muToFixed(muFromFixed(BIAS + units)), BIAS + units);
      if (units > 0n) assert.equal(sigmaToFixed(sigmaFromFixed(units)), units);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("muToFixed, sigmaToFixed: lie within a unit on the right side", () => {
  fc.assert(fc.property(fc.double({ min: 1e-6, max: 1000, noNaN: true }), (value) => {
    const mu = muFromFixed(muToFixed(value));
    assert(mu <= value && value - mu < 1.000001e-6);
    const sigma = sigmaFromFixed(sigmaToFixed(value));
    assert(sigma >= value && sigma - value < 1.000001e-6);
  }));
});

Deno.test("muToFixed, sigmaToFixed: refuse what is out of range", () => {
  for (const value of [NaN, Infinity, -Infinity, 1e10, -1e10]) {
    assert.throws(() => muToFixed(value), RangeError);
    assert.throws(() => sigmaToFixed(value), RangeError);
  }
  for (const value of [0, -1]) assert.throws(() => sigmaToFixed(value), RangeError);
  for (const fixed of [0n, 2n ** 64n - 1n, 2n ** 50n + BIAS]) {
    assert.throws(() => muFromFixed(fixed), RangeError);
    assert.throws(() => sigmaFromFixed(fixed), RangeError);
  }
});
