/**
 * Read keys sealed with Seal (https://seal-docs.wal.app): any `threshold` of a miner's key servers together give the
 * key of an identity, and only to whom `seal_policy::seal_approve` lets. None of them alone can read anything.
 *
 * What a miner published is a stranger's word: its key servers are asked only where this party trusts them by their id,
 * so that nobody can make a validator call an address of their choice.
 *
 * @module
 */
import {
  DecryptionError,
  EncryptedObject,
  InvalidCiphertextError,
  NoAccessError,
  SealClient,
  SealError,
  SessionKey,
} from "@mysten/seal";
import type { SuiGrpcClient } from "@mysten/sui/grpc";
import { normalizeSuiAddress } from "@mysten/sui/utils";
import { type Bytes, equal, toHex } from "../../enclave/protocol/bytes.ts";
import type { CredentialsRow } from "../ledger/governance.ts";
import type { Address } from "../ledger/ledger.ts";
import { sealApprove } from "../ledger/sui/calls/miners.ts";
import type { Deployment } from "../ledger/sui/profile.ts";
import type { ObjectId } from "../ledger/token.ts";
import { readBounded } from "../store/bounded.ts";
import {
  CredentialsError,
  identityOf,
  type ReadKeyEnvelope,
  ReadKeys,
  type SealedKeys,
} from "./read_keys.ts";

/** Who asks key servers: a wallet. */
export interface MessageSigner {
  /** Its address. */
  readonly address: Address;
  /** Sui's signature of a personal message, as base64. */
  signMessage(message: Uint8Array): Promise<string>;
}

/** What sealing and opening take. */
export interface SealOptions {
  /** Reads the package and the key servers' objects. */
  readonly client: SuiGrpcClient;
  /** The package whose policy decides. */
  readonly deployment: Deployment;
  /** The key servers that this party trusts. A miner seals to all of them. */
  readonly keyServers: readonly ObjectId[];
  /** How many of them must answer: for sealing. */
  readonly threshold: number;
  /** Who opens; null for a party that only seals. */
  readonly signer: MessageSigner | null;
  /** Milliseconds for one question to one key server. */
  readonly timeoutMs?: number;
}

/** Longest text of a sealed key on a ledger. */
const MAX_SEALED = 4_096;
/** Version of sealed objects. */
const SEAL_VERSION = 0;
/** Longest answer of a key server that is read. */
const MAX_ANSWER = 1 << 16;
/** Minutes that a signed session lasts: Seal takes 1 to 30. */
const SESSION_MINUTES = 10;
/** A client remembers key servers' addresses: for this many milliseconds. */
const CLIENT_MS = 600_000;
const NULL_BODY = new Set([101, 204, 205, 304]);

/** Seal's envelope. */
export class SealEnvelope implements ReadKeyEnvelope {
  /** See {@link ReadKeyEnvelope}. */
  readonly kind = "seal";
  readonly #options: SealOptions;
  readonly #trusted: ReadonlySet<string>;
  readonly #clients = new Map<string, { readonly client: SealClient; readonly sinceMs: number }>();
  #session: Promise<SessionKey> | undefined;

  /** Asks nobody yet. @throws {RangeError} where the threshold does not fit the key servers. */
  constructor(options: SealOptions) {
    const { keyServers, threshold } = options;
    this.#options = options;
    this.#trusted = new Set(keyServers.map((id) => normalizeSuiAddress(id)));
    const most = this.#trusted.size;
    if (most !== keyServers.length || !Number.isInteger(threshold) || threshold < 1) {
      throw new RangeError("Cannot use Seal: name every key server once, and a threshold above 0");
    }
    if (threshold > most) {
      throw new RangeError(`Cannot use Seal: ${threshold} of ${most} key servers cannot answer`);
    }
  }

