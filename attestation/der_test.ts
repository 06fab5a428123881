import assert from "node:assert/strict";
import { concat, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { assertDer, ecdsaSignatureToRaw, element, readTime } from "./der.ts";
import { AttestationError } from "./error.ts";

const badDer = (e: unknown) => e instanceof AttestationError && e.code === "bad_der";

Deno.test("assertDer: accepts strict DER", () => {
  for (
    const hex of [
      "0101ff", // BOOLEAN true
      "020100", // INTEGER 0
      "02020080", // INTEGER 128
      "0500", // NULL
      "06032a8648", // OID
      "030205a0", // BIT STRING, five unused bits
      "03020080",
      "030100", // an empty BIT STRING
      "3000", // SEQUENCE
      "3003020101",
      "a003020102", // [0] { INTEGER 2 }
      "8102ffff", // [1] primitive: opaque
    ]
  ) assertDer(fromHex(hex));
});

Deno.test("assertDer: refuses BER, truncation and trailing bytes", () => {
  for (
    const hex of [
      "", // nothing
      "30", // no length
      "3001", // cut short
      "300000", // trailing
      "30800000", // indefinite
      "308100", // a length that need not be long
      "30820001", // a length that need not be two octets, and cut short
      "3083000001", // three octets of length
      "1f0100", // a high tag number
      "010101", // BOOLEAN neither 0 nor 255
      "0102ffff",
      "0200", // empty INTEGER
      "02020001", // INTEGER padded
      "0202ff80", // negative INTEGER padded
      "050100", // NULL with content
      "0600",
      "060180", // OID cut short
      "06038048ff",
      "06022a80",
      "060480012a03", // OID padded
      "0300", // BIT STRING without its count
      "030108", // unused bits above 7
      "030101", // unused bits of nothing
      "030201ff", // unused bits that are not zero
      "2403040100", // constructed OCTET STRING
      "1000", // primitive SEQUENCE
      "0000",
    ]
  ) assert.throws(() => assertDer(fromHex(hex)), badDer, hex);
  assert.throws(() => assertDer(nested(14)), badDer);
});

function nested(depth: number) {
  let der = fromHex("0500");
  for (let i = 0; i < depth; i++) der = concat(new Uint8Array([0x30, der.length]), der);
  return der;
}

const R48 = "7f" + "11".repeat(47);

Deno.test("ecdsaSignatureToRaw: pads a short r or s to its size", () => {
  const raw = ecdsaSignatureToRaw(fromHex(`3036020205390230${R48}`), 48);
  assert.equal(toHex(raw), "00".repeat(46) + "0539" + R48);
  const signed = ecdsaSignatureToRaw(fromHex(`303602310080${"22".repeat(47)}020101`), 48);
  assert.equal(toHex(signed), "80" + "22".repeat(47) + "00".repeat(47) + "01");
});

Deno.test("ecdsaSignatureToRaw: refuses zero, negative, padded, long and additional integers", () => {
  for (
    const hex of [
      "3006020100020101", // r = 0
      "3006020101020100", // s = 0
      "3006020181020101", // r negative
      "300702020001020101", // r padded
      `303602310111${"22".repeat(47)}020101`, // 49 significant bytes
      "3003020101", // one integer
      "3009020101020101020101", // three
      "3006040101020101", // an OCTET STRING
      "3106020101020101", // a SET
      "300602010102010100", // trailing
    ]
  ) assert.throws(() => ecdsaSignatureToRaw(fromHex(hex), 48), badDer, hex);
});

function time(text: string, tag = text.length === 13 ? 0x17 : 0x18): number {
  const bytes = concat(new Uint8Array([tag, text.length]), new TextEncoder().encode(text));
  return readTime(bytes, element(bytes, 0, bytes.length));
}

Deno.test("readTime: reads both forms of RFC 5280 and no other", () => {
  assert.equal(time("250429103139Z"), Date.UTC(2025, 3, 29, 10, 31, 39));
  assert.equal(time("491231235959Z"), Date.UTC(2049, 11, 31, 23, 59, 59));
  assert.equal(time("500101000000Z"), Date.UTC(1950, 0, 1));
  assert.equal(time("20500101000000Z"), Date.UTC(2050, 0, 1));
  for (
    const text of [
      "2504291031Z", // no seconds
      "250429103139+0100",
      "20250429103139.5Z",
      "250229103139Z", // no such day
      "251301000000Z",
      "250101240000Z",
      "250101000060Z",
    ]
  ) assert.throws(() => time(text), badDer, text);
  assert.throws(() => time("250429103139Z", 0x18), badDer);
});
