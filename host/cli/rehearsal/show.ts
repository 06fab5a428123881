/**
 * How checks are shown, one line each, and how they end a command.
 *
 * @module
 */
import { checkLine, printer, verdictLines } from "../report/show.ts";
import type { Checked } from "../report/verify.ts";

/** A gradient that would not be paid for: the command ends with status 1. */
export class NotAccepted extends Error {
  /** Names the checks that do not hold. */
  constructor(failed: readonly Checked[]) {
    super(`Not accepted: ${failed.map(({ detail, name }) => `${name}: ${detail}`).join("; ")}`);
    this.name = "NotAccepted";
  }
}

/**
 * Show each check as it comes: a line, or a JSON object a line.
 *
 * @throws {NotAccepted} where one of them does not hold.
 */
export async function showChecks(
  checks: AsyncIterable<Checked>,
  json: boolean,
  write: (line: string) => void = console.log,
): Promise<void> {
  const paint = printer();
  const all: Checked[] = [];
  for await (const check of checks) {
    all.push(check);
    write(json ? JSON.stringify({ event: "check", ...check }) : checkLine(check, paint));
  }
  if (!json) { for (const line of verdictLines(all, paint)) write(line); }
  const failed = all.filter(({ ok }) => !ok);
  if (failed.length > 0) throw new NotAccepted(failed);
}
