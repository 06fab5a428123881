/**
 * The chain's time: its clock object, and how far this machine's clock is from it.
 *
 * @module
 */
import { SuiError } from "./errors.ts";
import { Clock, CLOCK_ID } from "./layout/framework.ts";
import type { StateReader } from "./state_reader.ts";

/** A reading is used this long. */
const FRESH_MS = 30_000;

/** Sui's clock, by an offset to the local one. */
export class ChainClock {
  readonly #reader: StateReader;
  readonly #local: () => number;
  #offset = 0;
  #readAt = -Infinity;

  /** Reads over `reader`; `local` is this machine's time in milliseconds. */
  constructor(reader: StateReader, local: () => number = Date.now) {
    this.#reader = reader;
    this.#local = local;
  }

  /** The chain's time, as of the last reading. */
  now(): number {
    return Math.floor(this.#local() + this.#offset);
  }

  /**
   * The chain's time less this machine's, milliseconds. The clock object moves with each commit of consensus, a few
   * times a second: some tenths of a second below zero are the network's own delay.
   */
  get skewMs(): number {
    return this.#offset;
  }

  /** Read the clock where the last reading is old. */
  async refresh(freshMs = FRESH_MS): Promise<void> {
    const before = this.#local();
    if (before - this.#readAt < freshMs && before >= this.#readAt) return;
    const found = await this.#reader.object(CLOCK_ID, Clock);
    if (found === null) throw new SuiError("not_deployed", "The chain has no clock object 0x6");
    const after = this.#local();
    this.#offset = found.value.timestamp_ms - (before + after) / 2;
    this.#readAt = after;
  }
}
