import assert from "node:assert/strict";
import fc from "fast-check";
import { isCopy, overlapOf, type Slice, sliceOf } from "./overlap.ts";

const HPARAMS = { overlap_bps: 9_000, correlation_bps: 9_500 };

function slice(indices: number[], value: (index: number) => number): Slice {
  return { indices: Uint32Array.from(indices), values: Float32Array.from(indices, value) };
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
const wave = (index: number) => Math.sin(index) + 2;

Deno.test("sliceOf: takes about 1/64 of all indices with their values, another part for another salt", () => {
  const total = 64_000;
  const indices = Uint32Array.from({ length: total }, (_, i) => i);
  const update = { total, indices, values: Float32Array.from(indices, (index) => 2 * index) };
  const [a, b] = [sliceOf(update, 1), sliceOf(update, 0xffff_fffe)];
  for (const { indices, values } of [a, b]) {
    assert.ok(indices.length > 900 && indices.length < 1_100);
    assert.deepEqual(values, Float32Array.from(indices, (index) => 2 * index));
    assert.deepEqual(indices, indices.toSorted((x, y) => x - y));
  }
  assert.notDeepEqual(a, b);
  // What an update leaves out of its own slice does not move the rest of it.
  const half = indices.filter((index) => index % 2 === 0);
  const part = sliceOf({ total, indices: half, values: new Float32Array(half) }, 1);
  assert.deepEqual(part.indices, a.indices.filter((index) => index % 2 === 0));
});

Deno.test("overlapOf: shares are of the smaller slice, the cosine of what is shared", () => {
  const a = slice([1, 2, 3, 4], wave);
  const b = slice([2, 4, 9], (index) => -wave(index));
  const { shared, share, cosine } = overlapOf(a, b);
  assert.deepEqual([shared, share], [2, 2 / 3]);
  assert.ok(Math.abs(cosine + 1) < 1e-12);
  assert.deepEqual(overlapOf(a, slice([], wave)), { shared: 0, share: 0, cosine: 0 });
  assert.deepEqual(overlapOf(a, slice([1], () => 0)).cosine, 0);
});

Deno.test("overlapOf: counts as a set does, whichever comes first", () => {
  const set = fc.uniqueArray(fc.nat(60)).map((indices) => indices.sort((x, y) => x - y));
  fc.assert(fc.property(set, set, (x, y) => {
    const [a, b] = [slice(x, wave), slice(y, wave)];
    const forth = overlapOf(a, b);
    assert.equal(forth.shared, new Set(x).intersection(new Set(y)).size);
    assert.deepEqual(forth, overlapOf(b, a));
  }));
});

Deno.test("isCopy: takes shared indices, correlated values, and enough of them", () => {
  const original = slice(upTo(100), wave);
  assert.equal(isCopy(original, slice(upTo(100), (i) => 3 * wave(i)), HPARAMS), true);
  assert.equal(isCopy(original, slice(upTo(100), (i) => -wave(i)), HPARAMS), false);
  assert.equal(isCopy(original, slice(upTo(100).map((i) => i + 10), wave), HPARAMS), false);
  assert.equal(isCopy(original, slice(upTo(100).map((i) => i + 9), wave), HPARAMS), true);
  assert.equal(isCopy(original, slice(upTo(15), wave), HPARAMS), false);
  assert.equal(isCopy(original, slice(upTo(16), wave), HPARAMS), true);
  // 10,001 of 10,000 switches the check off.
  assert.equal(isCopy(original, original, { ...HPARAMS, overlap_bps: 10_001 }), false);
});
