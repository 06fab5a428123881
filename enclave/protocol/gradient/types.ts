/**
 * What a gradient is before and after the wire, what its reader expects, and how a reader refuses.
 *
 * @module
 */
import { Refusal } from "../refusal.ts";

/**
 * A sparse pseudo-gradient: `values[j]` belongs to parameter `indices[j]` of a flat model of `total` parameters.
 * Indices are strictly ascending, values finite, in parameter units.
 */
export interface SparseUpdate {
  /** Parameters of the model that this is an update of. */
  readonly total: number;
  /** Positions, strictly ascending, each below `total`. */
  readonly indices: Uint32Array;
  /** One finite value per index. */
  readonly values: Float32Array;
}

/** What a reader knows before it looks: the bytes must agree with all of it. */
export interface GradientExpectation {
  /** The codec number that the reveal names: the bytes must be of that codec, nothing is guessed from them. */
  readonly codec: number;
  /** Parameters of the model: 1 … 2^32. */
  readonly total: number;
  /** The submission's largest allowed size in bytes; it also bounds what version 3 may decode to. */
  readonly maxBytes: number;
  /** The revealing miner; compared where the codec carries one. */
  readonly uid?: number;
  /** The window; compared where the codec carries one. */
  readonly window?: bigint | number;
  /** Hash of the base trained from, 32 bytes; compared where the codec carries one. */
  readonly baseHash?: Uint8Array;
}

/** Why a gradient is refused: the `code` of the `Refusal`, named as the judge's verdict is. */
export type GradientFault = "undecodable" | "wrong_size" | "wrong_model" | "non_finite";

/** The refusal of a gradient for `fault`: `message` says the detail, `field` where it lies. */
export function refuse(fault: GradientFault, message: string, field: string): Refusal {
  return new Refusal(fault, `Cannot decode the gradient: ${message}`, field);
}

/**
 * Check an update before it is encoded.
 *
 * @throws {RangeError} where lengths differ, an index is out of order or range, or a value is not finite.
 */
export function assertUpdate(update: SparseUpdate): void {
  const { total, indices, values } = update;
  const fail = (why: string) => {
    throw new RangeError(`Cannot encode a gradient as its update is not valid: ${why}`);
  };
  if (!Number.isInteger(total) || total < 1 || total > 2 ** 32) fail(`'total' is ${total}`);
  if (indices.length !== values.length) {
    fail(`it has ${indices.length} indices and ${values.length} values`);
  }
  let previous = -1;
  for (let j = 0; j < indices.length; j++) {
    const index = indices[j]!;
    if (index <= previous || index >= total) {
      fail(`index ${index} follows ${previous} in a model of ${total} parameters`);
    }
    if (!Number.isFinite(values[j])) fail(`the value of index ${index} is ${values[j]}`);
    previous = index;
  }
}
