/**
 * The GPT as an ONNX graph, forward for the judge and forward with gradients for the miner. Both come from the same
 * code, so that they cannot disagree about the model. Weights are graph inputs.
 *
 * @module
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { paramManifest } from "../params.ts";
import type { ModelConfig } from "../presets.ts";
import { Tape } from "./autodiff.ts";
import { Graph, tensorProto, type Value } from "./builder.ts";
import { embed, tiedCrossEntropy } from "./embedding.ts";
import {
  add,
  addConstant,
  gelu,
  layerNorm,
  linear,
  matmul,
  reshape,
  scale,
  softmax,
  splitColumns,
  transpose,
} from "./ops.ts";

/** What is added to the score of a later position: its softmax is exactly zero. */
const MASKED = -1e9;

interface Forward {
  readonly tape: Tape;
  readonly params: readonly { readonly name: string; readonly value: Value }[];
  readonly losses: Value;
}

function forward(graph: Graph, config: ModelConfig, seed?: Value): Forward {
  if (config.package !== undefined) {
    throw new TypeError("Cannot emit the graph of a package: it comes with it, forward only");
  }
  const { batch, context, dims, heads } = config;
  const tape = new Tape(graph);
  const tokens = graph.input("tokens", "int64", [batch, context]);
  const targets = graph.input("targets", "int64", [batch, context]);
  const params = paramManifest(config).params.map(({ name, shape }) => ({
    name,
    value: graph.input(name, "float32", shape),
  }));
  const byName = new Map(params.map(({ name, value }) => [name, value]));
  const p = (name: string) => byName.get(name)!;

  const full = graph.node("ConstantOfShape", [graph.ints(context, context)], [context, context], {
    value: tensorProto("float32", [1], [MASKED]),
  });
  const above = graph.constant("int64", [], [1]);
  const mask = graph.node("Trilu", [full, above], [context, context], { upper: 1 });

  const norm = (x: Value, at: string) => layerNorm(tape, x, p(`${at}.weight`), p(`${at}.bias`));
  const dense = (x: Value, at: string) => linear(tape, x, p(`${at}.weight`), p(`${at}.bias`));
  const cube = [batch, context, heads, dims / heads];

  const attention = (x: Value, at: string) => {
    const [q, k, v] = splitColumns(tape, dense(x, `${at}.c_attn`), 3)
      .map((part) => reshape(tape, part, cube)) as [Value, Value, Value];
    const scores = matmul(
      tape,
      transpose(tape, q, [0, 2, 1, 3]),
      transpose(tape, k, [0, 2, 3, 1]),
    );
    const scaled = scale(tape, scores, 1 / Math.sqrt(dims / heads));
    const weights = softmax(tape, addConstant(tape, scaled, mask));
    const mixed = matmul(tape, weights, transpose(tape, v, [0, 2, 1, 3]));
    const rows = reshape(tape, transpose(tape, mixed, [0, 2, 1, 3]), [batch * context, dims]);
    return dense(rows, `${at}.c_proj`);
  };
  const mlp = (x: Value, at: string) => dense(gelu(tape, dense(x, `${at}.c_fc`)), `${at}.c_proj`);

  let x = embed(tape, tokens, p("wte.weight"), p("wpe.weight"));
  for (let i = 0; i < config.layers; i++) {
    x = add(tape, x, attention(norm(x, `h.${i}.ln_1`), `h.${i}.attn`));
    x = add(tape, x, mlp(norm(x, `h.${i}.ln_2`), `h.${i}.mlp`));
  }
  const losses = tiedCrossEntropy(tape, norm(x, "ln_f"), p("wte.weight"), targets, seed);
  graph.output("losses", losses);
  return { tape, params, losses };
}

/**
 * The judge's graph, a serialized ModelProto. Inputs: `tokens` and `targets`, int64 [batch, context]; every parameter
 * by its name, float32. Output: `losses`, float32 [batch · context], the negative log-likelihood of each target in
 * nats, row-major. Equal configurations give equal bytes.
 */
export function emitForward(config: ModelConfig): Bytes {
  const graph = new Graph();
  forward(graph, config);
  return graph.finish();
}

/** The name of the output that holds the gradient of parameter `name`. */
export function gradientName(name: string): string {
  return `grad.${name}`;
}

/**
 * The miner's graph: the inputs and the output of {@linkcode emitForward}, and for every parameter the gradient of
 * the mean loss, float32 of the parameter's shape, named by {@linkcode gradientName}.
 */
export function emitTraining(config: ModelConfig): Bytes {
  const graph = new Graph();
  const rows = config.batch * config.context;
  const seed = graph.constant("float32", [rows], Array(rows).fill(1 / rows));
  const { tape, params, losses } = forward(graph, config, seed);
  const gradients = tape.gradients(losses, seed, params.map(({ value }) => value));
  params.forEach(({ name }, i) => graph.output(gradientName(name), gradients[i]!));
  return graph.finish();
}
