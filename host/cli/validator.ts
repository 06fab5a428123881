/**
 * `deno task validator`: a whole network in test mode, or a validator of a network.
 *
 * @module
 */
// First of all, before anything loads onnxruntime: test mode's miners may train on CUDA, where that is installed.
import "../../miner/cuda/preload.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { parseValidatorArgs } from "./args.ts";
import { isForNetwork, parseNetworkArgs } from "./args_network.ts";
import { startParty, wordsOf } from "./network/start.ts";
import { runNetworkValidator } from "./network/validator.ts";
import { runOnlyUid } from "./rehearsal/only_uid.ts";
import { runParty } from "./party.ts";
import { runTestMode } from "./testmode/run.ts";

/** Test mode: a network of its own, SIMULATED. */
async function runTest(words: readonly string[]): Promise<void> {
  const args = parseValidatorArgs(words);
  await runParty(args, {}, true, (host) => runTestMode(args, SYSTEM_CLOCK, host));
}

if (import.meta.main) {
  const words = wordsOf(true);
  if (isForNetwork(words)) {
    const args = parseNetworkArgs(words);
    const { onlyUid } = args;
    await startParty(
      args,
      (host) =>
        onlyUid === undefined ? runNetworkValidator(args, host) : runOnlyUid(onlyUid, args, host),
    );
  } else await runTest(words);
}
