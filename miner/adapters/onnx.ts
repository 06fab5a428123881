/**
 * The in-process trainer as an adapter: the training graph in a worker, the judge's own graph for the loss.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { decodeSafetensors, encodeSafetensors } from "../../enclave/model/safetensors.ts";
import { LossModel } from "../../enclave/model/session.ts";
import { countOf, topK } from "../compress/topk.ts";
import { type GradientResult, OnnxTrainer, type OnnxTrainerOptions } from "../trainers/onnx.ts";
import { AdapterBase, type AdapterContext, type Batch, type StepResult } from "./adapter.ts";
import { checkedGradient } from "./checkpoint.ts";

/** The preset `config` on onnxruntime, on the device of the options; losses come from the CPU, with the judge's bits. `trainStep` leaves the weights as they are. */
export class OnnxAdapter extends AdapterBase {
  /** See `TrainingFrameworkAdapter`. */
  readonly name = "onnx";
  readonly #config: ModelConfig;
  readonly #trainer: OnnxTrainer;
  readonly #judge: LossModel;
  #theta: Float32Array<ArrayBuffer>;

  private constructor(
    context: AdapterContext,
    config: ModelConfig,
    theta: Float32Array<ArrayBuffer>,
    trainer: OnnxTrainer,
    judge: LossModel,
  ) {
    super(context);
    this.#config = config;
    this.#theta = theta;
    this.#trainer = trainer;
    this.#judge = judge;
  }

  /** Load both graphs of `config`; `theta` are the first weights, which are copied. */
  static async start(
    context: AdapterContext,
    config: ModelConfig,
    theta: Float32Array,
    options: OnnxTrainerOptions = {},
  ): Promise<OnnxAdapter> {
    const trainer = await OnnxTrainer.start(config, options);
    try {
      const judge = await LossModel.create(config, { threads: options.threads ?? 0 });
      return new OnnxAdapter(context, config, new Float32Array(theta), trainer, judge);
    } catch (error) {
      trainer.close();
      throw error;
    }
  }

  /**
   * See `TrainingFrameworkAdapter`.
   *
   * @throws {Refusal} `wrong_size`, `wrong_header` or `non_finite`.
   */
  // deno-lint-ignore require-await -- a refusal is a rejection
  async loadCheckpoint(bytes: Bytes): Promise<void> {
    const theta = decodeSafetensors(paramManifest(this.#config), bytes);
    this.#theta = new Float32Array(checkedGradient(theta, theta.length));
  }

  /** See `TrainingFrameworkAdapter`: the pseudo-gradient θ_start − θ_end of AdamW's inner steps. */
  async trainStep({ pages }: Batch): Promise<StepResult> {
    const { innerSteps, lr } = this.context.settings;
    const theta = this.#theta;
    const { delta, losses } = await this.#trainer.train({ theta, pages, innerSteps, lr });
    return { gradient: checkedGradient(delta, theta.length), loss: losses[0]! };
  }

  /** The loss on `batch`, as many pages as the model's batch, and its gradient, before any optimiser. */
  gradient({ pages }: Batch): Promise<GradientResult> {
    return this.#trainer.gradient(this.#theta, pages);
  }

  /** See `TrainingFrameworkAdapter`. */
  compressGradient(raw: Float32Array): SparseUpdate {
    return topK(raw, countOf(raw.length, this.context.settings.percent));
  }

  /** See `TrainingFrameworkAdapter`. */
  // deno-lint-ignore require-await -- nothing to wait for in process
  async saveCheckpoint(): Promise<Bytes> {
    return encodeSafetensors(paramManifest(this.#config), this.#theta);
  }

  /** See `TrainingFrameworkAdapter`: with the judge's graph and bits. */
  async forwardLoss({ pages }: Batch): Promise<number> {
    const { sum, count } = await this.#judge.losses(this.#theta, pages);
    return sum / count;
  }

  /** Ends the worker and frees the graphs. */
  override async [Symbol.asyncDispose](): Promise<void> {
    this.#trainer.close();
    await this.#judge.close();
  }
}
