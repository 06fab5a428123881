import { PRESETS } from "../../enclave/model/presets.ts";
import { OnnxTrainer } from "./onnx.ts";

for (const config of Object.values(PRESETS)) {
  Deno.bench({
    name: `OnnxTrainer.measureStep: two steps of ${config.name}, with starting the trainer`,
    n: 1,
    warmup: 0,
    fn: async () => {
      const trainer = await OnnxTrainer.start(config);
      console.log(`${config.name}: ${Math.round(await trainer.measureStep())} ms a step`);
      trainer.close();
    },
  });
}
