/**
 * How each party of a network starts: settings out of its words and surroundings, errors without a secret.
 *
 * @module
 */
import { ConfigError, loadConfig, processSurroundings } from "../../config/mod.ts";
import { SYSTEM_CLOCK } from "../../ledger/clock.ts";
import { type PartyArgs, withMode } from "../args_network.ts";
import { runParty } from "../party.ts";
import type { NetworkHost } from "./parts.ts";

/** A party's words, with the mode that settings say. A setting that cannot be read ends the process with status 2. */
export function wordsOf(hasTestMode: boolean): readonly string[] {
  try {
    return withMode(Deno.args, loadConfig(processSurroundings()), hasTestMode);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`error: ${error.message}`);
    Deno.exit(2);
  }
}

/** Run a party until it has ended; does not return. */
export async function startParty(
  args: PartyArgs,
  run: (host: NetworkHost) => Promise<void>,
): Promise<void> {
  const flags = {
    LEDGER: args.ledger ?? (args.network === undefined ? undefined : "sui"),
    NETWORK: args.network,
    DATA_DIR: args.dataDir,
    STORAGE_BACKEND: args.store,
  };
  await runParty(args, flags, false, (host) => run({ ...host, as: args.as, clock: SYSTEM_CLOCK }));
}
