import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { concat, toHex, u32le, u64le, utf8 } from "./bytes.ts";
import {
  assignedPages,
  assignmentSeed,
  type Dataset,
  datasetRoot,
  decodeDataset,
  encodeDataset,
  heldOutPages,
  randomPages,
  trainingPages,
} from "./dataset.ts";
import { Refusal } from "./refusal.ts";

const fill = (byte: number) => new Uint8Array(32).fill(byte);
const DATASET: Dataset = {
  pageCount: 1_005,
  pageTokens: 257,
  tokenizerHash: fill(1),
  merkleRoot: fill(2),
};
const sha = (...parts: Uint8Array[]): string =>
  createHash("sha256").update(concat(...parts)).digest("hex");

Deno.test("datasetRoot: is the tag and the four parts, by hand", () => {
  const parts = [u64le(1_005), u32le(257), fill(1), fill(2)];
  assert.equal(encodeDataset(DATASET).length, 76);
  assert.equal(toHex(datasetRoot(DATASET)), sha(utf8("vramhub/dataset/v1"), ...parts));
  for (const change of [{ pageCount: 1_006 }, { pageTokens: 258 }, { tokenizerHash: fill(3) }]) {
    assert.notDeepEqual(datasetRoot({ ...DATASET, ...change }), datasetRoot(DATASET));
  }
});

Deno.test("assignmentSeed: takes the uid as u64le, and the beacon", () => {
  const expected = sha(utf8("vramhub/data/v1"), fill(7), u64le(300), u64le(2_957_300), fill(8));
  assert.equal(toHex(assignmentSeed(fill(7), 300, 2_957_300, fill(8))), expected);
});

Deno.test("trainingPages: all but floor(n / 10)", () => {
  const cases: [number, number][] = [[10, 9], [19, 18], [20, 18], [99, 90], [100, 90]];
  for (const [pages, expected] of cases) assert.equal(trainingPages(pages), expected);
});

Deno.test("assigned, random and held-out pages: distinct, each in its part of the data", () => {
  const beacon = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.integer({ min: 160, max: 3_000 }), fc.nat(255), beacon, (pageCount, uid, b) => {
      const dataset = { ...DATASET, pageCount };
      const border = trainingPages(pageCount);
      const own = assignedPages(dataset, uid, 5, b, 4);
      const random = randomPages(dataset, fill(9), 5, b, 8);
      const held = heldOutPages(dataset, fill(9), 5, b, 16);
      for (const [pages, count] of [[own, 4], [random, 8], [held, 16]] as const) {
        assert.equal(new Set(pages).size, count);
      }
      assert([...own, ...random].every((page) => page >= 0 && page < border));
      assert(held.every((page) => page >= border && page < pageCount));
    }),
    { numRuns: 50, seed: 7 },
  );
});

Deno.test("assignedPages: another uid, window, beacon or data set gets other pages", () => {
  const pages = [
    assignedPages(DATASET, 1, 5, fill(1), 4),
    assignedPages(DATASET, 2, 5, fill(1), 4),
    assignedPages(DATASET, 1, 6, fill(1), 4),
    assignedPages(DATASET, 1, 5, fill(2), 4),
    assignedPages({ ...DATASET, merkleRoot: fill(4) }, 1, 5, fill(1), 4),
  ].map((own) => own.join());
  assert.equal(new Set(pages).size, pages.length);
});

Deno.test("assignedPages and heldOutPages: too small a data set is refused, with the field", () => {
  const small = { ...DATASET, pageCount: 10 };
  assert.equal(assignedPages(small, 1, 5, fill(1), 9).length, 9);
  assert.deepEqual(heldOutPages(small, fill(1), 5, fill(1), 1), [9]);
  for (
    const draw of [
      () => assignedPages(small, 1, 5, fill(1), 10),
      () => randomPages(small, fill(1), 5, fill(1), 10),
      () => heldOutPages(small, fill(1), 5, fill(1), 2),
    ]
  ) {
    assert.throws(draw, (e) => e instanceof Refusal && e.code === "too_few_pages");
  }
});

Deno.test("decodeDataset: fewer than ten pages, or more than 2^53, are refused", () => {
  for (const pageCount of [0, 9]) {
    assert.throws(
      () => decodeDataset(encodeDataset({ ...DATASET, pageCount })),
      (e) => e instanceof Refusal && e.code === "bad_dataset" && e.field === "page_count",
    );
  }
  const wire = encodeDataset(DATASET);
  wire.fill(0xff, 0, 8);
  assert.throws(
    () => decodeDataset(wire),
    (e) => e instanceof Refusal && e.code === "out_of_range",
  );
});
