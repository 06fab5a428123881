import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { concat, u64le, utf8 } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { AdapterContext, TrainingFrameworkAdapter } from "./adapter.ts";
import { decodeFlat, encodeFlat } from "./checkpoint.ts";
import { conformance, type Finding, patternedBatches } from "./conformance.ts";
import create from "./example.ts";
import { OnnxAdapter } from "./onnx.ts";

const { tiny } = PRESETS;
const context: AdapterContext = {
  batches: patternedBatches(pageTokens(tiny), tiny.batch),
  settings: { innerSteps: 2, lr: 3e-3, percent: 1 },
};

async function findings(adapter: TrainingFrameworkAdapter): Promise<Finding[]> {
  return await Array.fromAsync(conformance(adapter));
}

const faults = (found: readonly Finding[]) => found.filter(({ fault }) => fault !== undefined);

Deno.test("conformance: the worked example passes", async () => {
  const found = await findings(create(context));
  deepEqual(faults(found), []);
  equal(found.length, 11);
});

Deno.test("conformance: the in-process trainer passes", async () => {
  await using adapter = await OnnxAdapter.start(
    context,
    tiny,
    genesisWeights(tiny, modelHash(tiny)),
    { threads: 1 },
  );
  deepEqual(faults(await findings(adapter)), []);
});

/** The example, but for what `changes` replaces. */
function bent(changes: Partial<TrainingFrameworkAdapter>): TrainingFrameworkAdapter {
  const adapter = create(context);
  return new Proxy(adapter, {
    get(target, key) {
      const value = Reflect.get({ ...changes }, key) ?? Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const BROKEN: readonly (readonly [string, Partial<TrainingFrameworkAdapter>, RegExp])[] = [
  ["two words as a name", { name: "two words" }, /name/],
  ["NaN in a gradient", {
    trainStep: () => Promise.resolve({ gradient: new Float32Array(65536).fill(NaN), loss: 5 }),
  }, /finite gradient/],
  ["a gradient uphill", {
    async trainStep(batch) {
      const step = await create(context).trainStep(batch);
      return { ...step, gradient: step.gradient.map((value) => -value) };
    },
  }, /lowers the loss/],
  ["a loss that is not the step's", { forwardLoss: () => Promise.resolve(9) }, /loss before/],
  ["a checkpoint that is ignored", { loadCheckpoint: async () => {} }, /cut is refused/],
  ["one batch for all", {
    getAssignedBatch: (uid, window) =>
      Promise.resolve({ uid, window, pages: [new Uint32Array(65)] }),
  }, /another miner's/],
];

for (const [what, changes, check] of BROKEN) {
  Deno.test(`conformance: finds ${what}`, async () => {
    const found = faults(await findings(bent(changes)));
    ok(found.some((finding) => check.test(finding.check)), JSON.stringify(found));
  });
}

Deno.test("AdapterBase.applyGradient: subtracts beta times the gradient, elementwise", async () => {
  const adapter = create(context);
  const gradient = Float32Array.from({ length: 65536 }, (_, i) => i % 7);
  await adapter.applyGradient(gradient, 0.5);
  deepEqual(decodeFlat(await adapter.saveCheckpoint()).theta, gradient.map((value) => -value / 2));
  await rejects(
    adapter.applyGradient(gradient.map((value) => value * 3e38), 1e9),
    (error) => error instanceof Refusal && error.code === "non_finite",
  );
});

Deno.test("decodeFlat: refuses all but contiguous float32", () => {
  const file = (header: string, data = 4) =>
    concat(u64le(utf8(header).length), utf8(header), new Uint8Array(data));
  const entry = (dtype: string, from: number, to: number) =>
    `{"a":{"dtype":"${dtype}","shape":[1],"data_offsets":[${from},${to}]}}`;
  const { header, theta } = decodeFlat(file(entry("F32", 0, 4)));
  deepEqual(encodeFlat(header, theta), file(entry("F32", 0, 4)));
  for (
    const bad of [
      new Uint8Array(7),
      concat(u64le(2n ** 60n), new Uint8Array(9)),
      file("[", 4),
      file("null", 4),
      file(entry("F16", 0, 4)),
      file(entry("F32", 4, 8)),
      file(entry("F32", 0, 8)),
      file('{"a":null}'),
    ]
  ) throws(() => decodeFlat(bad), (error) => error instanceof Refusal);
});
