import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, fromHex } from "../bytes.ts";
import { toF16Array } from "../f16.ts";
import { Refusal } from "../refusal.ts";
import { crc32 } from "../crc32.ts";
import {
  asReceived,
  CODEC_TEMPLAR,
  CODEC_V1,
  CODEC_V2,
  decodeGradient,
  encodeTemplar,
  encodeV1,
  encodeV2,
  type GradientExpectation,
  type GradientFault,
  isCodec,
  type SparseUpdate,
  type TemplarGradient,
} from "./mod.ts";

interface Vector {
  name: string;
  codec: number;
  total: number;
  bytes: [string, string][];
}
const vectors: {
  accept: (Vector & { indices: number[]; values: number[] })[];
  refuse: (Vector & { code: string })[];
} = JSON.parse(
  Deno.readTextFileSync(new URL("../../../tests/vectors/gradient.json", import.meta.url)),
);

const META = {
  uid: 7,
  window: 2_957_300n,
  baseHash: Uint8Array.from({ length: 32 }, (_, i) => i),
};
const SMALL: SparseUpdate = {
  total: 1000,
  indices: Uint32Array.of(2, 3, 300),
  values: Float32Array.of(1, -0.5, 2 ** -20),
};

/** Two matrices, one of them transformed, and a vector of which nothing is sent. */
const IN_BLOCKS: TemplarGradient = {
  total: 1000,
  tensors: [
    {
      rows: 10,
      cols: 90,
      k: 4,
      dct: false,
      lookup: [1, 2.5, -1, -4],
      scales: Uint8Array.of(127, 100),
      places: Uint16Array.of(0, 63, 64, 639, 3, 25, 26, 259),
      codes: Uint8Array.of(0, 1, 2, 3, 3, 2, 1, 0),
    },
    {
      rows: 3,
      cols: 4,
      k: 2,
      dct: true,
      lookup: [0.5, 1, -0.5, 0],
      scales: Uint8Array.of(125),
      places: Uint16Array.of(0, 7),
      codes: Uint8Array.of(1, 2),
    },
    {
      rows: 1,
      cols: 88,
      k: 2,
      dct: false,
      lookup: [0, 0, 0, 0],
      scales: Uint8Array.of(0, 0),
      places: new Uint16Array(),
      codes: new Uint8Array(),
    },
  ],
};

function expecting(codec: number, total = 1000): GradientExpectation {
  return { codec, total, maxBytes: 1 << 20, ...META };
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
  const out = bytes.slice();
  const end = out.length - 4;
  new DataView(out.buffer).setUint32(end, crc32(out.subarray(0, end)), true);
  return out;
}

const join = (parts: [string, string][]) => fromHex(parts.map(([hex]) => hex).join(""));

/** Any valid update, with singles of every magnitude below the limit. */
function updates(limit: number): fc.Arbitrary<SparseUpdate> {
  return fc.record({
    total: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 0xffff_ffff })),
    raw: fc.array(
      fc.tuple(
        fc.nat(0xffff_ffff),
        fc.float({ noNaN: true, noDefaultInfinity: true, min: -limit, max: limit }),
      ),
      { maxLength: 40 },
    ),
  }).map(({ total, raw }) => {
    const entries = new Map(raw.map(([index, value]) => [index % total, value]));
    const indices = Uint32Array.from(entries.keys()).sort();
    return { total, indices, values: Float32Array.from(indices, (i) => entries.get(i)!) };
  });
}

for (const { name, codec, total, bytes, indices, values } of vectors.accept) {
  Deno.test(`decodeGradient: accepts the vector "${name}"`, () => {
    const update = decodeGradient(join(bytes), expecting(codec, total));
    assert.equal(update.total, total);
    assert.deepEqual([...update.indices], indices);
    assert.deepEqual([...update.values], values);
  });
}

for (const { name, codec, total, bytes, code } of vectors.refuse) {
  Deno.test(`decodeGradient: refuses the vector "${name}"`, () => {
    assert.equal(refusal(join(bytes), expecting(codec, total)).code, code);
  });
}

Deno.test("encodeV2: writes the vector's bytes", () => {
  const vector = vectors.accept.find(({ name }) => name === "version 2, two blocks")!;
  assert.deepEqual(encodeV2(SMALL, { ...META, block: 2 }), join(vector.bytes));
});

Deno.test("crc32: the check value of the standard", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf4_3926);
});

