/**
 * What a caller expects of a document, checked once its signatures hold.
 *
 * @module
 */
import { type Bytes, equal } from "../enclave/protocol/bytes.ts";
import type { AttestationDocument } from "./document.ts";
import { checkEd25519Key } from "./ed25519.ts";
import { AttestationError } from "./error.ts";
import { type ApprovedSet, isDebug, type Moment, type Policy } from "./policy.ts";

/**
 * Refuse debug enclaves, whose memory their host can read, unless the policy allows them by name.
 *
 * @throws {AttestationError} `debug_enclave`.
 */
export function checkDebug(document: AttestationDocument, policy: Policy): void {
  if (isDebug(document.pcrs) && policy.debug !== "allow-by-name") {
    throw new AttestationError(
      "debug_enclave",
      "Cannot accept the document: PCR0, 1 and 2 are zero, the enclave runs in debug mode",
      "pcrs",
    );
  }
}

/**
 * Hold a document to its age.
 *
 * @throws {AttestationError} `stale` or `not_yet_valid`.
 */
export function checkAge({ timestamp }: AttestationDocument, moment: Moment): void {
  if (timestamp > moment.at + moment.leeway) {
    throw new AttestationError(
      "not_yet_valid",
      "Cannot accept the document: its timestamp lies in the future",
      "timestamp",
    );
  }
  if (moment.at - timestamp > moment.maxAge) {
    throw new AttestationError(
      "stale",
      `Cannot accept the document: it is more than ${moment.maxAge} ms old`,
      "timestamp",
    );
  }
}

/**
 * Check nonce, user_data and public_key: their lengths always, their values where the policy names them.
 *
 * @throws {AttestationError} `wrong_length`, `nonce_mismatch`, `user_data_mismatch`, `public_key_mismatch`,
 * `bad_public_key` or `small_order_key`.
 */
export function checkFields(document: AttestationDocument, policy: Policy): void {
  const limit = policy.fieldBytes ?? 512;
  for (const [field, value] of fieldsOf(document)) {
    if (value !== null && value.length > limit) {
      throw new AttestationError(
        "wrong_length",
        `Cannot accept the document: '${field}' is longer than ${limit} bytes`,
        field,
      );
    }
  }
  expect("nonce", policy.nonce, document.nonce);
  expect("user_data", policy.userData, document.userData);
  if (policy.publicKey === undefined) return;
  if (policy.publicKey !== "ed25519") expect("public_key", policy.publicKey, document.publicKey);
  checkEd25519Key(document.publicKey ?? new Uint8Array(0));
}

function fieldsOf(document: AttestationDocument): [string, Bytes | null][] {
  return [["user_data", document.userData], ["nonce", document.nonce]];
}

function expect(field: string, wanted: Uint8Array | undefined, found: Bytes | null): void {
  if (wanted === undefined || (found !== null && equal(wanted, found))) return;
  throw new AttestationError(
    `${field}_mismatch`,
    `Cannot accept the document: its '${field}' is not the expected one`,
    field,
  );
}

/**
 * Find the approved measurement that the PCRs match, by index: an expected PCR that the document lacks does not
 * match.
 *
 * @returns its name.
 * @throws {AttestationError} `unknown_measurement` or `measurement_not_active`.
 */
export function matchMeasurement(
  document: AttestationDocument,
  approved: ApprovedSet,
  { at }: Moment,
): string {
  const matching = approved.filter(({ pcrs }) =>
    [...pcrs].every(([index, wanted]) => {
      const found = document.pcrs.get(index);
      return found !== undefined && equal(found, wanted);
    })
  );
  if (matching.length === 0) {
    throw new AttestationError(
      "unknown_measurement",
      "Cannot accept the document: its PCRs are not those of an approved measurement",
      "pcrs",
    );
  }
  const active = matching.find((m) =>
    at >= (m.notBefore ?? -Infinity) && at <= (m.notAfter ?? Infinity)
  );
  if (active === undefined) {
    throw new AttestationError(
      "measurement_not_active",
      `Cannot accept the document: '${matching[0]!.name}' is not approved at the time in question`,
      "pcrs",
    );
  }
  return active.name;
}
