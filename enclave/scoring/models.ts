/**
 * The model that a request names, ready to run: a preset's graph is emitted here, a package's graph and frozen weights
 * come as blobs.
 *
 * @module
 */
import type { PackagedConfig } from "../model/package.ts";
import type { ModelConfig } from "../model/presets.ts";
import { safetensorsSize } from "../model/safetensors.ts";
import { LossModel } from "../model/session.ts";
import { assemble } from "./bases.ts";
import type { BlobStore } from "./blobs.ts";
import { takeBlob } from "./request.ts";

/**
 * Open the model of `config`. A package's blobs are what their hashes say, which its model hash covers; they are taken
 * out of `blobs` once they are loaded.
 *
 * @throws {Refusal} `missing_blob`, or why the package is not taken.
 */
export async function openModel(
  config: ModelConfig,
  blobs: BlobStore,
  options: { readonly threads: number },
): Promise<LossModel> {
  if (!isPackaged(config)) return await LossModel.create(config, options);
  const { frozen, frozenChunks, graph } = config.package;
  const bytes = takeBlob(blobs, graph);
  const file = { size: safetensorsSize(frozen), chunks: frozenChunks };
  const theta = frozen.total === 0 ? new Float32Array(0) : assemble(frozen, file, blobs);
  const model = await LossModel.open(config, bytes, theta, options);
  for (const hash of [graph, ...frozenChunks]) blobs.delete(hash);
  return model;
}

function isPackaged(config: ModelConfig): config is PackagedConfig {
  return config.package !== undefined;
}