Deno.test("encodeV1: what was encoded decodes to the nearest halves, at 8 + 6k bytes", () => {
  fc.assert(fc.property(updates(65_504), (update) => {
    const bytes = encodeV1(update);
    assert.equal(bytes.length, 8 + 6 * update.indices.length);
    const back = decodeGradient(bytes, expecting(CODEC_V1, update.total));
    assert.deepEqual(back, asReceived(update, CODEC_V1));
    assert.deepEqual(back.indices, update.indices);
    assert.deepEqual(toF16Array(back.values), toF16Array(update.values));
    assert.deepEqual(encodeV1(back), bytes);
  }));
});

Deno.test("decodeGradient: version 1 pairs in any order give the same update", () => {
  fc.assert(fc.property(updates(65_504), fc.infiniteStream(fc.nat()), (update, noise) => {
    const sorted = encodeV1(update);
    const k = update.indices.length;
    const order = Array.from({ length: k }, (_, j) => j);
    for (let j = k - 1; j > 0; j--) {
      const other = noise.next().value! % (j + 1);
      [order[j], order[other]] = [order[other]!, order[j]!];
    }
    const at = (start: number, size: number) =>
      concat(...order.map((j) => sorted.subarray(start + size * j, start + size * (j + 1))));
    const shuffled = concat(sorted.subarray(0, 8), at(8, 4), at(8 + 4 * k, 2));
    const expect = expecting(CODEC_V1, update.total);
    assert.deepEqual(decodeGradient(shuffled, expect), decodeGradient(sorted, expect));
  }));
});

Deno.test("encodeV2: what was encoded decodes within half a unit of its block", () => {
  const block = fc.constantFrom(1, 2, 7, 256);
  fc.assert(fc.property(updates(2 ** 127), block, (update, block) => {
    const bytes = encodeV2(update, { ...META, block });
    const back = decodeGradient(bytes, expecting(CODEC_V2, update.total));
    assert.deepEqual(back, asReceived(update, CODEC_V2, block));
    assert.deepEqual(back.indices, update.indices);
    for (let j = 0; j < back.values.length; j++) {
      const start = j - j % block;
      const largest = Math.max(
        ...update.values.subarray(start, start + block).map((value) => Math.abs(value)),
      );
      const error = Math.abs(back.values[j]! - update.values[j]!);
      const magnitude = Math.abs(update.values[j]!);
      assert(error <= Math.max(magnitude * 2 ** -11, largest * 2 ** -38), `${error}`);
    }
  }));
});

Deno.test("encodeV2: a gradient of 1e-9 survives, which version 1 makes zero", () => {
  const update = {
    total: 10,
    indices: Uint32Array.of(4, 5),
    values: Float32Array.of(1e-9, -3e-10),
  };
  const [one, two] = decodeGradient(encodeV2(update, META), expecting(CODEC_V2, 10)).values;
  assert(Math.abs(one! / 1e-9 - 1) < 2 ** -11);
  assert(Math.abs(two! / -3e-10 - 1) < 2 ** -11);
  assert.deepEqual([...asReceived(update, CODEC_V1).values], [0, -0]);
});

for (
  const [codec, bytes] of [
    [CODEC_V1, encodeV1(SMALL)],
    [CODEC_V2, encodeV2(SMALL, META)],
    [CODEC_TEMPLAR, encodeTemplar(IN_BLOCKS, META)],
  ] as const
) {
  Deno.test(`decodeGradient: codec ${codec} cut at every length is of the wrong size`, () => {
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(refusal(bytes.subarray(0, length), expecting(codec)).code, "wrong_size");
    }
    assert.equal(refusal(concat(bytes, new Uint8Array(1)), expecting(codec)).code, "wrong_size");
  });

  Deno.test(`decodeGradient: codec ${codec} above 'maxBytes' is of the wrong size`, () => {
    const expect = { ...expecting(codec), maxBytes: bytes.length - 1 };
    assert.equal(refusal(bytes, expect).code, "wrong_size");
    decodeGradient(bytes, { ...expect, maxBytes: bytes.length });
  });

  Deno.test(`decodeGradient: codec ${codec} reads a view that does not start its buffer`, () => {
    const inside = concat(new Uint8Array(3), bytes, new Uint8Array(5)).subarray(3, -5);
    assert.deepEqual(
      decodeGradient(inside, expecting(codec)),
      decodeGradient(bytes, expecting(codec)),
    );
  });

  Deno.test(`decodeGradient: codec ${codec} never fails but by a named fault, whatever bit is turned`, () => {
    const faults = ["undecodable", "wrong_size", "wrong_model", "non_finite"];
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const turned = bytes.slice();
      turned[bit >>> 3]! ^= 1 << (bit & 7);
      for (const changed of codec === CODEC_V1 ? [turned] : [turned, resealed(turned)]) {
        try {
          decodeGradient(changed, expecting(codec));
          assert.notEqual(
            changed,
            codec === CODEC_V1 ? undefined : turned,
            "the checksum missed it",
          );
        } catch (error) {
          assert(error instanceof Refusal, `bit ${bit}: ${error}`);
          assert(faults.includes(error.code));
        }
      }
    }
  });
}

