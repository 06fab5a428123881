/**
 * A ledger on Sui, out of settings: wallet, profile, node. Loaded only where a command asks for Sui.
 *
 * @module
 */
import {
  type Config,
  ConfigError,
  profileOf,
  START_LOCALNET,
  type SuiNetwork,
} from "../config/mod.ts";
import type { Address } from "../ledger/ledger.ts";
import { SuiError } from "../ledger/sui/errors.ts";
import { chainBytes, publishPackage } from "../ledger/sui/publish.ts";
import { SuiLedger } from "../ledger/sui/sui_ledger.ts";
import { Wallet } from "../ledger/sui/wallet.ts";
import type { BuiltPackage, Published } from "./commands/publish.ts";
import type { OpenLedger, OpenOptions } from "./open_ledger.ts";

/** The settings that a wallet can come from, the first of which wins nothing: only one may be set. */
const WALLETS = ["WALLET_KEYSTORE", "WALLET_KEY", "WALLET_MNEMONIC"] as const;
/** A faucet that does not answer in this time does not. */
const FAUCET_MS = 30_000;

/**
 * The wallet that the settings name, or undefined where they name none.
 *
 * @throws {ConfigError} `alias_conflict` where they name several.
 * @throws {SuiError} `bad_wallet`, without any of the secret.
 */
export async function walletOf(config: Config): Promise<Wallet | undefined> {
  const set = WALLETS.filter((name) => config.has(name));
  if (set.length > 1) {
    throw new ConfigError(
      "alias_conflict",
      `Cannot choose a wallet: ${
        set.map((name) => config.sourceOf(name)).join(" and ")
      } are set; ` +
        "remove all but one",
    );
  }
  const keystore = config.get("WALLET_KEYSTORE");
  if (keystore !== undefined) return await fromKeystore(keystore, config.get("WALLET_ADDRESS"));
  const key = config.get("WALLET_KEY");
  if (key !== undefined) return checked(Wallet.fromPrivateKey(key), config);
  const words = config.get("WALLET_MNEMONIC");
  return words === undefined ? undefined : checked(Wallet.fromMnemonic(words), config);
}

/** Words of another wallet are no error of theirs: whoever names the address finds out. */
function checked(wallet: Wallet, config: Config): Wallet {
  const wanted = config.get("WALLET_ADDRESS");
  if (wanted === undefined || wanted === wallet.address) return wallet;
  throw new ConfigError(
    "bad_value",
    `Cannot call as ${wanted}, which ${config.sourceOf("WALLET_ADDRESS")} names: the wallet is ` +
      wallet.address,
  );
}

async function fromKeystore(path: string, address: string | undefined): Promise<Wallet> {
  try {
    return await Wallet.fromFile(path, address);
  } catch (error) {
    if (error instanceof SuiError) throw error;
    throw new ConfigError("bad_file", `Cannot read the keystore: ${(error as Error).message}`);
  }
}

/**
 * The ledger of `network`, compared with the node's chain.
 *
 * @throws {ConfigError} `not_published`.
 * @throws {SuiError} as {@link SuiLedger.connect}.
 */
export async function openSui(
  name: string,
  network: SuiNetwork,
  config: Config,
  { as, clock, home }: OpenOptions,
): Promise<OpenLedger> {
  const profile = profileOf(name, network);
  if (as !== undefined && !as.startsWith("0x")) {
    throw new ConfigError(
      "bad_value",
      `Cannot call as ${JSON.stringify(as)} on ${name}: on Sui --as takes an address of the wallet`,
    );
  }
  let wallet: Wallet | undefined;
  let fault: unknown; // told when somebody is to sign: reading needs no wallet
  try {
    wallet = await walletOf(config);
  } catch (error) {
    fault = error;
  }
  const indexPath = home === undefined ? undefined : await indexOf(home, name, wallet);
  const ledger = await explained(name, network, () =>
    SuiLedger.connect(profile, {
      ...(wallet === undefined ? {} : { wallet }),
      ...(indexPath === undefined ? {} : { indexPath }),
      now: () => clock.now(),
    }));
  return {
    ledger,
    network: name,
    profile: network,
    caller() {
      if (fault !== undefined) return Promise.reject(fault);
      if (wallet !== undefined) return Promise.resolve(wallet.address);
      return Promise.reject(
        new ConfigError(
          "missing",
          "Cannot sign: set VRAMHUB_WALLET_MNEMONIC, VRAMHUB_WALLET_KEY or VRAMHUB_WALLET_KEYSTORE",
        ),
      );
    },
    genesis: {
      // The first checkpoint's digest: 32 bytes, as the judges sign it.
      found: (sender, founding) =>
        ledger.found(sender, { ...founding, chainId: chainBytes(profile.chainId) }),
      approve: (sender, build, pcrs) => ledger.approveAtGenesis(sender, build, pcrs),
    },
    async envelope(keyServers, threshold) {
      if (keyServers.length === 0) return null;
      // Loaded only here: no other command has use for Seal.
      const { SealEnvelope } = await import("../credentials/seal_envelope.ts");
      const { client, deployment } = ledger;
      const signer = wallet ?? null;
      return new SealEnvelope({ client, deployment, keyServers, threshold, signer });
    },
    faucet: network.faucetUrl === undefined ? null : (to) => askFaucet(network.faucetUrl!, to),
    [Symbol.dispose]: () => ledger[Symbol.dispose](),
  };
}

