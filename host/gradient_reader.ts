/**
 * Reading what a miner revealed, from wherever it says that it lies: Walrus, a bucket of its own under the read keys
 * that it sealed on the ledger, or the store that all share. What a miner names is a stranger's word: sizes are bounded,
 * hashes compared, and no socket opens to a private address unless the operator named it.
 *
 * @module
 */
import type { Bytes } from "../enclave/protocol/bytes.ts";
import { LedgerError } from "../enclave/protocol/errors.ts";
import {
  CredentialsError,
  identityOf,
  type ReadKeyEnvelope,
  type ReadKeys,
} from "./credentials/read_keys.ts";
import type { CredentialsRow, GovernanceLedger } from "./ledger/governance.ts";
import type { Address, RevealRow } from "./ledger/ledger.ts";
import { isFinal } from "./ledger/retry.ts";
import { getBlob } from "./store/blob.ts";
import { gradientAlias, gradientKey, isKey } from "./store/keys.ts";
import { oneLine } from "./store/one_line.ts";
import type { S3Store } from "./store/s3.ts";
import { type Store, StoreError } from "./store/store.ts";
import { isWalrusRef } from "./store/walrus.ts";

/** What a reader works with. */
export interface ReaderParts {
  /** Whose credentials are open to whom. */
  readonly ledger: Pick<GovernanceLedger, "credentials" | "sealApprove" | "roll">;
  /** The validator that reads. */
  readonly owner: Address;
  /** The store that all share, which also has what other validators measured, by hash. */
  readonly store: Store;
  /** Where gradients of miners without credentials lie; the shared store without it. */
  readonly uploads?: Store | undefined;
  /** Opens read keys; without it miners with a bucket of their own are read by hash alone. */
  readonly envelope?: ReadKeyEnvelope | undefined;
  /** Reads Walrus: the operator's aggregator, never the miner's. */
  readonly walrus?: Store | undefined;
  /** Origins (`http://127.0.0.1:9000`) that may be private, or plain HTTP: for tests on one machine. */
  readonly privateEndpoints?: readonly string[] | undefined;
  /** Milliseconds for a call to a miner's bucket, without its bytes. */
  readonly patienceMs?: number | undefined;
}

/** A miner's bucket, opened. */
interface Bucket {
  readonly generation: number;
  readonly epoch: number;
  readonly store: S3Store;
}

const R2_ACCOUNT = /^[0-9a-f]{32}$/;
/** A name that cannot turn a URL into another one, as S3 and R2 allow them. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,62}$/;

/** Reads the gradients of a window. One bucket is kept open for each slot. */
export class GradientReader {
  readonly #parts: ReaderParts;
  readonly #buckets = new Map<number, Bucket>();

