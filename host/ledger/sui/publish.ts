/**
 * Publishing the package: one transaction, after which the chain itself says which objects it made.
 *
 * @module
 */
import { Transaction } from "@mysten/sui/transactions";
import { fromBase58, normalizeStructTag, normalizeSuiAddress } from "@mysten/sui/utils";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { SuiError } from "./errors.ts";
import { Executor, PATIENCE, type Patience } from "./execute.ts";
import { Outbox } from "./outbox.ts";
import {
  type Deployment,
  type NetworkProfile,
  SHARED_OBJECTS,
  type SharedName,
} from "./profile.ts";
import { readError } from "./rpc_error.ts";
import { StateReader } from "./state_reader.ts";
import { openStore } from "./store.ts";
import { clientOf, type SuiLedgerOptions } from "./sui_ledger.ts";
import type { Wallet } from "./wallet.ts";

/** A package as it is published. */
export interface PackageBytes {
  /** Bytecode of its modules. */
  readonly modules: readonly Bytes[];
  /** Ids of the packages that it depends on. */
  readonly dependencies: readonly string[];
}

/** What publishing made. */
export interface PublishedPackage extends
  Required<
    Pick<NetworkProfile, "chainId" | "packageId" | "objects" | "publishedAt" | "publisher">
  > {
  /** Digest of the transaction. */
  readonly transaction: string;
}

/** What publishing takes. */
export interface PublishOptions extends Pick<SuiLedgerOptions, "transport" | "fetch" | "patience"> {
  /** Signs and pays; gets the admin's and the upgrade's capability. */
  readonly wallet: Wallet;
}

/** Nothing is deployed yet: aborts of a publication are of other packages. */
const NOWHERE: Deployment = {
  packageId: "0x0",
  typesId: "0x0",
  objects: {} as Deployment["objects"],
};

/** The transaction, without its gas. */
export function publishTransaction(code: PackageBytes, to: string): Transaction {
  const transaction = new Transaction();
  const cap = transaction.publish({
    modules: code.modules.map((module) => module.toBase64()),
    dependencies: [...code.dependencies],
  });
  transaction.transferObjects([cap], to);
  return transaction;
}

/**
 * Publish `code` on the network of `profile`.
 *
 * @throws {SuiError} `unavailable`, `insufficient_gas`, `too_large`, `wrong_network`, `bad_layout`, …
 */
export async function publishPackage(
  code: PackageBytes,
  profile: Pick<NetworkProfile, "name" | "url"> & Partial<Pick<NetworkProfile, "chainId">>,
  options: PublishOptions,
): Promise<PublishedPackage> {
  const patience: Patience = { ...PATIENCE, ...options.patience };
  const { timeoutMs } = patience;
  const client = clientOf(profile, options);
  const { wallet } = options;
  let chainId: string;
  let publishedAt: number;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    chainId = (await client.core.getChainIdentifier({ signal })).chainIdentifier;
    const { response } = await client.ledgerService.getServiceInfo({}, { abort: signal });
    publishedAt = Number(response.checkpointHeight ?? 0n);
  } catch (error) {
    throw readError(error);
  }
  if (profile.chainId !== undefined && profile.chainId !== chainId) {
    throw new SuiError(
      "wrong_network",
      `The node at ${profile.url} is of chain ${chainId}, ${profile.name} is ${profile.chainId}`,
    );
  }
  const db = openStore(":memory:", `publish/${chainId}`);
  try {
    const outbox = new Outbox(db, wallet.address);
    const reader = new StateReader(client, NOWHERE, timeoutMs);
    const executor = new Executor({ client, reader, wallet, outbox, patience });
    const transaction = publishTransaction(code, wallet.address);
    const { digest } = await executor.run(() => ({ transaction, spend: 0n, subject: "publish" }));
    const publisher = wallet.address;
    return { chainId, publisher, publishedAt, transaction: digest, ...await made(digest) };
  } finally {
    db.close();
  }

  /** What the transaction made, by the types that the chain gives. */
  async function made(digest: string): Promise<Pick<PublishedPackage, "packageId" | "objects">> {
    let result;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      await client.core.waitForTransaction({ digest, signal });
      result = await client.core.getTransaction({
        digest,
        include: { effects: true, objectTypes: true },
        signal,
      });
    } catch (error) {
      throw readError(error);
    }
    const { effects, objectTypes } = result.Transaction ?? result.FailedTransaction;
    return deployed(effects?.changedObjects ?? [], objectTypes ?? {});
  }
}

/**
 * The 32 bytes of a chain's identifier, which judges sign and the founding fixes.
 *
 * @throws {SuiError} `wrong_network` where it is no digest.
 */
export function chainBytes(chainId: string): Bytes {
  const bytes = new Uint8Array(fromBase58(chainId));
  if (bytes.length === 32) return bytes;
  throw new SuiError("wrong_network", `${chainId} is no digest of a first checkpoint`);
}

/** A changed object, as far as it matters. */
export interface Changed {
  /** Its id. */
  readonly objectId: string;
  /** What it is now. */
  readonly outputState: string;
  /** Whose it is now. */
  readonly outputOwner: { /** The kind. */ readonly $kind: string } | null;
}

/**
 * The package and shared objects among what a transaction changed.
 *
 * @throws {SuiError} `bad_layout` where one of them is not there.
 */
export function deployed(
  changed: readonly Changed[],
  types: Readonly<Record<string, string>>,
): Pick<PublishedPackage, "packageId" | "objects"> {
  const code = changed.find(({ outputState }) => outputState === "PackageWrite");
  if (code === undefined) throw new SuiError("bad_layout", "The transaction published no package");
  const packageId = normalizeSuiAddress(code.objectId);
  const entries = Object.entries(SHARED_OBJECTS).map(([name, type]) => {
    const wanted = normalizeStructTag(`${packageId}::${type}`);
    const object = changed.find(({ objectId, outputOwner }) =>
      outputOwner?.$kind === "Shared" && types[objectId] !== undefined &&
      normalizeStructTag(types[objectId]) === wanted
    );
    if (object === undefined) {
      throw new SuiError("bad_layout", `The package ${packageId} made no shared ${type}`);
    }
    return [name, normalizeSuiAddress(object.objectId)] as const;
  });
  return { packageId, objects: Object.fromEntries(entries) as Record<SharedName, string> };
}
