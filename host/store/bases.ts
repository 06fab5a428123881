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
import { type Manifest, manifestHash } from "../../enclave/protocol/base.ts";
import { type Bytes, equal, toHex } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { Ledger, RevealRow, WindowView } from "../ledger/ledger.ts";
import { getBlob } from "./blob.ts";
import {
  checkpointWindows,
  getCheckpoint,
  type Moved,
  putCheckpoint,
  readManifest,
} from "./checkpoints.ts";
import { Chunks } from "./chunks.ts";
import { type Store, StoreError } from "./store.ts";
import { isWalrusRef } from "./walrus_blobs.ts";

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
  const manifest = Chunks.of(model, theta).manifest(about);
  return { hash: manifestHash(manifest), manifest, theta };
}

/** How bases are opened. */
export interface BasesOptions {
  /** The running window; default: the ledger's own. An audit of an older window names it. */
  readonly running?: number;
  /** Keeps the chunks of the checkpoint that was fetched last: of the next one, only others are fetched. */
  readonly cache?: Store;
  /** Gives by its ref what lies on Walrus: merges are replayed of gradients that the store does not have by hash. */
  readonly walrus?: Store | undefined;
}

/** Keeps the newest base and the one before it, which is being judged meanwhile. Calls take turns. */
export class Bases {
  readonly #ledger: Ledger;
  readonly #store: Store;
  readonly #model: ModelConfig;
  readonly #cache: Store | undefined;
  readonly #walrus: Store | undefined;
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
    { cache, walrus }: BasesOptions,
    base: Base,
    through: number,
  ) {
    this.#ledger = ledger;
    this.#store = store;
    this.#model = model;
    this.#cache = cache;
    this.#walrus = walrus;
    this.#base = base;
    this.#through = through;
    this.#manifests = [base.manifest];
  }

  /**
   * Start from the newest uploaded checkpoint that the ledger anchored, else from genesis.
   *
   * @throws {StoreError} where the store fails for now.
   */
  static async open(
    ledger: Ledger,
    store: Store,
    model: ModelConfig,
    options: BasesOptions = {},
  ): Promise<Bases> {
    const { cache, running } = options;
    const { modelHash } = await ledger.info();
    const first = (await ledger.epochs())[0]!.firstWindow;
    const current = running ?? await ledger.currentWindow();
    // The window before the running one may still be judged, from its own base: no newer one may be begun with.
    const found = await newestCheckpoint({ ledger, store, model, cache }, first, current - 3);
    const base = found ?? genesisBase(model, modelHash);
    const through = found?.manifest.window ?? first - 1;
    return new Bases(ledger, store, model, options, base, through);
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
   * The base of hash `wanted`, replaying the merges of the windows before `window`. Where what a merge was made of is
   * not served any more, a newer checkpoint is gone on from.
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
      try {
        await this.#replay(this.#through + 1);
        this.#through++;
      } catch (error) {
        if (!(error instanceof StoreError) || error.retryable) throw error;
        if (!await this.#skip(window - 2)) throw error; // base(N) has merged N - 2
      }
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

  /** Go on from the newest checkpoint up to `window`, where there is one ahead. */
  async #skip(window: number): Promise<boolean> {
    const from = {
      ledger: this.#ledger,
      store: this.#store,
      model: this.#model,
      cache: this.#cache,
    };
    const base = await newestCheckpoint(from, this.#through + 1, window);
    if (base === null) return false;
    this.#take(base, undefined);
    this.#through = base.manifest.window;
    return true;
  }

  #take(base: Base, previous: Base | undefined): void {
    this.#previous = previous;
    this.#base = base;
    this.#manifests.push(base.manifest);
    if (this.#manifests.length > MANIFESTS) this.#manifests.shift();
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
      gradients.set(uid, await this.#gradient(view.reveals.find((reveal) => reveal.uid === uid)!));
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
    this.#take(base, this.#base);
  }

  async #gradient({ contentHash, ref, size }: RevealRow): Promise<Bytes> {
    try {
      return await getBlob(this.#store, contentHash, size);
    } catch (error) {
      if (this.#walrus === undefined || !isWalrusRef(ref)) throw error;
      return await this.#walrus.get(ref, { maxBytes: size, sha256: contentHash });
    }
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

/** Upload a base: the chunks that the store lacks, then its manifest. */
export async function uploadCheckpoint(
  store: Store,
  model: ModelConfig,
  { manifest, theta }: Base,
): Promise<Moved> {
  const chunks = Chunks.of(model, theta);
  return await putCheckpoint(store, manifest, (index) => chunks.at(index));
}

/** Windows back from the running one that a checkpoint is looked for, where the store does not say which it has. */
const LOOK_BACK = 256;

/** Where a checkpoint comes from. */
interface Source {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly model: ModelConfig;
  readonly cache: Store | undefined;
}

/** The newest uploaded base that a window of `from` … `to` merged and the ledger anchored. */
async function newestCheckpoint(source: Source, from: number, to: number): Promise<Base | null> {
  for (const window of await candidates(source.store, to)) {
    if (window < from || window > to) continue;
    const base = await checkpointOf(source, window);
    if (base !== null) return base;
  }
  return null;
}

/** Windows that may have a checkpoint. Where the store may be read and not listed, each is tried. */
async function candidates(store: Store, to: number): Promise<number[]> {
  try {
    return await checkpointWindows(store);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "denied") throw error;
    return Array.from({ length: LOOK_BACK }, (_, i) => to - i);
  }
}

/** The uploaded base that `window` merged, or null where it is not whole, or not what the ledger anchored. */
async function checkpointOf(
  { cache, ledger, model, store }: Source,
  window: number,
): Promise<Base | null> {
  const merged = (await windowOrNull(ledger, window))?.payout?.mergedHash ?? null;
  if (merged === null) return null;
  const manifest = await readManifest(store, window);
  if (manifest === null) return null;
  const hash = manifestHash(manifest);
  if (!equal(merged, hash)) return null;
  const filling = Chunks.into(model);
  if (manifest.size !== filling.size) return null;
  try {
    await getCheckpoint(store, manifest, (index, bytes) => filling.put(index, bytes), cache);
    return { hash, manifest, theta: filling.finish() };
  } catch (error) {
    if (error instanceof Refusal || (error instanceof StoreError && !error.retryable)) return null;
    throw error;
  }
}
