/**
 * From settings to stores: a folder, a bucket, Walrus, or a module of the operator's own. The one place where the
 * commands learn which of them they work on.
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type Config,
  ConfigError,
  networksPath,
  readNetworks,
  type VariableName,
} from "../config/mod.ts";
import { CredentialsError, ReadKeys } from "../credentials/read_keys.ts";
import { LocalStore } from "../store/local.ts";
import type { S3Options } from "../store/s3.ts";
import type { Store } from "../store/store.ts";
import { WalrusStore } from "../store/walrus.ts";
import { CatalogStore } from "../store/walrus_catalog.ts";
import type { WalrusNodes } from "../store/walrus_client.ts";

/** The store that settings name. */
export interface OpenStores extends Disposable {
  /** For people: `bucket gradients`. */
  readonly name: string;
  /** Where the objects of this party are put: under the key that may write. */
  readonly write: Store;
  /** Where those of all are looked for: the same store, and on Walrus what others' catalogs list, too. */
  readonly shared: Store;
  /** The file that gets the ref of what this party lists for others; null where its keys are everybody's. */
  readonly catalog: string | null;
  /** The same under the key that validators get; null where the store has none, or no such key is set. */
  readonly read: Store | null;
  /** What a miner publishes sealed: that key, and where it reads; null where there is none. */
  readonly readKeys: PublishedKeys | null;
}

/** Read keys, and the bucket that they are for. */
export interface PublishedKeys {
  /** The key pair, with the service where the account does not say it. */
  readonly keys: ReadKeys;
  /** What the ledger says of it in the open. */
  readonly place: { readonly bucket: string; readonly account: string };
}

/** Longest account that a ledger takes, bytes. */
const MAX_ACCOUNT = 64;
/** Stands for an endpoint that is too long for a ledger: the sealed text has it. */
const LONG_ACCOUNT = "sealed";
const METHODS = ["put", "get", "head", "list", "delete"] as const;

/**
 * The store that `config` names. `cwd` is where a module's path starts.
 *
 * @throws {ConfigError} where a setting is missing or wrong.
 */
export async function openStores(config: Config, cwd: string = Deno.cwd()): Promise<OpenStores> {
  const backend = config.get("STORAGE_BACKEND")!;
  switch (backend) {
    case "local":
      return await openLocal(config);
    case "r2":
    case "s3":
      return await openBucket(config);
    case "walrus":
      return await openWalrus(config);
    default:
      return await openModule(isAbsolute(backend) ? backend : join(cwd, backend), config);
  }
}

async function openLocal(config: Config): Promise<OpenStores> {
  const data = config.get("DATA_DIR");
  const dir = config.get("R2_LOCAL_DIR") ??
    (data === undefined ? config.require("R2_LOCAL_DIR", "open a store") : `${data}/store`);
  return only(dir, await LocalStore.open(dir), () => {});
}

async function openBucket(config: Config): Promise<OpenStores> {
  // Loaded only here: the other stores have no use for the SDK.
  const { r2Endpoint, S3Store } = await import("../store/s3.ts");
  const openS3 = (options: S3Options) => checked("S3_ENDPOINT", () => new S3Store(options));
  const need = (name: VariableName) => String(config.require(name, "use a bucket"));
  const account = config.get("R2_ACCOUNT_ID");
  const endpoint = config.get("S3_ENDPOINT");
  const place = {
    endpoint: endpoint ?? checked("R2_ACCOUNT_ID", () => r2Endpoint(need("R2_ACCOUNT_ID"))),
    region: config.get("S3_REGION")!,
    style: config.get("S3_STYLE")!,
    bucket: need("R2_BUCKET_NAME"),
  };
  const write = openS3({
    ...place,
    accessKeyId: need("R2_ACCESS_KEY_ID"),
    secretAccessKey: need("R2_SECRET_ACCESS_KEY"),
  });
  const name = `bucket ${place.bucket}`;
  if (!config.has("R2_READ_ACCESS_KEY_ID") && !config.has("R2_READ_SECRET_ACCESS_KEY")) {
    return only(name, write, () => write[Symbol.dispose]());
  }
  const pair = {
    accessKeyId: need("R2_READ_ACCESS_KEY_ID"),
    secretAccessKey: need("R2_READ_SECRET_ACCESS_KEY"),
  };
  if (pair.accessKeyId === need("R2_ACCESS_KEY_ID")) {
    throw new ConfigError(
      "bad_value",
      "Cannot publish the key that writes: VRAMHUB_R2_READ_ACCESS_KEY_ID must name another pair, " +
        "with the right to read alone",
    );
  }
  const read = openS3({ ...place, ...pair });
  return {
    name,
    write,
    shared: write,
    catalog: null,
    read,
    readKeys: publishedKeys(pair, place, endpoint === undefined ? account : undefined),
    [Symbol.dispose]() {
      write[Symbol.dispose]();
      read[Symbol.dispose]();
    },
  };
}

