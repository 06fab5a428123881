/**
 * Gradient wire format, version 1: the one that existing miners send. Little endian.
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 4 | `total`, u32: parameters of the model |
 * | 4 | 4 | `k`, u32: entries |
 * | 8 | 4·k | indices, u32 each: unique, below `total`, in any order (miners send them by magnitude) |
 * | 8 + 4·k | 2·k | values, binary16 each, in the order of the indices |
 *
 * The length is 8 + 6·k, exactly. Values below 3e-8 are zero in this format and below 6.1e-5 lose precision;
 * version 2 keeps them.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { fromF16Array, isFiniteF16, toF16Array } from "../f16.ts";
import { sortPairs } from "./order.ts";
import { assertUpdate, type GradientExpectation, refuse, type SparseUpdate } from "./types.ts";

const HEADER_BYTES = 8;
const ENTRY_BYTES = 6;

/**
 * The update as version 1 bytes, indices ascending, values rounded to the nearest half.
 *
 * @throws {RangeError} where the update is not valid, its total above 2^32 − 1, or a value too large for a half.
 */
export function encodeV1(update: SparseUpdate): Bytes {
  assertUpdate(update);
  const { total, indices } = update;
  if (total === 2 ** 32) {
    throw new RangeError("Cannot encode a gradient as version 1: 'total' is 2^32, above a u32");
  }
  const halves = toHalves(update.values);
  const k = indices.length;
  const out = new Uint8Array(HEADER_BYTES + ENTRY_BYTES * k);
  const view = new DataView(out.buffer);
  view.setUint32(0, total, true);
  view.setUint32(4, k, true);
  const valuesAt = HEADER_BYTES + 4 * k;
  for (let j = 0; j < k; j++) {
    view.setUint32(HEADER_BYTES + 4 * j, indices[j]!, true);
    view.setUint16(valuesAt + 2 * j, halves[j]!, true);
  }
  return out;
}

/** `values` as a version 1 reader sees them. Throws as `encodeV1` does. */
export function roundV1(values: Float32Array): Float32Array<ArrayBuffer> {
  return fromF16Array(toHalves(values));
}

function toHalves(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = toF16Array(values);
  for (let j = 0; j < halves.length; j++) {
    if (!isFiniteF16(halves[j]!)) {
      throw new RangeError(`Cannot encode a gradient as version 1: ${values[j]} is no half`);
    }
  }
  return halves;
}

/**
 * Read version 1 bytes that are no longer than `maxBytes`. Nothing is allocated before `k` is known to be what
 * the length allows.
 *
 * @throws {Refusal} with a `GradientFault` as its code.
 */
export function decodeV1(bytes: Uint8Array, expect: GradientExpectation): SparseUpdate {
  if (bytes.length < HEADER_BYTES) {
    throw refuse("wrong_size", `${bytes.length} bytes are less than a header of 8`, "length");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const total = view.getUint32(0, true);
  const k = view.getUint32(4, true);
  if (total !== expect.total) {
    throw refuse(
      "wrong_model",
      `it is for ${total} parameters, the model has ${expect.total}`,
      "total",
    );
  }
  if (k > total) throw refuse("undecodable", `${k} entries of ${total} parameters`, "k");
  const length = HEADER_BYTES + ENTRY_BYTES * k;
  if (bytes.length !== length) {
    throw refuse(
      "wrong_size",
      `${k} entries take ${length} bytes, it has ${bytes.length}`,
      "length",
    );
  }
  const indices = new Uint32Array(k);
  const halves = new Uint16Array(k);
  const valuesAt = HEADER_BYTES + 4 * k;
  for (let j = 0; j < k; j++) {
    const index = view.getUint32(HEADER_BYTES + 4 * j, true);
    const half = view.getUint16(valuesAt + 2 * j, true);
    if (index >= total) {
      throw refuse("undecodable", `index ${index} of ${total} parameters`, "indices");
    }
    if (!isFiniteF16(half)) {
      throw refuse("non_finite", `the value of index ${index} is not finite`, "values");
    }
    indices[j] = index;
    halves[j] = half;
  }
  const sorted = sortPairs({ indices, halves }, total);
  for (let j = 1; j < k; j++) {
    if (sorted.indices[j] === sorted.indices[j - 1]) {
      throw refuse("undecodable", `index ${sorted.indices[j]} is there twice`, "indices");
    }
  }
  return { total, indices: sorted.indices, values: fromF16Array(sorted.halves) };
}
