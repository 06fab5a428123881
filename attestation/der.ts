/**
 * Strict DER (X.690): one way to write each value. Certificates come from an attacker until their chain
 * is verified, and general ASN.1 parsers accept BER; so this walk goes first, and what it lets through has no
 * second reading.
 *
 * @module
 */
import type { Bytes } from "../enclave/protocol/bytes.ts";
import { AttestationError } from "./error.ts";

/** The place of one element: header at `start`, content from `content` to `end`. */
export interface Element {
  /** The identifier octet. */
  readonly tag: number;
  /** Offset of the identifier octet. */
  readonly start: number;
  /** Offset of the first content octet. */
  readonly content: number;
  /** Offset after the last content octet. */
  readonly end: number;
}

/** Identifier octets that are read here. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const CONSTRUCTED = 0x20;
const MAX_DEPTH = 12;

function bad(problem: string): AttestationError {
  return new AttestationError("bad_der", `Cannot read DER: ${problem}`);
}

/** The element at `at`, which must end by `limit`. @throws {AttestationError} `bad_der`. */
export function element(bytes: Uint8Array, at: number, limit: number): Element {
  if (at + 2 > limit) throw bad("an element is cut short");
  const tag = bytes[at]!;
  if ((tag & 0x1f) === 0x1f) throw bad("a tag number above 30");
  let length = bytes[at + 1]!;
  let content = at + 2;
  if (length >= 0x80) {
    const size = length & 0x7f;
    if (size < 1 || size > 2) throw bad("a length is indefinite or above 65535");
    if (content + size > limit) throw bad("a length is cut short");
    length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + bytes[content + i]!;
    if (length < (size === 1 ? 0x80 : 0x100)) throw bad("a length is longer than it need be");
    content += size;
  }
  if (length > limit - content) throw bad("a length is beyond the end");
  return { tag, start: at, content, end: content + length };
}

/** The elements inside `parent`, in order. @throws {AttestationError} `bad_der`. */
export function children(bytes: Uint8Array, parent: Element): Element[] {
  const found: Element[] = [];
  for (let at = parent.content; at < parent.end;) {
    const child = element(bytes, at, parent.end);
    found.push(child);
    at = child.end;
  }
  return found;
}

/** All octets of `e`, header included. */
export function raw(bytes: Uint8Array, e: Element): Bytes {
  return new Uint8Array(bytes.subarray(e.start, e.end));
}

/** The content octets of `e`. */
export function content(bytes: Uint8Array, e: Element): Bytes {
  return new Uint8Array(bytes.subarray(e.content, e.end));
}

/** Walk all of `bytes` as exactly one element. @throws {AttestationError} `bad_der`. */
export function assertDer(bytes: Uint8Array): Element {
  const whole = element(bytes, 0, bytes.length);
  if (whole.end !== bytes.length) throw bad("bytes follow the element");
  assertElement(bytes, whole, 0);
  return whole;
}

function assertElement(bytes: Uint8Array, e: Element, depth: number): void {
  if (depth > MAX_DEPTH) throw bad(`nested deeper than ${MAX_DEPTH}`);
  const universal = e.tag < 0x40;
  if ((e.tag & CONSTRUCTED) !== 0) {
    if (universal && e.tag !== TAG.sequence && e.tag !== TAG.set) {
      throw bad("a constructed string");
    }
    for (const child of children(bytes, e)) assertElement(bytes, child, depth + 1);
  } else if (universal) {
    assertPrimitive(bytes, e);
  }
}

function assertPrimitive(bytes: Uint8Array, e: Element): void {
  const length = e.end - e.content;
  const first = bytes[e.content] ?? 0;
  const last = bytes[e.end - 1]!;
  switch (e.tag) {
    case TAG.boolean:
      if (length !== 1 || (first !== 0 && first !== 0xff)) throw bad("a boolean not 0 or 255");
      break;
    case TAG.integer: {
      if (length === 0) throw bad("an empty integer");
      const second = bytes[e.content + 1]! & 0x80;
      if (length > 1 && ((first === 0 && second === 0) || (first === 0xff && second !== 0))) {
        throw bad("an integer is longer than it need be");
      }
      break;
    }
    case TAG.bitString:
      if (length === 0 || first > 7 || (length === 1 && first !== 0)) {
        throw bad("a bit string with a wrong count of unused bits");
      }
      if ((last & ((1 << first) - 1)) !== 0 && length > 1) throw bad("unused bits are not zero");
      break;
    case TAG.null:
      if (length !== 0) throw bad("a null with content");
      break;
    case TAG.oid:
      if (length === 0 || (last & 0x80) !== 0) throw bad("an object identifier is cut short");
      for (let i = e.content; i < e.end; i++) {
        if (bytes[i] === 0x80 && (i === e.content || (bytes[i - 1]! & 0x80) === 0)) {
          throw bad("an object identifier is longer than it need be");
        }
      }
      break;
    case 0x00:
    case 0x10:
    case 0x11:
      throw bad("a reserved or primitive structured type");
  }
}

/**
 * An X.509 ECDSA-Sig-Value (RFC 3279 §2.2.3: SEQUENCE of INTEGER r and s) as r ‖ s, each padded to `size`
 * bytes, which is what WebCrypto takes. Short r and s occur in practice.
 *
 * @throws {AttestationError} `bad_der` where it is not strict DER, or r or s is not from 1 to 256^size − 1.
 */
export function ecdsaSignatureToRaw(der: Uint8Array, size: number): Bytes {
  const whole = assertDer(der);
  const parts = whole.tag === TAG.sequence ? children(der, whole) : [];
  if (parts.length !== 2 || parts.some((part) => part.tag !== TAG.integer)) {
    throw bad("a signature is not a sequence of two integers");
  }
  const out = new Uint8Array(2 * size);
  parts.forEach((part, i) => {
    let value = content(der, part);
    if ((value[0]! & 0x80) !== 0) throw bad("a signature's integer is negative");
    if (value[0] === 0) value = value.subarray(1);
    if (value.length === 0 || value.length > size) {
      throw bad("a signature's integer is zero or too long");
    }
    out.set(value, (i + 1) * size - value.length);
  });
  return out;
}

/**
 * A UTCTime or GeneralizedTime in the one form of RFC 5280 §4.1.2.5 (seconds present, ending in Z), as
 * milliseconds since 1970.
 *
 * @throws {AttestationError} `bad_der` for any other form and for dates that do not exist.
 */
export function readTime(bytes: Uint8Array, e: Element): number {
  const text = String.fromCharCode(...content(bytes, e).subarray(0, 16));
  const utc = e.tag === TAG.utcTime;
  if ((!utc && e.tag !== TAG.generalizedTime) || !(utc ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) {
    throw bad("a time is not in the form of RFC 5280");
  }
  // UTCTime has two digits of the year: 50 to 99 are of the last century.
  const full = utc ? (text < "5" ? "20" : "19") + text : text;
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full)!;
  const iso = `${parts[0]}-${parts[1]}-${parts[2]}T${parts[3]}:${parts[4]}:${parts[5]}.000Z`;
  const time = Date.parse(iso);
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) {
    throw bad("a time does not exist");
  }
  return time;
}
