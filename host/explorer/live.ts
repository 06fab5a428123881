/**
 * What pages are told as it happens, by server-sent events: that the ledger changed, or cannot be read.
 *
 * @module
 */
import type { Ledger } from "../ledger/ledger.ts";
import { reason } from "../ledger/log.ts";
import type { ToldState } from "../monitoring/component.ts";
import { pause } from "../ledger/clock.ts";
import type { WindowIndex } from "./window_index.ts";

/** Pages that listen at a time. */
const MAX_LISTENERS = 64;
/** Events of one reading. */
const PAGE = 1_000;
/** Without an event the index is refreshed all the same: windows begin by time alone. */
const REFRESH_MS = 5_000;
/** How often the components' signs of life are read. */
const COMPONENTS_MS = 1_000;
/** A line now and then keeps tunnels open. */
const HEARTBEAT_MS = 15_000;

/** What is watched. */
export interface LiveParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** Its windows. */
  readonly index: WindowIndex;
  /** How often the log is read. */
  readonly pollMs: number;
  /** How the components are; without it nothing is told of them. */
  readonly components?: () => Promise<readonly ToldState[]>;
}

/** See the module. */
export class Live {
  readonly #parts: LiveParts;
  readonly #listeners = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #encoder = new TextEncoder();
  #seq = 0;
  #fault: string | null = null;

  /** Watches nothing until {@link run}. */
  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  /** Why the ledger could not be read the last time; null where it could. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Watch until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { index, ledger, pollMs } = this.#parts;
    let started = false;
    let refreshed = 0;
    let beaten = Date.now();
    while (!signal.aborted) {
      try {
        if (!started) this.#seq = await lastEvent(ledger);
        started = true;
        const events = await ledger.events(this.#seq, PAGE);
        this.#seq = events.at(-1)?.seq ?? this.#seq;
        if (events.length > 0 || Date.now() - refreshed >= REFRESH_MS || this.#fault !== null) {
          await index.refresh();
          refreshed = Date.now();
          const kinds = [...new Set(events.map(({ kind }) => kind))].sort();
          this.#fault = null;
          this.#tell("change", { seq: this.#seq, window: index.current, kinds });
        }
      } catch (error) {
        this.#fault = reason(error);
        this.#tell("fault", { reason: this.#fault });
      }
      if (Date.now() - beaten >= HEARTBEAT_MS) {
        this.#send(": here\n\n");
        beaten = Date.now();
      }
      await pause(pollMs, signal);
    }
    for (const listener of this.#listeners) end(listener);
    this.#listeners.clear();
  }

  /** Tell of components that stopped working or work again, until `signal` aborts. */
  async watchComponents(signal: AbortSignal): Promise<void> {
    const { components } = this.#parts;
    if (components === undefined) return;
    for (let known = ""; !signal.aborted;) {
      const states = await components().catch(() => null); // a folder that cannot be read says nothing
      const now = states === null ? known : JSON.stringify(states.map(whatMatters));
      if (now !== known) {
        known = now;
        this.#tell("components", { down: states!.filter(({ ok }) => !ok).length });
      }
      await pause(COMPONENTS_MS, signal);
    }
  }

  #tell(event: string, data: unknown): void {
    this.#send(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  #send(text: string): void {
    const bytes = this.#encoder.encode(text);
    for (const listener of this.#listeners) {
      // One that does not read is let go: its page comes back by itself.
      if ((listener.desiredSize ?? 0) > -PAGE) listener.enqueue(bytes);
      else {
        this.#listeners.delete(listener);
        end(listener);
      }
    }
  }

  /** The stream of a new page, or null where too many listen. */
  listen(): ReadableStream<Uint8Array> | null {
    if (this.#listeners.size >= MAX_LISTENERS) return null;
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream({
      start: (controller) => {
        own = controller;
        this.#listeners.add(own);
        own.enqueue(this.#encoder.encode("retry: 1000\n\n"));
      },
      cancel: () => {
        this.#listeners.delete(own);
      },
    });
  }
}

/** What of a component pages show. */
function whatMatters({ by, component, fault, last, uid }: ToldState) {
  return [by, component, uid, fault?.reason, last?.untilMs];
}

function end(listener: ReadableStreamDefaultController<Uint8Array>): void {
  try {
    listener.close();
  } catch {
    // Its page went at this moment.
  }
}

/** Number of the newest event, found without reading the log. */
async function lastEvent(ledger: Ledger): Promise<number> {
  const exists = async (seq: number) => (await ledger.events(seq - 1, 1)).length > 0;
  let high = 1;
  while (await exists(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await exists(middle)) low = middle;
    else high = middle;
  }
  return low;
}
