/**
 * The training graph on every device here beside the CPU, in a process of its own: a Vulkan driver is chosen by
 * variables that a process is started with, and CUDA's onnxruntime must be loaded before another one. Prints one line of
 * JSON.
 *
 * @module
 */
// First of all, before anything loads onnxruntime: the one beside its CUDA provider, where that is installed.
import "../../miner/cuda/preload.ts";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { conformance, patternedBatches } from "../../miner/adapters/conformance.ts";
import { OnnxAdapter } from "../../miner/adapters/onnx.ts";
import { chooseDevice, deviceName, listDevices } from "../../miner/devices.ts";
import { type GradientResult, OnnxTrainer } from "../../miner/trainers/onnx.ts";

/** What was found of one device. */
export interface DeviceFound {
  /** Its word. */
  readonly device: string;
  /** What it is. */
  readonly name: string;
  /** Whether it is software. */
  readonly software: boolean;
  /** The largest difference of the loss and of each parameter's gradient from the CPU's, and its largest entry. */
  readonly differences: Readonly<Record<string, readonly [off: number, largest: number]>>;
  /** Losses of a window's steps there. */
  readonly losses: readonly number[];
  /** What the suite of adapters finds; on a real device only, where it takes seconds. */
  readonly faults: readonly string[];
}

/** What the process found. */
export interface GpusFound {
  /** What `auto` chose, and why. */
  readonly auto: string;
  /** Every device but the CPU. */
  readonly devices: readonly DeviceFound[];
}

function compare(mine: GradientResult, cpu: GradientResult): DeviceFound["differences"] {
  const found: Record<string, readonly [number, number]> = {
    loss: [Math.abs(mine.loss - cpu.loss), cpu.loss],
  };
  for (const { name, offset, size } of paramManifest(PRESETS.tiny).params) {
    let [most, largest] = [0, 0];
    for (let i = offset; i < offset + size; i++) {
      const off = Math.abs(cpu.gradient[i]! - mine.gradient[i]!);
      if (!(off <= most)) most = off;
      largest = Math.max(largest, Math.abs(cpu.gradient[i]!));
    }
    found[name] = [most, largest];
  }
  return found;
}

if (import.meta.main) {
  const { tiny } = PRESETS;
  const theta = genesisWeights(tiny, modelHash(tiny));
  const batches = patternedBatches(pageTokens(tiny), tiny.batch);
  const { pages } = await batches.assigned(1, 2);
  const trainer = await OnnxTrainer.start(tiny);
  const cpu = await trainer.gradient(theta, pages);
  trainer.close();
  const devices: DeviceFound[] = [];
  for (const { device, name, error, software = false } of await listDevices()) {
    if (device.kind === "cpu" || error !== undefined) continue;
    const trainer = await OnnxTrainer.start(tiny, { device });
    const differences = compare(await trainer.gradient(theta, pages), cpu);
    const { losses } = await trainer.train({ theta, pages, innerSteps: 3, lr: 3e-3 });
    trainer.close();
    const faults: string[] = [];
    if (!software) {
      const settings = { innerSteps: 2, lr: 3e-3, percent: 1 };
      await using adapter = await OnnxAdapter.start({ batches, settings }, tiny, theta, { device });
      for await (const { check, fault } of conformance(adapter)) {
        if (fault !== undefined) faults.push(`${check}: ${fault}`);
      }
    }
    devices.push({
      device: deviceName(device),
      name: name!,
      software,
      differences,
      losses,
      faults,
    });
  }
  const found: GpusFound = { auto: (await chooseDevice("auto")).why, devices };
  console.log(JSON.stringify(found));
}
