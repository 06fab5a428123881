/**
 * ES384 by WebCrypto: ECDSA over P-384 with SHA-384 (FIPS 186-5), for documents and certificates alike.
 *
 * @module
 */
import type { Bytes } from "../enclave/protocol/bytes.ts";
import type { Certificate } from "./certificate.ts";
import { AttestationError } from "./error.ts";

/**
 * Whether `signature` (r ‖ s, 48 bytes each, big endian, low or high s) over `data` is by the key of `signer`.
 *
 * @throws {AttestationError} `bad_key` where the key's point is not on the curve. Runtimes notice that at
 * import or only at the first verification, and throw.
 */
export async function verifyEs384(
  signer: Certificate,
  signature: Bytes,
  data: Bytes,
): Promise<boolean> {
  const { spki, field } = signer;
  try {
    const algorithm = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
    // Stryker disable next-line BooleanLiteral: a public key that never leaves this function, extractable or not
    const key = await crypto.subtle.importKey("spki", spki, algorithm, false, ["verify"]);
    return await crypto.subtle.verify(algorithm, key, signature, data);
  } catch {
    throw new AttestationError(
      "bad_key",
      `Cannot accept the chain: '${field}' has a key that is not a point of P-384`,
      field,
    );
  }
}