  /** See {@link ReadKeyEnvelope}. Each key server first proves that it has the key that its object names. */
  async seal(keys: ReadKeys, uid: number, epoch: number): Promise<SealedKeys> {
    const { deployment, threshold } = this.#options;
    const keyServers = [...this.#trusted];
    let sealed: Bytes;
    try {
      const { encryptedObject } = await this.#client(keyServers, true).encrypt({
        threshold,
        packageId: deployment.typesId,
        id: toHex(identityOf(uid, epoch)),
        data: keys.encode(),
      });
      sealed = encryptedObject;
    } catch (error) {
      throw explained(error, "seal", uid);
    }
    if (sealed.length > MAX_SEALED) {
      throw new CredentialsError(
        "bad_keys",
        `Cannot seal the read keys of miner ${uid}: ${sealed.length} bytes are above ${MAX_SEALED}; ` +
          "name fewer key servers",
      );
    }
    return { sealed, keyServers, threshold };
  }

  /** See {@link ReadKeyEnvelope}. */
  async open(row: CredentialsRow, uid: number): Promise<ReadKeys> {
    const { deployment } = this.#options;
    const servers = this.#usable(row, uid);
    let text: Uint8Array;
    try {
      const { transaction } = sealApprove(deployment, identityOf(uid, row.epoch));
      text = await this.#client(servers, false).decrypt({
        data: row.sealed,
        sessionKey: await this.#signed(),
        txBytes: await transaction.build({ onlyTransactionKind: true }),
      });
    } catch (error) {
      throw explained(error, "open", uid);
    }
    return ReadKeys.decode(text);
  }

  /** The trusted ones of the key servers, where the sealed object is what the row says. */
  #usable(row: CredentialsRow, uid: number): string[] {
    const { epoch, sealed, threshold } = row;
    const fault = (why: string, code: "bad_envelope" | "untrusted" = "bad_envelope") =>
      new CredentialsError(code, `Cannot open the read keys of miner ${uid}: ${why}`);
    if (sealed.length > MAX_SEALED) throw fault(`they are above ${MAX_SEALED} bytes`);
    let object: ReturnType<typeof EncryptedObject.parse>;
    try {
      object = EncryptedObject.parse(sealed);
      // The library looks neither at the version nor at what follows the object.
      const whole = equal(EncryptedObject.serialize(object).toBytes(), sealed);
      if (object.version !== SEAL_VERSION || !whole) throw new RangeError("Another format");
    } catch {
      throw fault("they are not sealed with Seal");
    }
    const { id, packageId, services } = object;
    if (packageId !== normalizeSuiAddress(this.#options.deployment.typesId)) {
      throw fault("they are sealed for another package");
    }
    if (id !== toHex(identityOf(uid, epoch))) {
      throw fault(`they are not sealed for slot ${uid} and epoch ${epoch}`);
    }
    const servers = services.map(([server]) => normalizeSuiAddress(server));
    const named = new Set(row.keyServers.map((server) => normalizeSuiAddress(server)));
    const same = new Set(servers).size === servers.length && servers.length === named.size &&
      servers.every((server) => named.has(server));
    if (!same || object.threshold !== threshold) {
      throw fault("the ledger names other key servers, or another threshold");
    }
    const usable = servers.filter((server) => this.#trusted.has(server));
    if (usable.length < threshold) {
      throw fault(
        `${usable.length} of their key servers are among ours, ${threshold} must answer`,
        "untrusted",
      );
    }
    return usable;
  }

  #client(servers: readonly string[], verifyKeyServers: boolean): SealClient {
    const name = `${verifyKeyServers} ${servers.toSorted().join()}`;
    const known = this.#clients.get(name);
    if (known !== undefined && performance.now() - known.sinceMs < CLIENT_MS) return known.client;
    const client = new SealClient({
      suiClient: this.#options.client,
      serverConfigs: servers.map((objectId) => ({ objectId, weight: 1 })),
      verifyKeyServers,
      timeout: this.#options.timeoutMs ?? 10_000,
      fetch: boundedFetch,
    });
    this.#clients.set(name, { client, sinceMs: performance.now() });
    return client;
  }

  /** A session of this party: its wallet signs once in ten minutes, not for each question. */
  async #signed(): Promise<SessionKey> {
    const last = await this.#session?.catch(() => undefined);
    if (last !== undefined && !last.isExpired()) return last;
    return await (this.#session = this.#newSession());
  }

  async #newSession(): Promise<SessionKey> {
    const { client, deployment, signer } = this.#options;
    if (signer === null) {
      throw new CredentialsError("refused", "Cannot ask key servers without a wallet");
    }
    const session = await SessionKey.create({
      address: signer.address,
      packageId: deployment.typesId,
      ttlMin: SESSION_MINUTES,
      suiClient: client,
    });
    const signature = await signer.signMessage(session.getPersonalMessage());
    await session.setPersonalMessageSignature(signature);
    return session;
  }
}

/** `fetch` that follows no redirect and reads no more than an answer can have. */
const boundedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, redirect: "manual" });
  const { body, headers, status, statusText } = response;
  const bytes = body === null ? null : await readBounded(body, MAX_ANSWER);
  return new Response(NULL_BODY.has(status) ? null : bytes, { headers, status, statusText });
};

/** What the library threw. Of its text nothing goes on: some of it quotes shares of keys. */
function explained(error: unknown, what: "seal" | "open", uid: number): CredentialsError {
  if (error instanceof CredentialsError) return error;
  const cannot = `Cannot ${what} the read keys of miner ${uid}`;
  if (error instanceof NoAccessError) {
    return new CredentialsError("refused", `${cannot}: the key servers say that it is not for us`);
  }
  if (error instanceof DecryptionError || error instanceof InvalidCiphertextError) {
    return new CredentialsError("bad_envelope", `${cannot}: they were not sealed as Seal does`);
  }
  const name = error instanceof SealError ? `, ${error.constructor.name}` : "";
  return new CredentialsError(
    "unavailable",
    `${cannot}: too few key servers gave a usable answer${name}`,
  );
}
