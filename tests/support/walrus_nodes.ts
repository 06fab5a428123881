/**
 * A STAND-IN for Walrus' storage nodes, for tests of the unmodified @mysten/walrus: each has a BLS key, keeps what it is
 * sent, signs a confirmation when it has both slivers of each of its shards, and can be unfit in several ways. They do
 * not check that slivers belong to the metadata, as real ones do.
 *
 * Source: the storage node's REST API as @mysten/walrus calls it, and its BCS of `StorageConfirmation`.
 *
 * @module
 */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, concat, toHex } from "../../enclave/protocol/bytes.ts";
import { Confirmation } from "./walrus_layout.ts";

const { longSignatures: bls, utils } = bls12_381;

/** How a node is unfit. */
export type NodeFault =
  | "none"
  /** Answers 500. */
  | "broken"
  /** Gives other slivers than it was sent. */
  | "forged"
  /** Claims, of every blob, a length that nobody has memory for. */
  | "giant"
  /** Sends elsewhere. */
  | "redirect"
  /** Answers without end. */
  | "endless"
  /** Signs confirmations with another key. */
  | "impostor";

/** A storage node, with one shard. */
export interface StorageNode {
  /** Number of its shard, and its place in the committee. */
  readonly index: number;
  /** Host and port. */
  readonly address: string;
  /** BLS12-381 in G1, 48 bytes. */
  readonly publicKey: Bytes;
  /** From now on. */
  fault: NodeFault;
}

/** What a node knows from the chain. */
export interface ChainView {
  /** The running epoch. */
  readonly epoch: number;
  /** Whether a blob is registered, by its id. */
  isRegistered(blobId: string): boolean;
}

/** Storage nodes, reached by their `fetch` alone. */
export class StorageNodes {
  /** By their shards. */
  readonly nodes: readonly StorageNode[];
  readonly #secrets: readonly Uint8Array[];
  /** What each has, by the path that it was put under. */
  readonly #kept: readonly Map<string, Bytes>[];
  readonly #chain: ChainView;
  /** Requests so far. */
  asked = 0;

  /** So many nodes. */
  constructor(count: number, chain: ChainView) {
    this.#secrets = Array.from({ length: count }, () => utils.randomSecretKey());
    this.#kept = this.#secrets.map(() => new Map());
    this.#chain = chain;
    this.nodes = this.#secrets.map((secret, index) => ({
      index,
      address: `node-${index}.test:9185`,
      publicKey: bls.getPublicKey(secret).toBytes() as Bytes,
      fault: "none",
    }));
  }

  /** In place of the global one. */
  readonly fetch: typeof fetch = async (input, init) => {
    this.asked++;
    init?.signal?.throwIfAborted();
    const url = new URL(String(input));
    const node = this.nodes.find(({ address }) => url.host === address);
    if (url.protocol !== "https:" || node === undefined) throw new TypeError(`No node at ${url}`);
    const misbehaved = misbehave(node.fault);
    if (misbehaved !== undefined) return misbehaved;
    const path = /^\/v1\/blobs\/([A-Za-z0-9_-]{43})\/(.+)$/.exec(url.pathname);
    if (path === null) return failure(404, "no such route");
    const [, blob, what] = path as unknown as [string, string, string];
    if (init?.method !== "PUT") return this.#give(node, blob, what);
    if (!this.#chain.isRegistered(blob)) return failure(400, "not registered", "NOT_REGISTERED");
    const body = new Uint8Array(await new Response(init.body!).arrayBuffer());
    this.#kept[node.index]!.set(`${blob}/${what}`, body);
    return success("stored");
  };

  #give(node: StorageNode, blob: string, what: string): Response {
    const kept = this.#kept[node.index]!;
    const here = (part: string) => kept.get(`${blob}/${part}`);
    if (what === "metadata") {
      const metadata = here("metadata");
      if (metadata === undefined) return failure(404, "no such blob");
      // Two tags, the length, the hashes.
      const told = metadata.slice();
      if (node.fault === "giant") told.set([0, 0, 0, 0, 0, 1, 0, 0], 2);
      return new Response(concat(idBytes(blob), told) as Bytes);
    }
    if (what === "metadata/status") {
      return success(here("metadata") === undefined ? "Nonexistent" : "Stored");
    }
    if (/^slivers\/\d+\/(primary|secondary)$/.test(what)) {
      const sliver = here(what);
      if (sliver === undefined) return failure(404, "no such sliver");
      return new Response(node.fault === "forged" ? sliver.map((byte) => byte ^ 1) : sliver);
    }
    if (what === "confirmation/permanent") return this.#confirm(node, blob);
    return failure(404, "no such route");
  }

  #confirm(node: StorageNode, blob: string): Response {
    const slivers = [...this.#kept[node.index]!.keys()].filter((path) =>
      path.startsWith(`${blob}/slivers/`)
    );
    if (slivers.length !== 2) return failure(404, "not all slivers are here");
    const message = confirmationOf(blob, this.#chain.epoch);
    const secret = node.fault === "impostor" ? utils.randomSecretKey() : this.#secrets[node.index]!;
    const signature = bls.sign(bls.hash(message), secret).toBytes() as Bytes;
    const signed = { serializedMessage: message.toBase64(), signature: signature.toBase64() };
    return success({ signed });
  }

  /** Throws unless `signature` is that of more than two thirds of the nodes, those of `bitmap`, to `message`. */
  verify(message: Uint8Array, bitmap: Uint8Array, signature: Uint8Array): void {
    const signers = this.nodes.filter(({ index }) => (bitmap[index >> 3]! >> (index & 7)) & 1);
    if (3 * signers.length <= 2 * this.nodes.length) throw new Error("no quorum of storage nodes");
    const key = bls.aggregatePublicKeys(signers.map(({ publicKey }) => publicKey));
    if (!bls.verify(signature, bls.hash(message), key)) throw new Error("bad certificate");
  }
}

/** The 32 bytes of a blob's id. */
export function idBytes(blob: string): Bytes {
  return Uint8Array.fromBase64(blob, { alphabet: "base64url" });
}

/** A blob's id as a number. */
export function idNumber(blob: string): bigint {
  return BigInt(`0x${toHex(idBytes(blob).toReversed())}`);
}

/** What nodes sign of a permanent blob. */
export function confirmationOf(blob: string, epoch: number): Bytes {
  const about = { intent: 1, version: 0, app: 3, epoch, blob_id: idNumber(blob) };
  return Confirmation.serialize({ ...about, blob_type: { Permanent: null } }).toBytes();
}

function misbehave(fault: NodeFault): Response | undefined {
  switch (fault) {
    case "broken":
      return failure(500, "it hurts");
    case "redirect":
      return new Response(null, { status: 302, headers: { location: "https://127.0.0.1/" } });
    case "endless":
      return new Response(
        new ReadableStream({ pull: (out) => out.enqueue(new Uint8Array(1 << 20)) }),
      );
    default:
      return undefined;
  }
}

function success(data: unknown): Response {
  return Response.json({ success: { code: 200, data } });
}

function failure(code: number, message: string, reason?: string): Response {
  const details = reason === undefined ? [] : [{ reason }];
  const error = { status: "ERROR", code, message, details };
  return Response.json({ error }, { status: code });
}