Deno.test("decodeGradient: every header field of version 2 is checked", () => {
  const bytes = encodeV2(SMALL, META);
  const fields: [string, number, GradientFault][] = [
    ["magic", 0, "undecodable"],
    ["revision", 4, "undecodable"],
    ["flags", 5, "undecodable"],
    ["uid", 6, "undecodable"],
    ["window", 8, "undecodable"],
    ["baseHash", 16, "wrong_model"],
    ["baseHash", 47, "wrong_model"],
    ["total", 48, "wrong_model"],
    ["total", 55, "wrong_model"],
    ["length", 56, "wrong_size"],
    ["block", 63, "undecodable"],
    ["length", 64, "wrong_size"],
  ];
  for (const [field, at, code] of fields) {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    const { code: found, field: where } = refusal(resealed(changed), expecting(CODEC_V2));
    assert.deepEqual([found, where], [code, field], `byte ${at}`);
  }
  const corrupt = bytes.slice();
  corrupt[16]! ^= 1;
  assert.equal(refusal(corrupt, expecting(CODEC_V2)).field, "checksum");
});

Deno.test("decodeGradient: a claim of 2^32 entries allocates less than a megabyte", () => {
  const v1 = fromHex("ffffffffffffffff");
  const v2 = encodeV2(SMALL, META);
  const view = new DataView(v2.buffer);
  view.setBigUint64(48, 0xffff_ffffn, true);
  view.setUint32(56, 0xffff_ffff, true);
  view.setUint32(64, 0xffff_ffff, true);
  const { external } = Deno.memoryUsage();
  refusal(v1, expecting(CODEC_V1, 0xffff_ffff));
  refusal(v1, expecting(CODEC_V1));
  refusal(resealed(v2), expecting(CODEC_V2, 0xffff_ffff));
  assert(Deno.memoryUsage().external - external < 1 << 20);
});

Deno.test("decodeGradient: an unknown codec is undecodable, a wrong expectation a RangeError", () => {
  assert.equal(refusal(encodeV1(SMALL), expecting(4)).code, "undecodable");
  assert.deepEqual([0, 1, 2, 3, 4, 255].filter(isCodec), [1, 2, 3]);
  const bytes = encodeV1(SMALL);
  for (const total of [0, -1, 1.5, NaN, 2 ** 32 + 1]) {
    assert.throws(() => decodeGradient(bytes, expecting(CODEC_V1, total)), RangeError);
  }
  assert.throws(
    () => decodeGradient(bytes, { ...expecting(CODEC_V1), maxBytes: Infinity }),
    RangeError,
  );
});

Deno.test("encodeV1, encodeV2: refuse an update or metadata that no reader would take", () => {
  const bad: Partial<SparseUpdate>[] = [
    { total: 0 },
    { total: 300 },
    { indices: Uint32Array.of(2, 2, 300) },
    { indices: Uint32Array.of(3, 2, 300) },
    { indices: Uint32Array.of(2, 3) },
    { values: Float32Array.of(1, NaN, 1) },
    { values: Float32Array.of(1, Infinity, 1) },
  ];
  for (const part of bad) {
    assert.throws(() => encodeV1({ ...SMALL, ...part }), RangeError);
    assert.throws(() => encodeV2({ ...SMALL, ...part }, META), RangeError);
  }
  assert.throws(() => encodeV1({ ...SMALL, total: 2 ** 32 }), RangeError);
  assert.throws(() => encodeV1({ ...SMALL, values: Float32Array.of(1, 65_520, 1) }), RangeError);
  assert.throws(() => encodeV2({ ...SMALL, values: Float32Array.of(1, 3.4028e38, 1) }, META), {
    name: "RangeError",
  });
  for (
    const part of [
      { uid: -1 },
      { uid: 65_536 },
      { window: -1n },
      { window: 1n << 64n },
      { baseHash: new Uint8Array(31) },
      { block: 0 },
      { block: 65_537 },
    ]
  ) assert.throws(() => encodeV2(SMALL, { ...META, ...part }), RangeError);
  assert.throws(() => asReceived(SMALL, 3), RangeError);
});
