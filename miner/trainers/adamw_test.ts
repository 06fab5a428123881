import { deepEqual, equal, ok } from "node:assert/strict";
import { manifestOf } from "../../enclave/model/params.ts";
import { ADAMW, AdamW, globalNorm } from "./adamw.ts";

const close = (a: number, b: number) => ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);
const OPTIONS = { ...ADAMW, epsilon: 1e-8, maxNorm: Infinity };

Deno.test("AdamW.step: two steps computed by hand", () => {
  const theta = Float32Array.of(1);
  const optimiser = new AdamW(manifestOf({ a: [1] }), OPTIONS);
  // Step 1, g = 0.5: m = 0.05, v = 0.0125; m̂ = 0.5, v̂ = 0.25; a vector does not decay: θ = 1 − 0.1·0.5/0.5.
  optimiser.step(theta, Float32Array.of(0.5), 0.1);
  close(theta[0]!, 0.9);
  // Step 2, g = −0.3: m = 0.045 − 0.03 = 0.015, v = 0.011875 + 0.0045 = 0.016375;
  // m̂ = 0.015/0.19 = 0.0789474, v̂ = 0.016375/0.0975 = 0.1679487; θ = 0.9 − 0.1·0.0789474/0.4098155.
  optimiser.step(theta, Float32Array.of(-0.3), 0.1);
  close(theta[0]!, 0.8807359);
});

Deno.test("AdamW.step: decays matrices and not vectors", () => {
  const theta = Float32Array.of(1, 1);
  const optimiser = new AdamW(manifestOf({ a: [1, 1], b: [1] }), OPTIONS);
  optimiser.step(theta, Float32Array.of(0, 0), 0.1);
  close(theta[0]!, 1 - 0.1 * 0.1);
  equal(theta[1], 1);
});

Deno.test("AdamW.step: a longer gradient is scaled down to the bound", () => {
  const manifest = manifestOf({ a: [2] });
  const options = { ...ADAMW, epsilon: 1, maxNorm: 1 };
  const clipped = new Float32Array(2);
  const scaled = new Float32Array(2);
  equal(new AdamW(manifest, options).step(clipped, Float32Array.of(30, 40), 0.1), 50);
  new AdamW(manifest, options).step(scaled, Float32Array.of(0.6, 0.8), 0.1);
  close(clipped[0]!, scaled[0]!);
  close(clipped[1]!, scaled[1]!);
});

Deno.test("AdamW.reset: forgets the moments", () => {
  const manifest = manifestOf({ a: [3] });
  const gradient = Float32Array.of(1, -2, 3);
  const used = new AdamW(manifest);
  used.step(new Float32Array(3), Float32Array.of(9, 9, 9), 0.1);
  used.reset();
  const [a, b] = [new Float32Array(3), new Float32Array(3)];
  used.step(a, gradient, 0.1);
  new AdamW(manifest).step(b, gradient, 0.1);
  deepEqual(a, b);
});

Deno.test("globalNorm: Euclidean", () => equal(globalNorm(Float32Array.of(3, 0, -4)), 5));
