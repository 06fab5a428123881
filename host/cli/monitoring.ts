/**
 * From settings and options to a party's log and monitor.
 *
 * @module
 */
import { type Config, ConfigError, processSurroundings } from "../config/mod.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../ledger/log.ts";
import { watchWork } from "../ledger/work.ts";
import type { Party } from "../monitoring/beats.ts";
import { type Levels, parseLevels, type Threshold } from "../monitoring/levels.ts";
import { closeLogs, inContext, openLogs } from "../monitoring/logs.ts";
import { type BeginOptions, Monitor } from "../monitoring/monitor.ts";
import { openTracer } from "../monitoring/tracing.ts";
import { type MonitoringBackend, openWandb, WandbError } from "../monitoring/wandb.ts";
import type { MonitoringArgs } from "./args_monitoring.ts";
import type { Presenter } from "./present/mod.ts";

const TARGET = "vramhub_monitoring";
/** Each call on ledger, store and judge: too much to hear, unless it is asked for. */
const CALLS = "vramhub_calls";

/** What a party's monitoring is opened with. */
export interface MonitoringHost {
  /** Its options; the log's format is settled. */
  readonly args:
    & MonitoringArgs
    & { readonly json: boolean; readonly logFormat: "pretty" | "json" };
  /** Its settings. */
  readonly config: Config;
  /** Shows its events. */
  readonly presenter: Presenter;
  /** Takes a line of JSON. */
  readonly write: (line: string) => void;
  /** Only warnings are shown unless more is asked for: a terminal has a live view of the rest. */
  readonly quiet?: boolean;
}

/** A party's log and monitor, open. */
export interface Monitoring extends AsyncDisposable {
  /** Log lines. */
  readonly log: Log;
  /** Everything else. */
  readonly monitor: Monitor;
  /** Let the work begin to be told of: {@link Monitor.begin}, with the backend of the settings. */
  begin(options: Omit<BeginOptions, "backend">): Promise<void>;
}

/**
 * Open log, metrics and tracer as settings and options say.
 *
 * @throws {ConfigError} where a setting is wrong, or the metrics' port is taken.
 */
export async function openMonitoring(host: MonitoringHost): Promise<Monitoring> {
  const { args, config, presenter, write } = host;
  const { env } = processSurroundings();
  const said = openLogs({
    levels: levelsOf(host, env.RUST_LOG),
    format: args.json ? "pretty" : args.logFormat, // with --json a log line is one event among others
    show: (line) => presenter.show({ event: "log", ...line, fields: { ...line.fields } }),
    write,
    redact: (text) => config.redact(text),
  });
  let count = (_level: string) => {};
  const log: Log = (level, target, message, fields) => {
    count(level);
    said(level, target, message, fields);
  };
  const monitor = openMonitor(host, log);
  count = (level) => monitor.metrics.logged(level);
  const tracer = await openTracer(env.OTEL_DENO === "true" || env.OTEL_DENO === "1");
  watchWork((name, fields, work) =>
    inContext(name, fields, tracer === null ? work : () => tracer(name, fields, work))
  );
  if (monitor.url !== null) {
    const url = `${monitor.url}metrics`;
    log("info", TARGET, "Metrics served", { url });
    if (host.quiet) presenter.show({ event: "setup", detail: `metrics are at ${url}` });
    const { hostname } = new URL(monitor.url);
    if (!["127.0.0.1", "[::1]", "localhost"].includes(hostname)) {
      log("warn", TARGET, "Whoever reaches this address can read the metrics", { hostname });
    }
  }
  return {
    log,
    monitor,
    async begin(options) {
      const backend = await openBackend(config, options, log);
      await monitor.begin({ ...options, backend });
    },
    async [Symbol.asyncDispose]() {
      watchWork(undefined);
      await monitor[Symbol.asyncDispose]();
      closeLogs();
    },
  };
}

function openMonitor({ args, config }: MonitoringHost, log: Log): Monitor {
  const metricsAt = args.metrics ?? config.get("METRICS_ADDR") ?? null;
  try {
    return new Monitor({ log, metricsAt, health: { redact: (text) => config.redact(text) } });
  } catch (error) {
    if (metricsAt === null) throw error;
    const { hostname, port } = metricsAt;
    const why = error instanceof Deno.errors.AddrInUse ? "it is taken" : (error as Error).message;
    throw new ConfigError(
      "bad_value",
      `Cannot serve metrics at ${hostname}, port ${port}: ${why}. Name another with --metrics`,
    );
  }
}

/** What is said: the flags' word, else the settings', else what is usual. */
function levelsOf({ args, config, quiet = false }: MonitoringHost, rustLog = ""): Levels {
  const { json, verbosity = 0 } = args;
  const usual: Threshold[] = quiet ? ["warn", "info", "debug"] : ["info", "debug", "debug"];
  const base = json ? "debug" : usual[Math.min(verbosity, 2)]!;
  const set = config.get("LOG") ?? (rustLog === "" ? undefined : parseLevels(rustLog, base, true));
  const modules = { [CALLS]: verbosity >= 2 ? "debug" : "warn", ...set?.modules } as const;
  return { base: verbosity > 0 ? base : set?.base ?? base, modules };
}

/** Weights & Biases, where the settings name it. */
async function openBackend(
  config: Config,
  { ledger, party }: { readonly ledger: Ledger; readonly party: Party },
  log: Log,
): Promise<MonitoringBackend | null> {
  if (config.get("MONITORING_BACKEND") === "null") return null;
  const info = await ledger.info();
  const env: Record<string, string> = {};
  for (const name of ["WANDB_API_KEY", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_MODE"] as const) {
    const value = config.get(name);
    if (value !== undefined) env[name] = value;
  }
  const { component, uid } = party;
  try {
    return await openWandb({
      role: component,
      name: uid === null ? component : `${component}-${uid}`,
      config: { model: info.model, ledger: info.kind },
      env,
      log,
    });
  } catch (error) {
    if (!(error instanceof WandbError)) throw error;
    throw new ConfigError("bad_value", error.message);
  }
}
