import assert from "node:assert/strict";
import fc from "fast-check";
import { F16_MAX, fromF16Array, fromF16Bits, isFiniteF16, toF16Array, toF16Bits } from "./f16.ts";

/** The runtime's own half, the oracle of these tests. */
const view = new DataView(new ArrayBuffer(4));
function oracleBits(value: number): number {
  view.setFloat16(0, Math.fround(value));
  return view.getUint16(0);
}

Deno.test("fromF16Bits: all 65,536 halves agree with the runtime and survive the way back", () => {
  const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const values = fromF16Array(all);
  const back = toF16Array(values);
  for (let half = 0; half < 65_536; half++) {
    view.setUint16(0, half);
    const want = view.getFloat16(0);
    assert(Object.is(fromF16Bits(half), want), `half ${half}`);
    assert(Object.is(values[half], want), `half ${half} in bulk`);
    assert.equal(isFiniteF16(half), Number.isFinite(want));
    if (Number.isNaN(want)) assert.equal(back[half], 0x7e00);
    else assert.equal(back[half], half);
  }
});

Deno.test("toF16Bits: the ties between neighbours and the singles beside them round as the runtime does", () => {
  const single = new Float32Array(1);
  const bits = new Uint32Array(single.buffer);
  for (let half = 0; half < 0x7c00; half++) {
    const next = half === 0x7bff ? 65_536 : fromF16Bits(half + 1);
    single[0] = (fromF16Bits(half) + next) / 2;
    const middle = bits[0]!;
    for (const near of [middle - 1, middle, middle + 1]) {
      for (const sign of [0, 0x8000_0000]) {
        bits[0] = near + sign;
        assert.equal(toF16Bits(single[0]!), oracleBits(single[0]!), `${single[0]}`);
      }
    }
  }
});

Deno.test("toF16Bits: any single rounds as the runtime does, alone and in bulk", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 64 }), (words) => {
      const values = new Float32Array(Uint32Array.from(words).buffer);
      const bulk = toF16Array(values);
      values.forEach((value, i) => {
        const want = Number.isNaN(value) ? 0x7e00 : oracleBits(value);
        assert.equal(toF16Bits(value), want);
        assert.equal(bulk[i], want);
      });
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("toF16Bits: the edges of the format", () => {
  assert.equal(toF16Bits(F16_MAX), 0x7bff);
  assert.equal(toF16Bits(65_519.996), 0x7bff);
  assert.equal(toF16Bits(65_520), 0x7c00);
  assert.equal(toF16Bits(-Infinity), 0xfc00);
  assert.equal(toF16Bits(2 ** -24), 1);
  assert.equal(toF16Bits(2 ** -25), 0);
  assert.equal(toF16Bits(-0), 0x8000);
});

Deno.test("toF16Array: reads a view that does not start its buffer", () => {
  const whole = Float32Array.of(9, 1, -2);
  assert.deepEqual([...toF16Array(whole.subarray(1))], [0x3c00, 0xc000]);
});
