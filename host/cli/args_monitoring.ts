/**
 * Options about watching a party, the same for all of them: its log, its metrics, and the explorer beside it.
 *
 * @module
 */
import { commandLine, message } from "@optique/core/message";
import { map, multiple, optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, integer, type ValueParser } from "@optique/core/valueparser";
import { METRICS_PORT, parsePlace, type Place } from "../monitoring/server.ts";

/** How a party is watched. What is undefined is the setting's. */
export interface MonitoringArgs {
  /** How log lines are written. */
  readonly logFormat?: "pretty" | "json" | undefined;
  /** Where metrics are served. */
  readonly metrics?: Place | undefined;
  /** How many times more than usual is said: 1 for `-v`, 2 for `-vv`. */
  readonly verbosity?: number;
}

/** The explorer of a validator. */
export interface BesideArgs {
  /** Serve the explorer from the same process. */
  readonly explorer?: boolean;
  /** Its port; undefined is 4322. */
  readonly explorerPort?: number | undefined;
}

function listenAt(): ValueParser<"sync", Place> {
  return {
    mode: "sync",
    metavar: "ADDRESS",
    placeholder: { hostname: "127.0.0.1", port: METRICS_PORT },
    parse(input) {
      try {
        return { success: true, value: parsePlace(input) };
      } catch {
        const form = `127.0.0.1:${METRICS_PORT}`;
        return {
          success: false,
          error: message`Expected HOST:PORT or a port, as in ${form}, but got ${input}.`,
        };
      }
    },
    format: ({ hostname, port }) => `${hostname}:${port}`,
    *suggest() {
      yield { kind: "literal", text: `127.0.0.1:${METRICS_PORT}` };
    },
  };
}

/** The options of {@link MonitoringArgs}. */
export const monitoring = {
  logFormat: optional(option("--log-format", choice(["pretty", "json"], { metavar: "FORMAT" }), {
    description:
      message`Log lines for people, or a JSON object each with time, window, uid and phase; VRAMHUB_LOG_FORMAT without it.`,
  })),
  metrics: optional(option("--metrics", listenAt(), {
    description:
      message`Serve /metrics for Prometheus, /healthz and /readyz at HOST:PORT, or at a port for this machine alone; VRAMHUB_METRICS_ADDR without it.`,
  })),
  verbosity: map(
    multiple(option("-v", "--verbose", {
      description: message`Say more: the log lines of every part, with ${
        commandLine("-vv")
      } each call on ledger, store and judge. VRAMHUB_LOG=info,vramhub_miner=debug says it by module.`,
    })),
    (given) => given.length,
  ),
};

/** The options of {@link BesideArgs}. */
export const beside = {
  explorer: option("--explorer", {
    description: message`Serve VRAMScan, the network in a browser, from this process.`,
  }),
  explorerPort: optional(
    option("--explorer-port", integer({ metavar: "PORT", min: 0, max: 65_535 }), {
      description: message`Its port on this machine; ${commandLine("0")} takes a free one.`,
    }),
  ),
};
