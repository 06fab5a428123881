/**
 * Error feedback: what compression leaves out of one window's gradient is kept and added to the next one's
 * (Seide et al., "1-Bit Stochastic Gradient Descent", Interspeech 2014; Karimireddy et al., arXiv 1901.09847).
 *
 * @module
 */
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";

/** The residual of one model's gradients, a value per parameter, all of them finite. */
export class ErrorFeedback {
  /** How much of the residual the next window keeps: 0 … 1. */
  readonly decay: number;
  readonly #residual: Float32Array<ArrayBuffer>;

  /**
   * A residual that starts as `residual`, or as `total` zeros; the array is kept, not copied.
   *
   * @throws {RangeError} where decay is not in 0 … 1 or a value is not finite.
   */
  constructor(start: number | Float32Array<ArrayBuffer>, decay: number) {
    if (!(decay >= 0 && decay <= 1)) {
      throw new RangeError(`Cannot keep a residual as 'decay' must be in 0 to 1: it is ${decay}`);
    }
    this.decay = decay;
    this.#residual = typeof start === "number" ? new Float32Array(start) : start;
    if (!this.#residual.every(Number.isFinite)) {
      throw new RangeError("Cannot keep a residual as a value is infinite or NaN");
    }
  }

  /** What is yet to be sent. To be read, or stored, and not written to. */
  get residual(): Float32Array<ArrayBuffer> {
    return this.#residual;
  }

  /**
   * residual = decay · residual + delta, computed in binary64 and rounded to binary32 once. Compress the residual
   * then, and call `sent`.
   *
   * @throws {RangeError} where the length differs or a result would not be finite; the residual is then unchanged.
   */
  accumulate(delta: Float32Array): void {
    const residual = this.#residual;
    const { decay } = this;
    if (delta.length !== residual.length) {
      throw new RangeError(
        `Cannot accumulate ${delta.length} values into a residual of ${residual.length}`,
      );
    }
    for (let i = 0; i < delta.length; i++) {
      if (!Number.isFinite(Math.fround(decay * residual[i]! + delta[i]!))) {
        throw new RangeError(`Cannot accumulate as the value of parameter ${i} is not finite`);
      }
    }
    for (let i = 0; i < delta.length; i++) residual[i] = decay * residual[i]! + delta[i]!;
  }

  /**
   * Take what was sent off the residual. `update` is what its readers see, with the codec's rounding
   * (`asReceived`), so that the error of that rounding stays in the residual as well.
   *
   * @throws {RangeError} where the update is for another number of parameters.
   */
  sent(update: SparseUpdate): void {
    const { total, indices, values } = update;
    if (total !== this.#residual.length) {
      throw new RangeError(
        `Cannot subtract an update of ${total} from a residual of ${this.#residual.length}`,
      );
    }
    for (let j = 0; j < indices.length; j++) this.#residual[indices[j]!]! -= values[j]!;
  }
}
