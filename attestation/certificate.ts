/**
 * One certificate of a Nitro chain: X.509 v3 (RFC 5280), a P-384 key, signed with ecdsa-with-SHA384. Our own
 * strict walk takes the signed parts out as received and holds every extension to its shape; `@peculiar/x509`
 * takes the extensions apart. Names are compared, never read.
 *
 * @module
 */
import "reflect-metadata";
import { Extension } from "@peculiar/x509";
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
/**
 * Start of a SubjectPublicKeyInfo with an uncompressed P-384 point (RFC 5480 §2). Its lengths leave 96 bytes
 * for the point.
 */
const P384_SPKI = fromHex("3076301006072a8648ce3d020106052b8104002203620004");
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
  /** How many CAs may follow it: Infinity where it sets no limit. */
  readonly pathLength: number;
  /** The first octet of keyUsage: 0x80 digitalSignature, 0x04 keyCertSign; zero where it has none. */
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
  if (!equal(key.subarray(0, P384_SPKI.length), P384_SPKI)) {
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
  const found = children(der, parent);
  if ([parent, ...found].map(({ tag }) => tag).join() !== [TAG.sequence, ...tags].join()) {
    throw new TypeError("its structure is not that of a version 3 certificate");
  }
  return found;
}

/** What of a certificate's extensions a chain is checked by. */
type Extensions = Pick<Certificate, "ca" | "pathLength" | "usages">;

function readExtensions(der: Bytes, wrapper: Element, field: string): Extensions {
  const [list, ...more] = children(der, wrapper);
  if (list?.tag !== TAG.sequence || more.length > 0) {
    throw new TypeError("its extensions cannot be read");
  }
  const seen = new Set<string>();
  const found: Extensions = { ca: false, pathLength: Infinity, usages: 0 };
  for (const element of children(der, list)) {
    assertExtension(der, element);
    const { type, critical, value } = new Extension(raw(der, element));
    if (seen.has(type)) throw refuse("duplicate_extension", "has one twice", field);
    seen.add(type);
    if (type === BASIC_CONSTRAINTS) Object.assign(found, readConstraints(new Uint8Array(value)));
    else if (type === KEY_USAGE) Object.assign(found, readUsages(new Uint8Array(value)));
    else if (critical) {
      throw refuse(
        "unknown_critical_extension",
        `has the unknown critical extension ${type}`,
        field,
      );
    }
  }
  return found;
}

/**
 * An Extension (RFC 5280 §4.1) by its very tags: the parser compares their numbers without their classes, and
 * would read a criticality that is none.
 */
function assertExtension(der: Bytes, e: Element): void {
  const tags = e.tag === TAG.sequence ? children(der, e).map(({ tag }) => tag).join() : "";
  const plain = `${TAG.oid},${TAG.octetString}`;
  const critical = `${TAG.oid},${TAG.boolean},${TAG.octetString}`;
  if (tags !== plain && tags !== critical) throw new TypeError("it has an extension of no shape");
}

/** BasicConstraints (RFC 5280 §4.2.1.9): SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLen INTEGER OPTIONAL }. */
function readConstraints(value: Bytes): Pick<Extensions, "ca" | "pathLength"> {
  const whole = assertDer(value);
  const [ca, length, ...more] = children(value, whole);
  const isCa = ca !== undefined && ca.tag === TAG.boolean && value[ca.content] !== 0;
  // One octet of path length is more than any chain here has.
  const short = length === undefined ||
    (length.tag === TAG.integer && length.end - length.content === 1 &&
      value[length.content]! < 0x80);
  const sound = whole.tag === TAG.sequence && (ca === undefined || isCa) && more.length === 0;
  if (!sound || !short) {
    throw new TypeError("its basicConstraints cannot be read");
  }
  return { ca: isCa, pathLength: length === undefined ? Infinity : value[length.content]! };
}

/** KeyUsage (RFC 5280 §4.2.1.3): BIT STRING, whose first bit is the highest of its first octet. */
function readUsages(value: Bytes): Pick<Extensions, "usages"> {
  const whole = assertDer(value);
  if (whole.tag !== TAG.bitString) throw new TypeError("its keyUsage cannot be read");
  return { usages: value[whole.content + 1] ?? 0 };
}
