import assert from "node:assert/strict";
import fc from "fast-check";
import { PRESETS } from "../presets.ts";
import { type Bytes, utf8 } from "../../protocol/bytes.ts";
import { Refusal } from "../../protocol/refusal.ts";
import { tensorProto } from "./builder.ts";
import { checkGraph, type GraphValue, MAX_GRAPH } from "./check.ts";
import { emitForward } from "./gpt.ts";
import { Message } from "./proto.ts";
import {
  GATHER,
  graphOf,
  LOSSES,
  NEG,
  node,
  OPSET,
  type Parts,
  PICKED,
  TOKENS,
  value,
  W,
} from "../../../tests/support/onnx.ts";

const INPUTS: readonly GraphValue[] = [
  { name: "tokens", type: "int64", shape: [1, 2] },
  { name: "w", type: "float32", shape: [3] },
];
const OUTPUTS: readonly GraphValue[] = [{ name: "losses", type: "float32", shape: [1, 2] }];

function codeOf(graph: Bytes): string {
  try {
    checkGraph(graph, INPUTS, OUTPUTS);
    return "taken";
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.code;
  }
}

Deno.test("checkGraph: takes a plain graph of the package's inputs", () => {
  assert.equal(codeOf(graphOf()), "taken");
  assert.equal(codeOf(graphOf({ tensors: [tensorProto("float32", [2], [1, 2], "c")] })), "taken");
});

const body = new Message().bytes(1, "body");
const lone = (field: number) => new Message().bytes(1, "a").bytes(field, body);
const CASES: Readonly<Record<string, readonly [string, Parts]>> = {
  "an old opset": ["graph_opset", { opsets: [new Message().int(2, 19)] }],
  "no opset": ["graph_opset", { opsets: [] }],
  "two opsets": ["graph_opset", { opsets: [OPSET, OPSET] }],
  "a newer IR": ["graph_opset", { ir: 11 }],
  "a domain of its own": ["graph_domain", {
    opsets: [OPSET, new Message().bytes(1, "com.microsoft").int(2, 1)],
  }],
  "a node of another domain": ["graph_domain", {
    nodes: [node("Gather", ["w", "tokens"], "picked").bytes(7, "com.microsoft"), NEG],
  }],
  "a function": ["graph_function", { more: (model) => model.bytes(25, body) }],
  "training information": ["graph_function", { more: (model) => model.bytes(20, body) }],
  "metadata": ["graph_field", { more: (model) => model.bytes(14, body) }],
  "a sparse constant": ["graph_field", { more: (_, graph) => graph.bytes(15, body) }],
  "a subgraph": ["graph_subgraph", { nodes: [node("Gather", ["w"], "picked", lone(6)), NEG] }],
  "subgraphs": ["graph_subgraph", { nodes: [node("Gather", ["w"], "picked", lone(11)), NEG] }],
  "a loop": ["graph_operator", { nodes: [node("Loop", ["w", "tokens"], "picked"), NEG] }],
  "randomness": ["graph_operator", { nodes: [node("RandomNormalLike", ["w"], "picked"), NEG] }],
  "external data": ["graph_external_data", {
    tensors: [new Message().int(1, 1).int(2, 1).bytes(8, "c").bytes(13, body)],
  }],
  "data that lies elsewhere": ["graph_external_data", {
    tensors: [new Message().int(1, 1).int(2, 1).bytes(8, "c").int(14, 1)],
  }],
  "a constant longer than its shape": ["graph_malformed", {
    tensors: [tensorProto("float32", [2], [1, 2, 3], "c")],
  }],
  "a constant in an attribute, shorter than its shape": ["graph_malformed", {
    nodes: [
      node(
        "ConstantOfShape",
        ["w"],
        "picked",
        new Message().bytes(1, "value").bytes(5, tensorProto("float32", [2 ** 20], [0])),
      ),
      NEG,
    ],
  }],
  "a constant of strings": ["graph_malformed", {
    tensors: [new Message().int(1, 0).int(2, 8).bytes(8, "c")],
  }],
  "an unnamed dimension": ["graph_shape", {
    values: [value("picked", 1, [1, new Message().bytes(2, "n")])],
  }],
  "an empty dimension": ["graph_shape", { values: [value("picked", 1, [1, new Message()])] }],
  "a negative dimension": ["graph_shape", { values: [value("picked", 1, [-1, 2])] }],
  "a value that is too large": ["graph_shape", {
    values: [value("picked", 1, [2 ** 15, 2 ** 15])],
  }],
  "a dimension that overflows": ["graph_shape", {
    values: [value("picked", 1, [2 ** 52, 2 ** 52])],
  }],
  "nine dimensions": ["graph_shape", { values: [value("picked", 1, Array(9).fill(1))] }],
  "a value of strings": ["graph_shape", { values: [value("picked", 8, [1, 2])] }],
  "a value without a shape": ["graph_shape", { values: [] }],
  "values that are too large together": ["graph_too_large", {
    nodes: [
      node("Expand", ["w"], "a"),
      node("Expand", ["w"], "b"),
      node("Max", ["a", "b"], "picked"),
      NEG,
    ],
    values: [PICKED, value("a", 1, [2 ** 28, 1]), value("b", 1, [2 ** 28, 2])],
  }],
  "a run that never ends": ["graph_too_large", {
    nodes: [
      node("Expand", ["w"], "a"),
      node("Expand", ["w"], "b"),
      ...Array(16).fill(node("MatMul", ["a", "b"], "c")),
      node("Gather", ["c", "tokens"], "picked"),
      NEG,
    ],
    values: [
      PICKED,
      value("a", 1, [2 ** 13, 2 ** 14]),
      value("b", 1, [2 ** 14, 2 ** 13]),
      value("c", 1, [2 ** 13, 2 ** 13]),
    ],
  }],
  "a node of too many inputs": ["graph_too_large", {
    nodes: [node("Max", Array(257).fill("w"), "picked"), NEG],
  }],
  "an input that nothing gives": ["graph_shape", { nodes: [node("Neg", ["x"], "picked"), NEG] }],
  "too many fields": ["graph_too_large", {
    nodes: [new Uint8Array(3 * 70_000).map((_, i) => [0x0a, 1, 0x77][i % 3]!), NEG],
  }],
  "an input declared again": ["graph_shape", { values: [PICKED, value("w", 1, [1])] }],
  "a constant with an input's name": ["graph_shape", {
    tensors: [tensorProto("float32", [3], [1, 2, 3], "w")],
  }],
  "too many nodes": ["graph_too_large", { nodes: Array(16_385).fill(NEG) }],
  "an input that is missing": ["graph_inputs", { inputs: [TOKENS] }],
  "an input more": ["graph_inputs", { inputs: [TOKENS, W, value("more", 1, [1])] }],
  "an input twice": ["graph_inputs", { inputs: [TOKENS, W, W] }],
  "an input of another shape": ["graph_inputs", { inputs: [TOKENS, value("w", 1, [1, 3])] }],
  "an input of another type": ["graph_inputs", { inputs: [TOKENS, value("w", 7, [3])] }],
  "an output more": ["graph_outputs", { outputs: [LOSSES, PICKED] }],
  "no output": ["graph_outputs", { outputs: [] }],
  "two graphs": ["graph_malformed", { more: (model) => model.bytes(7, new Message()) }],
  "a name that is not UTF-8": ["graph_malformed", {
    nodes: [GATHER, new Message().bytes(1, Uint8Array.of(0xff)).bytes(2, "losses").bytes(4, "Neg")],
  }],
};

