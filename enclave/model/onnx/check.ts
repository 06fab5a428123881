/**
 * What a graph from outside must be before onnxruntime sees a byte of it: one flat graph of known, deterministic
 * operators, whose inputs are the package's, and in which every value has a static, bounded shape
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 *
 * @module
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { Refusal } from "../../protocol/refusal.ts";
import { checkCost, elementsOf, MAX_ELEMENTS, type Step } from "./cost.ts";
import { type MessageSpec, Scanned, textOf } from "./scan.ts";

/** Bytes of a graph at most. */
export const MAX_GRAPH = 32 << 20;
/** Nodes at most. */
const MAX_NODES = 16_384;
/** Names that one node reads and writes at most. */
const MAX_NAMES = 256;
const MAX_RANK = 8;
const MAX_IR_VERSION = 10;
/** The opset of this project's own graphs. */
const OPSET = 20;

const FLOAT = 1;
const INT64 = 7;
/** Bytes of an element: float32, int32, int64, bool. */
const WIDTH: Readonly<Record<number, number>> = { [FLOAT]: 4, 6: 4, [INT64]: 8, 9: 1 };

/** No control flow, no randomness, no scattering (its CPU kernel loses updates), no size that data decides. */
const OPERATORS = new Set(
  `Abs Add And ArgMax Cast Ceil Clip Concat ConstantOfShape Cos CumSum Div Elu Equal Erf Exp Expand Flatten
  Floor Gather GatherElements GatherND Gelu Gemm Greater GreaterOrEqual HardSigmoid HardSwish Identity
  LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max Mean Min Mish Mod Mul Neg Not Or Pow Range
  Reciprocal ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape
  Round Shape Sigmoid Sign Sin Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Trilu
  Unsqueeze Where`.split(/\s+/),
);

const MODEL: MessageSpec = {
  1: "int", // ir_version
  2: "bytes", // producer_name
  3: "bytes", // producer_version
  7: "bytes", // graph
  8: "list", // opset_import
  20: { refused: "graph_function" }, // training_info
  25: { refused: "graph_function" },
};
const OPSET_ID: MessageSpec = { 1: "bytes", 2: "int" };
const GRAPH: MessageSpec = {
  1: "list", // node
  2: "bytes", // name
  5: "list", // initializer
  11: "list", // input
  12: "list", // output
  13: "list", // value_info
};
const NODE: MessageSpec = {
  1: "list", // input
  2: "list", // output
  3: "bytes", // name
  4: "bytes", // op_type
  5: "list", // attribute
  7: { refused: "graph_domain" },
};
const ATTRIBUTE: MessageSpec = {
  1: "bytes", // name
  2: "float",
  3: "int",
  4: "bytes", // string
  5: "bytes", // tensor
  6: { refused: "graph_subgraph" },
  8: "ints",
  11: { refused: "graph_subgraph" },
  20: "int", // type
};
const TENSOR: MessageSpec = {
  1: "ints", // dims
  2: "int", // data_type
  8: "bytes", // name
  9: "bytes", // raw_data
  13: { refused: "graph_external_data" },
  14: { refused: "graph_external_data" },
};
const VALUE: MessageSpec = { 1: "bytes", 2: "bytes" };
const TYPE: MessageSpec = { 1: "bytes" };
const TENSOR_TYPE: MessageSpec = { 1: "int", 2: "bytes" };
const SHAPE: MessageSpec = { 1: "list" };
const DIMENSION: MessageSpec = { 1: "int", 2: { refused: "graph_shape" } };

/** An input or output: float32 or int64, and its dimensions. */
export interface GraphValue {
  /** Its name. */
  readonly name: string;
  /** Its element type. */
  readonly type: "float32" | "int64";
  /** Its dimensions. */
  readonly shape: readonly number[];
}

function refuse(code: string, why: string): Refusal {
  return new Refusal(code, `Cannot take the graph: ${why}`, "package");
}

/**
 * Refuse `graph`, a serialized ModelProto, unless it is plain: opset 20 of ai.onnx alone, at most 16,384 nodes of
 * allowed operators, no functions, subgraphs or external data, exactly these inputs and outputs.
 *
 * @throws {Refusal} `graph_too_large`, `graph_malformed`, `graph_field`, `graph_opset`, `graph_domain`,
 * `graph_function`, `graph_subgraph`, `graph_external_data`, `graph_operator`, `graph_shape`, `graph_inputs` or
 * `graph_outputs`.
 */
