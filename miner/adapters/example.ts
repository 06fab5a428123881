/**
 * A worked example of an adapter of your own: a bigram model in plain TypeScript, no library, no permission.
 * Write the five methods and a name, export a function that makes it, and try it:
 *
 *     deno task trainer test ./miner/adapters/example.ts
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";
import { manifestOf } from "../../enclave/model/params.ts";
import { decodeSafetensors, encodeSafetensors } from "../../enclave/model/safetensors.ts";
import { countOf, topK } from "../compress/topk.ts";
import {
  AdapterBase,
  type AdapterContext,
  type Batch,
  type StepResult,
  type TrainingFrameworkAdapter,
} from "./adapter.ts";

/** Tokens that the model knows. */
const VOCAB = 256;
const MANIFEST = manifestOf({ "bigram.weight": [VOCAB, VOCAB] });

/** Logits of the next token, a row for each token. */
class BigramAdapter extends AdapterBase {
  readonly name = "bigram";
  #theta = new Float32Array(MANIFEST.total);

  // deno-lint-ignore require-await -- a refusal is a rejection
  async loadCheckpoint(bytes: Bytes): Promise<void> {
    this.#theta = decodeSafetensors(MANIFEST, bytes).slice();
  }

  // deno-lint-ignore require-await -- nothing to wait for in process
  async saveCheckpoint(): Promise<Bytes> {
    return encodeSafetensors(MANIFEST, this.#theta);
  }

  // deno-lint-ignore require-await -- nothing to wait for in process
  async trainStep({ pages }: Batch): Promise<StepResult> {
    const gradient = new Float32Array(MANIFEST.total);
    return { loss: this.#meanLoss(pages, gradient), gradient };
  }

  // deno-lint-ignore require-await -- nothing to wait for in process
  async forwardLoss({ pages }: Batch): Promise<number> {
    return this.#meanLoss(pages);
  }

  compressGradient(raw: Float32Array): SparseUpdate {
    return topK(raw, countOf(raw.length, this.context.settings.percent));
  }

  /** Mean cross-entropy in nats; adds its gradient, softmax − one-hot over the count, to `gradient`. */
  #meanLoss(pages: readonly Uint32Array[], gradient?: Float32Array): number {
    const count = pages.reduce((sum, page) => sum + page.length - 1, 0);
    let total = 0;
    for (const page of pages) {
      for (let i = 0; i + 1 < page.length; i++) {
        const [from, to] = [page[i]!, page[i + 1]!];
        if (from >= VOCAB || to >= VOCAB) throw new RangeError(`Cannot read tokens above ${VOCAB}`);
        const at = from * VOCAB;
        const exps = Float64Array.from(this.#theta.subarray(at, at + VOCAB), Math.exp);
        const sum = exps.reduce((a, b) => a + b);
        total += Math.log(sum / exps[to]!);
        if (gradient === undefined) continue;
        for (let j = 0; j < VOCAB; j++) gradient[at + j]! += exps[j]! / sum / count;
        gradient[at + to]! -= 1 / count;
      }
    }
    return total / count;
  }
}

/** Make the adapter: what the miner calls. */
export default function create(context: AdapterContext): TrainingFrameworkAdapter {
  return new BigramAdapter(context);
}
