import assert from "node:assert/strict";
import "reflect-metadata";
import { KeyUsageFlags } from "@peculiar/x509";
import { type Bytes, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { readCertificate } from "./certificate.ts";
import { assertDer, children } from "./der.ts";
import { AttestationError, type Policy, verify } from "./mod.ts";
import {
  createCertificate,
  createKeys,
  createTestChain,
  type Identity,
  payloadFields,
  signDocument,
  type TestChain,
  type TestChainDefects,
} from "./test_pki.ts";

const NOW = Date.UTC(2026, 0, 1);

/** Verify a document under `chain`, live at `now`. */
async function check(chain: TestChain, now: number = NOW) {
  const fields = payloadFields(chain.leaf, chain.cabundle, now);
  const policy: Policy = {
    root: { kind: "simulated", der: chain.cabundle[0].certificate },
    time: { kind: "live", now },
    measurements: [{ name: "image", pcrs: fields.pcrs as Map<number, Bytes> }],
  };
  // A P-521 signature does not fit the envelope; the chain is refused before the signature is looked at.
  const signer = curveOf(chain.leaf) === "P-384" ? chain.leaf : chain.cabundle[1];
  return await verify(await signDocument(fields, signer.keys.privateKey), policy);
}

function curveOf(identity: Identity): string {
  return (identity.keys.privateKey.algorithm as EcKeyAlgorithm).namedCurve;
}

async function refuses(
  defects: TestChainDefects | TestChain,
  code: string,
  field: string,
  now: number = NOW,
): Promise<void> {
  const chain = "cabundle" in defects ? defects : await createTestChain(NOW, defects);
  await assert.rejects(check(chain, now), (e) => {
    assert.ok(e instanceof AttestationError, String(e));
    assert.deepEqual([e.code, e.field], [code, field], e.message);
    return true;
  });
}

Deno.test("verifyChain: accepts a sound chain, the leaf's keyUsage not critical", async () => {
  const chain = await createTestChain(NOW);
  assert.equal((await check(chain)).notAfter, NOW + 3_600_000);
  await check(chain, NOW + 3_600_000); // the last moment
  await refuses(chain, "expired", "cabundle[0]", NOW + 3_600_001);
});

Deno.test("verifyChain: reports the earliest end of validity", async () => {
  const chain = await createTestChain(NOW, { issuer: { notAfter: NOW + 60_000 } });
  assert.equal((await check(chain)).notAfter, NOW + 60_000);
});

Deno.test("verifyChain: refuses certificates that have expired or are not valid yet, at each level", async () => {
  const levels = [["root", "cabundle[0]"], ["issuer", "cabundle[1]"], ["leaf", "certificate"]];
  for (const [level, field] of levels) {
    await refuses({ [level!]: { notAfter: NOW - 1_000 } }, "expired", field!);
    await refuses({ [level!]: { notBefore: NOW + 31_000 } }, "not_yet_valid", field!);
    await check(await createTestChain(NOW, { [level!]: { notBefore: NOW + 30_000 } })); // the leeway
  }
});

Deno.test("verifyChain: refuses issuers that are not CAs and CAs beyond a pathLen", async () => {
  await refuses({ issuer: { ca: false } }, "not_a_ca", "cabundle[1]");
  await refuses(
    { issuer: { usages: KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature } },
    "cannot_sign_certificates",
    "cabundle[1]",
  );
  await refuses({ root: { pathLength: 0 } }, "path_too_long", "cabundle[0]");
  await check(await createTestChain(NOW, { root: { pathLength: 1 } }));
});

Deno.test("verifyChain: refuses a leaf that is a CA or may not sign", async () => {
  const usages = KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign;
  await refuses({ leaf: { ca: true, usages } }, "leaf_is_ca", "certificate");
  const agreement = { usages: KeyUsageFlags.keyAgreement };
  await refuses({ leaf: agreement }, "leaf_cannot_sign", "certificate");
});

Deno.test("verifyChain: refuses a wrong issuer name and a signature by another key", async () => {
  await refuses({ leaf: { issuerName: "somebody" } }, "issuer_mismatch", "certificate");
  const impostor = await createTestChain(NOW);
  const sound = await createTestChain(NOW);
  const forged = await createCertificate({
    name: "leaf",
    issuer: impostor.cabundle[1], // the same name, another key
    ca: false,
    notBefore: NOW - 1_000,
    notAfter: NOW + 60_000,
  });
  await refuses({ ...sound, leaf: forged }, "bad_certificate_signature", "certificate");
  const spliced: TestChain = { ...impostor, cabundle: [sound.cabundle[0], impostor.cabundle[1]] };
  await refuses(spliced, "bad_certificate_signature", "cabundle[1]");
});

Deno.test("verifyChain: refuses a bundle without the leaf's issuer", async () => {
  const { cabundle: [root], leaf } = await createTestChain(NOW);
  const short = { cabundle: [root], leaf } as unknown as TestChain;
  await refuses(short, "issuer_mismatch", "certificate");
});

Deno.test("readCertificate: refuses a P-521 and a P-256 leaf by code, and a P-521 issuer", async () => {
  for (const curve of ["P-521", "P-256"] as const) {
    await refuses({ leaf: { curve } }, "unknown_curve", "certificate");
  }
  // The issuer's P-521 key signs the leaf, so that only the curve is wrong.
  await refuses({ issuer: { curve: "P-521" } }, "unknown_curve", "cabundle[1]");
});

Deno.test("readCertificate: refuses a hash other than SHA-384, and algorithms that differ", async () => {
  await refuses({ leaf: { hash: "SHA-256" } }, "unsupported_algorithm", "certificate");
  const sound = await createTestChain(NOW);
  const oid = "06082a8648ce3d040303";
  for (const last of [false, true]) {
    const hex = toHex(sound.leaf.certificate);
    const at = last ? hex.lastIndexOf(oid) : hex.indexOf(oid);
    const certificate = fromHex(hex.slice(0, at + 18) + "02" + hex.slice(at + 20));
    const chain = { ...sound, leaf: { ...sound.leaf, certificate } };
    await refuses(chain, "unsupported_algorithm", "certificate");
  }
});

Deno.test("readCertificate: refuses unknown critical and duplicate extensions", async () => {
  const value = fromHex("0500");
  const critical = { extensions: [{ oid: "1.2.3.4", critical: true, value }] };
  await refuses({ leaf: critical }, "unknown_critical_extension", "certificate");
  await refuses({ issuer: critical }, "unknown_critical_extension", "cabundle[1]");
  const harmless = { oid: "1.2.3.4", critical: false, value };
  await check(await createTestChain(NOW, { leaf: { extensions: [harmless] } }));
  const twice = { extensions: [harmless, harmless] };
  await refuses({ leaf: twice }, "duplicate_extension", "certificate");
});

Deno.test("readCertificate: refuses a key that is not on the curve", async () => {
  const sound = await createTestChain(NOW);
  const spki = await crypto.subtle.exportKey("spki", sound.leaf.keys.publicKey);
  const key = toHex(new Uint8Array(spki)).slice(-96); // y
  const hex = toHex(sound.leaf.certificate);
  const certificate = fromHex(hex.replace(key, "00".repeat(47) + "01"));
  await refuses({ ...sound, leaf: { ...sound.leaf, certificate } }, "bad_key", "certificate");
});

Deno.test("readCertificate: refuses trailing bytes and every truncation", async () => {
  const { leaf } = await createTestChain(NOW);
  const bad = (e: unknown) => e instanceof AttestationError && e.code === "bad_certificate";
  const long = new Uint8Array(leaf.certificate.length + 1);
  long.set(leaf.certificate);
  assert.throws(() => readCertificate(long, "certificate"), bad);
  for (let n = 0; n < leaf.certificate.length; n++) {
    assert.throws(() => readCertificate(leaf.certificate.slice(0, n), "certificate"), bad);
  }
});

Deno.test("readCertificate: any one byte changed is read or refused, never thrown on otherwise", async () => {
  const { leaf } = await createTestChain(NOW);
  for (let at = 0; at < leaf.certificate.length; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const changed = new Uint8Array(leaf.certificate);
      changed[at]! ^= mask;
      try {
        readCertificate(changed, "certificate");
      } catch (e) {
        assert.ok(e instanceof AttestationError, `byte ${at}: ${e}`);
      }
    }
  }
});

