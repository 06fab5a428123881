/**
 * The first start of a test network: data set, genesis, calibration, founding. A later start finds all of it.
 *
 * @module
 */
import { LossModel } from "../../../enclave/model/session.ts";
import { paramManifest } from "../../../enclave/model/params.ts";
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { type ModelConfig, presetByName } from "../../../enclave/model/presets.ts";
import { measureSimulated } from "../../credentials/measure.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { Log } from "../../ledger/log.ts";
import { genesisBase } from "../../store/bases.ts";
import type { Pages } from "../../store/pages.ts";
import type { OnnxTrainer } from "../../../miner/trainers/onnx.ts";
import type { ValidatorArgs } from "../args.ts";
import { measureSpeed, RECIPES, testHparams } from "./calibrate.ts";
import { openDataset } from "./dataset.ts";
import { foundNetwork, networkExists, openNetwork, type TestNetwork } from "./network.ts";

const TARGET = "vramhub_validator";

/** `enclave/`'s sources: what the judge runs, and what is measured. */
export const ENCLAVE_DIR: string = decodeURIComponent(
  new URL("../../../enclave", import.meta.url).pathname,
);

/** Trainers are started late: a network without miners that train has none. */
export type StartTrainer = (model: ModelConfig) => Promise<OnnxTrainer>;

/** Open the network in `dir`, founding it where there is none. */
export async function prepareNetwork(
  args: ValidatorArgs,
  dir: string,
  clock: Clock,
  startTrainer: StartTrainer,
  log: Log,
): Promise<TestNetwork> {
  if (networkExists(dir)) {
    const network = await openNetwork(dir, clock);
    log("info", TARGET, "Resuming network", { dir, model: network.model.name });
    return network;
  }
  await Deno.mkdir(dir, { recursive: true });
  const model = presetByName(args.model);
  log("info", TARGET, "Building data set", { source: "moby-dick", model: model.name });
  const pages = await openDataset(`${dir}/dataset`, model);
  const hash = modelHash(model);
  log("info", TARGET, "Deriving genesis weights", { params: paramManifest(model).total });
  const genesis = genesisBase(model, hash);
  log("info", TARGET, "Measuring this machine", { model: model.name });
  const hparams = await calibrate(
    args,
    model,
    pages,
    genesis.theta,
    await startTrainer(model),
    log,
  );
  const pcrs = await measureSimulated(ENCLAVE_DIR);
  return await foundNetwork(dir, pages, model, {
    hparams,
    training: RECIPES[model.name]!.training,
    modelHash: hash,
    baseHash: genesis.hash,
    pcrs,
    miners: args.miners.length,
  }, clock);
}

async function calibrate(
  args: ValidatorArgs,
  model: ModelConfig,
  pages: Pages,
  theta: Float32Array,
  trainer: OnnxTrainer,
  log: Log,
) {
  const forward = await LossModel.create(model);
  try {
    const speed = await measureSpeed(forward, theta, pages, trainer);
    const trainers = args.miners.filter((role) => role === "honest").length;
    const params = forward.manifest.total;
    const { miners, windowSeconds } = args;
    const hparams = testHparams(model, speed, miners.length, trainers, params, windowSeconds);
    log("info", TARGET, "Measured this machine", {
      train_step_ms: Math.round(speed.stepMs),
      forward_ms: Math.round(speed.forwardMs),
      window_ms: hparams.window_ms,
    });
    return hparams;
  } finally {
    await forward.close();
  }
}
