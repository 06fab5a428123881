/**
 * One party's monitoring, put together: its components are asked how they are, its work is counted, and both are told to
 * its log, to Prometheus, to the folder that the explorer reads, and to Weights & Biases where that was asked for.
 *
 * @module
 */
import type { JudgeLike } from "../courier/judge_like.ts";
import type { Ledger, WindowView } from "../ledger/ledger.ts";
import { type Log, reason } from "../ledger/log.ts";
import type { Store } from "../store/store.ts";
import { Beats, type Party, partyName, readBeats } from "./beats.ts";
import { type ComponentState, nameOf } from "./component.ts";
import { follow } from "./follow.ts";
import { Health, type HealthOptions } from "./health.ts";
import { metered, meteredJudge } from "./metered.ts";
import { Metrics } from "./metrics.ts";
import { type MetricsServer, type Place, serveMetrics } from "./server.ts";
import type { MonitoringBackend } from "./wandb.ts";
import { windowValues } from "./window_values.ts";

const TARGET = "vramhub_monitoring";
/** Calls are told of one by one only where this module is asked to speak. */
const CALLS = "vramhub_calls";
/** Of the time of a window, how often the ledger is looked at. */
const LOOKS = 60;
const LEAST_LOOK_MS = 1_000;
const MOST_LOOK_MS = 15_000;
/** How long what is being asked may keep a party from ending. */
const END_MS = 3_000;
/** A process whose components were not asked for so long hangs. */
const HANGS_MS = 60_000;

/** What a monitor is opened with. */
export interface MonitorOptions {
  /** Log lines. */
  readonly log: Log;
  /** Where metrics are served; null serves none. */
  readonly metricsAt?: Place | null;
  /** How components are asked. */
  readonly health?: Pick<HealthOptions, "everyMs" | "limitMs" | "redact">;
}

/** What a party begins its work with. */
export interface BeginOptions {
  /** Which party. */
  readonly party: Party;
  /** The data directory, where others see it. */
  readonly dataDir: string;
  /** The ledger. */
  readonly ledger: Ledger;
  /** Slots of this process's validators. */
  readonly validators?: readonly number[];
  /** Slot of this process's miner, for what is reported of it. */
  readonly miner?: number | null;
  /** Where windows are reported, or null. */
  readonly backend?: MonitoringBackend | null;
}

/** See the module. */
export class Monitor implements AsyncDisposable {
  /** The components. */
  readonly health: Health;
  /** The numbers. */
  readonly metrics: Metrics;
  readonly #log: Log;
  readonly #server: MetricsServer | null;
  readonly #stop = new AbortController();
  #stage: string | null = "its start";
  #beats: Beats | undefined;
  /** The other parties of the data directory. */
  #others: readonly ComponentState[] = [];
  #backend: MonitoringBackend | null = null;
  #work: Promise<unknown>[] = [];

