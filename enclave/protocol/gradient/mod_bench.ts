import {
  CODEC_V1,
  CODEC_V2,
  decodeGradient,
  encodeV1,
  encodeV2,
  type SparseUpdate,
} from "./mod.ts";

/** 1 % of a model of 49,252,224 parameters: half a million entries, about a hundred apart. */
const TOTAL = 49_252_224;
const K = 492_522;
let state = 1;
function unit(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}
const chosen = new Set<number>();
while (chosen.size < K) chosen.add(Math.floor(unit() * TOTAL));
const update: SparseUpdate = {
  total: TOTAL,
  indices: Uint32Array.from(chosen).sort(),
  values: Float32Array.from({ length: K }, () => (unit() - 0.5) * 2 ** -12),
};
const meta = { uid: 1, window: 1, baseHash: new Uint8Array(32) };
const v1 = encodeV1(update);
const v2 = encodeV2(update, meta);
console.log(`v1 ${v1.length} bytes, v2 ${v2.length} bytes`);

/** The same entries in an order that has to be sorted. */
const unsorted = v1.slice();
{
  const from = new DataView(v1.buffer);
  const to = new DataView(unsorted.buffer);
  let j = 0;
  for (let step = 0; step < K; step++) {
    j = (j + 300_007) % K; // coprime to K: every entry comes once
    to.setUint32(8 + 4 * step, from.getUint32(8 + 4 * j, true), true);
    to.setUint16(8 + 4 * K + 2 * step, from.getUint16(8 + 4 * K + 2 * j, true), true);
  }
}

const expect = { total: TOTAL, maxBytes: 1 << 26 };
Deno.bench("encodeV1: 492,522 entries", () => void encodeV1(update));
Deno.bench("encodeV2: 492,522 entries", () => void encodeV2(update, meta));
Deno.bench("decodeGradient: version 1, ascending", () => {
  decodeGradient(v1, { ...expect, codec: CODEC_V1 });
});
Deno.bench("decodeGradient: version 1, to be sorted", () => {
  decodeGradient(unsorted, { ...expect, codec: CODEC_V1 });
});
Deno.bench("decodeGradient: version 2", () => {
  decodeGradient(v2, { ...expect, codec: CODEC_V2 });
});
