import assert from "node:assert/strict";
import { type Bytes, concat, equal, fromHex } from "../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../enclave/protocol/cbor.ts";
import { AttestationError, parseDocument, type Policy, verify } from "./mod.ts";
import { createTestChain, payloadFields, signDocument } from "./test_pki.ts";

const NOW = Date.UTC(2026, 0, 1);
const CHAIN = await createTestChain(NOW);
const KEY = CHAIN.leaf.keys.privateKey;
const FIELDS = payloadFields(CHAIN.leaf, CHAIN.cabundle, NOW);
const POLICY: Policy = {
  root: { kind: "simulated", der: CHAIN.cabundle[0].certificate },
  time: { kind: "live", now: NOW },
  measurements: [{ name: "image", pcrs: FIELDS.pcrs as Map<number, Bytes> }],
};

type Entry = [string, Bytes];

/** The payload's entries, each value already encoded, so that a test can break one. */
function entries(change: Record<string, string | Bytes> = {}): Entry[] {
  return Object.entries(FIELDS).map(([key, value]) => {
    const changed = change[key];
    if (changed === undefined) return [key, encodeCanonical(value)];
    return [key, typeof changed === "string" ? fromHex(changed) : changed];
  });
}

/** A map of `list` with `head` (definite by default) and `end`. */
function map(list: readonly Entry[], head?: string, end: string = ""): Bytes {
  const parts = list.flatMap(([key, value]) => [encodeCanonical(key), value]);
  return concat(fromHex(head ?? (0xa0 + list.length).toString(16)), ...parts, fromHex(end));
}

/** A correctly SIGNED document over a broken payload is refused as `code`, by both entry points. */
async function refusesPayload(payload: Bytes, code: string): Promise<void> {
  const document = await signDocument(payload, KEY);
  const refused = (e: unknown) => {
    assert.ok(e instanceof AttestationError, String(e));
    assert.equal(e.code, code, e.message);
    return true;
  };
  assert.throws(() => parseDocument(document), refused);
  await assert.rejects(verify(document, POLICY), refused);
}

function refusesEnvelope(document: Bytes, code: string): void {
  assert.throws(
    () => parseDocument(document),
    (e) => e instanceof AttestationError && e.code === code,
    code,
  );
}

Deno.test("parsePayload: reads definite and indefinite maps, in any order", async () => {
  for (const payload of [map(entries()), map(entries().reverse(), "bf", "ff")]) {
    assert.equal((await verify(await signDocument(payload, KEY), POLICY)).timestamp, NOW);
  }
});

Deno.test("parsePayload: refuses broken maps", async () => {
  const list = entries();
  await refusesPayload(map([...list, list[0]!]), "duplicate_key");
  await refusesPayload(map([...list, list[0]!], "bf", "ff"), "duplicate_key");
  await refusesPayload(map(list, "bf"), "missing_break");
  await refusesPayload(map(list, undefined, "00"), "trailing_bytes");
  await refusesPayload(map(list, "bf", "ff00"), "trailing_bytes");
  await refusesPayload(map(list, "aa"), "truncated"); // ten entries declared, nine there
  await refusesPayload(map(list, "b809"), "non_minimal");
  await refusesPayload(map(list, "c0a9"), "unknown_tag");
  await refusesPayload(map(list.slice(1)), "missing_field");
  await refusesPayload(map([...list, ["more", fromHex("00")]]), "unknown_field");
  await refusesPayload(fromHex("80"), "wrong_kind");
});

Deno.test("parsePayload: refuses giant declared lengths without allocating", async () => {
  for (const head of ["5b7fffffffffffffff", "5bffffffffffffffff", "5affffffff", "9affffffff"]) {
    await refusesPayload(map(entries({ certificate: head })), "truncated");
    await refusesPayload(map(entries({ cabundle: head })), "truncated");
  }
  await refusesPayload(map(entries(), "bbffffffffffffffff"), "truncated");
  await refusesPayload(map(entries({ pcrs: "baffffffff" })), "truncated");
});

Deno.test("parsePayload: refuses chunked strings, indefinite arrays, floats and tags", async () => {
  await refusesPayload(map(entries({ certificate: "5f4100ff" })), "indefinite_length");
  await refusesPayload(map(entries({ module_id: "7f6161ff" })), "indefinite_length");
  await refusesPayload(map(entries({ cabundle: "9f4100ff" })), "indefinite_length");
  await refusesPayload(map(entries({ timestamp: "fb3ff0000000000000" })), "float_refused");
  await refusesPayload(map(entries({ timestamp: "c11a00000001" })), "unknown_tag");
  await refusesPayload(map(entries({ nonce: "8181818100" })), "too_deep");
  await refusesPayload(map(entries({ nonce: "f7" })), "unsupported_value");
});

Deno.test("parsePayload: refuses more items than a document can have", async () => {
  const many = encodeCanonical(Array.from({ length: 100 }, () => 0));
  await refusesPayload(map(entries({ nonce: many })), "too_many_items");
});

