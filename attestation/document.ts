/**
 * The payload of a Nitro attestation document, read strictly. Reading it proves nothing: `verify` does.
 *
 * @module
 */
import type { Bytes } from "../enclave/protocol/bytes.ts";
import {
  arrayOf,
  asMap,
  bytesUpTo,
  decodeStrict,
  type Kind,
  nullable,
  text,
  uint,
} from "../enclave/protocol/cbor.ts";
import { MAX_PAYLOAD_BYTES, parseCoseSign1 } from "./cose.ts";
import { AttestationError, reading } from "./error.ts";

/** Bytes of a PCR: SHA-384. */
export const PCR_BYTES = 48;
const MAX_PCR_INDEX = 31;
const MAX_CERTIFICATE_BYTES = 1_024;
/** Real bundles hold four. */
const MAX_CABUNDLE = 8;
const MAX_FIELD_BYTES = 1_024;

// NSM has sent maps of indefinite length since 2025. Items: nine pairs, 32 pairs of PCRs, the bundle.
const LIMITS = { maxBytes: MAX_PAYLOAD_BYTES, maxDepth: 2, maxItems: 100, indefiniteMaps: true };

/** What a document says, before anything is verified. */
export interface AttestationDocument {
  /** The module that issued it, e.g. `i-…-enc…`. */
  readonly moduleId: string;
  /** The digest of the PCRs: always `SHA384`. */
  readonly digest: string;
  /** Milliseconds since 1970, by the module's clock. */
  readonly timestamp: number;
  /** Platform configuration registers by index (0 to 31), 48 bytes each. */
  readonly pcrs: ReadonlyMap<number, Bytes>;
  /** The leaf certificate, DER. */
  readonly certificate: Bytes;
  /** The issuing certificates, DER, root first. */
  readonly cabundle: readonly Bytes[];
  /** Null where the document has none. */
  readonly publicKey: Bytes | null;
  /** Null where the document has none; it can be empty. */
  readonly userData: Bytes | null;
  /** Null where the document has none; it can be empty. */
  readonly nonce: Bytes | null;
}

const pcrs: Kind<Map<number, Bytes>> = (value, field) => {
  const bad = (code: string, problem: string) =>
    new AttestationError(code, `Cannot read '${field}': ${problem}`, field);
  if (!(value instanceof Map)) throw bad("wrong_kind", "it is not a map");
  if (value.size === 0) throw bad("wrong_length", "it is empty");
  for (const [index, pcr] of value) {
    if (typeof index !== "number" || index < 0 || index > MAX_PCR_INDEX) {
      throw bad("bad_pcr_index", `an index is not 0 to ${MAX_PCR_INDEX}`);
    }
    if (!(pcr instanceof Uint8Array) || pcr.length !== PCR_BYTES) {
      throw bad("bad_pcr", `PCR${index} is not ${PCR_BYTES} bytes`);
    }
  }
  return value as Map<number, Bytes>;
};

const certificate = bytesUpTo(MAX_CERTIFICATE_BYTES, 1);

const SHAPE = {
  module_id: text(256, 1),
  digest: text(16),
  timestamp: uint(),
  pcrs,
  certificate,
  cabundle: arrayOf(certificate, MAX_CABUNDLE, 1),
  public_key: nullable(bytesUpTo(MAX_FIELD_BYTES, 1)),
  user_data: nullable(bytesUpTo(MAX_FIELD_BYTES)),
  nonce: nullable(bytesUpTo(MAX_FIELD_BYTES)),
};

/** The optional fields: real documents carry null, AWS's grammar also lets them be absent. */
const ABSENT: readonly [string, null][] = [
  ["public_key", null],
  ["user_data", null],
  ["nonce", null],
];

/**
 * Read a payload.
 *
 * @throws {AttestationError} a code of the CBOR walk or of `asMap`, `bad_pcr_index`, `bad_pcr`, `bad_digest` or
 * `bad_timestamp`.
 */
export function parsePayload(payload: Uint8Array): AttestationDocument {
  const fields = reading("payload", () => {
    const decoded = decodeStrict(payload, LIMITS);
    return asMap(decoded instanceof Map ? new Map([...ABSENT, ...decoded]) : decoded, SHAPE);
  });
  if (fields.digest !== "SHA384") {
    throw new AttestationError(
      "bad_digest",
      "Cannot read the document: its digest is not SHA384",
      "digest",
    );
  }
  if (fields.timestamp === 0) {
    throw new AttestationError(
      "bad_timestamp",
      "Cannot read the document: its timestamp is zero",
      "timestamp",
    );
  }
  return {
    moduleId: fields.module_id,
    digest: fields.digest,
    timestamp: fields.timestamp,
    pcrs: fields.pcrs,
    certificate: fields.certificate,
    cabundle: fields.cabundle,
    publicKey: fields.public_key,
    userData: fields.user_data,
    nonce: fields.nonce,
  };
}

/**
 * What `document` claims, UNVERIFIED: for tools that display or compare. Nothing may be decided on it.
 *
 * @throws {AttestationError} where the bytes are not a document.
 */
export function parseDocument(document: Uint8Array): AttestationDocument {
  return parsePayload(parseCoseSign1(document).payload);
}
