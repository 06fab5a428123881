/**
 * From settings to a ledger: the dev ledger of a folder, or a network on Sui. The one place where the commands learn
 * which of the two they work on.
 *
 * @module
 */
import { type Bytes, toHex } from "../../enclave/protocol/bytes.ts";
import {
  type Config,
  ConfigError,
  type Network,
  networkOf,
  networksPath,
  profileOf,
  readNetworks,
} from "../config/mod.ts";
import { DevelopmentEnvelope } from "../credentials/development_envelope.ts";
import type { ReadKeyEnvelope } from "../credentials/read_keys.ts";
import type { Clock } from "../ledger/clock.ts";
import { DevLedger } from "../ledger/dev/dev_ledger.ts";
import type { Address, Ledger } from "../ledger/ledger.ts";
import type { Founding } from "../ledger/sui/calls/admin.ts";

/** An open ledger, and who calls it. */
export interface OpenLedger extends Disposable {
  /** The ledger. */
  readonly ledger: Ledger;
  /** `dev`, or the network's name. */
  readonly network: string;
  /** What of the network is known besides; null for the dev ledger. */
  readonly profile: Extract<Network, { ledger: "sui" }> | null;
  /** The caller's address; fails where there is no wallet. */
  readonly caller: () => Promise<Address>;
  /** What is called before the founding, or null where a ledger is founded in another way. */
  readonly genesis: GenesisCalls | null;
  /**
   * How read keys are sealed to `keyServers`, `threshold` of which must answer; null where none are named. A dev
   * ledger has an envelope of its own, which protects nothing from whoever reads its folder.
   */
  readonly envelope: (
    keyServers: readonly string[],
    threshold: number,
  ) => Promise<ReadKeyEnvelope | null>;
  /** Test SUI (MIST) to an address, or null where none is to be had. */
  readonly faucet: ((to: Address, amount: bigint) => Promise<void>) | null;
}

/** Calls of the admin that make a network out of a published package. */
export interface GenesisCalls {
  /** Found the network; its chain is that of the ledger. */
  found(sender: Address, founding: Omit<Founding, "chainId">): Promise<void>;
  /** Approve a build at once. */
  approve(sender: Address, name: string, pcrs: readonly [Bytes, Bytes, Bytes]): Promise<void>;
}

/** What opening takes of the machine. */
export interface OpenOptions {
  /** Time. */
  readonly clock: Clock;
  /** The user's folder. */
  readonly home: string | undefined;
  /** Who calls a dev ledger: an address, or a name whose address the folder keeps. */
  readonly as?: string | undefined;
  /** Whether a read opens the running window of a dev ledger, as every party's does; false changes nothing there. */
  readonly readsRoll?: boolean;
}

/** Where the dev ledger of a folder lies. */
export function ledgerPath(dir: string): string {
  return `${dir}/ledger.sqlite`;
}

/** Who calls a dev ledger where nobody is named. */
const DEV_CALLER = "operator";

/**
 * The ledger that `config` names.
 *
 * @throws {ConfigError} where a setting is missing or wrong, or there is no network.
 */
export async function openLedger(config: Config, options: OpenOptions): Promise<OpenLedger> {
  if (config.get("LEDGER") === "dev") return openDev(config, options);
  const name = config.get("NETWORK")!;
  const network = networkOf(name, readNetworks(networksPath(config, options.home)), config);
  if (network.ledger === "dev") return openDev(config, options);
  profileOf(name, network); // before Sui's library is loaded: what was never published needs no node
  const { openSui } = await import("./open_sui.ts");
  return await openSui(name, network, config, options);
}

function openDev(config: Config, { as, clock, readsRoll = true }: OpenOptions): OpenLedger {
  const dir = config.require(
    "DATA_DIR",
    "open a dev ledger",
    "--data-dir DIR (or --network NAME for one on Sui)",
  );
  const path = ledgerPath(dir);
  if (!DevLedger.exists(path)) {
    throw new ConfigError(
      "missing",
      `Cannot open a dev ledger in ${dir}: there is none. Start a network there with ` +
        `'deno task validator --test-mode --data-dir ${dir}', or name another with --data-dir`,
    );
  }
  const ledger = DevLedger.open(path, clock, { readsRoll });
  return {
    ledger,
    network: "dev",
    profile: null,
    caller: () => devAddress(dir, as ?? config.get("WALLET_ADDRESS") ?? DEV_CALLER),
    genesis: null,
    envelope: () => DevelopmentEnvelope.open(`${dir}/keys`),
    faucet: (to, amount) => Promise.resolve(ledger.faucet(to, amount)),
    [Symbol.dispose]: () => ledger[Symbol.dispose](),
  };
}

/**
 * The address that `who` is or names in the folder of a dev ledger; a new name gets a new address. The dev ledger
 * authenticates nobody, so there is no key behind it.
 */
export async function devAddress(dir: string, who: string): Promise<Address> {
  if (/^0x[0-9a-f]{64}$/.test(who)) return who;
  // What starts as an address and is none is no name either.
  if (who.startsWith("0x") || !/^[a-z0-9][a-z0-9-]{0,31}$/.test(who)) {
    throw new ConfigError(
      "bad_value",
      `Cannot call as ${
        JSON.stringify(who)
      }: expected an address of 0x and 64 hexadecimal digits, or a ` +
        "name of a-z, 0-9 and -",
    );
  }
  const path = `${dir}/wallets/${who}.address`;
  const fresh = `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
  await Deno.mkdir(`${dir}/wallets`, { recursive: true });
  try {
    await Deno.writeTextFile(path, fresh, { createNew: true });
    return fresh;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return (await Deno.readTextFile(path)).trim();
  }
}
