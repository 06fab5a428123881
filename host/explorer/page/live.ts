/**
 * The server's events: one connection a page, whose changes count up.
 *
 * @module
 */
import { useEffect, useState } from "./dom.ts";

/** What is known of the connection. */
export interface LiveState {
  /** Counts the ledger's changes. */
  readonly changes: number;
  /** Whether the server is heard. */
  readonly isHeard: boolean;
  /** Why the ledger cannot be read, or null. */
  readonly fault: string | null;
}

let state: LiveState = { changes: 0, isHeard: false, fault: null };
const listeners = new Set<(state: LiveState) => void>();

function set(next: Partial<LiveState>): void {
  state = { ...state, ...next };
  for (const listener of listeners) listener(state);
}

/** Connect, once. The browser comes back by itself where the server went away. */
export function connect(): void {
  const source = new EventSource("/api/v1/live");
  let lost = false;
  source.onopen = () => {
    // What changed meanwhile nobody told.
    set({ isHeard: true, changes: state.changes + Number(lost) });
    lost = false;
  };
  source.onerror = () => {
    lost = true;
    set({ isHeard: false });
  };
  source.addEventListener("change", () => set({ changes: state.changes + 1, fault: null }));
  // How they are is read again with everything else: they seldom change.
  source.addEventListener("components", () => set({ changes: state.changes + 1 }));
  source.addEventListener("fault", (event) => {
    const { reason } = JSON.parse((event as MessageEvent<string>).data);
    set({ fault: String(reason) });
  });
}

/** The state of the connection, as it changes. */
export function useLive(): LiveState {
  const [now, setNow] = useState(state);
  useEffect(() => {
    setNow(state);
    listeners.add(setNow);
    return () => {
      listeners.delete(setNow);
    };
  }, []);
  return now;
}
