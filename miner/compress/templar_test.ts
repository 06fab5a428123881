import assert from "node:assert/strict";
import fc from "fast-check";
import { openGradient } from "../../enclave/model/merge.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import { PRESETS } from "../../enclave/model/presets.ts";
import {
  CODEC_TEMPLAR,
  encodeTemplar,
  maxTemplarEntries,
} from "../../enclave/protocol/gradient/mod.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { fastEval } from "../../host/filters/fast_eval.ts";
import { BlockTopK } from "./block_topk.ts";
import { chooseBlocks } from "./choose_blocks.ts";
import { ErrorFeedback } from "./error_feedback.ts";
import { levelsOf } from "./levels.ts";
import { compressTemplar } from "./templar.ts";
import { topK } from "./topk.ts";

const SHAPES = [[70, 100], [129], [3, 4, 5], [64, 64]];
const TOTAL = 7000 + 129 + 60 + 4096;

/** Values over many powers of two, as gradients have them. */
function gradientLike(seed: number): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  return Float32Array.from({ length: TOTAL }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32 - 0.5) ** 5 * (i % 7 === 0 ? 1e-6 : 1);
  });
}

const energy = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);

Deno.test("BlockTopK: chooses what a top-k of the whole would", () => {
  const some = fc.constantFrom(0, -0, 1, -1, 2, 2 ** -149, 3.4e38);
  const values = fc.array(fc.oneof(some, fc.float({ noNaN: true, noDefaultInfinity: true })), {
    minLength: 1,
    maxLength: 300,
  });
  const blocks = new BlockTopK(300);
  fc.assert(fc.property(values, fc.nat(), (raw, pick) => {
    const values = Float32Array.from(raw);
    const places = new Uint16Array(1 + pick % raw.length);
    blocks.select(values, places);
    assert.deepEqual([...places], [...topK(values, places.length).indices]);
  }));
});

Deno.test("levelsOf: keeps signs apart, and four magnitudes exactly", () => {
  const entries = Float64Array.of(1, -2, 8, -2, 1, -32, 8);
  const { lookup, codes } = levelsOf(entries, new Float64Array(7).fill(1));
  assert.deepEqual([...lookup], [1, 8, -2, -32]);
  assert.deepEqual([...codes].map((code) => lookup[code]), [...entries]);
});

for (const dct of [false, true]) {
  const kind = dct ? "coefficients" : "entries";
  Deno.test(`compressTemplar: an even number of ${kind} from each block it sends, as received`, () => {
    const values = gradientLike(1);
    const { gradient, update } = compressTemplar(values, SHAPES, { percent: 2, dct });
    const { tensors, total } = gradient;
    assert.deepEqual(
      tensors.map(({ rows, cols, scales }) => [rows, cols, scales.length]),
      [[70, 100, 4], [1, 129, 3], [12, 5, 1], [64, 64, 1]],
    );
    assert.equal(total, TOTAL);
    assert(tensors.every((tensor) => tensor.dct === dct && tensor.k % 2 === 0));
    const entries = tensors.reduce((sum, { places }) => sum + places.length, 0);
    assert(entries > 150 && entries <= 0.02 * TOTAL, `${entries}`);
    if (!dct) assert.equal(update.indices.length, entries);
    const left = values.slice();
    update.indices.forEach((index, j) => left[index]! -= update.values[j]!);
    assert(energy(left) < 0.9 * energy(values), `${energy(left)} of ${energy(values)}`);
  });

  Deno.test(`ErrorFeedback: ${kind} in blocks, sent and left make all that came in, and never more`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), (seeds) => {
        const feedback = new ErrorFeedback(TOTAL, 1);
        const [came, went] = [new Float64Array(TOTAL), new Float64Array(TOTAL)];
        for (const seed of seeds) {
          const delta = gradientLike(seed);
          feedback.accumulate(delta);
          const before = energy(feedback.residual);
          const { update } = compressTemplar(feedback.residual, SHAPES, { percent: 2, dct });
          feedback.sent(update);
          assert(energy(feedback.residual) <= before);
          delta.forEach((value, i) => came[i]! += value);
          update.indices.forEach((index, j) => went[index]! += update.values[j]!);
        }
        for (let i = 0; i < TOTAL; i++) {
          assert(Math.abs(feedback.residual[i]! - (came[i]! - went[i]!)) < 1e-6, `parameter ${i}`);
        }
      }),
      { numRuns: 5 },
    );
  });
}

