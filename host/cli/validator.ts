/**
 * `deno task validator`: a whole network in test mode, or a validator of a network.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { parseValidatorArgs } from "./args.ts";
import { isForNetwork, parseNetworkArgs } from "./args_network.ts";
import { command, openPresenter, useNativeSha256 } from "./native.ts";
import { startParty, wordsOf } from "./network/start.ts";
import { runNetworkValidator } from "./network/validator.ts";
import { runTestMode } from "./testmode/run.ts";

/** Test mode: a network of its own, SIMULATED. */
async function runTest(words: readonly string[]): Promise<void> {
  const args = parseValidatorArgs(words);
  useNativeSha256();
  const presenter = openPresenter(args.json, args.verbose);
  await command(
    presenter,
    (signal) => runTestMode(args, SYSTEM_CLOCK, (event) => presenter.show(event), signal),
  );
}

if (import.meta.main) {
  const words = wordsOf(true);
  if (isForNetwork(words)) {
    const args = parseNetworkArgs(words);
    await startParty(args, (host) => runNetworkValidator(args, host));
  } else await runTest(words);
}
