/**
 * Bases: the weights that a window trains from. What the ledger anchors is the hash of a manifest; bases
 * are chained by their parents, and between whole uploads anyone replays the merges.
 *
 * @module
 */
import { BcsReader, BcsWriter } from "./bcs.ts";
import { type Bytes, compare, utf8 } from "./bytes.ts";
import { sha256, tagged } from "./hash.ts";
import { Refusal } from "./refusal.ts";

/** Bytes of a chunk: what is fetched, hashed and resumed as one piece. */
export const CHUNK_BYTES = 4 << 20;
/** Chunks of a base at most: 64 GiB. */
const MAX_CHUNKS = 16_384;

/** What a base is made of. */
export interface Manifest {
  /** The model, 32 bytes. */
  readonly modelHash: Bytes;
  /** Hash of the manifest that this base was merged from; 32 zero bytes for genesis. */
  readonly parent: Bytes;
  /** The window whose gradients were merged; 0 for genesis. */
  readonly window: number;
  /** Length of the canonical safetensors file. */
  readonly size: number;
  /** SHA-256 of each chunk of {@link CHUNK_BYTES}, the last one shorter. */
  readonly chunks: readonly Bytes[];
  /** What a trainer publishes besides, strictly ascending by the key's UTF-8 bytes. */
  readonly metadata: readonly (readonly [key: string, value: Bytes])[];
}

/** The manifest of a canonical safetensors file. */
export function manifestOf(
  file: Uint8Array,
  about: Pick<Manifest, "modelHash" | "parent" | "window">,
): Manifest {
  const chunks: Bytes[] = [];
  for (let at = 0; at < file.length; at += CHUNK_BYTES) {
    chunks.push(sha256(file.subarray(at, at + CHUNK_BYTES)));
  }
  return { ...about, size: file.length, chunks, metadata: [] };
}

/** BCS: model hash, parent, window u64, size u64, chunks, metadata. */
export function encodeManifest(manifest: Manifest): Bytes {
  return new BcsWriter().fixed(manifest.modelHash, 32).fixed(manifest.parent, 32)
    .u64(manifest.window).u64(manifest.size)
    .list(manifest.chunks, (w, chunk) => w.fixed(chunk, 32))
    .list(manifest.metadata, (w, [key, value]) => {
      w.bytes(utf8(key)).bytes(value);
    }).finish();
}

/** The inverse of {@link encodeManifest}; size and number of chunks must agree, keys strictly ascend. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const reader = new BcsReader(bytes);
  const manifest = {
    modelHash: reader.fixed(32),
    parent: reader.fixed(32),
    window: reader.count(),
    size: reader.count(),
    chunks: reader.list(MAX_CHUNKS, (r) => r.fixed(32)),
    metadata: reader.list(64, (r) => [decodeText(r.bytes(64)), r.bytes(1024)] as const),
  };
  reader.finish();
  if (manifest.chunks.length !== Math.ceil(manifest.size / CHUNK_BYTES)) {
    throw new Refusal("bad_manifest", "Size and number of chunks do not agree", "chunks");
  }
  for (let i = 1; i < manifest.metadata.length; i++) {
    // By their UTF-8 bytes, as Move compares: JavaScript's own order of strings is that of UTF-16.
    if (compare(utf8(manifest.metadata[i]![0]), utf8(manifest.metadata[i - 1]![0])) <= 0) {
      throw new Refusal("bad_manifest", "The metadata's keys do not ascend", "metadata");
    }
  }
  return manifest;
}

function decodeText(bytes: Uint8Array): string {
  try {
    // A byte order mark is kept: swallowed, two manifests with different hashes would decode to one.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal("bad_manifest", "A metadata key is not UTF-8", "metadata");
  }
}

/** `SHA-256("vramhub/base/v1" ‖ BCS)`: what the ledger anchors. */
export function manifestHash(manifest: Manifest): Bytes {
  return tagged("vramhub/base/v1", encodeManifest(manifest));
}
