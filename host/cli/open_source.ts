/**
 * From a trainer to miners' sources of gradients: the ledger's batches, how the model is trained, the wire format, and
 * the residual that outlives a restart.
 *
 * @module
 */
import { paramManifest } from "../../enclave/model/params.ts";
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { safetensorsHeader } from "../../enclave/model/safetensors.ts";
import { AdapterSource } from "../../miner/adapters/source.ts";
import { LedgerBatches } from "../../miner/batches.ts";
import { ResidualFile } from "../../miner/residual.ts";
import type { GradientSource } from "../../miner/source.ts";
import type { Config } from "../config/mod.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../ledger/log.ts";
import type { BeaconSource } from "../ledger/randomness.ts";
import type { PageSource } from "../store/pages.ts";
import { codecOf, openTrainer, type TrainerWish } from "./open_trainer.ts";
import type { TrainingOptions } from "./testmode/calibrate.ts";

/** What training is opened with. */
export interface TrainingParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** Its model. */
  readonly model: ModelConfig;
  /** Its data. */
  readonly pages: PageSource;
  /** Randomness. */
  readonly beacon: BeaconSource;
  /** How the model is trained where the settings say nothing else. */
  readonly training: TrainingOptions;
  /** Settings. */
  readonly config: Config;
  /** Log lines. */
  readonly log: Log;
}

/** A trainer that is ready, for one miner or for several that take turns. */
export interface OpenTraining extends AsyncDisposable {
  /** A miner's source; its residual is kept in the folder `dir`, or ends with this process where that is null. */
  source(dir: string | null): GradientSource;
}

/**
 * The training that `wish` and the settings name.
 *
 * @throws what {@linkcode openTrainer} and {@linkcode codecOf} throw.
 */
export async function openTraining(
  wish: TrainerWish,
  parts: TrainingParts,
): Promise<OpenTraining> {
  const { config, ledger, log, model } = parts;
  const { decay } = parts.training;
  const { hparams } = await ledger.window(await ledger.currentWindow());
  const settings = {
    innerSteps: config.get("INNER_STEPS") ?? parts.training.innerSteps,
    lr: config.get("LEARNING_RATE") ?? parts.training.lr,
    percent: hparams.topk_bps / 100,
  };
  const manifest = paramManifest(model);
  const codec = codecOf(wish, config, manifest);
  const context = { batches: new LedgerBatches(parts), settings };
  const { adapter, device } = await openTrainer(wish, { config, context, log, model });
  const header = safetensorsHeader(manifest);
  const kept = (dir: string | null) =>
    dir === null
      ? {}
      : { residual: new ResidualFile(`${dir}/residual`, header, manifest.total, log) };
  return {
    source: (dir) => new AdapterSource(adapter, { codec, decay, device, header, ...kept(dir) }),
    [Symbol.asyncDispose]: () => Promise.resolve(adapter[Symbol.asyncDispose]()),
  };
}
