import assert from "node:assert/strict";
import fc from "fast-check";
import { crc32 } from "../crc32.ts";
import { Refusal } from "../refusal.ts";
import { dctTable } from "./dct.ts";
import {
  CODEC_TEMPLAR,
  decodeGradient,
  encodeTemplar,
  type GradientExpectation,
  maxTemplarEntries,
  type SparseUpdate,
  type TemplarGradient,
  type TemplarTensor,
} from "./mod.ts";

const META = { uid: 7, window: 9n, baseHash: new Uint8Array(32).fill(1) };
const HEADER = 68;

function expecting(total: number, maxBytes = 1 << 20): GradientExpectation {
  return { codec: CODEC_TEMPLAR, total, maxBytes, ...META };
}

function refusal(bytes: Uint8Array, expect: GradientExpectation): Refusal {
  let caught: unknown;
  try {
    decodeGradient(bytes, expect);
  } catch (error) {
    caught = error;
  }
  assert(caught instanceof Refusal, `expected a refusal, found ${caught}`);
  return caught;
}

/** The bytes with a right checksum again. */
function resealed(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 4;
  new DataView(bytes.buffer).setUint32(end, crc32(bytes.subarray(0, end)), true);
  return bytes;
}

/** The blocks of a matrix, as [rows, columns, first row, first column]: another way than the codec's. */
function blocksOf(rows: number, cols: number): [number, number, number, number][] {
  const starts = (n: number) => Array.from({ length: Math.ceil(n / 64) }, (_, b) => 64 * b);
  return starts(rows).flatMap((top) =>
    starts(cols).map((left): [number, number, number, number] => [
      Math.min(rows - top, 64),
      Math.min(cols - left, 64),
      top,
      left,
    ])
  );
}

/** Any valid matrix, drawn with `noise` in 0 … 2^32 − 1. */
function tensorOf(rows: number, cols: number, half: number, noise: () => number): TemplarTensor {
  const k = 2 * half;
  const blocks = blocksOf(rows, cols);
  const scales = Uint8Array.from(blocks, () => noise() % 4 === 0 ? 0 : 100 + noise() % 50);
  const places = blocks.flatMap(([high, wide], b) => {
    if (scales[b] === 0) return [];
    const chosen = new Set<number>();
    while (chosen.size < Math.min(k, high * wide)) chosen.add(noise() % (high * wide));
    return [...chosen].sort((a, b) => a - b);
  });
  const whole = Math.min(rows, 64) * Math.min(cols, 64);
  return {
    rows,
    cols,
    k,
    dct: whole <= 128 * k && noise() % 2 === 0,
    lookup: Float32Array.from({ length: 4 }, () => noise() / 2 ** 31 - 1),
    scales,
    places: Uint16Array.from(places),
    codes: Uint8Array.from(places, () => noise() % 4),
  };
}

const gradients = fc.tuple(
  fc.array(
    fc.tuple(
      fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 140 })),
      fc.integer({ min: 1, max: 140 }),
      fc.integer({ min: 1, max: 40 }),
    ),
    { minLength: 1, maxLength: 4 },
  ),
  fc.nat(),
).map(([shapes, seed]): TemplarGradient => {
  const noise = () => seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  const spread = () => noise() ^ noise() >>> 16;
  const tensors = shapes.map(([rows, cols, half]) =>
    tensorOf(rows, cols, half, () => spread() >>> 0)
  );
  return { total: tensors.reduce((sum, { rows, cols }) => sum + rows * cols, 0), tensors };
});

