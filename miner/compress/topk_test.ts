import assert from "node:assert/strict";
import fc from "fast-check";
import { countOf, topK } from "./topk.ts";

/** The same by sorting. */
function naive(values: Float32Array, k: number): number[] {
  return Array.from(values.keys())
    .sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b)
    .slice(0, k)
    .sort((a, b) => a - b);
}

function check(values: Float32Array, k: number): void {
  const update = topK(values, k);
  const want = naive(values, k);
  assert.equal(update.total, values.length);
  assert.deepEqual([...update.indices], want);
  assert.deepEqual([...update.values], want.map((i) => values[i]));
}

const any = fc.float({ noNaN: true, noDefaultInfinity: true });
const few = fc.constantFrom(0, -0, 1, -1, 2, 2 ** -149, -(2 ** -149), 2 ** -126, 3.4028234e38);
const near = fc.integer({ min: -40, max: 40 }).map((units) => 1 + units * 2 ** -23);

Deno.test("topK: agrees with a sort, on ties, zeros, subnormals and close neighbours", () => {
  const values = fc.oneof(
    ...[any, few, near, fc.oneof(any, few, near)].map((one) =>
      fc.array(one, { minLength: 1, maxLength: 200 })
    ),
  );
  fc.assert(
    fc.property(values, fc.nat(), (raw, pick) => {
      const values = Float32Array.from(raw);
      check(values, 1 + pick % values.length);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("topK: all zeros, all alike, and all taken", () => {
  check(new Float32Array(9), 4);
  check(new Float32Array(9).fill(-2), 4);
  check(Float32Array.of(3, -1, 0, 2), 4);
});

Deno.test("topK: reads a view that does not start its buffer", () => {
  check(Float32Array.of(9, 1, -5, 2).subarray(1), 1);
});

Deno.test("topK: refuses infinity and NaN wherever they stand, and a k that is none", () => {
  const negativeNaN = new Float32Array(Uint32Array.of(0xffc0_0001).buffer)[0]!;
  for (const value of [NaN, negativeNaN, Infinity, -Infinity]) {
    for (let at = 0; at < 3; at++) {
      const values = Float32Array.of(1, 2, 3);
      values[at] = value;
      assert.throws(() => topK(values, 1), RangeError);
    }
  }
  for (const k of [0, -1, 4, 1.5, NaN]) {
    assert.throws(() => topK(new Float32Array(3), k), RangeError);
  }
  assert.throws(() => topK(new Float32Array(0), 0), RangeError);
});

Deno.test("countOf: the floor, never none and never more than all", () => {
  assert.equal(countOf(49_252_224, 1), 492_522);
  assert.equal(countOf(50, 1), 1);
  assert.equal(countOf(7, 100), 7);
  for (const percent of [0, -1, 100.1, NaN]) {
    assert.throws(() => countOf(10, percent), RangeError);
  }
  for (const n of [0, -1, 1.5, NaN]) assert.throws(() => countOf(n, 1), RangeError);
});
