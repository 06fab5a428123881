/**
 * Gradient wire format, version 2: bound to its miner, window and base, 45 % smaller than version 1 at one
 * entry in a hundred, and true to values far below the smallest half. Little endian.
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 4 | magic: `VHG2` (56 48 47 32) |
 * | 4 | 1 | revision of this layout: 1 |
 * | 5 | 1 | flags: 0 |
 * | 6 | 2 | `uid`, u16 |
 * | 8 | 8 | `window`, u64 |
 * | 16 | 32 | hash of the base that was trained from |
 * | 48 | 8 | `total`, u64: parameters of the model, at most 2^32 |
 * | 56 | 4 | `k`, u32: entries |
 * | 60 | 4 | `block`, u32: entries that share a scale, 1 … 65,536 |
 * | 64 | 4 | `n`, u32: bytes of the index section, k … 5·k |
 * | 68 | n | k gaps, unsigned LEB128 in its shortest form: the first index, then each index less the one before less 1 |
 * | 68 + n | 4·b | `b = ceil(k / block)` scales, binary32, each a positive normal power of two |
 * | 68 + n + 4·b | 2·k | values, binary16 each, in units of their block's scale |
 * | last 4 | 4 | CRC-32 of all bytes before it |
 *
 * The scale of a block is the power of two that puts its largest magnitude into [2^14, 2^15): a half then keeps
 * 11 significant bits over the 28 powers of two below, and multiplying by a power of two rounds nothing. The
 * exponent is never below −126, so that the scale is a normal number; a block of zeros has the scale 1.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import {
  type BoundVersion,
  cannotEncode,
  checkBinding,
  checkForm,
  CHECKSUM_BYTES,
  type GradientBinding,
  HEADER_BYTES,
  seal,
  writeBinding,
} from "./bound.ts";
import { dequantise, quantise } from "./scale.ts";
import { assertUpdate, type GradientExpectation, refuse, type SparseUpdate } from "./types.ts";

const V2: BoundVersion = { version: 2, magic: 0x3247_4856 }; // "VHG2" read little endian
const MAX_BLOCK = 65_536;
/** Longest LEB128 of a u32. */
const MAX_GAP_BYTES = 5;

/** Entries that share a scale, unless the sender says otherwise: the scales add an eighth of a bit per entry. */
export const DEFAULT_BLOCK = 256;

/** What version 2 binds an update to, and how it is scaled. */
export interface GradientMeta extends GradientBinding {
  /** Entries per scale, 1 … 65,536; `DEFAULT_BLOCK` where it is left out. */
  readonly block?: number;
}

/**
 * The update as version 2 bytes.
 *
 * @throws {RangeError} where the update or the metadata is not valid, or a value rounds beyond binary32.
 */
export function encodeV2(update: SparseUpdate, meta: GradientMeta): Bytes {
  assertUpdate(update);
  const { block = DEFAULT_BLOCK } = meta;
  const gaps = encodeGaps(update.indices);
  const { scales, halves } = roundBlocks(update.values, block);
  const out = new Uint8Array(
    HEADER_BYTES + gaps.length + 4 * scales.length + 2 * halves.length + CHECKSUM_BYTES,
  );
  const view = writeBinding(out, V2, meta, update.total);
  view.setUint32(56, halves.length, true);
  view.setUint32(60, block, true);
  view.setUint32(64, gaps.length, true);
  out.set(gaps, HEADER_BYTES);
  let at = HEADER_BYTES + gaps.length;
  for (const scale of scales) {
    view.setFloat32(at, scale, true);
    at += 4;
  }
  for (const half of halves) {
    view.setUint16(at, half, true);
    at += 2;
  }
  seal(out);
  return out;
}

/** `values` as a version 2 reader sees them. Throws as `encodeV2` does. */
export function roundV2(
  values: Float32Array,
  block: number = DEFAULT_BLOCK,
): Float32Array<ArrayBuffer> {
  const { scales, halves } = roundBlocks(values, block);
  return dequantise(halves, scales, block);
}

function roundBlocks(values: Float32Array, block: number): ReturnType<typeof quantise> {
  if (!Number.isInteger(block) || block < 1 || block > MAX_BLOCK) {
    throw cannotEncode(V2, `'block' is ${block}`);
  }
  return quantise(values, block);
}

