/**
 * A document in the forms in which people hand it around, unwrapped to its bytes. Nothing is verified here:
 * `verify` gets what comes out, and refuses what is no document.
 *
 * @module
 */
import { type Bytes, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { asMap, bytesUpTo, decodeStrict } from "../enclave/protocol/cbor.ts";
import { MAX_DOCUMENT_BYTES } from "./cose.ts";
import { assertDer, children, content, type Element, isConstructed, raw, TAG } from "./der.ts";
import { AttestationError, reading } from "./error.ts";

/** Most bytes of a wrapped document: hexadecimal doubles it, PEM of a certificate around it more. */
export const MAX_WRAPPED_BYTES = 131_072;

/** A judge's answer to `GET /get_attestation`. */
const ANSWER = { attestation_document: bytesUpTo(MAX_DOCUMENT_BYTES, 1) };
const ANSWER_LIMITS = { maxBytes: MAX_DOCUMENT_BYTES + 64, maxDepth: 1, maxItems: 4 };

/** The OBJECT IDENTIFIER of the extension subjectAltName, 2.5.29.17. */
const SUBJECT_ALT_NAME = "0603551d11";
/** `[2] IA5String`: a dNSName in a GeneralName (RFC 5280 §4.2.1.6). */
const DNS_NAME = 0x82;
const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/;

/**
 * The document in `input`, which is one of
 *
 * - the document itself (COSE_Sign1, untagged or with tag 18);
 * - a judge's CBOR answer to `GET /get_attestation`, or the JSON that other enclaves answer: an object whose
 *   `attestation_document` or `attestation` is text;
 * - a certificate, DER or PEM, with a dNSName `<document in hexadecimal>.<host>`: the longest first label of
 *   its subjectAltName is taken. Nothing is concluded from the certificate itself;
 * - the hexadecimal or base64 (or base64url) text of any binary one of these. White space is left out.
 *
 * @throws {AttestationError} `too_large`, `bad_encoding`, `no_document`, or a code of the CBOR walk.
 */
export function unwrapDocument(input: Uint8Array): Bytes {
  if (input.length > MAX_WRAPPED_BYTES) {
    throw new AttestationError(
      "too_large",
      `Cannot read the input: ${input.length} bytes are more than ${MAX_WRAPPED_BYTES}`,
      "input",
    );
  }
  return unwrapBinary(input) ?? unwrapText(input);
}

/** By its first bytes, none of which begins a text; undefined where it is no binary form. */
function unwrapBinary(input: Uint8Array): Bytes | undefined {
  switch (input[0]) {
    case 0x84: // an array of four
    case 0xd2: // tag 18
      return new Uint8Array(input);
    case 0xa1: // a map of one
      return reading(
        "judge's answer",
        () => asMap(decodeStrict(input, ANSWER_LIMITS), ANSWER).attestation_document,
      );
    case TAG.sequence: // also the digit 0, which no length of a certificate follows
      return input[1]! >= 0x80 ? fromCertificate(input) : undefined;
  }
  return undefined;
}

function unwrapText(input: Uint8Array): Bytes {
  // One unit a byte: what is not ASCII fits none of the forms.
  const text = Array.from(input, (byte) => String.fromCharCode(byte)).join("").trim();
  if (text.startsWith("{")) return unwrapEncoded(fromJson(text));
  const pem = PEM.exec(text);
  if (pem !== null) return fromCertificate(decodeText(pem[1]!));
  return unwrapEncoded(text);
}

function unwrapEncoded(text: string): Bytes {
  const found = unwrapBinary(decodeText(text));
  if (found === undefined) throw none("what it encodes is neither a document nor a certificate");
  return found;
}

function decodeText(text: string): Bytes {
  const dense = text.replace(/\s/g, "");
  if (/^(0x)?([0-9a-fA-F]{2})+$/.test(dense)) return fromHex(dense);
  const alphabet = /[-_]/.test(dense) ? "base64url" : "base64";
  try {
    return Uint8Array.fromBase64(dense, { alphabet });
  } catch {
    throw new AttestationError(
      "bad_encoding",
      "Cannot read the input: it is neither a document nor hexadecimal, base64, JSON or PEM text",
      "input",
    );
  }
}

function fromJson(text: string): string {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch {
    throw none("it is not JSON, and begins like it");
  }
  const found = ["attestation_document", "attestation"].filter((key) => Object.hasOwn(value, key))
    .map((key) => value[key]);
  if (found.length !== 1 || typeof found[0] !== "string") {
    throw none("its JSON must have one text 'attestation_document' or 'attestation'");
  }
  return found[0];
}

function fromCertificate(der: Uint8Array): Bytes {
  const labels = reading("certificate", () => dnsNames(der, assertDer(der)))
    .map((name) => name.split(".", 1)[0]!);
  const [longest = ""] = labels.sort((a, b) => b.length - a.length);
  if (!/^([0-9a-f]{2})+$/i.test(longest)) {
    throw none("no dNSName of the certificate begins with a document in hexadecimal");
  }
  return fromHex(longest);
}

/** The dNSNames in every subjectAltName below `e`. */
function dnsNames(der: Uint8Array, e: Element): string[] {
  const parts = isConstructed(e) ? children(der, e) : [];
  const [type] = parts;
  if (type === undefined || toHex(raw(der, type)) !== SUBJECT_ALT_NAME) {
    return parts.flatMap((part) => dnsNames(der, part));
  }
  const names = content(der, parts.at(-1)!); // after the criticality, where that is written
  return children(names, assertDer(names)).filter(({ tag }) => tag === DNS_NAME)
    .map((name) => String.fromCharCode(...content(names, name)));
}

function none(problem: string): AttestationError {
  return new AttestationError("no_document", `Cannot read the input: ${problem}`, "input");
}