/** The file of events and of sent transactions: one for each network and wallet. */
async function indexOf(home: string, name: string, wallet: Wallet | undefined): Promise<string> {
  const folder = `${home}/.vramhub/index`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  return `${folder}/${name}-${wallet?.address.slice(2, 18) ?? "reader"}.sqlite`;
}

/** A node that is not there: on a local network it is said how to start one. */
async function explained<T>(name: string, network: SuiNetwork, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof SuiError) || error.code !== "unavailable") throw error;
    const remedy = name === "localnet"
      ? `start one with '${START_LOCALNET}', then 'deno task vramhub ledger publish --network localnet'`
      : "try again, or name another with VRAMHUB_SUI_RPC_URL";
    throw new SuiError("unavailable", `Cannot reach a Sui node at ${network.url}: ${remedy}`, {
      cause: error,
    });
  }
}

/**
 * Test SUI from the faucet at `url`, for `to` or the wallet of the settings; returns whose it is.
 *
 * @throws {ConfigError} `missing` where there is neither.
 */
export async function fundSui(url: string, config: Config, to?: Address): Promise<Address> {
  const address = to ?? (await walletOf(config))?.address;
  if (address === undefined) {
    throw new ConfigError(
      "missing",
      "Cannot fund nobody: give --to, or set VRAMHUB_WALLET_MNEMONIC, _KEY or _KEYSTORE",
    );
  }
  await askFaucet(url, address);
  return address;
}

/** Sui's faucet, as the node of a local network has it: `POST /v2/gas`. */
async function askFaucet(url: string, recipient: string): Promise<void> {
  let response: Response;
  try {
    response = await fetch(`${url}/v2/gas`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ FixedAmountRequest: { recipient } }),
      signal: AbortSignal.timeout(FAUCET_MS),
    });
    await response.body?.cancel();
  } catch (cause) {
    throw new SuiError("unavailable", `Cannot reach the faucet at ${url}`, { cause });
  }
  if (!response.ok) {
    throw new SuiError("unavailable", `The faucet at ${url} answered ${response.status}`);
  }
}

/**
 * Publish `built` on `network`, signed by the wallet of the settings.
 *
 * @throws {ConfigError} `missing` where there is no wallet.
 * @throws {SuiError} as {@link publishPackage}.
 */
export async function publishSui(
  built: BuiltPackage,
  name: string,
  network: SuiNetwork,
  config: Config,
): Promise<Published> {
  const wallet = await walletOf(config);
  if (wallet === undefined) {
    throw new ConfigError(
      "missing",
      "Cannot publish without a wallet: set VRAMHUB_WALLET_MNEMONIC, _KEY or _KEYSTORE",
    );
  }
  const { url } = network;
  const chain = network.chainId === undefined || name === "localnet"
    ? {} // a local network has another chain after each start
    : { chainId: network.chainId };
  const { transaction, ...ids } = await explained(name, network, () =>
    publishPackage(
      { modules: built.modules.map(({ bytes }) => bytes), dependencies: built.dependencies },
      { name, url, ...chain },
      { wallet },
    ));
  return { network: { ...network, ...ids }, transaction };
}
