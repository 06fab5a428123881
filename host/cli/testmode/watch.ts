/**
 * What of a test network is watched and measured.
 *
 * @module
 */
import { reason } from "../../ledger/log.ts";
import type { Monitor } from "../../monitoring/monitor.ts";
import { ledgerProbe, noObjectOf, storesProbe } from "../../monitoring/probes.ts";
import type { Store } from "../../store/store.ts";
import { ledgerPath } from "../open_ledger.ts";
import type { TestNetwork } from "./network.ts";
import type { TestStores } from "./stores.ts";

/** The network, with its ledger and store measured, and its ledger watched. */
export function measuredNetwork(network: TestNetwork, monitor: Monitor): TestNetwork {
  const { dir, ledger, store } = network;
  monitor.health.watch("ledger", null, ledgerProbe(ledger, ledgerPath(dir)));
  return { ...network, ledger: monitor.ledger(ledger), store: monitor.store(store) };
}

/** Watch the folder that all share, and where miners upload besides. */
export function watchStores(
  { store }: TestNetwork,
  { name, uploads }: TestStores,
  monitor: Monitor,
): void {
  const asked = new Map<Store, string | undefined>([[store, undefined]]);
  if (name !== undefined) asked.set(uploads, noObjectOf(/^walrus/i.test(name) ? "walrus" : ""));
  monitor.health.watch("store", null, storesProbe(asked));
}

/** A miner's loop, which is not to end before `signal` aborts. */
export async function watchedRun(
  uid: number,
  loop: Promise<void>,
  { health }: Monitor,
  signal: AbortSignal,
): Promise<void> {
  try {
    await loop;
    if (!signal.aborted) {
      health.failed("miner", uid, { reason: "ended", detail: "Its loop has ended" });
    }
  } catch (error) {
    if (!signal.aborted) {
      health.failed("miner", uid, { reason: "failed", detail: reason(error) });
    }
    throw error;
  }
}
