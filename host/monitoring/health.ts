/**
 * How a party's components are: each is asked every few seconds, and what ended by itself may be told at once.
 *
 * @module
 */
import { pause } from "../ledger/clock.ts";
import { timeLimit } from "../store/time_limit.ts";
import type { ComponentName, ComponentState, Fault } from "./component.ts";
import { faultOf } from "./fault.ts";

/** How often each component is asked. */
const EVERY_MS = 2_000;
/** How long it may take to answer. With the pause before it, a stop shows in less than ten seconds. */
const LIMIT_MS = 5_000;

/** Asks a component; throws where it does not work. */
export type Probe = (signal: AbortSignal) => Promise<unknown>;

/** Hears of a component that has stopped working, or works again. */
export type HealthListener = (state: ComponentState) => void;

/** See {@link Health}. */
export interface HealthOptions {
  /** Hears of changes. */
  readonly onChange?: HealthListener;
  /** How often each component is asked; default 2 s. */
  readonly everyMs?: number;
  /** How long it may take to answer; default 5 s. */
  readonly limitMs?: number;
  /** The machine's time. */
  readonly now?: () => number;
  /** Takes secrets out of what is told of a fault. */
  readonly redact?: (text: string) => string;
}

interface Watched {
  readonly probe: Probe | null;
  state: ComponentState;
  busy: boolean;
}

/** The components of one process. */
export class Health {
  readonly #watched = new Map<string, Watched>();
  readonly #options: Required<HealthOptions>;
  #beatMs: number;

  /** Of no component yet. */
  constructor(options: HealthOptions = {}) {
    this.#options = {
      onChange: () => {},
      everyMs: EVERY_MS,
      limitMs: LIMIT_MS,
      now: Date.now,
      redact: (text) => text,
      ...options,
    };
    this.#beatMs = this.#options.now();
  }

  /** Watch a component, which works until it is seen not to; without a probe it is only told of by {@link failed}. */
  watch(component: ComponentName, uid: number | null, probe: Probe | null): void {
    const sinceMs = this.#options.now();
    const state = { component, uid, ok: true, fault: null, sinceMs, last: null };
    this.#watched.set(keyOf(component, uid), { probe, state, busy: false });
  }

  /** Watch a component without a probe, unless it is watched. */
  watchOnce(component: ComponentName, uid: number | null): void {
    if (!this.#watched.has(keyOf(component, uid))) this.watch(component, uid, null);
  }

  /** A component does not work, as is known without asking it. Its next probe says whether it works again. */
  failed(component: ComponentName, uid: number | null, fault: Fault): void {
    const watched = this.#watched.get(keyOf(component, uid));
    if (watched !== undefined) this.#set(watched, fault);
  }

  /** A component without a probe works again. */
  works(component: ComponentName, uid: number | null): void {
    const watched = this.#watched.get(keyOf(component, uid));
    if (watched !== undefined) this.#set(watched, null);
  }

  /** How all of them are. */
  get states(): readonly ComponentState[] {
    return [...this.#watched.values()].map(({ state }) => state);
  }

  /** How long ago the components were asked for the last time: a process that hangs asks none. */
  get ageMs(): number {
    return this.#options.now() - this.#beatMs;
  }

  /** Ask all of them, once. Never throws. */
  async ask(): Promise<void> {
    this.#beatMs = this.#options.now();
    await Promise.all([...this.#watched.values()].map((watched) => this.#ask(watched)));
  }

  /** Ask all of them until `signal` aborts; `each` follows every round. One that hangs does not keep the others. */
  async run(signal: AbortSignal, each: () => Promise<void> | void = () => {}): Promise<void> {
    while (!signal.aborted) {
      void this.ask();
      await each();
      await pause(this.#options.everyMs, signal);
    }
  }

  async #ask(watched: Watched): Promise<void> {
    const { busy, probe } = watched;
    if (probe === null || busy) return;
    watched.busy = true;
    using limit = timeLimit(this.#options.limitMs);
    try {
      await Promise.race([probe(limit.signal), rejection(limit.signal)]);
      this.#set(watched, null);
    } catch (error) {
      this.#set(watched, faultOf(error));
    } finally {
      watched.busy = false;
    }
  }

  #set(watched: Watched, found: Fault | null): void {
    const { state } = watched;
    const fault = found && { ...found, detail: this.#options.redact(found.detail) };
    const now = this.#options.now();
    const isNew = state.fault?.reason !== fault?.reason;
    const last = state.fault !== null && isNew
      ? { ...state.fault, fromMs: state.sinceMs, untilMs: now }
      : state.last;
    const sinceMs = isNew ? now : state.sinceMs;
    watched.state = { ...state, ok: fault === null, fault, sinceMs, last };
    if (isNew) this.#options.onChange(watched.state);
  }
}

function keyOf(component: ComponentName, uid: number | null): string {
  return `${component} ${uid}`;
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
}
