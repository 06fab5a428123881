/**
 * What the trainer and its worker say to each other.
 *
 * @module
 */
import type { ModelConfig } from "../../enclave/model/presets.ts";
import type { Device, DeviceFault } from "../devices.ts";
import type { AdamWOptions } from "./adamw.ts";

/** To the worker: load the training graph. */
export interface StartRequest {
  readonly kind: "start";
  readonly id: number;
  readonly config: ModelConfig;
  readonly device: Device;
  readonly threads: number;
  readonly arena: boolean;
  readonly optimiser: AdamWOptions;
}

/** To the worker: train. `theta` is transferred, overwritten, and comes back. */
export interface TrainRequest {
  readonly kind: "train";
  readonly id: number;
  readonly theta: Float32Array<ArrayBuffer>;
  readonly pages: readonly Uint32Array[];
  readonly innerSteps: number;
  readonly lr: number;
}

/** To the worker: the gradient on one batch. `theta` is transferred, and comes back holding the gradient. */
export interface GradientRequest {
  readonly kind: "gradient";
  readonly id: number;
  readonly theta: Float32Array<ArrayBuffer>;
  readonly pages: readonly Uint32Array[];
}

/** To the worker. */
export type Request = StartRequest | TrainRequest | GradientRequest;

/** What training gives: the weights that it ends with, or the gradient that was asked for. */
export interface Trained {
  readonly theta: Float32Array<ArrayBuffer>;
  readonly losses: readonly number[];
}

/** From the worker: the answer to request `id`. */
export type Reply =
  | { readonly id: number; readonly trained?: Trained }
  | {
    readonly id: number;
    readonly error: string;
    /** Of a `Refusal`. */
    readonly code?: string;
    /** Of a `DeviceError`. */
    readonly fault?: DeviceFault;
  };
