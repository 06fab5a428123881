/**
 * What a custom adapter's worker and its owner say to each other.
 *
 * @module
 */
import type { TrainingSettings } from "./adapter.ts";

/** The methods that an author writes, and the start. */
export type Method =
  | "start"
  | "loadCheckpoint"
  | "trainStep"
  | "compressGradient"
  | "saveCheckpoint"
  | "forwardLoss"
  | "applyGradient";

/** To the worker: call `method`. */
export interface Call {
  /** Of this call. */
  readonly id: number;
  /** What is called. */
  readonly method: Method;
  /** With what. */
  readonly args: readonly unknown[];
}

/** The arguments of `start`: the module's address and the settings. */
export type StartArgs = readonly [url: string, settings: TrainingSettings];

/** From the worker: what call `id` gave. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };
