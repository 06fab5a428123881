/**
 * The validator's loop: for each window that ended, fetch, judge, verify, submit, settle, and draw the
 * outcome. The courier decides nothing: what it bends, the judge or the ledger refuses.
 *
 * @module
 */
import type { ModelConfig } from "../enclave/model/presets.ts";
import { paramManifest } from "../enclave/model/params.ts";
import { encodeSafetensors } from "../enclave/model/safetensors.ts";
import { CHUNK_BYTES } from "../enclave/protocol/base.ts";
import { type Bytes, equal, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { timeOfRound } from "../enclave/protocol/drand.ts";
import { LedgerError } from "../enclave/protocol/errors.ts";
import { sha256 } from "../enclave/protocol/hash.ts";
import { verifySignature } from "../enclave/protocol/identity.ts";
import type { Payload } from "../enclave/protocol/judge_messages.ts";
import { decodeOutcome, decodeReport } from "../enclave/protocol/report.ts";
import type { Attested } from "../attestation/mod.ts";
import { registerJudge } from "./attester.ts";
import { type JudgeClient, JudgeError } from "./courier/judge_client.ts";
import { outcomePayload, reportPayload, type RequestParts } from "./courier/request.ts";
import { discover, type Discovered } from "./discover.ts";
import type { Journal } from "./journal.ts";
import type { Clock } from "./ledger/clock.ts";
import type { Address, Ledger, WindowView } from "./ledger/ledger.ts";
import { type Log, reason } from "./ledger/log.ts";
import { type BeaconSource, windowRandomness } from "./ledger/randomness.ts";
import { type Base, type Bases, windowOrNull } from "./store/bases.ts";
import { blobKey } from "./store/keys.ts";
import type { Pages } from "./store/pages.ts";
import type { Store } from "./store/store.ts";

const TARGET = "vramhub_validator";
/** Reveals settled a call. */
const SETTLE_STEP = 32;

/** Phases of a judged window, in order. */
export type ValidatorPhase = "fetch" | "judge" | "report" | "settle" | "outcome";

/** What a validator tells its owner. */
export interface ValidatorEvents {
  /** A phase has begun. */
  phase(window: number, phase: ValidatorPhase, detail: string): void;
  /** The judge's document was verified. */
  attested(key: Bytes, attested: Attested): void;
  /** A window is closed or skipped. */
  ended(view: WindowView): void | Promise<void>;
}

/** What a validator works with. */
export interface ValidatorParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** Where gradients come from and measured ones are served. */
  readonly store: Store;
  /** Bases, brought forward by replay. */
  readonly bases: Bases;
  /** The data. */
  readonly pages: Pages;
  /** Randomness. */
  readonly beacon: BeaconSource;
  /** Time. */
  readonly clock: Clock;
  /** The judge. */
  readonly judge: JudgeClient;
  /** The model. */
  readonly model: ModelConfig;
  /** Who submits. */
  readonly owner: Address;
  /** The slot. */
  readonly uid: number;
  /** Signed bytes, before they are sent. */
  readonly journal: Journal;
  /** Log lines. */
  readonly log: Log;
  /** Progress. */
  readonly events: ValidatorEvents;
}

/** One validator. */
export class Validator {
  readonly #parts: ValidatorParts;
  #key: Bytes | undefined;

  /** A validator of these parts. */
  constructor(parts: ValidatorParts) {
    this.#parts = parts;
  }

