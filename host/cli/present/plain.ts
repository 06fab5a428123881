/**
 * Plain lines, for pipes and files: nothing is rewritten, nothing coloured.
 *
 * @module
 */
import type { Presenter, RunEvent } from "./events.ts";
import { printable } from "./format.ts";
import { attestationLine, heldoutLine, logLine, skippedLine } from "./lines.ts";
import { doneLines, networkLines, settledLines } from "./scoreboard.ts";
import { newPhases } from "./phase_once.ts";
import { none, type Paint } from "./style.ts";

/** How {@linkcode eventLines} shows events. */
export interface LineOptions {
  /** Show log lines below `warn` too. */
  verbose: boolean;
  /** Columns that a table may take. */
  columns: number;
  /** Colours, or none. */
  paint: Paint;
  /** ISO 8601 time of a log line, where it shall have one. */
  time?: string;
}

/** The lines of an event; none for a phase, which each presenter shows in its own way. */
export function eventLines(event: RunEvent, options: LineOptions): string[] {
  const { paint, columns } = options;
  switch (event.event) {
    case "network":
      return [...networkLines(event, paint), ""];
    case "setup":
      return [paint("dim", `  ${printable(event.detail)}`)];
    case "attestation":
      return [attestationLine(event, paint)];
    case "settled":
      return ["", ...settledLines(event, columns, paint)];
    case "skipped":
      return [skippedLine(event, paint)];
    case "heldout":
      return [heldoutLine(event)];
    case "done":
      return ["", ...doneLines(event, columns, paint)];
    case "log": {
      const loud = event.level === "warn" || event.level === "error";
      return loud || options.verbose ? [logLine(event, options.time, paint)] : [];
    }
    case "phase":
      return [];
  }
}

/** Writes each event as lines, and each phase once, as it begins. */
export function plainPresenter(
  write: (text: string) => void,
  options: { verbose: boolean; columns: () => number; now?: () => number },
): Presenter {
  const isNew = newPhases();
  return {
    show(event) {
      if (event.event === "phase") {
        const { window, phase, detail } = event;
        if (!isNew(event)) return;
        write(`window ${window}  ${phase.padEnd(7)}  ${printable(detail)}`.trimEnd() + "\n");
        return;
      }
      const { verbose, columns, now } = options;
      const time = now === undefined ? {} : { time: new Date(now()).toISOString() };
      const lines = eventLines(event, { verbose, columns: columns(), paint: none, ...time });
      for (const line of lines) write(`${line}\n`);
    },
    close() {},
  };
}
