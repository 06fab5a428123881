/**
 * Phases, once each: two windows are always at work at a time, and their progress alternates.
 *
 * @module
 */
import type { PhaseEvent } from "./events.ts";

/** How many phases are remembered: those of a few windows. */
const REMEMBERED = 64;

/** A test for events whose window and phase is new. */
export function newPhases(): (event: PhaseEvent) => boolean {
  const seen = new Set<string>();
  return ({ window, phase }) => {
    const key = `${window} ${phase}`;
    if (seen.has(key)) return false;
    seen.add(key);
    if (seen.size > REMEMBERED) seen.delete(seen.keys().next().value!);
    return true;
  };
}
