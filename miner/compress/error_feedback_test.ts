import assert from "node:assert/strict";
import fc from "fast-check";
import { asReceived, CODEC_V1, CODEC_V2 } from "../../enclave/protocol/gradient/mod.ts";
import { ErrorFeedback } from "./error_feedback.ts";
import { topK } from "./topk.ts";

const value = fc.float({ min: -100, max: 100, noNaN: true });

Deno.test("ErrorFeedback: without decay, all that was sent and what is left make all that came in", () => {
  const windows = fc.array(fc.array(value, { minLength: 8, maxLength: 8 }), {
    minLength: 1,
    maxLength: 10,
  });
  fc.assert(fc.property(windows, fc.constantFrom(CODEC_V1, CODEC_V2), (windows, codec) => {
    const feedback = new ErrorFeedback(8, 1);
    const sums = { in: new Float64Array(8), out: new Float64Array(8) };
    for (const raw of windows) {
      const delta = Float32Array.from(raw);
      feedback.accumulate(delta);
      const update = asReceived(topK(feedback.residual, 3), codec);
      feedback.sent(update);
      delta.forEach((d, i) => sums.in[i]! += d);
      update.indices.forEach((i, j) => sums.out[i]! += update.values[j]!);
    }
    for (let i = 0; i < 8; i++) {
      const left = sums.in[i]! - sums.out[i]!;
      assert(Math.abs(feedback.residual[i]! - left) <= 1e-3, `parameter ${i}`);
    }
  }));
});

Deno.test("ErrorFeedback: what a half cannot hold stays in the residual", () => {
  const feedback = new ErrorFeedback(2, 1);
  feedback.accumulate(Float32Array.of(1 + 2 ** -12, 0));
  feedback.sent(asReceived(topK(feedback.residual, 1), CODEC_V1));
  assert.deepEqual([...feedback.residual], [2 ** -12, 0]);
});

Deno.test("ErrorFeedback: decays what it kept, and starts from a stored residual", () => {
  const feedback = new ErrorFeedback(Float32Array.of(8, -4), 0.5);
  feedback.accumulate(Float32Array.of(1, 1));
  assert.deepEqual([...feedback.residual], [5, -1]);
});

Deno.test("ErrorFeedback: refuses what would spoil the residual, and keeps it", () => {
  const feedback = new ErrorFeedback(Float32Array.of(1, 3.4e38), 1);
  const before = [...feedback.residual];
  for (const bad of [[NaN, 0], [1, Infinity], [1, 3.4e38]]) {
    assert.throws(() => feedback.accumulate(Float32Array.from(bad)), RangeError);
  }
  assert.throws(() => feedback.accumulate(new Float32Array(3)), RangeError);
  const update = { total: 3, indices: Uint32Array.of(0), values: Float32Array.of(1) };
  assert.throws(() => feedback.sent(update), RangeError);
  assert.deepEqual([...feedback.residual], before);
  for (const decay of [-0.1, 1.1, NaN]) {
    assert.throws(() => new ErrorFeedback(1, decay), RangeError);
  }
  assert.throws(() => new ErrorFeedback(Float32Array.of(NaN), 1), RangeError);
});
