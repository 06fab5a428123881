import assert from "node:assert/strict";
import {
  bodyOf,
  createTestJudge,
  MODEL,
  type Submission,
  TestNet,
  type TestWindow,
  v1,
} from "../../tests/support/window.ts";
import { LossModel } from "../model/session.ts";
import { patch } from "../model/update.ts";
import { manifestHash } from "../protocol/base.ts";
import {
  CODEC_V1,
  CODEC_V2,
  decodeGradient,
  encodeV1,
  encodeV2,
  type SparseUpdate,
} from "../protocol/gradient/mod.ts";
import type { Payload } from "../protocol/judge_messages.ts";
import { decodeReport, type Report, type ReportEntry, toMetric } from "../protocol/report.ts";
import { verdictName } from "../protocol/verdict.ts";
import { isSane } from "./measure.ts";

const N = 3;

async function judged(window: TestWindow, change: Partial<Payload> = {}): Promise<Report> {
  const judge = await createTestJudge(window);
  try {
    const { message } = await judge.process(bodyOf({ ...window.report(), ...change }));
    return decodeReport(message);
  } finally {
    await judge.close();
  }
}

function scaled({ total, indices, values }: SparseUpdate, factor: number): SparseUpdate {
  return { total, indices, values: values.map((value) => factor * value) };
}

/** Version 1 bytes of `update` with one value made NaN. */
function withNaN(update: SparseUpdate): Submission["bytes"] {
  const bytes = encodeV1(update);
  new DataView(bytes.buffer).setUint16(bytes.length - 2, 0x7e00, true);
  return bytes;
}

function verdicts(report: Report): Record<number, string | undefined> {
  return Object.fromEntries(report.entries.map(({ uid, verdict }) => [uid, verdictName(verdict)]));
}

Deno.test("judge: gives every gradient of a window its named verdict", async () => {
  const net = new TestNet();
  const baseHash = manifestHash(net.base);
  const good = await net.train(N, 1);
  const poison = await net.train(N, 10, -0.05);
  const other = await net.train(N, 15);
  const { total, indices } = good;
  const received = decodeGradient(encodeV1(good), { codec: CODEC_V1, total, maxBytes: 1e6 });
  const v2 = (uid: number, update: SparseUpdate, base = baseHash): Submission => ({
    uid,
    codec: CODEC_V2,
    bytes: encodeV2(update, { uid, window: N, baseHash: base }),
  });
  const whole = { total, indices: Uint32Array.from({ length: total }, (_, i) => i) };
  const submissions: Submission[] = [
    v1(1, good),
    v1(2, scaled(good, 0)),
    { uid: 3, bytes: withNaN(good) },
    v2(4, received),
    v2(5, { ...good, values: good.values.map((value, i) => value * (1 + (i % 7) / 1e3)) }),
    v1(6, { ...whole, values: new Float32Array(total).fill(1e-3) }),
    v1(7, { ...good, total: total + 1 }),
    v2(8, good, new Uint8Array(32)),
    v1(9, { total, indices, values: new Float32Array(indices.length).fill(60_000) }),
    v1(10, poison),
    { ...v1(11, other), size: 12 },
    { ...v1(12, other), codec: 7 },
    v1(13, scaled(await net.train(N, 13), 200)),
    v1(14, other),
    v1(15, other),
    { uid: 16, bytes: encodeV2(other, { uid: 15, window: N, baseHash }), codec: CODEC_V2 },
    { uid: 17, bytes: encodeV2(other, { uid: 17, window: N + 1, baseHash }), codec: CODEC_V2 },
    { uid: 18, bytes: encodeV1(good).slice(0, -1) },
  ];
  const report = await judged(net.window(N, submissions), { unavailable: [14] });
  assert.deepEqual(verdicts(report), {
    1: "ok",
    2: "zero",
    3: "non_finite",
    4: "duplicate",
    5: "overlap",
    6: "wrong_size",
    7: "wrong_model",
    8: "wrong_model",
    9: "norm",
    10: "ok",
    11: "wrong_size",
    12: "undecodable",
    13: "ok",
    14: "unavailable",
    15: "ok",
    16: "undecodable",
    17: "undecodable",
    18: "wrong_size",
  });
  const entry = (uid: number) => report.entries.find((candidate) => candidate.uid === uid)!;
  const before = report.randomBefore!;
  for (const uid of [1, 15]) {
    const { ownBefore, ownAfter, randomAfter } = entry(uid);
    assert.ok(randomAfter! < before, `uid ${uid} helps on everybody's pages`);
    assert.ok(ownBefore! - ownAfter! > before - randomAfter!, `uid ${uid} helps more on its own`);
  }
  assert.ok(entry(10).randomAfter! > before, "a negated gradient does harm");
  for (const { verdict, ownBefore, ownAfter, randomAfter } of report.entries) {
    const measured = verdictName(verdict) === "ok";
    for (const metric of [ownBefore, ownAfter, randomAfter]) {
      assert.equal(metric !== null, measured);
    }
  }
});

