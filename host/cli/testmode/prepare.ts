/**
 * The first start of a test network: data set, genesis, calibration, founding. A later start finds all of it.
 *
 * @module
 */
import { LossModel } from "../../../enclave/model/session.ts";
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { type ModelConfig, pageTokens, presetByName } from "../../../enclave/model/presets.ts";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { measureSimulated } from "../../credentials/measure.ts";
import { ConfigError } from "../../config/mod.ts";
import type { Clock } from "../../ledger/clock.ts";
import { genesisBase } from "../../store/bases.ts";
import type { Pages } from "../../store/pages.ts";
import { OnnxTrainer } from "../../../miner/trainers/onnx.ts";
import type { ValidatorArgs } from "../args.ts";
import { boundTo } from "../folder.ts";
import { measureSpeed, RECIPES, testHparams } from "./calibrate.ts";
import { openDataset } from "./dataset.ts";
import { foundNetwork, networkExists, openNetwork, type TestNetwork } from "./network.ts";

/** `enclave/`'s sources: what the judge runs, and what is measured. */
export const ENCLAVE_DIR: string = decodeURIComponent(
  new URL("../../../enclave", import.meta.url).pathname,
);

/** Open the network in `dir`, founding it where there is none. */
export async function prepareNetwork(
  args: ValidatorArgs,
  dir: string,
  clock: Clock,
  step: (detail: string) => void,
): Promise<TestNetwork> {
  if (networkExists(dir)) {
    step("resuming the network of this folder; --model and --miners of its founding stay");
    return await openNetwork(dir, clock);
  }
  const former = boundTo(dir);
  if (former !== undefined) {
    throw new ConfigError(
      "bad_value",
      `Cannot found a network in ${dir}: it holds keys and journals of ledger ${former}, whose ledger.sqlite is ` +
        "not there. Put it back, with store and dataset, or name another folder by --data-dir",
    );
  }
  await Deno.mkdir(dir, { recursive: true });
  const model = presetByName(args.model);
  step(`building the data set: Moby-Dick in pages of ${pageTokens(model)} tokens`);
  const pages = await openDataset(`${dir}/dataset`, model);
  const hash = modelHash(model);
  step(`deriving the first weights from the model's hash, ${toHex(hash).slice(0, 8)}…`);
  const genesis = genesisBase(model, hash);
  step("measuring a training step and a forward pass, to size the windows");
  const hparams = await calibrate(args, model, pages, genesis.theta, step);
  const pcrs = await measureSimulated(ENCLAVE_DIR);
  return await foundNetwork(dir, pages, model, {
    hparams,
    training: RECIPES[model.name]!.training,
    modelHash: hash,
    baseHash: genesis.hash,
    pcrs,
    miners: args.miners.length,
    validators: args.validators,
  }, clock);
}

async function calibrate(
  args: ValidatorArgs,
  model: ModelConfig,
  pages: Pages,
  theta: Float32Array,
  step: (detail: string) => void,
) {
  const forward = await LossModel.create(model);
  const trainer = await OnnxTrainer.start(model);
  try {
    const speed = await measureSpeed(forward, theta, pages, trainer);
    const trainers = args.miners.filter((role) => role === "honest").length;
    const params = forward.manifest.total;
    const { miners, validators, windowSeconds } = args;
    const hparams = testHparams(
      model,
      speed,
      miners.length,
      trainers,
      params,
      validators,
      windowSeconds,
    );
    const [train, pass] = [speed.stepMs, speed.forwardMs].map((ms) => `${ms.toFixed(0)} ms`);
    step(`a training step takes ${train}, a forward pass ${pass}`);
    return hparams;
  } finally {
    trainer.close();
    await forward.close();
  }
}
