import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, fromHex, toHex } from "./bytes.ts";
import {
  arrayOf,
  asMap,
  bool,
  bytesOf,
  bytesUpTo,
  type CborLimits,
  decodeStrict,
  encodeCanonical,
  mapOf,
  nullable,
  scan,
  text,
  u64,
  uint,
} from "./cbor.ts";
import { Refusal } from "./refusal.ts";

const LIMITS: CborLimits = { maxBytes: 65_536, maxDepth: 8, maxItems: 4_096 };
const INDEFINITE: CborLimits = { ...LIMITS, indefiniteMaps: true };

function refuses(hex: string | Bytes, code: string, limits: CborLimits = LIMITS): void {
  const bytes = typeof hex === "string" ? fromHex(hex) : hex;
  assert.throws(
    () => decodeStrict(bytes, limits),
    (e) => e instanceof Refusal && e.code === code,
    `${toHex(bytes).slice(0, 40)} is not refused as ${code}`,
  );
}

// RFC 8949 Appendix A, the items that the strict subset has.
const RFC8949: [unknown, string][] = [
  [0, "00"],
  [1, "01"],
  [10, "0a"],
  [23, "17"],
  [24, "1818"],
  [25, "1819"],
  [100, "1864"],
  [1000, "1903e8"],
  [1000000, "1a000f4240"],
  [1000000000000n, "1b000000e8d4a51000"],
  [18446744073709551615n, "1bffffffffffffffff"],
  [-18446744073709551615n, "3bfffffffffffffffe"],
  [-1, "20"],
  [-10, "29"],
  [-100, "3863"],
  [-1000, "3903e7"],
  [false, "f4"],
  [true, "f5"],
  [null, "f6"],
  [new Uint8Array(0), "40"],
  [fromHex("01020304"), "4401020304"],
  ["", "60"],
  ["IETF", "6449455446"],
  ['"\\', "62225c"],
  ["\u00fc", "62c3bc"],
  ["\u6c34", "63e6b0b4"],
  ["\u{10151}", "64f0908591"],
  [[], "80"],
  [[1, 2, 3], "83010203"],
  [[1, [2, 3], [4, 5]], "8301820203820405"],
  [new Map(), "a0"],
  [new Map([[1, 2], [3, 4]]), "a201020304"],
  [new Map<string, unknown>([["a", 1], ["b", [2, 3]]]), "a26161016162820203"],
];

Deno.test("decodeStrict and encodeCanonical: agree with RFC 8949 Appendix A", () => {
  for (const [value, hex] of RFC8949) {
    assert.deepEqual(decodeStrict(fromHex(hex), LIMITS), value);
    assert.equal(toHex(encodeCanonical(value)), hex);
  }
});

Deno.test("encodeCanonical: sorts keys by their encoding and writes integers shortest", () => {
  assert.equal(toHex(encodeCanonical({ bb: 1, a: 2 })), "a261610262626201");
  assert.equal(toHex(encodeCanonical(new Map([[100, 0], [-1, 0], [10, 0]]))), "a30a001864002000");
  assert.equal(toHex(encodeCanonical(5n)), "05");
  assert.equal(toHex(encodeCanonical(4294967295)), "1affffffff");
  assert.equal(toHex(encodeCanonical(4294967296)), "1b0000000100000000");
  assert.equal(toHex(encodeCanonical(-4294967296n)), "3affffffff");
  assert.equal(toHex(encodeCanonical(-4294967297n)), "3b0000000100000000");
});

Deno.test("encodeCanonical: refuses what has no canonical form", () => {
  const bad = [
    undefined,
    1.5,
    NaN,
    2 ** 53,
    1n << 64n,
    -(1n << 64n),
    "\ud800",
    "\uFEFFx",
    new Date(0),
    [
      undefined,
    ],
  ];
  for (const value of [...bad, { a: undefined }, new Map([[new Uint8Array(1), 1]])]) {
    assert.throws(() => encodeCanonical(value), TypeError);
  }
});