Deno.test("verifyChain: accepts certificates whose DER has a short r or s", async () => {
  const keys = await createKeys();
  const { cabundle, leaf } = await createTestChain(NOW, { leaf: { keys } });
  const validity = { notBefore: NOW - 1_000, notAfter: NOW + 60_000 };
  for (let tries = 0; tries < 10_000; tries++) {
    const options = { name: "leaf", issuer: cabundle[1], ca: false, keys, ...validity };
    const short = tries === 0 ? leaf : await createCertificate(options);
    const { signature } = readCertificate(short.certificate, "certificate");
    if (signature[0] !== 0 && signature[48] !== 0) continue;
    await check({ cabundle, leaf: short });
    return;
  }
  assert.fail("no short r or s in 10,000 signatures");
});

Deno.test("readCertificate: refuses a signature that counts unused bits", async () => {
  const { cabundle, leaf } = await createTestChain(NOW);
  const validity = { notBefore: NOW - 1_000, notAfter: NOW + 60_000 };
  let der = leaf.certificate;
  while ((der.at(-1)! & 1) !== 0) { // an even last byte, so that the bit string stays strict DER
    const options = { name: "leaf", issuer: cabundle[1], ca: false, ...validity };
    der = (await createCertificate(options)).certificate;
  }
  const outer = children(der, assertDer(der))[2]!; // the signature's BIT STRING
  der[outer.content] = 1;
  assert.throws(() => readCertificate(der, "certificate"), /unused bits/);
});

