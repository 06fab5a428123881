/**
 * Roots of trust. The AWS root is pinned by the digest of its certificate; a simulated root is accepted only
 * where the policy names it and brings its bytes.
 *
 * @module
 */
import { type Bytes, equal, toHex } from "../enclave/protocol/bytes.ts";
import { AttestationError } from "./error.ts";

/**
 * SHA-256 of the DER of "AWS Nitro Enclaves Root-G1" (CN=aws.nitro-enclaves, 2019 to 2049). The value that AWS
 * prints beside its download, 8cf60e2b…, is the digest of the zip file.
 */
export const AWS_ROOT_G1_SHA256 =
  "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";

/** Which root a document must hang from. */
export type RootPolicy =
  | { readonly kind: "aws" }
  /** A SIMULATED test root, by its DER: nothing under it proves hardware. */
  | { readonly kind: "simulated"; readonly der: Bytes };

/**
 * Check that `der`, the first certificate of a bundle, is the root of `policy`, byte for byte.
 *
 * @throws {AttestationError} `untrusted_root`.
 */
export async function checkRoot(der: Bytes, policy: RootPolicy): Promise<void> {
  const trusted = policy.kind === "aws"
    ? toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", der))) === AWS_ROOT_G1_SHA256
    : equal(der, policy.der);
  if (!trusted) {
    throw new AttestationError(
      "untrusted_root",
      `Cannot accept the chain: 'cabundle[0]' is not the ${policy.kind} root`,
      "cabundle[0]",
    );
  }
}
