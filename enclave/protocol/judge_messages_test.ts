import assert from "node:assert/strict";
import {
  CONFIGURE,
  decodeBody,
  decodeEnvelope,
  decodeJobEnvelope,
  decodeReveals,
  decodeSettlement,
  encodeBody,
  encodeReveals,
  encodeSettlement,
  HEALTH,
  JOB_PAYLOAD,
  PAYLOAD,
  REFUSED,
  SIGNED,
} from "./judge_messages.ts";
import type { Reveal } from "./commit.ts";
import { MAX_PROOF } from "./merkle.ts";
import { Refusal } from "./refusal.ts";
import { MAX_ROWS } from "./report.ts";
import { settledDigest, type SettledRow, writeSettlement } from "./settle.ts";
import { tagged } from "./hash.ts";
import { BcsWriter } from "./bcs.ts";
import { SETTLED, VERDICT } from "./verdict.ts";

const fill = (byte: number) => new Uint8Array(32).fill(byte);
const refuses = (run: () => unknown, code: string, field?: string) =>
  assert.throws(
    run,
    (e) => e instanceof Refusal && e.code === code && (field === undefined || e.field === field),
    `${code} ${field}`,
  );

const PAYLOAD_SAMPLE = {
  kind: "report",
  context: new Uint8Array(251),
  hparams: new Uint8Array(10),
  dataset: new Uint8Array(76),
  model: { vocab: 256, layers: 2, dims: 32, heads: 2, context: 64, batch: 4 },
  beacon: {
    public_key: new Uint8Array(96),
    genesis_ms: 1_692_803_367_000,
    period_ms: 3_000,
    assign_signature: new Uint8Array(48),
    judge_signature: new Uint8Array(48),
  },
  reveals: new Uint8Array(1),
  unavailable: [3, 65_535],
  pages: [{ index: 5, tokens: new Uint8Array(260), proof: new Uint8Array(64) }],
  base: new Uint8Array(82),
  settled: null,
};

Deno.test("decodeEnvelope: gives back a payload as it was sent", () => {
  const back = decodeEnvelope(encodeBody({ payload: PAYLOAD_SAMPLE }));
  assert.deepEqual(structuredClone(back), PAYLOAD_SAMPLE);
  const outcome = { ...PAYLOAD_SAMPLE, kind: "outcome", beacon: null, settled: fill(1) };
  assert.deepEqual(structuredClone(decodeEnvelope(encodeBody({ payload: outcome }))), outcome);
});

Deno.test("decodeEnvelope: every field is needed, no other is taken", () => {
  for (const name of Object.keys(PAYLOAD)) {
    const { [name as keyof typeof PAYLOAD_SAMPLE]: _, ...rest } = PAYLOAD_SAMPLE;
    refuses(
      () => decodeEnvelope(encodeBody({ payload: rest })),
      "missing_field",
      `payload.${name}`,
    );
  }
  const more = { ...PAYLOAD_SAMPLE, score: 1 };
  refuses(() => decodeEnvelope(encodeBody({ payload: more })), "unknown_field", "payload.score");
  refuses(() => decodeEnvelope(encodeBody(PAYLOAD_SAMPLE)), "unknown_field");
  refuses(() => decodeEnvelope(encodeBody({})), "missing_field", "payload");
});

Deno.test("decodeEnvelope: every field is bounded", () => {
  const { model, beacon } = PAYLOAD_SAMPLE;
  const page = PAYLOAD_SAMPLE.pages[0]!;
  const over: [Record<string, unknown>, string][] = [
    [{ kind: "reports!" }, "kind"],
    [{ kind: "repo" }, "kind"],
    [{ context: new Uint8Array(513) }, "context"],
    [{ hparams: new Uint8Array(1_025) }, "hparams"],
    [{ dataset: new Uint8Array(257) }, "dataset"],
    [{ model: { ...model, layers: 129 } }, "model.layers"],
    [{ model: { package: new Uint8Array(0) } }, "model.package"],
    [{ model: { package: new Uint8Array((1 << 20) + 1) } }, "model.package"],
    [{ beacon: { ...beacon, judge_signature: new Uint8Array(47) } }, "beacon.judge_signature"],
    [{ reveals: new Uint8Array(16_385) }, "reveals"],
    [{ unavailable: [65_536] }, "unavailable[0]"],
    [{ unavailable: new Array(257).fill(0) }, "unavailable"],
    [{ pages: [{ ...page, proof: new Uint8Array(32 * MAX_PROOF + 1) }] }, "pages[0].proof"],
    [{ pages: [{ ...page, tokens: new Uint8Array(7) }] }, "pages[0].tokens"],
    [{ base: new Uint8Array((1 << 20) + 1) }, "base"],
    [{ settled: new Uint8Array(32_769) }, "settled"],
  ];
  for (const [change, field] of over) {
    const body = encodeBody({ payload: { ...PAYLOAD_SAMPLE, ...change } });
    assert.throws(
      () => decodeEnvelope(body),
      (e) => e instanceof Refusal && e.field === `payload.${field}`,
      field,
    );
  }
});

