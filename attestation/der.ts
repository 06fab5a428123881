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

/** Bits of an identifier octet: its class, which is zero for the universal types, and its form. */
const CLASS = 0xc0;
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

/** Whether elements are inside `e`, and not a value. */
export function isConstructed(e: Element): boolean {
  return (e.tag & CONSTRUCTED) !== 0;
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
  if (!isConstructed(e)) return assertPrimitive(e.tag, bytes.subarray(e.content, e.end));
  if ((e.tag & CLASS) === 0 && e.tag !== TAG.sequence && e.tag !== TAG.set) {
    throw bad("a constructed string");
  }
  for (const child of children(bytes, e)) assertElement(bytes, child, depth + 1);
}

/** The universal types that have rules of their own; others are opaque. */
function assertPrimitive(tag: number, octets: Uint8Array): void {
  const { length } = octets;
  const [first = 0, second = 0] = octets;
  switch (tag) {
    case TAG.boolean:
      if (length !== 1 || (first !== 0 && first !== 0xff)) throw bad("a boolean not 0 or 255");
      break;
    case TAG.integer:
      if (length === 0) throw bad("an empty integer");
      if (length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
        throw bad("an integer is longer than it need be");
      }
      break;
    case TAG.bitString:
      if (length === 0 || first > 7) throw bad("a bit string without a count of unused bits");
      // An empty one's last octet is the count itself, which must be zero.
      if ((octets.at(-1)! & ((1 << first) - 1)) !== 0) throw bad("unused bits are not zero");
      break;
    case TAG.null:
      if (length !== 0) throw bad("a null with content");
      break;
    case TAG.oid:
      assertOid(octets);
      break;
    case 0x00:
    case 0x10:
    case 0x11:
      throw bad("a reserved or primitive structured type");
  }
}

/** Arcs of seven bits an octet (X.690 §8.19.2), the highest bit set in all but an arc's last. */
function assertOid(octets: Uint8Array): void {
  let begins = true;
  for (const octet of octets) {
    if (begins && octet === 0x80) throw bad("an object identifier is longer than it need be");
    begins = octet < 0x80;
  }
  if (octets.length === 0 || !begins) throw bad("an object identifier is cut short");
}

/**
 * An X.509 ECDSA-Sig-Value (RFC 3279 §2.2.3: SEQUENCE of INTEGER r and s) as r ‖ s, each padded to `size`
 * bytes, which is what WebCrypto takes. Short r and s occur in practice.
 *
 * @throws {AttestationError} `bad_der` where it is not strict DER, or r or s is not from 1 to 256^size − 1.
 */
export function ecdsaSignatureToRaw(der: Uint8Array, size: number): Bytes {
  const whole = assertDer(der);
  const parts = children(der, whole);
  if (
    whole.tag !== TAG.sequence || parts.length !== 2 ||
    parts.some(({ tag }) => tag !== TAG.integer)
  ) {
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
  let text = String.fromCharCode(...content(bytes, e));
  // UTCTime has two digits of the year: 50 to 99 are of the last century.
  if (e.tag === TAG.utcTime) text = (text[0]! < "5" ? "20" : "19") + text;
  else if (e.tag !== TAG.generalizedTime) throw bad("a time is of another type");
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (found === null) throw bad("a time is not in the form of RFC 5280");
  const [, ...parts] = found;
  const iso = `${parts[0]}-${parts[1]}-${parts[2]}T${parts[3]}:${parts[4]}:${parts[5]}.000Z`;
  const time = Date.parse(iso);
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) {
    throw bad("a time does not exist");
  }
  return time;
}
