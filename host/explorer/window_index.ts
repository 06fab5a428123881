/**
 * The list of windows in memory, so that a list or a curve over thousands of them costs no read of each: what has
 * ended is read once, what is still moving each time.
 *
 * @module
 */
import { equal } from "../../enclave/protocol/bytes.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import type { Ledger, WindowMessages, WindowView } from "../ledger/ledger.ts";
import type { WindowSummary } from "../ledger/summary.ts";
import { windowDetail } from "./detail.ts";
import { toWire, type Wire } from "./wire.ts";

/** Windows that are remembered: two years of ten minutes each. */
const MAX_KEPT = 110_000;
/** Details that are kept. */
const MAX_DETAILS = 32;
/** Newest windows that every refresh reads again. */
const MOVING = 6;
/** Of so many newest windows those that have not ended are read again, too. */
const LATE = 24;
/** Details that are made before anybody asks. */
const WARM = 16;
/** Windows that the filling reads before it lets others run. */
const FILL_PAGE = 50;

/** A point of the curves: a window, or the last of several. */
export interface CurvePoint {
  /** The last of the windows. */
  readonly window: number;
  /** Median loss of the base on held-out pages, 1e-6 nats. */
  readonly loss: number | null;
  /** The same of the merged base. */
  readonly merged: number | null;
  /** VRAM issued by all of them, 1e-9. */
  readonly issued: bigint;
}

/** A window's detail, and what it was built from. */
export interface Detailed {
  /** The page's. */
  readonly detail: Wire<ReturnType<typeof windowDetail>>;
  /** The view. */
  readonly view: WindowView;
  /** What judges signed. */
  readonly messages: WindowMessages;
}

/** A detail, and the summary that its window had before it was read. */
interface Kept {
  readonly mark: string;
  readonly made: Detailed;
}

/** See the module. */
export class WindowIndex {
  readonly #ledger: Ledger;
  readonly #rows = new Map<number, WindowSummary>();
  readonly #details = new Map<number, Kept>();
  #numbers: number[] | null = null;
  #current = -1;
  #lowest = Infinity;
  #isWhole = false;
  #refreshing: Promise<void> | null = null;

  /** An index of `ledger`'s windows. */
  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The running window, as of the last refresh. */
  get current(): number {
    return this.#current;
  }

