/**
 * Where a miner's gradient comes from: a trainer, or anything that gives a sparse pseudo-gradient in time.
 *
 * @module
 */
import { asReceived, CODEC_V2 } from "../enclave/protocol/gradient/mod.ts";
import type { Hparams } from "../enclave/protocol/hparams.ts";
import type { SparseUpdate } from "../enclave/model/update.ts";
import { ErrorFeedback } from "./compress/error_feedback.ts";
import { countOf, topK } from "./compress/topk.ts";

/** What a window gives a miner to work with. */
export interface Assignment {
  /** N. */
  readonly window: number;
  /** The miner's slot. */
  readonly uid: number;
  /** Hparams of N. */
  readonly hparams: Hparams;
  /** Flat weights of base(N); not to be changed. */
  readonly theta: Float32Array;
  /** The assigned pages. */
  readonly pages: readonly Uint32Array[];
}

/** What came of it. */
export interface Produced {
  /** The pseudo-gradient v, compressed. */
  readonly update: SparseUpdate;
  /** Mean loss of the last step's batch in nats, where there was training. */
  readonly loss: number | null;
}

/** Something that gives a gradient for an assignment. */
export interface GradientSource {
  /** For log lines, e.g. `nano-gpt`. */
  readonly name: string;
  /** Where it runs, e.g. `cpu`. */
  readonly device: string;
  /** The gradient of one window. */
  produce(assignment: Assignment): Promise<Produced>;
}

/** A trainer, as {@link TrainedSource} needs it. */
export interface Trainer {
  /** θ_start − θ_end after `innerSteps` steps. */
  train(
    input: {
      readonly theta: Float32Array;
      readonly pages: readonly Uint32Array[];
      readonly innerSteps: number;
      readonly lr: number;
    },
  ): Promise<{ readonly delta: Float32Array; readonly losses: readonly number[] }>;
}

/** How to train. */
export interface TrainingOptions {
  /** Optimiser steps a window. */
  readonly innerSteps: number;
  /** Learning rate. */
  readonly lr: number;
  /** What is kept of the residual from one window to the next. */
  readonly decay: number;
}

/** Honest work: train, add what earlier windows could not send, keep the largest entries. */
export class TrainedSource implements GradientSource {
  /** See {@link GradientSource}. */
  readonly name: string;
  /** See {@link GradientSource}. */
  readonly device: string;
  readonly #trainer: Trainer;
  readonly #options: TrainingOptions;
  #feedback: ErrorFeedback | undefined;

  /** Trains on `trainer`, which several sources may share. */
  constructor(trainer: Trainer, name: string, device: string, options: TrainingOptions) {
    this.name = name;
    this.device = device;
    this.#trainer = trainer;
    this.#options = options;
  }

  /** See {@link GradientSource}. */
  async produce({ theta, pages, hparams }: Assignment): Promise<Produced> {
    const { innerSteps, lr, decay } = this.#options;
    const { delta, losses } = await this.#trainer.train({ theta, pages, innerSteps, lr });
    this.#feedback ??= new ErrorFeedback(delta.length, decay);
    this.#feedback.accumulate(delta);
    const residual = this.#feedback.residual;
    const update = topK(residual, countOf(residual.length, hparams.topk_bps / 100));
    this.#feedback.sent(asReceived(update, CODEC_V2));
    return { update, loss: losses.at(-1) ?? null };
  }
}
