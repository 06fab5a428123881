/**
 * The hash that names a model: its graph and its parameters, not their values; of a package the frozen values too, and
 * those that it starts from.
 *
 * @module
 */
import { type Bytes, concat, u32le, utf8 } from "../protocol/bytes.ts";
import { sha256, tagged } from "../protocol/hash.ts";
import { emitForward } from "./onnx/gpt.ts";
import { encodePackage } from "./package.ts";
import { type Manifest, paramManifest } from "./params.ts";
import type { ModelConfig } from "./presets.ts";

/** The canonical list of parameters: a count, then per parameter name length, name, rank, dimensions; numbers u32le. */
function paramList(manifest: Manifest): Bytes {
  const parts: Uint8Array[] = [u32le(manifest.params.length)];
  for (const { name, shape } of manifest.params) {
    const text = utf8(name);
    parts.push(u32le(text.length), text, u32le(shape.length), ...shape.map(u32le));
  }
  return concat(...parts);
}

/**
 * `SHA-256("vramhub/model/v1" ‖ SHA-256(forward graph) ‖ list of trained parameters)`: 32 bytes. A package's encoding
 * follows where there is one: the list says its own length, so that neither kind is taken for the other.
 */
export function modelHash(config: ModelConfig): Bytes {
  const list = paramList(paramManifest(config));
  const { package: parts } = config;
  return parts === undefined
    ? tagged("vramhub/model/v1", sha256(emitForward(config)), list)
    : tagged("vramhub/model/v1", parts.graph, list, encodePackage({ ...config, package: parts }));
}
