/**
 * What a judge would say of a result: the same graph on the same held-out pages, before anything is delivered.
 *
 * @module
 */
import { LossModel } from "../../enclave/model/session.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { jobPages, type JobSubject } from "../../enclave/protocol/job_pages.ts";
import { toMetric } from "../../enclave/protocol/report.ts";
import type { PageSource } from "../../host/store/pages.ts";
import { type JobWeights, resultManifest } from "../../host/store/job_weights.ts";

/** Losses in 1e-6 nats; what is not finite stays so. */
export interface HeldOut {
  /** Of the base. */
  readonly before: number;
  /** Of the result. */
  readonly after: number;
}

/** Measures results of one job. */
export class HeldOutLoss {
  readonly #model: LossModel;
  readonly #pages: PageSource;
  readonly #base: JobWeights & { readonly theta: Float32Array<ArrayBuffer> };
  readonly #subject: Omit<JobSubject, "resultHash">;

  private constructor(
    model: LossModel,
    pages: PageSource,
    base: JobWeights & { readonly theta: Float32Array<ArrayBuffer> },
    subject: Omit<JobSubject, "resultHash">,
  ) {
    this.#model = model;
    this.#pages = pages;
    this.#base = base;
    this.#subject = subject;
  }

  /** Load the judge's graph of the base's model. */
  static async open(
    pages: PageSource,
    base: JobWeights & { readonly theta: Float32Array<ArrayBuffer> },
    subject: Omit<JobSubject, "resultHash">,
  ): Promise<HeldOutLoss> {
    return new HeldOutLoss(await LossModel.create(base.model), pages, base, subject);
  }

  /** What a judge measures where these weights are delivered. */
  measure(theta: Float32Array<ArrayBuffer>): Promise<HeldOut> {
    return this.#measure(theta, resultManifest(theta, this.#base).hash);
  }

  async #measure(theta: Float32Array, resultHash: Bytes): Promise<HeldOut> {
    const { batch } = this.#base.model;
    const drawn = jobPages(this.#pages.dataset, { ...this.#subject, resultHash }, batch);
    await this.#pages.load(drawn);
    const pages = drawn.map((index) => this.#pages.tokens(index));
    return {
      before: await this.#units(this.#base.theta, pages),
      after: await this.#units(theta, pages),
    };
  }

  /** Batch by batch, as the judge sums. */
  async #units(theta: Float32Array, pages: readonly Uint32Array[]): Promise<number> {
    const { batch } = this.#base.model;
    let [sum, count] = [0, 0];
    for (let at = 0; at < pages.length; at += batch) {
      const part = await this.#model.losses(theta, pages.slice(at, at + batch));
      sum += part.sum;
      count += part.count;
    }
    return Number.isFinite(sum) ? toMetric(sum / count) : Infinity;
  }

  /** Free the graph. */
  close(): Promise<void> {
    return this.#model.close();
  }
}
