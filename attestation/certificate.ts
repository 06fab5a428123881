/**
 * One certificate of a Nitro chain: X.509 v3 (RFC 5280), a P-384 key, signed with ecdsa-with-SHA384. Our own
 * strict walk takes the signed parts out as received; `@peculiar/x509` decodes the extensions.
 *
 * @module
 */
import "reflect-metadata";
import { BasicConstraintsExtension, KeyUsagesExtension, X509Certificate } from "@peculiar/x509";
import { type Bytes, equal, fromHex } from "../enclave/protocol/bytes.ts";
import {
  assertDer,
  children,
  ecdsaSignatureToRaw,
  type Element,
  raw,
  readTime,
  TAG,
} from "./der.ts";
import { AttestationError } from "./error.ts";

/** AlgorithmIdentifier of ecdsa-with-SHA384 (RFC 5758 §3.2): no parameters. */
const ECDSA_SHA384 = fromHex("300a06082a8648ce3d040303");
/** Start of a SubjectPublicKeyInfo with an uncompressed P-384 point (RFC 5480 §2): 96 bytes follow. */
const P384_SPKI = fromHex("3076301006072a8648ce3d020106052b8104002203620004");
const P384_SPKI_BYTES = P384_SPKI.length + 96;
const VERSION_3 = fromHex("a003020102");
const EXTENSIONS_TAG = 0xa3;
const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";

/** The parts of a certificate that a chain is checked by; nothing in it is verified yet. */
export interface Certificate {
  /** Its place in the document: `cabundle[0]` …, `certificate`. */
  readonly field: string;
  /** The signed TBSCertificate as received. */
  readonly tbs: Bytes;
  /** r ‖ s, 48 bytes each. */
  readonly signature: Bytes;
  /** The issuer's Name as received. */
  readonly issuer: Bytes;
  /** The subject's Name as received. */
  readonly subject: Bytes;
  /** The SubjectPublicKeyInfo as received: P-384, uncompressed. */
  readonly spki: Bytes;
  /** First millisecond of validity. */
  readonly notBefore: number;
  /** Last second of validity, in milliseconds. */
  readonly notAfter: number;
  /** basicConstraints says that it is a CA. */
  readonly ca: boolean;
  /** How many CAs may follow it; undefined where unlimited. */
  readonly pathLength: number | undefined;
  /** The keyUsage bits: 1 digitalSignature, 32 keyCertSign; zero where the extension is absent. */
  readonly usages: number;
}

/**
 * Read a certificate strictly.
 *
 * @throws {AttestationError} `bad_certificate`, `unsupported_algorithm`, `unknown_curve`,
 * `duplicate_extension` or `unknown_critical_extension`, naming `field`.
 */
export function readCertificate(der: Bytes, field: string): Certificate {
  try {
    return read(der, field);
  } catch (e) {
    if (e instanceof AttestationError && e.code !== "bad_der") throw e;
    // The parser of the extensions throws plain errors at what it cannot decode.
    const problem = e instanceof Error ? e.message : String(e);
    throw new AttestationError(
      "bad_certificate",
      `Cannot read '${field}' as a certificate: ${problem}`,
      field,
    );
  }
}

function read(der: Bytes, field: string): Certificate {
  const [tbs, outer, signature] = fields(der, assertDer(der), [
    TAG.sequence,
    TAG.sequence,
    TAG.bitString,
  ]);
  const [version, , inner, issuer, validity, subject, spki, extensions] = fields(der, tbs!, [
    0xa0,
    TAG.integer,
    TAG.sequence,
    TAG.sequence,
    TAG.sequence,
    TAG.sequence,
    TAG.sequence,
    EXTENSIONS_TAG,
  ]);
  if (!equal(raw(der, version!), VERSION_3)) throw new TypeError("it is not X.509 version 3");
  for (const algorithm of [inner!, outer!]) {
    if (!equal(raw(der, algorithm), ECDSA_SHA384)) {
      throw refuse("unsupported_algorithm", "is not signed with ecdsa-with-SHA384", field);
    }
  }
  const key = raw(der, spki!);
  if (key.length !== P384_SPKI_BYTES || !equal(key.subarray(0, P384_SPKI.length), P384_SPKI)) {
    throw refuse("unknown_curve", "has a key that is not an uncompressed P-384 point", field);
  }
  const times = children(der, validity!);
  if (times.length !== 2) throw new TypeError("its validity is not two times");
  if (der[signature!.content] !== 0) throw new TypeError("its signature has unused bits");
  return {
    field,
    tbs: raw(der, tbs!),
    signature: ecdsaSignatureToRaw(der.subarray(signature!.content + 1, signature!.end), 48),
    issuer: raw(der, issuer!),
    subject: raw(der, subject!),
    spki: key,
    notBefore: readTime(der, times[0]!),
    notAfter: readTime(der, times[1]!),
    ...readExtensions(der, extensions!, field),
  };
}

function refuse(code: string, problem: string, field: string): AttestationError {
  return new AttestationError(code, `Cannot accept the chain: '${field}' ${problem}`, field);
}

/** The elements inside `parent`, which must have exactly these tags. */
function fields(der: Bytes, parent: Element, tags: readonly number[]): Element[] {
  const found = parent.tag === TAG.sequence ? children(der, parent) : [];
  if (found.length !== tags.length || found.some((e, i) => e.tag !== tags[i])) {
    throw new TypeError("its structure is not that of a version 3 certificate");
  }
  return found;
}

function readExtensions(der: Bytes, wrapper: Element, field: string) {
  const parsed = new X509Certificate(der).extensions;
  const [list, ...more] = children(der, wrapper);
  if (list === undefined || more.length > 0 || children(der, list).length !== parsed.length) {
    throw new TypeError("its extensions cannot be read");
  }
  const seen = new Set<string>();
  let ca = false;
  let pathLength: number | undefined;
  let usages = 0;
  for (const extension of parsed) {
    if (seen.has(extension.type)) throw refuse("duplicate_extension", "has one twice", field);
    seen.add(extension.type);
    const known = extension.type === BASIC_CONSTRAINTS || extension.type === KEY_USAGE;
    if (!known) {
      if (extension.critical) {
        throw refuse(
          "unknown_critical_extension",
          `has the unknown critical extension ${extension.type}`,
          field,
        );
      }
      continue;
    }
    assertDer(new Uint8Array(extension.value));
    if (extension instanceof BasicConstraintsExtension) {
      ca = extension.ca;
      pathLength = extension.pathLength;
    } else if (extension instanceof KeyUsagesExtension) {
      usages = extension.usages;
    } else {
      throw new TypeError(`its extension ${extension.type} cannot be read`);
    }
  }
  return { ca, pathLength, usages };
}
