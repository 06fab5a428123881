/**
 * The judgement of one window: fetch, judge, verify, submit, settle, and draw the outcome. Each part asks the
 * ledger first how far it has come, so that it can be begun again at any moment.
 *
 * @module
 */
import type { ModelConfig } from "../enclave/model/presets.ts";
import { type Bytes, equal, toHex } from "../enclave/protocol/bytes.ts";
import { timeOfRound } from "../enclave/protocol/drand.ts";
import { LedgerError } from "../enclave/protocol/errors.ts";
import type { Payload } from "../enclave/protocol/judge_messages.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { decodeOutcome, decodeReport } from "../enclave/protocol/report.ts";
import { sampledUids } from "../enclave/protocol/sample.ts";
import type { AttestedJudge, JudgeParts, Question, SignedMessage } from "./attested_judge.ts";
import { JudgeError } from "./courier/judge_error.ts";
import { outcomePayload, reportPayload, type RequestParts } from "./courier/request.ts";
import { discover, type Discovered } from "./discover.ts";
import { GradientReader } from "./gradient_reader.ts";
import type { Clock } from "./ledger/clock.ts";
import type { RevealRow, WindowView } from "./ledger/ledger.ts";
import { type BeaconSource, windowRandomness, withSeeds } from "./ledger/randomness.ts";
import { pauseFor } from "./ledger/retry.ts";
import { during } from "./ledger/work.ts";
import type { Base, Bases } from "./store/bases.ts";
import { getBlob } from "./store/blob.ts";
import { Chunks } from "./store/chunks.ts";
import type { PageSource } from "./store/pages.ts";
import type { Store } from "./store/store.ts";

const TARGET = "vramhub_validator";
/** Reveals settled a call. */
const SETTLE_STEP = 32;
/** How often a settlement looks for the reports of others, in milliseconds. */
const POLL_MS = 250;

/** Phases of a judged window, in order. */
export type ValidatorPhase = "fetch" | "judge" | "report" | "settle" | "outcome";

/** What a judgement works with. */
export interface JudgementParts extends JudgeParts {
  /** The store that all share: measured gradients are served there. */
  readonly store: Store;
  /** Reads what miners reveal, also from buckets of their own; without it, from the shared store alone. */
  readonly gradients?: GradientReader;
  /** Bases, brought forward by replay. */
  readonly bases: Bases;
  /** The data. */
  readonly pages: PageSource;
  /** Randomness. */
  readonly beacon: BeaconSource;
  /** Time. */
  readonly clock: Clock;
  /** The model. */
  readonly model: ModelConfig;
  /** What of a packaged model the judge takes by hash: its graph, and its frozen weights. */
  readonly modelBlobs?: readonly { readonly hash: Bytes; readonly bytes: Bytes }[];
}

/** What both questions of a window are made of. */
interface Inputs {
  readonly request: Omit<RequestParts, "view" | "unavailable">;
  readonly discovered: Discovered;
}

/** The judgement of one window, which is over and has reveals. */
export class Judgement {
  readonly #parts: JudgementParts;
  readonly #judge: AttestedJudge;
  readonly #phase: (phase: ValidatorPhase, detail: string) => void;
  readonly #signal: AbortSignal;
  readonly #window: number;
  #inputs: Inputs | undefined;

  /** Of `window`, by `judge`, which is attested. */
  constructor(
    parts: JudgementParts,
    judge: AttestedJudge,
    window: number,
    phase: (phase: ValidatorPhase, detail: string) => void,
    signal: AbortSignal,
  ) {
    this.#parts = parts;
    this.#judge = judge;
    this.#window = window;
    this.#phase = phase;
    this.#signal = signal;
  }

