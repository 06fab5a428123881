import assert from "node:assert/strict";
import fc from "fast-check";
import { dealMatches } from "./matches.ts";

const uids = fc.uniqueArray(fc.nat(0xffff), { maxLength: 256 });
/** A draw whose numbers follow from a seed. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}

Deno.test("dealMatches: everybody plays once, in ceil(n / 4) matches of near-equal size", () => {
  fc.assert(fc.property(uids, fc.nat(), (uids, seed) => {
    const matches = dealMatches(uids, seeded(seed));
    assert.equal(matches.length, Math.ceil(uids.length / 4));
    assert.deepEqual(new Set(matches.flat()), new Set(uids));
    assert.equal(matches.flat().length, uids.length);
    const sizes = matches.map((match) => match.length);
    if (sizes.length > 0) assert(Math.max(...sizes) - Math.min(...sizes) <= 1);
    assert(sizes.every((size) => size >= 1 && size <= 4));
  }));
});

Deno.test("dealMatches: the order of the uids does not matter", () => {
  fc.assert(fc.property(uids, fc.nat(), (uids, seed) => {
    assert.deepEqual(
      dealMatches(uids.toReversed(), seeded(seed)),
      dealMatches(uids, seeded(seed)),
    );
  }));
});

Deno.test("dealMatches: a deal worked out by hand", () => {
  // Deck 1 2 3 4 5; draws below 5, 4, 3, 2 give 0, 1, 2, 1: 5 2 3 4 1, then 5 4 3 2 1, then no change twice.
  const draws = [0, 1, 2, 1];
  const bounds: number[] = [];
  const matches = dealMatches([3, 1, 5, 2, 4], (bound) => {
    bounds.push(bound);
    return draws.shift()!;
  });
  assert.deepEqual(bounds, [5, 4, 3, 2]);
  assert.deepEqual(matches, [[5, 3, 1], [4, 2]]);
});

Deno.test("dealMatches: all orders of three are equally likely over all draws", () => {
  const seen = new Map<string, number>();
  for (let a = 0; a < 3; a++) {
    for (let b = 0; b < 2; b++) {
      const draws = [a, b];
      const key = dealMatches([1, 2, 3], () => draws.shift()!).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
  }
  assert.equal(seen.size, 6);
});

Deno.test("dealMatches: refuses bad uids and bad draws", () => {
  for (const uids of [[1, 1], [-1], [65_536], [0.5], [NaN]]) {
    assert.throws(() => dealMatches(uids, () => 0), RangeError);
  }
  for (const value of [-1, 2, 0.5, NaN]) {
    assert.throws(() => dealMatches([1, 2], () => value), RangeError);
  }
});
