/**
 * The airdrop's leaves: what a list of shares hashes to, before the token generation event and after it.
 *
 * @module
 */
import { type Bytes, fromHex, u64le, utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { addressBytes } from "../../enclave/protocol/identity.ts";
import type { ObjectId, Share } from "./token.ts";

const LEAF = Uint8Array.of(0);

/**
 * A leaf: `SHA-256(0x00 ‖ "vramhub/airdrop/v1" ‖ treasury id ‖ address ‖ amount u64)`. The tree over the leaves
 * is that of the data sets' pages (`enclave/protocol/merkle.ts`).
 *
 * @param treasury the object that mints (`Supply.treasury`), so that a tree is good for one deployment.
 */
export function airdropLeaf(treasury: ObjectId, { to, amount }: Share): Bytes {
  const id = fromHex(treasury.slice(2), 32);
  return sha256(LEAF, utf8("vramhub/airdrop/v1"), id, addressBytes(to), u64le(amount));
}
