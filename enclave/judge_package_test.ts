import assert from "node:assert/strict";
import { PackageNet, recordedPackage, recordedValues } from "../tests/support/package.ts";
import { bodyOf, createTestJudge, settle, supply, v1 } from "../tests/support/window.ts";
import { decodeSafetensors } from "./model/safetensors.ts";
import { LossModel } from "./model/session.ts";
import { patch } from "./model/update.ts";
import { encodePackage } from "./model/package.ts";
import { decodeManifest, manifestHash } from "./protocol/base.ts";
import { decodeGradient } from "./protocol/gradient/mod.ts";
import { decodeOutcome, decodeReport, toMetric } from "./protocol/report.ts";
import { VERDICT } from "./protocol/verdict.ts";

const opened = await recordedPackage();
const { update } = recordedValues();
const { trainable, frozen } = opened.config.package;
const indices = Uint32Array.from(update.keys());
const N = 3;
const net = new PackageNet(opened);
const good = v1(1, { total: update.length, indices, values: update });
const bad = v1(2, { total: update.length, indices, values: update.map((v) => -v) });
const whole = v1(3, {
  total: trainable.total + frozen.total,
  indices: Uint32Array.of(0, trainable.total),
  values: Float32Array.of(1, 1),
});
const window = net.window(N, [good, bad, whole]);

Deno.test("Judge: a window whose model is a package, of which the last block is trained", async () => {
  const judge = await createTestJudge();
  supply(judge, window);
  net.supply(judge);
  const signed = await judge.process(bodyOf(net.named(window.report())));
  const report = decodeReport(signed.message);
  const [one, two, three] = report.entries;
  assert.equal(one!.verdict, VERDICT.ok);
  assert.ok(one!.randomAfter! < report.randomBefore!, "the recorded update helps on random pages");
  assert.equal(two!.verdict, VERDICT.ok);
  assert.ok(two!.randomAfter! > report.randomBefore!, "the same update negated does harm");
  assert.equal(three!.verdict, VERDICT.wrong_model, "frozen parameters cannot be updated");

  const model = await LossModel.open(
    opened.config,
    opened.graph,
    decodeSafetensors(frozen, opened.frozen),
    { threads: 1 },
  );
  const loss = async (theta: Float32Array) => {
    const { sum, count } = await model.losses(theta, window.random().map((i) => net.tokens(i)));
    return toMetric(sum / count);
  };
  assert.equal(report.randomBefore, await loss(net.theta));
  const after = net.theta.slice();
  const expect = { codec: 1, total: after.length, maxBytes: 1e6 };
  patch(after, decodeGradient(good.bytes, expect), 1);
  assert.equal(one!.randomAfter, await loss(after));
  await model.close();

  supply(judge, window); // the base's chunks were taken out
  const rows = settle(report);
  const outcome = await judge.process(bodyOf(net.named(window.outcome(report.randomBefore, rows))));
  const { manifestHash: merged, currentLoss, mergedLoss } = decodeOutcome(outcome.message);
  assert.ok(mergedLoss! < currentLoss!, "what was merged helps on held-out pages");
  const manifest = decodeManifest(outcome.manifest!);
  assert.deepEqual(manifestHash(manifest), merged);
  assert.deepEqual(manifest.modelHash, opened.hash);
  assert.equal(manifest.size, net.file.length, "only what is trained is in a base");
  await judge.close();
});

Deno.test("Judge: a package's graph and frozen weights are needed, and taken out once loaded", async () => {
  const judge = await createTestJudge();
  const body = bodyOf(net.named(window.report()));
  supply(judge, window);
  await assert.rejects(judge.process(body), { code: "missing_blob" });
  net.supply(judge);
  await judge.process(body);
  for (const hash of [opened.config.package.graph, ...opened.config.package.frozenChunks]) {
    assert.equal(judge.blobs.get(hash), undefined);
  }
  await judge.close();
});

Deno.test("Judge: any byte of a package that is changed is refused", async () => {
  const judge = await createTestJudge();
  supply(judge, window);
  net.supply(judge);
  const encoded = encodePackage(opened.config);
  const payload = net.named(window.report());
  for (let at = 0; at < encoded.length; at += 7) {
    const changed = encoded.slice();
    changed[at]! ^= 1;
    await assert.rejects(
      judge.process(bodyOf({ ...payload, model: { package: changed } })),
      { name: "Refusal" },
      `byte ${at}`,
    );
  }
  const model = { ...window.report().model, package: encoded };
  await assert.rejects(judge.process(bodyOf({ ...payload, model })), { code: "unknown_field" });
  await assert.rejects(judge.process(bodyOf(window.report())), { code: "unbound_input" });
  await judge.close();
});