/** The sound leaf with `from` (hexadecimal, once in it) changed to `to` of the same length. */
async function patched(from: string, to: string): Promise<Bytes> {
  const { leaf } = await createTestChain(NOW);
  const hex = toHex(leaf.certificate);
  assert.equal(hex.split(from).length, 2, `${from} is there once`);
  return fromHex(hex.replace(from, to));
}

Deno.test("readCertificate: holds extensions to their very tags, classes included", async () => {
  const usage = "300b0603551d0f0404030207"; // SEQUENCE { OID, OCTET STRING { BIT STRING
  const constraints = "300c0603551d130101ff04023000"; // critical, an empty SEQUENCE
  assert.equal(readCertificate(await patched(usage, usage), "certificate").usages, 0x80);
  for (
    const [from, to] of [
      [usage, "b00b0603551d0f0404030207"], // [16] instead of SEQUENCE
      [usage, "300b8603551d0f0404030207"], // [6] instead of OID
      [usage, "300b0603551d0f8404030207"], // [4] instead of OCTET STRING
      [usage, "300b0603551d0f0404830207"], // [3] instead of BIT STRING
      [constraints, "300c0603551d138101ff04023000"], // [1] instead of BOOLEAN
      [constraints, "300c0603551d130101ff0402b000"], // [16] instead of SEQUENCE
      [constraints, "300c0603551d130101ff04020500"], // NULL
    ] as const
  ) {
    const der = await patched(from, to);
    assert.throws(
      () => readCertificate(der, "certificate"),
      (e) => e instanceof AttestationError && e.code === "bad_certificate",
      to,
    );
  }
});

Deno.test("readCertificate: reads basicConstraints and keyUsage, and nothing that is not DER", async () => {
  const { cabundle: [root] } = await createTestChain(NOW);
  const read = async (oid: string, hex: string) => {
    const value = fromHex(hex);
    const { certificate } = await createCertificate({
      name: "x",
      issuer: root,
      ca: false,
      notBefore: NOW,
      notAfter: NOW,
      bare: true,
      extensions: [{ oid, critical: true, value }],
    });
    return readCertificate(certificate, "certificate");
  };
  const constraints = async (hex: string) => {
    const { ca, pathLength } = await read("2.5.29.19", hex);
    return [ca, pathLength];
  };
  assert.deepEqual(await constraints("3000"), [false, Infinity]);
  assert.deepEqual(await constraints("30030101ff"), [true, Infinity]);
  assert.deepEqual(await constraints("30060101ff020100"), [true, 0]);
  assert.deepEqual(await constraints("30060101ff02017f"), [true, 127]);
  for (
    const hex of [
      "3003010100", // FALSE is the default, and not written in DER
      "3003020100", // a path length of no CA
      "30030401ff", // an OCTET STRING for the BOOLEAN
      "30060101ff020180", // negative
      "30060101ff0201ff", // negative
      "30070101ff02020080", // two octets
      "30060101ff040100", // an OCTET STRING
      "30090101ff020100020100", // one too many
      "31030101ff", // a SET
      "0101ff",
      "300001",
      "",
    ]
  ) await assert.rejects(constraints(hex), /basicConstraints|DER|certificate/, hex);
  const usages = async (hex: string) => (await read("2.5.29.15", hex)).usages;
  assert.deepEqual(await usages("03020780"), 0x80); // digitalSignature
  assert.deepEqual(await usages("03020204"), 0x04); // keyCertSign
  assert.deepEqual(await usages("03020186"), 0x86);
  assert.deepEqual(await usages("0303070080"), 0); // decipherOnly, in the second octet
  assert.deepEqual(await usages("030100"), 0);
  for (const hex of ["04020780", "030208ff", "3000", ""]) {
    await assert.rejects(usages(hex), /keyUsage|DER|certificate/, hex);
  }
});
