/**
 * `deno task validator`: a whole network in test mode, or a validator of a network on Sui.
 *
 * @module
 */
import { loadConfig, processSurroundings } from "../config/mod.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import type { Log } from "../ledger/log.ts";
import { parseValidatorArgs } from "./args.ts";
import { isForNetwork, type NetworkArgs, parseNetworkArgs } from "./args_network.ts";
import { command, openPresenter, useNativeSha256 } from "./native.ts";
import { runNetworkValidator } from "./network/validator.ts";
import { runTestMode } from "./testmode/run.ts";

/** Test mode: a network of its own, SIMULATED. */
async function runTest(): Promise<void> {
  const args = parseValidatorArgs(Deno.args);
  useNativeSha256();
  const presenter = openPresenter(args.json, args.verbose);
  await command(
    presenter,
    (signal) => runTestMode(args, SYSTEM_CLOCK, (event) => presenter.show(event), signal),
  );
}

/** A validator of somebody's network. */
async function runNetwork(args: NetworkArgs): Promise<void> {
  useNativeSha256();
  const presenter = openPresenter(args.json, true);
  const log: Log = (level, target, message, fields = {}) =>
    presenter.show({ event: "log", level, target, message, fields: { ...fields } });
  await command(presenter, async (signal) => {
    const surroundings = processSurroundings();
    const flags = { LEDGER: "sui", NETWORK: args.network, DATA_DIR: args.dataDir };
    const config = loadConfig(surroundings, flags);
    const { home } = surroundings;
    try {
      await runNetworkValidator(args, { config, home, clock: SYSTEM_CLOCK, log, signal });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Error(config.redact(error.message), { cause: error });
    }
  });
}

if (import.meta.main) {
  if (isForNetwork(Deno.args)) await runNetwork(parseNetworkArgs(Deno.args));
  else await runTest();
}
