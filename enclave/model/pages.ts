/**
 * Pages of tokens as the graph takes them: inputs, and the same shifted by one as targets.
 *
 * @module
 */
import { Refusal } from "../protocol/refusal.ts";
import { type ModelConfig, pageTokens } from "./presets.ts";
import { Tensor } from "onnxruntime-node";

/** One batch of pages, in buffers that are filled again for the next one. */
export class PageBatch {
  readonly #config: ModelConfig;
  readonly #inputs: BigInt64Array<ArrayBuffer>;
  readonly #targets: BigInt64Array<ArrayBuffer>;
  /** The tensors by the names of the graph's inputs. */
  readonly tensors: { readonly tokens: Tensor; readonly targets: Tensor };

  /** Buffers for batches of `config.batch` pages. */
  constructor(config: ModelConfig) {
    const dims = [config.batch, config.context];
    this.#config = config;
    this.#inputs = new BigInt64Array(config.batch * config.context);
    this.#targets = new BigInt64Array(config.batch * config.context);
    this.tensors = {
      tokens: new Tensor("int64", this.#inputs, dims),
      targets: new Tensor("int64", this.#targets, dims),
    };
  }

  /**
   * Fill the batch with the pages that `page(0)` … `page(batch − 1)` return.
   *
   * @throws {RangeError} where a page is not `context + 1` tokens long.
   * @throws {Refusal} `token_out_of_range` where a token is not in the vocabulary.
   */
  fill(page: (row: number) => Uint32Array): void {
    const { batch, context, vocab } = this.#config;
    for (let row = 0; row < batch; row++) {
      const tokens = page(row);
      if (tokens.length !== pageTokens(this.#config)) {
        throw new RangeError(
          `Cannot run the model as a page must have ${
            pageTokens(this.#config)
          } tokens: current value has ${tokens.length}`,
        );
      }
      for (let i = 0; i <= context; i++) {
        const token = tokens[i]!;
        if (token >= vocab) {
          throw new Refusal(
            "token_out_of_range",
            `Cannot run the model on token ${token}: the vocabulary has ${vocab}`,
            "pages",
          );
        }
        if (i < context) this.#inputs[row * context + i] = BigInt(token);
        if (i > 0) this.#targets[row * context + i - 1] = BigInt(token);
      }
    }
  }
}
