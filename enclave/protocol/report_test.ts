import assert from "node:assert/strict";
import { bcs } from "@mysten/bcs";
import { BcsReader, BcsWriter } from "./bcs.ts";
import { toHex } from "./bytes.ts";
import { Refusal } from "./refusal.ts";
import {
  BIAS,
  decodeOutcome,
  decodeReport,
  encodeOutcome,
  encodeReport,
  MAX_ROWS,
  type Metric,
  type Outcome,
  ratedUids,
  readMetric,
  type Report,
  type ReportEntry,
  toMetric,
  writeMetric,
} from "./report.ts";
import { SETTLED, VERDICT } from "./verdict.ts";

const fill = (byte: number) => new Uint8Array(32).fill(byte);
const refuses = (run: () => unknown, code: string, field?: string) =>
  assert.throws(
    run,
    (e) => e instanceof Refusal && e.code === code && (field === undefined || e.field === field),
    code,
  );

const HEAD = {
  chainId: fill(1),
  ledgerId: fill(2),
  validator: 3,
  window: 2_957_300,
  timestampMs: 1_774_380_000_123,
};
const OK: ReportEntry = {
  uid: 4,
  verdict: VERDICT.ok,
  ownBefore: 11_000_000,
  ownAfter: 10_900_000,
  randomAfter: 10_990_000,
};
const ZERO: ReportEntry = {
  uid: 300,
  verdict: VERDICT.zero,
  ownBefore: null,
  ownAfter: null,
  randomAfter: null,
};
const REPORT: Report = {
  ...HEAD,
  windowDigest: fill(4),
  randomBefore: 11_000_001,
  entries: [OK, ZERO],
};
const OUTCOME: Outcome = {
  ...HEAD,
  settledDigest: fill(5),
  ratings: [{ uid: 4, mu: 25_000_001, sigma: 8_333_334 }, { uid: 300, mu: -7, sigma: 1 }],
  manifestHash: fill(6),
  currentLoss: 11_000_000,
  mergedLoss: 10_900_000,
};

const hash = bcs.fixedArray(32, bcs.u8());
const head = {
  intent: bcs.u8(),
  version: bcs.u8(),
  chainId: hash,
  ledgerId: hash,
  validator: bcs.u16(),
  window: bcs.u64(),
  timestampMs: bcs.u64(),
};
const biased = (metric: Metric) => BIAS + BigInt(metric ?? 0);

Deno.test("encodeReport: is the BCS struct that Move decodes, as @mysten/bcs writes it", () => {
  const Entry = bcs.struct("Entry", {
    uid: bcs.u16(),
    verdict: bcs.u8(),
    ownBefore: bcs.u64(),
    ownAfter: bcs.u64(),
    randomAfter: bcs.u64(),
  });
  const Oracle = bcs.struct("Report", {
    ...head,
    windowDigest: hash,
    randomBefore: bcs.u64(),
    entries: bcs.vector(Entry),
  });
  const expected = Oracle.serialize({
    intent: 1,
    version: 1,
    ...HEAD,
    chainId: [...HEAD.chainId],
    ledgerId: [...HEAD.ledgerId],
    windowDigest: [...REPORT.windowDigest],
    randomBefore: biased(REPORT.randomBefore),
    entries: REPORT.entries.map((entry) => ({
      uid: entry.uid,
      verdict: entry.verdict,
      ownBefore: biased(entry.ownBefore),
      ownAfter: biased(entry.ownAfter),
      randomAfter: biased(entry.randomAfter),
    })),
  }).toBytes();
  assert.equal(toHex(encodeReport(REPORT)), toHex(expected));
});

