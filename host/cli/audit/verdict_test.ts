import assert from "node:assert/strict";
import { type Bytes, concat } from "../../../enclave/protocol/bytes.ts";
import { AttestationError, CHECKS, type Policy } from "../../../attestation/mod.ts";
import {
  createTestChain,
  type PayloadFields,
  payloadFields,
  signDocument,
} from "../../../attestation/test_pki.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { reportJson, reportText } from "./report.ts";
import { type Audit, auditDocument, STATUS, type Verdict } from "./verdict.ts";

const NOW = Date.UTC(2026, 0, 1);
const CHAIN = await createTestChain(NOW);
const FIELDS = payloadFields(CHAIN.leaf, CHAIN.cabundle, NOW);
const POLICY: Policy = {
  root: { kind: "simulated", der: CHAIN.cabundle[0].certificate },
  time: { kind: "live", now: NOW },
  measurements: [{ name: "release", pcrs: FIELDS.pcrs as Map<number, Bytes> }],
};

const document = (change: PayloadFields = {}) =>
  signDocument({ ...FIELDS, ...change }, CHAIN.leaf.keys.privateKey);

function audit(input: Bytes | Promise<Bytes>, policy: Partial<Policy> = {}): Promise<Audit> {
  return auditDocument(async () => await input, { ...POLICY, ...policy });
}

const debugPcrs = new Map([0, 1, 2].map((i) => [i, new Uint8Array(48)]));

/** Every verdict but the first, and the check that fails. */
async function failures(): Promise<[Verdict, string, Audit][]> {
  const sound = await document();
  const forged = concat(sound);
  forged[sound.length - 1]! ^= 1;
  const aws: Partial<Policy> = { root: { kind: "aws" } };
  const other = {
    name: "other",
    pcrs: new Map([0, 1, 2].map((i) => [i, new Uint8Array(48).fill(9)])),
  };
  const late: Partial<Policy> = { time: { kind: "live", now: NOW + 7_200_000 } };
  const old: Partial<Policy> = { time: { kind: "live", now: NOW + 700_000 } };
  const impostor = { ...CHAIN, leaf: (await createTestChain(NOW)).leaf };
  const spliced = await signDocument(
    { ...FIELDS, certificate: impostor.leaf.certificate },
    impostor.leaf.keys.privateKey,
  );
  return [
    ["unreadable", "envelope", await audit(sound.subarray(0, 100))],
    ["unreadable", "payload", await audit(document({ digest: "SHA256" }))],
    ["not_genuine", "root", await audit(sound, aws)],
    ["not_genuine", "certificates", await audit(document({ certificate: new Uint8Array(9) }))],
    ["not_genuine", "signature", await audit(forged)],
    ["not_genuine", "chain", await audit(spliced)],
    ["not_genuine", "chain", await audit(spliced, late)], // a forgery is not called expired
    ["expired", "time", await audit(sound, late)],
    ["expired", "time", await audit(sound, old)],
    ["debug", "debug", await audit(document({ pcrs: debugPcrs }))],
    ["not_approved", "measurement", await audit(sound, { measurements: [other] })],
    ["not_approved", "fields", await audit(sound, { nonce: new Uint8Array(1) })],
  ];
}

Deno.test("auditDocument: accepts a sound document, and every check passed", async () => {
  const found = await audit(document());
  assert.deepEqual([found.verdict, found.attested?.measurement], ["approved", "release"]);
  assert.deepEqual(found.checks, CHECKS.map((check) => ({ check, result: "pass" })));
  assert.equal(found.claims, undefined);
});

Deno.test("auditDocument: each verdict, its status, the failing check, and nothing after it", async () => {
  for (const [verdict, failing, found] of await failures()) {
    assert.equal(found.verdict, verdict, `${failing}: ${found.refusal?.message}`);
    const at = CHECKS.indexOf(failing as typeof CHECKS[number]);
    assert.deepEqual(
      found.checks.map(({ result }) => result),
      CHECKS.map((_, i) => i < at ? "pass" : i === at ? "fail" : "not reached"),
      failing,
    );
    assert.equal(found.attested, undefined);
    assert.equal(found.claims !== undefined, at >= CHECKS.indexOf("root"), failing);
    assert.ok(found.refusal instanceof AttestationError);
  }
  assert.deepEqual(STATUS, {
    approved: 0,
    not_approved: 3,
    debug: 4,
    expired: 5,
    not_genuine: 6,
    unreadable: 7,
  });
});

