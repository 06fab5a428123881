/**
 * Safetensors of any model as one flat θ: what the canonical file of a known manifest is for the judge, read here
 * without knowing the manifest.
 *
 * @module
 */
import { type Bytes, concat } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";

/** Longest header that is read: thousands of tensors. */
const MAX_HEADER = 8 << 20;

/** A checkpoint, taken apart. */
export interface FlatCheckpoint {
  /** Everything before the data, length included. */
  readonly header: Bytes;
  /** All elements in the file's order: a copy. */
  readonly theta: Float32Array<ArrayBuffer>;
}

function refuse(why: string): Refusal {
  return new Refusal("not_safetensors", `Cannot read a checkpoint as safetensors: ${why}`);
}

/** Bytes of the data that `entries` name, which must follow each other without a gap. */
function dataSize(entries: Record<string, unknown>): number {
  let end = 0;
  for (const [name, entry] of Object.entries(entries)) {
    if (name === "__metadata__") continue;
    const { dtype, data_offsets: range } = (entry ?? {}) as Record<string, unknown>;
    if (dtype !== "F32") throw refuse(`'${name}' is not of dtype F32`);
    if (!Array.isArray(range) || range[0] !== end || !Number.isSafeInteger(range[1])) {
      throw refuse(`'${name}' does not begin where the tensor before it ends`);
    }
    end = range[1];
  }
  return end;
}

/**
 * Take a float32 safetensors file apart.
 *
 * @throws {Refusal} `not_safetensors`.
 */
export function decodeFlat(file: Bytes): FlatCheckpoint {
  if (file.length < 8) throw refuse(`it has ${file.length} bytes`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER || Number(length) + 8 > file.length) {
    throw refuse(`its header would have ${length} bytes`);
  }
  const header = file.slice(0, 8 + Number(length));
  let entries: unknown;
  try {
    entries = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header.subarray(8)));
  } catch {
    throw refuse("its header is not JSON");
  }
  if (typeof entries !== "object" || entries === null) throw refuse("its header is no object");
  const size = dataSize(entries as Record<string, unknown>);
  if (size % 4 !== 0 || size !== file.length - header.length) {
    throw refuse(`it names ${size} bytes of data and has ${file.length - header.length}`);
  }
  return { header, theta: new Float32Array(file.slice(header.length).buffer) };
}

/** The file of `header` and `theta`. */
export function encodeFlat(header: Bytes, theta: Float32Array): Bytes {
  return concat(header, new Uint8Array(theta.buffer, theta.byteOffset, theta.byteLength));
}

/**
 * `gradient` itself, where it has `total` elements and all of them are finite.
 *
 * @throws {Refusal} `wrong_size` or `non_finite`.
 */
export function checkedGradient<T extends Float32Array>(gradient: T, total: number): T {
  if (gradient.length !== total) {
    throw new Refusal(
      "wrong_size",
      `The gradient has ${gradient.length} elements and the model ${total}`,
    );
  }
  const bad = gradient.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new Refusal("non_finite", `The gradient's element ${bad} is ${gradient[bad]}`);
  }
  return gradient;
}