Deno.test("compressTemplar: what is sent passes the filters and the judge's checks", () => {
  const { params, total } = paramManifest(PRESETS.tiny);
  const values = new Float32Array(total).map((_, i) => Math.sin(i * i) ** 9 * 1e-3);
  const { gradient, update } = compressTemplar(values, params.map(({ shape }) => shape), {
    percent: 1,
  });
  const baseHash = new Uint8Array(32).fill(5);
  const bytes = encodeTemplar(gradient, { uid: 4, window: 6, baseHash });
  const contentHash = sha256(bytes);
  const reveal = { uid: 4, commitSeq: 0, contentHash, size: bytes.length, codec: CODEC_TEMPLAR };
  const about = { hparams: DEFAULT_HPARAMS, total, window: 6, baseHash };
  assert.deepEqual(fastEval(reveal, bytes, about), []);
  assert.deepEqual(openGradient(about, reveal, bytes).update, update);
  assert.match(fastEval({ ...reveal, uid: 5 }, bytes, about)[0]!.detail, /undecodable/);
});

Deno.test("compressTemplar: a block of zeros is not sent", () => {
  const values = new Float32Array(TOTAL);
  values[7000] = -3;
  const { gradient, update } = compressTemplar(values, SHAPES, { percent: 1 });
  assert.deepEqual(gradient.tensors.map(({ places }) => places.length), [0, 2, 0, 0]);
  assert.equal(update.values[0], -3);
  const none = compressTemplar(new Float32Array(TOTAL), SHAPES, { percent: 1 });
  assert.equal(none.update.indices.length, 0);
});

Deno.test("compressTemplar: all of everything is every element", () => {
  const { update } = compressTemplar(gradientLike(4), SHAPES, { percent: 100 });
  assert.deepEqual(update.indices, Uint32Array.from({ length: TOTAL }, (_, i) => i));
});

Deno.test("chooseBlocks: many entries of few blocks where those hold the most, few of all where not", () => {
  const counts = [10, 20, 40, 80, 160];
  const flat = { counts, energies: [10, 11, 12, 13, 14] };
  const strong = { counts, energies: [100, 200, 400, 800, 1600] };
  const zero = { counts, energies: [0, 0, 0, 0, 0] };
  const [few, all] = chooseBlocks([[strong, flat, zero], [flat, flat, zero]], 180);
  assert.deepEqual(few, { times: 16, sent: Uint8Array.of(1, 0, 0) });
  assert.deepEqual(all, { times: 1, sent: Uint8Array.of(1, 1, 0) });
  // Equal worth: as many as fit.
  const [equal] = chooseBlocks([[flat, flat, flat]], 25);
  assert.deepEqual(equal, { times: 1, sent: Uint8Array.of(1, 1, 0) });
});

Deno.test("compressTemplar: transforms the smallest matrices first, as many as may be decoded", () => {
  const values = gradientLike(2);
  const of = (maxBytes: number) =>
    compressTemplar(values, SHAPES, { percent: 2, dct: true, maxBytes });
  const transformed = (maxBytes: number) => of(maxBytes).gradient.tensors.map(({ dct }) => dct);
  // 2 % of all are 225 entries; the vector, the third and the fourth matrix have 129 + 60 + 4,096 elements.
  const enough = 3 * (225 + 129 + 60 + 4096);
  assert.deepEqual(transformed(enough), [false, true, true, true]);
  assert.deepEqual(transformed(enough - 1), [false, true, true, false]);
  assert(of(enough).update.indices.length <= maxTemplarEntries(enough));
  assert.throws(() => of(3 * 100), Refusal);
  // Of 0.5 percent a coefficient would stand for 200 elements.
  const few = compressTemplar(values, SHAPES, { percent: 0.5, dct: true }).gradient;
  assert.deepEqual(few.tensors.map(({ dct }) => dct), [false, true, true, false]);
});

Deno.test("compressTemplar: refuses values that are not finite, and shapes of another model", () => {
  const bad = gradientLike(3);
  bad[TOTAL - 1] = NaN;
  for (const values of [bad, new Float32Array(TOTAL - 1)]) {
    assert.throws(() => compressTemplar(values, SHAPES, { percent: 1 }), RangeError);
  }
  for (const percent of [0, 101, NaN]) {
    assert.throws(() => compressTemplar(gradientLike(3), SHAPES, { percent }), RangeError);
  }
});