Deno.test("decodeEnvelope: a body cut short at any byte, or with one more, is refused", () => {
  const body = encodeBody({ payload: PAYLOAD_SAMPLE });
  for (let length = 0; length < body.length; length++) {
    assert.throws(() => decodeEnvelope(body.subarray(0, length)), Refusal, `${length}`);
  }
  assert.throws(() => decodeEnvelope(Uint8Array.from([...body, 0])), Refusal);
});

Deno.test("decodeBody: reads the judge's other bodies, exact lengths included", () => {
  const configure = { chain_id: fill(1), ledger_id: fill(2), validator: 3, address: fill(4) };
  assert.deepEqual({ ...decodeBody(encodeBody(configure), CONFIGURE) }, configure);
  const signed = { message: fill(1), signature: new Uint8Array(64), manifest: null };
  assert.deepEqual({ ...decodeBody(encodeBody(signed), SIGNED) }, signed);
  const refused = { error: "busy", message: "Try again", field: null };
  assert.deepEqual({ ...decodeBody(encodeBody(refused), REFUSED) }, refused);
  const health = { public_key: fill(1), configured: 1, busy: 0 };
  assert.deepEqual({ ...decodeBody(encodeBody(health), HEALTH) }, health);
  refuses(
    () => decodeBody(encodeBody({ ...configure, address: new Uint8Array(20) }), CONFIGURE),
    "wrong_length",
    "address",
  );
  refuses(
    () => decodeBody(encodeBody({ ...signed, message: new Uint8Array(16_385) }), SIGNED),
    "wrong_length",
    "message",
  );
});

const REVEAL: Reveal = { uid: 1, commitSeq: 5, contentHash: fill(1), size: 100, codec: 2 };

Deno.test("encodeReveals: 47 bytes each; 256 fit the payload's bound", () => {
  const reveals = Array.from({ length: MAX_ROWS }, (_, i) => ({ ...REVEAL, uid: i, commitSeq: i }));
  const wire = encodeReveals(reveals);
  assert.equal(wire.length, 2 + 47 * MAX_ROWS);
  assert(wire.length <= 16_384);
  assert.deepEqual(decodeReveals(wire), reveals);
});

Deno.test("decodeReveals: keeps the order of arrival and refuses a uid or a commit twice", () => {
  const later = { ...REVEAL, uid: 0, commitSeq: 6 };
  assert.deepEqual(decodeReveals(encodeReveals([REVEAL, later])), [REVEAL, later]);
  for (const twice of [{ ...later, uid: 1 }, { ...later, commitSeq: 5 }]) {
    refuses(() => decodeReveals(encodeReveals([REVEAL, twice])), "bad_reveals", "reveals");
  }
});

const ROW: SettledRow = {
  uid: 1,
  verdict: SETTLED.accepted,
  ownBefore: 3,
  ownAfter: 2,
  randomAfter: 1,
  priorMu: 25_000_000,
  priorSigma: 8_333_334,
};
const NONE = { ownBefore: null, ownAfter: null, randomAfter: null };

Deno.test("encodeSettlement: 43 bytes a row; the digest covers the very same bytes", () => {
  const rows = Array.from({ length: MAX_ROWS }, (_, uid) => ({ ...ROW, uid }));
  const wire = encodeSettlement(7, rows);
  assert.equal(wire.length, 8 + 2 + 43 * MAX_ROWS);
  assert(wire.length <= 32_768);
  assert.deepEqual(writeSettlement(new BcsWriter(), 7, rows).finish(), wire);
  const digest = tagged("vramhub/settled/v1", fill(1), fill(2), wire);
  assert.deepEqual(settledDigest(fill(1), fill(2), 7, rows), digest);
});