  /** How many windows are known, and whether those are all. */
  get size(): { readonly windows: number; readonly isWhole: boolean } {
    return { windows: this.#rows.size, isWhole: this.#isWhole };
  }

  /** Read again what may have moved. Calls at the same time share one reading. */
  refresh(): Promise<void> {
    return this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = null;
    });
  }

  async #read(): Promise<void> {
    this.#current = await this.#ledger.currentWindow();
    let before = this.#current + 1;
    let known = false;
    while (!known) {
      const page = await this.#ledger.windows(before, MOVING);
      const oldest = page.at(-1);
      if (oldest === undefined) break;
      known = this.#rows.size === 0 || this.#isFinal(oldest.window) || oldest.window < this.#lowest;
      page.forEach((row) => this.#put(row));
      before = oldest.window;
    }
    const late = this.#numbersDown().slice(0, LATE).filter((window) =>
      window < before && !this.#isFinal(window)
    );
    for (const window of late) {
      const [row] = await this.#ledger.windows(window + 1, 1);
      if (row?.window === window) this.#put(row);
    }
  }

  /** Read the windows of the past, newest first, a page at a time; others run in between. */
  async fill(signal: AbortSignal): Promise<void> {
    await this.refresh();
    while (!signal.aborted && !this.#isWhole) {
      const page = await this.#ledger.windows(this.#lowest, FILL_PAGE);
      page.forEach((row) => this.#put(row));
      this.#isWhole = page.length === 0 || this.#rows.size >= MAX_KEPT;
      await turn();
    }
    // What pages show first is at hand before it is asked for.
    for (const { window } of this.list(this.#current - 1, WARM)) {
      if (signal.aborted) return;
      await this.detail(window);
      await turn();
    }
  }

  #put(row: WindowSummary): void {
    if (!this.#rows.has(row.window)) {
      this.#numbers = null;
      if (this.#rows.size >= MAX_KEPT) this.#rows.delete(this.#numbersDown().at(-1)!);
    }
    this.#rows.set(row.window, row);
    this.#lowest = Math.min(this.#lowest, row.window);
  }

  /** A window of which nothing can change any more. */
  #isFinal(window: number): boolean {
    const status = this.#rows.get(window)?.status;
    return window < this.#current - 1 && (status === "closed" || status === "skipped");
  }

  #numbersDown(): readonly number[] {
    return this.#numbers ??= [...this.#rows.keys()].sort((a, b) => b - a);
  }

  /** Windows below `before`, newest first. */
  list(before: number, limit: number): WindowSummary[] {
    const numbers = this.#numbersDown();
    let from = 0;
    for (let end = numbers.length; from < end;) {
      const middle = (from + end) >> 1;
      if (numbers[middle]! < before) end = middle;
      else from = middle + 1;
    }
    return numbers.slice(from, from + limit).map((window) => this.#rows.get(window)!);
  }

  /** The curves over all known windows, in at most `points` points, oldest first. */
  curve(points: number): CurvePoint[] {
    const windows = this.#numbersDown().toReversed();
    const step = Math.max(1, Math.ceil(windows.length / points));
    const found: CurvePoint[] = [];
    for (let at = 0; at < windows.length; at += step) {
      const rows = windows.slice(at, at + step).map((window) => this.#rows.get(window)!);
      const measured = rows.findLast(({ currentLoss }) => currentLoss !== null);
      found.push({
        window: rows.at(-1)!.window,
        loss: measured?.currentLoss ?? null,
        merged: measured?.mergedLoss ?? null,
        issued: rows.reduce((sum, { issued }) => sum + issued, 0n),
      });
    }
    return found;
  }

  /** A window's detail, or null where the ledger has none. */
  async detail(window: number): Promise<Detailed | null> {
    const kept = this.#details.get(window);
    if (kept !== undefined && this.#isFinal(window)) return kept.made;
    // Whatever moves a window's detail moves its summary, which is quickly read.
    const [row] = await this.#ledger.windows(window + 1, 1);
    if (row?.window !== window) return null;
    const mark = JSON.stringify(toWire(row));
    // Seeds that the ledger draws move the digest and nothing of the summary.
    const isDrawn = kept?.made.view.context.randomness.kind === "ledger";
    if (kept?.mark === mark && !isDrawn) return kept.made;
    let view: WindowView;
    try {
      view = await this.#ledger.window(window);
    } catch (error) {
      if (error instanceof LedgerError) return null;
      throw error;
    }
    const messages = await this.#ledger.messages(window);
    const made = { view, messages, detail: toWire(windowDetail(view, messages)) };
    this.#details.delete(window);
    if (this.#details.size >= MAX_DETAILS) {
      this.#details.delete(this.#details.keys().next().value!);
    }
    this.#details.set(window, { mark, made });
    return made;
  }

  /** Windows in which `hash` (32 bytes) is a base, a merge or a settled digest; of late ones, anything else too. */
  find(hash: Bytes): { readonly window: number; readonly what: string }[] {
    const same = (other: Uint8Array | null) => other !== null && equal(other, hash);
    const found: { window: number; what: string }[] = [];
    for (const row of this.#rows.values()) {
      if (same(row.mergedHash)) found.push({ window: row.window, what: "merged base" });
      else if (same(row.settledDigest)) found.push({ window: row.window, what: "settled digest" });
      else if (same(row.baseHash)) found.push({ window: row.window, what: "base" });
    }
    for (const { made } of this.#details.values()) {
      const { digest, reveals, window } = made.view;
      if (same(digest)) found.push({ window, what: "window digest" });
      for (const { contentHash, uid } of reveals) {
        if (same(contentHash)) found.push({ window, what: `gradient of miner ${uid}` });
      }
    }
    return found.sort((a, b) => a.window - b.window);
  }
}

/** Let others run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
