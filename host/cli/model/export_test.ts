/** Packages that PyTorch exports here and now: the judge's loss of them is PyTorch's. */
import assert from "node:assert/strict";
import {
  decodeSafetensors,
  encodeSafetensors,
  safetensorsHeader,
} from "../../../enclave/model/safetensors.ts";
import { LossModel } from "../../../enclave/model/session.ts";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { sha256 } from "../../../enclave/protocol/hash.ts";
import { patternedBatches } from "../../../miner/adapters/conformance.ts";
import { SidecarAdapter } from "../../../miner/adapters/sidecar.ts";
import { startSidecar } from "../../../tests/support/sidecar.ts";
import { readPackage } from "./folder.ts";
import { parseShape } from "./manifest.ts";
import { ExportError, EXPORTS, findPython, runExport } from "./python.ts";

const python = await findPython(EXPORTS);
const sidecar = decodeURIComponent(new URL("../../../miner/sidecar/", import.meta.url).pathname);

const SHAPE = { vocab_size: 256, bos_token_id: null, eos_token_id: null };
const CONFIGS = {
  gpt2: { ...SHAPE, model_type: "gpt2", n_layer: 2, n_embd: 16, n_head: 2, n_positions: 32 },
  llama: {
    ...SHAPE,
    model_type: "llama",
    ...{
      num_hidden_layers: 2,
      hidden_size: 16,
      intermediate_size: 40,
      max_position_embeddings: 32,
    },
    ...{ num_attention_heads: 2, num_key_value_heads: 1 },
  },
};
const CONTEXT = 24;
const PAGES = [0, 1].map((row) =>
  Array.from({ length: CONTEXT + 1 }, (_, i) => (i * i + 41 * row) % 251)
);

/** PyTorch's mean losses of the models in `dirs`. */
const REFERENCE = `
import json, sys, torch
from vram_sidecar.export import reference
from vram_sidecar.model import open_model
pages = torch.tensor(json.loads(sys.argv[1]))
for dir in sys.argv[2:]:
    net = open_model(dir, 7).eval()
    with torch.no_grad():
        print(reference(net, pages[:, :-1].contiguous(), pages[:, 1:].contiguous()).double().mean().item())
`;

async function pytorch(dirs: readonly string[]): Promise<number[]> {
  const { code, stderr, stdout } = await new Deno.Command(python!, {
    args: ["-c", REFERENCE, JSON.stringify(PAGES), ...dirs],
    env: { PYTHONPATH: sidecar, PYTHONDONTWRITEBYTECODE: "1", OMP_NUM_THREADS: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n").map(Number);
}

/** The judge's mean loss of the package in `dir`; of its own θ on {@linkcode PAGES}, where nothing else is said. */
async function judged(
  dir: string,
  weights?: Float32Array,
  pages: readonly Uint32Array[] = PAGES.map((page) => Uint32Array.from(page)),
): Promise<number> {
  const { config, frozen, graph, theta } = await readPackage(dir);
  const { frozen: fixed } = config.package;
  const rest = fixed.total === 0 ? new Float32Array(0) : decodeSafetensors(fixed, frozen);
  const model = await LossModel.open(config, graph, rest, { threads: 1 });
  const { sum, count } = await model.losses(weights ?? theta, pages);
  await model.close();
  return sum / count;
}

Deno.test({
  name:
    "model export: the judge's loss of an exported GPT-2 and Llama is PyTorch's (needs onnxscript)",
  ignore: python === undefined,
  async fn() {
    const dir = await Deno.makeTempDir();
    try {
      const sources: string[] = [];
      for (const [name, config] of Object.entries(CONFIGS)) {
        await Deno.mkdir(`${dir}/${name}`);
        await Deno.writeTextFile(`${dir}/${name}/config.json`, JSON.stringify(config));
        sources.push(`${dir}/${name}`);
      }
      const shape = ["--seed", "7", "--context", `${CONTEXT}`, "--batch", "2"];
      const trainable = { gpt2: "last:1", llama: "lora:2" } as const;
      const wanted = await pytorch(sources);
      for (const [i, name] of (["gpt2", "llama"] as const).entries()) {
        const out = `${dir}/${name}-package`;
        const flags = ["--model", sources[i]!, "--trainable", trainable[name], ...shape];
        const said = await runExport([...flags, "--out", out], EXPORTS);
        const { config, hash } = await readPackage(out);
        assert.match(said, new RegExp(`model hash ${toHex(hash)}, losses within`));
        const apart = Math.abs(await judged(out) - wanted[i]!);
        assert.ok(apart < 1e-4, `${name}: ${apart} nats apart`);
        if (name === "gpt2") continue;
        const described = parseShape(await runExport([...flags, "--describe"], EXPORTS));
        assert.deepEqual(described.trainable, config.package.trainable);
        assert.deepEqual(described.frozen, config.package.frozen);
      }
      const again = ["--model", sources[0]!, "--out", `${dir}/gpt2-package`, ...shape];
      await assert.rejects(runExport(again, EXPORTS), (error) => {
        assert.ok(error instanceof ExportError);
        assert.match(error.message, /is there already: name another folder/);
        return true;
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "SidecarAdapter: trains a package's low-rank matrices, and the judge sees its losses (needs onnxscript)",
  ignore: python === undefined,
  async fn() {
    const dir = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${dir}/config.json`, JSON.stringify(CONFIGS.llama));
      const same = ["--seed", "7", "--trainable", "lora:2"];
      const shape = ["--context", `${CONTEXT}`, "--batch", "2"];
      await runExport(["--model", dir, "--out", `${dir}/package`, ...same, ...shape], EXPORTS);
      const opened = await readPackage(`${dir}/package`);
      const { trainable } = opened.config.package;
      const batches = patternedBatches(CONTEXT + 1, 2);
      const settings = { innerSteps: 8, lr: 1e-2, percent: 100 };
      await using running = await startSidecar(python!, ["--model", dir, ...same, "--batch", "2"]);
      await using adapter = await SidecarAdapter.connect({ batches, settings }, {
        url: running.url,
        total: trainable.total,
        layout: toHex(sha256(safetensorsHeader(trainable))),
      });
      await adapter.loadCheckpoint(encodeSafetensors(trainable, opened.theta));
      const batch = await adapter.getAssignedBatch(1, 2);
      const { gradient, loss } = await adapter.trainStep(batch);
      const before = await judged(`${dir}/package`, opened.theta, batch.pages);
      assert.ok(Math.abs(before - loss) < 1e-4, `${before} and ${loss} before`);
      await adapter.applyGradient(gradient, 1);
      const theirs = await adapter.forwardLoss(batch);
      const theta = opened.theta.map((x, i) => x - gradient[i]!);
      const after = await judged(`${dir}/package`, theta, batch.pages);
      assert.ok(Math.abs(after - theirs) < 1e-4, `${after} and ${theirs} after`);
      assert.ok(after < before - 1e-3, `${before} became ${after}`);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test({
  name: "miner/sidecar: the exporter's own tests in Python (needs onnxscript)",
  ignore: python === undefined,
  async fn() {
    const { code, stderr } = await new Deno.Command(python!, {
      args: [`${sidecar}test_export.py`],
      env: { PYTHONDONTWRITEBYTECODE: "1", OMP_NUM_THREADS: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  },
});

Deno.test("runExport: where no Python has what it takes, says which and what to do", async () => {
  await assert.rejects(runExport([], ["no_such_module_of_python"]), {
    name: "ExportError",
    message: /no_such_module_of_python: name one in VRAMHUB_PYTHON, after 'pip install/,
  });
});
