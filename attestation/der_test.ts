import assert from "node:assert/strict";
import { concat, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { assertDer, ecdsaSignatureToRaw, element, readTime } from "./der.ts";
import { AttestationError } from "./error.ts";

const badDer = (e: unknown) => e instanceof AttestationError && e.code === "bad_der";

Deno.test("assertDer: accepts strict DER", () => {
  for (
    const hex of [
      "010100", // BOOLEAN false
      "0101ff", // BOOLEAN true
      "020100", // INTEGER 0
      "0201ff", // INTEGER -1
      "02020080", // INTEGER 128
      "0202ff7f", // INTEGER -129
      "0500", // NULL
      "06032a8648", // OID
      "060481808001", // an arc of four octets
      "300606022a038000", // SEQUENCE { OID, [0] primitive }
      "030205a0", // BIT STRING, five unused bits
      "03020080",
      "03020780", // seven unused bits
      "030100", // an empty BIT STRING
      "3000", // SEQUENCE
      "3003020101",
      "3100", // SET
      "a003020102", // [0] { INTEGER 2 }
      "8102ffff", // [1] primitive: opaque
    ]
  ) assertDer(fromHex(hex));
  assertDer(nested(12));
});

Deno.test("assertDer: reads lengths of 0 to 65535 octets in their shortest form", () => {
  for (const [n, length] of [[127, "7f"], [128, "8180"], [255, "81ff"], [256, "820100"]] as const) {
    assert.equal(assertDer(fromHex(`04${length}${"00".repeat(n)}`)).end, n + 1 + length.length / 2);
  }
  assert.equal(assertDer(fromHex(`0482ffff${"00".repeat(65_535)}`)).content, 4);
});

function refusesDer(hex: string, problem: string): void {
  assert.throws(() => assertDer(fromHex(hex)), (e) => {
    assert.ok(badDer(e), `${hex}: ${e}`);
    assert.equal((e as Error).message, `Cannot read DER: ${problem}`, hex);
    return true;
  });
}

Deno.test("assertDer: refuses BER, truncation and trailing bytes", () => {
  refusesDer("", "an element is cut short");
  refusesDer("30", "an element is cut short");
  refusesDer("300102", "an element is cut short");
  refusesDer("3001", "a length is beyond the end");
  refusesDer("3003020200", "a length is beyond the end"); // beyond its parent's
  refusesDer("300000", "bytes follow the element");
  refusesDer("30800000", "a length is indefinite or above 65535");
  refusesDer("3083000001", "a length is indefinite or above 65535");
  refusesDer("3081", "a length is cut short");
  refusesDer("308201", "a length is cut short");
  refusesDer("308100", "a length is longer than it need be");
  refusesDer(`04817f${"00".repeat(127)}`, "a length is longer than it need be");
  refusesDer(`048200ff${"00".repeat(255)}`, "a length is longer than it need be");
  refusesDer("1f0100", "a tag number above 30");
  refusesDer(toHex(nested(13)), "nested deeper than 12");
});

Deno.test("assertDer: refuses values that are not in their one form", () => {
  const boolean = "a boolean not 0 or 255";
  for (const hex of ["0100", "010101", "0102ffff"]) refusesDer(hex, boolean);
  refusesDer("0200", "an empty integer");
  refusesDer("02020001", "an integer is longer than it need be");
  refusesDer("0202ff80", "an integer is longer than it need be"); // negative
  refusesDer("050100", "a null with content");
  for (const hex of ["0600", "060181", "06022a81", "06028180"]) {
    refusesDer(hex, "an object identifier is cut short");
  }
  for (const hex of ["060180", "06022a80", "06038048ff", "060480012a03"]) {
    refusesDer(hex, "an object identifier is longer than it need be");
  }
  refusesDer("0300", "a bit string without a count of unused bits");
  refusesDer("030108", "a bit string without a count of unused bits");
  for (const hex of ["030101", "030107", "030201ff"]) refusesDer(hex, "unused bits are not zero");
  for (const hex of ["2403040100", "2000"]) refusesDer(hex, "a constructed string");
  for (const hex of ["0000", "1000", "1100"]) {
    refusesDer(hex, "a reserved or primitive structured type");
  }
});

/** A NULL inside `depth` SEQUENCEs. */
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
      "020101", // an INTEGER
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
  assert.equal(time("19991231235959Z"), Date.UTC(1999, 11, 31, 23, 59, 59));
  for (
    const text of [
      "2504291031Z", // no seconds
      "0250429103139Z", // a digit too many
      "20250429103139Z0", // something after the Z
      "250429103139+0100",
      "20250429103139.5Z",
      "250229103139Z", // no such day
      "251301000000Z",
      "250101240000Z",
      "250101000060Z",
    ]
  ) assert.throws(() => time(text), badDer, text);
  assert.throws(() => time("250429103139Z", 0x18), badDer);
  assert.throws(() => time("20250429103139Z", 0x17), badDer);
  assert.throws(() => time("20250429103139Z", 0x16), badDer); // an IA5String
});
