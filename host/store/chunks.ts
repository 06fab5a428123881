/**
 * A base's file, chunk by chunk: never whole beside the weights that it is made of.
 *
 * @module
 */
import { paramManifest } from "../../enclave/model/params.ts";
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { safetensorsHeader, safetensorsParts } from "../../enclave/model/safetensors.ts";
import { CHUNK_BYTES, type Manifest } from "../../enclave/protocol/base.ts";
import { type Bytes, concat, equal } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";

/** The chunks of a canonical safetensors file. */
export class Chunks {
  /** Bytes of the file. */
  readonly size: number;
  readonly #parts: readonly Bytes[];

  private constructor(parts: readonly Bytes[]) {
    this.#parts = parts;
    this.size = parts.reduce((sum, { length }) => sum + length, 0);
  }

  /** Those of these weights; views of `theta`, but for the first. @throws {RangeError} where they are another model's. */
  static of(model: ModelConfig, theta: Float32Array<ArrayBuffer>): Chunks {
    return new Chunks(safetensorsParts(paramManifest(model), theta));
  }

  /** How many there are. */
  get count(): number {
    return Math.ceil(this.size / CHUNK_BYTES);
  }

  /** Chunk `index`; not to be changed. */
  at(index: number): Bytes {
    const pieces = [...this.#pieces(index)];
    return pieces.length === 1 ? pieces[0]! : concat(...pieces);
  }

  /** The manifest of the file. */
  manifest(about: Pick<Manifest, "modelHash" | "parent" | "window">): Manifest {
    const chunks = Array.from({ length: this.count }, (_, i) => sha256(this.at(i)));
    return { ...about, size: this.size, chunks, metadata: [] };
  }

  *#pieces(index: number): Iterable<Bytes> {
    let start = index * CHUNK_BYTES;
    let left = Math.min(CHUNK_BYTES, this.size - start);
    for (const part of this.#parts) {
      const piece = part.subarray(start, start + left);
      if (piece.length > 0) yield piece;
      start = Math.max(0, start - part.length);
      left -= piece.length;
    }
  }

  /** Weights of `model` to be filled chunk by chunk. */
  static into(model: ModelConfig): Filling {
    const params = paramManifest(model);
    const theta = new Float32Array(params.total);
    const right = safetensorsHeader(params);
    const header = new Uint8Array(right.length);
    const chunks = new Chunks([header, new Uint8Array(theta.buffer)]);
    return {
      size: chunks.size,
      put(index, bytes) {
        let at = 0;
        for (const piece of chunks.#pieces(index)) {
          piece.set(bytes.subarray(at, at + piece.length));
          at += piece.length;
        }
      },
      finish() {
        if (equal(header, right)) return theta;
        throw new Refusal(
          "wrong_header",
          "Cannot read weights: the header is not the canonical one of this model",
        );
      },
    };
  }
}

/** Weights that are being filled. */
export interface Filling {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Take chunk `index`, of its right length. */
  put(index: number, bytes: Uint8Array): void;
  /** The weights. @throws {Refusal} `wrong_header` where the file's is not this model's canonical one. */
  finish(): Float32Array<ArrayBuffer>;
}
