import assert from "node:assert/strict";
import fc from "fast-check";
import { PACKAGE_DIR, recordedPackage } from "../../tests/support/package.ts";
import { equal, toHex, utf8 } from "../protocol/bytes.ts";
import { Refusal } from "../protocol/refusal.ts";
import { genesisWeights } from "./genesis.ts";
import { modelHash } from "./modelhash.ts";
import { tensorProto } from "./onnx/builder.ts";
import { emitForward, emitTraining } from "./onnx/gpt.ts";
import { Message } from "./onnx/proto.ts";
import { GATHER, graphOf, node, PICKED, value, W } from "../../tests/support/onnx.ts";
import { decodePackage, encodePackage, type PackagedConfig } from "./package.ts";
import { manifestOf, paramManifest } from "./params.ts";
import { LossModel } from "./session.ts";

const { config, graph, hash, theta } = await recordedPackage();
const { frozen, trainable } = config.package;

function codeOf(run: () => unknown): string {
  try {
    run();
    return "taken";
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.code;
  }
}

const packaged = (parts: Partial<PackagedConfig["package"]>): PackagedConfig => ({
  ...config,
  package: { ...config.package, ...parts },
});

Deno.test("decodePackage: is the inverse of encodePackage", () => {
  const decoded = decodePackage(encodePackage(config));
  const { start: _, ...given } = config.package;
  assert.deepEqual(decoded, { ...config, name: "package", package: given });
  assert.deepEqual(paramManifest(decoded), trainable);
});

Deno.test("modelHash: of a package is what Python computed, and depends on every part", () => {
  const { hash: recorded } = JSON.parse(Deno.readTextFileSync(`${PACKAGE_DIR}/manifest.json`));
  assert.equal(toHex(hash), recorded);
  const other = [
    ...(["vocab", "layers", "dims", "heads", "context", "batch"] as const).map((name) => ({
      ...config,
      [name]: config[name] + 1,
    })),
    packaged({ graph: new Uint8Array(32) }),
    packaged({ base: new Uint8Array(32) }),
    packaged({ frozenChunks: [new Uint8Array(32)] }),
    packaged({ trainable: manifestOf({ a: [1] }) }),
    packaged({ frozen: manifestOf({ a: [1] }) }),
  ];
  const hashes = [config, ...other].map((changed) => toHex(modelHash(changed)));
  assert.equal(new Set(hashes).size, 1 + other.length);
});

Deno.test("decodePackage: refuses what no package is", () => {
  const of = (changed: PackagedConfig) => codeOf(() => decodePackage(encodePackage(changed)));
  assert.equal(of(config), "taken");
  const chunk = [new Uint8Array(32)];
  const cases: Readonly<Record<string, PackagedConfig>> = {
    vocab: { ...config, vocab: 2 ** 20 + 1 },
    context: { ...config, context: 0 },
    batch: { ...config, batch: 65 },
    nothing: packaged({ trainable: manifestOf({}) }),
    both: packaged({ frozen: manifestOf({ [trainable.params[0]!.name]: [1] }) }),
    taken: packaged({ trainable: manifestOf({ tokens: [1] }) }),
    name: packaged({ trainable: manifestOf({ "a b": [1] }) }),
    empty: packaged({ trainable: manifestOf({ a: [0] }) }),
    large: packaged({ trainable: manifestOf({ a: [2 ** 20, 2 ** 20] }) }),
    sum: packaged({ trainable: manifestOf({ a: [2 ** 29], b: [2 ** 29], c: [1] }) }),
    fewChunks: packaged({ frozenChunks: [] }),
    manyChunks: packaged({ frozenChunks: [...chunk, ...chunk] }),
    chunksOfNothing: packaged({ frozen: manifestOf({}), frozenChunks: chunk }),
    order: packaged({ trainable: { ...trainable, params: trainable.params.toReversed() } }),
    twice: packaged({
      trainable: { ...trainable, params: [trainable.params[0]!, trainable.params[0]!] },
    }),
  };
  for (const [what, changed] of Object.entries(cases)) {
    assert.equal(of(changed), "bad_package", what);
  }
  const encoded = encodePackage(config);
  for (let length = 0; length < encoded.length; length += 5) {
    assert.notEqual(codeOf(() => decodePackage(encoded.slice(0, length))), "taken");
  }
  assert.equal(codeOf(() => decodePackage(Uint8Array.of(...encoded, 0))), "trailing_bytes");
});

