/**
 * Shows a run: live on a terminal, as plain lines in a pipe, as JSON for programs.
 *
 * ```ts
 * import { createPresenter } from "./mod.ts";
 *
 * let out = "";
 * const presenter = createPresenter({ json: false, isTerminal: false, write: (text) => out += text });
 * presenter.show({ event: "skipped", window: 3, reason: "no quorum" });
 * if (out !== " SIMULATED  Window 3 skipped: no quorum\n") throw new Error(out);
 * ```
 *
 * @module
 */
import type { Presenter } from "./events.ts";
import { jsonPresenter } from "./json.ts";
import { plainPresenter } from "./plain.ts";
import { terminalPresenter } from "./terminal.ts";

export * from "./events.ts";

/** How a run is shown. */
export interface PresenterOptions {
  /** One JSON object a line, whatever the output is. */
  json: boolean;
  /** Whether the output is a terminal, which can rewrite lines and show colours. */
  isTerminal: boolean;
  /** Takes the text. */
  write: (text: string) => void;
  /** The output's width now; asked before each table. 120 where none is given. */
  columns?: () => number;
  /** Show log lines below `warn` too; JSON always has them. */
  verbose?: boolean;
  /** Clock in milliseconds since 1970 for times in log lines and JSON; without it they have none. */
  now?: () => number;
}

/** Width of a table in a pipe. */
const PIPE_COLUMNS = 120;

/** The presenter that fits the output. */
export function createPresenter(options: PresenterOptions): Presenter {
  const { json, isTerminal, write } = options;
  const clock = options.now === undefined ? {} : { now: options.now };
  if (json) return jsonPresenter(write, options.now);
  const columns = options.columns ?? (() => PIPE_COLUMNS);
  const shown = { verbose: options.verbose ?? false, columns, ...clock };
  return isTerminal ? terminalPresenter(write, shown) : plainPresenter(write, shown);
}