/** The update, element by element, transformed by the definition. */
function naive({ total, tensors }: TemplarGradient): SparseUpdate {
  const found = new Map<number, number>();
  let offset = 0;
  for (const { rows, cols, k, dct, lookup, scales, places, codes } of tensors) {
    let entry = 0;
    for (const [b, [high, wide, top, left]] of blocksOf(rows, cols).entries()) {
      if (scales[b] === 0) continue;
      const count = Math.min(k, high * wide);
      const at = (place: number) =>
        offset + (top + Math.floor(place / wide)) * cols + left + place % wide;
      const named = Array.from({ length: count }, () => {
        const level = lookup[codes[entry]!]! * 2 ** (scales[b]! - 127);
        return [places[entry++]!, level] as const;
      });
      if (!dct) { for (const [place, level] of named) found.set(at(place), Math.fround(level)); }
      else {
        for (let place = 0; place < high * wide; place++) {
          const [i, j] = [Math.floor(place / wide), place % wide];
          const sum = named.reduce((sum, [p, x]) => {
            const [u, v] = [Math.floor(p / wide), p % wide];
            return sum + dctTable(high)[u * high + i]! * x * dctTable(wide)[v * wide + j]!;
          }, 0);
          found.set(at(place), sum);
        }
      }
    }
    offset += rows * cols;
  }
  const indices = Uint32Array.from(found.keys()).sort();
  return { total, indices, values: Float32Array.from(indices, (index) => found.get(index)!) };
}

Deno.test("encodeTemplar: what was encoded decodes to what it means, at 1.75 bytes an entry", () => {
  fc.assert(
    fc.property(gradients, (gradient) => {
      const bytes = encodeTemplar(gradient, META);
      const { tensors, total } = gradient;
      const entries = tensors.reduce((sum, { places }) => sum + places.length, 0);
      const blocks = tensors.reduce((sum, { scales }) => sum + scales.length, 0);
      const packed = Math.ceil(1.5 * entries) + Math.ceil(entries / 4);
      assert.equal(bytes.length, HEADER + 28 * tensors.length + blocks + packed + 4);
      const back = decodeGradient(bytes, expecting(total));
      const want = naive(gradient);
      assert.deepEqual(back.indices, want.indices);
      for (let j = 0; j < want.values.length; j++) {
        const off = Math.abs(back.values[j]! - want.values[j]!);
        assert(off <= 1e-6 * Math.abs(want.values[j]!) + 1e-12, `entry ${j}: ${off}`);
      }
      if (!tensors.some(({ dct }) => dct)) assert.deepEqual(back.values, want.values);
    }),
    { numRuns: 60 },
  );
});

Deno.test("decodeGradient: version 3 cut at every length, or longer, is of the wrong size", () => {
  fc.assert(
    fc.property(gradients, fc.double({ min: 0, max: 1, noNaN: true }), (gradient, at) => {
      const bytes = encodeTemplar(gradient, META);
      const cut = bytes.subarray(0, Math.floor(at * (bytes.length - 1)));
      assert.equal(refusal(cut, expecting(gradient.total)).code, "wrong_size");
    }),
    { numRuns: 40 },
  );
});

/** 64 × 64, one block, entries at 0 and 1. */
const BLOCK: TemplarTensor = {
  rows: 64,
  cols: 64,
  k: 32,
  dct: false,
  lookup: [1, 2, -1, -2],
  scales: Uint8Array.of(127),
  places: Uint16Array.from({ length: 32 }, (_, e) => e),
  codes: new Uint8Array(32),
};
const ONE: TemplarGradient = { total: 4096, tensors: [BLOCK] };

Deno.test("decodeGradient: every field of version 3 is checked, and named", () => {
  const bytes = encodeTemplar(ONE, META);
  const at = (place: number) => HEADER + 28 + 1 + place;
  const fields: [string, number, number, string][] = [
    ["magic", 3, 0x32, "undecodable"],
    ["revision", 4, 2, "undecodable"],
    ["flags", 5, 1, "undecodable"],
    ["uid", 6, 8, "undecodable"],
    ["window", 8, 8, "undecodable"],
    ["baseHash", 16, 0, "wrong_model"],
    ["total", 49, 0, "wrong_model"],
    ["length", 56, 2, "wrong_size"],
    ["length", 59, 0xff, "wrong_size"],
    ["length", 60, 2, "wrong_size"],
    ["length", 64, 33, "wrong_size"],
    ["length", 67, 0xff, "wrong_size"],
    ["matrices", HEADER, 63, "undecodable"],
    ["matrices", HEADER + 7, 0xff, "undecodable"],
    ["matrices", HEADER + 8, 31, "undecodable"],
    ["scales", HEADER + 8, 30, "undecodable"],
    ["matrices", HEADER + 10, 2, "undecodable"],
    ["matrices", HEADER + 11, 1, "undecodable"],
    ["matrices", HEADER + 15, 0x7f, "non_finite"],
    ["scales", HEADER + 28, 0, "undecodable"],
    ["scales", HEADER + 28, 255, "non_finite"],
    ["places", at(0), 1, "undecodable"],
    ["places", at(46), 0, "undecodable"],
  ];
  new DataView(bytes.buffer).setUint16(HEADER + 14, 0x3fff, true); // so that one byte makes it infinite or NaN
  for (const [field, place, value, code] of fields) {
    const changed = bytes.slice();
    if (field === "matrices" && code === "non_finite") changed[place - 1] = 0x80;
    changed[place] = value;
    const found = refusal(resealed(changed), expecting(4096));
    assert.deepEqual([found.code, found.field], [code, field], `byte ${place} as ${value}`);
  }
});

