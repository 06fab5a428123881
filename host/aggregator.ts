/**
 * The aggregator: publishes what a merge was made of, and uploads whole checkpoints at their rhythm. It
 * decides nothing and can be replaced while the network runs: everything it writes follows from the ledger.
 *
 * @module
 */
import { mergedUids } from "../enclave/model/merge.ts";
import type { ModelConfig } from "../enclave/model/presets.ts";
import { toHex } from "../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../enclave/protocol/cbor.ts";
import type { Clock } from "./ledger/clock.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { type Log, reason } from "./ledger/log.ts";
import { type Bases, uploadCheckpoint, windowOrNull } from "./store/bases.ts";
import { aggregationKey, checkpointKey } from "./store/keys.ts";
import type { Store } from "./store/store.ts";

const TARGET = "vramhub_aggregator";

/** What an aggregator works with. */
export interface AggregatorParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** Where it publishes. */
  readonly store: Store;
  /** Bases, brought forward by replay. */
  readonly bases: Bases;
  /** The model. */
  readonly model: ModelConfig;
  /** Time. */
  readonly clock: Clock;
  /** Log lines. */
  readonly log: Log;
}

/** One aggregator. */
export class Aggregator {
  readonly #parts: AggregatorParts;

  /** An aggregator of these parts. */
  constructor(parts: AggregatorParts) {
    this.#parts = parts;
  }

  /** Follow the ledger window by window until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, ledger, log } = this.#parts;
    log("info", TARGET, "Aggregator starting");
    while (!signal.aborted) {
      const window = await ledger.currentWindow();
      try {
        await this.publish(window);
      } catch (error) {
        log("error", TARGET, "Publishing failed", { window, reason: reason(error) });
      }
      const view = await windowOrNull(ledger, window);
      await clock.until(view?.deadlines.end ?? ledger.now() + 1_000, signal).catch(() => {});
    }
  }

  /** What `window` begins with: the merge that made its base, and the whole file where it is due. */
  async publish(window: number): Promise<void> {
    const { bases, ledger, log, model, store } = this.#parts;
    const view = await windowOrNull(ledger, window);
    if (view === null) return;
    const merged = await windowOrNull(ledger, window - 2);
    const base = await bases.reach(view.baseHash, window);
    if (merged !== null && merged.payout !== null && merged.payout.mergedHash !== null) {
      const { randomBefore, rows } = merged.settled!;
      const uids = mergedUids(randomBefore, rows, merged.reveals, merged.hparams.top_g);
      await store.put(
        aggregationKey(merged.window),
        encodeCanonical({
          window: merged.window,
          parent: base.manifest.parent,
          manifest_hash: merged.payout.mergedHash,
          gradients: uids.map((uid) => {
            const { contentHash } = merged.reveals.find((reveal) => reveal.uid === uid)!;
            return { uid, content_hash: contentHash };
          }),
        }),
      );
    }
    if (window % view.hparams.checkpoint_frequency !== 0) return;
    if (await store.head(checkpointKey(base.manifest.window)) !== undefined) return;
    const key = await uploadCheckpoint(store, model, base);
    log("info", TARGET, "Checkpoint uploaded", { window, key, hash: toHex(base.hash) });
  }
}
