/**
 * The miner's window loop: assignment, training, commit, upload, reveal. An error costs the window, never
 * the loop; what is waited for is said.
 *
 * @module
 */
import { toHex } from "../enclave/protocol/bytes.ts";
import { commitment } from "../enclave/protocol/commit.ts";
import { assignedPages } from "../enclave/protocol/dataset.ts";
import { timeOfRound } from "../enclave/protocol/drand.ts";
import { LedgerError } from "../enclave/protocol/errors.ts";
import { CODEC_V2, encodeV2 } from "../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../enclave/protocol/hash.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import type { Clock } from "../host/ledger/clock.ts";
import type { Address, Ledger, WindowView } from "../host/ledger/ledger.ts";
import { type Log, type LogLevel, reason } from "../host/ledger/log.ts";
import {
  assignmentBeacon,
  type BeaconSource,
  BeaconUnavailable,
  withSeeds,
} from "../host/ledger/randomness.ts";
import { isFinal, type Patience, pauseFor, retryUntil } from "../host/ledger/retry.ts";
import { type Bases, windowOrNull } from "../host/store/bases.ts";
import { gradientKey } from "../host/store/keys.ts";
import type { PageSource } from "../host/store/pages.ts";
import type { Store } from "../host/store/store.ts";
import type { MinerJournal, PendingGradient } from "./journal.ts";
import type { GradientSource } from "./source.ts";

const TARGET = "vramhub_miner::miner";

/** What a miner works with. */
export interface MinerParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** Where gradients are uploaded and checkpoints come from. */
  readonly store: Store;
  /** Bases, brought forward by replay. */
  readonly bases: Bases;
  /** The data. */
  readonly pages: PageSource;
  /** Randomness. */
  readonly beacon: BeaconSource;
  /** Time. */
  readonly clock: Clock;
  /** What it commits to, across restarts. */
  readonly journal: MinerJournal;
  /** Who is paid. */
  readonly owner: Address;
  /** The slot. */
  readonly uid: number;
  /** Where gradients come from. */
  readonly source: GradientSource;
  /** Log lines. */
  readonly log: Log;
}

/** One miner. */
export class Miner {
  readonly #parts: MinerParts;

  /** A miner of these parts. */
  constructor(parts: MinerParts) {
    this.#parts = parts;
  }

  /** Mine window after window until `signal` aborts, or `windows` of them. */
  async run(signal: AbortSignal, windows = Infinity): Promise<void> {
    const { ledger, clock, log, source } = this.#parts;
    log("info", "vramhub_miner", "Miner starting", { adapter: source.name, device: source.device });
    let next = -Infinity;
    for (let done = 0; done < windows && !signal.aborted;) {
      let wake = ledger.now() + 1_000;
      try {
        const window = await ledger.currentWindow();
        const { deadlines } = await ledger.window(window);
        wake = deadlines.end;
        if (window >= next) {
          await this.#account(window);
          next = window + 1;
          done++;
          await this.mine(window, signal);
        }
      } catch (error) {
        if (signal.aborted) return;
        log(levelOf(error, "error"), TARGET, "Window failed", {
          uid: this.#parts.uid,
          reason: reason(error),
        });
      }
      await clock.until(wake, signal).catch(() => {});
    }
  }

