/**
 * What every party of a network works with, out of its settings: ledger, model, data, stores, bases, beacon. The same
 * parts as in test mode; only where they come from differs.
 *
 * @module
 */
import { type ModelConfig, presetByName } from "../../../enclave/model/presets.ts";
import { equal } from "../../../enclave/protocol/bytes.ts";
import type { Config } from "../../config/mod.ts";
import { DrandRelays } from "../../drand.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { Ledger, NetworkInfo } from "../../ledger/ledger.ts";
import type { Log } from "../../ledger/log.ts";
import type { BeaconSource } from "../../ledger/randomness.ts";
import { Bases } from "../../store/bases.ts";
import { LocalStore } from "../../store/local.ts";
import type { PageSource } from "../../store/pages.ts";
import type { Store } from "../../store/store.ts";
import { type OpenLedger, openLedger } from "../open_ledger.ts";
import { openPages } from "../open_pages.ts";
import { type OpenStores, openStores } from "../open_store.ts";
import { ledgerClock } from "./ledger_clock.ts";
import { hasLocalBeacon, openLocalBeacon } from "../testmode/local_beacon.ts";

/** What a party takes of its process. */
export interface NetworkHost {
  /** Settings. */
  readonly config: Config;
  /** The user's folder. */
  readonly home: string | undefined;
  /** Who calls a dev ledger, or an address of the wallet. */
  readonly as?: string | undefined;
  /** Time. */
  readonly clock: Clock;
  /** Log lines. */
  readonly log: Log;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** Open the ledger of the settings for as long as `run` works. */
export async function onLedger(
  host: NetworkHost,
  run: (opened: OpenLedger) => Promise<void>,
): Promise<void> {
  const { as, clock, config, home } = host;
  using opened = await openLedger(config, { clock, home, as });
  await run(opened);
}

/** See the module. */
export interface NetworkParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** What is fixed for good. */
  readonly info: NetworkInfo;
  /** The model. */
  readonly model: ModelConfig;
  /** The folder of the settings. */
  readonly dir: string;
  /** The store that all share: bases, and by hash what validators measured. */
  readonly store: Store;
  /** This party's own store, which may be the same. */
  readonly own: OpenStores;
  /** Bases, brought forward by replay. */
  readonly bases: Bases;
  /** The data set. */
  readonly pages: PageSource;
  /** Randomness. */
  readonly beacon: BeaconSource;
  /** Time. */
  readonly clock: Clock;
  /** Log lines. */
  readonly log: Log;
}

/** A chain's time is known to some tenths of a second: whoever waits for a moment waits this much longer. */
const CHAIN_MARGIN_MS = 1_000;

/** What a party that needs no data works with. */
export type LeanParts = Omit<NetworkParts, "pages" | "beacon">;

/** The parts of a party that needs no data; `what` it wants is for its errors. `cleanup` closes them. */
export async function openLeanParts(
  opened: OpenLedger,
  { clock: machine, config, log }: NetworkHost,
  what: string,
  cleanup: DisposableStack,
): Promise<LeanParts> {
  const { ledger, profile } = opened;
  const clock = ledgerClock(ledger, machine, profile === null ? 0 : CHAIN_MARGIN_MS);
  const info = await ledger.info();
  const model = presetByName(info.model);
  const dir = config.require("DATA_DIR", what, "--data-dir DIR");
  const own = cleanup.use(await openStores(config));
  // A dev ledger's folder has the store that its network shares, whatever else a party uses.
  const store = profile === null ? await LocalStore.open(`${dir}/store`) : own.write;
  const cache = config.get("STORAGE_BACKEND") === "local"
    ? {}
    : { cache: await LocalStore.open(`${dir}/checkpoints`) };
  const bases = await Bases.open(ledger, store, model, cache);
  return { ledger, info, model, dir, store, own, bases, clock, log };
}

/** The parts of a party that trains or judges, e.g. to `mine`. `cleanup` closes them. */
export async function openParts(
  opened: OpenLedger,
  host: NetworkHost,
  what: string,
  cleanup: DisposableStack,
): Promise<NetworkParts> {
  const parts = await openLeanParts(opened, host, what, cleanup);
  const { dir, info, store } = parts;
  const { pages } = cleanup.use(await openPages(`${dir}/dataset`, store, info.dataset));
  return { ...parts, pages, beacon: await openBeacon(parts, host.config) };
}

/** The network's beacon: drand's relays, or the local one of a test network's folder. */
async function openBeacon(
  { clock, dir, info: { beacon }, log }: LeanParts,
  config: Config,
): Promise<BeaconSource> {
  if (await hasLocalBeacon(dir)) {
    const local = await openLocalBeacon(dir, clock);
    if (equal(local.chain.chainHash, beacon.chainHash)) return local;
  }
  const relays = config.get("DRAND_RELAYS")!;
  return new DrandRelays(beacon, { relays, log, now: () => clock.now() });
}
