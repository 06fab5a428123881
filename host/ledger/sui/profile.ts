/**
 * Where a network lives: its chain, package and shared objects; and the check that a node has them.
 *
 * @module
 */
import { fromBase58 } from "@mysten/bcs";
import type { SuiGrpcClient } from "@mysten/sui/grpc";
import { normalizeStructTag, normalizeSuiAddress } from "@mysten/sui/utils";
import { type Bytes, toHex } from "../../../enclave/protocol/bytes.ts";
import { foreignId } from "../../config/foreign.ts";
import { SuiError } from "./errors.ts";
import { readError } from "./rpc_error.ts";

/** The package's shared objects, and the type of each. */
export const SHARED_OBJECTS = {
  hparams: "hparams::Hparams",
  datasetRegistry: "dataset_registry::DatasetRegistry",
  roundState: "round_state::RoundState",
  validatorRegistry: "validator_registry::ValidatorRegistry",
  peerRegistry: "peer_registry::PeerRegistry",
  gradientRegistry: "gradient_registry::GradientRegistry",
  enclaveRegistry: "enclave_registry::EnclaveRegistry",
  rewardPool: "reward_distributor::RewardPool",
  scoreLedger: "score_ledger::ScoreLedger",
  treasury: "vram_token::Treasury",
  jobBoard: "training_jobs::TrainingJobBoard",
} as const;

/** Name of a shared object. */
export type SharedName = keyof typeof SHARED_OBJECTS;

/** A network, as a profile's file holds it. Ids are `0x` and up to 64 hexadecimal digits. */
export interface NetworkProfile {
  /** For people: `localnet`, `testnet`, `mainnet`, or another. */
  readonly name: string;
  /** Of a node that answers gRPC. */
  readonly url: string;
  /** Sui's chain identifier: the digest of the first checkpoint, base58 (or its first 4 bytes as 8 hex digits). */
  readonly chainId: string;
  /** The package that is called. */
  readonly packageId: string;
  /** The package that defined the types, where it was upgraded since. */
  readonly originalPackageId?: string;
  /** The shared objects that publishing made. */
  readonly objects: Readonly<Record<SharedName, string>>;
  /** Who published the package: its first admin. */
  readonly publisher?: string;
  /** Preset name of the model; the contracts hold its hash alone. */
  readonly model: string;
  /** Public key of the drand chain, 96 bytes in hexadecimal; quicknet's where left out. */
  readonly beaconPublicKey?: string;
  /** Page of the explorer, to which `/txblock/DIGEST` is added. */
  readonly explorerUrl?: string;
  /** Checkpoint in which the package was published: where the event index starts. */
  readonly publishedAt?: number;
}

/** A shared object as transactions name it. */
export interface SharedObject {
  /** Its id. */
  readonly id: string;
  /** The version at which it was shared. */
  readonly initialSharedVersion: string;
}

/** A profile that a node has confirmed. */
export interface Deployment {
  /** The package that is called. */
  readonly packageId: string;
  /** The package of the types and events. */
  readonly typesId: string;
  /** The shared objects. */
  readonly objects: Readonly<Record<SharedName, SharedObject>>;
}

/** The 32 bytes of a chain's identifier in base58: what the contracts are founded with. */
export function chainIdBytes(chain: string): Bytes {
  const bytes = new Uint8Array(fromBase58(chain));
  if (bytes.length !== 32) throw new SyntaxError("Cannot read a chain's identifier: not 32 bytes");
  return bytes;
}

/** Whether `named`, base58 or the 8 hexadecimal digits that `sui client chain-identifier` prints, is `chain`. */
function isChain(named: string, chain: string): boolean {
  if (named === chain) return true;
  return /^[0-9a-f]{8}$/.test(named) && toHex(chainIdBytes(chain).subarray(0, 4)) === named;
}

/**
 * Refuse a profile that no network of ours can have, without asking a node.
 *
 * @throws {SuiError} `another_package`, `not_deployed`.
 */
export function checkIds(profile: NetworkProfile): void {
  const ids = { packageId: profile.packageId, ...profile.objects };
  for (const [name, id] of Object.entries(ids)) {
    if (!/^0x[0-9a-fA-F]{1,64}$/.test(id)) {
      throw new SuiError(
        "not_deployed",
        `${name} of profile ${profile.name} is not an object id (0x and hexadecimal digits)`,
      );
    }
    const why = foreignId(normalizeSuiAddress(id));
    if (why !== undefined) {
      throw new SuiError(
        "another_package",
        `Cannot use ${name} of profile ${profile.name}: ${why}`,
      );
    }
  }
}

/**
 * Compare `profile` with what a node holds: the chain's identifier, the package, and each object's type.
 *
 * @throws {SuiError} `wrong_network`, `another_package`, `not_deployed`, `unavailable`.
 */
export async function checkProfile(
  client: SuiGrpcClient,
  profile: NetworkProfile,
  signal?: AbortSignal,
): Promise<Deployment> {
  checkIds(profile);
  const abort = signal === undefined ? {} : { signal };
  const names = Object.keys(SHARED_OBJECTS) as SharedName[];
  const ids = [profile.packageId, ...names.map((name) => profile.objects[name])]
    .map((id) => normalizeSuiAddress(id));
  let chain: string;
  let found;
  try {
    chain = (await client.core.getChainIdentifier(abort)).chainIdentifier;
    found = (await client.core.getObjects({ objectIds: ids, ...abort })).objects;
  } catch (cause) {
    throw readError(cause);
  }
  if (!isChain(profile.chainId, chain)) {
    throw new SuiError(
      "wrong_network",
      `The node at ${profile.url} is of chain ${chain}, profile ${profile.name} is for ${profile.chainId}`,
    );
  }
  const typesId = normalizeSuiAddress(profile.originalPackageId ?? profile.packageId);
  const [code, ...objects] = found;
  if (code === undefined || code instanceof Error || code.type !== "package") {
    throw new SuiError(
      "not_deployed",
      `There is no package ${profile.packageId} on chain ${chain}: localnets forget it at each restart, publish again`,
    );
  }
  const entries = names.map((name, i) => {
    const object = objects[i];
    const type = normalizeStructTag(`${typesId}::${SHARED_OBJECTS[name]}`);
    if (object === undefined || object instanceof Error) {
      throw new SuiError("not_deployed", `There is no object ${ids[i + 1]} (${name}) on the chain`);
    }
    if (object.type !== type) {
      throw new SuiError(
        "not_deployed",
        `Object ${ids[i + 1]} (${name}) is a ${object.type}, not a ${type}`,
      );
    }
    if (object.owner.$kind !== "Shared") {
      throw new SuiError("not_deployed", `Object ${ids[i + 1]} (${name}) is not shared`);
    }
    const { initialSharedVersion } = object.owner.Shared;
    return [name, { id: ids[i + 1]!, initialSharedVersion }] as const;
  });
  return {
    packageId: ids[0]!,
    typesId,
    objects: Object.fromEntries(entries) as Record<SharedName, SharedObject>,
  };
}
