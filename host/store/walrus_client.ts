/**
 * Blobs of Walrus through its storage nodes themselves, by @mysten/walrus: encoded and checked here, paid for by a wallet
 * in WAL, certified on Sui. Neither a publisher nor an aggregator is trusted or paid. This module is loaded only where
 * settings ask for it: the package brings a WebAssembly encoder.
 *
 * What it costs: the encoder runs on this thread (about 3 seconds for 1.4 MB at Walrus' 1,000 shards), a write talks to
 * all storage nodes and makes two transactions, and each put is paid for, also of content that is there. A range is cut
 * out of the whole blob: who reads a data set by ranges names an aggregator.
 *
 * NEVER MET: Walrus itself, its storage nodes and its contracts. The tests drive the unmodified package against a
 * stand-in of a Sui node and of storage nodes (tests/support/walrus_nodes.ts). Ids of Walrus' objects are those that the
 * package has for testnet and mainnet.
 *
 * @module
 */
import type { ClientWithCoreApi } from "@mysten/sui/client";
import type { Signer } from "@mysten/sui/cryptography";
import { SuiGrpcClient } from "@mysten/sui/grpc";
import { type Transaction, TransactionDataBuilder } from "@mysten/sui/transactions";
import {
  BlobBlockedError,
  BlobNotCertifiedError,
  WalrusClient,
  type WalrusPackageConfig,
  type WriteBlobStep,
} from "@mysten/walrus";
import { type Bytes, toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { sendFault } from "../ledger/sui/rpc_error.ts";
import { inTurn } from "../ledger/sui/turns.ts";
import type { Wallet } from "../ledger/sui/wallet.ts";
import { readBounded, TooLargeError } from "./bounded.ts";
import { StoreError } from "./store.ts";
import {
  type BlobCall,
  type BlobReader,
  type BlobWriter,
  notFound,
  type ReadOptions,
  tooShort,
} from "./walrus_blobs.ts";

export type {
  /** A client of a Sui node. */
  ClientWithCoreApi,
} from "@mysten/sui/client";
export type {
  /** Ids of Walrus' objects. */
  WalrusPackageConfig,
} from "@mysten/walrus";

/** Which Walrus, and who pays. */
export interface WalrusNodesOptions {
  /** A Sui node of the chain that this Walrus lives on. */
  readonly suiClient: ClientWithCoreApi;
  /** The package's ids for this network, or others. */
  readonly network: "testnet" | "mainnet" | WalrusPackageConfig;
  /** Signs and pays; without one nothing is written. */
  readonly wallet?: Wallet | undefined;
  /** Epochs that a blob is kept for. */
  readonly epochs?: number;
  /** In place of the global fetch, towards storage nodes. */
  readonly fetch?: typeof fetch;
}

/** A blob above this is refused before memory is taken for it. */
const MAX_BLOB = 64 << 20;
/** A sliver of such a blob, or its metadata at 1,000 shards, is well below this. */
const MAX_NODE_ANSWER = 4 << 20;
/** Where a blob's length stands in a storage node's answer: behind its id and two enum tags (BCS). */
const LENGTH_AT = 34;
/** The package keeps the committee that it met first; epochs are a day at least. */
const RENEW_MS = 600_000;
/** Storage nodes that must all say that a blob is too long: a third of them may lie. */
const LOOKS = 5;
/** A write whose time is over goes on so long at most: it may have paid. */
const GRACE_MS = 30_000;
const SENDS = 4;
const SEND_MS = 20_000;

/** The package's clients: the one that moves blobs, and one that only asks how long they are. */
interface Clients {
  readonly client: WalrusClient;
  readonly looker: WalrusClient;
}

/** Storage nodes of one Walrus. */
export class WalrusNodes implements BlobReader, BlobWriter {
  readonly #options: WalrusNodesOptions;
  #clients: Clients | undefined;
  #madeMs = 0;
  /** Registered blobs whose write failed then, by their content's hash: what is paid for is not paid for again. */
  readonly #paid = new Map<string, WriteBlobStep>();
  /** Writes that go on, by the same, also those whose caller's time is over. */
  readonly #running = new Map<string, Promise<string>>();

  /** Those of a known Walrus, whose chain the Sui node at `url` serves. */
  static of(
    network: "testnet" | "mainnet",
    url: string,
    options: Omit<WalrusNodesOptions, "suiClient" | "network">,
  ): WalrusNodes {
    const suiClient = new SuiGrpcClient({ network, baseUrl: url });
    return new WalrusNodes({ ...options, suiClient, network });
  }

  /** Storage nodes, reached when they are asked first. */
  constructor(options: WalrusNodesOptions) {
    this.#options = options;
  }

  /**
   * See {@link BlobWriter.write}: encode, register, send to the nodes, certify. It is paid for each time, but not for
   * content that another call is writing.
   */
  async write(content: Bytes, call: BlobCall): Promise<string> {
    const { key } = call;
    const { wallet } = this.#options;
    if (wallet === undefined) {
      throw new StoreError("denied", key, `Cannot put ${key}: no wallet is set that pays for it`);
    }
    const hash = toHex(sha256(content));
    for (let other = this.#running.get(hash); other !== undefined;) {
      const blob = await other.catch(() => undefined);
      if (blob !== undefined) return blob;
      call.signal.throwIfAborted();
      other = this.#running.get(hash);
    }
    const writing = this.#write(content, hash, wallet, call);
    const running = Promise.race([writing, overdue(call.signal)])
      .finally(() => this.#running.delete(hash));
    this.#running.set(hash, running);
    return await running;
  }

  async #write(
    content: Bytes,
    hash: string,
    wallet: Wallet,
    { key, signal }: BlobCall,
  ): Promise<string> {
    const { epochs = 5 } = this.#options;
    const resume = this.#paid.get(hash);
    this.#paid.delete(hash); // one that fails twice is begun anew
    let certified: string | undefined;
    try {
      const { blobId } = await this.#fresh().client.writeBlob({
        blob: content,
        deletable: false, // others build on it until its epochs end
        epochs,
        signer: signerOf(wallet),
        signal,
        onStep: (step) => {
          if (step.step === "registered") this.#paid.set(hash, step);
          if (step.step === "certified") certified = step.blobId;
        },
        ...(resume === undefined ? {} : { resume }),
      });
      certified = blobId;
    } catch (error) {
      if (certified === undefined) {
        throw unpaid(error, key, wallet) ?? this.#fault(error, key, signal);
      }
    }
    this.#paid.delete(hash);
    return certified;
  }

  /** See {@link BlobReader.read}. The blob's id is computed anew from what came. */
  async read(blob: string, { maxBytes, range }: ReadOptions, call: BlobCall): Promise<Bytes> {
    const { key, signal } = call;
    const most = range === undefined ? Math.min(maxBytes, MAX_BLOB) : MAX_BLOB;
    let whole: Uint8Array;
    try {
      const { client, looker } = this.#fresh();
      await checkLength(looker, blob, most, signal);
      whole = await client.readBlob({ blobId: blob, signal });
    } catch (error) {
      throw this.#fault(error, key, signal);
    }
    if (whole.length > most) throw new TooLargeError(most); // another node told another length
    if (range === undefined) return new Uint8Array(whole);
    const { length, start } = range;
    if (whole.length < start + length) throw tooShort(key);
    return whole.slice(start, start + length) as Bytes;
  }

  #fresh(): Clients {
    if (this.#clients !== undefined && Date.now() - this.#madeMs < RENEW_MS) return this.#clients;
    this.#clients?.client.reset(); // what it read of the chain lies with the Sui client
    this.#madeMs = Date.now();
    const { fetch: send = fetch, network, suiClient } = this.#options;
    const clientOf = (maxBlob: number) =>
      new WalrusClient({
        suiClient,
        ...(typeof network === "string" ? { network } : { packageConfig: network }),
        storageNodeClientOptions: { fetch: boundedFetch(send, maxBlob) },
      });
    this.#clients = { client: clientOf(MAX_BLOB), looker: clientOf(Infinity) };
    return this.#clients;
  }

  #fault(error: unknown, key: string, signal: AbortSignal): Error {
    if (signal.aborted) return signal.reason;
    if (error instanceof StoreError || error instanceof TooLargeError) return error;
    if (error instanceof BlobNotCertifiedError) return notFound(key);
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof BlobBlockedError) {
      return new StoreError("denied", key, `Cannot get ${key}: Walrus' storage nodes block it`);
    }
    this.#madeMs = 0; // the committee may be another one by now
    return new StoreError("unavailable", key, `Cannot use Walrus' storage nodes: ${why}`);
  }
}

