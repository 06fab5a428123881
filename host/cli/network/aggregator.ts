/**
 * An aggregator of a network: the same as in test mode, over the ledger that the settings name.
 *
 * @module
 */
import { Aggregator } from "../../aggregator.ts";
import type { OpenLedger } from "../open_ledger.ts";
import { type NetworkHost, onLedger, openLeanParts } from "./parts.ts";

/** Publish merges and checkpoints of the network of the settings until the signal aborts. */
export async function runNetworkAggregator(host: NetworkHost): Promise<void> {
  await onLedger(host, (opened) => aggregateOn(opened, host));
}

/** {@linkcode runNetworkAggregator} on a ledger that is open. */
export async function aggregateOn(opened: OpenLedger, host: NetworkHost): Promise<void> {
  using cleanup = new DisposableStack();
  const parts = await openLeanParts(opened, host, "aggregate", cleanup);
  const { monitoring } = host;
  const party = { component: "aggregator", uid: null } as const;
  await monitoring?.begin({ party, dataDir: parts.dir, ledger: parts.ledger });
  monitoring?.monitor.ready();
  await new Aggregator(parts).run(host.signal);
}
