/**
 * `deno task explorer`: VRAMScan on this machine.
 *
 * @module
 */
import { ConfigError, loadConfig, processSurroundings } from "../config/mod.ts";
import { type Explorer, startExplorer } from "../explorer/server.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import type { Log } from "../ledger/log.ts";
import { MAX_RECEIPT_BYTES, receiptPath } from "../receipt/mod.ts";
import { type ExplorerArgs, parseExplorerArgs } from "./args_explorer.ts";
import { interruptSignal, useNativeSha256 } from "./native.ts";
import { type OpenLedger, openLedger } from "./open_ledger.ts";

/** How often the log of a ledger on Sui is read. */
const SUI_POLL_MS = 5_000;

/** Where the explorer listens, and whose receipts it has. */
export type ExplorerPlace = Pick<ExplorerArgs, "host" | "port" | "dataDir">;

/** An explorer of an open ledger, which the caller closes after it. */
export function openExplorer(
  opened: OpenLedger,
  place: ExplorerPlace,
  log: Log,
): Promise<Explorer> {
  const { ledger, network, profile } = opened;
  return startExplorer({
    ledger,
    networkName: network,
    explorerUrl: profile?.explorerUrl ?? null,
    receipt: (window) => readReceipt(place.dataDir, window),
    proof: new URL("./explorer_proof.ts", import.meta.url),
    hostname: place.host,
    port: place.port,
    ...(network === "dev" ? {} : { pollMs: SUI_POLL_MS }),
    log,
  });
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
  using opened = await openLedger(config, { clock: SYSTEM_CLOCK, home: surroundings.home });
  const log: Log = (level, _target, message, fields = {}) => {
    const told = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`).join("");
    if (level !== "debug") console.error(`${level}: ${message}${told}`);
  };
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