Deno.test("parsePayload: holds every field to its kind and bounds", async () => {
  const long = (n: number) => encodeCanonical(new Uint8Array(n));
  const pcrs = (key: unknown, value: unknown) => encodeCanonical(new Map([[key, value]]));
  const pcr = new Uint8Array(48);
  const cases: [string, string | Bytes, string][] = [
    ["module_id", "60", "wrong_length"],
    ["module_id", "01", "wrong_kind"],
    ["digest", encodeCanonical("SHA256"), "bad_digest"],
    ["timestamp", "00", "bad_timestamp"],
    ["timestamp", "20", "out_of_range"],
    ["timestamp", "1b0020000000000000", "out_of_range"], // 2^53
    ["timestamp", "6131", "wrong_kind"],
    ["pcrs", "a0", "wrong_length"],
    ["pcrs", "80", "wrong_kind"],
    ["pcrs", pcrs(32, pcr), "bad_pcr_index"],
    ["pcrs", pcrs(-1, pcr), "bad_pcr_index"],
    ["pcrs", pcrs("0", pcr), "bad_pcr_index"],
    ["pcrs", pcrs(0, new Uint8Array(32)), "bad_pcr"],
    ["pcrs", pcrs(0, new Uint8Array(64)), "bad_pcr"],
    ["pcrs", pcrs(0, null), "bad_pcr"],
    [
      "pcrs",
      concat(fromHex("a200"), encodeCanonical(pcr), fromHex("00"), encodeCanonical(pcr)),
      "duplicate_key",
    ],
    ["certificate", "40", "wrong_length"],
    ["certificate", long(1025), "wrong_length"],
    ["certificate", "f6", "wrong_kind"],
    ["cabundle", "80", "wrong_length"],
    ["cabundle", "8140", "wrong_length"],
    ["cabundle", concat(fromHex("89"), ...Array(9).fill(fromHex("4100"))), "wrong_length"],
    ["cabundle", "f6", "wrong_kind"],
    ["public_key", "40", "wrong_length"],
    ["public_key", long(1025), "wrong_length"],
    ["user_data", long(1025), "wrong_length"],
    ["nonce", long(1025), "wrong_length"],
    ["nonce", "6161", "wrong_kind"],
  ];
  for (const [field, value, code] of cases) {
    await refusesPayload(map(entries({ [field]: value })), code);
  }
  const last = parseDocument(await signDocument(map(entries({ pcrs: pcrs(31, pcr) })), KEY));
  assert.deepEqual([...last.pcrs.keys()], [31]);
});

Deno.test("parsePayload: a refusal names the field and the part of the document", async () => {
  const cases: [Bytes, string][] = [
    [map(entries(), undefined, "00"), "payload"],
    [map(entries().slice(1)), "module_id"],
    [map(entries({ pcrs: "a0" })), "pcrs"],
    [map(entries({ cabundle: "8140" })), "cabundle[0]"],
  ];
  for (const [payload, field] of cases) {
    const document = await signDocument(payload, KEY);
    assert.throws(() => parseDocument(document), (e) => {
      assert.ok(e instanceof AttestationError, String(e));
      assert.equal(e.field, field);
      assert.match(e.message, /^Cannot read .*\(in the payload\)$/);
      return true;
    });
  }
});

Deno.test("parsePayload: null and empty optional fields are told apart", async () => {
  const payload = map(entries({ user_data: "40", nonce: "f6", public_key: "f6" }));
  const document = parseDocument(await signDocument(payload, KEY));
  assert.deepEqual([document.userData?.length, document.nonce, document.publicKey], [
    0,
    null,
    null,
  ]);
});

Deno.test("parseCoseSign1: refuses envelopes that are not exactly ES384 and four parts", async () => {
  const payload = map(entries());
  const sound = await signDocument(payload, KEY);
  const good = [fromHex("a1013822"), new Map(), payload, sound.slice(-96)];
  const envelope = (at: number, value: unknown) =>
    encodeCanonical(good.map((part, i) => i === at ? value : part));
  assert.ok(equal(envelope(-1, null), sound));
  for (
    const header of [
      "a1013823", // -36: ES512
      "a10126", // -7: ES256
      "a0",
      "a20138220300", // a content type besides
      "a1390022", // not minimal
      "bf013822ff",
      "",
    ]
  ) refusesEnvelope(envelope(0, fromHex(header)), "wrong_algorithm");
  refusesEnvelope(envelope(0, new Map([[1, -35]])), "wrong_algorithm");
  refusesEnvelope(envelope(1, new Map([[1, -35]])), "bad_envelope");
  refusesEnvelope(envelope(1, null), "bad_envelope");
  refusesEnvelope(envelope(2, new Uint8Array(0)), "bad_payload");
  refusesEnvelope(envelope(2, new Uint8Array(16_384)), "trailing_bytes"); // read, as zeros
  refusesEnvelope(envelope(2, new Uint8Array(16_385)), "bad_payload");
  refusesEnvelope(envelope(2, null), "bad_payload");
  refusesEnvelope(envelope(3, new Uint8Array(95)), "bad_signature_length");
  refusesEnvelope(envelope(3, new Uint8Array(97)), "bad_signature_length");
  refusesEnvelope(encodeCanonical(good.slice(0, 3)), "bad_envelope");
  refusesEnvelope(concat(sound, new Uint8Array(1)), "trailing_bytes");
  refusesEnvelope(envelope(1, new Map([0, 1, 2, 3, 4].map((key) => [key, 0]))), "bad_envelope");
  refusesEnvelope(
    envelope(1, new Map([0, 1, 2, 3, 4, 5].map((key) => [key, 0]))),
    "too_many_items",
  );
  refusesEnvelope(envelope(1, [[]]), "too_deep");
  refusesEnvelope(new Uint8Array(24_576), "trailing_bytes");
  refusesEnvelope(new Uint8Array(24_577), "too_large");
  refusesEnvelope(concat(fromHex("d2"), new Uint8Array(24_576)), "too_large"); // the tag counts
  refusesEnvelope(new Uint8Array(0), "truncated");
});

Deno.test("parseCoseSign1: takes tag 18 once and no other tag", async () => {
  const sound = await signDocument(FIELDS, KEY);
  const tagged = (hex: string) => concat(fromHex(hex), sound);
  assert.equal((await verify(tagged("d2"), POLICY)).timestamp, NOW);
  for (const tag of ["d2d2", "d1", "d812", "d818", "d9d9f7"]) {
    refusesEnvelope(tagged(tag), "unknown_tag");
  }
});
