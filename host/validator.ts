/**
 * The validator's loop: every window that ended is judged, settled and accounted for, also those that ended
 * while the validator did not run. The courier decides nothing: what it bends, the judge or the ledger refuses.
 *
 * @module
 */
import type { Bytes } from "../enclave/protocol/bytes.ts";
import type { Attested } from "../attestation/mod.ts";
import { AttestedJudge, isGone } from "./attested_judge.ts";
import { Judgement, type JudgementParts, type ValidatorPhase } from "./judgement.ts";
import { KEPT_WINDOWS, type Message } from "./journal.ts";
import type { WindowView } from "./ledger/ledger.ts";
import { type LogLevel, reason } from "./ledger/log.ts";
import { BeaconUnavailable } from "./ledger/randomness.ts";
import { pauseFor, retryUntil } from "./ledger/retry.ts";
import { during } from "./ledger/work.ts";
import { windowOrNull } from "./store/bases.ts";
import { blobKey } from "./store/keys.ts";

export type { ValidatorPhase } from "./judgement.ts";

const TARGET = "vramhub_validator";

/** What a validator tells its owner. */
export interface ValidatorEvents {
  /** A phase has begun. */
  phase(window: number, phase: ValidatorPhase, detail: string): void;
  /** The judge's document was verified. */
  attested(key: Bytes, attested: Attested): void;
  /** A window is closed or skipped. After a crash it may be told again. */
  ended(view: WindowView): void | Promise<void>;
}

/** What a validator works with. */
export interface ValidatorParts extends JudgementParts {
  /** Progress. */
  readonly events: ValidatorEvents;
}

/** One validator. */
export class Validator {
  readonly #parts: ValidatorParts;
  readonly #judge: AttestedJudge;

  /** A validator of these parts. */
  constructor(parts: ValidatorParts) {
    this.#parts = parts;
    this.#judge = new AttestedJudge(parts, (key, attested) => parts.events.attested(key, attested));
  }

  /** Send what a crash left unsent, then attest and register the judge, wherever its key is not the registered one. */
  attest(): Promise<void> {
    return this.#judge.attest();
  }

