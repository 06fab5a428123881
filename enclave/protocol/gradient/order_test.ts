import assert from "node:assert/strict";
import fc from "fast-check";
import { sortPairs } from "./order.ts";

Deno.test("sortPairs: agrees with a stable sort, at every width of index", () => {
  const pair = fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff));
  fc.assert(
    fc.property(
      fc.array(pair),
      fc.constantFrom(1, 2, 2048, 2049, 2 ** 22, 2 ** 32),
      (raw, bound) => {
        const pairs = raw.map(([index, half]) => [index % bound, half] as const);
        const sorted = sortPairs({
          indices: Uint32Array.from(pairs, ([index]) => index),
          halves: Uint16Array.from(pairs, ([, half]) => half),
        }, bound);
        const want = pairs.toSorted(([a], [b]) => a - b);
        assert.deepEqual([...sorted.indices], want.map(([index]) => index));
        assert.deepEqual([...sorted.halves], want.map(([, half]) => half));
      },
    ),
  );
});
