/**
 * The envelope of a document: COSE_Sign1 (RFC 9052 §4.2), untagged or with tag 18, signed with ES384.
 *
 * @module
 */
import { type Bytes, equal } from "../enclave/protocol/bytes.ts";
import { decodeStrict } from "../enclave/protocol/cbor.ts";
import { ES384_PROTECTED, ES384_SIGNATURE_BYTES, sigStructure } from "../enclave/protocol/cose.ts";
import type { Certificate } from "./certificate.ts";
import { AttestationError, reading } from "./error.ts";
import { verifyEs384 } from "./es384.ts";

/** Most bytes of a whole document. */
export const MAX_DOCUMENT_BYTES = 24_576;
/** Most bytes of the payload. */
export const MAX_PAYLOAD_BYTES = 16_384;

const TAG_18 = 0xd2;
// Array of four at depth 1, the unprotected map at depth 2: five items, and a few so that a filled map is named.
const LIMITS = { maxBytes: MAX_DOCUMENT_BYTES, maxDepth: 2, maxItems: 16 };

/** A document's envelope, taken apart; nothing in it is verified yet. */
export interface CoseSign1 {
  /** The protected header as received: the encoding of `{1: -35}`. */
  readonly protectedHeader: Bytes;
  /** The payload as received, 1 to 16,384 bytes. */
  readonly payload: Bytes;
  /** r ‖ s, 48 bytes each, big endian. */
  readonly signature: Bytes;
}

/**
 * Take an envelope apart.
 *
 * @throws {AttestationError} a code of the CBOR walk, `bad_envelope`, `wrong_algorithm`, `bad_payload` or
 * `bad_signature_length`.
 */
export function parseCoseSign1(document: Uint8Array): CoseSign1 {
  if (document.length > MAX_DOCUMENT_BYTES) {
    throw new AttestationError(
      "too_large",
      `Cannot read the document: ${document.length} bytes are more than ${MAX_DOCUMENT_BYTES}`,
      "document",
    );
  }
  const body = document[0] === TAG_18 ? document.subarray(1) : document;
  const parts = reading("document", () => decodeStrict(body, LIMITS));
  if (!Array.isArray(parts) || parts.length !== 4) {
    throw new AttestationError(
      "bad_envelope",
      "Cannot read the document: it is not a COSE_Sign1 array of four",
      "document",
    );
  }
  const [header, unprotected, payload, signature] = parts as unknown[];
  if (!(header instanceof Uint8Array) || !equal(header, ES384_PROTECTED)) {
    throw new AttestationError(
      "wrong_algorithm",
      "Cannot read the document: its protected header is not exactly {1: -35} (ES384)",
      "protected",
    );
  }
  if (!(unprotected instanceof Map) || unprotected.size !== 0) {
    throw new AttestationError(
      "bad_envelope",
      "Cannot read the document: its unprotected header is not an empty map",
      "unprotected",
    );
  }
  if (
    !(payload instanceof Uint8Array) || payload.length < 1 || payload.length > MAX_PAYLOAD_BYTES
  ) {
    throw new AttestationError(
      "bad_payload",
      `Cannot read the document: its payload is not 1 to ${MAX_PAYLOAD_BYTES} bytes`,
      "payload",
    );
  }
  if (!(signature instanceof Uint8Array) || signature.length !== ES384_SIGNATURE_BYTES) {
    throw new AttestationError(
      "bad_signature_length",
      "Cannot read the document: its signature is not 96 bytes",
      "signature",
    );
  }
  return {
    protectedHeader: header as Bytes,
    payload: payload as Bytes,
    signature: signature as Bytes,
  };
}

/**
 * Verify the signature over the received bytes. A high s is accepted: half of the genuine documents have one,
 * so that a signature is no identity of a document.
 *
 * @throws {AttestationError} `bad_signature` or `bad_key`.
 */
export async function verifyCoseSign1(envelope: CoseSign1, leaf: Certificate): Promise<void> {
  const signed = sigStructure(envelope.protectedHeader, envelope.payload);
  if (!await verifyEs384(leaf, envelope.signature, signed)) {
    throw new AttestationError(
      "bad_signature",
      "Cannot verify the document: its signature does not match the leaf certificate's key",
      "signature",
    );
  }
}
