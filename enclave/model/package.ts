/**
 * A model package: any causal LM as a graph and a list of parameters, some of them frozen. Its encoding is part of the
 * model hash that the ledger names; the graph and the frozen weights come as blobs by the hashes in it.
 *
 * @module
 */
import { CHUNK_BYTES } from "../protocol/base.ts";
import { BcsReader, BcsWriter } from "../protocol/bcs.ts";
import { type Bytes, utf8 } from "../protocol/bytes.ts";
import { Refusal } from "../protocol/refusal.ts";
import { type Manifest, manifestOf } from "./params.ts";
import type { ModelConfig } from "./presets.ts";
import { safetensorsSize } from "./safetensors.ts";

/** What a package adds to a model's dimensions. */
export interface ModelPackage {
  /** SHA-256 of the forward graph. */
  readonly graph: Bytes;
  /** What miners train: θ. */
  readonly trainable: Manifest;
  /** What stays as it is; may be empty. */
  readonly frozen: Manifest;
  /** SHA-256 of each chunk of 4 MiB of the frozen parameters' safetensors file. */
  readonly frozenChunks: readonly Bytes[];
  /** SHA-256 of the trainable parameters' first safetensors file. */
  readonly base: Bytes;
  /** The θ in that file, where it is at hand; no part of what a judge is given. */
  readonly start?: Float32Array<ArrayBuffer>;
}

/** A model that comes as a package. */
export type PackagedConfig = ModelConfig & { readonly package: ModelPackage };

/** Bytes of an encoded package at most. */
export const MAX_PACKAGE = 1 << 20;
const MAX_PARAMS = 8_192;
const MAX_CHUNKS = 16_384;
/** Elements of θ, and of the frozen parameters, at most: files of 4 GiB. */
const MAX_ELEMENTS = 2 ** 30;
const MAX_NAME = 256;
/** Names that the graph gives to something else. */
const TAKEN = ["tokens", "targets", "losses"];
const LIMITS = {
  vocab: 1 << 20,
  layers: 1 << 10,
  dims: 1 << 16,
  heads: 1 << 10,
  context: 1 << 16,
  batch: 64,
} as const;
const DIMENSIONS = ["vocab", "layers", "dims", "heads", "context", "batch"] as const;

function writeParams(writer: BcsWriter, { params }: Manifest): void {
  writer.list(params, (w, { name, shape }) => {
    w.bytes(utf8(name)).list(shape, (inner, n) => inner.u32(n));
  });
}

/** BCS: six dimensions u32, graph, trainable and frozen parameters (name, shape u32), frozen chunks, base. */
export function encodePackage(config: PackagedConfig): Bytes {
  const { graph, trainable, frozen, frozenChunks, base } = config.package;
  const writer = new BcsWriter();
  for (const name of DIMENSIONS) writer.u32(config[name]);
  writer.fixed(graph, 32);
  writeParams(writer, trainable);
  writeParams(writer, frozen);
  return writer.list(frozenChunks, (w, chunk) => w.fixed(chunk, 32)).fixed(base, 32).finish();
}

function bad(why: string): Refusal {
  return new Refusal("bad_package", `Cannot take the package: ${why}`, "model.package");
}

function readParams(reader: BcsReader): Manifest {
  const list = reader.list(MAX_PARAMS, (r) => {
    const name = new TextDecoder().decode(r.bytes(MAX_NAME));
    return [name, r.list(8, (inner) => inner.u32())] as const;
  });
  let total = 0;
  list.forEach(([name, shape], i) => {
    if (!/^[\x21-\x7e]+$/.test(name) || TAKEN.includes(name)) {
      throw bad(`no parameter has the name ${name}`);
    }
    if (i > 0 && name <= list[i - 1]![0]) {
      throw bad(`the parameters' names do not ascend at ${name}`);
    }
    total += shape.reduce((a, b) => a * b, 1);
    if (shape.includes(0) || total > MAX_ELEMENTS) throw bad(`the shape of ${name} is [${shape}]`);
  });
  return manifestOf(Object.fromEntries(list));
}

/**
 * The inverse of {@linkcode encodePackage}.
 *
 * @throws {Refusal} `bad_package`, or what a truncated or longer message is refused with.
 */
export function decodePackage(bytes: Bytes): PackagedConfig {
  const reader = new BcsReader(bytes);
  const dimensions = {} as Record<typeof DIMENSIONS[number], number>;
  for (const name of DIMENSIONS) {
    dimensions[name] = reader.u32();
    if (dimensions[name] < 1 || dimensions[name] > LIMITS[name]) {
      throw bad(`${name} is ${dimensions[name]}, it must lie in 1..${LIMITS[name]}`);
    }
  }
  const graph = reader.fixed(32);
  const [trainable, frozen] = [readParams(reader), readParams(reader)];
  const frozenChunks = reader.list(MAX_CHUNKS, (r) => r.fixed(32));
  const base = reader.fixed(32);
  reader.finish();
  if (trainable.total === 0) throw bad("nothing is trainable");
  const names = new Set(trainable.params.map(({ name }) => name));
  const twice = frozen.params.find(({ name }) => names.has(name));
  if (twice !== undefined) throw bad(`${twice.name} is trainable and frozen`);
  if (frozenChunks.length !== chunkCount(frozen)) {
    throw bad(
      `the frozen parameters have ${chunkCount(frozen)} chunks, not ${frozenChunks.length}`,
    );
  }
  const parts = { graph, trainable, frozen, frozenChunks, base };
  return { name: "package", ...dimensions, package: parts };
}

/** Chunks of the file of `frozen`: none where nothing is frozen. */
function chunkCount(frozen: Manifest): number {
  return frozen.total === 0 ? 0 : Math.ceil(safetensorsSize(frozen) / CHUNK_BYTES);
}