Deno.test("encodeCanonical: what it writes, decodeStrict reads back", () => {
  const leaf = fc.oneof(
    fc.bigInt({ min: 1n - (1n << 64n), max: (1n << 64n) - 1n }),
    fc.integer().map(BigInt),
    fc.string({ unit: "binary" }).filter((s) => !s.startsWith("\uFEFF")),
    fc.string({ minLength: 60, maxLength: 80, unit: "grapheme" }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("tree"), { maxLength: 5 }),
      fc.array(fc.tuple(fc.string({ maxLength: 8 }), tie("tree")), { maxLength: 5 })
        .map((entries) => new Map(entries)),
    ),
  }));
  const widen = (v: unknown): unknown => {
    if (typeof v === "number") return BigInt(v);
    if (v instanceof Uint8Array) return toHex(v) + "h";
    if (Array.isArray(v)) return v.map(widen);
    if (v instanceof Map) return new Map([...v].map(([k, x]) => [k, widen(x)]));
    return v;
  };
  fc.assert(
    fc.property(tree, (value) => {
      const bytes = encodeCanonical(value);
      const back = decodeStrict(bytes, LIMITS);
      assert.deepEqual(widen(back), widen(value));
      assert.deepEqual(encodeCanonical(back), bytes);
    }),
    { numRuns: 200 },
  );
});

Deno.test("scan: refuses a truncation at every byte", () => {
  const whole = encodeCanonical({
    a: [1, 300, 70_000, 1n << 40n],
    b: "text".repeat(10),
    c: new Uint8Array(300),
    d: { e: null },
  });
  scan(whole, LIMITS);
  for (let n = 0; n < whole.length; n++) refuses(whole.slice(0, n), "truncated");
});