  /**
   * Serve the metrics, where that is asked for; nothing is watched yet.
   *
   * @throws {Deno.errors.AddrInUse} where another process listens there.
   */
  constructor({ health, log, metricsAt = null }: MonitorOptions) {
    this.#log = log;
    this.health = new Health({ ...health, onChange: (state) => this.#changed(state) });
    this.metrics = new Metrics(() => [...this.health.states, ...this.#others]);
    this.#server = metricsAt === null ? null : serveMetrics(metricsAt, {
      metrics: () => this.metrics.text(),
      contentType: this.metrics.contentType,
      waitsFor: () => this.waitsFor,
      hangs: () =>
        this.#beats !== undefined && this.health.ageMs > HANGS_MS
          ? "its components were not asked for a minute"
          : null,
    });
  }

  /** Where the metrics are, or null. */
  get url(): string | null {
    return this.#server?.url ?? null;
  }

  /** What the party waits for before it works, or works again. */
  get waitsFor(): readonly string[] {
    const faults = this.health.states.filter(({ ok }) => !ok).map((state) =>
      `${nameOf(state)}: ${state.fault!.reason}: ${state.fault!.detail}`
    );
    return this.#stage === null ? faults : [this.#stage, ...faults];
  }

  /** What a start is at. */
  stage(what: string): void {
    this.#stage = what;
  }

  /** The same ledger, measured. */
  ledger<L extends Ledger>(ledger: L): L {
    return metered(ledger, (call, outcome, seconds) => {
      this.metrics.called(call, outcome, seconds);
      this.#told("ledger", call, outcome, seconds);
    });
  }

  /** The same store, measured. */
  store<S extends Store>(store: S): S {
    return metered(store, (operation, outcome, seconds) => {
      this.metrics.stored(operation, outcome, seconds);
      this.#told("store", operation, outcome, seconds);
    });
  }

  /** The same judge, measured. */
  judge<J extends JudgeLike>(judge: J): J {
    return meteredJudge(judge, {
      asking: (more) => this.metrics.asking(more),
      judged: (kind, outcome, seconds) => {
        this.metrics.judged(kind, outcome, seconds);
        this.#told("judge", kind, outcome, seconds);
      },
    });
  }

  #told(of: string, call: string, outcome: string, seconds: number): void {
    const ms = Math.round(seconds * 1_000);
    this.#log("debug", CALLS, "Call ended", { of, call, outcome, ms });
  }

  /** The start is over: what the party waits for now is said by its components. */
  ready(): void {
    this.#stage = null;
  }

  /** From now on its components are asked, its windows counted, and others are told. */
  async begin(options: BeginOptions): Promise<void> {
    const { backend = null, dataDir, ledger, miner = null, party, validators = [] } = options;
    const { signal } = this.#stop;
    this.#backend = backend;
    this.#beats = await Beats.open(dataDir, party);
    const { hparams } = await ledger.window(await ledger.currentWindow());
    const everyMs = Math.min(MOST_LOOK_MS, Math.max(LEAST_LOOK_MS, hparams.window_ms / LOOKS));
    const ended = (view: WindowView) =>
      backend?.record(view.window, windowValues(view, miner, validators));
    const { metrics } = this;
    this.#work = [
      this.health.run(signal, async () => {
        await this.#beat();
        await this.#lookAround(dataDir, partyName(party));
      }),
      follow(ledger, {
        windowEnded: (outcome) => metrics.windowEnded(outcome),
        settled: (verdict) => metrics.settled(verdict),
        progress: (...now) => metrics.progress(...now),
        keys: (all) => metrics.keys(all),
        ended,
      }, { validators, everyMs, signal }),
    ];
  }

  async #beat(stopped = false): Promise<void> {
    if (this.#stop.signal.aborted && !stopped) return;
    await this.#beats?.write(this.health.states, stopped).catch((error) =>
      this.#log("debug", TARGET, "No sign of life written", { reason: reason(error) })
    );
  }

  /** How the other parties of the data directory are; their own components they tell of themselves. */
  async #lookAround(dataDir: string, self: string): Promise<void> {
    const told = await readBeats(dataDir).catch(() => null);
    if (told === null) return;
    const others = told.filter((state) => state.by !== self && state.by === partyName(state));
    for (const state of others) {
      const known = this.#others.find((other) => partyName(other) === state.by);
      if (!state.ok && known?.fault?.reason !== state.fault?.reason) this.metrics.faulted(state);
    }
    this.#others = others;
  }

  #changed(state: ComponentState): void {
    if (this.#stop.signal.aborted) return;
    const { component, fault, uid } = state;
    const slot = uid === null ? {} : { uid };
    if (fault === null) {
      this.#log("info", TARGET, "Component works again", { component, ...slot });
    } else {
      this.metrics.faulted(state);
      this.#log("warn", TARGET, "Component stopped working", { component, ...slot, ...fault });
    }
    void this.#beat();
  }

  /** From here on the party ends: nothing is asked any more, and what ends with it has not failed. May be called again. */
  stopping(): void {
    this.#stop.abort();
  }

  /** Say that the party stops, and end everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping();
    // A call that hangs is not waited for: the party ends.
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, END_MS);
    await Promise.race([Promise.all(this.#work), late.promise]);
    clearTimeout(timer);
    await this.#beat(true);
    await this.#backend?.[Symbol.asyncDispose]();
    await this.#server?.[Symbol.asyncDispose]();
  }
}
