/**
 * The two uses of the tied token embedding, which holds most parameters of a model with a large vocabulary.
 *
 * @module
 */
import type { Value } from "./builder.ts";
import type { Tape } from "./autodiff.ts";

/** Rows of logits that are alive at once: 256 rows of 100,277 logits are 103 MB. */
export const CHUNK_ROWS = 256;

/** Token and position embeddings: wte [v, c] at `tokens` [b, t] plus wpe [t, c], as [b·t, c]. */
export function embed(tape: Tape, tokens: Value, wte: Value, wpe: Value): Value {
  const { graph } = tape;
  const [b, t] = tokens.shape as [number, number];
  const c = wte.shape[1]!;
  const cube = [b, t, c];
  const rows = [b * t, c];
  const looked = graph.node("Gather", [wte, tokens], cube, { axis: 0 });
  const summed = graph.node("Add", [looked, wpe], cube);
  const out = graph.node("Reshape", [summed, graph.ints(...rows)], rows);
  tape.record([out], ([g], grads) => {
    const shaped = graph.node("Reshape", [g!, graph.ints(...cube)], cube);
    grads.add(wpe, graph.node("ReduceSum", [shaped, graph.ints(0)], [t, c], { keepdims: 0 }));
    // Not ScatterND: its CPU kernel loses updates of equal indices under two threads.
    const column = graph.node("Reshape", [tokens, graph.ints(b * t, 1)], [b * t, 1], {}, "int64");
    const indices = graph.node("Expand", [column, graph.ints(...rows)], rows, {}, "int64");
    const before = grads.get(wte);
    if (!before) throw new Error("Cannot differentiate the embedding before the head tied to it");
    grads.set(
      wte,
      graph.node("ScatterElements", [before, indices, g!], wte.shape, {
        axis: 0,
        reduction: "add",
      }),
    );
  });
  return out;
}

/**
 * Negative log-likelihood in nats of `targets` [b, t] under softmax(x · wteᵀ), for x [b·t, c]: [b·t]. Computed in
 * chunks of rows, so that the logits of all rows never exist at once.
 *
 * `seed` is the gradient of the losses, [b·t], where it is wanted: since it is known here, each chunk's part of the
 * backward pass is emitted right after its forward part, and its logits can go before the next chunk's come.
 */
export function tiedCrossEntropy(
  tape: Tape,
  x: Value,
  wte: Value,
  targets: Value,
  seed?: Value,
): Value {
  const { graph } = tape;
  const [rows, c] = x.shape as [number, number];
  const [vocab] = wte.shape as [number];
  const asColumn = (v: Value) =>
    graph.node("Reshape", [v, graph.ints(rows, 1)], [rows, 1], {}, v.type);
  const slice = (v: Value, from: number, to: number, axis: 0 | 1 = 0) => {
    const shape = v.shape.with(axis, to - from);
    const bounds = [graph.ints(from), graph.ints(to), graph.ints(axis)];
    return graph.node("Slice", [v, ...bounds], shape, {}, v.type);
  };
  // A product with a third term whose factor, beta, is 0: the value is a · b, and it is computed after that term.
  const gemmAfter = (a: Value, b: Value, term: Value | undefined, transB: 0 | 1, n: number) => {
    const after = term ? [slice(slice(term, 0, 1), 0, 1, 1)] : [];
    return graph.node("Gemm", [a, b, ...after], [a.shape[0]!, n], { transB, beta: { float: 0 } });
  };
  const column = asColumn(targets);
  const seedColumn = seed && asColumn(seed);
  const losses: Value[] = [];
  const dx: Value[] = [];
  let dwte: Value | undefined;
  let previous: Value | undefined;
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    const to = Math.min(rows, from + CHUNK_ROWS);
    const n = to - from;
    const h = slice(x, from, to);
    const target = slice(column, from, to);
    const logits = gemmAfter(h, wte, previous, 1, vocab);
    const logp = graph.node("LogSoftmax", [logits], [n, vocab], { axis: -1 });
    const picked = graph.node("GatherElements", [logp, target], [n, 1], { axis: 1 });
    const loss = graph.node("Neg", [picked], [n, 1]);
    losses.push(loss);
    if (!seedColumn) continue;
    const p = graph.node("Softmax", [logits], [n, vocab], { axis: -1 });
    const minusOne = graph.constant("float32", [n, 1], Array(n).fill(-1));
    const scatter = { axis: 1, reduction: "add" };
    const error = graph.node("ScatterElements", [p, target, minusOne], [n, vocab], scatter);
    // The seed is applied to the narrow side of each product.
    const weight = slice(seedColumn, from, to);
    const weighted = graph.node("Mul", [h, weight], [n, c]);
    const terms = dwte ? [error, weighted, dwte] : [error, weighted];
    dwte = graph.node("Gemm", terms, wte.shape, { transA: 1 });
    const part = graph.node("Mul", [gemmAfter(error, wte, dwte, 0, c), weight], [n, c]);
    dx.push(part);
    previous = graph.node("Add", [part, loss], [n, c]);
  }
  const stacked = graph.node("Concat", losses, [rows, 1], { axis: 0 });
  const out = graph.node("Reshape", [stacked, graph.ints(rows)], [rows]);
  tape.record([out], ([g], grads) => {
    if (!dwte || g !== seed) throw new Error("Cannot differentiate the losses from another seed");
    grads.add(wte, dwte);
    grads.add(x, graph.node("Concat", dx, x.shape, { axis: 0 }));
  });
  return out;
}
