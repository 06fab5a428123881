/**
 * A checked receipt for people (one line a check) and for programs (one JSON object).
 *
 * @module
 */
import { decodeContext } from "../../../enclave/protocol/commit.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import type { Receipt } from "../../receipt/mod.ts";
import { printable } from "../present/format.ts";
import { ansi, none, type Paint } from "../present/style.ts";
import { type Checked, UNCHECKED } from "./verify.ts";

/** What is shown. */
export interface Shown {
  /** Where the receipt was read from. */
  readonly file: string;
  /** Its length in bytes. */
  readonly size: number;
  /** The receipt. */
  readonly receipt: Receipt;
  /** What was found. */
  readonly checks: readonly Checked[];
}

/** Colours where standard output is a terminal that wants them. */
export function printer(): Paint {
  return Deno.stdout.isTerminal() && !Deno.noColor ? ansi : none;
}

/** The number of the window, or null where the context cannot be read. */
function windowOf({ context }: Receipt): number | null {
  try {
    return decodeContext(context).window;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** One line of a check. */
export function checkLine({ name, ok, detail }: Checked, paint: Paint): string {
  const mark = ok ? paint("good", "ok  ") : paint("bad", "FAIL");
  return `${mark}  ${name.padEnd(11)}  ${printable(detail)}`;
}

/** Lines that end a list of checks. */
export function verdictLines(checks: readonly Checked[], paint: Paint): string[] {
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  const verdict = failed.length === 0
    ? paint("good", `all ${checks.length} checks hold`)
    : paint("bad", `${failed.length} of ${checks.length} checks do not hold: ${failed.join(", ")}`);
  return ["", verdict];
}

/** For people. */
export function receiptText({ size, receipt, checks }: Shown, paint: Paint): string {
  const badge = receipt.simulated_root === null ? "" : `  ${paint("badge", " SIMULATED ")}`;
  return [
    `receipt of window ${windowOf(receipt) ?? "?"}, ${receipt.status}, ${size} bytes${badge}`,
    "",
    ...checks.map((check) => checkLine(check, paint)),
    ...verdictLines(checks, paint),
    ...UNCHECKED.map((what) => paint("dim", `not checked: ${what}`)),
  ].join("\n");
}

/** For programs. */
export function receiptJson({ file, size, receipt, checks }: Shown): Record<string, unknown> {
  return {
    file,
    size,
    window: windowOf(receipt),
    status: receipt.status,
    simulated: receipt.simulated_root !== null,
    ok: checks.every(({ ok }) => ok),
    checks,
    unchecked: UNCHECKED,
  };
}
