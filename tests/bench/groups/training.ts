/**
 * A training step as a miner makes it: forward, backward, clipping, AdamW.
 *
 * @module
 */
import { genesisWeights } from "../../../enclave/model/genesis.ts";
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { type ModelConfig, PRESETS } from "../../../enclave/model/presets.ts";
import { type Device, deviceName, listDevices } from "../../../miner/devices.ts";
import { OnnxTrainer } from "../../../miner/trainers/onnx.ts";
import { type Figure, medianMs, ms, peakMemory } from "../figures.ts";
import { somePages } from "./loss.ts";

/** What a step of `config` costs on `device`, and what a window adds to it. */
async function* measured(
  config: ModelConfig,
  device: Device,
  label: string,
): AsyncGenerator<Figure> {
  const theta = genesisWeights(config, modelHash(config));
  const pages = somePages(config);
  const trainer = await OnnxTrainer.start(config, { device });
  const train = (innerSteps: number) =>
    medianMs(() => trainer.train({ theta, pages, innerSteps, lr: 1e-3 }), { runs: 5, warmup: 1 });
  // What a window does once (copies of θ, zeroed moments) is told apart from what it does every step.
  const one = await train(1);
  const three = await train(3);
  trainer.close();
  yield ms(`training step, ${label}`, (three - one) / 2);
  yield ms(`window of one training step, ${label}`, one);
}

/** The figures. */
export async function* training(): AsyncGenerator<Figure> {
  for (const config of [PRESETS.tiny, PRESETS.small, PRESETS["nano-gpt"]]) {
    yield* measured(config, { kind: "cpu" }, config.name);
  }
  yield* peakMemory("peak memory, training");
  for (const { device, error, software } of await listDevices()) {
    if (device.kind === "cpu" || error !== undefined || software) continue;
    const nano = PRESETS["nano-gpt"];
    yield* measured(nano, device, `${nano.name}, ${deviceName(device)}`);
  }
}
