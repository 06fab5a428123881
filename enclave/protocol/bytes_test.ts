import assert from "node:assert/strict";
import fc from "fast-check";
import { compare, concat, equal, fromHex, toHex, u32le, u64le, utf8 } from "./bytes.ts";

const bytes = fc.uint8Array({ maxLength: 40 });

Deno.test("toHex and fromHex: are each other's inverse, either case, with or without 0x", () => {
  fc.assert(
    fc.property(bytes, (value) => {
      const text = toHex(value);
      assert.equal(text.length, 2 * value.length);
      for (const form of [text, text.toUpperCase(), `0x${text}`]) {
        assert(equal(fromHex(form, value.length), value));
      }
    }),
    { seed: 1 },
  );
});

Deno.test("fromHex: refuses what is not whole bytes of hex digits, or not the length asked for", () => {
  for (const text of ["0", "0x0", "zz", "0xzz", " 00", "00 ", "0x0x", "+1", "１１"]) {
    assert.throws(() => fromHex(text), SyntaxError, text);
  }
  assert.throws(() => fromHex("0011", 3), /expected 3 bytes and found 2/);
});

Deno.test("compare and equal: order byte strings lexicographically", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const [x, y] = [toHex(a), toHex(b)]; // fixed-width hex digits order as their bytes
      assert.equal(Math.sign(compare(a, b)), x < y ? -1 : x > y ? 1 : 0);
      assert.equal(equal(a, b), x === y);
      assert(equal(concat(a, b).subarray(0, a.length), a));
      assert(equal(concat(a, b).subarray(a.length), b));
    }),
    { seed: 2 },
  );
  assert(compare(utf8("a"), utf8("ab")) < 0);
  assert.equal(concat().length, 0);
});

Deno.test("u64le and u32le: little endian, and no silent wrap", () => {
  assert.equal(toHex(u64le(0x0102_0304)), "0403020100000000");
  assert.equal(toHex(u64le((1n << 64n) - 1n)), "ffffffffffffffff");
  assert.equal(toHex(u32le(0xffff_fffe)), "feffffff");
  for (const value of [-1, -1n, 1n << 64n, 0.5, NaN]) {
    assert.throws(() => u64le(value), RangeError, `${value}`);
  }
  for (const value of [-1, 2 ** 32, 0.5, NaN]) {
    assert.throws(() => u32le(value), RangeError, `${value}`);
  }
});
