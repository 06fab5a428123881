/**
 * Networks: `networks.json` beside this file has the known ones; `~/.vramhub/networks.json`, which `ledger publish`
 * writes, has the user's own, and those of its names stand in place of the known. `VRAMHUB_…_ID` replaces single ids.
 *
 * @module
 */
import type { NetworkProfile, SharedName } from "../ledger/sui/profile.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./error.ts";
import { foreignId } from "./foreign.ts";
import KNOWN from "./networks.json" with { type: "json" };
import {
  type Network,
  type Networks,
  OBJECT_NAMES,
  OBJECT_SETTINGS,
  type ObjectSetting,
  type SuiNetwork,
} from "./network.ts";
import { parseNetworks, readOr } from "./networks_file.ts";

/** Where the user's own networks lie. */
export function networksPath(config: Config, home: string | undefined): string | undefined {
  const named = config.get("NETWORKS_FILE");
  if (named !== undefined) return named;
  return home === undefined ? undefined : `${home}/.vramhub/networks.json`;
}

/**
 * The known networks and, over them, those of the file at `path`, which need not be there.
 *
 * @throws {ConfigError} `bad_file`, `foreign_id`.
 */
export function readNetworks(path: string | undefined): Networks {
  const known = parseNetworks(KNOWN, "networks.json");
  const text = path === undefined ? undefined : readOr(path);
  return text === undefined ? known : { ...known, ...parseNetworks(text, path!) };
}

/**
 * The network called `name`, with what the settings replace.
 *
 * @throws {ConfigError} `unknown_network` with the known names, `foreign_id`, `bad_value`.
 */
export function networkOf(name: string, networks: Networks, config: Config): Network {
  const found = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (found === undefined) {
    const names = Object.keys(networks).join(", ");
    throw new ConfigError("unknown_network", `Cannot use network ${name}: the known are ${names}`);
  }
  if (found.ledger === "dev") return found;
  const objects = { ...found.objects };
  for (const object of OBJECT_NAMES) {
    const value = overrideOf(config, OBJECT_SETTINGS[object]);
    if (value !== undefined) objects[object] = value;
  }
  const packageId = overrideOf(config, "PACKAGE_ID") ?? found.packageId;
  return {
    ...found,
    url: config.get("SUI_RPC_URL") ?? found.url,
    ...(packageId === undefined ? {} : { packageId }),
    objects,
  };
}

function overrideOf(config: Config, name: ObjectSetting): string | undefined {
  const value = config.get(name) as string | undefined;
  const why = value === undefined ? undefined : foreignId(value);
  if (why === undefined) return value;
  throw new ConfigError("foreign_id", `Cannot use ${config.sourceOf(name)}: ${why}`);
}

/**
 * The profile of a network that has been published.
 *
 * @throws {ConfigError} `not_published` with what to do.
 */
export function profileOf(name: string, network: SuiNetwork): NetworkProfile {
  const { chainId, faucetUrl: _, ledger: _ledger, model, objects, packageId, ...rest } = network;
  const absent = OBJECT_NAMES.filter((object) => objects?.[object] === undefined);
  if (packageId !== undefined && chainId !== undefined && absent.length === 0) {
    return {
      ...rest,
      name,
      chainId,
      packageId,
      model: model ?? "nano-gpt",
      objects: objects as Readonly<Record<SharedName, string>>,
    };
  }
  const lacks = packageId === undefined
    ? "no package of this program's contracts is known there"
    : chainId === undefined
    ? "its chain's identifier is not known"
    : `the ids of ${absent.join(", ")} are not known`;
  const start = name === "localnet" ? `start a node with '${START_LOCALNET}', then ` : "";
  throw new ConfigError(
    "not_published",
    `Cannot use ${name}: ${lacks}; ${start}publish with 'deno task vramhub ledger publish --network ` +
      `${name}'${name === "localnet" ? "" : ", or take the operator's networks.json"}`,
  );
}

/** What starts a local network. */
export const START_LOCALNET = "sui start --with-faucet --force-regenesis";
