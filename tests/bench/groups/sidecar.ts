/**
 * What a window costs by way of our Python sidecar, on the CPU: the step itself, and what the process in between adds
 * to it (pages and the dense gradient over HTTP, hashes, copies).
 *
 * @module
 */
import { genesisWeights } from "../../../enclave/model/genesis.ts";
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { paramManifest } from "../../../enclave/model/params.ts";
import { PRESETS } from "../../../enclave/model/presets.ts";
import { encodeSafetensors } from "../../../enclave/model/safetensors.ts";
import { SidecarAdapter } from "../../../miner/adapters/sidecar.ts";
import { findPython } from "../../support/python.ts";
import { startSidecar } from "../../support/sidecar.ts";
import { type Figure, ms, peakMemory } from "../figures.ts";
import { somePages } from "./loss.ts";

/** Measured runs of each kind of window. */
const RUNS = 4;

/** The figures; none where there is no PyTorch. */
export async function* sidecar(): AsyncGenerator<Figure> {
  const python = await findPython();
  if (python === undefined) {
    console.error("needs PyTorch and transformers: deno task ci:prepare, or --python PROGRAM");
    return;
  }
  for (const config of [PRESETS.small, PRESETS["nano-gpt"]]) {
    const { name, batch, context: length } = config;
    const flags = ["--model", `vramhub:${name}`, "--batch", `${batch}`, "--seqlen", `${length}`];
    await using running = await startSidecar(python, [...flags, "--dtype", "float32"], {
      threads: navigator.hardwareConcurrency,
    });
    const pages = somePages(config);
    const base = encodeSafetensors(
      paramManifest(config),
      genesisWeights(config, modelHash(config)),
    );
    const open = async (innerSteps: number) => {
      const batches = { assigned: () => Promise.reject(), random: () => Promise.reject() };
      const settings = { innerSteps, lr: 1e-3, percent: 1 };
      return await SidecarAdapter.connect({ batches, settings }, { url: running.url });
    };
    await using single = await open(1);
    await using triple = await open(3);
    let [one, three] = [Infinity, Infinity];
    // The shortest of several, in turns: two processes on a busy machine wait for each other in between.
    for (let run = -1; run < RUNS; run++) {
      for (const adapter of [single, triple]) {
        await adapter.loadCheckpoint(base);
        const started = performance.now();
        await adapter.trainStep({ uid: 0, window: 0, pages });
        const took = performance.now() - started;
        if (run < 0) continue;
        if (adapter === single) one = Math.min(one, took);
        else three = Math.min(three, took);
      }
    }
    const step = (three - one) / 2;
    yield ms(`sidecar, training step, ${name}`, step);
    yield ms(`sidecar, window of one training step, ${name}`, one);
    yield ms(`sidecar, overhead of a window, ${name}`, one - step);
    yield* peakMemory(`peak memory, the sidecar's process, ${name}`, running.pid);
  }
  yield* peakMemory("peak memory, the miner beside its sidecar");
}
