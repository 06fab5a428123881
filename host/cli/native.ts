/**
 * What every command does first: the runtime's own SHA-256, a presenter for its output, Ctrl-C as a signal.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { useSha256 } from "../../enclave/protocol/hash.ts";
import { calledAs } from "./called_as.ts";
import { createPresenter, type Presenter } from "./present/mod.ts";

/** Install node's SHA-256: ten times as fast as the portable one. */
export function useNativeSha256(): void {
  useSha256((...parts) => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  });
}

/** A presenter on standard output, which shows every log line that it is given. */
export function openPresenter(json: boolean): Presenter {
  const isTerminal = Deno.stdout.isTerminal();
  return createPresenter({
    json,
    isTerminal,
    verbose: true,
    write: writeText,
    columns: () => isTerminal ? Deno.consoleSize().columns : 120,
  });
}

/** Write to standard output, all of it at once. */
export function writeText(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Aborts on the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => {
      if (controller.signal.aborted) Deno.exit(130);
      controller.abort(new Error(`Interrupted by ${name}`));
    });
  }
  return controller.signal;
}

/** Run a command: its error is one line on standard error and status 1, never a stack trace. */
export async function command(
  presenter: Pick<Presenter, "close">,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signal = interruptSignal();
  try {
    await run(signal);
    presenter.close();
    Deno.exit(0);
  } catch (error) {
    presenter.close();
    if (signal.aborted) Deno.exit(130);
    console.error(calledAs(`error: ${error instanceof Error ? error.message : error}`));
    if (Deno.env.get("VRAMHUB_DEBUG") !== undefined) console.error(error);
    Deno.exit(1);
  }
}
