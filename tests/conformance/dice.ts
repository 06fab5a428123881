/**
 * A seeded generator of numbers: the same seed gives the same trace.
 *
 * @module
 */

/** Mulberry32: 32 bits of state, good enough to choose by. */
export class Dice {
  #state: number;

  /** Starts from the low 32 bits of `seed`. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 random bits. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A number from 0 to below `bound`. */
  below(bound: number): number {
    return Math.floor(this.bits() / 2 ** 32 * bound);
  }

  /** Whether one of `n` fell. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of `choices`. */
  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError("Cannot pick: there is no choice");
    return choices[this.below(choices.length)]!;
  }

  /** One of `choices`, or undefined where there is none. */
  maybe<T>(choices: readonly T[]): T | undefined {
    return choices[this.below(choices.length)];
  }

  /** `n` bytes. */
  bytes(n: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: n }, () => this.below(256));
  }
}
