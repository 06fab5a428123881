import assert from "node:assert/strict";
import { type Bytes, concat, fromHex, toHex, utf8 } from "../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../enclave/protocol/cbor.ts";
import { encodeBody } from "../enclave/protocol/judge_messages.ts";
import { AttestationError, MAX_WRAPPED_BYTES, unwrapDocument } from "./mod.ts";
import { createCertificate, createTestChain, payloadFields, signDocument } from "./test_pki.ts";

const NOW = Date.UTC(2026, 0, 1);
const CHAIN = await createTestChain(NOW);
const FIELDS = payloadFields(CHAIN.leaf, CHAIN.cabundle, NOW);
const DOCUMENT = await signDocument(FIELDS, CHAIN.leaf.keys.privateKey);

function refuses(input: Uint8Array | string, code: string): void {
  assert.throws(
    () => unwrapDocument(typeof input === "string" ? utf8(input) : input),
    (e) => {
      assert.ok(e instanceof AttestationError, String(e));
      assert.equal(e.code, code, e.message);
      return true;
    },
  );
}

function same(input: Uint8Array | string): void {
  const bytes = typeof input === "string" ? utf8(input) : input;
  assert.deepEqual(unwrapDocument(bytes), DOCUMENT);
}

/** One DER element of at most 65,535 bytes. */
function der(tag: number, ...parts: Uint8Array[]): Bytes {
  const value = concat(...parts);
  const length = value.length < 0x80
    ? [value.length]
    : value.length < 0x100
    ? [0x81, value.length]
    : [0x82, value.length >> 8, value.length & 255];
  return concat(new Uint8Array([tag, ...length]), value);
}

/** A certificate with these dNSNames, and an address, which is another kind of name. */
async function certificate(...names: string[]): Promise<Bytes> {
  const general = names.map((name) => der(0x82, utf8(name)));
  const value = der(0x30, ...general, der(0x87, fromHex("7f000001")));
  const { certificate } = await createCertificate({
    name: "tls",
    ca: false,
    curve: "P-256",
    hash: "SHA-256",
    notBefore: NOW,
    notAfter: NOW + 1_000,
    extensions: [{ oid: "2.5.29.17", critical: false, value }],
  });
  return certificate;
}

function pem(bytes: Bytes): string {
  const lines = bytes.toBase64().match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

Deno.test("unwrapDocument: takes a raw document, tagged or not, as it is", () => {
  same(DOCUMENT);
  const tagged = concat(new Uint8Array([0xd2]), DOCUMENT);
  assert.deepEqual(unwrapDocument(tagged), tagged);
  const copy = unwrapDocument(DOCUMENT);
  copy[5]! ^= 1;
  assert.notDeepEqual(copy, DOCUMENT); // the caller's bytes stay as they are
});

Deno.test("unwrapDocument: takes hexadecimal, base64 and base64url with white space", () => {
  const hex = toHex(DOCUMENT);
  for (const text of [hex, `0x${hex}`, hex.toUpperCase(), `\n ${hex}\r\n`]) same(text);
  same(hex.match(/.{1,60}/g)!.join("\n"));
  same(DOCUMENT.toBase64());
  same(DOCUMENT.toBase64().match(/.{1,76}/g)!.join("\r\n") + "\n");
  same(DOCUMENT.toBase64({ alphabet: "base64url", omitPadding: true }));
});

Deno.test("unwrapDocument: takes a judge's CBOR answer and other enclaves' JSON", () => {
  same(encodeBody({ attestation_document: DOCUMENT }));
  same(toHex(encodeBody({ attestation_document: DOCUMENT })));
  same(JSON.stringify({ attestation_document: toHex(DOCUMENT) }));
  same(JSON.stringify({ attestation: DOCUMENT.toBase64(), more: 1 }, null, 2));
  refuses(encodeBody({ document: DOCUMENT }), "unknown_field");
  refuses(concat(encodeBody({ attestation_document: DOCUMENT }), fromHex("00")), "trailing_bytes");
  refuses(encodeCanonical({ attestation_document: "x" }), "wrong_kind");
  refuses('{"attestation":', "no_document");
  refuses('{"attestation": 1}', "no_document");
  refuses("{}", "no_document");
  const both = { attestation: toHex(DOCUMENT), attestation_document: toHex(DOCUMENT) };
  refuses(JSON.stringify(both), "no_document");
  refuses('{"__proto__":{"attestation":"84"}}', "no_document");
});

Deno.test("unwrapDocument: takes the document in a certificate's subjectAltName", async () => {
  const name = `${toHex(DOCUMENT)}.judge.example`;
  const found = await certificate("judge.example", name, "abcd.example");
  for (const form of [found, toHex(found), pem(found), `chain:\n${pem(found)}${pem(found)}`]) {
    same(form);
  }
  same(JSON.stringify({ attestation: found.toBase64() }));
  refuses(await certificate("judge.example"), "no_document");
  refuses(await certificate("abc.judge.example"), "no_document"); // an odd number of digits
  refuses(await certificate(), "no_document");
  refuses(CHAIN.leaf.certificate, "no_document"); // has no subjectAltName
  refuses(found.subarray(0, found.length - 1), "bad_der");
  refuses(concat(found, fromHex("00")), "bad_der");
  const other = { oid: "2.5.29.18", critical: false, value: der(0x30, der(0x82, utf8(name))) };
  const validity = { notBefore: NOW, notAfter: NOW + 1_000 };
  const issuerName = await createCertificate({
    name: "tls",
    ca: false,
    ...validity,
    extensions: [other],
  });
  refuses(issuerName.certificate, "no_document"); // issuerAltName is another extension
});

Deno.test("unwrapDocument: refuses what is none of these, by code", () => {
  refuses("", "no_document");
  refuses("0001", "no_document");
  refuses("not a document!", "bad_encoding");
  refuses("hEShATgi*", "bad_encoding");
  refuses(new Uint8Array([0xff, 0xfe, 0x00]), "bad_encoding");
  refuses("30", "no_document");
  refuses(new Uint8Array([0x30, 0x82]), "bad_der");
  refuses(`-----BEGIN CERTIFICATE-----${btoa("nothing")}-----END CERTIFICATE-----`, "bad_der");
});

Deno.test("unwrapDocument: bounds the input before it is read", () => {
  refuses(new Uint8Array(MAX_WRAPPED_BYTES + 1), "too_large");
  refuses(" ".repeat(MAX_WRAPPED_BYTES), "no_document");
  same(toHex(DOCUMENT).padEnd(MAX_WRAPPED_BYTES));
});
