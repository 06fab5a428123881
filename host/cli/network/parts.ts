/**
 * What every party of a network works with, out of its settings: ledger, model, data, stores, bases, beacon. The same
 * parts as in test mode; only where they come from differs.
 *
 * @module
 */
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import { equal } from "../../../enclave/protocol/bytes.ts";
import type { Config } from "../../config/mod.ts";
import { DrandRelays } from "../../drand.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { Ledger, NetworkInfo } from "../../ledger/ledger.ts";
import type { Log } from "../../ledger/log.ts";
import type { BeaconSource } from "../../ledger/randomness.ts";
import { ledgerProbe, noObjectOf, storesProbe } from "../../monitoring/probes.ts";
import { Bases } from "../../store/bases.ts";
import { LocalStore } from "../../store/local.ts";
import type { PageSource } from "../../store/pages.ts";
import type { Store } from "../../store/store.ts";
import type { Monitoring } from "../monitoring.ts";
import { bindFolder } from "../folder.ts";
import { type NetworkModel, openModel } from "../model/open.ts";
import { ledgerPath, type OpenLedger, openLedger } from "../open_ledger.ts";
import { openPages } from "../open_pages.ts";
import { openWalrusReader } from "../open_reader.ts";
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
  /** Components and numbers; without it nobody is told of them. */
  readonly monitoring?: Monitoring;
}

/** Open the ledger of the settings for as long as `run` works. */
export async function onLedger(
  host: NetworkHost,
  run: (opened: OpenLedger) => Promise<void>,
): Promise<void> {
  const { as, clock, config, home } = host;
  host.monitoring?.monitor.stage("the ledger");
  using opened = await openLedger(config, { clock, home, as });
  const monitor = host.monitoring?.monitor;
  if (monitor === undefined) return await run(opened);
  const { ledger, profile } = opened;
  const path = profile === null ? ledgerPath(config.get("DATA_DIR")!) : undefined;
  monitor.health.watch("ledger", null, ledgerProbe(ledger, path));
  monitor.stage("its store, data set and base");
  await run({ ...opened, ledger: monitor.ledger(ledger) });
}

/** See the module. */
export interface NetworkParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** What is fixed for good. */
  readonly info: NetworkInfo;
  /** The model. */
  readonly model: ModelConfig;
  /** What a judge takes of it by hash, where it is a package. */
  readonly modelBlobs: NetworkModel["modelBlobs"];
  /** The folder of the settings. */
  readonly dir: string;
  /** The store that all share: bases, and by hash what validators measured. */
  readonly store: Store;
  /** Where what anybody published is looked for: the same, and on Walrus what others' catalogs list. */
  readonly shared: Store;
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
  { clock: machine, config, log, monitoring }: NetworkHost,
  what: string,
  cleanup: DisposableStack,
): Promise<LeanParts> {
  const { ledger, profile } = opened;
  const clock = ledgerClock(ledger, machine, profile === null ? 0 : CHAIN_MARGIN_MS);
  const info = await ledger.info();
  const dir = config.require("DATA_DIR", what, "--data-dir DIR");
  await bindFolder(dir, info.ledgerId);
  const { model, modelBlobs } = await openModel(info, dir);
  const bare = cleanup.use(await openStores(config));
  const own = measured(bare, monitoring);
  // A dev ledger's folder has the store that its network shares, whatever else a party uses.
  const shared = profile === null ? await LocalStore.open(`${dir}/store`) : bare.write;
  const store = shared === bare.write ? own.write : measuredStore<Store>(shared, monitoring);
  const asked = new Map([[shared, undefined], [
    bare.write,
    noObjectOf(config.get("STORAGE_BACKEND")!),
  ]]);
  monitoring?.monitor.health.watch("store", null, storesProbe(asked));
  const cache = config.get("STORAGE_BACKEND") === "local"
    ? {}
    : { cache: await LocalStore.open(`${dir}/checkpoints`) };
  const reads = profile === null || own.shared === bare.write ? store : own.shared;
  const walrus = await openWalrusReader(config, bare.write);
  const bases = await Bases.open(ledger, reads, model, { ...cache, walrus });
  return { ledger, info, model, modelBlobs, dir, store, shared: reads, own, bases, clock, log };
}

function measuredStore<S extends Store>(store: S, monitoring: Monitoring | undefined): S {
  return monitoring === undefined ? store : monitoring.monitor.store(store);
}

function measured(own: OpenStores, monitoring: Monitoring | undefined): OpenStores {
  if (monitoring === undefined) return own;
  const read = own.read === null ? null : measuredStore(own.read, monitoring);
  return { ...own, write: measuredStore(own.write, monitoring), read };
}

/** The parts of a party that trains or judges, e.g. to `mine`. `cleanup` closes them. */
export async function openParts(
  opened: OpenLedger,
  host: NetworkHost,
  what: string,
  cleanup: DisposableStack,
): Promise<NetworkParts> {
  const parts = await openLeanParts(opened, host, what, cleanup);
  const { dir, info, shared } = parts;
  const { pages } = cleanup.use(await openPages(`${dir}/dataset`, shared, info.dataset));
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