export function checkGraph(
  graph: Bytes,
  inputs: readonly GraphValue[],
  outputs: readonly GraphValue[],
): void {
  if (graph.length > MAX_GRAPH) {
    throw refuse("graph_too_large", `it has ${graph.length} bytes, ${MAX_GRAPH} is the limit`);
  }
  const model = new Scanned("the model", graph, MODEL);
  const [ir = 0] = model.ints(1);
  if (ir < 3 || ir > MAX_IR_VERSION) throw refuse("graph_opset", `its IR version is ${ir}`);
  const opsets = model.list(8).map((bytes) => new Scanned("an opset", bytes, OPSET_ID));
  for (const opset of opsets) {
    const [domain, version] = [opset.text(1), opset.ints(2)[0]];
    if (domain !== "") throw refuse("graph_domain", `it uses the domain ${domain.slice(0, 64)}`);
    if (version !== OPSET) throw refuse("graph_opset", `its opset is ${version}, not ${OPSET}`);
  }
  if (opsets.length !== 1) throw refuse("graph_opset", `it names ${opsets.length} opsets`);
  const body = new Scanned("the graph", model.bytes(7), GRAPH);
  checkEnds("graph_inputs", body.list(11), inputs);
  checkEnds("graph_outputs", body.list(12), outputs);
  const shapes = new Map([...inputs, ...outputs].map(({ name, shape }) => [name, shape]));
  for (const { name, shape } of [...body.list(5).map(tensorOf), ...body.list(13).map(valueOf)]) {
    if (shapes.has(name)) throw refuse("graph_shape", `${name.slice(0, 64)} is declared twice`);
    shapes.set(name, shape);
  }
  const nodes = body.list(1);
  if (nodes.length > MAX_NODES) {
    throw refuse("graph_too_large", `it has ${nodes.length} nodes, ${MAX_NODES} is the limit`);
  }
  checkCost(nodes.map((node) => stepOf(node, shapes)), shapes);
}

/** One node, checked; empty names, which stand for what is left out, are left out. */
function stepOf(bytes: Bytes, shapes: ReadonlyMap<string, readonly number[]>): Step {
  const node = new Scanned("a node", bytes, NODE);
  const operator = node.text(4);
  if (!OPERATORS.has(operator)) {
    throw refuse("graph_operator", `${operator.slice(0, 64)} is not an operator that it may use`);
  }
  for (const attribute of node.list(5)) {
    const [tensor] = new Scanned("an attribute", attribute, ATTRIBUTE).list(5);
    if (tensor !== undefined) tensorOf(tensor);
  }
  const [inputs, outputs] = [1, 2].map((field) =>
    node.list(field).map(textOf).filter((name) => name !== "")
  ) as [string[], string[]];
  if (inputs.length + outputs.length > MAX_NAMES) {
    throw refuse("graph_too_large", `a node has more than ${MAX_NAMES} inputs and outputs`);
  }
  const unknown = [...inputs, ...outputs].find((name) => !shapes.has(name));
  if (unknown !== undefined) {
    throw refuse("graph_shape", `the shape of ${unknown.slice(0, 64)} is not declared`);
  }
  return { operator, inputs, outputs };
}

/** A constant: its data here, as long as its shape says. */
function tensorOf(bytes: Bytes): { name: string; shape: readonly number[] } {
  const tensor = new Scanned("a tensor", bytes, TENSOR);
  const shape = tensor.ints(1);
  const width = WIDTH[tensor.ints(2)[0] ?? 0] ?? NaN;
  if (tensor.bytes(9).length !== width * checked(shape, 0)) {
    throw refuse("graph_malformed", "the data of a constant is not as long as its shape says");
  }
  return { name: tensor.text(8), shape };
}

/** Elements of a value of this shape, which is bounded. */
function checked(shape: readonly number[], least: number): number {
  const product = elementsOf(shape);
  const sound = shape.length <= MAX_RANK && product <= MAX_ELEMENTS &&
    shape.every((n) => n >= least && n <= MAX_ELEMENTS);
  if (!sound) {
    throw refuse("graph_shape", `a value has the shape [${shape.slice(0, MAX_RANK + 1)}]`);
  }
  return product;
}

/** An input, an output or what lies between. */
function valueOf(bytes: Bytes): { name: string; type: number; shape: readonly number[] } {
  const value = new Scanned("a value", bytes, VALUE);
  const type = new Scanned("a type", value.bytes(2), TYPE);
  const tensor = new Scanned("a tensor type", type.bytes(1), TENSOR_TYPE);
  const [element = 0] = tensor.ints(1);
  if (WIDTH[element] === undefined) throw refuse("graph_shape", `a value's type is ${element}`);
  if (tensor.list(2).length === 0) throw refuse("graph_shape", "a value has no shape");
  const shape = new Scanned("a shape", tensor.bytes(2), SHAPE).list(1)
    .map((dimension) => new Scanned("a dimension", dimension, DIMENSION).ints(1)[0] ?? 0);
  checked(shape, 1);
  return { name: value.text(1), type: element, shape };
}

function checkEnds(code: string, given: readonly Bytes[], wanted: readonly GraphValue[]): void {
  const rest = new Map(wanted.map((value) => [value.name, value]));
  for (const bytes of given) {
    const { name, type, shape } = valueOf(bytes);
    const match = rest.get(name);
    if (match === undefined) throw refuse(code, `${name.slice(0, 64)} is not the package's`);
    rest.delete(name);
    const wantedType = match.type === "int64" ? INT64 : FLOAT;
    if (type !== wantedType || `${shape}` !== `${match.shape}`) {
      throw refuse(
        code,
        `${name} is of type ${type} [${shape}], not ${match.type} [${match.shape}]`,
      );
    }
  }
  const [missing] = rest.keys();
  if (missing !== undefined) throw refuse(code, `${missing} is missing`);
}
