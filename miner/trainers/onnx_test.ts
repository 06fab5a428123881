import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { LossModel } from "../../enclave/model/session.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { OnnxTrainer } from "./onnx.ts";

const { tiny } = PRESETS;
const theta = genesisWeights(tiny, modelHash(tiny));
const pages = Array.from(
  { length: tiny.batch },
  (_, row) => Uint32Array.from({ length: pageTokens(tiny) }, (_, i) => (row * 50 + i * i) % 251),
);

Deno.test("OnnxTrainer.train: the loss falls on a repeated batch, and the judge sees it too", async () => {
  const trainer = await OnnxTrainer.start(tiny);
  const judge = await LossModel.create(tiny);
  try {
    const before = theta.slice();
    const { delta, losses } = await trainer.train({ theta, pages, innerSteps: 20, lr: 3e-3 });
    deepEqual(theta, before, "the weights to start from are left alone");
    equal(losses.length, 20);
    ok(losses[19]! < losses[0]! - 1, `${losses[0]} → ${losses[19]}`);
    const { sum, count } = await judge.losses(theta, pages);
    equal(losses[0], sum / count, "both graphs give the same bits");
    const after = await judge.losses(theta.map((w, i) => w - delta[i]!), pages);
    ok(after.sum / after.count < losses[19]!);
  } finally {
    trainer.close();
    await judge.close();
  }
});

Deno.test("OnnxTrainer.train: windows share a trainer, one after the other, without a trace", async () => {
  const trainer = await OnnxTrainer.start(tiny);
  try {
    const input = { theta, pages, innerSteps: 2, lr: 1e-3 };
    const other = { theta, pages: [pages[0]!], innerSteps: 3, lr: 1e-2 };
    const [first, between, again] = await Promise.all([
      trainer.train(input),
      trainer.train(other),
      trainer.train(input),
    ]);
    deepEqual(again.delta, first.delta);
    deepEqual(again.losses, first.losses);
    equal(between.losses.length, 3);
    ok(await trainer.measureStep() > 0);
  } finally {
    trainer.close();
  }
});

Deno.test("OnnxTrainer.train: refuses what does not fit, and trains afterwards", async () => {
  const trainer = await OnnxTrainer.start(tiny);
  try {
    const input = { theta, pages, innerSteps: 1, lr: 1e-3 };
    await rejects(trainer.train({ ...input, theta: theta.subarray(1) }), RangeError);
    await rejects(trainer.train({ ...input, pages: [] }), RangeError);
    await rejects(trainer.train({ ...input, pages: [pages[0]!.subarray(1)] }), RangeError);
    for (const innerSteps of [0, 1.5, NaN]) {
      await rejects(trainer.train({ ...input, innerSteps }), RangeError);
    }
    for (const lr of [0, -1, NaN, Infinity]) {
      await rejects(trainer.train({ ...input, lr }), RangeError);
    }
    const outside = pages[0]!.slice().fill(tiny.vocab);
    await rejects(
      trainer.train({ ...input, pages: [outside] }),
      (error) => error instanceof Refusal && error.code === "token_out_of_range",
    );
    ok((await trainer.train(input)).losses[0]! > 0);
  } finally {
    trainer.close();
  }
});

Deno.test("OnnxTrainer.start: a failure in the worker is a rejection", async () => {
  await rejects(OnnxTrainer.start({ ...tiny, heads: 3 }), /'heads' must divide 'dims'/);
});

Deno.test("OnnxTrainer.start: a device that cannot be had is said with its code, across the worker", async () => {
  await rejects(OnnxTrainer.start(tiny, { device: { kind: "cuda", index: 99 } }), {
    name: "DeviceError",
    code: "cuda_session",
    message: /^Cannot train on cuda:99: /,
  });
});

Deno.test("OnnxTrainer.gradient: is what one batch's step starts from, and refuses what does not fit", async () => {
  const trainer = await OnnxTrainer.start(tiny);
  try {
    const before = theta.slice();
    const { loss, gradient } = await trainer.gradient(theta, pages);
    deepEqual(theta, before, "the weights are left alone");
    const { losses } = await trainer.train({ theta, pages, innerSteps: 1, lr: 1e-3 });
    equal(loss, losses[0]);
    // A small step against it lowers the loss by its squared length, to first order.
    const beta = 1e-3;
    const square = gradient.reduce((sum, g) => sum + g * g, 0);
    const { loss: after } = await trainer.gradient(
      theta.map((w, i) => w - beta * gradient[i]!),
      pages,
    );
    ok(Math.abs((loss - after) / (beta * square) - 1) < 0.1, `${loss - after}, ${beta * square}`);
    await rejects(trainer.gradient(theta, pages.slice(1)), RangeError);
    await rejects(trainer.gradient(theta.subarray(1), pages), RangeError);
  } finally {
    trainer.close();
  }
});

Deno.test("OnnxTrainer.close: rejects what was waiting and what comes later", async () => {
  const trainer = await OnnxTrainer.start(tiny);
  const waiting = rejects(
    trainer.train({ theta, pages, innerSteps: 1000, lr: 1e-3 }),
    /trainer was closed/,
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  trainer.close();
  await waiting;
  await rejects(trainer.train({ theta, pages, innerSteps: 1, lr: 1e-3 }), /trainer was closed/);
});