Deno.test("encodeOutcome: is the BCS struct that Move decodes, as @mysten/bcs writes it", () => {
  const Rating = bcs.struct("Rating", { uid: bcs.u16(), mu: bcs.u64(), sigma: bcs.u64() });
  const Oracle = bcs.struct("Outcome", {
    ...head,
    settledDigest: hash,
    ratings: bcs.vector(Rating),
    manifestHash: bcs.option(hash),
    currentLoss: bcs.u64(),
    mergedLoss: bcs.u64(),
  });
  const unmerged: Outcome = { ...OUTCOME, manifestHash: null, currentLoss: null, mergedLoss: null };
  for (const outcome of [OUTCOME, unmerged]) {
    const expected = Oracle.serialize({
      intent: 2,
      version: 1,
      ...HEAD,
      chainId: [...HEAD.chainId],
      ledgerId: [...HEAD.ledgerId],
      settledDigest: [...outcome.settledDigest],
      ratings: outcome.ratings.map(({ uid, mu, sigma }) => ({ uid, mu: BIAS + BigInt(mu), sigma })),
      manifestHash: outcome.manifestHash === null ? null : [...outcome.manifestHash],
      currentLoss: biased(outcome.currentLoss),
      mergedLoss: biased(outcome.mergedLoss),
    }).toBytes();
    assert.equal(toHex(encodeOutcome(outcome)), toHex(expected));
  }
});

Deno.test("encodeReport and encodeOutcome: 256 rows stay far below Sui's 16,384-byte argument", () => {
  const uids = Array.from({ length: MAX_ROWS }, (_, uid) => uid);
  const report = encodeReport({ ...REPORT, entries: uids.map((uid) => ({ ...OK, uid })) });
  assert.equal(report.length, 7_038);
  assert.equal(decodeReport(report).entries.length, MAX_ROWS);
  const ratings = uids.map((uid) => ({ uid, mu: 25_000_000, sigma: 8_333_334 }));
  const outcome = encodeOutcome({ ...OUTCOME, ratings });
  assert.equal(outcome.length, 4_775);
  assert.equal(decodeOutcome(outcome).ratings.length, MAX_ROWS);
  const more = [...uids, MAX_ROWS];
  refuses(
    () => decodeReport(encodeReport({ ...REPORT, entries: more.map((uid) => ({ ...OK, uid })) })),
    "too_long",
  );
  const rated = more.map((uid) => ({ uid, mu: 0, sigma: 1 }));
  refuses(() => decodeOutcome(encodeOutcome({ ...OUTCOME, ratings: rated })), "too_long");
});

Deno.test("decodeReport and decodeOutcome: neither message passes for the other, nor another version", () => {
  refuses(() => decodeReport(encodeOutcome(OUTCOME)), "wrong_intent");
  refuses(() => decodeOutcome(encodeReport(REPORT)), "wrong_intent");
  for (const intent of [0, 3, 255]) {
    const wire = encodeReport(REPORT);
    wire[0] = intent;
    refuses(() => decodeReport(wire), "wrong_intent");
    refuses(() => decodeOutcome(wire), "wrong_intent");
  }
  for (const version of [0, 2, 255]) {
    const wire = encodeReport(REPORT);
    wire[1] = version;
    refuses(() => decodeReport(wire), "wrong_version");
  }
});

Deno.test("decodeReport: every code that is no judge's verdict is refused", () => {
  const known = new Set<number>(Object.values(VERDICT));
  for (let verdict = 0; verdict < 256; verdict++) {
    const wire = encodeReport({ ...REPORT, entries: [{ ...ZERO, verdict }] });
    if (!known.has(verdict)) refuses(() => decodeReport(wire), "bad_verdict", "verdict");
    else if (verdict === VERDICT.ok) refuses(() => decodeReport(wire), "bad_metrics", "metrics");
    else assert.equal(decodeReport(wire).entries[0]!.verdict, verdict);
  }
});

Deno.test("decodeReport: an ok has all metrics, everything else has none", () => {
  const metrics = ["ownBefore", "ownAfter", "randomAfter"] as const;
  for (const name of metrics) {
    const missing = encodeReport({ ...REPORT, entries: [{ ...OK, [name]: null }] });
    refuses(() => decodeReport(missing), "bad_metrics", "metrics");
    const extra = encodeReport({ ...REPORT, entries: [{ ...ZERO, [name]: 1 }] });
    refuses(() => decodeReport(extra), "bad_metrics", "metrics");
  }
  const blind = encodeReport({ ...REPORT, randomBefore: null });
  refuses(() => decodeReport(blind), "bad_metrics", "random_before");
  const nothing = { ...REPORT, randomBefore: null, entries: [ZERO] };
  assert.deepEqual(decodeReport(encodeReport(nothing)), nothing);
});