Deno.test("decodePackage: any bytes are a package or a refusal", () => {
  const encoded = encodePackage(config);
  const change = fc.tuple(fc.nat(encoded.length - 1), fc.nat(255));
  fc.assert(fc.property(fc.array(change), (changes) => {
    const bytes = encoded.slice();
    for (const [at, byte] of changes) bytes[at] = byte;
    if (codeOf(() => decodePackage(bytes)) === "taken") {
      assert.deepEqual(encodePackage(decodePackage(bytes)), bytes);
    }
  }));
});

Deno.test("LossModel.open: refuses a graph of other parameters, and one that onnxruntime does not take", async () => {
  const fixed = new Float32Array(frozen.total);
  const [first, ...rest] = trainable.params;
  const renamed = Object.fromEntries(
    [{ ...first!, name: "h.1.a" }, ...rest].map(({ name, shape }) => [name, shape]),
  );
  await assert.rejects(
    LossModel.open(packaged({ trainable: manifestOf(renamed) }), graph, fixed),
    { code: "graph_inputs" },
  );
  await assert.rejects(LossModel.open({ ...config, batch: 2 }, graph, fixed), {
    code: "graph_inputs",
  });
  // The operator stays one that is allowed, and its inputs no longer fit it.
  const bent = graph.slice();
  const at = bent.findIndex((_, i) => equal(bent.subarray(i, i + 4), utf8("Tanh")));
  bent.set(utf8("Gemm"), at);
  await assert.rejects(LossModel.open(config, bent, fixed), { code: "graph_rejected" });
  await assert.rejects(LossModel.open(config, graph, fixed.subarray(1)), RangeError);
});

Deno.test("LossModel.open: a declared shape that operators do not give is refused", async () => {
  const small: PackagedConfig = {
    ...config,
    ...{ context: 2, batch: 1 },
    package: { ...config.package, trainable: manifestOf({ w: [3] }), frozen: manifestOf({}) },
  };
  const nothing = new Float32Array(0);
  const ends = { inputs: [...["tokens", "targets"].map((name) => value(name, 7, [1, 2])), W] };
  const nodes = [
    GATHER,
    node("Flatten", ["picked"], "flat"),
    node(
      "ReduceSum",
      ["flat", "axis"],
      "losses",
      new Message().bytes(1, "keepdims").int(3, 0).int(20, 2),
    ),
  ];
  const tensors = [tensorProto("int64", [1], [0], "axis")];
  const outputs = [value("losses", 1, [2])];
  const honest = [PICKED, value("flat", 1, [1, 2])];
  const model = await LossModel.open(
    small,
    graphOf({ ...ends, nodes, tensors, outputs, values: honest }),
    nothing,
  );
  const { sum, count } = await model.losses(Float32Array.of(1, 2, 4), [Uint32Array.of(0, 2, 0)]);
  assert.deepEqual([sum, count], [5, 2]);
  await model.close();
  const lie = graphOf({
    ...ends,
    nodes,
    tensors,
    outputs,
    values: [PICKED, value("flat", 1, [2, 1])],
  });
  await assert.rejects(LossModel.open(small, lie, nothing), { code: "graph_rejected" });
});

Deno.test("a package: nothing of a preset is derived or emitted in its place", () => {
  assert.deepEqual(genesisWeights(config, hash), theta);
  assert.throws(() => genesisWeights(decodePackage(encodePackage(config)), hash), TypeError);
  assert.throws(() => emitForward(config), TypeError);
  assert.throws(() => emitTraining(config), TypeError);
});
