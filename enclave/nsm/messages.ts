/**
 * What is said to a Nitro Secure Module: CBOR in both directions, as the crate `aws-nitro-enclaves-nsm-api`
 * (`src/api/mod.rs`) defines it. A request without fields is its name as text; one with fields, and every
 * response, is a map of one entry, from its name to its fields.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import {
  arrayOf,
  asMap,
  bool,
  bytesUpTo,
  decodeStrict,
  encodeCanonical,
  type Infer,
  mapOf,
  type Shape,
  text,
  uint,
} from "../protocol/cbor.ts";
import { Refusal } from "../protocol/refusal.ts";

/** Most bytes of a request: `NSM_REQUEST_MAX_SIZE` of the driver. */
export const MAX_REQUEST = 0x1000;
/** Most bytes of a response: `NSM_RESPONSE_MAX_SIZE` of the driver. */
export const MAX_RESPONSE = 0x3000;

const LIMITS = { maxBytes: MAX_RESPONSE, maxDepth: 3, maxItems: 256, indefiniteMaps: true };

/** What a request of the module can answer; the names are the API's. */
export const RESPONSES = {
  Attestation: { document: bytesUpTo(MAX_RESPONSE, 1) },
  DescribeNSM: {
    version_major: uint(0xffff),
    version_minor: uint(0xffff),
    version_patch: uint(0xffff),
    module_id: text(256, 1),
    max_pcrs: uint(32),
    locked_pcrs: arrayOf(uint(31), 32),
    digest: text(6, 6),
  },
  DescribePCR: { lock: bool, data: bytesUpTo(64, 32) },
  GetRandom: { random: bytesUpTo(256, 1) },
} satisfies Readonly<Record<string, Shape>>;

/** The name of a request and of its response. */
export type NsmRequest = keyof typeof RESPONSES;

/** Why the module did not answer. */
export class NsmError extends Error {
  /**
   * The API's own code (`InvalidArgument`, `InvalidIndex`, `InvalidResponse`, `ReadOnlyIndex`, `InvalidOperation`,
   * `BufferTooSmall`, `InputTooLarge`, `InternalError`), or `no_device`, `ioctl_failed` or `bad_response`.
   */
  readonly code: string;

  /** A failure for reason `code`. */
  constructor(code: string, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "NsmError";
    this.code = code;
  }
}

/** The codes of the API, `Success` apart, which is no error. */
const CODES: readonly string[] = [
  "InvalidArgument",
  "InvalidIndex",
  "InvalidResponse",
  "ReadOnlyIndex",
  "InvalidOperation",
  "BufferTooSmall",
  "InputTooLarge",
  "InternalError",
];

/**
 * A request: its name, or a map from its name to `fields`.
 *
 * @throws {RangeError} where it is longer than the driver takes.
 */
export function encodeRequest(
  name: NsmRequest,
  fields?: Readonly<Record<string, Bytes | number | null>>,
): Bytes {
  const request = encodeCanonical(fields === undefined ? name : { [name]: fields });
  if (request.length > MAX_REQUEST) {
    throw new RangeError(
      `Cannot ask the NSM as a request must be ${MAX_REQUEST} bytes at most: it is ${request.length}`,
    );
  }
  return request;
}

/**
 * The fields of the response to a request of this name.
 *
 * @throws {NsmError} the module's own code, or `bad_response`.
 */
export function decodeResponse<N extends NsmRequest>(
  name: N,
  response: Uint8Array,
): Infer<(typeof RESPONSES)[N]> {
  try {
    const decoded = decodeStrict(response, LIMITS);
    if (decoded instanceof Map && decoded.has("Error")) throw refused(name, decoded);
    const shape = { [name]: mapOf(RESPONSES[name] as Shape) };
    return asMap(decoded, shape)[name] as Infer<(typeof RESPONSES)[N]>;
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    throw badResponse(name, cause.message, cause);
  }
}

function refused(name: string, response: ReadonlyMap<unknown, unknown>): NsmError {
  const code = response.get("Error");
  if (response.size !== 1 || typeof code !== "string" || !CODES.includes(code)) {
    return badResponse(name, "its error is none that the API knows");
  }
  return new NsmError(code, `The NSM refused ${name}: ${code}`);
}

/** A response that is not what the API says. */
export function badResponse(name: string, why: string, cause?: unknown): NsmError {
  return new NsmError(
    "bad_response",
    `The NSM's response to ${name} cannot be read: ${why}`,
    cause === undefined ? {} : { cause },
  );
}
