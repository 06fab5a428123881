import assert from "node:assert/strict";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { leafHash } from "../../enclave/protocol/merkle.ts";
import { Pages } from "../store/pages.ts";
import { PagedData } from "./paged.ts";
import { buildTree } from "./tree.ts";

const TOKENS = 8;
const SIZE = 4 * TOKENS;
const COUNT = 40;
const BYTES = new Uint8Array(SIZE * COUNT).map((_, i) => i % 4 === 0 ? i >> 5 : 0);
const PAGES = new Pages(BYTES, TOKENS, sha256(utf8("bytes")));
const LEAVES = new Uint8Array(32 * COUNT);
for (let i = 0; i < COUNT; i++) LEAVES.set(leafHash(PAGES.bytes(i)), 32 * i);
const TREE = buildTree(LEAVES);

/** Behind ranges, with a cache of `pages` pages; `before` is called for each page that is fetched. */
const open = (pages: number, before: (index: number) => void | Promise<void> = () => {}) =>
  PagedData.open(PAGES.dataset, {
    pages: async (start, length) => {
      await before(start / SIZE);
      return BYTES.slice(start, start + length);
    },
    tree: (start, length) => Promise.resolve(TREE.slice(start, start + length)),
  }, pages * SIZE);

const has = (paged: PagedData, index: number) => {
  try {
    return paged.bytes(index).length === SIZE;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

Deno.test("PagedData: keeps as many pages as it may, those that were asked for last", async () => {
  const fetched: number[] = [];
  const paged = await open(3, (index) => void fetched.push(index));
  await paged.load([1, 2, 3]);
  await paged.load([1]);
  await paged.load([4, 5]);
  assert.deepEqual([1, 2, 3, 4, 5].filter((index) => has(paged, index)), [1, 4, 5]);
  assert.deepEqual(fetched, [1, 2, 3, 4, 5]);
  assert.deepEqual(paged.proof(4), PAGES.proof(4));
  assert.deepEqual(paged.tokens(4), PAGES.tokens(4));
});

Deno.test("PagedData: one load does not take from another what it has asked for", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => release = resolve);
  const paged = await open(0, (index) => index === 9 ? held : undefined);
  await paged.load([1]);
  const slow = paged.load([1, 9]);
  await paged.load([5]);
  assert(has(paged, 1), "asked for by the load that is running");
  release();
  await slow;
  assert(has(paged, 1) && has(paged, 9) && !has(paged, 5));
});
