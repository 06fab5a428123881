/**
 * `deno task aggregator`: publishes a network's merges and checkpoints. The validator's own can be
 * replaced by it, or run beside it: both write the same.
 *
 * @module
 */
import { Aggregator } from "../aggregator.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { storeProbe } from "../monitoring/probes.ts";
import { Bases } from "../store/bases.ts";
import { parseAggregatorArgs } from "./args.ts";
import { isForNetwork, parseNetworkAggregatorArgs } from "./args_network.ts";
import { runNetworkAggregator } from "./network/aggregator.ts";
import { startParty, wordsOf } from "./network/start.ts";
import { runParty } from "./party.ts";
import { networkExists, openNetwork } from "./testmode/network.ts";
import { measuredNetwork } from "./testmode/watch.ts";

async function runTest(words: readonly string[]): Promise<void> {
  const args = parseAggregatorArgs(words);
  await runParty(args, {}, false, async ({ log, monitoring, signal }) => {
    if (!networkExists(args.dataDir)) {
      throw new TypeError(`Cannot aggregate: there is no network in ${args.dataDir}`);
    }
    const { monitor } = monitoring;
    const bare = await openNetwork(args.dataDir, SYSTEM_CLOCK);
    using _ledger = bare.ledger;
    const network = measuredNetwork(bare, monitor);
    monitor.health.watch("store", null, storeProbe(bare.store));
    const party = { component: "aggregator", uid: null } as const;
    await monitoring.begin({ party, dataDir: args.dataDir, ledger: network.ledger });
    monitor.ready();
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
