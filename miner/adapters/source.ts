/**
 * An adapter as the miner's source of gradients: base in, training, error feedback, compression. What a framework
 * gives is checked before anything is sent, and what may pass is tried once more from the base.
 *
 * @module
 */
import { checkUpdate } from "../../enclave/model/update.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { type Codec, TOPK } from "../codecs.ts";
import { ErrorFeedback } from "../compress/error_feedback.ts";
import type { ResidualFile } from "../residual.ts";
import type { Assignment, GradientSource, Produced } from "../source.ts";
import type { Batch, StepResult, TrainingFrameworkAdapter } from "./adapter.ts";
import { checkedGradient, encodeFlat } from "./checkpoint.ts";
import { SidecarError } from "./sidecar_http.ts";

/** What an {@linkcode AdapterSource} needs to know. */
export interface AdapterSourceOptions {
  /** Where the framework runs, for log lines. */
  readonly device: string;
  /** First bytes of the ledger's checkpoints: those of its canonical safetensors. */
  readonly header: Bytes;
  /** What is kept of the residual from one window to the next. */
  readonly decay: number;
  /** How gradients are sent; default: the entries that the framework chooses, in format 2. */
  readonly codec?: Codec;
  /** Where the residual outlives this process; without it, it does not. */
  readonly residual?: ResidualFile;
}

/** The last work of each framework: several miners may share one, and their windows take turns. */
const TURNS = new WeakMap<TrainingFrameworkAdapter, Promise<unknown>>();

/** Gradients of a {@linkcode TrainingFrameworkAdapter}. */
export class AdapterSource implements GradientSource {
  /** See `GradientSource`. */
  readonly name: string;
  /** See `GradientSource`. */
  readonly device: string;
  readonly #adapter: TrainingFrameworkAdapter;
  readonly #options: AdapterSourceOptions;
  readonly #codec: Codec;
  #feedback: ErrorFeedback | undefined;

  /** Trains on `adapter`, which several sources may share. */
  constructor(adapter: TrainingFrameworkAdapter, options: AdapterSourceOptions) {
    this.name = adapter.name;
    this.device = options.device;
    this.#adapter = adapter;
    this.#options = options;
    this.#codec = options.codec ?? TOPK;
  }

  /**
   * See `GradientSource`. An error costs the window: nothing was made that could be sent. Of more entries than the
   * ledger's `topk_bps`, the largest are sent.
   *
   * @throws {SidecarError} where the sidecar failed twice, or in a way that will not pass.
   * @throws {Refusal} `wrong_size` or `non_finite` where the gradient is not one of this model.
   * @throws {RangeError} where the compressed gradient is not one of this model.
   */
  async produce({ uid, window, theta, pages, hparams }: Assignment): Promise<Produced> {
    const base = encodeFlat(this.#options.header, theta);
    const { gradient, loss } = await this.#train(base, { uid, window, pages });
    checkedGradient(gradient, theta.length);
    const { residual: file, decay } = this.#options;
    this.#feedback ??= new ErrorFeedback(await file?.load(window) ?? theta.length, decay);
    this.#feedback.accumulate(gradient);
    const residual = this.#feedback.residual;
    const wire = await this.#codec.compress(residual, hparams, async () => {
      const update = await this.#adapter.compressGradient(residual);
      checkUpdate(theta, update);
      return update;
    });
    this.#feedback.sent(wire.update);
    await file?.save(window, residual);
    return { ...wire, loss };
  }

  #train(base: Bytes, batch: Batch): Promise<StepResult> {
    const once = async () => {
      await this.#adapter.loadCheckpoint(base);
      return await this.#adapter.trainStep(batch);
    };
    const twice = () =>
      once().catch((error) => {
        if (error instanceof SidecarError && error.retryable) return once();
        throw error;
      });
    const result = (TURNS.get(this.#adapter) ?? Promise.resolve()).then(twice);
    TURNS.set(this.#adapter, result.catch(() => {}));
    return result;
  }
}
