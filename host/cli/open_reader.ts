/**
 * From settings to a reader of gradients, and to the envelope that read keys are sealed in: the same in test mode and
 * on a network.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";
import type { ReadKeyEnvelope } from "../credentials/read_keys.ts";
import { GradientReader, type ReaderParts } from "../gradient_reader.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Store } from "../store/store.ts";
import { WalrusStore } from "../store/walrus.ts";
import type { OpenLedger } from "./open_ledger.ts";
import { openWalrusNodes } from "./open_store.ts";

/** A miner's bucket is given a fiftieth of a window to answer, but not less than this, in milliseconds. */
const MIN_PATIENCE_MS = 2_000;

/** What a reader has that no setting says. */
export interface ReaderOf extends Pick<ReaderParts, "owner" | "store" | "uploads" | "envelope"> {
  /** The ledger. */
  readonly ledger: Ledger;
  /** This party's own store, where it is another: on Walrus, it reads Walrus, too. */
  readonly own?: Store | undefined;
}

/** A reader of these parts, with what settings say. */
export async function openReader(config: Config, parts: ReaderOf): Promise<GradientReader> {
  const { ledger, store, own = store, ...rest } = parts;
  const { hparams } = await ledger.window(await ledger.currentWindow());
  const walrus = await openWalrusReader(config, own);
  return new GradientReader({
    ...rest,
    ledger,
    store,
    walrus,
    privateEndpoints: config.get("PRIVATE_ENDPOINTS"),
    patienceMs: Math.max(MIN_PATIENCE_MS, hparams.window_ms / 50),
  });
}

/**
 * Reads blobs of Walrus by their refs: `own` where it is on Walrus, else the aggregator or the storage nodes of the
 * settings; undefined where they name neither.
 */
export async function openWalrusReader(config: Config, own: Store): Promise<Store | undefined> {
  if (own instanceof WalrusStore) return own;
  const aggregator = config.get("WALRUS_AGGREGATOR");
  if (aggregator !== undefined) return WalrusStore.reading({ aggregator });
  const nodes = await openWalrusNodes(config, false);
  return nodes === undefined ? undefined : WalrusStore.reading({ nodes });
}

/** How read keys are sealed on the open ledger; undefined where the settings name no key servers. */
export async function openEnvelope(
  config: Config,
  opened: Pick<OpenLedger, "envelope">,
): Promise<ReadKeyEnvelope | undefined> {
  const keyServers = config.get("SEAL_KEY_SERVER_IDS") ?? [];
  return await opened.envelope(keyServers, config.get("SEAL_THRESHOLD")!) ?? undefined;
}