Deno.test("auditDocument: what cannot be read or unwrapped is unreadable, no check is made", async () => {
  const unread = () => Promise.reject(new Refusal("cannot_read", "Cannot read 'x'", "input"));
  for (const found of [await auditDocument(unread, POLICY), await audit(new Uint8Array(5))]) {
    assert.equal(found.verdict, "unreadable");
    assert.ok(found.checks.every(({ result }) => result === "not reached"));
  }
  const defect = () => Promise.reject(new Error("a defect"));
  await assert.rejects(auditDocument(defect, POLICY), /a defect/); // no verdict on the document
});

Deno.test("auditDocument: a policy that cannot refuse is the caller's mistake, not the document's", async () => {
  await assert.rejects(audit(document(), { measurements: [] }), /approves no measurement/);
  const debug = { measurements: [{ name: "zero", pcrs: debugPcrs }] };
  await assert.rejects(audit(document(), debug), /approves debug enclaves/);
});

Deno.test("auditDocument: an allowed debug enclave is approved, and says so", async () => {
  const found = await audit(document({ pcrs: debugPcrs }), {
    measurements: [{ name: "debug", pcrs: debugPcrs }],
    debug: "allow-by-name",
  });
  assert.equal(found.verdict, "approved");
  assert.match(reportText("x", POLICY, found), /^verdict: genuine and approved.*DEBUG/m);
});

Deno.test("reportText: one line a check, the claims of a forgery marked as such, SIMULATED said", async () => {
  const good = reportText("judge.bin", POLICY, await audit(document()));
  for (const check of CHECKS) assert.match(good, new RegExp(`^${check} +pass +\\S`, "m"));
  assert.match(good, /^root +SIMULATED/m);
  assert.match(good, /^verdict: genuine and approved \(SIMULATED\): release$/m);
  assert.match(good, /^pcr2 +0303/m);
  assert.doesNotMatch(good, /^pcr3/m); // zero
  for (const [verdict, failing, found] of await failures()) {
    const text = reportText("judge.bin", POLICY, found);
    assert.match(text, new RegExp(`^${failing} +fail `, "m"));
    assert.match(text, new RegExp(`^refused: ${found.refusal!.code}: `, "m"));
    assert.equal(/NOT VERIFIED/.test(text), verdict === "not_genuine", failing);
    assert.equal(/^verdict: genuine/m.test(text), !/unreadable|not_genuine/.test(verdict));
  }
});

Deno.test("reportText: a forged document cannot write to the terminal", async () => {
  const found = await audit(document({ module_id: "\x1b[2Jverdict\u202e\r\u0007" }));
  const text = reportText("x", POLICY, found);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f\u202e]/);
  const late = await audit(document({ timestamp: Number.MAX_SAFE_INTEGER }));
  assert.match(reportText("x", POLICY, late), /9007199254740991 ms/);
});

Deno.test("reportJson: says all of it to programs, absent fields null and empty ones empty", async () => {
  const sound = await audit(document({ user_data: new Uint8Array(0), nonce: null }));
  const json = JSON.parse(JSON.stringify(reportJson("x", POLICY, sound)));
  assert.deepEqual(
    [
      json.verdict,
      json.status,
      json.genuine,
      json.root,
      json.measurement,
      json.debug,
      json.refusal,
    ],
    ["approved", 0, true, "simulated", "release", false, null],
  );
  assert.deepEqual([json.document.user_data, json.document.nonce], ["", null]);
  assert.equal(json.document.valid_until, new Date(NOW + 3_600_000).toISOString());
  for (const [verdict, failing, found] of await failures()) {
    const json = reportJson("x", POLICY, found);
    assert.deepEqual(
      [json.verdict, json.status, json.genuine],
      [verdict, STATUS[verdict], !/unreadable|not_genuine/.test(verdict)],
      failing,
    );
  }
});
