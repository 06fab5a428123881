/**
 * Calibration: a training step and a forward pass are measured on this machine, and the windows are sized
 * from them, so that a laptop and a server both run at their own pace.
 *
 * @module
 */
import { LossModel } from "../../../enclave/model/session.ts";
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import { DEFAULT_HPARAMS, type Hparams } from "../../../enclave/protocol/hparams.ts";
import type { Pages } from "../../store/pages.ts";
import type { OnnxTrainer } from "../../../miner/trainers/onnx.ts";

/** How a model is trained in a window. */
export interface TrainingOptions {
  /** Optimiser steps. */
  readonly innerSteps: number;
  /** Learning rate. */
  readonly lr: number;
  /** What is kept of the residual from one window to the next. */
  readonly decay: number;
}

/** How each preset is trained and measured in test mode. */
interface Recipe {
  readonly training: TrainingOptions;
  readonly hparams: Partial<Hparams>;
}

/** Tried on Moby-Dick: every window teaches something that held-out pages show. */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  tiny: {
    training: { innerSteps: 8, lr: 1.5e-3, decay: 0.9 },
    hparams: { topk_bps: 500, own_pages: 8, random_pages: 16, heldout_pages: 32 },
  },
  small: {
    training: { innerSteps: 8, lr: 4e-3, decay: 0.9 },
    hparams: { topk_bps: 100, own_pages: 8, random_pages: 16, heldout_pages: 32 },
  },
  "nano-gpt": {
    training: { innerSteps: 4, lr: 1e-3, decay: 0.9 },
    hparams: { topk_bps: 100, own_pages: 8, random_pages: 4, heldout_pages: 8 },
  },
};

/** For a model that nobody has tried. */
const UNTRIED: TrainingOptions = { innerSteps: 4, lr: 3e-4, decay: 0.9 };

/** How the model called `name` is trained. */
export function trainingOf(name: string): TrainingOptions {
  return RECIPES[name]?.training ?? UNTRIED;
}

/** What was measured, in milliseconds. */
export interface Speed {
  /** One optimiser step. */
  readonly stepMs: number;
  /** One forward pass of a batch. */
  readonly forwardMs: number;
}

/** Measure on the machine at hand; `theta` are weights of the model. */
export async function measureSpeed(
  model: LossModel,
  theta: Float32Array,
  pages: Pages,
  trainer: OnnxTrainer,
): Promise<Speed> {
  const batch = Array.from({ length: model.config.batch }, (_, i) => pages.tokens(i));
  await model.losses(theta, batch); // warms up
  const started = performance.now();
  await model.losses(theta, batch);
  const forwardMs = performance.now() - started;
  return { stepMs: await trainer.measureStep(), forwardMs };
}

/** Shortest window in milliseconds. */
const LEAST_WINDOW_MS = 4_000;

/** Hparams of a test network: windows long enough for `trainers` miners that take turns, and a judge beside them. */
export function testHparams(
  model: ModelConfig,
  speed: Speed,
  miners: number,
  trainers: number,
  params: number,
  validators: number,
  windowSeconds: number | undefined,
): Hparams {
  const recipe = RECIPES[model.name]!;
  const tuned = { ...DEFAULT_HPARAMS, ...recipe.hparams };
  const passes = (pages: number) => pages / model.batch * speed.forwardMs;
  const oneJudgeMs = passes(tuned.random_pages) +
    miners * (2 * passes(tuned.own_pages) + passes(tuned.random_pages)) +
    2 * passes(tuned.heldout_pages);
  const judgeMs = validators * oneJudgeMs;
  const trainMs = trainers * recipe.training.innerSteps * speed.stepMs;
  // Top-k, hashing, safetensors and merging walk over all parameters a few times.
  const copyMs = params / 20_000 * (1 + trainers / 4);
  const window = windowSeconds === undefined
    ? Math.max(LEAST_WINDOW_MS, Math.ceil((trainMs + judgeMs + copyMs) * 1.6 + 1_500))
    : Math.round(windowSeconds * 1_000);
  return {
    ...tuned,
    window_ms: window,
    beacon_margin_ms: Math.min(tuned.beacon_margin_ms, Math.floor(window / 50)),
    min_judge_ms: Math.min(tuned.min_judge_ms, Math.floor(window / 2)),
    checkpoint_frequency: 5,
    // A validator alone has nobody to be compared with: it earns nothing, as before the network is launched.
    ...(validators > 1 ? { miner_bps: 5_000, validator_bps: 2_000, treasury_bps: 3_000 } : {}),
  };
}

/** Period of the local beacon: a fiftieth of a window, so that nobody waits long for a round. */
export function beaconPeriod(windowMs: number): number {
  return Math.max(50, Math.floor(windowMs / 50));
}
