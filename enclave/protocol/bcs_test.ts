import assert from "node:assert/strict";
import { bcs } from "@mysten/bcs";
import fc from "fast-check";
import { BcsReader, BcsWriter, decodeBcs } from "./bcs.ts";
import { fromHex, toHex, utf8 } from "./bytes.ts";
import { Refusal } from "./refusal.ts";

const hex = (writer: BcsWriter): string => toHex(writer.finish());

function refuses(input: string, read: (reader: BcsReader) => unknown, code: string): void {
  assert.throws(
    () => decodeBcs(fromHex(input), read),
    (e) => e instanceof Refusal && e.code === code,
    `${input} is not refused as ${code}`,
  );
}

Deno.test("BcsWriter: writes the examples of the BCS specification", () => {
  assert.equal(hex(new BcsWriter().u8(1)), "01");
  assert.equal(hex(new BcsWriter().u16(4660)), "3412");
  assert.equal(hex(new BcsWriter().u32(305419896)), "78563412");
  assert.equal(hex(new BcsWriter().u64(1311768467750121216n)), "00efcdab78563412");
  const lengths: [number, string][] = [
    [0, "00"],
    [1, "01"],
    [127, "7f"],
    [128, "8001"],
    [300, "ac02"],
    [16383, "ff7f"],
    [16384, "808001"],
    [9487, "8f4a"],
    [0xffff_ffff, "ffffffff0f"],
  ];
  for (const [value, expected] of lengths) {
    assert.equal(hex(new BcsWriter().length(value)), expected);
    assert.equal(decodeBcs(fromHex(expected), (r) => r.length(0xffff_ffff)), value);
  }
});

// @mysten/bcs is what Sui's own clients write with: another author's reading of the same specification.
const Oracle = bcs.struct("Sample", {
  small: bcs.u8(),
  short: bcs.u16(),
  word: bcs.u32(),
  long: bcs.u64(),
  digest: bcs.fixedArray(4, bcs.u8()),
  blob: bcs.vector(bcs.u8()),
  rows: bcs.vector(bcs.struct("Row", { uid: bcs.u16(), value: bcs.u64() })),
  maybe: bcs.option(bcs.u64()),
});

Deno.test("BcsWriter and BcsReader: agree with @mysten/bcs", () => {
  const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const sample = fc.record({
    small: fc.nat(0xff),
    short: fc.nat(0xffff),
    word: fc.integer({ min: 0, max: 0xffff_ffff }),
    long: u64,
    digest: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    blob: fc.uint8Array({ maxLength: 300 }),
    rows: fc.array(
      fc.record({ uid: fc.nat(0xffff), value: u64 }, { noNullPrototype: true }),
      { maxLength: 200 },
    ),
    maybe: fc.option(u64),
  });
  fc.assert(
    fc.property(sample, (value) => {
      const ours = new BcsWriter().u8(value.small).u16(value.short).u32(value.word)
        .u64(value.long).fixed(value.digest, 4).bytes(value.blob)
        .list(value.rows, (w, row) => w.u16(row.uid).u64(row.value))
        .option(value.maybe, (w, inner) => w.u64(inner)).finish();
      const theirs = Oracle.serialize({ ...value, digest: [...value.digest] }).toBytes();
      assert.equal(toHex(ours), toHex(theirs));
      const back = decodeBcs(theirs, (r) => ({
        small: r.u8(),
        short: r.u16(),
        word: r.u32(),
        long: r.u64(),
        digest: r.fixed(4),
        blob: r.bytes(300),
        rows: r.list(200, (row) => ({ uid: row.u16(), value: row.u64() })),
        maybe: r.option((inner) => inner.u64()),
      }));
      assert.deepEqual(
        { ...back, digest: [...back.digest], blob: [...back.blob] },
        { ...value, digest: [...value.digest], blob: [...value.blob] },
      );
    }),
    { numRuns: 60, seed: 1 },
  );
});

Deno.test("BcsWriter: a value out of range is the caller's RangeError", () => {
  const writes: ((w: BcsWriter) => unknown)[] = [
    (w) => w.u8(256),
    (w) => w.u8(-1),
    (w) => w.u16(65_536),
    (w) => w.u16(1.5),
    (w) => w.u32(2 ** 32),
    (w) => w.u32(NaN),
    (w) => w.u64(-1),
    (w) => w.u64(-1n),
    (w) => w.u64(1n << 64n),
    (w) => w.u64(0.5),
    (w) => w.u64(2 ** 53),
    (w) => w.u64(Infinity),
    (w) => w.length(2 ** 32),
    (w) => w.fixed(new Uint8Array(31), 32),
    (w) => w.fixed(new Uint8Array(33), 32),
  ];
  for (const write of writes) assert.throws(() => write(new BcsWriter()), RangeError, `${write}`);
});

Deno.test("BcsReader: refuses what is truncated, too long, not minimal or trailing, by name", () => {
  refuses("", (r) => r.u8(), "truncated");
  refuses("01", (r) => r.u16(), "truncated");
  refuses("010203", (r) => r.u32(), "truncated");
  refuses("01020304050607", (r) => r.u64(), "truncated");
  refuses("80", (r) => r.length(1000), "truncated");
  refuses("0102", (r) => r.u8(), "trailing_bytes");
  refuses("8000", (r) => r.length(1000), "non_canonical");
  refuses("ff00", (r) => r.length(1000), "non_canonical");
  refuses("05", (r) => r.length(4), "too_long");
  refuses("ffffffff1f", (r) => r.length(0xffff_ffff), "too_long");
  refuses("808080808001", (r) => r.length(0xffff_ffff), "too_long");
  refuses("0000000000002000", (r) => r.count(), "out_of_range");
  refuses("ffffffffffffffff", (r) => r.count(), "out_of_range");
  refuses("02", (r) => r.option((inner) => inner.u8()), "non_canonical");
  refuses("01", (r) => r.option((inner) => inner.u8()), "truncated");
  refuses("7661", (r) => r.tag("vb"), "wrong_tag");
  refuses("76", (r) => r.tag("vb"), "truncated");
  refuses("ff01", (r) => r.bytes(255), "truncated");
  refuses("80808008", (r) => r.list(1 << 24, (row) => row.u8()), "truncated");
});

Deno.test("BcsReader: bytes are copies, not views of the message", () => {
  const wire = fromHex("0102");
  const copy = new BcsReader(wire).fixed(2);
  wire.fill(0xff);
  assert.equal(toHex(copy), "0102");
});

Deno.test("BcsWriter: a tag is raw ASCII, without a length", () => {
  assert.deepEqual(new BcsWriter().tag("vramhub/x/v1").finish(), utf8("vramhub/x/v1"));
});
