/**
 * Batches as the ledger assigns them: for a trainer that asks for its own, e.g. when it is tried.
 *
 * @module
 */
import { assignedPages, trainingPages } from "../enclave/protocol/dataset.ts";
import type { Ledger } from "../host/ledger/ledger.ts";
import { assignmentBeacon, type BeaconSource } from "../host/ledger/randomness.ts";
import type { PageSource } from "../host/store/pages.ts";
import type { Batch, BatchSource } from "./adapters/adapter.ts";

/** What they are drawn from. */
export interface LedgerBatchesParts {
  /** Names the pages. */
  readonly ledger: Pick<Ledger, "window">;
  /** Has them. */
  readonly pages: PageSource;
  /** Randomness. */
  readonly beacon: BeaconSource;
}

/** See the module. */
export class LedgerBatches implements BatchSource {
  readonly #parts: LedgerBatchesParts;

  /** Batches of these parts. */
  constructor(parts: LedgerBatchesParts) {
    this.#parts = parts;
  }

  /** See `BatchSource`. */
  async assigned(uid: number, window: number): Promise<Batch> {
    return await this.#batch(uid, window, await this.#indices(uid, window));
  }

  /** See `BatchSource`: as many pages, each a fixed way behind an assigned one and none of them assigned. */
  async random(uid: number, window: number): Promise<Batch> {
    const own = await this.#indices(uid, window);
    const count = trainingPages(this.#parts.pages.dataset.pageCount);
    const taken = new Set(own);
    const others = own.map((index) => {
      let at = (index + 1) % count;
      while (taken.has(at) && taken.size < count) at = (at + 1) % count;
      taken.add(at);
      return at;
    });
    return await this.#batch(uid, window, others);
  }

  async #indices(uid: number, window: number): Promise<number[]> {
    const { beacon, ledger, pages } = this.#parts;
    const view = await ledger.window(window);
    const randomness = await assignmentBeacon(view, beacon);
    return assignedPages(pages.dataset, uid, window, randomness, view.hparams.own_pages);
  }

  async #batch(uid: number, window: number, indices: readonly number[]): Promise<Batch> {
    const { pages } = this.#parts;
    await pages.load(indices);
    return { uid, window, pages: indices.map((index) => pages.tokens(index)) };
  }
}
