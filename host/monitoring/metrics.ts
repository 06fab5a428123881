/**
 * What a party counts and measures, for Prometheus. Every label has few values: a uid, a reason of a fixed list.
 *
 * @module
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ComponentState } from "./component.ts";

/** Seconds, as judgements take them: the smallest model's part of one, the largest's minutes. */
const JUDGE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** Seconds of a call over a network or to a disk. */
const CALL_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** How a call ended: `refused` is an answer, too. */
export type CallOutcome = "ok" | "refused" | "failed";

/** What is known of a validator's key. */
export interface KeyAges {
  /** The slot. */
  readonly uid: number;
  /** Seconds since the enclave made its document. */
  readonly ageSeconds: number;
  /** Seconds until the key expires; negative once it has. */
  readonly expirySeconds: number;
}

/** The metrics of one process. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #windows: Counter;
  readonly #verdicts: Counter;
  readonly #judge: Histogram;
  readonly #store: Histogram;
  readonly #ledger: Histogram;
  readonly #retries: Counter;
  readonly #lines: Counter;
  readonly #queue: Gauge;
  readonly #asked: Gauge;
  readonly #current: Gauge;
  readonly #loss: Gauge;
  readonly #age: Gauge;
  readonly #expiry: Gauge;
  readonly #faults: Counter;

  /** `states` are asked for whenever the metrics are read. */
  constructor(states: () => readonly ComponentState[]) {
    const registers = [this.#registry];
    const counter = (name: string, help: string, labelNames: string[]) =>
      new Counter({ name, help, labelNames, registers });
    const gauge = (name: string, help: string, labelNames: string[] = []) =>
      new Gauge({ name, help, labelNames, registers });
    const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
      new Histogram({ name, help, labelNames, buckets, registers });
    this.#windows = counter("vramhub_windows_total", "Windows that ended, by how", ["outcome"]);
    this.#verdicts = counter("vramhub_verdicts_total", "Settled gradients, by verdict", [
      "verdict",
    ]);
    this.#judge = histogram(
      "vramhub_judge_seconds",
      "How long the judge took for a report or an outcome",
      ["kind", "outcome"],
      JUDGE_SECONDS,
    );
    this.#store = histogram(
      "vramhub_store_seconds",
      "How long the store took, by operation",
      ["operation", "outcome"],
      CALL_SECONDS,
    );
    this.#ledger = histogram(
      "vramhub_ledger_seconds",
      "How long the ledger took, by call",
      ["call", "outcome"],
      CALL_SECONDS,
    );
    this.#retries = counter(
      "vramhub_ledger_retries_total",
      "Calls on the ledger that failed for now, and are to be made again",
      ["call"],
    );
    this.#lines = counter("vramhub_log_lines_total", "Log lines, by level", ["level"]);
    this.#queue = gauge(
      "vramhub_judge_queue",
      "Gradients of ended windows that wait for this validator's report",
    );
    this.#asked = gauge("vramhub_judge_in_flight", "Judgements that the judge is asked for now");
    this.#current = gauge("vramhub_window", "The running window");
    this.#loss = gauge("vramhub_base_loss_nats", "Median loss of the base, of the last window");
    this.#age = gauge(
      "vramhub_attestation_age_seconds",
      "Since the enclave made the document of the registered key",
      ["uid"],
    );
    this.#expiry = gauge(
      "vramhub_key_expiry_seconds",
      "Until the registered key expires",
      ["uid"],
    );
    this.#faults = counter(
      "vramhub_component_faults_total",
      "How often a component stopped working, by reason",
      ["component", "uid", "reason"],
    );
    new Gauge({
      name: "vramhub_component_up",
      help: "Whether a component works; where not, 'reason' says why",
      labelNames: ["component", "uid", "reason"],
      registers,
      collect() {
        this.reset(); // a reason that has passed is no series any more
        for (const { component, fault, ok, uid } of states()) {
          this.set({ component, uid: uid ?? "", reason: fault?.reason ?? "" }, Number(ok));
        }
      },
    });
    new Gauge({
      name: "process_resident_memory_bytes",
      help: "Resident memory of this process",
      registers,
      collect() {
        this.set(Deno.memoryUsage().rss);
      },
    });
    const started = Date.now() / 1_000;
    gauge("process_start_time_seconds", "When this process started").set(started);
  }

  /** A window ended. */
  windowEnded(outcome: "closed" | "skipped" | "empty"): void {
    this.#windows.inc({ outcome });
  }

  /** A gradient was settled. */
  settled(verdict: string): void {
    this.#verdicts.inc({ verdict });
  }

  /** The judge answered, or did not. */
  judged(kind: string, outcome: CallOutcome, seconds: number): void {
    this.#judge.observe({ kind, outcome }, seconds);
  }

  /** The judge is asked for so many things more, or fewer. */
  asking(more: number): void {
    this.#asked.inc(more);
  }

  /** The store did something. */
  stored(operation: string, outcome: CallOutcome, seconds: number): void {
    this.#store.observe({ operation, outcome }, seconds);
  }

  /** The ledger did something; a call that failed, rather than being refused, is made again. */
  called(call: string, outcome: CallOutcome, seconds: number): void {
    this.#ledger.observe({ call, outcome }, seconds);
    if (outcome === "failed") this.#retries.inc({ call });
  }

  /** A line was logged. */
  logged(level: string): void {
    this.#lines.inc({ level });
  }

  /** How far the network is. */
  progress(window: number, queue: number, lossNats: number | null): void {
    this.#current.set(window);
    this.#queue.set(queue);
    if (lossNats !== null) this.#loss.set(lossNats);
  }

  /** The validators' keys. */
  keys(all: readonly KeyAges[]): void {
    this.#age.reset();
    this.#expiry.reset();
    for (const { ageSeconds, expirySeconds, uid } of all) {
      this.#age.set({ uid }, ageSeconds);
      this.#expiry.set({ uid }, expirySeconds);
    }
  }

  /** A component stopped working. */
  faulted({ component, fault, uid }: ComponentState): void {
    this.#faults.inc({ component, uid: uid ?? "", reason: fault?.reason ?? "failed" });
  }

  /** All of them in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Names of all metrics, histograms by their three series. */
  async names(): Promise<string[]> {
    const found = await this.#registry.getMetricsAsJSON();
    return found.flatMap(({ name, type }) =>
      String(type) === "histogram"
        ? ["bucket", "sum", "count"].map((part) => `${name}_${part}`)
        : [name]
    );
  }
}
