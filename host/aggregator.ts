/**
 * The aggregator: publishes what a merge was made of, uploads whole checkpoints at their rhythm, and removes those that
 * the hyperparameters keep no longer. It decides nothing and can be replaced while the network runs: everything it writes follows from the ledger.
 *
 * @module
 */
import { mergedUids } from "../enclave/model/merge.ts";
import type { ModelConfig } from "../enclave/model/presets.ts";
import { toHex } from "../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../enclave/protocol/cbor.ts";
import type { Clock } from "./ledger/clock.ts";
import type { Ledger, WindowView } from "./ledger/ledger.ts";
import { type Log, reason } from "./ledger/log.ts";
import { pauseFor, retryUntil } from "./ledger/retry.ts";
import { type Bases, uploadCheckpoint, windowOrNull } from "./store/bases.ts";
import { checkpointWindows, pruneAggregations, pruneCheckpoints } from "./store/checkpoints.ts";
import { aggregationKey, manifestKey } from "./store/keys.ts";
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

/** Windows back that a start looks for merges which nobody published. */
const LOOK_BACK = 144;

/** One aggregator. It keeps nothing: what is yet to be published follows from ledger and store. */
export class Aggregator {
  readonly #parts: AggregatorParts;
  /** Merges up to this window are published; undefined until the first look back. */
  #published: number | undefined;
  /** The last window at which a checkpoint was due, once it is seen to. */
  #uploaded: number | undefined;

  /** An aggregator of these parts. */
  constructor(parts: AggregatorParts) {
    this.#parts = parts;
  }

  /** Follow the ledger window by window until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, ledger, log } = this.#parts;
    log("info", TARGET, "Aggregator starting");
    while (!signal.aborted) {
      let wake = ledger.now() + 1_000;
      try {
        const window = await ledger.currentWindow();
        const view = await windowOrNull(ledger, window);
        if (view !== null) {
          const { deadlines: { end }, hparams } = view;
          const pauseMs = pauseFor(hparams.window_ms);
          const onError = (error: unknown) =>
            log("warn", TARGET, "Publishing again", { window, reason: reason(error) });
          // What is not published in this window is published in the next one.
          wake = end;
          const patience = { clock, deadline: end, pauseMs, signal, onError };
          await retryUntil(patience, () => this.publish(window));
        }
      } catch (error) {
        if (signal.aborted) return;
        log("error", TARGET, "Publishing failed", { reason: reason(error) });
      }
      await clock.until(wake, signal).catch(() => {});
    }
  }

  /** What `window` begins with: the merges that were not published, and the whole file where it is due. */
  async publish(window: number): Promise<void> {
    const { ledger } = this.#parts;
    const view = await windowOrNull(ledger, window);
    if (view === null) return;
    const { firstWindow } = (await ledger.epochs())[0]!;
    const from = this.#published === undefined ? window - 1 - LOOK_BACK : this.#published + 1;
    const horizon = window - view.hparams.retention_windows;
    for (let merged = Math.max(from, firstWindow, horizon); merged <= window - 2; merged++) {
      await this.#publishMerge(merged);
      this.#published = merged;
    }
    const due = window - window % view.hparams.checkpoint_frequency;
    if (due < firstWindow || due === this.#uploaded) return;
    await this.#publishCheckpoint(view, due);
    await this.#prune(window, horizon);
    this.#uploaded = due;
  }

  async #publishMerge(window: number): Promise<void> {
    const { ledger, store } = this.#parts;
    const merged = await windowOrNull(ledger, window);
    const manifestHash = merged?.payout?.mergedHash ?? null;
    if (merged === null || manifestHash === null) return;
    const key = aggregationKey(window);
    if (await store.head(key) !== undefined) return;
    const { randomBefore, rows } = merged.settled!;
    const uids = mergedUids(randomBefore, rows, merged.reveals, merged.hparams.top_g);
    const bytes = encodeCanonical({
      window,
      parent: (await ledger.window(window + 1)).baseHash,
      manifest_hash: manifestHash,
      gradients: uids.map((uid) => {
        const { contentHash } = merged.reveals.find((reveal) => reveal.uid === uid)!;
        return { uid, content_hash: contentHash };
      }),
    });
    await store.put(key, bytes);
  }

  /** At its rhythm, or as soon as possible behind a moment at which no aggregator ran. */
  async #publishCheckpoint({ baseHash, window }: WindowView, due: number): Promise<void> {
    const { bases, log, model, store } = this.#parts;
    if (due !== window && (await checkpointWindows(store)).some((newer) => newer >= due - 2)) {
      return;
    }
    const base = await bases.reach(baseHash, window);
    // The manifest is put last: where it is missing, a crash cut the upload off.
    if (await store.head(manifestKey(base.manifest.window)) !== undefined) return;
    const key = manifestKey(base.manifest.window);
    const moved = await uploadCheckpoint(store, model, base);
    const hash = toHex(base.hash);
    log("info", TARGET, "Checkpoint uploaded", { window, key, hash, ...moved });
  }

  /** Remove what lies before `horizon`: what the hyperparameters keep no longer. */
  async #prune(window: number, horizon: number): Promise<void> {
    const { log, store } = this.#parts;
    const removed = await pruneCheckpoints(store, horizon);
    const checkpoints = removed.checkpoints.length;
    const aggregations = await pruneAggregations(store, horizon);
    if (checkpoints + aggregations === 0) return;
    const { chunks } = removed;
    log("info", TARGET, "Old objects removed", { window, checkpoints, chunks, aggregations });
  }
}
