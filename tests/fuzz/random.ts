/**
 * Random numbers that a seed repeats, for fuzzing. Nothing secret comes from here.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";

/** A stream of random numbers (sfc32), the same for the same seed and case. */
export class Random {
  readonly #state: Uint32Array;

  /** The stream of case number `index` under `seed`. */
  constructor(seed: number, index: number) {
    this.#state = new Uint32Array([seed, index, Math.floor(index / 2 ** 32), 1]);
    for (let i = 0; i < 16; i++) this.u32();
  }

  /** 0 to 2^32 − 1. */
  u32(): number {
    const [a, b, c, d] = this.#state as unknown as [number, number, number, number];
    const sum = (a + b + d) >>> 0;
    this.#state[0] = b ^ (b >>> 9);
    this.#state[1] = c + (c << 3);
    this.#state[2] = ((c << 21) | (c >>> 11)) + sum;
    this.#state[3] = d + 1;
    return sum;
  }

  /** 0 to `n` − 1. */
  below(n: number): number {
    return Math.floor(this.u32() / 2 ** 32 * n);
  }

  /** True once in `n` times. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of `list`. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** `n` bytes. */
  bytes(n: number): Bytes {
    return Uint8Array.from({ length: n }, () => this.below(256));
  }
}
