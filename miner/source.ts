/**
 * Where a miner's gradient comes from: a trainer's adapter, or anything that gives a sparse pseudo-gradient in time.
 *
 * @module
 */
import type { Hparams } from "../enclave/protocol/hparams.ts";
import type { Wire } from "./codecs.ts";

/** What a window gives a miner to work with. */
export interface Assignment {
  /** N. */
  readonly window: number;
  /** The miner's slot. */
  readonly uid: number;
  /** Hparams of N. */
  readonly hparams: Hparams;
  /** Flat weights of base(N); not to be changed. */
  readonly theta: Float32Array;
  /** The assigned pages. */
  readonly pages: readonly Uint32Array[];
}

/** What came of it: the pseudo-gradient v, ready to be sent. */
export interface Produced extends Wire {
  /** Mean loss before the first step in nats, where there was training. */
  readonly loss: number | null;
}

/** Something that gives a gradient for an assignment. */
export interface GradientSource {
  /** For log lines, e.g. `onnx`. */
  readonly name: string;
  /** Where it runs, e.g. `cpu`. */
  readonly device: string;
  /** The gradient of one window. */
  produce(assignment: Assignment): Promise<Produced>;
}
