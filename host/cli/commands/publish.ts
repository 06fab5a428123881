/**
 * What `ledger publish` hands to Sui, and what it gets back.
 *
 * @module
 */
import { type Config, ConfigError, type SuiNetwork } from "../../config/mod.ts";

/** The output of `deno task contracts:build --json`. */
export interface BuiltPackage {
  /** Bytecode, sorted by name. */
  readonly modules: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[];
  /** Ids of the packages that it depends on. */
  readonly dependencies: readonly string[];
  /** BLAKE2b-256, hex: Sui's digest of the package. */
  readonly digest: string;
}

/** A package once it is published. */
export interface Published {
  /** The network with the package's ids in it. */
  readonly network: SuiNetwork;
  /** Digest of the transaction. */
  readonly transaction: string;
}

/** Sui takes at most so many bytes in a transaction. */
const MAX_BYTES = 128 * 1024;

/**
 * Read the JSON that `contracts:build` printed.
 *
 * @throws {ConfigError} `bad_file`.
 */
export function parseBuild(text: string, file: string): BuiltPackage {
  const bad = (why: string) => new ConfigError("bad_file", `Cannot read ${file}: ${why}`);
  let json: { modules?: unknown; dependencies?: unknown; digest?: unknown };
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw bad((error as Error).message);
  }
  const { dependencies, digest, modules } = json;
  if (!Array.isArray(modules) || modules.length === 0 || !Array.isArray(dependencies)) {
    throw bad("expected the output of 'deno task contracts:build --json'");
  }
  if (typeof digest !== "string" || !/^[0-9a-f]{64}$/.test(digest)) {
    throw bad("digest must be 64 hexadecimal digits");
  }
  const decoded = modules.map(({ bytes, name }) => {
    try {
      return { name: String(name), bytes: Uint8Array.fromBase64(String(bytes)) };
    } catch {
      throw bad(`the bytes of ${JSON.stringify(name)} are not base64`);
    }
  });
  if (decoded.reduce((sum, { bytes }) => sum + bytes.length, 0) > MAX_BYTES) {
    throw bad("it is above 128 KB, which is more than Sui takes in a transaction");
  }
  return { modules: decoded, dependencies: dependencies.map(String), digest };
}

/** Publish `built` on `network`, in one transaction, from the wallet that `config` names. */
export async function publish(
  built: BuiltPackage,
  name: string,
  network: SuiNetwork,
  config: Config,
): Promise<Published> {
  // Loaded only here: nothing else needs a transaction builder.
  const { publishSui } = await import("../open_sui.ts");
  return await publishSui(built, name, network, config);
}
