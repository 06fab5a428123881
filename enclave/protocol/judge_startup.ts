/**
 * What a SIMULATED judge is started with: one length-prefixed CBOR map on its standard input, so that no
 * secret stands in an argument or in the environment. The courier and `main_simulated.ts` share this file.
 *
 * @module
 */
import { type Bytes, concat, u32le } from "./bytes.ts";
import { decodeStrict, encodeCanonical } from "./cbor.ts";
import {
  arrayOf,
  asMap,
  bytesOf,
  bytesUpTo,
  type Infer,
  type Shape,
  text,
  uint,
} from "./cbor_schema.ts";

/** Longest message, in bytes; its length goes before it as u32le. */
export const MAX_STARTUP = 16_384;
/** Longest path of a Unix socket on Linux, in bytes. */
export const MAX_SOCKET_PATH = 107;
/** The line that a judge prints once it is locked down and answers. */
export const READY = "ready";

/** The fields. */
export const STARTUP = {
  /** Absolute path of the Unix socket to serve on. */
  socket_path: text(MAX_SOCKET_PATH, 1),
  /** The attestation leaf's P-384 key, PKCS #8. */
  pkcs8: bytesUpTo(512, 1),
  /** Its certificate, DER. */
  certificate: bytesUpTo(1_024, 1),
  /** The issuing certificates, root first. */
  cabundle: arrayOf(bytesUpTo(1_024, 1), 8, 1),
  /** PCR0, PCR1 and PCR2. */
  pcrs: arrayOf(bytesOf(48), 3, 3),
  /** Bytes of blobs held at a time. */
  blob_bytes: uint(),
  /** Threads of a forward pass; 0 is one a core. */
  threads: uint(1_024),
} satisfies Shape;

/** A decoded startup message. */
export type Startup = Infer<typeof STARTUP>;

/** Length u32le, then the map. @throws {RangeError} where it is longer than {@link MAX_STARTUP}. */
export function encodeStartup(startup: Startup): Bytes {
  const body = encodeCanonical(startup);
  if (body.length > MAX_STARTUP) {
    throw new RangeError(
      `Cannot start a judge as its startup message must be ${MAX_STARTUP} bytes at most: it is ${body.length}`,
    );
  }
  return concat(u32le(body.length), body);
}

/** The map without its length. @throws {Refusal} where it is anything else. */
export function decodeStartup(body: Uint8Array): Startup {
  return asMap(decodeStrict(body, { maxBytes: MAX_STARTUP, maxItems: 64, maxDepth: 2 }), STARTUP);
}
