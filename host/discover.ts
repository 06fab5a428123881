/**
 * Discovery: the ledger names what was revealed, stores have the bytes. Each is re-hashed on arrival and
 * then served by hash to other validators; what is not to be had is an abstention.
 *
 * @module
 */
import { paramManifest } from "../enclave/model/params.ts";
import type { ModelConfig } from "../enclave/model/presets.ts";
import { fastEval } from "./filters/fast_eval.ts";
import type { GradientReader } from "./gradient_reader.ts";
import type { RevealRow, WindowView } from "./ledger/ledger.ts";
import { type Log, reason } from "./ledger/log.ts";
import { isFinal, type Patience } from "./ledger/retry.ts";
import { putBlob } from "./store/blob.ts";
import type { Store } from "./store/store.ts";

const TARGET = "vramhub_validator::discover";
/** Gradients that are read at a time: one miner's slow bucket does not hold up the others. */
const AT_ONCE = 16;

/** What was found of a window's gradients. */
export interface Discovered {
  /** What the store has by its hash from now on, in order of arrival. */
  readonly found: readonly RevealRow[];
  /** uids whose gradient is nowhere to be had. */
  readonly unavailable: readonly number[];
}

/** What discovery works with. */
export interface DiscoverParts {
  /** Reads what miners name. */
  readonly reader: GradientReader;
  /** Serves by hash what was found. */
  readonly store: Store;
  /** The model. */
  readonly model: ModelConfig;
  /** Log lines. */
  readonly log: Log;
  /** A store that fails for now is asked again as long as this lasts; without it, never. */
  readonly patience?: Omit<Patience, "onError">;
}

/**
 * Fetch every revealed gradient of a window into the store. All are tried before any is tried again, so that no miner's
 * store costs another its place; what fails for now is asked again as long as `patience` lasts: an abstention cannot be
 * taken back. A few gradients are in memory at a time, however many there are.
 */
export async function discover(view: WindowView, parts: DiscoverParts): Promise<Discovered> {
  const { log, patience } = parts;
  const { reveals, window } = view;
  const failed = new Map<number, unknown>();
  for (let waiting: readonly RevealRow[] = reveals; waiting.length > 0;) {
    await takeAll(waiting, view, parts, failed);
    patience?.signal.throwIfAborted();
    waiting = waiting.filter(({ uid }) => failed.has(uid) && !isFinal(failed.get(uid)));
    const { clock, deadline, pauseMs, signal } = patience ?? {};
    if (clock === undefined || clock.now() + pauseMs! >= deadline!) break;
    for (const { uid } of waiting) {
      log("debug", TARGET, "Fetching again", { window, uid, reason: reason(failed.get(uid)) });
    }
    if (waiting.length > 0) await clock.until(clock.now() + pauseMs!, signal);
  }
  const unavailable = reveals.map(({ uid }) => uid).filter((uid) => failed.has(uid));
  for (const uid of unavailable) {
    log("warn", TARGET, "Gradient unavailable", { window, uid, reason: reason(failed.get(uid)) });
  }
  return { found: reveals.filter(({ uid }) => !failed.has(uid)), unavailable };
}

/** Read `reveals`, several at a time, and serve each by hash from now on. */
async function takeAll(
  reveals: readonly RevealRow[],
  { baseHash, hparams, window }: WindowView,
  { log, model, reader, store }: DiscoverParts,
  failed: Map<number, unknown>,
): Promise<void> {
  const about = { hparams, total: paramManifest(model).total, window, baseHash };
  const queue = reveals.values();
  let turn: Promise<unknown> = Promise.resolve();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const reveal of queue) {
      const { uid } = reveal;
      failed.delete(uid);
      try {
        const bytes = await reader.read(reveal, window);
        // One after the other: what is not yet stored is in memory.
        const put = turn.then(() => putBlob(store, bytes));
        turn = put.catch(() => {});
        await put;
        for (const { filter, detail } of fastEval(reveal, bytes, about)) {
          log("debug", TARGET, "Filter remark", { window, uid, filter, detail });
        }
      } catch (error) {
        failed.set(uid, error);
      }
    }
  }));
}
