/**
 * An adapter as the miner's source of gradients: base in, training, error feedback, compression. What a framework
 * gives is checked before anything is sent, and what may pass is tried once more from the base.
 *
 * @module
 */
import { asReceived, CODEC_V2 } from "../../enclave/protocol/gradient/mod.ts";
import { checkUpdate } from "../../enclave/model/update.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { countOf } from "../compress/topk.ts";
import { ErrorFeedback } from "../compress/error_feedback.ts";
import type { Assignment, GradientSource, Produced } from "../source.ts";
import type { StepResult, TrainingFrameworkAdapter } from "./adapter.ts";
import { checkedGradient, encodeFlat } from "./checkpoint.ts";
import { SidecarError } from "./sidecar_http.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";

/** What an {@linkcode AdapterSource} needs to know. */
export interface AdapterSourceOptions {
  /** Where the framework runs, for log lines. */
  readonly device: string;
  /** First bytes of the ledger's checkpoints: those of its canonical safetensors. */
  readonly header: Bytes;
  /** What is kept of the residual from one window to the next. */
  readonly decay: number;
}

/** Failures of a sidecar that a second try from the base may not meet again. */
const MAY_PASS = new Set(["cut", "unreachable", "wrong_base"]);

/** Gradients of a {@linkcode TrainingFrameworkAdapter}. */
export class AdapterSource implements GradientSource {
  /** See `GradientSource`. */
  readonly name: string;
  /** See `GradientSource`. */
  readonly device: string;
  readonly #adapter: TrainingFrameworkAdapter;
  readonly #options: AdapterSourceOptions;
  #feedback: ErrorFeedback | undefined;

  /** Trains on `adapter`, which no one else uses meanwhile. */
  constructor(adapter: TrainingFrameworkAdapter, options: AdapterSourceOptions) {
    this.name = adapter.name;
    this.device = options.device;
    this.#adapter = adapter;
    this.#options = options;
  }

  /**
   * See `GradientSource`. An error costs the window: nothing was made that could be sent.
   *
   * @throws {SidecarError} where the sidecar failed twice, or in a way that will not pass.
   * @throws {Refusal} `wrong_size` or `non_finite` where the gradient is not one of this model, `too_many` where more
   * of it would be sent than the ledger's `topk_bps`.
   * @throws {RangeError} where the compressed gradient is not one of this model.
   */
  async produce({ uid, window, theta, pages, hparams }: Assignment): Promise<Produced> {
    const base = encodeFlat(this.#options.header, theta);
    const { gradient, loss } = await this.#train(base, { uid, window, pages });
    checkedGradient(gradient, theta.length);
    this.#feedback ??= new ErrorFeedback(theta.length, this.#options.decay);
    this.#feedback.accumulate(gradient);
    const update = await this.#adapter.compressGradient(this.#feedback.residual);
    checkUpdate(theta, update);
    const most = countOf(theta.length, hparams.topk_bps / 100);
    if (update.indices.length > most) {
      const { length } = update.indices;
      throw new Refusal(
        "too_many",
        `The trainer would send ${length} entries, the ledger takes ${most}`,
      );
    }
    this.#feedback.sent(asReceived(update, CODEC_V2));
    return { update, loss };
  }

  async #train(
    base: Bytes,
    batch: Parameters<TrainingFrameworkAdapter["trainStep"]>[0],
  ): Promise<StepResult> {
    const once = async () => {
      await this.#adapter.loadCheckpoint(base);
      return await this.#adapter.trainStep(batch);
    };
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof SidecarError && MAY_PASS.has(error.code))) throw error;
      return await once();
    }
  }
}
