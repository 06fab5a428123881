import assert from "node:assert/strict";
import fc from "fast-check";
import { pagesAt } from "./order.ts";

Deno.test("pagesAt: every page once a pass, whatever the rounds", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 40 }),
      (pages, step) => {
        const walked: number[] = [];
        while (walked.length < 2 * pages) walked.push(...pagesAt(pages, walked.length, step));
        assert.deepEqual(walked, pagesAt(pages, 0, walked.length));
        for (const pass of [walked.slice(0, pages), walked.slice(pages, 2 * pages)]) {
          assert.deepEqual(pass.sort((a, b) => a - b), Array.from({ length: pages }, (_, i) => i));
        }
      },
    ),
  );
});

Deno.test("pagesAt: neighbours are far apart, also far along a data set of 2^40 pages", () => {
  const [a, b] = pagesAt(2 ** 40, 2 ** 44, 2) as [number, number];
  assert.ok(Number.isSafeInteger(a) && a < 2 ** 40 && Math.abs(a - b) > 2 ** 38);
});
