/**
 * Builds an ONNX graph (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) node by node, with static shapes.
 * The same calls give the same bytes.
 *
 * @module
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { Message } from "./proto.ts";

/** Element types in use. */
export type ElementType = "float32" | "int64";

/** A tensor in the graph. */
export interface Value {
  /** Its name in the graph, unique. */
  readonly name: string;
  /** Its dimensions. */
  readonly shape: readonly number[];
  /** Its element type. */
  readonly type: ElementType;
}

/** An operator's attributes: a number is written as an int; write a float as `{ float: x }`. */
export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number } | Message>
>;

const IR_VERSION = 9;
/** Opset 20 is the first with Gelu. */
const OPSET = 20;
const ELEMENT = { float32: 1, int64: 7 } as const;
const ATTRIBUTE = { float: 1, int: 2, string: 3, tensor: 4, ints: 7 } as const;

function attribute(name: string, value: Attributes[string]): Message {
  const m = new Message().bytes(1, name);
  if (typeof value === "number") return m.int(3, value).int(20, ATTRIBUTE.int);
  if (typeof value === "string") return m.bytes(4, value).int(20, ATTRIBUTE.string);
  if (value instanceof Message) return m.bytes(5, value).int(20, ATTRIBUTE.tensor);
  if ("float" in value) return m.float(2, value.float).int(20, ATTRIBUTE.float);
  for (const item of value) m.int(8, item);
  return m.int(20, ATTRIBUTE.ints);
}

/** A TensorProto with its data little endian in `raw_data`. */
export function tensorProto(
  type: ElementType,
  shape: readonly number[],
  data: readonly number[],
  name = "",
): Message {
  const raw = new DataView(new ArrayBuffer(data.length * (type === "int64" ? 8 : 4)));
  data.forEach((x, i) =>
    type === "int64" ? raw.setBigInt64(8 * i, BigInt(x), true) : raw.setFloat32(4 * i, x, true)
  );
  const m = new Message();
  for (const d of shape) m.int(1, d);
  m.int(2, ELEMENT[type]);
  if (name !== "") m.bytes(8, name);
  return m.bytes(9, new Uint8Array(raw.buffer));
}

/** A graph under construction. */
export class Graph {
  readonly #nodes: { op: string; inputs: Value[]; outputs: Value[]; attributes: Attributes }[] = [];
  readonly #inputs: Value[] = [];
  readonly #constants = new Map<string, { value: Value; proto: Message }>();
  readonly #outputs = new Map<string, { name: string; value: Value }>();
  #count = 0;

  #value(type: ElementType, shape: readonly number[]): Value {
    return { name: `t${this.#count++}`, shape, type };
  }

  /** A tensor that every run is given. */
  input(name: string, type: ElementType, shape: readonly number[]): Value {
    const value: Value = { name, shape, type };
    this.#inputs.push(value);
    return value;
  }

  /** A constant; equal ones are stored once. */
  constant(type: ElementType, shape: readonly number[], data: readonly number[]): Value {
    const id = `${type}:${shape}:${data}`;
    const found = this.#constants.get(id);
    if (found) return found.value;
    const value = this.#value(type, shape);
    this.#constants.set(id, { value, proto: tensorProto(type, shape, data, value.name) });
    return value;
  }

  /** A list of integers, as operators take axes, shapes and sizes. */
  ints(...data: number[]): Value {
    return this.constant("int64", [data.length], data);
  }

  /** A node with one output of `shape`. */
  node(
    op: string,
    inputs: readonly Value[],
    shape: readonly number[],
    attributes: Attributes = {},
    type: ElementType = "float32",
  ): Value {
    return this.nodes(op, inputs, [shape], attributes, type)[0]!;
  }

  /** A node with several outputs, one for each of `shapes`. */
  nodes(
    op: string,
    inputs: readonly Value[],
    shapes: readonly (readonly number[])[],
    attributes: Attributes = {},
    type: ElementType = "float32",
  ): Value[] {
    const outputs = shapes.map((shape) => this.#value(type, shape));
    this.#nodes.push({ op, inputs: [...inputs], outputs, attributes });
    return outputs;
  }

  /** Give `value` to the caller of a run, under `name`: the tensor is renamed, not copied. */
  output(name: string, value: Value): void {
    this.#outputs.set(value.name, { name, value });
  }

  /** The graph as a serialized ModelProto. */
  finish(): Bytes {
    const nameOf = (v: Value) => this.#outputs.get(v.name)?.name ?? v.name;
    const graph = new Message();
    for (const { op, inputs, outputs, attributes } of this.#nodes) {
      const node = new Message();
      for (const v of inputs) node.bytes(1, nameOf(v));
      for (const v of outputs) node.bytes(2, nameOf(v));
      node.bytes(4, op);
      for (const name of Object.keys(attributes).sort()) {
        node.bytes(5, attribute(name, attributes[name]!));
      }
      graph.bytes(1, node);
    }
    graph.bytes(2, "vramhub");
    for (const { proto } of this.#constants.values()) graph.bytes(5, proto);
    for (const v of this.#inputs) graph.bytes(11, valueInfo(v.name, v));
    for (const { name, value } of this.#outputs.values()) graph.bytes(12, valueInfo(name, value));
    return new Message().int(1, IR_VERSION).bytes(2, "vramhub").bytes(7, graph)
      .bytes(8, new Message().bytes(1, "").int(2, OPSET)).finish();
  }
}

function valueInfo(name: string, value: Value): Message {
  const shape = new Message();
  for (const d of value.shape) shape.bytes(1, new Message().int(1, d));
  const tensor = new Message().int(1, ELEMENT[value.type]).bytes(2, shape);
  return new Message().bytes(1, name).bytes(2, new Message().bytes(1, tensor));
}
