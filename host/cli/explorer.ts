/**
 * `deno task explorer`: VRAMScan on this machine.
 *
 * @module
 */
import { ConfigError, loadConfig, processSurroundings } from "../config/mod.ts";
import { type Explorer, startExplorer } from "../explorer/server.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import type { Log } from "../ledger/log.ts";
import { readBeats } from "../monitoring/beats.ts";
import type { ToldState } from "../monitoring/component.ts";
import { parseLevels } from "../monitoring/levels.ts";
import { openLogs } from "../monitoring/logs.ts";
import { MAX_RECEIPT_BYTES, receiptPath } from "../receipt/mod.ts";
import { EXPLORER_PORT, type ExplorerArgs, parseExplorerArgs } from "./args_explorer.ts";
import type { BesideArgs } from "./args_monitoring.ts";
import { interruptSignal, useNativeSha256 } from "./native.ts";
import { type OpenLedger, openLedger } from "./open_ledger.ts";

const TARGET = "vramhub_explorer";
/** How often the log of a ledger on Sui is read. */
const SUI_POLL_MS = 5_000;

/** Where the explorer listens, and whose receipts it has. */
export type ExplorerPlace = Pick<ExplorerArgs, "host" | "port" | "dataDir">;

/** What is shown. */
export type ShownLedger = Pick<OpenLedger, "ledger" | "network" | "profile">;

/** The explorer that a validator serves beside its work, where `--explorer` asks for it; null where not. */
export async function openBeside(
  { explorer, explorerPort = EXPLORER_PORT }: BesideArgs,
  opened: ShownLedger,
  dataDir: string,
  log: Log,
): Promise<Explorer | null> {
  if (explorer !== true) return null;
  const place = { host: "127.0.0.1", port: explorerPort, dataDir };
  try {
    const open = await openExplorer(opened, place, log);
    log("info", TARGET, "VRAMScan shows the network", { url: open.url });
    const tunnel = tunnelLine(open.url, processSurroundings().env);
    if (tunnel !== null) log("info", TARGET, tunnel);
    return open;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new ConfigError(
      "bad_value",
      `Cannot serve the explorer at port ${explorerPort}: it is taken. Name another with ` +
        "--explorer-port, or 0 for a free one",
    );
  }
}

/** An explorer of an open ledger, which the caller closes after it. */
export function openExplorer(
  opened: ShownLedger,
  place: ExplorerPlace,
  log: Log,
): Promise<Explorer> {
  const { ledger, network, profile } = opened;
  return startExplorer({
    ledger,
    networkName: network,
    explorerUrl: profile?.explorerUrl ?? null,
    receipt: (window) => readReceipt(place.dataDir, window),
    components: async () => {
      const states = place.dataDir === undefined ? [] : await readBeats(place.dataDir);
      return isOwnMachine(place.host) ? states : withoutDetails(states);
    },
    proof: new URL("./explorer_proof.ts", import.meta.url),
    hostname: place.host,
    port: place.port,
    ...(network === "dev" ? {} : { pollMs: SUI_POLL_MS }),
    log,
  });
}

function isOwnMachine(host: string): boolean {
  return ["127.0.0.1", "::1", "localhost"].includes(host);
}

/** Details name paths and addresses of this machine: others see the reasons alone. */
export function withoutDetails(states: readonly ToldState[]): ToldState[] {
  const detail = "its own log says more";
  return states.map((state) => ({
    ...state,
    fault: state.fault && { ...state.fault, detail },
    last: state.last && { ...state.last, detail },
  }));
}

async function readReceipt(dir: string | undefined, window: number) {
  if (dir === undefined) return null;
  const path = receiptPath(dir, window);
  try {
    const { size } = await Deno.stat(path);
    return size > MAX_RECEIPT_BYTES ? null : await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** How to reach an explorer on a machine without a screen, or null on one that has a screen. */
export function tunnelLine(url: string, env: Readonly<Record<string, string>>): string | null {
  const [, , here] = (env.SSH_CONNECTION ?? "").split(" ");
  if (here === undefined) return null;
  const { port } = new URL(url);
  const user = env.USER === undefined ? "" : `${env.USER}@`;
  return `From your own machine: ssh -N -L ${port}:127.0.0.1:${port} ${user}${here}, then open http://localhost:${port}/`;
}

async function run(args: ExplorerArgs): Promise<void> {
  const surroundings = processSurroundings();
  const config = loadConfig(surroundings, {
    LEDGER: args.network === undefined ? undefined : "sui",
    NETWORK: args.network,
    DATA_DIR: args.dataDir,
  });
  const signal = interruptSignal();
  const { home } = surroundings;
  // It only looks: a window opens by its parties' calls, not by somebody's browser.
  using opened = await openLedger(config, { clock: SYSTEM_CLOCK, home, readsRoll: false });
  const log = openLogs({
    levels: config.get("LOG") ?? parseLevels(surroundings.env.RUST_LOG ?? "", "info", true),
    format: config.get("LOG_FORMAT")!,
    show: ({ fields, level, message }) => {
      const told = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`).join("");
      console.error(`${level}: ${message}${told}`);
    },
    write: (line) => console.error(line),
    redact: (text) => config.redact(text),
  });
  const dataDir = config.get("DATA_DIR");
  await using explorer = await openExplorer(opened, { ...args, dataDir }, log);
  console.log(`VRAMScan shows ${opened.network}: ${explorer.url}`);
  const tunnel = tunnelLine(explorer.url, surroundings.env);
  if (tunnel !== null) console.log(tunnel);
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

if (import.meta.main) {
  const args = parseExplorerArgs(Deno.args);
  useNativeSha256();
  try {
    await run(args);
    Deno.exit(0);
  } catch (error) {
    const why = error instanceof Deno.errors.AddrInUse
      ? `Cannot listen at ${args.host}, port ${args.port}: it is taken. Name another with --port, or 0 for a free one`
      : error instanceof Error
      ? error.message
      : error;
    console.error(`error: ${why}`);
    Deno.exit(error instanceof ConfigError ? 2 : 1);
  }
}
