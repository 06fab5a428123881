import { Tensor } from "onnxruntime-node";
import { deepEqual, equal, ok } from "node:assert/strict";
import { sha256 } from "../../protocol/hash.ts";
import { PageBatch } from "../pages.ts";
import { paramManifest } from "../params.ts";
import { type ModelConfig, pageTokens, PRESETS } from "../presets.ts";
import { openSession, paramTensors } from "../runtime.ts";
import { LossModel } from "../session.ts";
import { emitForward, emitTraining, gradientName } from "./gpt.ts";
import { referenceLosses } from "./reference_gpt.ts";

const MICRO: ModelConfig = {
  name: "micro",
  vocab: 11,
  layers: 2,
  dims: 8,
  heads: 2,
  context: 5,
  batch: 2,
};
/** 280 rows: two chunks of the cross-entropy, the second a part of one. */
const CHUNKED: ModelConfig = {
  name: "chunked",
  vocab: 13,
  layers: 1,
  dims: 4,
  heads: 1,
  context: 70,
  batch: 4,
};

function random(seed: number): () => number {
  let s = seed;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

/** Weights large enough that every part of the model matters, biases included. */
function someWeights(config: ModelConfig): Float32Array {
  const next = random(7);
  return Float32Array.from({ length: paramManifest(config).total }, () => next() - 0.5);
}

/** Pages with repeated tokens, so that rows of the embedding get several updates. */
function somePages(config: ModelConfig): Uint32Array[] {
  const next = random(11);
  return Array.from(
    { length: config.batch },
    () => Uint32Array.from({ length: pageTokens(config) }, () => Math.floor(next() * config.vocab)),
  );
}

async function train(config: ModelConfig, theta: Float32Array, pages: Uint32Array[]) {
  const manifest = paramManifest(config);
  const rows = config.batch * config.context;
  const losses = new Float32Array(rows);
  const gradient = new Float32Array(manifest.total);
  const fetches: Record<string, Tensor> = { losses: new Tensor("float32", losses, [rows]) };
  for (const [name, tensor] of Object.entries(paramTensors(manifest, gradient))) {
    fetches[gradientName(name)] = tensor;
  }
  const batch = new PageBatch(config);
  batch.fill((row) => pages[row]!);
  const session = await openSession(emitTraining(config), { threads: 2 });
  await session.run({ ...paramTensors(manifest, theta), ...batch.tensors }, fetches);
  await session.release();
  return { losses, gradient };
}

for (const config of [MICRO, CHUNKED]) {
  Deno.test(`emitForward: ${config.name} agrees with the plain implementation`, async () => {
    const theta = someWeights(config);
    const pages = somePages(config);
    const expected = pages.flatMap((page) => referenceLosses(config, theta, page));
    const { losses } = await train(config, theta, pages);
    losses.forEach((loss, i) => ok(Math.abs(loss - expected[i]!) < 1e-5, `row ${i}`));
    const model = await LossModel.create(config);
    const { sum, count } = await model.losses(theta, pages);
    await model.close();
    equal(count, expected.length);
    equal(sum, losses.reduce((a, b) => a + b, 0), "the two graphs give the same bits");
  });

  Deno.test(`emitTraining: ${config.name}'s gradients are those of finite differences`, async () => {
    const theta = someWeights(config);
    const pages = somePages(config);
    const { gradient } = await train(config, theta, pages);
    const exact = Float64Array.from(theta);
    const meanLoss = () => {
      const losses = pages.flatMap((page) => referenceLosses(config, exact, page));
      return losses.reduce((a, b) => a + b, 0) / losses.length;
    };
    const h = 1e-5;
    for (const { name, offset, size } of paramManifest(config).params) {
      for (const i of new Set([0, size >> 1, size - 1])) {
        const at = offset + i;
        exact[at] = theta[at]! + h;
        const above = meanLoss();
        exact[at] = theta[at]! - h;
        const below = meanLoss();
        exact[at] = theta[at]!;
        const expected = (above - below) / (2 * h);
        const error = Math.abs(gradient[at]! - expected);
        ok(error < 2e-6 + 1e-4 * Math.abs(expected), `${name}[${i}]: ${gradient[at]}, ${expected}`);
      }
    }
  });
}

Deno.test("emitForward and emitTraining: equal configurations give equal bytes", () => {
  for (const config of Object.values(PRESETS)) {
    deepEqual(sha256(emitForward(config)), sha256(emitForward({ ...config, name: "other" })));
    deepEqual(sha256(emitTraining(config)), sha256(emitTraining({ ...config })));
  }
});

Deno.test("emitForward: another dimension gives another graph", () => {
  const graphs = new Set<string>();
  const { tiny } = PRESETS;
  for (const field of ["vocab", "layers", "dims", "context", "batch"] as const) {
    graphs.add(sha256(emitForward({ ...tiny, [field]: tiny[field] * 2 })).join());
  }
  graphs.add(sha256(emitForward({ ...tiny, heads: 4 })).join());
  graphs.add(sha256(emitForward(tiny)).join());
  equal(graphs.size, 7);
});
