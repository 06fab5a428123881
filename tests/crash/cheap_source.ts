/**
 * A miner's gradient that costs nothing to make, and helps.
 *
 * @module
 */
import { paramManifest } from "../../enclave/model/params.ts";
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { sparseWire } from "../../miner/codecs.ts";
import type { Assignment, GradientSource, Produced } from "../../miner/source.ts";

/**
 * Makes tokens that occur often more likely, through the bias of the last layer norm: a step along the mean
 * embedding of the assigned tokens, smaller in every window. It costs nothing to make and helps for a while.
 */
export class CheapSource implements GradientSource {
  readonly name = "cheap";
  readonly device = "none";
  readonly #model: ModelConfig;

  /** For `model`. */
  constructor(model: ModelConfig) {
    this.#model = model;
  }

  /** See {@link GradientSource}. */
  produce({ hparams, pages, theta, uid, window }: Assignment): Promise<Produced> {
    const { params } = paramManifest(this.#model);
    const embedding = params.find(({ name }) => name === "wte.weight")!;
    const bias = params.find(({ name }) => name === "ln_f.bias")!;
    const mean = new Float64Array(bias.size);
    for (const token of pages.flatMap((page) => [...page])) {
      const row = embedding.offset + token * bias.size;
      for (let i = 0; i < bias.size; i++) mean[i]! += theta[row + i]!;
    }
    const step = -(0.02 + 0.002 * uid) * hparams.max_update_norm / 1e6 / Math.sqrt(window);
    const scale = step / Math.hypot(...mean);
    const wire = sparseWire({
      total: theta.length,
      indices: Uint32Array.from({ length: bias.size }, (_, i) => bias.offset + i),
      values: Float32Array.from(mean, (value) => value * scale),
    });
    return Promise.resolve({ ...wire, loss: null });
  }
}
