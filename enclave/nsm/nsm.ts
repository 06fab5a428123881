/**
 * What the judge asks of a Nitro Secure Module: identity, randomness and time. `/dev/nsm` answers in an
 * enclave, `SimulatedNsm` in the locked-down local process.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";

/** What an attestation document carries for the judge. */
export interface AttestRequest {
  /** The 32-byte Ed25519 key of the judge; 1 to 1,024 bytes. */
  readonly publicKey: Bytes;
  /** The judge's configuration in BCS; 0 to 512 bytes. */
  readonly userData: Bytes;
  /** The asker's challenge, where there is one; 0 to 512 bytes. */
  readonly nonce?: Bytes;
}

/** A Nitro Secure Module. */
export interface Nsm {
  /**
   * A signed attestation document (COSE_Sign1, ES384) over the request.
   *
   * @throws {RangeError} where a field of the request is outside its bounds.
   */
  attest(request: AttestRequest): Promise<{ document: Bytes }>;
  /** `n` random bytes, 1 to 256. @throws {RangeError} otherwise. */
  random(n: number): Bytes;
  /** The clock of the documents, in milliseconds since 1970: the only one that the courier cannot set. */
  now(): number;
}

/** Most bytes of `random` in one call, as the device has it. */
export const MAX_RANDOM_BYTES = 256;

/** Check `request`. @throws {RangeError} where a field is outside what a document can carry. */
export function checkAttestRequest(request: AttestRequest): void {
  within("publicKey", request.publicKey, 1, 1_024);
  within("userData", request.userData, 0, 512);
  if (request.nonce !== undefined) within("nonce", request.nonce, 0, 512);
}

/** Check a length for `random`. @throws {RangeError} where it is not an integer from 1 to 256. */
export function checkRandomLength(n: number): void {
  if (!Number.isInteger(n) || n < 1 || n > MAX_RANDOM_BYTES) {
    throw new RangeError(
      `Cannot draw random bytes as 'n' must be an integer from 1 to ${MAX_RANDOM_BYTES}: ` +
        `current value is ${n}`,
    );
  }
}

function within(name: string, bytes: Bytes, min: number, max: number): void {
  if (bytes.length < min || bytes.length > max) {
    throw new RangeError(
      `Cannot attest as '${name}' must be ${min} to ${max} bytes: it is ${bytes.length}`,
    );
  }
}
