/**
 * How each party runs: with its settings, a log, a monitor, and errors that hold no secret.
 *
 * @module
 */
import {
  type Config,
  type Flags,
  loadConfig,
  processSurroundings,
  strangers,
  strangerText,
} from "../config/mod.ts";
import type { Log } from "../ledger/log.ts";
import type { MonitoringArgs } from "./args_monitoring.ts";
import { type Monitoring, openMonitoring } from "./monitoring.ts";
import { command, openPresenter, useNativeSha256, writeText } from "./native.ts";
import type { Presenter, RunEvent } from "./present/mod.ts";

/** What a party is run with. */
export interface PartyHost {
  /** Settings. */
  readonly config: Config;
  /** The user's folder. */
  readonly home: string | undefined;
  /** Shows an event. */
  readonly show: (event: RunEvent) => void;
  /** Log lines. */
  readonly log: Log;
  /** Its components and numbers. */
  readonly monitoring: Monitoring;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/**
 * Run a party until it has ended; does not return.
 *
 * @param quiet On a terminal only warnings are said, unless more is asked for.
 */
export async function runParty(
  args: MonitoringArgs & { readonly json: boolean },
  flags: Flags,
  quiet: boolean,
  run: (host: PartyHost) => Promise<void>,
): Promise<void> {
  useNativeSha256();
  let presenter: Presenter | undefined;
  await command({ close: () => presenter?.close() }, async (signal) => {
    const surroundings = processSurroundings();
    const config = loadConfig(surroundings, flags);
    const logFormat = args.logFormat ?? config.get("LOG_FORMAT")!;
    // Whoever reads lines of JSON gets nothing else.
    const shown = presenter = openPresenter(args.json || logFormat === "json");
    try {
      await using monitoring = await openMonitoring({
        args: { ...args, logFormat },
        config,
        presenter: shown,
        write: (line) => writeText(`${line}\n`),
        quiet: quiet && Deno.stdout.isTerminal(),
      });
      const { log, monitor } = monitoring;
      signal.addEventListener("abort", () => monitor.stopping(), { once: true });
      for (const stranger of strangers(surroundings)) {
        log("warn", "vramhub_config", "No such setting", { reason: strangerText(stranger) });
      }
      const show = (event: RunEvent) => shown.show(event);
      await run({ config, home: surroundings.home, show, log, monitoring, signal });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Error(config.redact(error.message), { cause: error });
    }
  });
}
