/**
 * Canonical safetensors (https://huggingface.co/docs/safetensors): one file for one θ. An u64le header length, a JSON
 * header, then the tensors, float32 little endian. Canonical: names ascending, keys `dtype`, `shape`, `data_offsets`
 * in that order, no white space, no `__metadata__`, spaces after the JSON up to a multiple of 8; the reference
 * implementation writes the same bytes.
 *
 * Since the manifest is known, its header is too: decoding compares, it does not parse.
 *
 * @module
 */
import { type Bytes, compare, concat, u64le, utf8 } from "../protocol/bytes.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { Manifest } from "./params.ts";

/** The first bytes of the file, header length included; its length is a multiple of 8. */
export function safetensorsHeader(manifest: Manifest): Bytes {
  const entries = manifest.params.map(({ name, shape, offset, size }) => {
    const range = `[${4 * offset},${4 * (offset + size)}]`;
    const body = `{"dtype":"F32","shape":[${shape.join(",")}],"data_offsets":${range}}`;
    return `${JSON.stringify(name)}:${body}`;
  });
  const json = utf8(`{${entries.join(",")}}`);
  const padding = utf8(" ".repeat((8 - json.length % 8) % 8));
  return concat(u64le(json.length + padding.length), json, padding);
}

/** Bytes of the whole file. */
export function safetensorsSize(manifest: Manifest): number {
  return safetensorsHeader(manifest).length + 4 * manifest.total;
}

/**
 * The file as two parts, header and data, the second a view of `theta`: hash or write them one after the other.
 *
 * @throws {RangeError} where `theta` is not the manifest's.
 */
export function safetensorsParts(
  manifest: Manifest,
  theta: Float32Array<ArrayBuffer>,
): [header: Bytes, data: Bytes] {
  if (theta.length !== manifest.total) {
    throw new RangeError(
      `Cannot encode weights as 'theta' must have ${manifest.total} elements: current value has ${theta.length}`,
    );
  }
  return [
    safetensorsHeader(manifest),
    new Uint8Array(theta.buffer, theta.byteOffset, theta.byteLength),
  ];
}

/** The file as one array: a copy. */
export function encodeSafetensors(manifest: Manifest, theta: Float32Array<ArrayBuffer>): Bytes {
  return concat(...safetensorsParts(manifest, theta));
}

/**
 * The θ in `file`: a view of its bytes where they lie on a 4-byte boundary (a change shows in both), else a copy.
 *
 * @throws {Refusal} `wrong_size` or `wrong_header`: only the canonical file of this manifest is taken.
 */
export function decodeSafetensors(manifest: Manifest, file: Bytes): Float32Array<ArrayBuffer> {
  const header = safetensorsHeader(manifest);
  const size = header.length + 4 * manifest.total;
  if (file.length !== size) {
    throw new Refusal(
      "wrong_size",
      `Cannot read weights: the model's file has ${size} bytes, this one ${file.length}`,
    );
  }
  if (compare(file.subarray(0, header.length), header) !== 0) {
    throw new Refusal(
      "wrong_header",
      "Cannot read weights: the header is not the canonical one of this model",
    );
  }
  const start = file.byteOffset + header.length;
  if (start % 4 === 0) return new Float32Array(file.buffer, start, manifest.total);
  return new Float32Array(file.slice(header.length).buffer);
}
