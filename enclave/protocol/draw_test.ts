import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { type Bytes, concat, u32le, u64le, utf8 } from "./bytes.ts";
import { drawDistinct, drawFromBeacon, drawFromSeed, type DrawKind } from "./draw.ts";

const seed = (i: number): Bytes => new Uint8Array(32).fill(i);
/** The first 8 bytes of a SHA-256, little endian, by the runtime's own hash. */
const block = (...parts: Uint8Array[]): bigint =>
  createHash("sha256").update(concat(...parts)).digest().readBigUInt64LE();

Deno.test("drawFromSeed: is SHA-256(seed ‖ counter) mod bound, the counter running on", () => {
  const bounds = [10, 1, 7, 2 ** 20, 1_000_003, 2 ** 40];
  const draw = drawFromSeed(seed(1));
  bounds.forEach((bound, i) =>
    assert.equal(draw(bound), Number(block(seed(1), u32le(i)) % BigInt(bound)))
  );
});

Deno.test("drawFromBeacon: each kind, ledger, window and beacon has a stream of its own", () => {
  const draws = new Set<number>();
  for (const kind of ["random", "slice", "sample", "match"] satisfies DrawKind[]) {
    for (const ledger of [seed(1), seed(2)]) {
      for (const window of [5, 6]) {
        for (const beacon of [seed(3), seed(4)]) {
          const value = drawFromBeacon(kind, ledger, window, beacon)(2 ** 52);
          const tag = utf8(`vramhub/${kind}/v1`);
          const bytes = block(tag, ledger, u64le(window), beacon, u32le(0));
          assert.equal(BigInt(value), bytes % (1n << 52n));
          draws.add(value);
        }
      }
    }
  }
  assert.equal(draws.size, 32);
});

// Just above 2^64 / 2049: 2048 multiples fit, and almost a whole one is left over, so one value in 2,049 is refused.
// No bound below 2^53 is refused more often.
const BOUND = Number((1n << 64n) / 2049n + 1n);

Deno.test("drawFromSeed: a value above the largest multiple of the bound is drawn again", () => {
  const limit = (1n << 64n) / BigInt(BOUND) * BigInt(BOUND);
  let found = 0;
  for (let i = 0; found < 2 && i < 100_000; i++) {
    const key = u32le(i);
    if (block(key, u32le(0)) < limit) continue;
    found++;
    assert.equal(drawFromSeed(key)(BOUND), Number(block(key, u32le(1)) % BigInt(BOUND)));
  }
  assert.equal(found, 2);
});

Deno.test("drawFromSeed: a bound that is no positive integer is a RangeError", () => {
  for (const bound of [0, -1, 1.5, NaN, Infinity, 2 ** 53]) {
    assert.throws(() => drawFromSeed(seed(1))(bound), RangeError, `${bound}`);
  }
});

Deno.test("drawDistinct: different values in range, in the order of the stream", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(60), fc.nat(255), (bound, take, key) => {
      const count = Math.min(take, bound);
      const values = drawDistinct(drawFromSeed(seed(key)), count, bound);
      assert.equal(new Set(values).size, count);
      assert(values.every((value) => Number.isInteger(value) && value >= 0 && value < bound));
      const draw = drawFromSeed(seed(key));
      const naive: number[] = [];
      while (naive.length < count) {
        const next = draw(bound);
        if (!naive.includes(next)) naive.push(next);
      }
      assert.deepEqual(values, naive);
    }),
    { numRuns: 40, seed: 6 },
  );
});

Deno.test("drawDistinct: all of a small range comes out; more than all is a RangeError", () => {
  const all = drawDistinct(drawFromSeed(seed(2)), 8, 8);
  assert.deepEqual(all.toSorted(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.throws(() => drawDistinct(drawFromSeed(seed(2)), 9, 8), RangeError);
});

Deno.test("drawFromSeed: spreads evenly (chi-squared over 16 cells, a fixed stream)", () => {
  const draw = drawFromSeed(seed(9));
  const cells = new Array<number>(16).fill(0);
  for (let i = 0; i < 4_000; i++) cells[draw(16)]!++;
  const chi = cells.reduce((sum, n) => sum + (n - 250) ** 2 / 250, 0);
  assert(chi < 37.7, `chi-squared ${chi} with 15 degrees of freedom`); // p = 0.001
});
