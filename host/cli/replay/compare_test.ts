import assert from "node:assert/strict";
import {
  encodeOutcome,
  encodeReport,
  type Outcome,
  type Report,
} from "../../../enclave/protocol/report.ts";
import { VERDICT } from "../../../enclave/protocol/verdict.ts";
import { compareOutcomes, compareReports, differenceText } from "./compare.ts";

const hash = (byte: number) => new Uint8Array(32).fill(byte);
const HEAD = {
  chainId: hash(1),
  ledgerId: hash(2),
  validator: 3,
  window: 4,
  timestampMs: 5,
};
const ok = (uid: number) => ({
  uid,
  verdict: VERDICT.ok,
  ownBefore: 500,
  ownAfter: 400,
  randomAfter: 450,
});
const REPORT: Report = {
  ...HEAD,
  windowDigest: hash(6),
  randomBefore: 500,
  entries: [ok(7), ok(9)],
};
const OUTCOME: Outcome = {
  ...HEAD,
  settledDigest: hash(6),
  ratings: [{ uid: 7, mu: 25, sigma: 8 }, { uid: 9, mu: -3, sigma: 8 }],
  manifestHash: hash(8),
  currentLoss: 500,
  mergedLoss: 450,
};

const reports = (change: Partial<Report>, tolerance = 2) =>
  compareReports(encodeReport(REPORT), encodeReport({ ...REPORT, ...change }), tolerance);
const outcomes = (change: Partial<Outcome>, tolerance = 2) =>
  compareOutcomes(encodeOutcome(OUTCOME), encodeOutcome({ ...OUTCOME, ...change }), tolerance);

Deno.test("compare: uid of the validator and timestamp are the judge's own", () => {
  const own = { validator: 30, timestampMs: 50 };
  assert.deepEqual(reports(own), { kind: "same_bytes" });
  assert.deepEqual(outcomes(own), { kind: "same_bytes" });
});

Deno.test("compareReports: losses may lie off by the tolerance, and the farthest counts", () => {
  const entries = [{ ...ok(7), ownAfter: 401 }, { ...ok(9), randomAfter: 448 }];
  const first = { uid: 7, field: "own_after", signed: "400", again: "401" };
  assert.deepEqual(reports({ entries }), { kind: "within", units: 2, first });
  assert.deepEqual(reports({ entries }, 1), {
    kind: "differs",
    first: { uid: 9, field: "random_after", signed: "450", again: "448" },
  });
  assert.equal(reports({ entries }, 0).kind, "differs");
  assert.equal(reports({ randomBefore: 502 }).kind, "within");
  assert.equal(reports({ randomBefore: 503 }).kind, "differs");
});

Deno.test("compareReports: nothing else has a tolerance, and the first difference is named", () => {
  const zero = {
    uid: 7,
    verdict: VERDICT.zero,
    ownBefore: null,
    ownAfter: null,
    randomAfter: null,
  };
  const cases: [change: Partial<Report>, text: RegExp][] = [
    [{ windowDigest: hash(0) }, /^window_digest: signed 06.*again 00/],
    [{ window: 5 }, /^window: signed 4, again 5$/],
    [{ entries: [zero, ok(9)] }, /^uid 7, verdict: signed ok, again zero$/],
    [{ entries: [ok(7)] }, /^uid 9, verdict: signed ok, again nothing$/],
    [{ entries: [ok(7), ok(8)] }, /^uid 9, verdict: signed ok, again nothing$/],
  ];
  for (const [change, text] of cases) {
    const found = reports(change, 1_000);
    assert(found.kind === "differs");
    assert.match(differenceText(found.first), text);
  }
});

Deno.test("compareOutcomes: losses have a tolerance, ratings and hashes have none", () => {
  assert.equal(outcomes({ currentLoss: 501 }).kind, "within");
  assert.equal(outcomes({ mergedLoss: 453 }).kind, "differs");
  const cases: [change: Partial<Outcome>, text: RegExp][] = [
    [{ settledDigest: hash(0) }, /^settled_digest/],
    [{ manifestHash: hash(0) }, /^manifest_hash/],
    [{ manifestHash: null, currentLoss: null, mergedLoss: null }, /^manifest_hash.*again nothing/],
    [{ ratings: [OUTCOME.ratings[0]!, { uid: 9, mu: -2, sigma: 8 }] }, /^uid 9, mu: signed -3/],
  ];
  for (const [change, text] of cases) {
    const found = outcomes(change, 1_000);
    assert(found.kind === "differs");
    assert.match(differenceText(found.first), text);
  }
});