Deno.test("judge: its metrics are the model's mean losses on the assigned and the drawn pages", async () => {
  const net = new TestNet();
  const update = await net.train(N, 1);
  const window = net.window(N, [v1(1, update)]);
  const report = await judged(window);
  const model = await LossModel.create(MODEL, { threads: 1 });
  const loss = async (theta: Float32Array, pages: number[]) => {
    const { sum, count } = await model.losses(theta, pages.map((index) => net.tokens(index)));
    return toMetric(sum / count);
  };
  const [own, random] = [net.assigned(N, 1), window.random()];
  assert.equal(report.randomBefore, await loss(net.theta, random));
  const after = net.theta.slice();
  const received = decodeGradient(window.gradients[0]!, {
    codec: CODEC_V1,
    total: after.length,
    maxBytes: 1e6,
  });
  patch(after, received, 1);
  assert.deepEqual(report.entries, [{
    uid: 1,
    verdict: 1,
    ownBefore: await loss(net.theta, own),
    ownAfter: await loss(after, own),
    randomAfter: await loss(after, random),
  }]);
  await model.close();
});

Deno.test("judge: an update above the norm is scaled down to it", async () => {
  const net = new TestNet({ max_update_norm: 100_000 });
  const update = await net.train(N, 1);
  const { length } = update.values;
  const norm = Math.hypot(...update.values);
  const at = async (factor: number) => {
    const report = await judged(net.window(N, [{
      uid: 1,
      codec: CODEC_V2,
      bytes: encodeV2(scaled(update, factor), {
        uid: 1,
        window: N,
        baseHash: manifestHash(net.base),
      }),
    }]));
    return report.entries[0]!.randomAfter!;
  };
  assert.ok(norm > 0.2, `the test needs an update longer than ${norm}, of ${length} entries`);
  const [allowed, twice, tenTimes] = [
    await at(0.1 / norm),
    await at(0.2 / norm),
    await at(1 / norm),
  ];
  for (const metric of [twice, tenTimes]) assert.ok(Math.abs(metric - allowed) <= 20);
});

Deno.test("judge: of two alike the later commit is refused, in whatever order they arrive", async () => {
  const net = new TestNet();
  const update = await net.train(N, 1);
  const copy = { ...v1(2, update), commitSeq: 9 };
  const original = { ...v1(5, update), commitSeq: 4 };
  for (const submissions of [[copy, original], [original, copy]]) {
    assert.deepEqual(verdicts(await judged(net.window(N, submissions))), {
      2: "duplicate",
      5: "ok",
    });
  }
});

Deno.test("judge: losses that no report can carry are 'diverged', and the next one is unharmed", async () => {
  const net = new TestNet({ beta: 100_000_000_000, max_update_norm: 1_000_000_000_000 });
  const good = await net.train(N, 2, 0.005);
  const { total, indices } = good;
  const values = good.values.map((value) => Math.sign(value) * -500); // θ moves by 50,000
  const window = net.window(N, [v1(1, { total, indices, values }), v1(2, good)]);
  const alone = net.window(N, [v1(2, good)]);
  const both = await judged(window);
  assert.deepEqual(verdicts(both), { 1: "diverged", 2: "ok" });
  const entryOf2 = (report: Report): ReportEntry => report.entries.at(-1)!;
  assert.deepEqual(entryOf2(both), entryOf2(await judged(alone)));
});

Deno.test("isSane: a loss is finite and at most 1,000 nats", () => {
  assert.deepEqual([0, 1_000].map(isSane), [true, true]);
  assert.deepEqual([1_000.1, Infinity, NaN].map(isSane), [false, false, false]);
});

Deno.test("judge: measures 'max_judged' gradients that the beacon draws, and needs no other's bytes", async () => {
  const net = new TestNet({ max_judged: 2 });
  const update = await net.train(N, 1);
  const window = net.window(
    N,
    [1, 2, 3, 4].map((uid, i) => v1(uid, scaled(update, i % 2 === 0 ? 1 : -1))),
  );
  const report = await judged(window);
  const counted = Object.entries(verdicts(report));
  assert.equal(counted.filter(([, name]) => name === "not_sampled").length, 2);
  const sampled = counted.filter(([, name]) => name !== "not_sampled").map(([uid]) => Number(uid));
  const judge = await createTestJudge();
  for (const chunk of net.chunks()) judge.blobs.put(net.base.chunks[0]!, chunk);
  window.reveals.forEach(({ uid, contentHash }, i) => {
    if (sampled.includes(uid)) judge.blobs.put(contentHash, window.gradients[i]!);
  });
  const { message } = await judge.process(bodyOf(window.report()));
  assert.deepEqual(decodeReport(message), report);
  await judge.close();
});
