/**
 * The weights that the judge holds: assembled from chunks, or merged by itself. At most two bases at a time.
 *
 * @module
 */
import { type Manifest as ParamManifest, paramManifest } from "../model/params.ts";
import type { ModelConfig } from "../model/presets.ts";
import { decodeSafetensors, encodeSafetensors, safetensorsSize } from "../model/safetensors.ts";
import { CHUNK_BYTES, type Manifest, manifestHash, manifestOf } from "../protocol/base.ts";
import { type Bytes, toHex } from "../protocol/bytes.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { BlobStore } from "./blobs.ts";
import { takeBlob } from "./request.ts";

const KEPT = 2;

/**
 * The flat weights that `manifest` lists the chunks of, which stay in `blobs`.
 *
 * @throws {Refusal} `missing_blob`; `bad_manifest` or `wrong_header` where they are no file of this model.
 */
export function assemble(
  params: ParamManifest,
  manifest: Pick<Manifest, "size" | "chunks">,
  blobs: BlobStore,
): Float32Array<ArrayBuffer> {
  if (manifest.size !== safetensorsSize(params)) {
    throw new Refusal("bad_manifest", "The base's size is not that of the model's file", "base");
  }
  const chunks = manifest.chunks.map((hash) => takeBlob(blobs, hash));
  const file = new Uint8Array(manifest.size);
  chunks.forEach((chunk, i) => {
    const at = i * CHUNK_BYTES;
    if (chunk.length !== Math.min(CHUNK_BYTES, file.length - at)) {
      throw new Refusal("bad_manifest", `The base's chunk ${i} is of a wrong length`, "base");
    }
    file.set(chunk, at);
  });
  return decodeSafetensors(params, file);
}

/** Bases by the hash of their manifest. */
export class Bases {
  readonly #bases = new Map<string, Float32Array<ArrayBuffer>>();

  /** Flat weights of `manifest`; the chunks are taken out of `blobs` once they are joined. */
  load(model: ModelConfig, manifest: Manifest, blobs: BlobStore): Float32Array<ArrayBuffer> {
    const key = toHex(manifestHash(manifest));
    const held = this.#bases.get(key);
    if (held !== undefined) return held;
    const theta = assemble(paramManifest(model), manifest, blobs);
    for (const hash of manifest.chunks) blobs.delete(hash);
    this.#keep(key, theta);
    return theta;
  }

  /** Whether the weights of this manifest's hash are held. */
  has(hash: Uint8Array): boolean {
    return this.#bases.has(toHex(hash));
  }

  /** Keep merged weights under the manifest that they give. */
  keepMerged(
    model: ModelConfig,
    theta: Float32Array<ArrayBuffer>,
    about: { readonly modelHash: Bytes; readonly parent: Bytes; readonly window: number },
  ): Manifest {
    const manifest = manifestOf(encodeSafetensors(paramManifest(model), theta), about);
    this.#keep(toHex(manifestHash(manifest)), theta);
    return manifest;
  }

  #keep(key: string, theta: Float32Array<ArrayBuffer>): void {
    this.#bases.set(key, theta);
    while (this.#bases.size > KEPT) this.#bases.delete(this.#bases.keys().next().value!);
  }
}
