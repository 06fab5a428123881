/**
 * One-line events, as plain and terminal output share them.
 *
 * @module
 */
import type { AttestationEvent, HeldoutEvent, LogEvent, SkippedEvent } from "./events.ts";
import { loss, printable, short } from "./format.ts";
import { header } from "./scoreboard.ts";
import type { Paint, StyleName } from "./style.ts";

const LEVEL_STYLE: Record<LogEvent["level"], StyleName> = {
  debug: "dim",
  info: "good",
  warn: "warn",
  error: "bad",
};

/** A log line: `INFO vramhub_miner: Starting window window=3 uid=1`, after `time` where there is one. */
export function logLine(event: LogEvent, time: string | undefined, paint: Paint): string {
  const level = paint(LEVEL_STYLE[event.level], event.level.toUpperCase());
  const fields = Object.entries(event.fields).map(([key, value]) =>
    ` ${paint("dim", `${key}=`)}${field(String(value))}`
  );
  const stamp = time === undefined ? "" : `${paint("dim", time)} `;
  return `${stamp}${level} ${event.target}: ${printable(event.message)}${fields.join("")}`;
}

/** A value with spaces, quotes or nothing in it is quoted, so that a line splits again as it was put together. */
function field(value: string): string {
  return printable(value === "" || /[\s"=]/.test(value) ? JSON.stringify(value) : value);
}

/** What an attestation says, and under which root. */
export function attestationLine(event: AttestationEvent, paint: Paint): string {
  const state = event.verified ? paint("good", "verified") : paint("bad", "REFUSED");
  const title = `Judge ${short(event.keyHex)} attestation`;
  const measured = printable(event.measurement);
  return `${header(title, "", paint)} ${state}: measurement ${measured}, root ${event.root}`;
}

/** That a window was skipped. */
export function skippedLine(event: SkippedEvent, paint: Paint): string {
  const what = paint("warn", `skipped: ${printable(event.reason)}`);
  return `${header(`Window ${event.window}`, "", paint)} ${what}`;
}

/** A base's loss on held-out pages. */
export function heldoutLine(event: HeldoutEvent): string {
  const base = `base ${short(event.baseHash)} of window ${event.atWindow}`;
  return `  held-out loss ${loss(event.loss)} nats, ${base}`;
}
