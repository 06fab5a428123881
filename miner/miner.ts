/**
 * The miner's window loop: assignment, training, commit, upload, reveal. An error costs the window, never
 * the loop; what is waited for is said.
 *
 * @module
 */
import { toHex } from "../enclave/protocol/bytes.ts";
import { commitment } from "../enclave/protocol/commit.ts";
import { LedgerError } from "../enclave/protocol/errors.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import type { Address, Ledger, WindowView } from "../host/ledger/ledger.ts";
import { type LogLevel, reason } from "../host/ledger/log.ts";
import { BeaconUnavailable, withSeeds } from "../host/ledger/randomness.ts";
import { isFinal, type Patience, pauseFor, retryUntil } from "../host/ledger/retry.ts";
import { during } from "../host/ledger/work.ts";
import { windowOrNull } from "../host/store/bases.ts";
import { gradientKey } from "../host/store/keys.ts";
import { type Store, StoreError } from "../host/store/store.ts";
import type { MinerJournal, PendingGradient } from "./journal.ts";
import { Pace } from "./pace.ts";
import { produceGradient, type ProductionParts } from "./production.ts";
import { Watchdog } from "./watchdog.ts";

const TARGET = "vramhub_miner::miner";

/** What a miner works with. */
export interface MinerParts extends ProductionParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** Where gradients are uploaded. */
  readonly store: Store;
  /** What it commits to, across restarts. */
  readonly journal: MinerJournal;
  /** Who is paid. */
  readonly owner: Address;
}

/** One miner. */
export class Miner {
  readonly #parts: MinerParts;
  readonly #pace: Pace;
  readonly #watchdog: Watchdog;

  /** A miner of these parts. */
  constructor(parts: MinerParts) {
    const { ledger, log } = parts;
    this.#parts = parts;
    this.#pace = new Pace(() => ledger.now());
    this.#watchdog = new Watchdog(log, () => ledger.now());
  }

  /** Mine window after window until `signal` aborts, or `windows` of them. */
  async run(signal: AbortSignal, windows = Infinity): Promise<void> {
    const { ledger, clock, log, source } = this.#parts;
    log("info", "vramhub_miner", "Miner starting", { adapter: source.name, device: source.device });
    let next = -Infinity;
    let last: WindowView | null = null;
    for (let done = 0; done < windows && !signal.aborted;) {
      let wake = ledger.now() + 1_000;
      let view: WindowView | undefined;
      try {
        view = await this.#watchdog.during(
          last,
          { what: "the ledger, to tell the window" },
          async () => await ledger.window(await ledger.currentWindow()),
        );
        last = view;
        const { window } = view;
        wake = view.deadlines.end;
        if (window >= next) {
          await this.#account(window);
          next = window + 1;
          done++;
          const about = { window, uid: this.#parts.uid };
          await during("window", about, () => this.mine(window, signal));
        }
      } catch (error) {
        if (signal.aborted) return;
        log(levelOf(error, "error"), TARGET, "Window failed", {
          ...(view === undefined ? {} : { window: view.window }),
          uid: this.#parts.uid,
          during: this.#watchdog.what,
          reason: reason(error),
        });
      }
      const pause = () => clock.until(wake, signal).catch(() => {});
      if (view === undefined) await pause();
      else await this.#watchdog.during(view, { what: "the next window", due: wake }, pause);
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
    const { clock, journal, ledger, log, owner, uid } = this.#parts;
    if (journal.isOver(window)) return;
    const known = await ledger.window(window);
    const view = await this.#watchdog.during(
      known,
      { what: "the ledger, to draw seeds" },
      () => withSeeds(ledger, owner, known),
    );
    log("info", TARGET, "Starting window", { window, uid });
    try {
      const about = { window, uid };
      const pending = await during("train", about, () => this.#pending(view, signal));
      await during("commit", about, () => this.#commit(pending, view, signal));
      const due = view.deadlines.commit;
      await this.#watchdog.during(
        view,
        { what: "the commit deadline", due },
        () => clock.until(due, signal),
      );
      await during("reveal", about, () => this.#reveal(pending, view, signal));
    } catch (error) {
      signal.throwIfAborted();
      await journal.append({ step: "missed", window, reason: reason(error) });
      throw error;
    }
    await journal.append({ step: "revealed", window });
    const over = window - view.hparams.retention_windows;
    if (over >= 0) await this.#forget(gradientKey(over, uid));
  }

  /** Remove what nobody can ask for any more; a store that refuses costs room, not the window. */
  async #forget(key: string): Promise<void> {
    const { log, store } = this.#parts;
    await store.delete(key).catch((error) => {
      if (error instanceof StoreError) {
        log("warn", TARGET, "Old gradient stays", { key, reason: reason(error) });
      } else throw error;
    });
  }

  /** The gradient of the window: of the journal after a crash, else a new one, journalled before it is used. */
  async #pending(view: WindowView, signal: AbortSignal): Promise<PendingGradient> {
    const { journal, log, uid } = this.#parts;
    const { window } = view;
    const kept = await journal.load(window);
    if (kept !== null) {
      log("info", TARGET, "Resuming window", { window, uid, hash: toHex(kept.contentHash) });
      return kept;
    }
    this.#pace.checkTrain(view);
    await journal.append({ step: "training", window });
    const pending = await produceGradient(view, this.#parts, {
      patience: this.#until(view.deadlines.commit, view, signal),
      watchdog: this.#watchdog,
      pace: this.#pace,
    });
    this.#pace.checkCommit(view);
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
      const due = view.deadlines.commit;
      const commit = () =>
        unlessDone("EAlreadyCommitted", () => ledger.commit(owner, uid, window, hash));
      const patience = this.#until(due, view, signal);
      await this.#watchdog.during(
        view,
        { what: "the ledger, to take the commit", due },
        () => this.#pace.timed("commit", () => retryUntil(patience, commit)),
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
    const uploadBy = this.#pace.uploadBy(view);
    // Readers need the name that the store gave: on Walrus it is not the key.
    const put = () => store.put(gradientKey(window, uid), bytes);
    const { ref } = await this.#watchdog.during(
      view,
      { what: "the store, to take the gradient", due: uploadBy },
      () => this.#pace.timed("upload", () => retryUntil(this.#until(uploadBy, view, signal), put)),
    );
    log("info", TARGET, "Gradient uploaded", { window, uid, r2_key: ref });
    const gradient = { contentHash, size: bytes.length, codec };
    const reveal = () =>
      unlessDone(
        "EAlreadyRevealed",
        () => ledger.reveal(owner, uid, window, gradient, salt, ref),
      );
    const due = view.deadlines.reveal;
    await this.#watchdog.during(
      view,
      { what: "the ledger, to take the reveal", due },
      () => this.#pace.timed("reveal", () => retryUntil(this.#until(due, view, signal), reveal)),
    );
    const slow = this.#pace.slowUploads(view);
    if (slow !== undefined) log("warn", TARGET, "Uploads are slow", { window, uid, reason: slow });
  }
}

/** `level`, but for what has been said already, and for a window that was begun too late, as after a restart. */
function levelOf(error: unknown, level: LogLevel): LogLevel {
  if (error instanceof BeaconUnavailable) return "debug";
  return error instanceof Refusal && error.code === "too_late" ? "warn" : level;
}

/** After a crash the call may have gone through: then the ledger says so, and that is as good. */
async function unlessDone(constant: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof LedgerError) || error.constant !== constant) throw error;
  }
}