/**
 * Read version 2 bytes that are no longer than `maxBytes`. Nothing is allocated before every length in the
 * header is known to be what the bytes allow.
 *
 * @throws {Refusal} with a `GradientFault` as its code.
 */
export function decodeV2(bytes: Uint8Array, expect: GradientExpectation): SparseUpdate {
  const { total, k, block, gapBytes } = readHeader(bytes, expect);
  const indices = decodeGaps(bytes.subarray(HEADER_BYTES, HEADER_BYTES + gapBytes), k, total);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = HEADER_BYTES + gapBytes;
  const scales = new Float32Array(Math.ceil(k / block));
  for (let b = 0; b < scales.length; b++, at += 4) scales[b] = readScale(view, at, b);
  const halves = new Uint16Array(k);
  for (let j = 0; j < k; j++, at += 2) halves[j] = view.getUint16(at, true);
  const values = dequantise(halves, scales, block);
  for (let j = 0; j < k; j++) {
    if (!Number.isFinite(values[j])) {
      throw refuse("non_finite", `the value of index ${indices[j]} is not finite`, "values");
    }
  }
  return { total, indices, values };
}

/** Check everything that the first 68 bytes say, and the checksum, in the order: form, length, checksum, meaning. */
function readHeader(
  bytes: Uint8Array,
  expect: GradientExpectation,
): { total: number; k: number; block: number; gapBytes: number } {
  const view = checkForm(bytes, V2);
  const k = view.getUint32(56, true);
  const block = view.getUint32(60, true);
  const gapBytes = view.getUint32(64, true);
  if (block < 1 || block > MAX_BLOCK) {
    throw refuse("undecodable", `${block} entries per scale`, "block");
  }
  const length = HEADER_BYTES + gapBytes + 4 * Math.ceil(k / block) + 2 * k + CHECKSUM_BYTES;
  checkBinding(bytes, view, length, expect);
  if (k > expect.total) {
    throw refuse("undecodable", `${k} entries of ${expect.total} parameters`, "k");
  }
  return { total: expect.total, k, block, gapBytes };
}

function readScale(view: DataView, at: number, b: number): number {
  const bits = view.getUint32(at, true);
  const exponent = bits >>> 23; // with the sign above it: 1 … 254 is a positive normal number
  if ((exponent & 0xff) === 0xff) {
    throw refuse("non_finite", `scale ${b} is not finite`, "scales");
  }
  if (exponent < 1 || exponent > 254 || (bits & 0x7f_ffff) !== 0) {
    throw refuse("undecodable", `scale ${b} is no positive normal power of two`, "scales");
  }
  return view.getFloat32(at, true);
}

function encodeGaps(indices: Uint32Array): Uint8Array {
  const out = new Uint8Array(MAX_GAP_BYTES * indices.length);
  let at = 0;
  let next = 0;
  for (const index of indices) {
    let gap = index - next;
    while (gap >= 0x80) {
      out[at++] = (gap & 0x7f) | 0x80;
      gap >>>= 7;
    }
    out[at++] = gap;
    next = index + 1;
  }
  return out.subarray(0, at);
}

/** `k` ascending indices below `total`; the section must hold them and not a byte more. */
function decodeGaps(section: Uint8Array, k: number, total: number): Uint32Array<ArrayBuffer> {
  const bad = (why: string) => refuse("undecodable", why, "indices");
  if (section.length < k) throw bad(`${section.length} bytes cannot hold ${k} indices`);
  const indices = new Uint32Array(k);
  let at = 0;
  let next = 0;
  for (let j = 0; j < k; j++) {
    let gap = 0;
    for (let shift = 0;; shift += 7) {
      if (at === section.length) throw bad(`they end in entry ${j} of ${k}`);
      const byte = section[at++]!;
      // Multiplied, not shifted: the fifth byte reaches beyond 32 bits, where the range check refuses it.
      gap += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw bad(`entry ${j} is not in its shortest form`);
        break;
      }
      if (shift === 7 * (MAX_GAP_BYTES - 1)) throw bad(`entry ${j} is longer than a u32`);
    }
    const index = next + gap;
    if (index >= total) throw bad(`index ${index} of ${total} parameters`);
    indices[j] = index;
    next = index + 1;
  }
  if (at !== section.length) throw bad(`${section.length - at} bytes follow the last one`);
  return indices;
}
