import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { encodeSafetensors, safetensorsHeader } from "../../enclave/model/safetensors.ts";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { findPython } from "../../tests/support/python.ts";
import { startSidecar } from "../../tests/support/sidecar.ts";
import type { AdapterContext } from "./adapter.ts";
import { conformance, patternedBatches } from "./conformance.ts";
import { OnnxAdapter } from "./onnx.ts";
import { SidecarAdapter } from "./sidecar.ts";

const { tiny } = PRESETS;
const context: AdapterContext = {
  batches: patternedBatches(pageTokens(tiny), tiny.batch),
  settings: { innerSteps: 2, lr: 3e-3, percent: 1 },
};
const base = encodeSafetensors(paramManifest(tiny), genesisWeights(tiny, modelHash(tiny)));

const python = await findPython();

/** Start our sidecar on a free port; it ends with the test. */
const start = (args: readonly string[], env: Record<string, string> = {}) =>
  startSidecar(python!, args, { env });

/** The pages of `patternedBatches`, as rows that the sidecar draws from by itself. */
async function withDataset(body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    const rows = Array.from(
      { length: 40 },
      (_, row) => Array.from({ length: 65 }, (_, i) => (row * 50 + i * i) % 251),
    );
    await Deno.writeTextFile(path, rows.map((tokens) => JSON.stringify({ tokens })).join("\n"));
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test({
  name: "SidecarAdapter: our Python sidecar passes the suite in both dialects (needs PyTorch)",
  ignore: python === undefined,
  fn: () =>
    withDataset(async (dataset) => {
      await using sidecar = await start(["--model", "vramhub:tiny", "--dataset", dataset]);
      for (const jsonOnly of [false, true]) {
        await using adapter = await SidecarAdapter.connect(context, { url: sidecar.url, jsonOnly });
        equal(adapter.dialect, jsonOnly ? "json" : "binary");
        await adapter.loadCheckpoint(base);
        const found = await Array.fromAsync(conformance(adapter));
        deepEqual(found.filter(({ fault }) => fault !== undefined), [], adapter.dialect);
      }
    }),
});

Deno.test({
  name: "OnnxAdapter: loss, gradient and weights are PyTorch's (needs PyTorch)",
  ignore: python === undefined,
  async fn() {
    await using sidecar = await start(["--model", "vramhub:tiny"], { VRAMHUB_SIDECAR_TOKEN: "t" });
    const layout = toHex(sha256(safetensorsHeader(paramManifest(tiny))));
    const options = { url: sidecar.url, token: "t", total: paramManifest(tiny).total, layout };
    await rejects(SidecarAdapter.connect(context, { url: sidecar.url }), /bearer token/);
    await using theirs = await SidecarAdapter.connect(context, options);
    await using ours = await OnnxAdapter.start(
      context,
      tiny,
      new Float32Array(paramManifest(tiny).total),
      { threads: 1 },
    );
    const batch = await ours.getAssignedBatch(1, 2);
    const results = [];
    for (const adapter of [ours, theirs]) {
      await adapter.loadCheckpoint(base);
      const loss = await adapter.forwardLoss(batch);
      results.push({ loss, step: await adapter.trainStep(batch) });
    }
    const [a, b] = results as [typeof results[0], typeof results[0]];
    ok(Math.abs(a.loss - b.loss) < 1e-5, `${a.loss} and ${b.loss}`);
    const off = a.step.gradient.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - b.step.gradient[i]!)),
      0,
    );
    ok(off < 1e-5, `the gradients differ by ${off}`);
    await ours.loadCheckpoint(await theirs.saveCheckpoint());
  },
});

Deno.test({
  name: "SidecarAdapter: any causal LM, from a configuration alone (needs PyTorch)",
  ignore: python === undefined,
  async fn() {
    const dir = await Deno.makeTempDir();
    try {
      const config = {
        model_type: "llama",
        architectures: ["LlamaForCausalLM"],
        vocab_size: 256,
        hidden_size: 32,
        intermediate_size: 64,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        max_position_embeddings: 128,
      };
      await Deno.writeTextFile(`${dir}/config.json`, JSON.stringify(config));
      const flags = ["--gradient-checkpointing", "on", "--dtype", "bfloat16"];
      await using sidecar = await start(["--model", dir, ...flags]);
      await using adapter = await SidecarAdapter.connect(context, { url: sidecar.url });
      const found = await Array.fromAsync(conformance(adapter, { tolerance: 1e-2 }));
      deepEqual(found.filter(({ fault }) => fault !== undefined), []);
      await rejects(
        SidecarAdapter.connect(context, { url: sidecar.url, total: paramManifest(tiny).total }),
        /is not the ledger's model/,
      );
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test({
  name: "miner/sidecar: its own tests in Python (needs PyTorch)",
  ignore: python === undefined,
  async fn() {
    const files = ["test_sidecar", "test_serving", "test_package", "test_ranks", "test_cli"];
    const { success, stderr } = await new Deno.Command(python!, {
      args: ["-m", "unittest", ...files],
      cwd: new URL("../sidecar", import.meta.url),
      env: { PYTHONDONTWRITEBYTECODE: "1", OMP_NUM_THREADS: "1", HF_HUB_OFFLINE: "1" },
    }).output();
    ok(success, new TextDecoder().decode(stderr));
  },
});