Deno.test("decodeGradient: version 3 decodes to no more entries than version 2 could hold", () => {
  assert.equal(maxTemplarEntries(100), 33);
  const bytes = encodeTemplar({ ...ONE, tensors: [{ ...BLOCK, dct: true }] }, META);
  const enough = 3 * 4096;
  assert.equal(decodeGradient(bytes, expecting(4096, enough)).indices.length, 4096);
  const { code, field } = refusal(bytes, expecting(4096, enough - 1));
  assert.deepEqual([code, field], ["wrong_size", "entries"]);
});

Deno.test("decodeGradient: a version 3 claim of 2^32 matrices, blocks or entries allocates nothing", () => {
  const bytes = encodeTemplar(ONE, META);
  const { external } = Deno.memoryUsage();
  for (const field of [48, 56, 60, 64, HEADER, HEADER + 4]) {
    const claim = bytes.slice();
    new DataView(claim.buffer).setUint32(field, 0xffff_ffff, true);
    refusal(resealed(claim), expecting(4096));
    refusal(resealed(claim), expecting(0xffff_ffff));
  }
  assert(Deno.memoryUsage().external - external < 1 << 20);
});

Deno.test("decodeGradient: a transformed value beyond binary32 is not finite", () => {
  const k = 256;
  const places = Uint16Array.from({ length: k }, (_, e) => e);
  const many = { ...BLOCK, k, dct: true, scales: Uint8Array.of(254), lookup: [1.9, 0, 0, 0] };
  const tensor = { ...many, places, codes: new Uint8Array(k) };
  const bytes = encodeTemplar({ total: 4096, tensors: [tensor] }, META);
  assert.equal(refusal(bytes, expecting(4096)).code, "non_finite");
});

Deno.test("encodeTemplar: refuses what no reader would take", () => {
  const bad: Partial<TemplarTensor>[] = [
    { rows: 0 },
    { rows: 63 },
    { cols: 1.5 },
    { cols: 65 },
    { k: 0 },
    { k: 31 },
    { k: 4098 },
    { k: 30, dct: true },
    { k: 258, dct: true },
    { lookup: [1, 2, 3] },
    { lookup: [1, 2, NaN, 3] },
    { lookup: [1, 2, 3e39, 3] },
    { scales: new Uint8Array(2) },
    { scales: Uint8Array.of(0) },
    { scales: Uint8Array.of(255) },
    { places: Uint16Array.from(BLOCK.places).reverse() },
    { places: new Uint16Array(32) },
    { places: BLOCK.places.map((place) => place * 133) },
    { places: BLOCK.places.slice(1) },
    { codes: BLOCK.codes.slice(1) },
    { codes: new Uint8Array(32).fill(4) },
  ];
  for (const change of bad) {
    const gradient = { ...ONE, tensors: [{ ...BLOCK, ...change }] };
    assert.throws(() => encodeTemplar(gradient, META), RangeError, JSON.stringify(change));
  }
  assert.throws(() => encodeTemplar({ ...ONE, total: 4095 }, META), RangeError);
  assert.throws(() => encodeTemplar({ total: 0, tensors: [] }, META), RangeError);
  for (const part of [{ uid: -1 }, { window: -1n }, { baseHash: new Uint8Array(31) }]) {
    assert.throws(() => encodeTemplar(ONE, { ...META, ...part }), RangeError);
  }
});
