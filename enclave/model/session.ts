/**
 * The loss of a model on pages of tokens: what the judge measures.
 *
 * @module
 */
import { type InferenceSession, Tensor } from "onnxruntime-node";
import type { Bytes } from "../protocol/bytes.ts";
import { Refusal } from "../protocol/refusal.ts";
import { checkGraph, type GraphValue } from "./onnx/check.ts";
import { emitForward } from "./onnx/gpt.ts";
import type { PackagedConfig } from "./package.ts";
import { PageBatch } from "./pages.ts";
import { type Manifest, paramManifest } from "./params.ts";
import type { ModelConfig } from "./presets.ts";
import { openSession, paramTensors, type SessionOptions } from "./runtime.ts";

/** Losses summed over the tokens of some pages. */
export interface LossSum {
  /** Sum of the negative log-likelihoods in nats, float64, page by page and token by token. May be non-finite. */
  readonly sum: number;
  /** Number of tokens predicted. */
  readonly count: number;
}

/** A forward pass, ready to run with any weights. */
export class LossModel {
  /** The model's dimensions. */
  readonly config: ModelConfig;
  /** Its parameters. */
  readonly manifest: Manifest;
  readonly #session: InferenceSession;
  readonly #batch: PageBatch;
  readonly #output: Float32Array;
  readonly #fetches: { readonly losses: Tensor };
  readonly #frozen: Record<string, Tensor>;
  #weights: { readonly theta: Float32Array; readonly tensors: Record<string, Tensor> } | undefined;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(
    config: ModelConfig,
    session: InferenceSession,
    frozen: Record<string, Tensor> = {},
  ) {
    const rows = config.batch * config.context;
    this.config = config;
    this.manifest = paramManifest(config);
    this.#session = session;
    this.#frozen = frozen;
    this.#batch = new PageBatch(config);
    this.#output = new Float32Array(rows);
    this.#fetches = { losses: new Tensor("float32", this.#output, [rows]) };
  }

  /** Emit the graph of `config` and load it: tens of milliseconds, whatever the size of the weights. */
  static async create(config: ModelConfig, options: SessionOptions = {}): Promise<LossModel> {
    return new LossModel(config, await openSession(emitForward(config), options));
  }

  /**
   * Load a package: its `graph`, checked before onnxruntime sees it, and its frozen weights (flat, read in place).
   * Whoever calls has compared both with the hashes of `config.package`.
   *
   * @throws {Refusal} as {@linkcode checkGraph} does, or `graph_rejected` where onnxruntime does not take it.
   * @throws {RangeError} where `frozen` is not as long as its manifest says.
   */
  static async open(
    config: PackagedConfig,
    graph: Bytes,
    frozen: Float32Array,
    options: SessionOptions = {},
  ): Promise<LossModel> {
    const { batch, context, package: parts } = config;
    const weights = [...parts.trainable.params, ...parts.frozen.params];
    const inputs: GraphValue[] = [
      { name: "tokens", type: "int64", shape: [batch, context] },
      { name: "targets", type: "int64", shape: [batch, context] },
      ...weights.map(({ name, shape }) => ({ name, type: "float32" as const, shape })),
    ];
    checkGraph(graph, inputs, [{ name: "losses", type: "float32", shape: [batch * context] }]);
    const tensors = paramTensors(parts.frozen, frozen);
    let session: InferenceSession;
    try {
      session = await openSession(graph, { ...options, strict: true });
    } catch (error) {
      const why = error instanceof Error ? error.message.slice(0, 200) : error;
      throw new Refusal("graph_rejected", `onnxruntime does not take the graph: ${why}`, "package");
    }
    return new LossModel(config, session, tensors);
  }

  /**
   * The loss of weights `theta` (flat, in the manifest's order; read in place) on `pages`, which are run in order, in
   * batches of `config.batch`. The same input gives the same bits on equal CPU features. Calls queue up; `theta` must
   * not change until the answer is there.
   *
   * @throws {RangeError} where the number of pages is not a positive multiple of the batch, or a length is wrong.
   * @throws {Refusal} `token_out_of_range`.
   */
  losses(theta: Float32Array, pages: readonly Uint32Array[]): Promise<LossSum> {
    const result = this.#busy.then(() => this.#losses(theta, pages));
    this.#busy = result.catch(() => {});
    return result;
  }

  async #losses(theta: Float32Array, pages: readonly Uint32Array[]): Promise<LossSum> {
    const { batch } = this.config;
    if (pages.length === 0 || pages.length % batch !== 0) {
      throw new RangeError(
        `Cannot measure a loss as the number of pages must be a positive multiple of ${batch}: current value is ${pages.length}`,
      );
    }
    if (this.#weights?.theta !== theta) {
      this.#weights = { theta, tensors: paramTensors(this.manifest, theta) };
    }
    const feeds = { ...this.#frozen, ...this.#weights.tensors, ...this.#batch.tensors };
    let sum = 0;
    for (let from = 0; from < pages.length; from += batch) {
      this.#batch.fill((row) => pages[from + row]!);
      await this.#session.run(feeds, this.#fetches);
      for (const loss of this.#output) sum += loss;
    }
    return { sum, count: pages.length * this.config.context };
  }

  /** Free the session. */
  async close(): Promise<void> {
    await this.#busy;
    this.#weights = undefined;
    await this.#session.release();
  }
}
