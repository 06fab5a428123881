/**
 * A model package's folder: graph.onnx, manifest.json, base.safetensors, frozen.safetensors.
 *
 * @module
 */
import { join } from "node:path";
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { MAX_GRAPH } from "../../../enclave/model/onnx/check.ts";
import {
  decodePackage,
  encodePackage,
  type PackagedConfig,
} from "../../../enclave/model/package.ts";
import type { Manifest } from "../../../enclave/model/params.ts";
import { decodeSafetensors, safetensorsSize } from "../../../enclave/model/safetensors.ts";
import { CHUNK_BYTES } from "../../../enclave/protocol/base.ts";
import { type Bytes, toHex } from "../../../enclave/protocol/bytes.ts";
import { sha256 } from "../../../enclave/protocol/hash.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { MAX_MANIFEST, type PackageManifest, parseManifest } from "./manifest.ts";

/** A package with its files. */
export interface OpenPackage {
  /** What the judge is told of it. */
  readonly config: PackagedConfig;
  /** Its model hash, 32 bytes. */
  readonly hash: Bytes;
  /** The graph. */
  readonly graph: Bytes;
  /** The file of frozen weights; empty where nothing is frozen. */
  readonly frozen: Bytes;
  /** θ to start from. */
  readonly theta: Float32Array<ArrayBuffer>;
}

function bad(file: string, why: string): Refusal {
  return new Refusal("bad_package", `Cannot open the package: ${file} ${why}`, file);
}

async function read(dir: string, file: string, bytes: number | undefined): Promise<Bytes> {
  const path = join(dir, file);
  let size: number;
  try {
    size = (await Deno.stat(path)).size;
  } catch (error) {
    throw bad(file, `cannot be read: ${(error as Error).message}`);
  }
  const most = bytes ?? MAX_MANIFEST;
  if (size > most || (bytes !== undefined && size !== bytes)) {
    throw bad(file, `has ${size} bytes, not ${bytes ?? `at most ${most}`}`);
  }
  return await Deno.readFile(path);
}

/** Whether there is a package in folder `dir`. */
export async function isPackage(dir: string): Promise<boolean> {
  try {
    return (await Deno.stat(join(dir, "manifest.json"))).isFile;
  } catch {
    return false;
  }
}

/**
 * The manifest of the package in folder `dir`.
 *
 * @throws {Refusal} `bad_package`.
 */
export async function readManifest(dir: string): Promise<PackageManifest> {
  return parseManifest(new TextDecoder().decode(await read(dir, "manifest.json", undefined)));
}

/** The SHA-256 of each chunk of `file`, as the judge takes it. */
function chunkHashes(file: Bytes): Bytes[] {
  return chunks(file).map((chunk) => sha256(chunk));
}

function chunks(file: Bytes): Bytes[] {
  const count = Math.ceil(file.length / CHUNK_BYTES);
  return Array.from(
    { length: count },
    (_, i) => file.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
  );
}

/**
 * The package in folder `dir`, every file compared with the manifest, and the hash with all of them.
 *
 * @throws {Refusal} `bad_package`, or what the judge would refuse it with.
 */
export async function readPackage(dir: string): Promise<OpenPackage> {
  const manifest = await readManifest(dir);
  const { trainable, frozen: fixed } = manifest;
  const file = async (name: string, params: Manifest | null) => {
    const about = manifest.files.get(name);
    if (about === undefined) throw bad(name, "is not listed, and parameters are frozen");
    const wanted = params === null ? Math.min(about.bytes, MAX_GRAPH) : safetensorsSize(params);
    if (about.bytes !== wanted) {
      throw bad(name, `has ${about.bytes} bytes by the manifest, not ${wanted}`);
    }
    const bytes = await read(dir, name, wanted);
    if (toHex(sha256(bytes)) !== about.sha256) throw bad(name, "is not what the manifest says");
    return bytes;
  };
  const graph = await file("graph.onnx", null);
  const base = await file("base.safetensors", trainable);
  const frozen = fixed.total === 0 ? new Uint8Array(0) : await file("frozen.safetensors", fixed);
  const theta = decodeSafetensors(trainable, base);
  const config: PackagedConfig = {
    name: manifest.name,
    ...manifest.dimensions,
    package: {
      graph: sha256(graph),
      trainable,
      frozen: fixed,
      frozenChunks: chunkHashes(frozen),
      base: sha256(base),
      start: theta,
    },
  };
  decodePackage(encodePackage(config)); // the judge's own checks, before anybody relies on it
  const hash = modelHash(config);
  if (toHex(hash) !== manifest.hash) {
    throw bad("manifest.json", `names the hash ${manifest.hash}, not ${toHex(hash)}`);
  }
  return { config, hash, graph, frozen, theta };
}

/** What a judge must be given by hash, besides bases and gradients. */
export function packageBlobs(
  { frozen, graph }: Pick<OpenPackage, "frozen" | "graph">,
): { readonly hash: Bytes; readonly bytes: Bytes }[] {
  return [graph, ...chunks(frozen)].map((bytes) => ({ hash: sha256(bytes), bytes }));
}
