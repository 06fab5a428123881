/**
 * What a training framework must do to mine: ten methods, five of which {@linkcode AdapterBase} supplies.
 *
 * One window, as the miner drives it: `loadCheckpoint(base)`, `getAssignedBatch`, `trainStep`, `compressGradient`.
 * Weights after `trainStep` are the framework's own affair (some move, some do not): the next window loads its base.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";
import { checkedGradient, decodeFlat, encodeFlat } from "./checkpoint.ts";

/** Pages of tokens that belong to a miner's window. */
export interface Batch {
  /** The miner's slot. */
  readonly uid: number;
  /** The window. */
  readonly window: number;
  /** Pages of equal length, the last token of each being a target only. */
  readonly pages: readonly Uint32Array[];
}

/** Where batches come from: the same arguments give the same batch. */
export interface BatchSource {
  /** What the miner is assigned in that window. */
  assigned(uid: number, window: number): Promise<Batch>;
  /** What it is not assigned, to measure against. */
  random(uid: number, window: number): Promise<Batch>;
}

/** What a training step gives. */
export interface StepResult {
  /** Flat, in the checkpoint's order; θ − β · gradient lowers the loss for a small β. */
  readonly gradient: Float32Array;
  /** Mean loss on the batch before the step, in nats a token. */
  readonly loss: number;
}

/** A framework that trains, as the miner sees it. */
export interface TrainingFrameworkAdapter extends AsyncDisposable {
  /** One word for log lines, e.g. `onnx`. */
  readonly name: string;
  /** Continue from the weights in `bytes`; refused bytes leave the former weights in place. */
  loadCheckpoint(bytes: Bytes): Promise<void>;
  /** Train on `batch` from the weights that are loaded. */
  trainStep(batch: Batch): Promise<StepResult>;
  /** The few entries of `raw` that are worth sending; refuses what is not finite. */
  compressGradient(raw: Float32Array): SparseUpdate | Promise<SparseUpdate>;
  /** The flat gradient that `compressed` stands for, zeros where it says nothing. */
  decompressGradient(compressed: SparseUpdate): Float32Array;
  /** θ ← θ − β · gradient. */
  applyGradient(gradient: Float32Array, beta: number): Promise<void>;
  /** The weights: canonical safetensors, float32, for every adapter of ours. */
  saveCheckpoint(): Promise<Bytes>;
  /** The pages that the miner must train on. */
  getAssignedBatch(uid: number, window: number): Promise<Batch>;
  /** Pages that the miner is not assigned. */
  getRandomBatch(uid: number, window: number): Promise<Batch>;
  /** Mean loss on `batch` in nats a token; changes nothing. */
  forwardLoss(batch: Batch): Promise<number>;
}

/** How an adapter is asked to train. */
export interface TrainingSettings {
  /** Optimiser steps of one `trainStep`. */
  readonly innerSteps: number;
  /** Learning rate. */
  readonly lr: number;
  /** Share of the entries that are sent, in percent. */
  readonly percent: number;
}

/** What an adapter is made of: a module of your own exports `default (context) => adapter`. */
export interface AdapterContext {
  /** The data. */
  readonly batches: BatchSource;
  /** How to train. */
  readonly settings: TrainingSettings;
}

/** The half of an adapter that is the same for all: write the five abstract members and a name. */
export abstract class AdapterBase implements TrainingFrameworkAdapter {
  /** See {@link TrainingFrameworkAdapter}. */
  abstract readonly name: string;
  /** What the adapter was made of. */
  protected readonly context: AdapterContext;

  /** An adapter over the data and the settings of `context`. */
  constructor(context: AdapterContext) {
    this.context = context;
  }

  /** See {@link TrainingFrameworkAdapter}. */
  abstract loadCheckpoint(bytes: Bytes): Promise<void>;
  /** See {@link TrainingFrameworkAdapter}. */
  abstract trainStep(batch: Batch): Promise<StepResult>;
  /** See {@link TrainingFrameworkAdapter}. */
  abstract compressGradient(raw: Float32Array): SparseUpdate | Promise<SparseUpdate>;
  /** See {@link TrainingFrameworkAdapter}. */
  abstract saveCheckpoint(): Promise<Bytes>;
  /** See {@link TrainingFrameworkAdapter}. */
  abstract forwardLoss(batch: Batch): Promise<number>;

  /** See {@link TrainingFrameworkAdapter}. */
  decompressGradient({ total, indices, values }: SparseUpdate): Float32Array {
    const gradient = new Float32Array(total);
    for (let j = 0; j < indices.length; j++) gradient[indices[j]!] = values[j]!;
    return gradient;
  }

  /**
   * Saves, subtracts and loads: right for every framework whose checkpoint is safetensors, if not fast.
   *
   * @throws {Refusal} `not_safetensors`, `wrong_size` or `non_finite`; the weights are unchanged then.
   */
  async applyGradient(gradient: Float32Array, beta: number): Promise<void> {
    const { header, theta } = decodeFlat(await this.saveCheckpoint());
    checkedGradient(gradient, theta.length);
    for (let i = 0; i < theta.length; i++) theta[i]! -= beta * gradient[i]!;
    await this.loadCheckpoint(encodeFlat(header, checkedGradient(theta, theta.length)));
  }

  /** See {@link TrainingFrameworkAdapter}. */
  getAssignedBatch(uid: number, window: number): Promise<Batch> {
    return this.context.batches.assigned(uid, window);
  }

  /** See {@link TrainingFrameworkAdapter}. */
  getRandomBatch(uid: number, window: number): Promise<Batch> {
    return this.context.batches.random(uid, window);
  }

  /** Frees what the framework holds; nothing, unless overridden. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
