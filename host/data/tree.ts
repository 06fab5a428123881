/**
 * A data set's Merkle tree as a file: all levels one after another, leaves first, 32 bytes a hash. So a reader takes
 * what proves a page by two ranges.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { merkleNode } from "../../enclave/protocol/merkle.ts";

/** Bytes of a hash. */
export const HASH = 32;

/** Number of hashes on each level over `count` leaves, leaves first. */
export function levelWidths(count: number): number[] {
  const widths = [count];
  while (widths.at(-1)! > 1) widths.push(Math.ceil(widths.at(-1)! / 2));
  return widths;
}

/** Bytes of the whole file. */
export function treeBytes(count: number): number {
  return HASH * levelWidths(count).reduce((sum, width) => sum + width, 0);
}

/** The file over `leaves` (their hashes, one after another). Its last hash is the root. */
export function buildTree(leaves: Bytes): Bytes {
  const widths = levelWidths(leaves.length / HASH);
  const tree = new Uint8Array(treeBytes(leaves.length / HASH));
  tree.set(leaves);
  let below = 0;
  let at = leaves.length;
  for (const [level, width] of widths.slice(1).entries()) {
    const widthBelow = widths[level]!;
    for (let i = 0; i < width; i++) {
      const left = hashAt(tree, below + HASH * 2 * i);
      const node = 2 * i + 1 < widthBelow
        ? merkleNode(left, hashAt(tree, below + HASH * (2 * i + 1)))
        : left;
      tree.set(node, at + HASH * i);
    }
    below = at;
    at += HASH * width;
  }
  return tree;
}

/** Where in the file a level begins; 0 are the leaves. */
export function levelOffset(count: number, level: number): number {
  return HASH * levelWidths(count).slice(0, level).reduce((sum, width) => sum + width, 0);
}

function hashAt(tree: Bytes, offset: number): Bytes {
  return tree.subarray(offset, offset + HASH);
}
