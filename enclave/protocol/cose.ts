/**
 * The part of COSE_Sign1 (RFC 9052 §4.2, §4.4) that a signer and a verifier share, for the one algorithm
 * that Nitro documents use: ES384 (RFC 9053 §2.1), raw r ‖ s of 96 bytes.
 *
 * @module
 */
import { type Bytes, fromHex } from "./bytes.ts";
import { encodeCanonical } from "./cbor.ts";

/** The protected header `{1: -35}`: algorithm ES384, as the bytes inside the byte string. */
export const ES384_PROTECTED: Bytes = fromHex("a1013822");

/** Bytes of an ES384 signature: r and s, 48 each, big endian. */
export const ES384_SIGNATURE_BYTES = 96;

/**
 * The bytes that are signed: Sig_structure `["Signature1", protected, h'', payload]`, with `protectedHeader`
 * and `payload` exactly as they were received.
 */
export function sigStructure(protectedHeader: Uint8Array, payload: Uint8Array): Bytes {
  return encodeCanonical(["Signature1", protectedHeader, new Uint8Array(0), payload]);
}

/**
 * An untagged COSE_Sign1 over `payload`. `sign` gets the Sig_structure and returns r ‖ s (96 bytes), which
 * is what WebCrypto's ECDSA with P-384 and SHA-384 returns.
 *
 * @throws {RangeError} where the signature is not 96 bytes.
 */
export async function encodeCoseSign1(
  payload: Uint8Array,
  sign: (toBeSigned: Bytes) => Promise<Uint8Array>,
): Promise<Bytes> {
  const signature = await sign(sigStructure(ES384_PROTECTED, payload));
  if (signature.length !== ES384_SIGNATURE_BYTES) {
    throw new RangeError(
      `Cannot encode COSE_Sign1 as the signature must be 96 bytes: it is ${signature.length}`,
    );
  }
  return encodeCanonical([ES384_PROTECTED, new Map(), payload, signature]);
}
