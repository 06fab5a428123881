/**
 * The trainer that needs nothing but this repository: the training graph on onnxruntime, in a worker of this process.
 * Several miners may share one: their windows take turns.
 *
 * @module
 */
import { paramManifest } from "../../enclave/model/params.ts";
import { type ModelConfig, pageTokens } from "../../enclave/model/presets.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { type Device, DeviceError } from "../devices.ts";
import { ADAMW, type AdamWOptions } from "./adamw.ts";
import type { Reply, Request, Trained } from "./onnx_messages.ts";

/** How an {@linkcode OnnxTrainer} runs. */
export interface OnnxTrainerOptions {
  /** Where the graph runs; the CPU, unless `chooseDevice` says another. AdamW runs on the CPU in any case. */
  readonly device?: Device;
  /** Threads inside one operator; 0, the default, is one a core. */
  readonly threads?: number;
  /** Keep freed memory between steps: faster but larger. By default only for models below 16 M parameters. */
  readonly arena?: boolean;
  /** Constants of the inner optimiser; those left out are {@linkcode ADAMW}'s. */
  readonly optimiser?: Partial<AdamWOptions>;
}

/** A batch's loss and gradient. */
export interface GradientResult {
  /** The mean loss in nats a token. */
  readonly loss: number;
  /** Its gradient, flat, float32. */
  readonly gradient: Float32Array<ArrayBuffer>;
}

/** One window's training. */
export interface TrainInput {
  /** The weights to start from, flat; read, not changed, and not to be changed before the result is there. */
  readonly theta: Float32Array;
  /** Pages of `context + 1` tokens; each step takes the next `batch` of them and starts over at the end. */
  readonly pages: readonly Uint32Array[];
  /** Optimiser steps. */
  readonly innerSteps: number;
  /** Learning rate of every step. */
  readonly lr: number;
}

/** What a window's training gives. */
export interface TrainResult {
  /** The pseudo-gradient θ_start − θ_end, flat, float32. */
  readonly delta: Float32Array<ArrayBuffer>;
  /** The mean loss in nats a token on each step's batch, before that step. */
  readonly losses: readonly number[];
}

const ARENA_LIMIT = 2 ** 24;

interface Waiting {
  resolve(trained: Trained | undefined): void;
  reject(error: Error): void;
}

/** AdamW on the training graph; moments start at zero in every window. */
export class OnnxTrainer {
  /** The model. */
  readonly config: ModelConfig;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;

  private constructor(config: ModelConfig) {
    this.config = config;
    this.#worker = new Worker(new URL("./onnx_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (!("error" in data)) waiting?.resolve(data.trained);
      else if (data.code) waiting?.reject(new Refusal(data.code, data.error));
      else if (data.fault) waiting?.reject(new DeviceError(data.fault, data.error));
      else waiting?.reject(new Error(data.error));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`Cannot train: the trainer's worker failed: ${event.message}`));
    };
  }

  /** Start the worker and load the training graph of `config`. */
  static async start(config: ModelConfig, options: OnnxTrainerOptions = {}): Promise<OnnxTrainer> {
    const trainer = new OnnxTrainer(config);
    try {
      await trainer.#ask((id) => ({
        kind: "start",
        id,
        config,
        device: options.device ?? { kind: "cpu" },
        threads: options.threads ?? 0,
        arena: options.arena ?? paramManifest(config).total < ARENA_LIMIT,
        optimiser: { ...ADAMW, ...options.optimiser },
      }));
      return trainer;
    } catch (error) {
      trainer.close();
      throw error;
    }
  }

  /**
   * Train one window. Calls queue up.
   *
   * @throws {RangeError} where a length, the number of steps or the learning rate is not usable.
   * @throws {Refusal} `token_out_of_range`.
   */
  train(input: TrainInput): Promise<TrainResult> {
    const result = this.#turn.then(() => this.#train(input));
    this.#turn = result.catch(() => {});
    return result;
  }

  /**
   * The loss on `pages`, one batch of them, and its gradient, without a step of any optimiser. Calls queue up.
   *
   * @throws {RangeError} where a length is not usable.
   * @throws {Refusal} `token_out_of_range`.
   */
  gradient(theta: Float32Array, pages: readonly Uint32Array[]): Promise<GradientResult> {
    const result = this.#turn.then(() => this.#gradient(theta, pages));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #gradient(theta: Float32Array, pages: readonly Uint32Array[]): Promise<GradientResult> {
    this.#check(theta, pages);
    if (pages.length !== this.config.batch) {
      throw new RangeError(
        `Cannot train as 'pages' must be a batch of ${this.config.batch}: current value has ${pages.length}`,
      );
    }
    const start = new Float32Array(theta);
    const trained = await this.#ask(
      (id) => ({ kind: "gradient", id, theta: start, pages }),
      [start.buffer],
    );
    if (!trained) throw new Error("Cannot train: the trainer's worker gave no gradient");
    return { loss: trained.losses[0]!, gradient: trained.theta };
  }

  #check(theta: Float32Array, pages: readonly Uint32Array[]): void {
    const { total } = paramManifest(this.config);
    if (theta.length !== total) {
      throw new RangeError(
        `Cannot train as 'theta' must have ${total} elements: current value has ${theta.length}`,
      );
    }
    const length = pageTokens(this.config);
    if (pages.length === 0 || pages.some((page) => page.length !== length)) {
      throw new RangeError(`Cannot train as 'pages' must be one page or more of ${length} tokens`);
    }
  }

  async #train({ theta, pages, innerSteps, lr }: TrainInput): Promise<TrainResult> {
    this.#check(theta, pages);
    if (!Number.isSafeInteger(innerSteps) || innerSteps < 1) {
      throw new RangeError(
        `Cannot train as 'innerSteps' must be a positive integer: current value is ${innerSteps}`,
      );
    }
    if (!(lr > 0 && lr < Infinity)) {
      throw new RangeError(`Cannot train as 'lr' must be positive: current value is ${lr}`);
    }
    const start = new Float32Array(theta);
    const trained = await this.#ask(
      (id) => ({ kind: "train", id, theta: start, pages, innerSteps, lr }),
      [start.buffer],
    );
    if (!trained) throw new Error("Cannot train: the trainer's worker gave no weights");
    const delta = trained.theta;
    for (let i = 0; i < delta.length; i++) delta[i] = theta[i]! - delta[i]!;
    return { delta, losses: trained.losses };
  }

  /** Milliseconds that one optimiser step takes, measured on zero weights after one step of warming up. */
  async measureStep(): Promise<number> {
    const { config } = this;
    const theta = new Float32Array(paramManifest(config).total);
    const pages = Array.from({ length: config.batch }, () => new Uint32Array(pageTokens(config)));
    await this.train({ theta, pages, innerSteps: 1, lr: 1e-3 });
    const before = performance.now();
    await this.train({ theta, pages, innerSteps: 1, lr: 1e-3 });
    return performance.now() - before;
  }

  /** End the worker. What is still waiting is rejected. */
  close(): void {
    this.#fail(new Error("Cannot train: the trainer was closed"));
    this.#worker.terminate();
  }

  #ask(
    message: (id: number) => Request,
    transfer: Transferable[] = [],
  ): Promise<Trained | undefined> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage(message(id), transfer);
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}
