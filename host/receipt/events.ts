/**
 * A window's events, found in a ledger's log without reading all of it.
 *
 * @module
 */
import type { Ledger, LedgerEvent } from "../ledger/ledger.ts";

const PAGE = 1_000;

/** The log's first event of `window` or a later one, as the number before it. Events are numbered from 1. */
async function before(ledger: Ledger, window: number): Promise<number> {
  const isEarly = async (seq: number) => {
    const [event] = await ledger.events(seq - 1, 1);
    return event !== undefined && event.window < window;
  };
  let high = 1;
  while (await isEarly(high)) high *= 2;
  let low = Math.floor(high / 2); // the last one known to be early, or 0
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await isEarly(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Whether an event is about `window`: it names it, or moves or keeps the base that `window` was merged into. */
function isAbout({ kind, body }: LedgerEvent, window: number): boolean {
  const anchors = kind === "round_state::BaseAnchored" || kind === "round_state::BaseKept";
  return body.window === (anchors ? window + 2 : window);
}

/** The events about `window`, ascending: those of its own time and of the next window, and its end, however late. */
export async function windowEvents(ledger: Ledger, window: number): Promise<LedgerEvent[]> {
  const found: LedgerEvent[] = [];
  let after = await before(ledger, window);
  for (;;) {
    const page = await ledger.events(after, PAGE);
    for (const event of page) {
      const ended = found.some(({ kind }) => END.includes(kind));
      if (event.window > window + 1 && ended) return found;
      if (isAbout(event, window)) found.push(event);
    }
    if (page.length === 0) return found;
    after = page.at(-1)!.seq;
  }
}

/** The kinds that end a window. */
const END: readonly string[] = ["round_state::WindowClosed", "round_state::WindowSkipped"];
