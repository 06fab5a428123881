/**
 * Differentiable operations: each emits its forward nodes and records its gradient on the tape.
 *
 * @module
 */
import type { Value } from "./builder.ts";
import type { Tape } from "./autodiff.ts";

const LAYER_NORM_EPSILON = 1e-5;

function scalar(tape: Tape, x: number): Value {
  return tape.graph.constant("float32", [], [x]);
}

/** Sum of x [n, c] over its rows: [c]. */
function sumRows(tape: Tape, x: Value): Value {
  const { graph } = tape;
  return graph.node("ReduceSum", [x, graph.ints(0)], [x.shape[1]!], { keepdims: 0 });
}

/** `a + b`, of the same shape. */
export function add(tape: Tape, a: Value, b: Value): Value {
  const out = tape.graph.node("Add", [a, b], a.shape);
  tape.record([out], ([g], grads) => {
    grads.add(a, g!);
    grads.add(b, g!);
  });
  return out;
}

/** `x · factor`. */
export function scale(tape: Tape, x: Value, factor: number): Value {
  const by = scalar(tape, factor);
  const out = tape.graph.node("Mul", [x, by], x.shape);
  tape.record([out], ([g], grads) => grads.add(x, tape.graph.node("Mul", [g!, by], x.shape)));
  return out;
}

/** `x + constant`, where the constant broadcasts to x and needs no gradient. */
export function addConstant(tape: Tape, x: Value, constant: Value): Value {
  const out = tape.graph.node("Add", [x, constant], x.shape);
  tape.record([out], ([g], grads) => grads.add(x, g!));
  return out;
}

/** `x · w + b` for x [n, i], w [i, o], b [o]. */
export function linear(tape: Tape, x: Value, w: Value, b: Value): Value {
  const { graph } = tape;
  const out = graph.node("Gemm", [x, w, b], [x.shape[0]!, w.shape[1]!]);
  tape.record([out], ([g], grads) => {
    grads.add(x, graph.node("Gemm", [g!, w], x.shape, { transB: 1 }));
    grads.add(w, graph.node("Gemm", [x, g!], w.shape, { transA: 1 }));
    grads.add(b, sumRows(tape, g!));
  });
  return out;
}

/** `a · b` over the last two of four axes. */
export function matmul(tape: Tape, a: Value, b: Value): Value {
  const { graph } = tape;
  const transposed = (v: Value) => {
    const [p, q, m, n] = v.shape as [number, number, number, number];
    return graph.node("Transpose", [v], [p, q, n, m], { perm: [0, 1, 3, 2] });
  };
  const out = graph.node("MatMul", [a, b], [...a.shape.slice(0, 3), b.shape[3]!]);
  tape.record([out], ([g], grads) => {
    grads.add(a, graph.node("MatMul", [g!, transposed(b)], a.shape));
    grads.add(b, graph.node("MatMul", [transposed(a), g!], b.shape));
  });
  return out;
}

/** `x` with other dimensions over the same elements. */
export function reshape(tape: Tape, x: Value, shape: readonly number[]): Value {
  const { graph } = tape;
  const out = graph.node("Reshape", [x, graph.ints(...shape)], shape);
  tape.record(
    [out],
    ([g], grads) => grads.add(x, graph.node("Reshape", [g!, graph.ints(...x.shape)], x.shape)),
  );
  return out;
}

/** `x` with its axes in the order `perm`. */
export function transpose(tape: Tape, x: Value, perm: readonly number[]): Value {
  const { graph } = tape;
  const out = graph.node("Transpose", [x], perm.map((axis) => x.shape[axis]!), { perm });
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  tape.record(
    [out],
    ([g], grads) => grads.add(x, graph.node("Transpose", [g!], x.shape, { perm: inverse })),
  );
  return out;
}

/** x [n, parts · c] as `parts` tensors [n, c]. */
export function splitColumns(tape: Tape, x: Value, parts: number): Value[] {
  const { graph } = tape;
  const shape = [x.shape[0]!, x.shape[1]! / parts];
  const outs = graph.nodes("Split", [x], Array(parts).fill(shape), { axis: 1, num_outputs: parts });
  tape.record(
    outs,
    (gs, grads) => grads.add(x, graph.node("Concat", [...gs], x.shape, { axis: 1 })),
  );
  return outs;
}

/** Softmax over the last axis. */
export function softmax(tape: Tape, x: Value): Value {
  const { graph } = tape;
  const p = graph.node("Softmax", [x], x.shape, { axis: -1 });
  tape.record([p], ([g], grads) => {
    const last = x.shape.length - 1;
    const gp = graph.node("Mul", [g!, p], x.shape);
    const sum = graph.node("ReduceSum", [gp, graph.ints(last)], [...x.shape.slice(0, last), 1]);
    grads.add(x, graph.node("Sub", [gp, graph.node("Mul", [p, sum], x.shape)], x.shape));
  });
  return p;
}

/** GELU, exact: `x · Φ(x)`. */
export function gelu(tape: Tape, x: Value): Value {
  const { graph } = tape;
  const out = graph.node("Gelu", [x], x.shape);
  tape.record([out], ([g], grads) => {
    const mul = (a: Value, b: Value) => graph.node("Mul", [a, b], x.shape);
    // d/dx x·Φ(x) = Φ(x) + x·φ(x), with Φ(x) = (1 + erf(x/√2))/2 and φ(x) = exp(−x²/2)/√(2π).
    const erf = graph.node("Erf", [mul(x, scalar(tape, Math.SQRT1_2))], x.shape);
    const half = scalar(tape, 0.5);
    const cdf = graph.node("Add", [mul(erf, half), half], x.shape);
    const exp = graph.node("Exp", [mul(mul(x, x), scalar(tape, -0.5))], x.shape);
    const density = mul(exp, scalar(tape, 1 / Math.sqrt(2 * Math.PI)));
    grads.add(x, mul(g!, graph.node("Add", [cdf, mul(x, density)], x.shape)));
  });
  return out;
}

/** Layer norm of x [n, c] over its columns, scaled by w [c] and shifted by b [c] (Ba et al. 2016). */
export function layerNorm(tape: Tape, x: Value, w: Value, b: Value): Value {
  const { graph } = tape;
  const column = [x.shape[0]!, 1];
  const [out, mean, inverse] = graph.nodes("LayerNormalization", [x, w, b], [
    x.shape,
    column,
    column,
  ], { axis: -1, epsilon: { float: LAYER_NORM_EPSILON } }) as [Value, Value, Value];
  tape.record([out], ([g], grads) => {
    const mul = (p: Value, q: Value) => graph.node("Mul", [p, q], x.shape);
    const sub = (p: Value, q: Value) => graph.node("Sub", [p, q], x.shape);
    const average = (v: Value) => graph.node("ReduceMean", [v, graph.ints(1)], column);
    const normal = mul(sub(x, mean), inverse);
    const gw = mul(g!, w);
    // dx = (gw − mean(gw) − x̂·mean(gw·x̂)) / σ
    const centred = sub(sub(gw, average(gw)), mul(normal, average(mul(gw, normal))));
    grads.add(x, mul(centred, inverse));
    grads.add(w, sumRows(tape, mul(g!, normal)));
    grads.add(b, sumRows(tape, g!));
  });
  return out;
}
