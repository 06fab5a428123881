/**
 * Who a judge is: what its attestation document's `user_data` says, and how its signatures are checked.
 *
 * @module
 */
import * as ed25519 from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import { BcsWriter } from "./bcs.ts";
import { type Bytes, fromHex } from "./bytes.ts";
import { Refusal } from "./refusal.ts";

ed25519.hashes.sha512 = sha512;

/** The judge's configuration: given once after boot, bound into every document and message. */
export interface JudgeIdentity {
  /** Sui's chain identifier, 32 bytes. */
  readonly chainId: Bytes;
  /** The ledger object, 32 bytes. */
  readonly ledgerId: Bytes;
  /** The validator's slot. */
  readonly validator: number;
  /** The validator's address, 32 bytes. */
  readonly address: Bytes;
}

/** `user_data` of the judge's documents: BCS(tag, chain id, ledger id, uid, address), compared whole. 116 bytes. */
export function userDataOf(identity: JudgeIdentity): Bytes {
  return new BcsWriter().tag("vramhub/enclave/v1").fixed(identity.chainId, 32)
    .fixed(identity.ledgerId, 32).u16(identity.validator).fixed(identity.address, 32).finish();
}

/** The 32 bytes of a Sui address in its `0x…` form. */
export function addressBytes(address: string): Bytes {
  try {
    return fromHex(address, 32);
  } catch {
    throw new Refusal("bad_address", "A Sui address is 0x and 64 hexadecimal digits", "address");
  }
}

/** Ed25519 (RFC 8032, not ZIP 215) over `message`; false for anything that is not a valid signature. */
export function verifySignature(
  signature: Uint8Array,
  message: Uint8Array,
  key: Uint8Array,
): boolean {
  if (signature.length !== 64 || key.length !== 32) return false;
  try {
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false;
  }
}

/** An Ed25519 key pair from 32 bytes of randomness: its public key and a signer. The secret stays in the closure. */
export function keyPairFrom(
  seed: Uint8Array,
): { readonly publicKey: Bytes; readonly sign: (message: Uint8Array) => Bytes } {
  const secret = new Uint8Array(seed);
  return {
    publicKey: new Uint8Array(ed25519.getPublicKey(secret)),
    sign: (message) => new Uint8Array(ed25519.sign(message, secret)),
  };
}