Deno.test("decodeSettlement: refuses codes that are never settled", () => {
  const settled = new Set<number>([...Object.values(VERDICT), ...Object.values(SETTLED)]);
  settled.delete(VERDICT.ok);
  for (let verdict = 0; verdict < 256; verdict++) {
    const scored = verdict >= SETTLED.accepted && verdict <= SETTLED.harmful;
    const rows = [{ ...ROW, ...(scored ? {} : NONE), verdict }];
    const wire = encodeSettlement(7, rows);
    if (settled.has(verdict)) assert.deepEqual(decodeSettlement(wire).rows, rows);
    else refuses(() => decodeSettlement(wire), "bad_verdict", "verdict");
  }
});

Deno.test("decodeSettlement: refuses metrics that do not fit, wild ratings, uids out of order", () => {
  const decode = (...rows: SettledRow[]) => () => decodeSettlement(encodeSettlement(7, rows));
  refuses(decode({ ...ROW, ownAfter: null }), "bad_metrics", "metrics");
  refuses(decode({ ...ROW, verdict: VERDICT.zero }), "bad_metrics", "metrics");
  refuses(decode({ ...ROW, priorMu: 1e12 + 1 }), "out_of_range");
  refuses(decode({ ...ROW, priorMu: -1e12 - 1 }), "out_of_range");
  refuses(decode({ ...ROW, priorSigma: 0 }), "out_of_range");
  refuses(decode(ROW, ROW), "not_ascending");
  const wire = encodeSettlement(7, [ROW, { ...ROW, uid: 2 }]);
  wire[9 + 43] = 0;
  refuses(() => decodeSettlement(wire), "not_ascending");
});

const JOB_SAMPLE = {
  job: 7,
  dataset_root: fill(1),
  base_hash: fill(2),
  result_hash: fill(3),
  dataset: PAYLOAD_SAMPLE.dataset,
  model: PAYLOAD_SAMPLE.model,
  pages: PAYLOAD_SAMPLE.pages,
  base: PAYLOAD_SAMPLE.base,
  result: new Uint8Array(0),
};

Deno.test("decodeJobEnvelope: gives back a job as it was sent; every field is needed, no other is taken", () => {
  const back = decodeJobEnvelope(encodeBody({ payload: JOB_SAMPLE }));
  assert.deepEqual(structuredClone(back), JOB_SAMPLE);
  for (const name of Object.keys(JOB_PAYLOAD)) {
    const { [name as keyof typeof JOB_SAMPLE]: _, ...rest } = JOB_SAMPLE;
    const body = encodeBody({ payload: rest });
    refuses(() => decodeJobEnvelope(body), "missing_field", `payload.${name}`);
  }
  const more = encodeBody({ payload: { ...JOB_SAMPLE, kind: "report" } });
  refuses(() => decodeJobEnvelope(more), "unknown_field", "payload.kind");
  refuses(() => decodeJobEnvelope(encodeBody({ payload: PAYLOAD_SAMPLE })), "unknown_field");
});

Deno.test("decodeJobEnvelope: every field is bounded", () => {
  const over: [Record<string, unknown>, string][] = [
    [{ job: 2n ** 53n }, "job"],
    [{ dataset_root: new Uint8Array(31) }, "dataset_root"],
    [{ base_hash: new Uint8Array(33) }, "base_hash"],
    [{ result_hash: new Uint8Array(0) }, "result_hash"],
    [{ dataset: new Uint8Array(257) }, "dataset"],
    [{ pages: Array(129).fill(JOB_SAMPLE.pages[0]) }, "pages"],
    [{ base: new Uint8Array((1 << 20) + 1) }, "base"],
    [{ result: new Uint8Array((1 << 20) + 1) }, "result"],
  ];
  for (const [change, name] of over) {
    const body = encodeBody({ payload: { ...JOB_SAMPLE, ...change } });
    assert.throws(
      () => decodeJobEnvelope(body),
      (e) => e instanceof Refusal && e.field === `payload.${name}`,
      name,
    );
  }
});
