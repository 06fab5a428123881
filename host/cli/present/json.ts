/**
 * One JSON object a line, for programs.
 *
 * @module
 */
import type { Presenter } from "./events.ts";
import { newPhases } from "./phase_once.ts";

/** Writes every event as one line, a phase once, as it begins; `time` (ISO 8601) comes first where a clock is given. */
export function jsonPresenter(write: (text: string) => void, now?: () => number): Presenter {
  const isNew = newPhases();
  return {
    show(event) {
      if (event.event === "phase" && !isNew(event)) return;
      const time = now === undefined ? {} : { time: new Date(now()).toISOString() };
      write(`${JSON.stringify({ ...time, ...event })}\n`);
    },
    close() {},
  };
}