Deno.test("scan: arbitrary bytes are accepted or refused, never thrown on otherwise", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (raw) => {
      try {
        decodeStrict(new Uint8Array(raw), INDEFINITE);
      } catch (e) {
        assert.ok(e instanceof Refusal, String(e));
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("scan: refuses declared lengths beyond the end before allocating", () => {
  for (const major of ["5", "7", "9", "b"]) {
    refuses(`${major}b7fffffffffffffff`, "truncated"); // 2^63 - 1 bytes or items
    refuses(`${major}affffffff00`, "truncated");
  }
  refuses("a2010203", "truncated");
});

Deno.test("scan: refuses every encoding outside the subset by its own code", () => {
  refuses("0000", "trailing_bytes");
  refuses("a201000100", "duplicate_key");
  refuses("a2616101616102", "duplicate_key");
  refuses("a1408000", "bad_key"); // a byte string as a key
  refuses("a18000", "bad_key");
  refuses("a1f600", "bad_key");
  refuses("c000", "unknown_tag");
  refuses("d9d9f700", "unknown_tag"); // self-described CBOR
  refuses("d84041ff", "unknown_tag"); // typed array
  refuses("5f4100ff", "indefinite_length");
  refuses("7f6161ff", "indefinite_length");
  refuses("9f00ff", "indefinite_length");
  refuses("9f00ff", "indefinite_length", INDEFINITE);
  refuses("bf0000ff", "indefinite_length");
  refuses("1f", "reserved_encoding");
  refuses("3f", "reserved_encoding");
  for (const info of ["1c", "1d", "1e", "5c", "7d", "9e", "bc", "fc", "fd", "fe"]) {
    refuses(info, "reserved_encoding");
  }
  refuses("ff", "unexpected_break");
  refuses("81ff", "unexpected_break");
  refuses("1817", "non_minimal");
  refuses("1900ff", "non_minimal");
  refuses("1a0000ffff", "non_minimal");
  refuses("1b00000000ffffffff", "non_minimal");
  refuses("580100", "non_minimal");
  refuses("61ff", "bad_utf8");
  refuses("62c080", "bad_utf8"); // overlong
  refuses("63eda080", "bad_utf8"); // a surrogate
  refuses("63efbbbf", "bad_utf8"); // a byte order mark
  refuses("f97e00", "float_refused"); // NaN
  refuses("fa7fc00001", "float_refused"); // NaN with a payload
  refuses("fb3ff0000000000000", "float_refused");
  refuses("f7", "unsupported_value");
  refuses("e0", "unsupported_value");
  refuses("f8ff", "unsupported_value");
});

Deno.test("scan: an indefinite map is read where asked for, and needs its break", () => {
  const back = decodeStrict(fromHex("bf616101616202ff"), INDEFINITE);
  assert.deepEqual(back, new Map([["a", 1], ["b", 2]]));
  refuses("bf616101", "missing_break", INDEFINITE);
  refuses("bf6161ff", "unexpected_break", INDEFINITE); // a key without its value
  refuses("bf616101616102ff", "duplicate_key", INDEFINITE);
});

Deno.test("scan: holds size, depth and item bounds", () => {
  refuses(new Uint8Array(9), "too_large", { ...LIMITS, maxBytes: 8 });
  const nested = (n: number) => concat(new Uint8Array(n).fill(0x81), new Uint8Array(1));
  scan(nested(8), LIMITS);
  refuses(nested(9), "too_deep");
  refuses(nested(60_000), "too_deep");
  scan(encodeCanonical([1, 2, 3]), { ...LIMITS, maxItems: 4 });
  refuses(encodeCanonical([1, 2, 3]), "too_many_items", { ...LIMITS, maxItems: 3 });
});

Deno.test("decodeStrict: leaves its input as it was and returns buffers of its own", () => {
  const input = fromHex("4401020304");
  const output = decodeStrict(input, LIMITS) as Bytes;
  assert.deepEqual(Reflect.ownKeys(input).includes("dataView"), false);
  output[0] = 9;
  assert.equal(toHex(input), "4401020304");
  assert.equal(output.buffer.byteLength, 4);
});

const SHAPE = {
  n: uint(10),
  big: u64,
  name: text(4, 1),
  hash: bytesOf(2),
  blob: nullable(bytesUpTo(3)),
  on: bool,
  rows: arrayOf(mapOf({ uid: uint() }), 2),
};
const GOOD = {
  n: 3,
  big: 7,
  name: "abc",
  hash: new Uint8Array(2),
  blob: null,
  on: true,
  rows: [{ uid: 1 }, { uid: 1n << 40n }],
};

Deno.test("asMap: reads a message of the shape, integers by their kind", () => {
  const got = asMap(decodeStrict(encodeCanonical(GOOD), LIMITS), SHAPE);
  assert.deepEqual({ ...got }, { ...GOOD, big: 7n, rows: [{ uid: 1 }, { uid: 2 ** 40 }] });
});

Deno.test("asMap: refuses each wrong field by code and path", () => {
  const cases: [Record<string, unknown>, string, string][] = [
    [{ n: 11 }, "out_of_range", "n"],
    [{ n: -1 }, "out_of_range", "n"],
    [{ n: "1" }, "wrong_kind", "n"],
    [{ big: -1 }, "out_of_range", "big"],
    [{ big: null }, "wrong_kind", "big"],
    [{ name: "" }, "wrong_length", "name"],
    [{ name: "\u6c34\u6c34" }, "wrong_length", "name"],
    [{ name: 1 }, "wrong_kind", "name"],
    [{ hash: new Uint8Array(3) }, "wrong_length", "hash"],
    [{ hash: "ab" }, "wrong_kind", "hash"],
    [{ blob: new Uint8Array(4) }, "wrong_length", "blob"],
    [{ on: 1 }, "wrong_kind", "on"],
    [{ rows: {} }, "wrong_kind", "rows"],
    [{ rows: [{ uid: 1 }, { uid: 1 }, { uid: 1 }] }, "wrong_length", "rows"],
    [{ rows: [{ uid: 1 }, { uid: 1n << 53n }] }, "out_of_range", "rows[1].uid"],
    [{ rows: [{ uid: 1, x: 1 }] }, "unknown_field", "rows[0].x"],
    [{ rows: [{}] }, "missing_field", "rows[0].uid"],
    [{ extra: 1 }, "unknown_field", "extra"],
    [{ toString: 1 }, "unknown_field", "toString"],
    [{ ["__proto__"]: 1 }, "unknown_field", "__proto__"],
  ];
  for (const [change, code, field] of cases) {
    const message = decodeStrict(encodeCanonical({ ...GOOD, ...change }), LIMITS);
    assert.throws(
      () => asMap(message, SHAPE),
      (e) => e instanceof Refusal && e.code === code && e.field === field,
      `${field} ${code}`,
    );
  }
  assert.throws(() => asMap([], SHAPE), /message/);
});
