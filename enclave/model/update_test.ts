import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  clipFactor,
  mergeUpdates,
  patch,
  type SparseUpdate,
  unpatch,
  updateNorm,
} from "./update.ts";

const f32 = Math.fround;
const bits = (x: Float32Array) => [...new Uint32Array(x.slice().buffer)];
const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: f32(-1e6), max: f32(1e6) });

/** θ and some updates that fit it. */
const cases = fc.array(float, { minLength: 1, maxLength: 40 }).chain((theta) =>
  fc.record({
    theta: fc.constant(Float32Array.from(theta)),
    updates: fc.array(
      fc.uniqueArray(fc.tuple(fc.nat({ max: theta.length - 1 }), float), { selector: ([i]) => i })
        .map((pairs): SparseUpdate => {
          pairs.sort(([i], [j]) => i - j);
          return {
            total: theta.length,
            indices: Uint32Array.from(pairs, ([i]) => i),
            values: Float32Array.from(pairs, ([, v]) => v),
          };
        }),
      { minLength: 1, maxLength: 5 },
    ),
    step: fc.double({ min: 0, max: 10, noNaN: true }),
  })
);

Deno.test("patch, unpatch: undoing in reverse order restores every bit", () => {
  fc.assert(fc.property(cases, ({ theta, updates, step }) => {
    const before = bits(theta);
    const undos = updates.map((update) => patch(theta, update, step));
    for (const undo of undos.toReversed()) unpatch(theta, undo);
    deepEqual(bits(theta), before);
  }));
});

Deno.test("patch: subtracts in float32 where the update names a place, and nowhere else", () => {
  fc.assert(fc.property(cases, ({ theta, updates, step }) => {
    const update = updates[0]!;
    const expected = theta.slice();
    update.indices.forEach((i, k) => {
      expected[i] = f32(f32(theta[i]!) - f32(step * update.values[k]!));
    });
    patch(theta, update, step);
    deepEqual(bits(theta), bits(expected));
  }));
});

Deno.test("unpatch: restores the bits of a NaN and of −0", () => {
  const theta = new Float32Array(2);
  new Uint32Array(theta.buffer).set([0x7fc12345, 0x80000000]);
  const before = bits(theta);
  const update = { total: 2, indices: Uint32Array.of(0, 1), values: Float32Array.of(1, 1) };
  unpatch(theta, patch(theta, update, 1));
  deepEqual(bits(theta), before);
});

Deno.test("mergeUpdates: equals the dense computation that its rule describes", () => {
  fc.assert(fc.property(cases, ({ theta, updates, step }) => {
    const factors = updates.map((_, u) => 1 / (u + 1));
    const sum = new Float32Array(theta.length);
    const named = new Set<number>();
    updates.forEach(({ indices, values }, u) =>
      indices.forEach((i, k) => {
        named.add(i);
        sum[i] = f32(sum[i]! + f32(factors[u]! * values[k]!));
      })
    );
    const expected = theta.slice();
    for (const i of named) {
      expected[i] = f32(theta[i]! - f32(step * f32(sum[i]! / updates.length)));
    }
    equal(mergeUpdates(theta, updates, step, factors), named.size);
    deepEqual(bits(theta), bits(expected));
  }));
});

Deno.test("mergeUpdates: merging one update is patching with it; merging none changes nothing", () => {
  fc.assert(fc.property(cases, ({ theta, updates, step }) => {
    const other = theta.slice();
    mergeUpdates(theta, [], step);
    deepEqual(bits(theta), bits(other));
    mergeUpdates(theta, updates.slice(0, 1), step);
    patch(other, updates[0]!, step);
    deepEqual(bits(theta), bits(other));
  }));
});

Deno.test("patch, mergeUpdates: refuse an update that does not fit, before writing", () => {
  const good = { total: 4, indices: Uint32Array.of(1, 2), values: Float32Array.of(1, 1) };
  const bad: SparseUpdate[] = [
    { ...good, total: 5 },
    { ...good, values: Float32Array.of(1) },
    { ...good, indices: Uint32Array.of(1, 4) },
    { ...good, indices: Uint32Array.of(2, 2) },
    { ...good, indices: Uint32Array.of(2, 1) },
  ];
  const theta = new Float32Array(4);
  for (const update of bad) {
    throws(() => patch(theta, update, 1), RangeError);
    throws(() => mergeUpdates(theta, [good, update], 1), RangeError);
  }
  throws(() => mergeUpdates(theta, [good], 1, []), RangeError);
  deepEqual(theta, new Float32Array(4));
});

Deno.test("updateNorm, clipFactor: bring a longer update down to the bound", () => {
  equal(updateNorm(Float32Array.of(3, 4)), 5);
  equal(updateNorm(new Float32Array(0)), 0);
  equal(clipFactor(5, 10), 1);
  equal(clipFactor(5, 2.5), 0.5);
});
