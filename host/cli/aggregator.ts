/**
 * `deno task aggregator`: publishes a network's merges and checkpoints. The validator's own can be
 * replaced by it, or run beside it: both write the same.
 *
 * @module
 */
import { Aggregator } from "../aggregator.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import type { Log } from "../ledger/log.ts";
import { Bases } from "../store/bases.ts";
import { parseAggregatorArgs } from "./args.ts";
import { isForNetwork, parseNetworkAggregatorArgs } from "./args_network.ts";
import { command, openPresenter, useNativeSha256 } from "./native.ts";
import { runNetworkAggregator } from "./network/aggregator.ts";
import { startParty, wordsOf } from "./network/start.ts";
import { networkExists, openNetwork } from "./testmode/network.ts";

async function runTest(words: readonly string[]): Promise<void> {
  const args = parseAggregatorArgs(words);
  useNativeSha256();
  const presenter = openPresenter(args.json, true);
  const log: Log = (level, target, message, fields = {}) =>
    presenter.show({ event: "log", level, target, message, fields: { ...fields } });
  await command(presenter, async (signal) => {
    if (!networkExists(args.dataDir)) {
      throw new TypeError(`Cannot aggregate: there is no network in ${args.dataDir}`);
    }
    const network = await openNetwork(args.dataDir, SYSTEM_CLOCK);
    using _ledger = network.ledger;
    const bases = await Bases.open(network.ledger, network.store, network.model);
    await new Aggregator({ ...network, bases, clock: SYSTEM_CLOCK, log }).run(signal);
  });
}

if (import.meta.main) {
  const words = wordsOf(false);
  if (isForNetwork(words)) {
    const args = parseNetworkAggregatorArgs(words);
    await startParty(args, runNetworkAggregator);
  } else await runTest(words);
}
