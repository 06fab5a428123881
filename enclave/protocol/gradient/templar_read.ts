/**
 * The strict reader of version 3 gradients; the layout is in `templar.ts`.
 *
 * @module
 */
import {
  blockCount,
  expand,
  forEachBlock,
  LEVELS,
  MAX_SCALE,
  type TemplarTensor,
} from "./blocks.ts";
import { checkBinding, checkForm, CHECKSUM_BYTES, HEADER_BYTES } from "./bound.ts";
import {
  canTransform,
  DCT,
  isTemplarK,
  maxTemplarEntries,
  packedBytes,
  templarLength,
  TENSOR_BYTES,
  V3,
} from "./templar.ts";
import { type GradientExpectation, refuse, type SparseUpdate } from "./types.ts";

type Matrix = Omit<TemplarTensor, "scales" | "places" | "codes">;

/** Bytes whose length is what their header says. */
interface Sections {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly tensors: number;
  readonly blocks: number;
  readonly entries: number;
  readonly scalesAt: number;
  readonly placesAt: number;
  readonly codesAt: number;
}

/**
 * Read version 3 bytes that are no longer than `maxBytes`. Nothing is allocated before every length is known to be
 * what the bytes and `maxBytes` allow.
 *
 * @throws {Refusal} with a `GradientFault` as its code.
 */
export function decodeTemplar(bytes: Uint8Array, expect: GradientExpectation): SparseUpdate {
  const sections = readHeader(bytes, expect);
  const length = checkLayout(sections, expect);
  const indices = new Uint32Array(length);
  const update = { total: expect.total, indices, values: new Float32Array(length) };
  let [at, offset, entry, scalesAt] = [0, 0, 0, sections.scalesAt];
  for (let t = 0; t < sections.tensors; t++) {
    // Read anew, not kept: a header may name a matrix per element.
    const matrix = readMatrix(sections, t);
    const end = scalesAt + blockCount(matrix.rows, matrix.cols);
    const scales = bytes.subarray(scalesAt, end);
    const tensor = { ...matrix, scales, ...unpack(sections, matrix, scales, entry) };
    at = expand(tensor, offset, update, at);
    offset += matrix.rows * matrix.cols;
    entry += tensor.places.length;
    scalesAt = end;
  }
  return update;
}

function readHeader(bytes: Uint8Array, expect: GradientExpectation): Sections {
  const view = checkForm(bytes, V3);
  const tensors = view.getUint32(56, true);
  const blocks = view.getUint32(60, true);
  const entries = view.getUint32(64, true);
  checkBinding(bytes, view, templarLength(tensors, blocks, entries), expect);
  const scalesAt = HEADER_BYTES + TENSOR_BYTES * tensors;
  const placesAt = scalesAt + blocks;
  const codesAt = placesAt + packedBytes(entries, 12);
  return { bytes, view, tensors, blocks, entries, scalesAt, placesAt, codesAt };
}

function readMatrix({ view }: Sections, t: number): Matrix {
  const at = HEADER_BYTES + TENSOR_BYTES * t;
  return {
    rows: view.getUint32(at, true),
    cols: view.getUint32(at + 4, true),
    k: view.getUint16(at + 8, true),
    dct: view.getUint16(at + 10, true) === DCT,
    lookup: Array.from({ length: LEVELS }, (_, j) => view.getFloat32(at + 12 + 4 * j, true)),
  };
}

/** Check all matrices and which blocks are sent against the header, `total` and `maxBytes`; entries once decoded. */
function checkLayout(sections: Sections, expect: GradientExpectation): number {
  const { view, bytes, tensors, blocks, entries, scalesAt, codesAt } = sections;
  const sealAt = bytes.length - CHECKSUM_BYTES;
  let [elements, block, sent, decoded] = [0, 0, 0, 0];
  for (let t = 0; t < tensors; t++) {
    const { rows, cols, k, dct, lookup } = readMatrix(sections, t);
    const bad = (why: string) => refuse("undecodable", `matrix ${t}: ${why}`, "matrices");
    if (rows === 0 || cols === 0) throw bad("it has no elements");
    elements += rows * cols;
    if (elements > expect.total) throw bad(`${elements} elements of ${expect.total} parameters`);
    if (!isTemplarK(k)) throw bad(`${k} entries a block`);
    if (view.getUint16(HEADER_BYTES + TENSOR_BYTES * t + 10, true) > DCT) {
      throw bad("a flag is set");
    }
    if (dct && !canTransform(rows, cols, k)) throw bad(`${k} coefficients a block`);
    if (!Array.from(lookup).every(Number.isFinite)) {
      throw refuse("non_finite", `matrix ${t}: a level is not finite`, "matrices");
    }
    if (block + blockCount(rows, cols) > blocks) throw bad("the header names fewer blocks");
    forEachBlock(rows, cols, (high, wide) => {
      const s = bytes[scalesAt + block++]!;
      if (s > MAX_SCALE) throw refuse("non_finite", `matrix ${t}: a scale is not finite`, "scales");
      if (s === 0) return;
      const count = Math.min(k, high * wide);
      sent += count;
      decoded += dct ? high * wide : count;
    });
  }
  if (elements !== expect.total || block !== blocks) {
    const why = `its matrices have ${elements} elements in ${block} blocks`;
    throw refuse("undecodable", why, "matrices");
  }
  if (sent !== entries) {
    throw refuse("undecodable", `its blocks have ${sent} entries, not ${entries}`, "scales");
  }
  const most = maxTemplarEntries(expect.maxBytes);
  if (decoded > most) {
    throw refuse("wrong_size", `${decoded} entries once decoded are more than ${most}`, "entries");
  }
  for (const [field, end, width] of [["places", codesAt, 12], ["codes", sealAt, 2]] as const) {
    const used = entries * width % 8;
    if (used !== 0 && bytes[end - 1]! >>> used !== 0) {
      throw refuse("undecodable", "an unused bit is set", field);
    }
  }
  return decoded;
}

/** The entries of one matrix, of which the first is the gradient's `first`-th. */
function unpack(
  { bytes, placesAt, codesAt }: Sections,
  { rows, cols, k }: Matrix,
  scales: Uint8Array,
  first: number,
): Pick<TemplarTensor, "places" | "codes"> {
  let [length, block] = [0, 0];
  forEachBlock(rows, cols, (high, wide) => {
    if (scales[block++] !== 0) length += Math.min(k, high * wide);
  });
  const places = new Uint16Array(length);
  const codes = new Uint8Array(length);
  let e = block = 0;
  forEachBlock(rows, cols, (high, wide) => {
    if (scales[block++] === 0) return;
    const end = e + Math.min(k, high * wide);
    for (let previous = -1; e < end; e++) {
      const n = first + e;
      const byte = placesAt + n + Math.floor(n / 2);
      const pair = bytes[byte]! | bytes[byte + 1]! << 8;
      const place = n % 2 === 0 ? pair & 0xfff : pair >>> 4;
      if (place <= previous || place >= high * wide) {
        const why = `place ${place} follows ${previous} in a block of ${high * wide}`;
        throw refuse("undecodable", why, "places");
      }
      places[e] = previous = place;
      codes[e] = bytes[codesAt + Math.floor(n / 4)]! >>> 2 * (n % 4) & 3;
    }
  });
  return { places, codes };
}
