import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { bcs } from "@mysten/bcs";
import fc from "fast-check";
import { concat, fromHex, toHex, utf8 } from "./bytes.ts";
import { datasetRoot } from "./dataset.ts";
import { sha256 } from "./hash.ts";
import { decodeJobVerdict, encodeJobVerdict, type JobVerdict } from "./job_verdict.ts";
import { Refusal } from "./refusal.ts";
import { BIAS } from "./report.ts";

const named = (name: string) => sha256(utf8(name));
const fill = (byte: number) => new Uint8Array(32).fill(byte);
const refuses = (run: () => unknown, code: string) =>
  assert.throws(run, (e) => e instanceof Refusal && e.code === code, code);

/** The verdict whose bytes and signature contracts/tests/training_jobs_tests.move holds. */
const VERDICT: JobVerdict = {
  chainId: named("chain"),
  ledgerId: named("ledger"),
  validator: 0,
  job: 0,
  timestampMs: 1_800_003_600_000,
  datasetRoot: datasetRoot({
    pageCount: 333,
    pageTokens: 4,
    tokenizerHash: named("tokenizer"),
    merkleRoot: named("merkle"),
  }),
  baseHash: fill(5),
  resultHash: fill(6),
  lossBefore: 11_000_000,
  lossAfter: 10_900_000,
};
const SIGNATURE =
  "271848b77aff6dcada09be79c7e1682a76c7017c009b592d54dc9f111a2e780ef97b0eb67a9ad640ffd49e8d266234bb5f55ff90ecb520529ef057d9896c780c";

const hash = bcs.fixedArray(32, bcs.u8());
const REFERENCE = bcs.struct("JobVerdict", {
  intent: bcs.u8(),
  version: bcs.u8(),
  chainId: hash,
  ledgerId: hash,
  validator: bcs.u16(),
  job: bcs.u64(),
  timestampMs: bcs.u64(),
  datasetRoot: hash,
  baseHash: hash,
  resultHash: hash,
  lossBefore: bcs.u64(),
  lossAfter: bcs.u64(),
});

Deno.test("encodeJobVerdict: writes what @mysten/bcs writes", () => {
  const { lossBefore, lossAfter, ...head } = VERDICT;
  const expected = REFERENCE.serialize({
    intent: 3,
    version: 1,
    ...head,
    lossBefore: BIAS + BigInt(lossBefore),
    lossAfter: BIAS + BigInt(lossAfter!),
  }).toBytes();
  assert.equal(toHex(encodeJobVerdict(VERDICT)), toHex(expected));
  assert.equal(expected.length, 196);
});

Deno.test("encodeJobVerdict: signed by the test seed it is the vector of the Move tests", () => {
  const pkcs8 = concat(fromHex("302e020100300506032b657004220420"), fill(7));
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  const message = encodeJobVerdict(VERDICT);
  assert.equal(sign(null, message, key).toString("hex"), SIGNATURE);
  assert.ok(verify(null, message, createPublicKey(key), Buffer.from(SIGNATURE, "hex")));
});

Deno.test("decodeJobVerdict: is the inverse, also of an unmeasured result", () => {
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => new Uint8Array(b));
  const count = fc.maxSafeNat();
  const loss = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  fc.assert(fc.property(
    fc.record({
      chainId: bytes32,
      ledgerId: bytes32,
      validator: fc.integer({ min: 0, max: 0xffff }),
      job: count,
      timestampMs: count,
      datasetRoot: bytes32,
      baseHash: bytes32,
      resultHash: bytes32,
      lossBefore: loss,
      lossAfter: fc.option(loss),
    }),
    (verdict) => assert.deepEqual(decodeJobVerdict(encodeJobVerdict(verdict)), { ...verdict }),
  ));
});

Deno.test("decodeJobVerdict: refuses other intents, versions, lengths and losses", () => {
  const message = encodeJobVerdict(VERDICT);
  const changed = (index: number, value: number) => {
    const copy = message.slice();
    copy[index] = value;
    return copy;
  };
  refuses(() => decodeJobVerdict(changed(0, 1)), "wrong_intent");
  refuses(() => decodeJobVerdict(changed(1, 2)), "wrong_version");
  for (let length = 0; length < message.length; length++) {
    refuses(() => decodeJobVerdict(message.subarray(0, length)), "truncated");
  }
  refuses(() => decodeJobVerdict(concat(message, Uint8Array.of(0))), "trailing_bytes");
  const unmeasured = message.slice();
  unmeasured.set([0, 0, 0, 0, 0, 0, 0, 0x80], 180);
  refuses(() => decodeJobVerdict(unmeasured), "bad_metrics");
  refuses(() => decodeJobVerdict(changed(187, 0x7f)), "out_of_range");
  refuses(() => decodeJobVerdict(changed(195, 0x81)), "out_of_range");
});

Deno.test("encodeJobVerdict: refuses losses that are not at least one unit", () => {
  for (const loss of [0, -1, 0.5, Number.NaN]) {
    assert.throws(() => encodeJobVerdict({ ...VERDICT, lossBefore: loss }), RangeError);
    assert.throws(() => encodeJobVerdict({ ...VERDICT, lossAfter: loss }), RangeError);
  }
});
