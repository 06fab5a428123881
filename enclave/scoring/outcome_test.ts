import assert from "node:assert/strict";
import {
  bodyOf,
  createTestJudge,
  MODEL,
  settle,
  TestNet,
  type TestWindow,
  v1,
} from "../../tests/support/window.ts";
import type { Judge } from "../judge.ts";
import { paramManifest } from "../model/params.ts";
import { encodeSafetensors } from "../model/safetensors.ts";
import { LossModel } from "../model/session.ts";
import { decodeManifest, encodeManifest, manifestHash, manifestOf } from "../protocol/base.ts";
import { toHex } from "../protocol/bytes.ts";
import { foldReveals, windowDigest } from "../protocol/commit.ts";
import { CODEC_V1, decodeGradient } from "../protocol/gradient/mod.ts";
import { decodeOutcome, decodeReport, type Outcome, toMetric } from "../protocol/report.ts";
import { settledDigest, type SettledRow } from "../protocol/settle.ts";
import { SETTLED, VERDICT } from "../protocol/verdict.ts";

const N = 3;
const net = new TestNet();
const window = net.window(N, [
  v1(1, await net.train(N, 1)),
  v1(2, await net.train(N, 2, 0.2)),
  v1(4, await net.train(N, 4, 0.3)),
  v1(6, await net.train(N, 6, -0.05)),
  v1(8, { ...(await net.train(N, 8)), values: new Float32Array(12_057) }),
]);
const { randomBefore, rows } = await settled();

async function settled(): Promise<{ randomBefore: number; rows: SettledRow[] }> {
  const judge = await createTestJudge(window);
  const report = decodeReport((await judge.process(bodyOf(window.report()))).message);
  await judge.close();
  return { randomBefore: report.randomBefore!, rows: settle(report) };
}

async function withJudge<T>(
  run: (judge: Judge) => Promise<T>,
  of: TestWindow = window,
  uid = 0,
): Promise<T> {
  const judge = await createTestJudge(of, uid);
  try {
    return await run(judge);
  } finally {
    await judge.close();
  }
}

function outcomeOf(of: SettledRow[], uid = 0, change: object = {}): Promise<Outcome> {
  const payload = { ...window.outcome(randomBefore, of), ...change };
  return withJudge(
    async (judge) => decodeOutcome((await judge.process(bodyOf(payload))).message),
    window,
    uid,
  );
}

/** The merge by its definition, element by element over whole arrays. */
function mergeOf(uids: number[]): Float32Array<ArrayBuffer> {
  const theta = net.theta.slice();
  const { length } = theta;
  const dense = uids.map((uid) => {
    const bytes = window.gradients[window.reveals.findIndex((reveal) => reveal.uid === uid)]!;
    const { indices, values } = decodeGradient(bytes, {
      codec: CODEC_V1,
      total: length,
      maxBytes: 1e6,
    });
    const whole = new Float32Array(length);
    indices.forEach((index, i) => whole[index] = values[i]!);
    return whole;
  });
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (const v of dense) sum = Math.fround(sum + v[i]!);
    theta[i] = theta[i]! - Math.fround(sum / uids.length);
  }
  return theta;
}

Deno.test("judge: the outcome merges the accepted gradients, as anyone can recompute", async () => {
  assert.deepEqual(rows.map(({ verdict }) => verdict), [
    SETTLED.accepted,
    SETTLED.accepted,
    SETTLED.accepted,
    SETTLED.harmful,
    VERDICT.zero,
  ]);
  await withJudge(async (judge) => {
    const signed = await judge.process(bodyOf(window.outcome(randomBefore, rows)));
    const outcome = decodeOutcome(signed.message);
    const theta = mergeOf([1, 2, 4]);
    const about = { modelHash: net.modelHash, parent: manifestHash(net.base), window: N };
    const manifest = manifestOf(encodeSafetensors(paramManifest(MODEL), theta), about);
    assert.deepEqual(decodeManifest(signed.manifest!), manifest);
    assert.deepEqual(outcome.manifestHash, manifestHash(manifest));
    const model = await LossModel.create(MODEL, { threads: 1 });
    const pages = window.heldOut().map((index) => net.tokens(index));
    for (
      const [weights, metric] of [[net.theta, outcome.currentLoss], [
        theta,
        outcome.mergedLoss,
      ]] as const
    ) {
      const { sum, count } = await model.losses(weights, pages);
      assert.equal(metric, toMetric(sum / count));
    }
    await model.close();
    assert.ok(outcome.mergedLoss! < outcome.currentLoss!);
    const digest = windowDigest(window.context, foldReveals(window.reveals));
    assert.deepEqual(
      outcome.settledDigest,
      settledDigest(digest, manifestHash(net.base), randomBefore, rows),
    );
  });
});

Deno.test("judge: the merged base is at hand for the next window, without an upload", async () => {
  await withJudge(async (judge) => {
    const { manifest } = await judge.process(bodyOf(window.outcome(randomBefore, rows)));
    const next = net.window(N + 1, []);
    const merged = decodeManifest(manifest!);
    const context = { ...next.context, baseHash: manifestHash(merged) };
    const moved = Object.assign(next, { context });
    const { message } = await judge.process(
      bodyOf({ ...moved.report(), base: encodeManifest(merged) }),
    );
    assert.ok(decodeReport(message).randomBefore! < randomBefore);
  });
});