for (const [what, [code, parts]] of Object.entries(CASES)) {
  Deno.test(`checkGraph: refuses ${what}`, () => assert.equal(codeOf(graphOf(parts)), code));
}

Deno.test("checkGraph: values that are no longer read are not counted", () => {
  const large = value("a", 1, [2 ** 28, 1]);
  const again = value("c", 1, [2 ** 28, 1]);
  const nodes = [
    node("Expand", ["w"], "a"),
    node("ReduceSum", ["a"], "b"),
    node("Expand", ["b"], "c"),
    node("ReduceSum", ["c"], "picked"),
    NEG,
  ];
  const values = [PICKED, large, again, value("b", 1, [1])];
  assert.equal(codeOf(graphOf({ nodes, values })), "taken");
});

Deno.test("checkGraph: refuses what is too long, empty, or a graph that declares nothing", () => {
  assert.equal(codeOf(new Uint8Array(MAX_GRAPH + 1)), "graph_too_large");
  assert.equal(codeOf(new Uint8Array(0)), "graph_opset");
  assert.notEqual(codeOf(emitForward(PRESETS.tiny)), "taken");
  assert.equal(codeOf(utf8("#!/bin/sh")), "graph_field");
});

Deno.test("checkGraph: every truncation is refused, and no byte changed makes it fail otherwise", () => {
  const graph = graphOf({ tensors: [tensorProto("float32", [2], [1, 2], "c")] });
  for (let length = 0; length < graph.length; length++) {
    assert.notEqual(codeOf(graph.slice(0, length)), "taken", `${length} bytes`);
  }
  const place = fc.nat(graph.length - 1);
  fc.assert(fc.property(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1 }), (changes) => {
    const changed = graph.slice();
    for (const [at, byte] of changes) changed[at] = byte;
    codeOf(changed);
  }));
});
