/**
 * `deno task validator`: a whole network in test mode, or a validator of a network.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { parseValidatorArgs } from "./args.ts";
import { isForNetwork, parseNetworkArgs } from "./args_network.ts";
import { command, openPresenter, useNativeSha256 } from "./native.ts";
import { startParty } from "./network/start.ts";
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

if (import.meta.main) {
  if (isForNetwork(Deno.args)) {
    const args = parseNetworkArgs(Deno.args);
    await startParty(args, (host) => runNetworkValidator(args, host));
  } else await runTest();
}