  /**
   * Report, unless the ledger has the report.
   *
   * @throws {Refusal} `too_late` or `key_too_new` where the ledger takes none any more.
   */
  async report(): Promise<void> {
    const { ledger, log, owner, uid } = this.#parts;
    const window = this.#window;
    const closed = await ledger.window(window);
    if (closed.reported.includes(uid)) return;
    if (closed.status !== "open" || ledger.now() >= closed.deadlines.report) {
      throw new Refusal("too_late", `Window ${window} takes no reports any more`);
    }
    const registered = await ledger.enclave(uid);
    if (registered !== null && registered.registeredMs >= closed.deadlines.reveal) {
      throw new Refusal(
        "key_too_new",
        "The judge's key was registered after the reveals were over",
      );
    }
    const view = await withSeeds(ledger, owner, closed);
    const { discovered, request } = await this.#gather(view);
    const { found } = discovered;
    const base = await this.#parts.bases.reach(view.baseHash, window);
    this.#phase("judge", `${found.length} gradients`);
    const signed = await this.#signed("judge", {
      window,
      kind: "report",
      unavailable: discovered.unavailable,
      ask: async (unavailable) => {
        const parts = { ...request, view, unavailable };
        return await this.#ask(await reportPayload(parts, base.manifest), base, found);
      },
      check: (message) => {
        const { windowDigest } = decodeReport(message);
        if (equal(windowDigest, view.digest)) return;
        const digest = toHex(windowDigest);
        throw new Refusal("wrong_digest", `The judge reported another window digest, ${digest}`);
      },
    });
    const { entries } = decodeReport(signed.message);
    this.#phase("report", `${entries.length} verdicts`);
    log("info", TARGET, `Submitting ${entries.length} scores to chain`, { window });
    await during("report", this.#about, () => this.#judge.submit("report", window, signed));
  }

  /** Settle once the reports are in, then sign the outcome, unless the ledger has it or there is none. */
  async outcome(): Promise<void> {
    const { bases, journal, ledger, uid } = this.#parts;
    const window = this.#window;
    if (journal.find(window, "settling") === undefined) {
      await journal.append({ step: "settling", window });
    }
    const view = await during("settle", this.#about, () => this.#settle());
    const { settled } = view;
    if (view.status === "skipped" || settled === null || view.outcomes.includes(uid)) return;
    if (ledger.now() >= view.deadlines.outcome) {
      throw new Refusal("too_late", `Window ${window} takes no outcomes any more`);
    }
    const { discovered, request } = await this.#gather(view);
    const { baseHash } = await ledger.window(window + 1);
    const base = await bases.reach(baseHash, window + 1);
    this.#phase("outcome", "ratings and merge");
    const signed = await this.#signed("outcome", {
      window,
      kind: "outcome",
      unavailable: discovered.unavailable,
      ask: async (unavailable) => {
        const parts = { ...request, view, unavailable };
        const payload = await outcomePayload(parts, base.manifest);
        return await this.#ask(payload, base, discovered.found);
      },
      check: (message) => {
        if (equal(decodeOutcome(message).settledDigest, settled.digest)) return;
        throw new Refusal("wrong_digest", "The judge's outcome is of another settlement");
      },
    });
    await this.#judge.submit("outcome", window, signed);
  }

  #signed(phase: ValidatorPhase, question: Question): Promise<SignedMessage> {
    return during(phase, this.#about, () => this.#judge.signed(question));
  }

  /** What this is about, for whoever watches. */
  get #about() {
    return { window: this.#window, uid: this.#parts.uid };
  }

  /** Gradients and randomness, fetched once. */
  async #gather(view: WindowView): Promise<Inputs> {
    return this.#inputs ??= await during("fetch", this.#about, () => this.#fetch(view));
  }

  async #fetch(view: WindowView): Promise<Inputs> {
    const { beacon, clock, ledger, log, model, owner, pages, store } = this.#parts;
    const { window, reveals, deadlines, hparams } = view;
    log("info", TARGET, "Starting validation window", { window, gradients: reveals.length });
    this.#phase("fetch", `${reveals.length} gradients`);
    const { randomness: drawn } = view.context;
    if (drawn.kind === "drand") {
      const due = timeOfRound(beacon.chain, BigInt(drawn.judgeRound));
      await clock.until(due, this.#signal);
    }
    const randomness = await windowRandomness(view, beacon);
    const sampled = sampledUids(reveals, {
      maxJudged: hparams.max_judged,
      ledgerId: view.context.ledgerId,
      window,
      beacon: randomness.judge,
    });
    const measured = reveals.filter(({ uid }) => sampled.has(uid));
    const discovered = await discover({ ...view, reveals: measured }, {
      reader: this.#parts.gradients ?? new GradientReader({ ledger, owner, store }),
      store,
      model,
      log,
      patience: {
        clock,
        // Half of the time that is left is the judge's, also where the last window or a load came in between.
        deadline: (clock.now() + deadlines.report) / 2,
        pauseMs: pauseFor(hparams.window_ms),
        signal: this.#signal,
      },
    });
    const request = { dataset: pages.dataset, pages, model, randomness };
    return { request, discovered };
  }

  async #settle(): Promise<WindowView> {
    const { clock, ledger } = this.#parts;
    const window = this.#window;
    for (let shown = -1;;) {
      const view = await ledger.window(window);
      const { deadlines, reported, snapshot, status } = view;
      if (status === "settled" || status === "closed" || status === "skipped") return view;
      if (shown !== reported.length) {
        this.#phase("settle", `${reported.length}/${snapshot.length} reports`);
      }
      shown = reported.length;
      const now = ledger.now();
      // Before the deadline a settlement needs every report: wait for the others.
      if (reported.length < snapshot.length && now < deadlines.report) {
        await clock.until(Math.min(now + POLL_MS, deadlines.report), this.#signal);
        continue;
      }
      try {
        while (!(await ledger.settle(window, SETTLE_STEP)));
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
        // Another validator was faster, or there was no quorum: the window is closed, and says how.
        if (error.constant === "ENoQuorum") await ledger.close(window);
        else if (error.constant !== "EClosed") throw error;
      }
    }
  }

  /** Hand over the gradients, then ask; a judge that lacks the model or the base says so and gets it. */
  async #ask(
    payload: Payload,
    base: Base,
    gradients: readonly RevealRow[],
  ): Promise<SignedMessage> {
    const { judge, model, modelBlobs = [], store } = this.#parts;
    const handOver = async () => {
      for (const { contentHash, size } of gradients) {
        if (await judge.hasBlob(contentHash)) continue;
        await judge.putBlob(contentHash, await getBlob(store, contentHash, size));
      }
    };
    await handOver();
    const first = await this.#unlessMissing(payload);
    if (first !== null) return first;
    // The model first and alone: loaded, it makes room for the base's chunks.
    for (const { hash, bytes } of modelBlobs) {
      if (!await judge.hasBlob(hash)) await judge.putBlob(hash, bytes);
    }
    const second = modelBlobs.length === 0 ? null : await this.#unlessMissing(payload);
    if (second !== null) return second;
    const chunks = Chunks.of(model, base.theta);
    for (const [i, hash] of base.manifest.chunks.entries()) {
      if (!await judge.hasBlob(hash)) await judge.putBlob(hash, chunks.at(i));
    }
    await handOver(); // a large model may have pushed them out
    return await judge.process(payload);
  }

  /** The judge's answer, or null where it lacks a blob. */
  async #unlessMissing(payload: Payload): Promise<SignedMessage | null> {
    try {
      return await this.#parts.judge.process(payload);
    } catch (error) {
      if (error instanceof JudgeError && error.code === "missing_blob") return null;
      throw error;
    }
  }
}
