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

/** A subjectAltName with these dNSNames, and a longer URI, which is another kind of name. */
function alternatives(...names: string[]): Bytes {
  const uri = names.join("").length + 1;
  return der(
    0x30,
    ...names.map((name) => der(0x82, utf8(name))),
    der(0x86, utf8("84".repeat(uri))),
  );
}

/** A certificate with these dNSNames. */
async function certificate(...names: string[]): Promise<Bytes> {
  const value = alternatives(...names);
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
  const ending = "hEShabcd"; // in digits that are hexadecimal as well
  assert.deepEqual(unwrapDocument(utf8(ending)), Uint8Array.fromBase64(ending));
});

Deno.test("unwrapDocument: takes a judge's CBOR answer and other enclaves' JSON", () => {
  same(encodeBody({ attestation_document: DOCUMENT }));
  same(toHex(encodeBody({ attestation_document: DOCUMENT })));
  same(JSON.stringify({ attestation_document: toHex(DOCUMENT) }));
  same(JSON.stringify({ attestation: DOCUMENT.toBase64(), more: 1 }, null, 2));
  same(` \n${JSON.stringify({ attestation: DOCUMENT.toBase64() })}`);
  const largest = concat(fromHex("84"), new Uint8Array(24_575));
  const answer = encodeBody({ attestation_document: largest });
  assert.deepEqual(unwrapDocument(answer), largest);
  refuses(encodeCanonical({ attestation_document: new Uint8Array(24_577) }), "wrong_length");
  refuses(encodeCanonical({ attestation_document: [0] }), "too_deep");
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
});

Deno.test("unwrapDocument: finds a subjectAltName wherever it is, critical or not, and no other extension", () => {
  const name = toHex(DOCUMENT);
  const extension = (oid: string, ...more: Bytes[]) =>
    der(0x30, fromHex(oid), ...more, der(0x04, alternatives(`${name}.judge.example`)));
  const inside = (...parts: Bytes[]) => der(0x30, der(0x30), der(0xa3, der(0x30, ...parts)));
  const usage = fromHex("300b0603551d0f040403020780");
  same(inside(usage, extension("0603551d11")));
  same(inside(usage, extension("0603551d11", fromHex("0101ff"))));
  refuses(inside(usage, extension("0603551d12")), "no_document"); // issuerAltName
  const twins = alternatives("8400.judge.example", "8401.judge.example", "84");
  const found = unwrapDocument(inside(der(0x30, fromHex("0603551d11"), der(0x04, twins))));
  assert.deepEqual(found, fromHex("8400")); // the first of the longest
});

Deno.test("unwrapDocument: refuses what is none of these, by code", () => {
  refuses("", "no_document");
  refuses("0001", "no_document");
  refuses("not a document!", "bad_encoding");
  refuses("84zz", "no_document"); // base64, which begins like hexadecimal
  refuses("840", "no_document"); // base64, since its digits are odd
  refuses("hEShATgi*", "bad_encoding");
  refuses(new Uint8Array([0xff, 0xfe, 0x00]), "bad_encoding");
  refuses("30", "no_document");
  for (const length of [0x80, 0x82]) refuses(new Uint8Array([0x30, length]), "bad_der");
  refuses(`-----BEGIN CERTIFICATE-----${btoa("nothing")}-----END CERTIFICATE-----`, "bad_der");
});

Deno.test("unwrapDocument: bounds the input before it is read", () => {
  refuses(new Uint8Array(MAX_WRAPPED_BYTES + 1), "too_large");
  refuses(" ".repeat(MAX_WRAPPED_BYTES), "no_document");
  same(toHex(DOCUMENT).padEnd(MAX_WRAPPED_BYTES));
});
