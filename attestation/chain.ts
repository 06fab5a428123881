/**
 * The chain of a document: `cabundle` from the root to the leaf's issuer, then the leaf (RFC 5280 §6, for
 * the one kind of chain that a Nitro Secure Module has).
 *
 * @module
 */
import { equal } from "../enclave/protocol/bytes.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import type { AttestationDocument } from "./document.ts";
import { AttestationError } from "./error.ts";
import { verifyEs384 } from "./es384.ts";
import type { Moment } from "./policy.ts";

const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;

/** The certificates of `document`, root first and leaf last, read strictly and not yet verified. */
export function readChain(document: AttestationDocument): Certificate[] {
  return [
    ...document.cabundle.map((der, i) => readCertificate(der, `cabundle[${i}]`)),
    readCertificate(document.certificate, "certificate"),
  ];
}

/**
 * Check the chain's shape and signatures. That its first certificate is the pinned root is `checkRoot`'s part,
 * and when it holds is `checkValidity`'s.
 *
 * @throws {AttestationError} `not_a_ca`, `cannot_sign_certificates`, `path_too_long`, `leaf_is_ca`,
 * `leaf_cannot_sign`, `issuer_mismatch`, `bad_key` or `bad_certificate_signature`.
 */
export async function verifyChain(chain: readonly Certificate[]): Promise<void> {
  const leaf = chain.at(-1)!;
  chain.slice(0, -1).forEach((ca, i) => checkAuthority(ca, chain.length - 2 - i));
  if (leaf.ca) throw refuse("leaf_is_ca", "is a CA, and a leaf must not be", leaf);
  if ((leaf.usages & DIGITAL_SIGNATURE) === 0) {
    throw refuse("leaf_cannot_sign", "lacks digitalSignature", leaf);
  }
  // The root is its own issuer: pinned by its bytes, its signature is checked all the same.
  let issuer = chain[0]!;
  for (const certificate of chain) {
    await checkIssued(certificate, issuer);
    issuer = certificate;
  }
}

/**
 * Check that every certificate is valid at `moment`. After `verifyChain`: of a forgery nobody should read that it
 * has merely expired.
 *
 * @returns the earliest end of validity in the chain, in milliseconds.
 * @throws {AttestationError} `not_yet_valid` or `expired`.
 */
export function checkValidity(chain: readonly Certificate[], moment: Moment): number {
  const { at, leeway } = moment;
  for (const certificate of chain) {
    if (at < certificate.notBefore - leeway) {
      throw refuse("not_yet_valid", "is not valid yet at the time in question", certificate);
    }
    if (at > certificate.notAfter) {
      throw refuse("expired", "has expired at the time in question", certificate);
    }
  }
  return Math.min(...chain.map((certificate) => certificate.notAfter));
}

/** `following` is the number of CAs between this one and the leaf. */
function checkAuthority(ca: Certificate, following: number): void {
  if (!ca.ca) throw refuse("not_a_ca", "issues a certificate and is no CA", ca);
  if ((ca.usages & KEY_CERT_SIGN) === 0) {
    throw refuse("cannot_sign_certificates", "lacks keyCertSign", ca);
  }
  if (following > ca.pathLength) {
    throw refuse("path_too_long", `allows ${ca.pathLength} CAs below and has ${following}`, ca);
  }
}

async function checkIssued(certificate: Certificate, issuer: Certificate): Promise<void> {
  if (!equal(certificate.issuer, issuer.subject)) {
    throw refuse("issuer_mismatch", `does not name '${issuer.field}' as its issuer`, certificate);
  }
  if (!await verifyEs384(issuer, certificate.signature, certificate.tbs)) {
    throw refuse(
      "bad_certificate_signature",
      `has a signature that the key of '${issuer.field}' did not make`,
      certificate,
    );
  }
}

function refuse(code: string, problem: string, certificate: Certificate): AttestationError {
  const { field } = certificate;
  return new AttestationError(code, `Cannot accept the chain: '${field}' ${problem}`, field);
}