  /** Journal what was begun in earlier windows and never revealed: the miner did not run when its deadline passed. */
  async #account(window: number): Promise<void> {
    const { journal, ledger, log, uid } = this.#parts;
    for (const earlier of journal.unfinished().filter((begun) => begun < window)) {
      const revealed = (await windowOrNull(ledger, earlier))?.reveals
        .some((reveal) => reveal.uid === uid);
      if (revealed) {
        await journal.append({ step: "revealed", window: earlier });
      } else {
        const why = "the deadline passed while the miner did not run";
        await journal.append({ step: "missed", window: earlier, reason: why });
        log("warn", TARGET, "Window missed", { window: earlier, uid, reason: why });
      }
    }
  }

  /** Mine one window: commit before its deadline, upload and reveal behind it. What a crash left is finished. */
  async mine(window: number, signal: AbortSignal): Promise<void> {
    const { clock, journal, ledger, log, owner, store, uid } = this.#parts;
    if (journal.isOver(window)) return;
    const view = await withSeeds(ledger, owner, await ledger.window(window));
    log("info", TARGET, "Starting window", { window, uid });
    try {
      const pending = await this.#pending(view, signal);
      await this.#commit(pending, view, signal);
      await clock.until(view.deadlines.commit, signal);
      await this.#reveal(pending, view, signal);
    } catch (error) {
      signal.throwIfAborted();
      await journal.append({ step: "missed", window, reason: reason(error) });
      throw error;
    }
    await journal.append({ step: "revealed", window });
    const over = window - view.hparams.retention_windows;
    if (over >= 0) await store.delete(gradientKey(over, uid));
  }

  /** The gradient of the window: of the journal after a crash, else a new one, journalled before it is used. */
  async #pending(view: WindowView, signal: AbortSignal): Promise<PendingGradient> {
    const { journal, ledger, log, uid } = this.#parts;
    const { window } = view;
    const kept = await journal.load(window);
    if (kept !== null) {
      log("info", TARGET, "Resuming window", { window, uid, hash: toHex(kept.contentHash) });
      return kept;
    }
    if (ledger.now() >= view.deadlines.commit) {
      throw new Refusal("too_late", `Commits of window ${window} are over`);
    }
    await journal.append({ step: "training", window });
    const pending = await this.#produce(view, signal);
    await journal.save(pending);
    return pending;
  }

  /** How long what may pass is tried again. */
  #until(deadline: number, { hparams, window }: WindowView, signal: AbortSignal): Patience {
    const { clock, log, uid } = this.#parts;
    const onError = (error: unknown) =>
      log(levelOf(error, "warn"), TARGET, "Trying again", { window, uid, reason: reason(error) });
    return { clock, deadline, pauseMs: pauseFor(hparams.window_ms), signal, onError };
  }

  async #produce(view: WindowView, signal: AbortSignal): Promise<PendingGradient> {
    const { bases, beacon, clock, log, pages, source, uid } = this.#parts;
    const { window, hparams, context } = view;
    const patience = this.#until(view.deadlines.commit, view, signal);
    const base = await retryUntil(patience, () => bases.reach(view.baseHash, window));
    if (context.randomness.kind === "drand") {
      const due = timeOfRound(beacon.chain, BigInt(context.randomness.assignRound));
      await clock.until(due, signal);
    }
    const assigned = assignedPages(
      pages.dataset,
      uid,
      window,
      await retryUntil(patience, () => assignmentBeacon(view, beacon)),
      hparams.own_pages,
    );
    // Without its data a window is not trained for: nothing else stands in for the assigned pages.
    await retryUntil(patience, () => pages.load(assigned));
    const { update, loss } = await source.produce({
      window,
      uid,
      hparams,
      theta: base.theta,
      pages: assigned.map((index) => pages.tokens(index)),
    });
    if (loss !== null) {
      log("info", TARGET, "Train step", {
        window,
        uid,
        loss: loss.toFixed(4),
        grad_params: update.total,
      });
    }
    const bytes = encodeV2(update, { uid, window: BigInt(window), baseHash: view.baseHash });
    const contentHash = sha256(bytes);
    log("info", TARGET, "Gradient compressed", {
      window,
      uid,
      size_bytes: bytes.length,
      hash: toHex(contentHash),
    });
    const salt = crypto.getRandomValues(new Uint8Array(32));
    return { window, uid, bytes, contentHash, codec: CODEC_V2, salt };
  }

  async #commit(
    { window, uid, contentHash, salt }: PendingGradient,
    view: WindowView,
    signal: AbortSignal,
  ): Promise<void> {
    const { journal, ledger, owner } = this.#parts;
    if (journal.steps(window).some(({ step }) => step === "committed")) return;
    // Behind the deadline the ledger alone knows whether it went through before a crash: the reveal will tell.
    if (ledger.now() >= view.deadlines.commit) return;
    const { ledgerId } = await ledger.info();
    const hash = commitment(ledgerId, uid, window, contentHash, salt);
    try {
      await retryUntil(
        this.#until(view.deadlines.commit, view, signal),
        () => unlessDone("EAlreadyCommitted", () => ledger.commit(owner, uid, window, hash)),
      );
    } catch (error) {
      const late = error instanceof LedgerError && error.constant === "ECommitsClosed";
      if (signal.aborted || (isFinal(error) && !late)) throw error;
      return; // no answer came in time; it may have gone through
    }
    await journal.append({ step: "committed", window });
  }

  async #reveal(pending: PendingGradient, view: WindowView, signal: AbortSignal): Promise<void> {
    const { ledger, log, owner, store } = this.#parts;
    const { window, uid, bytes, contentHash, codec, salt } = pending;
    const { reveals } = await ledger.window(window);
    if (reveals.some((reveal) => reveal.uid === uid)) return;
    const patience = this.#until(view.deadlines.reveal, view, signal);
    // Readers need the name that the store gave: on Walrus it is not the key.
    const { ref } = await retryUntil(patience, () => store.put(gradientKey(window, uid), bytes));
    log("info", TARGET, "Gradient uploaded", { window, uid, r2_key: ref });
    const gradient = { contentHash, size: bytes.length, codec };
    await retryUntil(
      patience,
      () =>
        unlessDone(
          "EAlreadyRevealed",
          () => ledger.reveal(owner, uid, window, gradient, salt, ref),
        ),
    );
  }
}

/** `level`, but for what has been said already. */
function levelOf(error: unknown, level: LogLevel): LogLevel {
  return error instanceof BeaconUnavailable ? "debug" : level;
}

/** After a crash the call may have gone through: then the ledger says so, and that is as good. */
async function unlessDone(constant: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof LedgerError) || error.constant !== constant) throw error;
  }
}
