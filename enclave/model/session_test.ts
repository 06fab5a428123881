import { equal, notEqual, ok, rejects } from "node:assert/strict";
import { Refusal } from "../protocol/refusal.ts";
import { genesisWeights } from "./genesis.ts";
import { modelHash } from "./modelhash.ts";
import { pageTokens, PRESETS } from "./presets.ts";
import { LossModel } from "./session.ts";
import { patch, unpatch } from "./update.ts";

const { tiny } = PRESETS;
const theta = genesisWeights(tiny, modelHash(tiny));
const page = (seed: number) =>
  Uint32Array.from({ length: pageTokens(tiny) }, (_, i) => (seed + i * i) % tiny.vocab);
const pages = Array.from({ length: 2 * tiny.batch }, (_, i) => page(i));

Deno.test("LossModel.losses: first weights know nothing: log(vocab) nats a token", async () => {
  const model = await LossModel.create(tiny);
  const { sum, count } = await model.losses(theta, pages);
  equal(count, pages.length * tiny.context);
  ok(Math.abs(sum / count - Math.log(tiny.vocab)) < 0.1);
  await model.close();
});

Deno.test("LossModel.losses: the same bits again, in another session, with other threads", async () => {
  const sums = new Set<number>();
  for (const options of [{ threads: 1 }, { threads: 2 }, { threads: 2, arena: false }]) {
    const model = await LossModel.create(tiny, options);
    for (let i = 0; i < 2; i++) sums.add((await model.losses(theta, pages)).sum);
    await model.close();
  }
  equal(sums.size, 1);
});

Deno.test("LossModel.losses: sees a patch of θ, and not once it is taken back", async () => {
  const model = await LossModel.create(tiny);
  const before = await model.losses(theta, pages);
  const indices = Uint32Array.from({ length: 100 }, (_, i) => i * 1000);
  const update = { total: theta.length, indices, values: new Float32Array(100).fill(0.1) };
  const undo = patch(theta, update, 1);
  notEqual((await model.losses(theta, pages)).sum, before.sum);
  unpatch(theta, undo);
  equal((await model.losses(theta, pages)).sum, before.sum);
  await model.close();
});

Deno.test("LossModel.losses: calls that overlap are answered one by one", async () => {
  const model = await LossModel.create(tiny);
  const first = pages.slice(0, tiny.batch);
  const second = pages.slice(tiny.batch);
  const alone = [await model.losses(theta, first), await model.losses(theta, second)];
  const together = await Promise.all([model.losses(theta, first), model.losses(theta, second)]);
  equal(together[0].sum, alone[0]!.sum);
  equal(together[1].sum, alone[1]!.sum);
  notEqual(alone[0]!.sum, alone[1]!.sum);
  await model.close();
});

Deno.test("LossModel.losses: non-finite weights give a non-finite sum", async () => {
  const model = await LossModel.create(tiny);
  const { sum } = await model.losses(new Float32Array(theta.length).fill(NaN), pages);
  equal(Number.isFinite(sum), false);
  await model.close();
});

Deno.test("LossModel.losses: refuses what does not fit, and still works afterwards", async () => {
  const model = await LossModel.create(tiny);
  const one = pages[0]!;
  await rejects(model.losses(theta, []), RangeError);
  await rejects(model.losses(theta, [one]), RangeError);
  await rejects(model.losses(theta.subarray(1), pages), RangeError);
  await rejects(model.losses(theta, Array(tiny.batch).fill(one.subarray(1))), RangeError);
  const outside = one.slice();
  outside[tiny.context] = tiny.vocab;
  await rejects(
    model.losses(theta, Array(tiny.batch).fill(outside)),
    (error) => error instanceof Refusal && error.code === "token_out_of_range",
  );
  ok((await model.losses(theta, pages)).sum > 0);
  await model.close();
});
