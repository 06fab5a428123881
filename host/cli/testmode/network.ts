/**
 * A test network in one folder: ledger, store, data set, beacon key, test root, wallets. SIMULATED: whoever
 * can read the folder can do everything in its network.
 *
 * @module
 */
import { presetByName } from "../../../enclave/model/presets.ts";
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import type { Hparams } from "../../../enclave/protocol/hparams.ts";
import type { LocalBeacon } from "../../beacon.ts";
import { openTestRoot, type TestRoot } from "../../credentials/test_root.ts";
import type { Clock } from "../../ledger/clock.ts";
import { DevLedger } from "../../ledger/dev/dev_ledger.ts";
import type { Address } from "../../ledger/ledger.ts";
import { LocalStore } from "../../store/local.ts";
import { Pages } from "../../store/pages.ts";
import { bindFolder } from "../folder.ts";
import { beaconPeriod, type TrainingOptions } from "./calibrate.ts";
import { aboutPath, openLocalBeacon } from "./local_beacon.ts";

/** An open test network. */
export interface TestNetwork {
  /** Its folder. */
  readonly dir: string;
  /** The ledger. */
  readonly ledger: DevLedger;
  /** The store. */
  readonly store: LocalStore;
  /** The data. */
  readonly pages: Pages;
  /** The beacon. */
  readonly beacon: LocalBeacon;
  /** The root of its judges' documents. */
  readonly root: TestRoot;
  /** The model. */
  readonly model: ModelConfig;
  /** How its companions train. */
  readonly training: TrainingOptions;
}

/** What a network is founded with. */
export interface FoundOptions {
  /** Rules. */
  readonly hparams: Hparams;
  /** How companions train. */
  readonly training: TrainingOptions;
  /** 32 bytes. */
  readonly modelHash: Bytes;
  /** Hash of the genesis base. */
  readonly baseHash: Bytes;
  /** The judge's PCR0–2. */
  readonly pcrs: readonly [Bytes, Bytes, Bytes];
  /** Companion miners, in uid order. */
  readonly miners: number;
  /** Validators, in uid order, of equal stake. */
  readonly validators: number;
}

/** Number of a test network's first window. */
export const FIRST_WINDOW = 1;
/** Name of the measurement that is approved from the start. */
export const LOCAL_BUILD = "local-simulated";
/** SUI (MIST) in the wallet of whoever joins. */
const JOIN_FUNDS = 10_000_000_000n;

const ledgerPath = (dir: string) => `${dir}/ledger.sqlite`;

/** Whether `dir` holds a network. */
export function networkExists(dir: string): boolean {
  return DevLedger.exists(ledgerPath(dir));
}

/** Found a network in `dir`, whose data set is there already; its first window starts now. */
export async function foundNetwork(
  dir: string,
  pages: Pages,
  model: ModelConfig,
  options: FoundOptions,
  clock: Clock,
): Promise<TestNetwork> {
  const { hparams, training, modelHash, baseHash, pcrs, miners, validators } = options;
  const genesisMs = clock.now();
  const about = { genesisMs, periodMs: beaconPeriod(hparams.window_ms), training };
  await Deno.writeTextFile(aboutPath(dir), JSON.stringify(about, null, 2) + "\n");
  const beacon = await openLocalBeacon(dir, clock, about);
  const root = await openTestRoot(`${dir}/keys`);
  const random = () => crypto.getRandomValues(new Uint8Array(32));
  using ledger = DevLedger.open(ledgerPath(dir), clock);
  ledger.found({
    chainId: random(),
    ledgerId: random(),
    admin: await wallet(dir, "admin"),
    model: model.name,
    modelHash,
    baseHash,
    dataset: pages.dataset,
    beacon: beacon.chain,
    hparams,
    epoch: { firstWindow: FIRST_WINDOW, startMs: clock.now() },
    measurements: [{ name: LOCAL_BUILD, pcrs }],
    simulatedRoot: root.root,
    seats: [
      ...await Promise.all(Array.from({ length: validators }, async (_, i) => ({
        role: "validator" as const,
        owner: await wallet(dir, `validator-${i}`),
        stake: BigInt(hparams.min_validator_stake),
      }))),
      ...await Promise.all(Array.from({ length: miners }, async (_, i) => ({
        role: "miner" as const,
        owner: await wallet(dir, `miner-${i}`),
        stake: BigInt(hparams.min_miner_stake),
      }))),
    ],
  });
  return await openNetwork(dir, clock, pages);
}

/** Open the network in `dir`. */
export async function openNetwork(dir: string, clock: Clock, pages?: Pages): Promise<TestNetwork> {
  const about = JSON.parse(await Deno.readTextFile(aboutPath(dir)));
  const ledger = DevLedger.open(ledgerPath(dir), clock);
  const info = await ledger.info();
  await bindFolder(dir, info.ledgerId);
  return {
    dir,
    ledger,
    store: await LocalStore.open(`${dir}/store`),
    pages: pages ?? await Pages.open(`${dir}/dataset`),
    beacon: await openLocalBeacon(dir, clock, about),
    root: await openTestRoot(`${dir}/keys`),
    model: presetByName(info.model),
    training: about.training,
  };
}

/** The address called `name` in this network; the dev ledger authenticates nobody, so there is no key behind it. */
export async function wallet(dir: string, name: string): Promise<Address> {
  const path = `${dir}/wallets/${name}.address`;
  await Deno.mkdir(`${dir}/wallets`, { recursive: true });
  const fresh = `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
  try {
    await Deno.writeTextFile(path, fresh, { createNew: true });
    return fresh;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return (await Deno.readTextFile(path)).trim();
  }
}

/** Give the wallet of a newcomer test SUI, if it has none. */
export async function fund({ ledger }: TestNetwork, owner: Address): Promise<void> {
  const { sui } = await ledger.balance(owner);
  if (sui < JOIN_FUNDS / 2n) ledger.faucet(owner, JOIN_FUNDS);
}
