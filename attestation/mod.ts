/**
 * Verification of AWS Nitro Enclaves attestation documents: pure, without I/O, the same in Deno and in a
 * browser. Start at `verify`; README.md says what a document proves and what it does not.
 *
 * @module
 */
export { type Check, CHECKS } from "./checks.ts";
export { checkEd25519Key } from "./ed25519.ts";
export { type AttestationDocument, parseDocument, PCR_BYTES } from "./document.ts";
export { AttestationError } from "./error.ts";
export {
  MAX_MEASUREMENTS,
  MAX_MEASUREMENTS_BYTES,
  parseMeasurements,
  parseUtcTime,
} from "./measurements.ts";
export {
  type ApprovedMeasurement,
  type ApprovedSet,
  DEBUG_MEASUREMENT,
  LEEWAY_MS,
  MAX_AGE_MS,
  type Policy,
  type TimePolicy,
} from "./policy.ts";
export { AWS_ROOT_G1_SHA256, type RootPolicy } from "./roots.ts";
export { MAX_WRAPPED_BYTES, unwrapDocument } from "./unwrap.ts";
export { type Attested, verify } from "./verify.ts";
export type { Bytes } from "../enclave/protocol/bytes.ts";
export { Refusal } from "../enclave/protocol/refusal.ts";
