/**
 * The files that networks lie in: parsing, with every id checked, and writing.
 *
 * @module
 */
import type { SharedName } from "../ledger/sui/profile.ts";
import { ConfigError } from "./error.ts";
import { foreignId } from "./foreign.ts";
import { type Network, type Networks, OBJECT_NAMES, type SuiNetwork } from "./network.ts";
import { hex, id, integer, text, url, type ValueType } from "./types.ts";

/** No file of networks is longer. */
const MAX_BYTES = 256 * 1024;
const NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** An id that is not upstream's. */
const ours: ValueType<string> = {
  ...id,
  parse(value) {
    const full = id.parse(value);
    const why = foreignId(full);
    if (why !== undefined) throw new ConfigError("foreign_id", `Cannot use ${value}: ${why}`);
    return full;
  },
};

/** The digest of the first checkpoint, in base58. */
const chain: ValueType<string> = {
  name: "base58",
  parse(value) {
    if (!/^[1-9A-HJ-NP-Za-km-z]{43,44}$/.test(value)) {
      throw new RangeError("expected 32 bytes in base58");
    }
    return value;
  },
};

/** Every field of a network on Sui but its objects. */
const FIELDS: Readonly<Record<string, ValueType<unknown>>> = {
  url,
  faucetUrl: url,
  explorerUrl: url,
  chainId: chain,
  packageId: ours,
  originalPackageId: ours,
  publisher: id,
  model: text,
  beaconPublicKey: hex(96),
  publishedAt: integer(0, Number.MAX_SAFE_INTEGER),
};

/** The text of the file at `path`, or undefined where there is none. */
export function readOr(path: string): string | undefined {
  try {
    if (Deno.statSync(path).size <= MAX_BYTES) return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw bad(path, (error as Error).message);
  }
  throw bad(path, "it is above 256 KiB");
}

/**
 * Networks out of the text, or the parsed JSON, of the file called `file`.
 *
 * @throws {ConfigError} `bad_file` with the field, `foreign_id`.
 */
export function parseNetworks(json: unknown, file: string): Networks {
  let parsed = json;
  try {
    if (typeof json === "string") parsed = JSON.parse(json);
  } catch (error) {
    throw bad(file, (error as Error).message);
  }
  const networks: Record<string, Network> = {};
  for (const [name, value] of Object.entries(record(parsed, file))) {
    if (!NAME.test(name)) throw bad(file, `${JSON.stringify(name)} is no name of a network`);
    networks[name] = parseNetwork(record(value, `${file}, ${name}`), `${file}, ${name}`);
  }
  return networks;
}

function parseNetwork(json: Readonly<Record<string, unknown>>, where: string): Network {
  const { ledger, objects, ...fields } = json;
  if (ledger === "dev") return { ledger };
  if (ledger !== "sui") throw bad(where, "ledger must be dev or sui");
  if (fields.url === undefined) throw bad(where, "it has no url");
  const parsed = Object.entries(fields).map(([name, value]) => {
    const type = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (type === undefined) throw bad(where, `there is no field ${JSON.stringify(name)}`);
    return [name, read(value, `${where}, ${name}`, type)] as const;
  });
  const ids = Object.entries(record(objects ?? {}, `${where}, objects`)).map(([name, value]) => {
    if (!OBJECT_NAMES.includes(name as SharedName)) {
      throw bad(where, `there is no object ${JSON.stringify(name)}`);
    }
    return [name, read(value, `${where}, ${name}`, ours)] as const;
  });
  const network = { ledger, ...Object.fromEntries(parsed), objects: Object.fromEntries(ids) };
  return network as unknown as SuiNetwork;
}

function read<T>(value: unknown, where: string, type: ValueType<T>): T {
  if (typeof value !== "string" && typeof value !== "number") throw bad(where, "expected text");
  try {
    return type.parse(String(value));
  } catch (error) {
    if (error instanceof RangeError) throw bad(where, error.message);
    throw error;
  }
}

function record(json: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as Readonly<Record<string, unknown>>;
  }
  throw bad(where, "expected an object");
}

function bad(where: string, why: string): ConfigError {
  return new ConfigError("bad_file", `Cannot read ${where}: ${why}`);
}

/** Write `network` under `name` into the user's file at `path`, beside what is there, whole or not at all. */
export async function saveNetwork(path: string, name: string, network: Network): Promise<void> {
  const before = readOr(path);
  const networks = {
    ...(before === undefined ? {} : parseNetworks(before, path)),
    [name]: network,
  };
  const after = parseNetworks(JSON.stringify(networks), path);
  await Deno.mkdir(path.replace(/\/?[^/]*$/, "") || ".", { recursive: true });
  const draft = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(draft, `${JSON.stringify(after, null, 2)}\n`);
  await Deno.rename(draft, path);
}
