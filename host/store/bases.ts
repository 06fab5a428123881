/**
 * The running base: from genesis, from an uploaded checkpoint, or by replaying merges, each step checked
 * against the hash that the ledger anchored.
 *
 * @module
 */
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { mergeBase, mergedUids } from "../../enclave/model/merge.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import type { ModelConfig } from "../../enclave/model/presets.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  safetensorsSize,
} from "../../enclave/model/safetensors.ts";
import {
  decodeManifest,
  encodeManifest,
  type Manifest,
  manifestHash,
  manifestOf,
} from "../../enclave/protocol/base.ts";
import { type Bytes, equal, toHex } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import type { Ledger, WindowView } from "../ledger/ledger.ts";
import { getBlob } from "./blob.ts";
import { checkpointKey, manifestKey } from "./keys.ts";
import { type Store, StoreError } from "./store.ts";

/** Weights with the manifest that the ledger anchors. */
export interface Base {
  /** 32 bytes. */
  readonly hash: Bytes;
  /** Its parts. */
  readonly manifest: Manifest;
  /** Flat weights; nobody changes them. */
  readonly theta: Float32Array<ArrayBuffer>;
}

/** A base is not to be had: neither genesis, nor uploaded, nor to be replayed. */
export class BaseError extends Error {
  /** Names the base that was wanted. */
  constructor(message: string) {
    super(message);
    this.name = "BaseError";
  }
}

/** The first base of a model: anyone can recompute it. */
export function genesisBase(model: ModelConfig, modelHash: Bytes): Base {
  const theta = genesisWeights(model, modelHash);
  return describe(model, theta, { modelHash, parent: new Uint8Array(32), window: 0 });
}

function describe(
  model: ModelConfig,
  theta: Float32Array<ArrayBuffer>,
  about: Pick<Manifest, "modelHash" | "parent" | "window">,
): Base {
  const manifest = manifestOf(encodeSafetensors(paramManifest(model), theta), about);
  return { hash: manifestHash(manifest), manifest, theta };
}

/** Keeps the newest base and the one before it, which is being judged meanwhile. Calls take turns. */
export class Bases {
  readonly #ledger: Ledger;
  readonly #store: Store;
  readonly #model: ModelConfig;
  #base: Base;
  #previous: Base | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Windows up to this one are merged into `#base`. */
  #through: number;

  private constructor(
    ledger: Ledger,
    store: Store,
    model: ModelConfig,
    base: Base,
    through: number,
  ) {
    this.#ledger = ledger;
    this.#store = store;
    this.#model = model;
    this.#base = base;
    this.#through = through;
  }

  /** Start from the newest uploaded checkpoint that the ledger anchored, else from genesis. */
  static async open(ledger: Ledger, store: Store, model: ModelConfig): Promise<Bases> {
    const { modelHash } = await ledger.info();
    const first = (await ledger.epochs())[0]!.firstWindow;
    const current = await ledger.currentWindow();
    const keys = await store.list("checkpoint-");
    for (const key of keys.reverse()) {
      if (!key.endsWith(".manifest")) continue;
      const manifest = decodeManifest(await store.get(key, { maxBytes: 1 << 20 }));
      const merged = await mergedHashOf(ledger, manifest.window);
      const hash = manifestHash(manifest);
      if (merged === null || !equal(merged, hash) || manifest.window >= current) continue;
      const base = await fetchCheckpoint(store, model, manifest);
      if (base !== null) return new Bases(ledger, store, model, base, manifest.window);
    }
    return new Bases(ledger, store, model, genesisBase(model, modelHash), first - 1);
  }

  /** The base that was reached last. */
  get current(): Base {
    return this.#base;
  }

  /**
   * The base of hash `wanted`, replaying the merges of the windows before `window`.
   *
   * @throws {BaseError} where the chain of merges does not lead to it.
   */
  reach(wanted: Bytes, window: number): Promise<Base> {
    const result = this.#turn.then(() => this.#reach(wanted, window));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #reach(wanted: Bytes, window: number): Promise<Base> {
    if (this.#previous !== undefined && equal(this.#previous.hash, wanted)) return this.#previous;
    while (!equal(this.#base.hash, wanted) && this.#through < window - 1) {
      await this.#replay(this.#through + 1);
      this.#through++;
    }
    if (!equal(this.#base.hash, wanted)) {
      throw new BaseError(
        `Base ${toHex(wanted)} of window ${window} is not to be reached from ${
          toHex(this.#base.hash)
        }`,
      );
    }
    return this.#base;
  }

  async #replay(window: number): Promise<void> {
    const merged = await mergedHashOf(this.#ledger, window);
    if (merged === null) return;
    const view = await this.#ledger.window(window);
    const gradients = new Map<number, Bytes>();
    const { randomBefore, rows } = view.settled!;
    const uids = mergedUids(randomBefore, rows, view.reveals, view.hparams.top_g);
    for (const uid of uids) {
      const { contentHash, size } = view.reveals.find((reveal) => reveal.uid === uid)!;
      gradients.set(uid, await getBlob(this.#store, contentHash, size));
    }
    const total = paramManifest(this.#model).total;
    const context = { hparams: view.hparams, window, baseHash: view.baseHash, total };
    const theta = mergeBase(
      this.#base.theta,
      context,
      uids,
      view.reveals,
      ({ uid }) => gradients.get(uid)!,
    );
    const { modelHash } = view.context;
    const base = describe(this.#model, theta, { modelHash, parent: this.#base.hash, window });
    if (!equal(base.hash, merged)) {
      throw new BaseError(
        `Replaying window ${window} gives base ${toHex(base.hash)}, the ledger anchored ${
          toHex(merged)
        }`,
      );
    }
    this.#previous = this.#base;
    this.#base = base;
  }
}

async function mergedHashOf(ledger: Ledger, window: number): Promise<Bytes | null> {
  return (await windowOrNull(ledger, window))?.payout?.mergedHash ?? null;
}

/** The window, or null where nobody called in it. */
export async function windowOrNull(ledger: Ledger, window: number): Promise<WindowView | null> {
  try {
    return await ledger.window(window);
  } catch (error) {
    if (error instanceof LedgerError && error.constant === "EUnknownWindow") return null;
    throw error;
  }
}

/** Upload the whole file of a base, then its manifest: who finds the manifest finds the file. */
export async function uploadCheckpoint(
  store: Store,
  model: ModelConfig,
  base: Base,
): Promise<string> {
  const key = checkpointKey(base.manifest.window);
  await store.put(key, encodeSafetensors(paramManifest(model), base.theta));
  await store.put(manifestKey(base.manifest.window), encodeManifest(base.manifest));
  return key;
}

async function fetchCheckpoint(
  store: Store,
  model: ModelConfig,
  manifest: Manifest,
): Promise<Base | null> {
  const params = paramManifest(model);
  try {
    const key = checkpointKey(manifest.window);
    const file = await store.get(key, { maxBytes: safetensorsSize(params) });
    const found = manifestOf(file, manifest);
    const hash = manifestHash(manifest);
    if (!equal(manifestHash({ ...found, metadata: manifest.metadata }), hash)) return null;
    return { hash, manifest, theta: decodeSafetensors(params, file) };
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}