  /** Attest and register the judge, wherever its key is not the registered one. */
  async attest(): Promise<void> {
    const { judge, ledger, owner, uid, events, log } = this.#parts;
    const { key, attested } = await registerJudge(judge, ledger, owner, uid);
    if (this.#key !== undefined && equal(this.#key, key)) return;
    this.#key = key;
    log("info", TARGET, "Enclave registered", {
      uid,
      key: toHex(key),
      measurement: attested.measurement,
    });
    events.attested(key, attested);
  }

  /** Judge the windows from `first` on, until `signal` aborts or `windows` of them have ended. */
  async run(first: number, windows: number, signal: AbortSignal): Promise<void> {
    const { clock, ledger, log, events } = this.#parts;
    for (let window = first; window < first + windows && !signal.aborted; window++) {
      try {
        const { end } = await this.#begun(window, signal);
        await clock.until(end, signal);
        await this.#judge(window, signal);
      } catch (error) {
        if (signal.aborted) return;
        log("error", TARGET, "Window failed", { window, reason: reason(error) });
        await this.#missed(window, reason(error));
      }
      const view = await this.#ended(window, signal).catch((error) => {
        if (!signal.aborted) throw error;
        return null;
      });
      if (view !== null) {
        await events.ended(view);
        await this.#forget(window - view.hparams.retention_windows);
      }
      await this.#healthy();
    }
    log("info", TARGET, "Validator stopping", { window: await ledger.currentWindow() });
  }

  /** Deadlines of a window once it has begun. */
  async #begun(window: number, signal: AbortSignal): Promise<{ end: number }> {
    const { clock, ledger } = this.#parts;
    for (;;) {
      const current = await ledger.currentWindow();
      const view = await windowOrNull(ledger, Math.min(window, current));
      if (view === null) return { end: ledger.now() }; // nobody called in it: nothing to judge
      if (window <= current) return view.deadlines;
      await clock.until(view.deadlines.end, signal);
    }
  }

  /** A judge that restarted has a new key: attest again before the next reveals are due. */
  async #healthy(): Promise<void> {
    const { log } = this.#parts;
    try {
      await this.attest();
    } catch (error) {
      log("error", TARGET, "Judge not attested", { reason: reason(error) });
    }
  }

  /** Stop serving what was measured in a window that nobody can ask for any more. */
  async #forget(window: number): Promise<void> {
    const { ledger, store } = this.#parts;
    const view = await windowOrNull(ledger, window);
    for (const { contentHash } of view?.reveals ?? []) await store.delete(blobKey(contentHash));
  }

  async #missed(window: number, why: string): Promise<void> {
    await this.#parts.journal.append({ step: "missed", window, reason: why });
  }

  /** Wait until the window is closed or skipped, closing it when its time is over. */
  async #ended(window: number, signal: AbortSignal): Promise<WindowView | null> {
    const { clock, ledger } = this.#parts;
    for (;;) {
      const view = await windowOrNull(ledger, window);
      if (view === null || view.status === "closed" || view.status === "skipped") return view;
      const { outcome } = view.deadlines;
      await clock.until(outcome, signal);
      await ledger.close(window);
    }
  }

  async #judge(window: number, signal: AbortSignal): Promise<void> {
    const { beacon, bases, clock, events, ledger, log, model, pages, store } = this.#parts;
    let view = await windowOrNull(ledger, window);
    if (view === null || view.status === "closed" || view.status === "skipped") return;
    if (view.reveals.length === 0) return await ledger.close(window);
    log("info", TARGET, "Starting validation window", { window, gradients: view.reveals.length });
    events.phase(window, "fetch", `${view.reveals.length} gradients`);
    const discovered = await discover(view, store, model, log);
    const base = await bases.reach(view.baseHash, window);
    const { randomness } = view.context;
    if (randomness.kind === "drand") {
      await clock.until(timeOfRound(beacon.chain, BigInt(randomness.judgeRound)), signal);
    }
    const parts: RequestParts = {
      view,
      dataset: pages.dataset,
      pages,
      model,
      randomness: await windowRandomness(view, beacon),
      unavailable: discovered.unavailable,
    };
    if (!view.reported.includes(this.#parts.uid)) await this.#report(parts, base, discovered);
    view = await this.#settle(window, signal);
    if (view.settled === null || view.outcomes.includes(this.#parts.uid)) return;
    const next = await ledger.window(window + 1);
    const nextBase = await bases.reach(next.baseHash, window + 1);
    await this.#outcome({ ...parts, view }, nextBase, discovered);
  }

  async #report(parts: RequestParts, base: Base, discovered: Discovered): Promise<void> {
    const { events, ledger, log, owner } = this.#parts;
    const { view } = parts;
    const { window } = view;
    events.phase(window, "judge", `${discovered.found.size} gradients`);
    const signed = await this.#signed(
      "report_signed",
      window,
      () => this.#ask(reportPayload(parts, base.manifest), base, discovered),
    );
    const report = decodeReport(signed.message);
    // What the ledger will check is checked here first: a courier that errs finds out at once.
    if (!equal(report.windowDigest, view.digest)) {
      throw new TypeError(
        `The judge reported another window digest, ${toHex(report.windowDigest)}`,
      );
    }
    events.phase(window, "report", `${report.entries.length} verdicts`);
    log("info", TARGET, `Submitting ${report.entries.length} scores to chain`, { window });
    await unlessDone(() => ledger.submitReport(owner, signed.message, signed.signature));
    await this.#parts.journal.append({ step: "report_submitted", window });
  }

  async #settle(window: number, signal: AbortSignal): Promise<WindowView> {
    const { clock, events, ledger } = this.#parts;
    let view = await ledger.window(window);
    events.phase(window, "settle", `${view.reported.length}/${view.snapshot.length} reports`);
    // Before the deadline a settlement needs every report: wait for the others.
    while (view.reported.length < view.snapshot.length && ledger.now() < view.deadlines.report) {
      const soon = Math.min(ledger.now() + 250, view.deadlines.report);
      await clock.until(soon, signal);
      view = await ledger.window(window);
    }
    while (!(await ledger.settle(window, SETTLE_STEP)));
    return await ledger.window(window);
  }

  async #outcome(parts: RequestParts, base: Base, discovered: Discovered): Promise<void> {
    const { events, ledger, owner } = this.#parts;
    const { window } = parts.view;
    events.phase(window, "outcome", "ratings and merge");
    const signed = await this.#signed(
      "outcome_signed",
      window,
      () => this.#ask(outcomePayload(parts, base.manifest), base, discovered),
    );
    if (!equal(decodeOutcome(signed.message).settledDigest, parts.view.settled!.digest)) {
      throw new TypeError("The judge's outcome is of another settlement");
    }
    await unlessDone(() => ledger.submitOutcome(owner, signed.message, signed.signature));
    await this.#parts.journal.append({ step: "outcome_submitted", window });
  }

  /** Bytes signed by the current key: from the journal after a crash, else from the judge, journalled before use. */
  async #signed(
    step: "report_signed" | "outcome_signed",
    window: number,
    ask: () => Promise<{ message: Bytes; signature: Bytes }>,
  ): Promise<{ message: Bytes; signature: Bytes }> {
    const { journal } = this.#parts;
    const key = this.#key!;
    const kept = journal.find(window, step);
    if (kept !== undefined && kept.key === toHex(key)) {
      return { message: fromHex(kept.message), signature: fromHex(kept.signature) };
    }
    const { message, signature } = await ask();
    if (!verifySignature(signature, message, key)) {
      throw new TypeError("The judge's signature is not by its attested key");
    }
    await journal.append({
      step,
      window,
      message: toHex(message),
      signature: toHex(signature),
      key: toHex(key),
    });
    return { message, signature };
  }

  /** Hand over the gradients, then ask; a judge that lacks the base says so and gets it. */
  async #ask(
    payload: Payload,
    base: Base,
    discovered: Discovered,
  ): Promise<{ message: Bytes; signature: Bytes }> {
    const { judge } = this.#parts;
    for (const bytes of discovered.found.values()) await ensureBlob(judge, bytes);
    try {
      return await judge.process(payload);
    } catch (error) {
      if (!(error instanceof JudgeError) || error.code !== "missing_blob") throw error;
    }
    const file = encodeSafetensors(paramManifest(this.#parts.model), base.theta);
    for (let at = 0; at < file.length; at += CHUNK_BYTES) {
      await ensureBlob(judge, file.subarray(at, at + CHUNK_BYTES));
    }
    return await judge.process(payload);
  }
}

async function ensureBlob(judge: JudgeClient, bytes: Bytes): Promise<void> {
  const hash = sha256(bytes);
  if (!(await judge.hasBlob(hash))) await judge.putBlob(hash, bytes);
}

/** After a crash the message may have gone through: then the ledger says so, and that is as good. */
async function unlessDone(call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof LedgerError) || error.constant !== "EAlreadySubmitted") throw error;
  }
}