Deno.test("decodeReport and decodeOutcome: uids must strictly ascend", () => {
  for (const entries of [[ZERO, OK], [OK, OK]]) {
    refuses(() => encodeReport({ ...REPORT, entries }), "not_ascending", "uid");
  }
  const wire = encodeReport(REPORT);
  wire.set([4, 0], 125 + 27); // the second entry's uid, 300, becomes the first one's
  refuses(() => decodeReport(wire), "not_ascending", "uid");
  const outcome = encodeOutcome(OUTCOME);
  outcome.set([4, 0], 117 + 18);
  refuses(() => decodeOutcome(outcome), "not_ascending", "uid");
});

Deno.test("decodeOutcome: a manifest comes with both losses, and losses with a manifest", () => {
  for (
    const change of [
      { manifestHash: null },
      { currentLoss: null },
      { mergedLoss: null },
      { currentLoss: null, mergedLoss: null },
      { manifestHash: null, currentLoss: null },
      { manifestHash: null, mergedLoss: null },
    ]
  ) {
    const wire = encodeOutcome({ ...OUTCOME, ...change });
    refuses(() => decodeOutcome(wire), "bad_metrics", "manifest_hash");
  }
});

Deno.test("decodeOutcome: ratings beyond a million, and a sigma of zero, are refused", () => {
  const limit = 10 ** 12;
  for (const mu of [limit, -limit]) {
    const outcome = { ...OUTCOME, ratings: [{ uid: 1, mu, sigma: limit }] };
    assert.deepEqual(decodeOutcome(encodeOutcome(outcome)), outcome);
  }
  for (
    const change of [{ mu: limit + 1 }, { mu: -limit - 1 }, { sigma: 0 }, { sigma: limit + 1 }]
  ) {
    const ratings = [{ uid: 1, mu: 0, sigma: 1, ...change }];
    refuses(() => decodeOutcome(encodeOutcome({ ...OUTCOME, ratings })), "out_of_range");
  }
});

Deno.test("toMetric: floors to 1e-6 nats and keeps 0 for the unmeasured", () => {
  assert.equal(toMetric(11.5123456789), 11_512_345);
  assert.equal(toMetric(1e-6), 1);
  assert.equal(toMetric(0), 1);
  assert.equal(toMetric(1_000), 1_000_000_000);
});

Deno.test("writeMetric and readMetric: 2^63 is unmeasured; below it and above 2^53 are refused", () => {
  const wire = (metric: Metric) => toHex(writeMetric(new BcsWriter(), metric).finish());
  assert.equal(wire(null), "0000000000000080");
  assert.equal(wire(1), "0100000000000080");
  for (const wrong of [0, -1, 0.5, NaN, Infinity, 2 ** 53]) {
    assert.throws(() => wire(wrong), RangeError, `${wrong}`);
  }
  const read = (value: bigint) => readMetric(new BcsReader(new BcsWriter().u64(value).finish()));
  assert.equal(read(BIAS), null);
  assert.equal(read(BIAS + (1n << 53n) - 1n), Number.MAX_SAFE_INTEGER);
  for (const value of [0n, BIAS - 1n, BIAS + (1n << 53n), (1n << 64n) - 1n]) {
    refuses(() => read(value), "out_of_range");
  }
});

Deno.test("ratedUids: abstentions and disputes are left out", () => {
  const codes = [
    SETTLED.accepted,
    SETTLED.disputed,
    VERDICT.unavailable,
    VERDICT.norm,
    VERDICT.not_sampled,
    SETTLED.harmful,
  ];
  assert.deepEqual(ratedUids(codes.map((verdict, uid) => ({ uid, verdict }))), [0, 3, 5]);
});