  /** The judge has ended: start it again and attest it. Never throws; what fails is tried again before the next reveals. */
  mend(): Promise<void> {
    return this.#judge.mend().catch((error) => {
      this.#parts.log("error", TARGET, "Judge not restarted", { reason: reason(error) });
    });
  }

  /**
   * Judge the windows from `first` on, until `signal` aborts or `windows` of them have ended; before them what the
   * journal has left unfinished, and the window before `first`, whose deadlines may still be open.
   */
  async run(first: number, windows: number, signal: AbortSignal): Promise<void> {
    const { clock, ledger, log } = this.#parts;
    for (let window = await this.#unfinished(first); window < first + windows;) {
      if (signal.aborted) break;
      try {
        const { uid } = this.#parts;
        const at = window;
        await during("window", { window, uid }, () => this.#window(at, signal));
        window++;
      } catch (error) {
        if (signal.aborted) break;
        // The ledger itself does not answer, or the disk is full: nothing is lost by waiting.
        log("error", TARGET, "Window failed", { window, reason: reason(error) });
        await clock.until(ledger.now() + 1_000, signal).catch(() => {});
      }
    }
    log("info", TARGET, "Validator stopping");
  }

  /** The first window that is not accounted for. */
  async #unfinished(first: number): Promise<number> {
    const { journal } = this.#parts;
    const known = [...journal.every("started"), ...journal.every("done")];
    if (known.length === 0) await journal.append({ step: "started", window: first });
    // The window before a first start may be judged by a judge that was there before its validator's journal.
    const next = known.reduce(
      (max, { step, window }) => Math.max(max, step === "done" ? window + 1 : window - 1),
      first - KEPT_WINDOWS,
    );
    return Math.max(0, Math.min(known.length === 0 ? first - 1 : next, first));
  }

  async #window(window: number, signal: AbortSignal): Promise<void> {
    const { clock, events, journal, ledger, log } = this.#parts;
    const begun = await this.#begun(window, signal);
    if (begun === null) return; // nobody called in it: nothing to judge
    const { commit, end } = begun.deadlines;
    if (ledger.now() < end) {
      await clock.until(commit, signal);
      await this.#judge.keep(signal); // a key that is registered after the reveals is too late for this window
      await clock.until(end, signal);
    }
    const failures = await this.#judged(window, signal);
    const view = await this.#ended(window, signal);
    await this.#account(view, failures);
    try {
      await events.ended(view);
      await this.#forget(window - view.hparams.retention_windows);
    } catch (error) {
      log("error", TARGET, "Window not shown", { window, reason: reason(error) });
    }
    await journal.append({ step: "done", window, status: view.status });
    await this.#judge.keep(signal);
  }

  /** The window once it has begun, or null where it passed without a call. */
  async #begun(window: number, signal: AbortSignal): Promise<WindowView | null> {
    const { clock, ledger } = this.#parts;
    for (;;) {
      const current = await ledger.currentWindow();
      const view = await windowOrNull(ledger, Math.min(window, current));
      if (view === null || window <= current) return view;
      await clock.until(view.deadlines.end, signal);
    }
  }

  /** Judge it as far as the deadlines allow. Resolves to why a message was not sent. */
  async #judged(window: number, signal: AbortSignal): Promise<Map<Message, string>> {
    const { events, journal, ledger, uid } = this.#parts;
    const failures = new Map<Message, string>();
    const view = await ledger.window(window);
    if (view.reveals.length === 0 || !isSeated(view, uid) || !isOpen(view, ledger.now())) {
      return failures;
    }
    if (journal.find(window, "begun") === undefined) {
      await journal.append({ step: "begun", window });
    }
    const phase = (phase: ValidatorPhase, detail: string) => events.phase(window, phase, detail);
    const judgement = new Judgement(this.#parts, this.#judge, window, phase, signal);
    // An outcome needs no report of one's own: where others have reported, it is signed all the same.
    for (const message of ["report", "outcome"] as const) {
      const why = await this.#timely(view, message, () => judgement[message](), signal);
      if (why !== null) failures.set(message, why);
    }
    return failures;
  }

  /** `call`, until it succeeds or its deadline has passed. Resolves to why it failed, or null. */
  async #timely(
    view: WindowView,
    message: Message,
    call: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { clock, log } = this.#parts;
    const { deadlines, hparams, window } = view;
    const patience = {
      clock,
      deadline: deadlines[message],
      pauseMs: pauseFor(hparams.window_ms),
      signal,
      onError: async (error: unknown) => {
        log(levelOf(error, "warn"), TARGET, "Trying again", {
          window,
          message,
          reason: reason(error),
        });
        if (isGone(error)) await this.mend();
      },
    };
    try {
      await retryUntil(patience, call);
      return null;
    } catch (error) {
      signal.throwIfAborted();
      log(levelOf(error, "error"), TARGET, "Window failed", {
        window,
        message,
        reason: reason(error),
      });
      return reason(error);
    }
  }

  /** Wait until the window is closed or skipped, closing it when its time is over. */
  async #ended(window: number, signal: AbortSignal): Promise<WindowView> {
    const { clock, ledger } = this.#parts;
    for (;;) {
      const view = await ledger.window(window);
      if (view.status === "closed" || view.status === "skipped") return view;
      if (view.reveals.length > 0) await clock.until(view.deadlines.outcome, signal);
      await ledger.close(window);
    }
  }

  /** Journal what this validator owed and the ledger does not have: its deadline has passed. */
  async #account(view: WindowView, failures: ReadonlyMap<Message, string>): Promise<void> {
    const { journal, uid } = this.#parts;
    const { outcomes, reported, reveals, settled, window } = view;
    if (reveals.length === 0 || !isSeated(view, uid)) return;
    const owed: Message[] = [];
    if (!reported.includes(uid)) owed.push("report");
    if (settled !== null && !outcomes.includes(uid)) owed.push("outcome");
    const known = journal.all(window, "missed");
    for (const message of owed) {
      if (known.some((entry) => entry.message === message)) continue;
      const why = failures.get(message) ?? "the deadline passed while the validator did not run";
      await journal.append({ step: "missed", window, message, reason: why });
    }
  }

  /** Stop serving what was measured in a window that nobody can ask for any more. */
  async #forget(window: number): Promise<void> {
    const { ledger, store } = this.#parts;
    const view = window < 0 ? null : await windowOrNull(ledger, window);
    for (const { contentHash } of view?.reveals ?? []) await store.delete(blobKey(contentHash));
  }
}

/** `level`, but for what has been said already. */
function levelOf(error: unknown, level: LogLevel): LogLevel {
  return error instanceof BeaconUnavailable ? "debug" : level;
}

function isSeated(view: WindowView, uid: number): boolean {
  return view.snapshot.some((seat) => seat.uid === uid);
}

/** Whether a message about it can still arrive in time. */
function isOpen({ deadlines, settled, status }: WindowView, now: number): boolean {
  if (status === "skipped" || (status === "closed" && settled === null)) return false;
  return now < deadlines.outcome;
}