/** Rejects some time after `signal` has aborted: what the signal did not end is waited for no longer. */
function overdue(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => Deno.unrefTimer(setTimeout(() => reject(signal.reason), GRACE_MS));
    signal.addEventListener("abort", end, { once: true });
  });
}

/** What a wallet lacks, where that is the reason. */
function unpaid(error: unknown, key: string, { address }: Wallet): StoreError | undefined {
  const why = error instanceof Error ? error.message : String(error);
  if (!/insufficient|no valid gas coins|not enough coins/i.test(why)) return undefined;
  const message = `Cannot put ${key}: send WAL and SUI to the wallet ${address} (${why})`;
  return new StoreError("denied", key, message);
}

/** @throws {TooLargeError} where the blob is longer than `most` by the word of several nodes, which are drawn. */
async function checkLength(
  looker: WalrusClient,
  blobId: string,
  most: number,
  signal: AbortSignal,
): Promise<void> {
  for (let looks = 0; looks < LOOKS; looks++) {
    const { metadata } = await looker.getBlobMetadata({ blobId, signal });
    if (BigInt(metadata.V1.unencoded_length) <= BigInt(most)) return;
  }
  throw new TooLargeError(most);
}

/**
 * Storage nodes are strangers: no redirect is followed, every body is bounded, and who claims that a blob is longer than
 * `maxBlob` is not heard, since the package takes that much memory.
 */
