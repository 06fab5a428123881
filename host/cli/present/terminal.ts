/**
 * Live output for a terminal: lines that stay, and below them one status line that is rewritten as a phase goes on.
 *
 * @module
 */
import type { PhaseEvent, Presenter } from "./events.ts";
import { printable } from "./format.ts";
import { eventLines } from "./plain.ts";
import { BADGE } from "./scoreboard.ts";
import { ansi } from "./style.ts";

/** Return to the line's start and clear it (ECMA-48 EL). */
const CLEAR = "\r\x1b[2K";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/** Cells of the bar of a phase. */
const BAR = 20;

/** The status line of a phase in at most `columns` cells; the detail gives way first, then the bar. */
export function statusLine(event: PhaseEvent, columns: number): string {
  const done = Math.min(1, Math.max(0, event.progress));
  const full = Math.round(done * BAR);
  const bar = "█".repeat(full) + "░".repeat(BAR - full);
  const title = `window ${event.window} ${event.phase.padEnd(7)}`;
  const share = `${String(Math.floor(100 * done)).padStart(3)} %`;
  // One cell stays free: a full last cell makes some terminals go on to the next line.
  let room = columns - 1 - BADGE.length - 3 - title.length - 1 - share.length;
  const withBar = room >= BAR + 1;
  if (withBar) room -= BAR + 1;
  const detail = room > 4 ? clip(printable(event.detail), room - 2) : "";
  const parts = [ansi("bold", title), ...(withBar ? [ansi("good", bar)] : []), share];
  const tail = detail === "" ? "" : `  ${ansi("dim", detail)}`;
  return room < 0
    ? clip(`${BADGE} ${title.trimEnd()}`, columns - 1)
    : `${ansi("badge", ` ${BADGE} `)} ${parts.join(" ")}${tail}`;
}

function clip(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 1 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 1)}…`;
}

/** Rewrites the status line in place and prints everything else above it, in colour. */
export function terminalPresenter(
  write: (text: string) => void,
  options: { verbose: boolean; columns: () => number; now?: () => number },
): Presenter {
  let status = "";
  return {
    show(event) {
      if (event.event === "phase") {
        const next = statusLine(event, options.columns());
        if (next === status) return;
        write(`${status === "" ? HIDE_CURSOR : ""}${CLEAR}${next}`);
        status = next;
        return;
      }
      const { verbose, columns, now } = options;
      const time = now === undefined ? {} : { time: new Date(now()).toISOString() };
      const lines = eventLines(event, { verbose, columns: columns(), paint: ansi, ...time });
      if (lines.length === 0) return;
      const text = lines.map((line) => `${line}\n`).join("");
      write(status === "" ? text : `${CLEAR}${text}${status}`);
    },
    close() {
      if (status !== "") write(`${CLEAR}${SHOW_CURSOR}`);
      status = "";
    },
  };
}
