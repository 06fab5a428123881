/**
 * Loss evaluation beside the machine's own peak, and what patching costs.
 *
 * @module
 */
import { Tensor } from "onnxruntime-node";
import { genesisWeights } from "../../../enclave/model/genesis.ts";
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { Graph } from "../../../enclave/model/onnx/builder.ts";
import { type ModelConfig, pageTokens, PRESETS } from "../../../enclave/model/presets.ts";
import { openSession } from "../../../enclave/model/runtime.ts";
import { LossModel } from "../../../enclave/model/session.ts";
import { patch, unpatch } from "../../../enclave/model/update.ts";
import { type Figure, medianMs, ms, peakMemory, percent } from "../figures.ts";
import { randomUpdate } from "../updates.ts";

/** Multiply-adds of the matrix products in one loss evaluation, two operations each; the causal mask saves none. */
export function lossFlop(config: ModelConfig): number {
  const { batch, context, dims, layers, vocab } = config;
  const block = 24 * dims * dims + 4 * context * dims; // c_attn, c_proj, both of the MLP; scores and mixing
  return batch * context * (layers * block + 2 * dims * vocab);
}

/** Sizes of square matrix products among which the peak is sought. */
const SIZES = [512, 1024, 2048];

/** The fastest matrix product's GFLOP/s, on the judge's runtime with the judge's settings. */
async function sgemmPeak(): Promise<number> {
  let peak = 0;
  for (const n of SIZES) {
    const graph = new Graph();
    const [a, b] = ["a", "b"].map((name) => graph.input(name, "float32", [n, n]));
    graph.output("c", graph.node("MatMul", [a!, b!], [n, n]));
    const session = await openSession(graph.finish());
    const matrix = () => new Tensor("float32", new Float32Array(n * n).fill(0.5), [n, n]);
    const feeds = { a: matrix(), b: matrix() };
    const fetches = { c: matrix() };
    const once = () => session.run(feeds, fetches);
    for (let run = 0; run < 20; run++) {
      peak = Math.max(peak, 2 * n ** 3 / 1e6 / await medianMs(once, { runs: 1, warmup: 0 }));
    }
    await session.release();
  }
  return peak;
}

/** Pages of tokens spread over the vocabulary. */
export function somePages(config: ModelConfig): Uint32Array[] {
  return Array.from(
    { length: config.batch },
    (_, i) =>
      Uint32Array.from(
        { length: pageTokens(config) },
        (_, j) => (i * 7919 + j * 104_729) % config.vocab,
      ),
  );
}

/** The figures. */
export async function* loss(): AsyncGenerator<Figure> {
  let peak = await sgemmPeak();
  const rates = new Map<ModelConfig, number>();
  for (const config of [PRESETS.tiny, PRESETS.small, PRESETS["nano-gpt"]]) {
    const theta = genesisWeights(config, modelHash(config));
    const pages = somePages(config);
    const model = await LossModel.create(config);
    const time = await medianMs(() => model.losses(theta, pages), { runs: 15, warmup: 3 });
    await model.close();
    rates.set(config, lossFlop(config) / time / 1e6);
    peak = Math.max(peak, await sgemmPeak());
    yield ms(`loss evaluation, ${config.name}`, time);
    yield {
      name: `loss evaluation, ${config.name}: rate`,
      value: config.batch * config.context / time * 1_000,
      unit: "tokens/s",
      better: "more",
    };
    const update = randomUpdate(theta.length, Math.ceil(theta.length / 100), 1);
    yield ms(
      `patch and undo, ${config.name}: 1 % of the entries`,
      await medianMs(() => unpatch(theta, patch(theta, update, 1)), { runs: 31, warmup: 5 }),
    );
  }
  // The fastest at any time, beside the medians of losses: a busy neighbour must not make the share look good.
  peak = Math.max(peak, await sgemmPeak());
  yield { name: "sgemm peak", value: peak, unit: "GFLOP/s", better: "more" };
  for (const [{ name }, rate] of rates) {
    yield percent(`loss evaluation, ${name}: share of the sgemm peak`, rate / peak, "more");
  }
  yield* peakMemory("peak memory, loss evaluation");
}
