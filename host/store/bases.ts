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
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { Ledger, WindowView } from "../ledger/ledger.ts";
import { getBlob } from "./blob.ts";
import { checkpointKey, manifestKey } from "./keys.ts";
import { MAX_LIST, type Store, StoreError } from "./store.ts";

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
  /** The same call gives the same answer. */
  readonly retryable = false;

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
  /** Manifests of the bases that were reached last, oldest first. */
  readonly #manifests: Manifest[];

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
    this.#manifests = [base.manifest];
  }

  /**
   * Start from the newest uploaded checkpoint that the ledger anchored, else from genesis.
   *
   * @param running the running window; default: the ledger's own. An audit of an older window names it.
   */
  static async open(
    ledger: Ledger,
    store: Store,
    model: ModelConfig,
    running?: number,
  ): Promise<Bases> {
    const { modelHash } = await ledger.info();
    const first = (await ledger.epochs())[0]!.firstWindow;
    const current = running ?? await ledger.currentWindow();
    // The window before the running one may still be judged, from its own base: no newer one may be begun with.
    const newest = current - 3;
    for (const window of (await checkpointWindows(store)).filter((window) => window <= newest)) {
      const base = await checkpointOf(ledger, store, model, window);
      if (base !== null) return new Bases(ledger, store, model, base, window);
    }
    return new Bases(ledger, store, model, genesisBase(model, modelHash), first - 1);
  }

  /** The base that was reached last. */
  get current(): Base {
    return this.#base;
  }

  /** The manifest of this hash, where it is that of one of the bases reached last. */
  manifest(hash: Uint8Array): Manifest | undefined {
    return this.#manifests.find((manifest) => equal(manifestHash(manifest), hash));
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
    const view = await windowOrNull(this.#ledger, window);
    if (view !== null && view.status !== "closed" && view.status !== "skipped") {
      throw new BaseError(`Window ${window} is still being judged: what it merges is not known`);
    }
    const merged = view?.payout?.mergedHash ?? null;
    if (view === null || merged === null) return;
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
    this.#manifests.push(base.manifest);
    if (this.#manifests.length > MANIFESTS) this.#manifests.shift();
  }
}

/** Manifests that are remembered: a window's own, the next one's and its merge's, and those of the windows around it. */
const MANIFESTS = 8;

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

/** Windows whose merges were uploaded as whole files, newest first: by the names of the manifests alone. */
export async function checkpointWindows(store: Store): Promise<number[]> {
  const windows: number[] = [];
  for (let after = "";;) {
    const keys = await store.list("checkpoint-", { after });
    for (const key of keys) {
      const window = Number(/^checkpoint-(\d+)-v1\.manifest$/.exec(key)?.[1] ?? NaN);
      if (Number.isSafeInteger(window)) windows.push(window);
    }
    if (keys.length < MAX_LIST) break;
    after = keys.at(-1)!;
  }
  return windows.sort((a, b) => b - a);
}

/** The uploaded base that `window` merged, or null where it is not whole, or not what the ledger anchored. */
async function checkpointOf(
  ledger: Ledger,
  store: Store,
  model: ModelConfig,
  window: number,
): Promise<Base | null> {
  const merged = (await windowOrNull(ledger, window))?.payout?.mergedHash ?? null;
  if (merged === null) return null;
  const params = paramManifest(model);
  try {
    const manifest = decodeManifest(await store.get(manifestKey(window), { maxBytes: 1 << 20 }));
    const hash = manifestHash(manifest);
    if (!equal(merged, hash) || manifest.window !== window) return null;
    const file = await store.get(checkpointKey(window), { maxBytes: safetensorsSize(params) });
    const found = manifestOf(file, manifest);
    if (!equal(manifestHash({ ...found, metadata: manifest.metadata }), hash)) return null;
    return { hash, manifest, theta: decodeSafetensors(params, file) };
  } catch (error) {
    // Anybody may have put something there; a store that fails for now is another matter.
    if (error instanceof Refusal || (error instanceof StoreError && !error.retryable)) return null;
    throw error;
  }
}
