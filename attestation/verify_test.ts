import assert from "node:assert/strict";
import { type Bytes, concat, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../enclave/protocol/cbor.ts";
import {
  type ApprovedMeasurement,
  AttestationError,
  type Check,
  CHECKS,
  DEBUG_MEASUREMENT,
  type Policy,
  verify,
} from "./mod.ts";
import { createTestChain, type PayloadFields, payloadFields, signDocument } from "./test_pki.ts";

const NOW = Date.UTC(2026, 0, 1);
const CHAIN = await createTestChain(NOW);
const ROOT = CHAIN.cabundle[0].certificate;
const KEY = CHAIN.leaf.keys.privateKey;
const FIELDS = payloadFields(CHAIN.leaf, CHAIN.cabundle, NOW);

function pcr(value: number): Bytes {
  return new Uint8Array(48).fill(value);
}

function measurement(change: Partial<ApprovedMeasurement> = {}): ApprovedMeasurement {
  return { name: "image", pcrs: new Map([[0, pcr(1)], [1, pcr(2)], [2, pcr(3)]]), ...change };
}

const POLICY: Policy = {
  root: { kind: "simulated", der: ROOT },
  time: { kind: "live", now: NOW },
  measurements: [measurement()],
};

function document(change: PayloadFields = {}): Promise<Bytes> {
  return signDocument({ ...FIELDS, ...change }, KEY);
}

async function refuses(
  doc: Bytes | Promise<Bytes>,
  code: string,
  change: Partial<Policy> = {},
): Promise<void> {
  await assert.rejects(
    verify(await doc, { ...POLICY, ...change }),
    (e) => {
      assert.ok(e instanceof AttestationError, String(e));
      assert.equal(e.code, code, e.message);
      return true;
    },
  );
}

Deno.test("verify: accepts a sound document and reports what it says", async () => {
  const attested = await verify(await document(), {
    ...POLICY,
    nonce: FIELDS.nonce as Bytes,
    userData: FIELDS.user_data as Bytes,
    publicKey: FIELDS.public_key as Bytes,
  });
  assert.deepEqual(attested, {
    moduleId: "test-enc0",
    digest: "SHA384",
    timestamp: NOW,
    pcrs: FIELDS.pcrs,
    publicKey: FIELDS.public_key,
    userData: FIELDS.user_data,
    nonce: FIELDS.nonce,
    measurement: "image",
    root: "simulated",
    debug: false,
    notAfter: NOW + 3_600_000,
  });
});

Deno.test("verify: refuses the simulated root under an AWS policy and another simulated root", async () => {
  await refuses(document(), "untrusted_root", { root: { kind: "aws" } });
  const other = (await createTestChain(NOW)).cabundle[0].certificate;
  await refuses(document(), "untrusted_root", { root: { kind: "simulated", der: other } });
});

Deno.test("verify: refuses policies that could not refuse", async () => {
  const doc = await document();
  await refuses(doc, "empty_policy", { measurements: [] });
  const without = new Map([[0, pcr(1)], [1, pcr(2)]]);
  await refuses(doc, "bad_policy", { measurements: [measurement({ pcrs: without })] });
  const short = new Map([[0, pcr(1)], [1, pcr(2)], [2, new Uint8Array(32)]]);
  await refuses(doc, "bad_policy", { measurements: [measurement({ pcrs: short })] });
  await refuses(doc, "bad_policy", { measurements: [DEBUG_MEASUREMENT] });
  for (const now of [NaN, 0, -1, 0.5]) {
    await refuses(doc, "bad_policy", { time: { kind: "live", now } });
  }
  for (const maxAgeMs of [NaN, 0, -1, 0.5]) {
    await refuses(doc, "bad_policy", { time: { kind: "live", now: NOW, maxAgeMs } });
  }
  await refuses(doc, "bad_policy", { time: { kind: "never" } as unknown as Policy["time"] });
  await refuses(doc, "bad_policy", { root: { kind: "any" } as unknown as Policy["root"] });
});

Deno.test("Policy: one without measurements, a root or a time does not compile", async () => {
  const { root, time, measurements } = POLICY;
  // @ts-expect-error: `measurements` is missing
  const approvesAnything: Policy = { root, time };
  // @ts-expect-error: `root` is missing
  const trustsAnything: Policy = { time, measurements };
  // @ts-expect-error: `time` is missing
  const holdsAlways: Policy = { root, measurements };
  for (const policy of [approvesAnything, trustsAnything, holdsAlways]) {
    await assert.rejects(verify(await document(), policy)); // nor does it run
  }
});

Deno.test("verify: looks PCRs up by index, and an absent expected PCR does not match", async () => {
  const swapped = new Map([[0, pcr(2)], [1, pcr(1)], [2, pcr(3)]]);
  await refuses(document(), "unknown_measurement", {
    measurements: [measurement({ pcrs: swapped })],
  });
  const pcrs = new Map([[0, pcr(1)], [1, pcr(2)], [2, pcr(3)], [16, pcr(0)]]);
  await refuses(document(), "unknown_measurement", { measurements: [measurement({ pcrs })] });
  await refuses(document({ pcrs: new Map([[0, pcr(1)], [1, pcr(2)]]) }), "unknown_measurement");
  const shuffled = new Map([[2, pcr(3)], [0, pcr(1)], [1, pcr(2)]]);
  const found = await verify(await document({ pcrs: shuffled }), {
    ...POLICY,
    measurements: [measurement({ name: "other", pcrs: swapped }), measurement()],
  });
  assert.equal(found.measurement, "image");
});

Deno.test("verify: holds a measurement to its own time", async () => {
  const doc = await document();
  for (const change of [{ notBefore: NOW + 1 }, { notAfter: NOW - 1 }]) {
    await refuses(doc, "measurement_not_active", { measurements: [measurement(change)] });
  }
  const exact = measurement({ notBefore: NOW, notAfter: NOW });
  await verify(doc, { ...POLICY, measurements: [exact] });
});

Deno.test("verify: refuses a debug enclave unless it is allowed and approved by name", async () => {
  const pcrs = new Map([0, 1, 2, 3, 4].map((i) => [i, pcr(i < 3 ? 0 : 7)]));
  const doc = await document({ pcrs });
  await refuses(doc, "debug_enclave");
  // Debug is all of PCR0, 1 and 2 there and all zero: one that is not is another image.
  const partly = pcr(0);
  partly[47] = 1;
  for (const one of [null, pcr(1), partly]) {
    for (const index of [0, 1, 2]) {
      const other = new Map(pcrs);
      if (one === null) other.delete(index);
      else other.set(index, one);
      await refuses(document({ pcrs: other }), "unknown_measurement");
    }
  }
  await refuses(doc, "unknown_measurement", { debug: "allow-by-name" });
  const measurements = [DEBUG_MEASUREMENT];
  const attested = await verify(doc, { ...POLICY, measurements, debug: "allow-by-name" });
  assert.deepEqual([attested.debug, attested.measurement], [true, "debug"]);
});

Deno.test("verify: compares nonce, user_data and public_key whole", async () => {
  const doc = await document();
  const nonce = FIELDS.nonce as Bytes;
  await refuses(doc, "nonce_mismatch", { nonce: pcr(9) });
  await refuses(doc, "nonce_mismatch", { nonce: nonce.subarray(1) });
  await refuses(document({ nonce: null }), "nonce_mismatch", { nonce });
  await refuses(document({ nonce: null }), "nonce_mismatch", { nonce: new Uint8Array(0) });
  await refuses(doc, "user_data_mismatch", { userData: fromHex("010204") });
  await refuses(doc, "public_key_mismatch", { publicKey: pcr(1).slice(0, 32) });
  await refuses(document({ public_key: null }), "public_key_mismatch", {
    publicKey: FIELDS.public_key as Bytes,
  });
});

Deno.test("verify: requires a sound Ed25519 key where the policy says so", async () => {
  const policy: Partial<Policy> = { publicKey: "ed25519" };
  await verify(await document(), { ...POLICY, ...policy });
  await refuses(document({ public_key: null }), "bad_public_key", policy);
  await refuses(document({ public_key: new Uint8Array(33) }), "bad_public_key", policy);
  await refuses(document({ public_key: new Uint8Array(32) }), "small_order_key", policy);
});

Deno.test("verify: live refuses stale and future documents, archived takes their own time", async () => {
  const stale = await document({ timestamp: NOW - 600_001 });
  await refuses(stale, "stale");
  await refuses(document({ timestamp: NOW - 1_001 }), "stale", {
    time: { kind: "live", now: NOW, maxAgeMs: 1_000 },
  });
  await refuses(document({ timestamp: NOW + 30_001 }), "not_yet_valid");
  await verify(await document({ timestamp: NOW + 30_000 }), POLICY);
  await verify(await document({ timestamp: NOW - 600_000 }), POLICY);
  await verify(stale, { ...POLICY, time: { kind: "archived" } });
  await refuses(document({ timestamp: NOW + 4_000_000 }), "expired", {
    time: { kind: "archived" },
  });
  // The leeway is for the caller's clock, and no clock is asked: the chain is valid from NOW - 3,600,000.
  await refuses(document({ timestamp: NOW - 3_600_001 }), "not_yet_valid", {
    time: { kind: "archived" },
  });
});

Deno.test("verify: refuses another leaf's signature, another hash and a changed payload", async () => {
  const other = await createTestChain(NOW);
  await refuses(signDocument(FIELDS, other.leaf.keys.privateKey), "bad_signature");
  await refuses(signDocument(FIELDS, KEY, "SHA-256"), "bad_signature");
  const doc = await document();
  const at = toHex(doc).indexOf(toHex(new TextEncoder().encode("test-enc0"))) / 2;
  doc[at]! ^= 1;
  await refuses(doc, "bad_signature");
  const zero = await document();
  zero.fill(0, zero.length - 96);
  await refuses(zero, "bad_signature");
});

// Order of the P-384 group, FIPS 186-5.
const N = BigInt(
  "0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
);

Deno.test("verify: accepts low and high s, so that a signature is no identity", async () => {
  const doc = await document();
  const twin = new Uint8Array(doc);
  const s = N - BigInt("0x" + toHex(doc.subarray(doc.length - 48)));
  twin.set(fromHex(s.toString(16).padStart(96, "0"), 48), doc.length - 48);
  assert.notDeepEqual(twin, doc);
  await verify(doc, POLICY);
  await verify(twin, POLICY);
});

Deno.test("verify: user_data and nonce are 512 bytes, 1,024 where the policy says so", async () => {
  await verify(await document({ nonce: new Uint8Array(512) }), POLICY);
  for (const field of ["nonce", "user_data"]) {
    const long = await document({ [field]: new Uint8Array(513) });
    await refuses(long, "wrong_length");
    await verify(long, { ...POLICY, fieldBytes: 1024 });
    await refuses(document({ [field]: new Uint8Array(1025) }), "wrong_length", {
      fieldBytes: 1024,
    });
  }
  const { nonce: _, user_data: __, public_key: ___, ...bare } = FIELDS;
  const attested = await verify(await signDocument(encodeCanonical(bare), KEY), POLICY);
  assert.deepEqual([attested.nonce, attested.userData, attested.publicKey], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("verify: refuses the document with any one byte of its envelope changed", async () => {
  const doc = await document();
  const payloadAt = 10; // 84 44 a1013822 a0 59 hi lo
  for (const at of [...Array(payloadAt).keys(), doc.length - 98, doc.length - 97, doc.length - 1]) {
    const changed = concat(doc);
    changed[at]! ^= 0x41;
    await assert.rejects(verify(changed, POLICY), AttestationError, `byte ${at}`);
  }
});

Deno.test("verify: reports each check that passed, in order, and none from the failing one on", async () => {
  const passed = async (doc: Bytes, change: Partial<Policy> = {}): Promise<Check[]> => {
    const checks: Check[] = [];
    await verify(doc, { ...POLICY, ...change }, (check) => checks.push(check)).catch(() => {});
    return checks;
  };
  const sound = await document();
  assert.deepEqual(await passed(sound), CHECKS);
  const forged = concat(sound);
  forged[sound.length - 1]! ^= 1;
  const pcrs = new Map([0, 1, 2].map((i) => [i, pcr(0)]));
  const other = measurement({ pcrs: new Map([0, 1, 2].map((i) => [i, pcr(9)])) });
  const time: Policy["time"] = { kind: "live", now: NOW + 7_200_000 };
  const impostor = (await createTestChain(NOW)).leaf;
  const spliced = await signDocument(
    { ...FIELDS, certificate: impostor.certificate },
    impostor.keys.privateKey,
  );
  const failures: [Check, Bytes, Partial<Policy>][] = [
    ["envelope", sound.subarray(1), {}],
    ["payload", await document({ digest: "SHA256" }), {}],
    ["root", sound, { root: { kind: "aws" } }],
    ["certificates", await document({ certificate: pcr(0) }), {}],
    ["signature", forged, {}],
    ["chain", spliced, { time }], // of a forgery nobody reads that it has merely expired
    ["time", sound, { time }],
    ["time", await document({ timestamp: NOW - 600_001 }), {}],
    ["debug", await document({ pcrs }), {}],
    ["measurement", sound, { measurements: [other], nonce: pcr(0) }],
    ["fields", sound, { nonce: pcr(0) }],
  ];
  for (const [failing, doc, change] of failures) {
    assert.deepEqual(await passed(doc, change), CHECKS.slice(0, CHECKS.indexOf(failing)), failing);
  }
  assert.equal(CHECKS.length, 10);
});