  /** A reader of these parts. */
  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /**
   * The gradient of `reveal`: where its miner says that it lies, else by hash from whoever measured it. Its hash is
   * the ledger's.
   *
   * @throws {StoreError} @throws {CredentialsError} @throws {RangeError} where its ref is none.
   */
  async read(reveal: RevealRow, window: number): Promise<Bytes> {
    try {
      return await this.#byRef(reveal, window);
    } catch (error) {
      const { contentHash, size } = reveal;
      return await getBlob(this.#parts.store, contentHash, size).catch((byHash) => {
        // The miner's own failure tells more, unless only asking again by hash can help.
        throw isFinal(error) && !isFinal(byHash) ? byHash : error;
      });
    }
  }

  /** Close the buckets. */
  [Symbol.dispose](): void {
    for (const { store } of this.#buckets.values()) store[Symbol.dispose]();
    this.#buckets.clear();
  }

  async #byRef(reveal: RevealRow, window: number): Promise<Bytes> {
    const { contentHash, ref, size, uid } = reveal;
    if (isWalrusRef(ref)) {
      const { walrus } = this.#parts;
      if (walrus === undefined) {
        throw new StoreError(
          "denied",
          ref,
          "Cannot read Walrus: no aggregator is set; set VRAMHUB_WALRUS_AGGREGATOR or VRAMHUB_WALRUS_NETWORK",
        );
      }
      return await walrus.get(ref, { maxBytes: size, sha256: contentHash });
    }
    if (!isKey(ref)) {
      throw new RangeError(`Cannot read ${JSON.stringify(ref)}: it is neither a key nor on Walrus`);
    }
    const row = await this.#parts.ledger.credentials(uid);
    const { store, uploads = store } = this.#parts;
    if (row === null) return await fetchKey(uploads, reveal, window);
    try {
      return await this.#fromBucket(row, reveal, window);
    } catch (error) {
      if (!isRotation(error)) throw error;
      // It may have rotated its keys since: then the ledger has others.
      const now = await this.#parts.ledger.credentials(uid);
      if (now === null || (now.generation === row.generation && now.epoch === row.epoch)) {
        throw error;
      }
      return await this.#fromBucket(now, reveal, window);
    }
  }

  async #fromBucket(row: CredentialsRow, reveal: RevealRow, window: number): Promise<Bytes> {
    return await fetchKey((await this.#bucket(row, reveal.uid)).store, reveal, window);
  }

  /** The bucket of slot `uid`, opened once for each epoch of its credentials. */
  async #bucket(row: CredentialsRow, uid: number): Promise<Bucket> {
    const { generation, epoch } = row;
    const known = this.#buckets.get(uid);
    if (known?.generation === generation && known.epoch === epoch) return known;
    const { envelope } = this.#parts;
    if (envelope === undefined) {
      throw new CredentialsError(
        "untrusted",
        `Cannot open the read keys of miner ${uid}: no key servers are set`,
      );
    }
    await this.#approved(uid, epoch);
    const keys = await envelope.open(row, uid).catch((error) => {
      throw error instanceof CredentialsError && error.code === "refused" ? behind(error) : error;
    });
    const bucket = { generation, epoch, store: await this.#openStore(row, keys, uid) };
    known?.store[Symbol.dispose]();
    this.#buckets.set(uid, bucket);
    return bucket;
  }

  /** Key servers ask the same: a refusal is known before, and a window that nobody rolled to is rolled to. */
  async #approved(uid: number, epoch: number): Promise<void> {
    const { ledger, owner } = this.#parts;
    const id = identityOf(uid, epoch);
    try {
      await ledger.sealApprove(owner, id);
    } catch (error) {
      if (!(error instanceof LedgerError) || error.constant !== "ENotRolled") throw error;
      await ledger.roll(owner);
      await ledger.sealApprove(owner, id);
    }
  }

  async #openStore(row: CredentialsRow, keys: ReadKeys, uid: number): Promise<S3Store> {
    const { patienceMs, privateEndpoints = [] } = this.#parts;
    const { account, bucket } = row;
    const { accessKeyId, region, secretAccessKey, style } = keys;
    // Loaded only here: most validators of a test network have no use for the SDK.
    const { r2Endpoint, S3Store } = await import("./store/s3.ts");
    const endpoint = keys.endpoint ?? (R2_ACCOUNT.test(account) ? r2Endpoint(account) : account);
    const origin = URL.parse(endpoint)?.origin;
    try {
      if (!BUCKET.test(bucket)) {
        throw new RangeError(
          `Cannot use ${JSON.stringify(bucket)}: it is not the name of a bucket`,
        );
      }
      return new S3Store({
        endpoint,
        bucket,
        accessKeyId,
        secretAccessKey,
        publicOnly: origin === undefined || !privateEndpoints.includes(origin),
        ...(region === undefined ? {} : { region }),
        ...(style === undefined ? {} : { style }),
        ...(patienceMs === undefined ? {} : { patienceMs }),
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new CredentialsError(
        "bad_keys",
        `Miner ${uid}: ${oneLine(keys.redact(error.message))}`,
      );
    }
  }
}

/** Whether it is what a reader meets whose row of the ledger was replaced in the meantime. */
function isRotation(error: unknown): boolean {
  if (error instanceof StoreError) return error.code === "denied";
  if (error instanceof LedgerError) return error.constant === "ENoCredentials";
  return error instanceof CredentialsError;
}

/** Key servers refuse what the ledger has just approved: the node that they ask is behind, and will catch up. */
function behind({ message }: CredentialsError): CredentialsError {
  return new CredentialsError("unavailable", `${message}, though the ledger approves`);
}

/** The object of the ref, or of the name that the seeds' other half gives to the same gradient. */
async function fetchKey(store: Store, reveal: RevealRow, window: number): Promise<Bytes> {
  const { contentHash, ref, size, uid } = reveal;
  const options = { maxBytes: size, sha256: contentHash };
  try {
    return await store.get(ref, options);
  } catch (error) {
    const missing = error instanceof StoreError && error.code === "not_found";
    if (!missing || ref !== gradientKey(window, uid)) throw error;
    return await store.get(gradientAlias(window, uid), options).catch((other) => {
      throw other instanceof StoreError && other.code === "not_found" ? error : other;
    });
  }
}
