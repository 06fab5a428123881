/**
 * What was signed about jobs: once each. Nothing is forgotten, since two different verdicts of one key on one job cost
 * its validator the stake, and a dispute may wait for weeks; so there is an end to how many there can be.
 *
 * @module
 */
import { type Bytes, equal } from "../protocol/bytes.ts";
import type { Signed } from "../protocol/judge_messages.ts";
import { Refusal } from "../protocol/refusal.ts";

/** Answers by their job's number, at most `capacity`. */
export class JobAnswers {
  readonly #capacity: number;
  readonly #signed = new Map<number, { readonly input: Bytes; readonly answer: Signed }>();

  /** Holds at most `capacity`. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * The answer that the input of this hash was given, or undefined where `job` may be signed.
   *
   * @throws {Refusal} `already_signed` for another input, `too_many_jobs` where no more can be remembered.
   */
  find(job: number, input: Bytes): Signed | undefined {
    const earlier = this.#signed.get(job);
    if (earlier !== undefined) {
      if (equal(earlier.input, input)) return earlier.answer;
      throw new Refusal("already_signed", `Job ${job} was signed for another input`);
    }
    if (this.#signed.size < this.#capacity) return undefined;
    throw new Refusal(
      "too_many_jobs",
      `This key has signed ${this.#capacity} jobs: restart the judge`,
    );
  }

  /** Remember it. */
  keep(job: number, input: Bytes, answer: Signed): void {
    this.#signed.set(job, { input, answer });
  }
}
