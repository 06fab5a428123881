/**
 * `deno task trainer test`: the conformance suite on a trainer of one's choice.
 *
 * @module
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { pageTokens, presetByName } from "../../enclave/model/presets.ts";
import type { AdapterContext, TrainingFrameworkAdapter } from "../../miner/adapters/adapter.ts";
import { conformance, type Finding, patternedBatches } from "../../miner/adapters/conformance.ts";
import { CustomAdapter } from "../../miner/adapters/custom.ts";
import { OnnxAdapter } from "../../miner/adapters/onnx.ts";
import { SidecarAdapter } from "../../miner/adapters/sidecar.ts";
import { loadConfig, processSurroundings } from "../config/mod.ts";
import { parseTrainerArgs, type TrainerArgs } from "./args_trainer.ts";
import { useNativeSha256 } from "./native.ts";

/** The trainer that `args` name, ready to be tried. */
export async function openTrainer(args: TrainerArgs): Promise<TrainingFrameworkAdapter> {
  const { trainer, allowRead } = args;
  const config = presetByName(args.model);
  const context: AdapterContext = {
    batches: patternedBatches(pageTokens(config), config.batch),
    settings: { innerSteps: 2, lr: 3e-3, percent: 1 },
  };
  const timeoutMs = 1_000 * args.timeout;
  if (trainer === "onnx") {
    return await OnnxAdapter.start(context, config, genesisWeights(config, modelHash(config)));
  }
  const isUrl = /^https?:\/\//.test(trainer);
  if (trainer === "sidecar" || isUrl) {
    const settings = loadConfig(processSurroundings());
    const named = settings.has("SIDECAR_URL") ? settings.get("SIDECAR_URL") : undefined;
    const url = isUrl ? trainer : named;
    const token = settings.get("SIDECAR_TOKEN");
    return await SidecarAdapter.connect(context, { url, token, timeoutMs });
  }
  const read = allowRead.map((path) => resolve(path));
  return await CustomAdapter.start(context, pathToFileURL(resolve(trainer)) as URL, {
    read,
    timeoutMs,
  });
}

function show({ check, fault }: Finding): void {
  console.log(fault === undefined ? `ok    ${check}` : `FAIL  ${check}: ${fault}`);
}

/** Run the suite and print what it finds: whether all of it holds. */
export async function tryTrainer(args: TrainerArgs): Promise<boolean> {
  await using adapter = await openTrainer(args);
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

if (import.meta.main) {
  const args = parseTrainerArgs(Deno.args);
  useNativeSha256();
  try {
    Deno.exit(await tryTrainer(args) ? 0 : 1);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(3);
  }
}
