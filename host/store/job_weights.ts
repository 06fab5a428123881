/**
 * Weights that a training job names: its base, and what was delivered. A manifest lies wherever its ref says, and its
 * chunks lie by their content, as `blobs/…` or as a checkpoint's `chunks/…`; nobody can bend a byte of either.
 *
 * @module
 */
import { modelHash } from "../../enclave/model/modelhash.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import { type ModelConfig, pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { safetensorsSize } from "../../enclave/model/safetensors.ts";
import {
  CHUNK_BYTES,
  decodeManifest,
  encodeManifest,
  type Manifest,
} from "../../enclave/protocol/base.ts";
import { type Bytes, equal, fromHex, toHex } from "../../enclave/protocol/bytes.ts";
import type { Dataset } from "../../enclave/protocol/dataset.ts";
import { sha256, tagged } from "../../enclave/protocol/hash.ts";
import { jobPageCount } from "../../enclave/protocol/job_pages.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { type Base, BaseError, genesisBase } from "./bases.ts";
import { Chunks } from "./chunks.ts";
import { blobKey, chunkKey } from "./keys.ts";
import { type GetOptions, type Store, StoreError } from "./store.ts";

/** The ref of a base that is nowhere, since anyone can recompute it: the first one of the network's model. */
export const GENESIS_REF = "genesis";
const MAX_MANIFEST_BYTES = 1 << 20;
/** A page of a data set above this many would cost more hashes than pages. */
const MAX_PAGES = 2 ** 30;

/** Reads an object by a ref, wherever a party looks for such. */
export type ReadObject = (ref: string, options: GetOptions) => Promise<Bytes>;

/** Weights behind a manifest. */
export interface JobWeights {
  /** The manifest as its hash binds it. */
  readonly bytes: Bytes;
  /** The same, decoded. */
  readonly manifest: Manifest;
  /** The model, which is one of this program's. */
  readonly model: ModelConfig;
  /** Chunk `index` of the file. @throws {StoreError} */
  chunk(index: number): Promise<Bytes>;
}

/** Reads from the first of `stores` that has the object. */
export function firstOf(stores: readonly Pick<Store, "get">[]): ReadObject {
  return async (ref, options) => {
    const errors: unknown[] = [];
    for (const store of stores) {
      try {
        return await store.get(ref, options);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        errors.push(error);
      }
    }
    // One that may have it later tells more than one that has it not.
    throw errors.find((error) => (error as StoreError).retryable) ?? errors[0];
  };
}

/** The SHA-256 that a ref of an object by its content names, or undefined. */
export function hashOfRef(ref: string): Bytes | undefined {
  const match = /^(?:blobs|chunks)\/([0-9a-f]{64})$/.exec(ref);
  return match === null ? undefined : fromHex(match[1]!);
}

/**
 * What lies at `ref`, where its hash is `hash`, that of a manifest.
 *
 * @throws {StoreError} `wrong_hash`, or as `read` does.
 */
export async function readDelivery(read: ReadObject, ref: string, hash: Bytes): Promise<Bytes> {
  const named = hashOfRef(ref);
  const options = {
    maxBytes: MAX_MANIFEST_BYTES,
    ...(named === undefined ? {} : { sha256: named }),
  };
  const bytes = await read(ref, options);
  if (equal(tagged("vramhub/base/v1", bytes), hash)) return bytes;
  throw new StoreError("wrong_hash", ref, `${ref} is not the manifest ${toHex(hash)}`);
}

/** Chunk `hash` of a manifest, from wherever objects lie by their content. */
export async function readChunk(read: ReadObject, hash: Bytes): Promise<Bytes> {
  const options = { maxBytes: CHUNK_BYTES, sha256: hash };
  try {
    return await read(blobKey(hash), options);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "not_found") throw error;
    return await read(chunkKey(hash), options);
  }
}

/**
 * A job's base.
 *
 * @param network The network's model, whose first base {@linkcode GENESIS_REF} stands for.
 * @throws {BaseError} where it is of no model that this program knows, or no base.
 * @throws {StoreError} where it is not to be had.
 */
export async function openJobBase(
  { baseHash, baseRef }: { readonly baseHash: Bytes; readonly baseRef: string },
  network: ModelConfig,
  read: ReadObject,
): Promise<JobWeights> {
  if (baseRef === GENESIS_REF) return genesisWeightsOf(baseHash, network);
  const bytes = await readDelivery(read, baseRef, baseHash);
  const manifest = decodeManifest(bytes);
  const model = modelOfHash(manifest.modelHash, network);
  if (model !== undefined) refusePackage(baseHash, model);
  if (model === undefined) {
    const known = Object.keys(PRESETS).join(", ");
    throw new BaseError(
      `Base ${toHex(baseHash)} is of model ${
        toHex(manifest.modelHash)
      }: this program knows ${known} and the network's`,
    );
  }
  const size = safetensorsSize(paramManifest(model));
  if (manifest.size !== size) {
    throw new BaseError(
      `Base ${toHex(baseHash)} has ${manifest.size} bytes, the file of ${model.name} has ${size}`,
    );
  }
  return { bytes, manifest, model, chunk: (index) => readChunk(read, manifest.chunks[index]!) };
}