/** The endpoint is sealed, too, unless the account says it. */
function publishedKeys(
  pair: Pick<S3Options, "accessKeyId" | "secretAccessKey">,
  { bucket, endpoint, region, style }: Pick<S3Options, "bucket" | "endpoint" | "region" | "style">,
  account: string | undefined,
): PublishedKeys {
  const short = new TextEncoder().encode(endpoint).length <= MAX_ACCOUNT;
  const shown = account ?? (short ? endpoint : LONG_ACCOUNT);
  return {
    keys: checked(
      "R2_READ_…",
      () =>
        ReadKeys.of({
          ...pair,
          region,
          style,
          ...(account === undefined ? { endpoint } : {}),
        }),
    ),
    place: { bucket, account: shown },
  };
}

async function openWalrus(config: Config): Promise<OpenStores> {
  const data = config.require("DATA_DIR", "keep Walrus' index", "--data-dir DIR");
  await Deno.mkdir(data, { recursive: true });
  const publisher = config.get("WALRUS_PUBLISHER");
  const aggregator = config.has("WALRUS_NETWORK")
    ? config.get("WALRUS_AGGREGATOR")
    : config.require("WALRUS_AGGREGATOR", "use Walrus without VRAMHUB_WALRUS_NETWORK");
  const nodes = publisher === undefined || aggregator === undefined
    ? await openWalrusNodes(config, publisher === undefined)
    : undefined;
  const catalog = `${data}/walrus.catalog`;
  const store = await WalrusStore.open({
    ...(publisher === undefined ? {} : { publisher }),
    ...(aggregator === undefined ? {} : { aggregator }),
    ...(nodes === undefined ? {} : { nodes }),
    epochs: config.get("WALRUS_EPOCHS")!,
    index: `${data}/walrus.index`,
    catalog,
  });
  try {
    const names = config.get("WALRUS_CATALOG");
    const shared = names === undefined ? store : await CatalogStore.open(store, names);
    const name = `Walrus at ${aggregator ?? config.get("WALRUS_NETWORK")}`;
    return { ...only(name, store, () => store[Symbol.dispose]()), shared, catalog };
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
}

/**
 * The storage nodes of the Walrus that settings name, or undefined where they name none. Where they are to be written to,
 * the ledger's wallet pays; without one they are read alone.
 *
 * @throws {ConfigError} where several wallets are set.
 * @throws {SuiError} `bad_wallet`.
 */
export async function openWalrusNodes(
  config: Config,
  writes: boolean,
): Promise<WalrusNodes | undefined> {
  const network = config.get("WALRUS_NETWORK");
  if (network === undefined) return undefined;
  const known = readNetworks(networksPath(config, undefined))[network];
  // A node that is set is the ledger's: of this chain where the names agree.
  const own = config.get("NETWORK") === network ? config.get("SUI_RPC_URL") : undefined;
  const url = own ?? (known?.ledger === "sui" ? known.url : undefined);
  if (url === undefined) {
    throw new ConfigError(
      "unknown_network",
      `Cannot use Walrus of ${network}: ${
        config.sourceOf("NETWORKS_FILE")
      } names no Sui node of it`,
    );
  }
  // Loaded only here: the package, its encoder and Sui's library.
  const { WalrusNodes } = await import("../store/walrus_client.ts");
  const { walletOf } = await import("./open_sui.ts");
  return WalrusNodes.of(network, url, {
    wallet: writes ? await walletOf(config) : undefined,
    epochs: config.get("WALRUS_EPOCHS")!,
  });
}

/** A module whose default export is a `Store`, or a function that makes one, at once or later. */
async function openModule(path: string, config: Config): Promise<OpenStores> {
  const source = config.sourceOf("STORAGE_BACKEND");
  const wrong = (why: string) =>
    new ConfigError("bad_value", `Cannot use ${source}: ${path} ${why}`);
  let made: unknown;
  try {
    const { default: exported } = await import(pathToFileURL(path).href) as { default?: unknown };
    made = typeof exported === "function" ? await exported() : exported;
  } catch (error) {
    throw wrong(`cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  const store = made as Store & Partial<Disposable>;
  const missing = METHODS.filter((name) => typeof store?.[name] !== "function");
  if (missing.length > 0) {
    throw wrong(`has no store as its default export: it lacks ${missing.join(", ")}`);
  }
  return only(path, store, () => store[Symbol.dispose]?.());
}

/** A store that has no keys, or only the one that writes. */
function only(name: string, write: Store, close: () => void): OpenStores {
  return {
    name,
    write,
    shared: write,
    catalog: null,
    read: null,
    readKeys: null,
    [Symbol.dispose]: close,
  };
}

/** `make`, with what it says of a setting's value as the setting's fault. */
function checked<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof CredentialsError)) throw error;
    throw new ConfigError("bad_value", `Cannot use VRAMHUB_${name}: ${error.message}`);
  }
}