function boundedFetch(send: typeof fetch, maxBlob: number): typeof fetch {
  return async (input, init) => {
    const response = await send(input, { ...init, redirect: "manual" });
    const { body, headers, status } = response;
    if (body === null) return response;
    const said = headers.get("content-length");
    const bytes = await readBounded(
      body,
      MAX_NODE_ANSWER,
      said === null ? undefined : Number(said),
    );
    const isMetadata = /\/metadata$/.test(String(input)) && init?.method === undefined;
    if (isMetadata && response.ok && bytes.length >= LENGTH_AT + 8) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (Number(view.getBigUint64(LENGTH_AT, true)) > maxBlob) throw new TooLargeError(maxBlob);
    }
    return new Response(bytes, { status, headers });
  };
}

/** What the package asks of a signer: an address, and transactions that are executed once. */
function signerOf(wallet: Wallet): Signer {
  const signer: Pick<Signer, "toSuiAddress" | "signAndExecuteTransaction"> = {
    toSuiAddress: () => wallet.address,
    signAndExecuteTransaction: ({ client, transaction }) =>
      inTurn(wallet.address, () => execute(transaction, client, wallet)),
  };
  return signer as Signer;
}

type Executed = Awaited<ReturnType<Signer["signAndExecuteTransaction"]>>;

/** Sign, and send the same bytes until it is known what became of them. */
async function execute(
  transaction: Transaction,
  client: ClientWithCoreApi,
  wallet: Wallet,
): Promise<Executed> {
  transaction.setSenderIfNotSet(wallet.address);
  const bytes = new Uint8Array(await transaction.build({ client }));
  const signatures = [await wallet.sign(bytes)];
  const digest = TransactionDataBuilder.getDigestFromBytes(bytes);
  const include = { transaction: true, effects: true } as const;
  for (let sends = 1;; sends++) {
    const signal = AbortSignal.timeout(SEND_MS);
    try {
      return await client.core.executeTransaction({
        transaction: bytes,
        signatures,
        include,
        signal,
      });
    } catch (error) {
      if (sends === 1 && sendFault(error) !== "unknown") throw error;
      const found = await client.core.getTransaction({ digest, include }).catch(() => undefined);
      if (found !== undefined) return found;
      if (sends === SENDS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** sends));
    }
  }
}
