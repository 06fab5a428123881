import assert from "node:assert/strict";
import { aggregationKey, assertKey, blobKey, chunkKey, gradientKey, manifestKey } from "./keys.ts";

Deno.test("keys: the project's objects have the names that its readers know", () => {
  const keys = [
    [gradientKey(2_957_300n, 7), "gradient-2957300-7-v1.pt"],
    [manifestKey(2_957_300), "checkpoint-2957300-v1.manifest"],
    [aggregationKey(2_957_300n), "aggregation-2957300.pt"],
    [blobKey(new Uint8Array(32).fill(0xab)), `blobs/${"ab".repeat(32)}`],
    [chunkKey(new Uint8Array(32).fill(0xab)), `chunks/${"ab".repeat(32)}`],
  ] as const;
  for (const [key, want] of keys) {
    assert.equal(key, want);
    assertKey(key);
  }
});

Deno.test("keys: numbers that are no u64 and hashes of another length are refused", () => {
  for (const number of [-1, 0.5, NaN, 2 ** 64]) {
    assert.throws(() => gradientKey(number, 0), RangeError);
    assert.throws(() => gradientKey(0, number), RangeError);
    assert.throws(() => manifestKey(number), RangeError);
    assert.throws(() => aggregationKey(number), RangeError);
  }
  for (const length of [0, 31, 33]) {
    assert.throws(() => blobKey(new Uint8Array(length)), RangeError);
    assert.throws(() => chunkKey(new Uint8Array(length)), RangeError);
  }
});