/**
 * Check that a judge can measure `model` on `dataset`, which is the customer's: before any page is asked for.
 *
 * @throws {Refusal} `wrong_pages`, `too_many_pages` or `too_few_pages`.
 */
export function checkJobData(dataset: Dataset, model: ModelConfig): void {
  const { pageCount, pageTokens: found } = dataset;
  const wanted = pageTokens(model);
  if (found !== wanted) {
    throw new Refusal(
      "wrong_pages",
      `The job's pages have ${found} tokens, those of ${model.name} have ${wanted}`,
    );
  }
  if (pageCount > MAX_PAGES) {
    throw new Refusal(
      "too_many_pages",
      `The job's data set has ${pageCount} pages, 2^30 is the limit`,
    );
  }
  jobPageCount(dataset, model.batch);
}

/** A judge runs a graph that governance chose, and none that a customer did. */
function refusePackage(base: Bytes, { name, package: parts }: ModelConfig): void {
  if (parts === undefined) return;
  throw new BaseError(
    `Base ${toHex(base)} is of ${name}, a packaged model: jobs train presets alone`,
  );
}

function genesisWeightsOf(wanted: Bytes, model: ModelConfig): JobWeights {
  refusePackage(wanted, model);
  const { hash, manifest, theta }: Base = genesisBase(model, modelHash(model));
  if (!equal(hash, wanted)) {
    throw new BaseError(
      `Base ${
        toHex(wanted)
      } is not the first one of ${model.name}, which '${GENESIS_REF}' stands for`,
    );
  }
  const chunks = Chunks.of(model, theta);
  const chunk = (index: number) => Promise.resolve(chunks.at(index));
  return { bytes: encodeManifest(manifest), manifest, model, chunk };
}

const presets = new Map<string, ModelConfig>();

/** The model of this hash: `network`'s, or a preset; undefined where it is neither. */
export function modelOfHash(hash: Uint8Array, network: ModelConfig): ModelConfig | undefined {
  if (presets.size === 0) {
    for (const model of Object.values(PRESETS)) presets.set(toHex(modelHash(model)), model);
  }
  return equal(modelHash(network), hash) ? network : presets.get(toHex(hash));
}

/** The weights themselves. @throws {Refusal} `wrong_header` where they are no file of the model. */
export async function readWeights(
  { chunk, manifest, model }: Pick<JobWeights, "chunk" | "manifest" | "model">,
): Promise<Float32Array<ArrayBuffer>> {
  const filling = Chunks.into(model);
  for (const index of manifest.chunks.keys()) {
    const bytes = await chunk(index);
    if (bytes.length !== Math.min(CHUNK_BYTES, manifest.size - index * CHUNK_BYTES)) {
      throw new BaseError(`The base's chunk ${index} has another length`);
    }
    filling.put(index, bytes);
  }
  return filling.finish();
}

/** A delivery. */
export interface Delivery {
  /** What the ledger is told: hash of the manifest. */
  readonly hash: Bytes;
  /** And where it lies. */
  readonly ref: string;
}

/** The manifest of a job's result: weights of the base's model, trained from it. */
export function resultManifest(
  theta: Float32Array<ArrayBuffer>,
  base: Pick<JobWeights, "bytes" | "manifest" | "model">,
): { readonly manifest: Manifest; readonly bytes: Bytes; readonly hash: Bytes } {
  const { modelHash, window } = base.manifest;
  const parent = tagged("vramhub/base/v1", base.bytes);
  const manifest = Chunks.of(base.model, theta).manifest({ modelHash, parent, window });
  const bytes = encodeManifest(manifest);
  return { manifest, bytes, hash: tagged("vramhub/base/v1", bytes) };
}

/**
 * Put a result by its content: the chunks that the store lacks, then the manifest.
 *
 * @throws {StoreError} `bad_key` where the store names objects itself, so that nobody could find a chunk by its hash.
 */
export async function putResult(
  store: Store,
  theta: Float32Array<ArrayBuffer>,
  base: Pick<JobWeights, "bytes" | "manifest" | "model">,
): Promise<Delivery> {
  const { bytes, hash, manifest } = resultManifest(theta, base);
  const chunks = Chunks.of(base.model, theta);
  for (const [index, chunk] of manifest.chunks.entries()) {
    const content = chunks.at(index);
    const key = blobKey(chunk);
    if ((await store.head(key))?.size !== content.length) await store.put(key, content);
  }
  const key = blobKey(sha256(bytes));
  const { ref } = await store.put(key, bytes);
  if (ref !== key) {
    throw new StoreError(
      "bad_key",
      key,
      `Cannot deliver to a store that names objects itself (${ref}): use a folder or a bucket`,
    );
  }
  return { hash, ref };
}
