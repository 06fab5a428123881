import assert from "node:assert/strict";
import { type Bytes, concat, fromHex, utf8 } from "../enclave/protocol/bytes.ts";
import { readCertificate } from "./certificate.ts";
import { AttestationError } from "./mod.ts";

/** One DER element of at most 65,535 bytes. */
function der(tag: number, ...parts: Uint8Array[]): Bytes {
  const value = concat(...parts);
  const n = value.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return concat(Uint8Array.from([tag, ...length]), value);
}

const ALGORITHM = fromHex("300a06082a8648ce3d040303");
const NAME = fromHex("300c310a300806035504030c0178"); // CN=x
const TIME = der(0x17, utf8("260101000000Z"));
const KEY = concat(
  fromHex("3076301006072a8648ce3d020106052b8104002203620004"),
  new Uint8Array(96).fill(7),
);
const USAGE = fromHex("300b0603551d0f040403020780");
const SIGNATURE = der(0x03, fromHex("00"), fromHex("3006020101020101"));

/** The eight elements of a sound TBSCertificate. */
const TBS: readonly Bytes[] = [
  fromHex("a003020102"),
  fromHex("020101"),
  ALGORITHM,
  NAME,
  der(0x30, TIME, TIME),
  NAME,
  KEY,
  der(0xa3, der(0x30, USAGE)),
];

/** The sound elements with number `at` replaced by `by`. */
function but(at: number, ...by: Bytes[]): Bytes[] {
  return [...TBS.slice(0, at), ...by, ...TBS.slice(at + 1)];
}

function certificate(tbs: readonly Bytes[] = TBS): Bytes {
  return der(0x30, der(0x30, ...tbs), ALGORITHM, SIGNATURE);
}

function refuses(bytes: Bytes, message: RegExp, code = "bad_certificate"): void {
  assert.throws(() => readCertificate(bytes, "certificate"), (e) => {
    assert.ok(e instanceof AttestationError, String(e));
    assert.deepEqual([e.code, e.field], [code, "certificate"], e.message);
    assert.match(e.message, message);
    return true;
  });
}

Deno.test("readCertificate: takes out what a chain is checked by", () => {
  const found = readCertificate(certificate(), "certificate");
  assert.deepEqual(found, {
    field: "certificate",
    tbs: der(0x30, ...TBS),
    signature: concat(new Uint8Array(47), fromHex("01"), new Uint8Array(47), fromHex("01")),
    issuer: NAME,
    subject: NAME,
    spki: KEY,
    notBefore: Date.UTC(2026, 0, 1),
    notAfter: Date.UTC(2026, 0, 1),
    ca: false,
    pathLength: Infinity,
    usages: 0x80,
  });
  const bare = readCertificate(certificate(but(7, der(0xa3, der(0x30)))), "certificate");
  assert.deepEqual([bare.ca, bare.pathLength, bare.usages], [false, Infinity, 0]);
});

Deno.test("readCertificate: refuses every other structure", () => {
  const structure = /its structure is not that of a version 3 certificate/;
  refuses(concat(certificate(), fromHex("00")), /bytes follow/);
  refuses(der(0x31, der(0x30, ...TBS), ALGORITHM, SIGNATURE), structure);
  refuses(der(0x30, der(0x31, ...TBS), ALGORITHM, SIGNATURE), structure);
  refuses(der(0x30, der(0x30, ...TBS), ALGORITHM), structure);
  refuses(der(0x30, der(0x30, ...TBS), ALGORITHM, SIGNATURE, SIGNATURE), structure);
  refuses(der(0x30, der(0x30, ...TBS), ALGORITHM, der(0x04, fromHex("00"))), structure);
  refuses(fromHex("0500"), structure);
  for (const at of TBS.keys()) {
    refuses(certificate(but(at)), structure);
    refuses(certificate(but(at, der(0x81, fromHex("00")))), structure);
    refuses(certificate([...TBS.slice(0, at), der(0x81), ...TBS.slice(at)]), structure);
  }
  refuses(certificate(but(0, fromHex("a003020101"))), /not X.509 version 3/);
  refuses(certificate(but(4, der(0x30, TIME))), /validity is not two times/);
  refuses(certificate(but(4, der(0x30, TIME, TIME, TIME))), /validity is not two times/);
  refuses(certificate(but(4, der(0x30, TIME, fromHex("0500")))), /a time is of another type/);
});

Deno.test("readCertificate: refuses keys and algorithms of the right length and another name", () => {
  const curve = concat(KEY);
  curve[19]! ^= 1; // in the curve's object identifier
  const compressed = concat(KEY);
  compressed[23] = 2;
  for (const key of [curve, compressed]) {
    refuses(certificate(but(6, key)), /not an uncompressed P-384 point/, "unknown_curve");
  }
  refuses(certificate(but(6, der(0x30, KEY))), /not an uncompressed/, "unknown_curve");
  const other = concat(ALGORITHM);
  other[11] = 2; // ecdsa-with-SHA256
  refuses(certificate(but(2, other)), /ecdsa-with-SHA384/, "unsupported_algorithm");
  const outer = der(0x30, der(0x30, ...TBS), other, SIGNATURE);
  refuses(outer, /ecdsa-with-SHA384/, "unsupported_algorithm");
});

Deno.test("readCertificate: refuses extensions that are not one list of extensions", () => {
  const unread = /its extensions cannot be read/;
  refuses(certificate(but(7, der(0xa3))), unread);
  refuses(certificate(but(7, der(0xa3, der(0x31, USAGE)))), unread);
  refuses(certificate(but(7, der(0xa3, der(0x30, USAGE), der(0x30)))), unread);
  refuses(certificate(but(7, der(0xa3, der(0x30, der(0x30))))), /extension of no shape/);
  const twice = der(0xa3, der(0x30, USAGE, USAGE));
  refuses(certificate(but(7, twice)), /one twice/, "duplicate_extension");
});
