import { countOf, topK } from "./topk.ts";

const N = 10_000_000;
/** Magnitudes over many powers of two, as gradients have them. */
const values = new Float32Array(N);
let state = 1;
for (let i = 0; i < N; i++) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  const unit = state / 2 ** 32 - 0.5;
  values[i] = unit ** 5;
}

for (const percent of [0.1, 1, 10]) {
  Deno.bench(`topK: ${percent} % of 10 M`, { group: "topK" }, () => {
    topK(values, countOf(N, percent));
  });
}