Deno.test("judge: only the best 'top_g' are merged, ties going to the earlier commit", async () => {
  const best = new TestNet({ top_g: 1 });
  const update = await best.train(N, 1);
  const tied = best.window(N, [
    { ...v1(1, update), commitSeq: 20 },
    { ...v1(2, update), commitSeq: 10 },
    v1(4, await best.train(N, 4, 0.01)),
  ]);
  const row = { verdict: SETTLED.accepted, ownBefore: 9, ownAfter: 8, randomAfter: 5 };
  const prior = { priorMu: 25_000_000, priorSigma: 8_333_334 };
  const all = [1, 2, 4].map((uid) => ({ uid, ...row, ...prior }));
  const hashOf = (of: SettledRow[]) =>
    withJudge(
      async (judge) => {
        const { message } = await judge.process(bodyOf(tied.outcome(10, of)));
        return toHex(decodeOutcome(message).manifestHash!);
      },
      tied,
    );
  const onlyFour = await hashOf(all.slice(2));
  assert.notEqual(await hashOf(all), onlyFour);
  assert.equal(await hashOf([all[0]!, all[1]!, { ...all[2]!, randomAfter: 4 }]), onlyFour);
});

Deno.test("judge: ratings rise for whom the gradient helped and fall for whom it was refused", async () => {
  const { ratings } = await outcomeOf(rows);
  assert.deepEqual(ratings.map(({ uid }) => uid), [1, 2, 4, 6, 8]);
  const mu = Object.fromEntries(ratings.map((rating) => [rating.uid, rating.mu]));
  assert.ok(mu[1]! > 25_000_000 && mu[6]! < 25_000_000 && mu[8]! < 25_000_000);
  assert.ok(mu[1]! > mu[2]!);
});

Deno.test("judge: who was not measured, or disputed, is not rated", async () => {
  const verdicts = [VERDICT.unavailable, VERDICT.not_sampled, SETTLED.disputed];
  const none = { ownBefore: null, ownAfter: null, randomAfter: null };
  const changed = rows.map((row, i) => i < 3 ? { ...row, ...none, verdict: verdicts[i]! } : row);
  const { ratings, manifestHash } = await outcomeOf(changed);
  assert.deepEqual(ratings.map(({ uid }) => uid), [6, 8]);
  assert.equal(manifestHash, null);
});

Deno.test("judge: without an accepted gradient's bytes it signs the same ratings, and no manifest", async () => {
  const whole = await outcomeOf(rows);
  const lacking = await outcomeOf(rows, 0, { unavailable: [2] });
  assert.deepEqual(lacking.ratings, whole.ratings);
  assert.deepEqual(lacking.settledDigest, whole.settledDigest);
  assert.deepEqual([lacking.manifestHash, lacking.currentLoss, lacking.mergedLoss], [
    null,
    null,
    null,
  ]);
  // One that is not merged is not needed: neither its bytes nor the word that they are missing.
  await withJudge(async (judge) => {
    judge.blobs.delete(window.reveals[3]!.contentHash);
    const { message } = await judge.process(bodyOf(window.outcome(randomBefore, rows)));
    assert.deepEqual(decodeOutcome(message), whole);
  });
  await withJudge(async (judge) => {
    const hash = window.reveals[1]!.contentHash;
    judge.blobs.delete(hash);
    await assert.rejects(
      judge.process(bodyOf(window.outcome(randomBefore, rows))),
      { code: "missing_blob", message: new RegExp(toHex(hash)) },
    );
  });
});

Deno.test("judge: two judges sign the same outcome but for validator and time", async () => {
  const [a, b] = [await outcomeOf(rows, 1), await outcomeOf(rows, 2)];
  assert.deepEqual({ ...a, validator: 2 }, b);
});

Deno.test("judge: every settled field changes what it signs, or is refused", async () => {
  const honest = toHex((await outcomeOf(rows)).settledDigest);
  const first = rows[0]!;
  const digests = new Set([honest]);
  const changes: Partial<SettledRow>[] = [
    { verdict: SETTLED.not_better },
    { ownBefore: 1 },
    { ownAfter: 1 },
    { randomAfter: 1 },
    { priorMu: -1 },
    { priorSigma: 1_000_000 },
  ];
  for (const change of changes) {
    const outcome = await outcomeOf([{ ...first, ...change }, ...rows.slice(1)]);
    digests.add(toHex(outcome.settledDigest));
  }
  digests.add(toHex((await outcomeOf(rows.slice(1))).settledDigest));
  assert.equal(digests.size, changes.length + 2);
  await withJudge(async (judge) => {
    const { message } = await judge.process(bodyOf(window.outcome(randomBefore + 1, rows)));
    assert.notEqual(toHex(decodeOutcome(message).settledDigest), honest);
  });
  const refused = (of: SettledRow[], code: string) => assert.rejects(outcomeOf(of), { code });
  await refused([{ ...first, uid: 0 }, ...rows.slice(1)], "unbound_input");
  await refused([{ ...first, priorSigma: 0 }], "out_of_range");
  await refused([{ ...first, priorSigma: 2 ** 50 }], "out_of_range");
  await refused([{ ...first, priorMu: -(2 ** 50) }], "out_of_range");
  // A refused gradient that a settlement calls accepted is still refused.
  await refused([{ ...first, uid: 8 }], "zero");
});

Deno.test("judge: an outcome needs a settlement, and the base that it is merged into", async () => {
  await withJudge(async (judge) => {
    const payload = window.outcome(randomBefore, rows);
    const without = bodyOf({ ...payload, settled: null });
    await assert.rejects(judge.process(without), { code: "missing_field", field: "settled" });
    const chunk = new Uint8Array(net.base.chunks[0]!).fill(7);
    const unknown = window.outcome(randomBefore, rows, { ...net.base, chunks: [chunk] });
    await assert.rejects(judge.process(bodyOf(unknown)), { code: "missing_blob" });
    await judge.process(bodyOf(payload));
    await assert.rejects(judge.process(bodyOf(unknown)), { code: "already_signed" });
  });
});
