import { genesisWeights } from "../../enclave/model/genesis.ts";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { OnnxTrainer } from "./onnx.ts";

for (const config of [PRESETS.tiny, PRESETS.small, PRESETS["nano-gpt"]]) {
  const theta = genesisWeights(config, modelHash(config));
  const pages = Array.from(
    { length: config.batch },
    (_, i) => Uint32Array.from({ length: pageTokens(config) }, (_, j) => (i * 7919 + j * 31) % 256),
  );
  let trainer: OnnxTrainer | undefined;
  Deno.bench({
    name: `training step, ${config.name}: forward, backward, AdamW`,
    group: "train",
    n: config.name === "nano-gpt" ? 3 : 20,
    warmup: 1,
    async fn(b) {
      trainer ??= await OnnxTrainer.start(config);
      b.start();
      await trainer.train({ theta, pages, innerSteps: 1, lr: 1e-3 });
      b.end();
    },
  });
}
