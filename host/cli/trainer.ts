/**
 * `deno task trainer test`: the conformance suite on a trainer of one's choice.
 *
 * @module
 */
// First of all, before anything loads onnxruntime: the one beside its CUDA provider, where that is installed.
import "../../miner/cuda/preload.ts";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import { pageTokens, presetByName } from "../../enclave/model/presets.ts";
import { encodeSafetensors } from "../../enclave/model/safetensors.ts";
import type { AdapterContext, TrainingFrameworkAdapter } from "../../miner/adapters/adapter.ts";
import { conformance, type Finding, patternedBatches } from "../../miner/adapters/conformance.ts";
import { OnnxAdapter } from "../../miner/adapters/onnx.ts";
import { loadConfig, processSurroundings } from "../config/mod.ts";
import { parseTrainerArgs, type TrainerArgs } from "./args_trainer.ts";
import { useNativeSha256 } from "./native.ts";
import { openTrainer } from "./open_trainer.ts";

/** The trainer that `args` name, ready to be tried; a process may have any model. */
export async function openTried(args: TrainerArgs): Promise<TrainingFrameworkAdapter> {
  const { allowRead, device, timeout, trainer } = args;
  const model = presetByName(args.model);
  const context: AdapterContext = {
    batches: patternedBatches(pageTokens(model), model.batch),
    settings: { innerSteps: 2, lr: 3e-3, percent: 1 },
  };
  const { adapter } = await openTrainer({ allowRead, codec: undefined, device, trainer }, {
    config: loadConfig(processSurroundings()),
    model,
    context,
    log: () => {},
    anyModel: true,
    timeoutMs: 1_000 * timeout,
  });
  if (adapter instanceof OnnxAdapter) {
    const genesis = genesisWeights(model, modelHash(model));
    await adapter.loadCheckpoint(encodeSafetensors(paramManifest(model), genesis));
  }
  return adapter;
}

function show({ check, fault }: Finding): void {
  console.log(fault === undefined ? `ok    ${check}` : `FAIL  ${check}: ${fault}`);
}

/** Run the suite and print what it finds: whether all of it holds. */
export async function tryTrainer(args: TrainerArgs): Promise<boolean> {
  await using adapter = await openTried(args);
  if (!args.json) console.log(`${adapter.name}:`);
  let faults = 0;
  for await (const finding of conformance(adapter, { tolerance: args.tolerance })) {
    if (finding.fault !== undefined) faults++;
    if (args.json) console.log(JSON.stringify({ trainer: adapter.name, ...finding }));
    else show(finding);
  }
  if (!args.json) console.log(faults === 0 ? "Every check holds" : `${faults} checks do not hold`);
  return faults === 0;
}

/** The command with its words, e.g. `test onnx`. Resolves to its status. */
export async function trainerCommand(words: readonly string[]): Promise<number> {
  const args = parseTrainerArgs(words);
  useNativeSha256();
  try {
    return await tryTrainer(args) ? 0 : 1;
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    return 3;
  }
}

if (import.meta.main) Deno.exit(await trainerCommand(Deno.args));
