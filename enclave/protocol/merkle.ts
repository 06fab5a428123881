/**
 * The data set's Merkle tree. Leaf `SHA-256(0x00 ‖ page)`, node `SHA-256(0x01 ‖ left ‖ right)`, an odd node is
 * promoted unchanged: the tree of RFC 6962 with promotion level by level. A page is a fixed-size run of
 * tokens, u32 little endian.
 *
 * @module
 */
import { type Bytes, equal } from "./bytes.ts";
import { sha256 } from "./hash.ts";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
/** Enough levels for 2^40 pages. */
export const MAX_PROOF = 40;

/** A page's leaf: 32 bytes. */
export function leafHash(page: Uint8Array): Bytes {
  return sha256(LEAF, page);
}

/** The node over two: 32 bytes. */
export function merkleNode(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(NODE, left, right);
}

function levelAbove(level: readonly Bytes[]): Bytes[] {
  const above: Bytes[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const right = level[i + 1];
    above.push(right === undefined ? level[i]! : merkleNode(level[i]!, right));
  }
  return above;
}

/** All levels of the tree, leaves first, the root last. */
export function merkleLevels(leaves: readonly Bytes[]): Bytes[][] {
  if (leaves.length === 0) throw new RangeError("Cannot build a Merkle tree without leaves");
  const levels: Bytes[][] = [[...leaves]];
  while (levels.at(-1)!.length > 1) levels.push(levelAbove(levels.at(-1)!));
  return levels;
}

/** The root of `leaves`. */
export function merkleRoot(leaves: readonly Bytes[]): Bytes {
  return merkleLevels(leaves).at(-1)![0]!;
}

/**
 * The sibling hashes from leaf `index` up; levels where the node is promoted give none.
 *
 * @throws {RangeError} where the tree has no such leaf.
 */
export function merkleProof(levels: readonly (readonly Bytes[])[], index: number): Bytes[] {
  if (levels[0]?.[index] === undefined) {
    throw new RangeError(`Cannot prove leaf ${index}: the tree has ${levels[0]?.length ?? 0}`);
  }
  const proof: Bytes[] = [];
  for (const level of levels.slice(0, -1)) {
    const sibling = level[index ^ 1];
    if (sibling !== undefined) proof.push(sibling);
    index = Math.floor(index / 2);
  }
  return proof;
}

/** Whether `leaf` is number `index` of the `count` leaves under `root`. Index and count are part of what is proven. */
export function verifyMerkle(
  root: Uint8Array,
  count: number,
  index: number,
  leaf: Bytes,
  proof: readonly Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(index)) return false;
  if (index < 0 || index >= count) return false;
  let node = leaf;
  let used = 0;
  for (let width = count; width > 1; width = Math.ceil(width / 2), index = Math.floor(index / 2)) {
    if (index === width - 1 && width % 2 === 1) continue; // promoted
    const sibling = proof[used++];
    if (sibling === undefined || sibling.length !== 32) return false;
    node = index % 2 === 0 ? merkleNode(node, sibling) : merkleNode(sibling, node);
  }
  return used === proof.length && equal(node, root);
}
