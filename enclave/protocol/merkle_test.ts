import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Bytes, equal, fromHex, toHex, u32le } from "./bytes.ts";
import {
  leafHash,
  MAX_PROOF,
  merkleLevels,
  merkleProof,
  merkleRoot,
  verifyMerkle,
} from "./merkle.ts";

const leavesOf = (count: number): Bytes[] =>
  Array.from({ length: count }, (_, i) => leafHash(u32le(i)));

/** RFC 6962 §2.1 as it stands there: split at the largest power of two below n. */
function rfc6962(pages: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  if (pages.length === 1) return hash.update(Uint8Array.of(0)).update(pages[0]!).digest("hex");
  let k = 1;
  while (2 * k < pages.length) k *= 2;
  return hash.update(Uint8Array.of(1)).update(fromHex(rfc6962(pages.slice(0, k))))
    .update(fromHex(rfc6962(pages.slice(k)))).digest("hex");
}

Deno.test("merkleRoot: is RFC 6962's tree head, for 1 to 33 pages", () => {
  for (let count = 1; count <= 33; count++) {
    const pages = Array.from({ length: count }, (_, i) => u32le(i));
    assert.equal(toHex(merkleRoot(pages.map(leafHash))), rfc6962(pages), `${count} pages`);
  }
  // RFC 6962's usual example: a single empty entry.
  assert.equal(
    toHex(merkleRoot([leafHash(new Uint8Array(0))])),
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  );
});

Deno.test("verifyMerkle: every index of 1 to 33 leaves is proven, and nothing else by its proof", () => {
  for (let count = 1; count <= 33; count++) {
    const leaves = leavesOf(count);
    const levels = merkleLevels(leaves);
    const root = merkleRoot(leaves);
    for (let index = 0; index < count; index++) {
      const proof = merkleProof(levels, index);
      const leaf = leaves[index]!;
      const at = `${index} of ${count}`;
      assert(proof.length <= Math.ceil(Math.log2(count)), at);
      assert(verifyMerkle(root, count, index, leaf, proof), at);
      for (let other = 0; other < count; other++) {
        if (other !== index) assert(!verifyMerkle(root, count, other, leaf, proof), `${at}: index`);
      }
      assert(!verifyMerkle(root, count, index, leafHash(u32le(99)), proof), `${at}: leaf`);
      assert(!verifyMerkle(leafHash(u32le(99)), count, index, leaf, proof), `${at}: root`);
      assert(!verifyMerkle(root, count, index, leaf, [...proof, leaf]), `${at}: longer`);
      if (proof.length > 0) {
        assert(!verifyMerkle(root, count, index, leaf, proof.slice(1)), `${at}: beheaded`);
        assert(!verifyMerkle(root, count, index, leaf, proof.slice(0, -1)), `${at}: cut`);
        const short = [...proof.slice(0, -1), proof.at(-1)!.subarray(0, 31)];
        assert(!verifyMerkle(root, count, index, leaf, short), `${at}: short hash`);
      }
      if (proof.length > 1) {
        assert(!verifyMerkle(root, count, index, leaf, proof.toReversed()), `${at}: reversed`);
      }
    }
  }
});

Deno.test("verifyMerkle: another count is refused where it changes the shape of the path", () => {
  const leaves = leavesOf(7);
  const root = merkleRoot(leaves);
  const last = merkleProof(merkleLevels(leaves), 6);
  for (const count of [1, 2, 3, 4, 5, 6, 8, 9, 16]) {
    assert(!verifyMerkle(root, count, 6, leaves[6]!, last), `${count} leaves`);
  }
});

Deno.test("verifyMerkle: wrong numbers are false, never a loop or a pass", () => {
  const leaf = leavesOf(1)[0]!;
  for (const count of [0, -1, NaN, Infinity, 1.5, 2 ** 53]) {
    assert(!verifyMerkle(leaf, count, 0, leaf, []), `count ${count}`);
  }
  for (const index of [-1, 0.5, NaN, Infinity, 1]) {
    assert(!verifyMerkle(leaf, 1, index, leaf, []), `index ${index}`);
  }
  assert(!verifyMerkle(leaf, 2 ** MAX_PROOF, 0, leaf, []));
});

Deno.test("merkleProof and merkleRoot: a leaf that is not there is a RangeError", () => {
  const levels = merkleLevels(leavesOf(5));
  for (const index of [-1, 5, 0.5, NaN]) {
    assert.throws(() => merkleProof(levels, index), RangeError, `${index}`);
  }
  assert.throws(() => merkleRoot([]), RangeError);
});

Deno.test("leafHash: a node cannot be passed off as a page", () => {
  const [left, right] = leavesOf(2);
  const page = new Uint8Array([...left!, ...right!]);
  assert(!equal(leafHash(page), merkleRoot([left!, right!])));
});
