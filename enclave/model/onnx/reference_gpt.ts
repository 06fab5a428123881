/**
 * The same GPT in plain TypeScript, one number at a time in float64, written from the papers and not from the graph:
 * the tests hold the graph against it. Far too slow for anything else.
 *
 * @module
 */
import { paramManifest } from "../params.ts";
import type { ModelConfig } from "../presets.ts";

type Matrix = number[][];

/** erf by its Maclaurin series, which converges everywhere and is exact to 1e-12 for |x| < 4. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
  }
  return 2 / Math.sqrt(Math.PI) * sum;
}

function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const e = row.map((x) => Math.exp(x - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / sum);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

/** Negative log-likelihoods in nats of one page of `context + 1` tokens, under weights `theta`. */
export function referenceLosses(
  config: ModelConfig,
  theta: ArrayLike<number>,
  page: Uint32Array,
): number[] {
  const { dims, heads, context, layers } = config;
  const params = new Map(paramManifest(config).params.map((p) => [p.name, p]));
  const vector = (name: string) => {
    const { offset, size } = params.get(name)!;
    return Array.from({ length: size }, (_, i) => theta[offset + i]!);
  };
  const matrix = (name: string): Matrix => {
    const [rows, columns] = params.get(name)!.shape as [number, number];
    const flat = vector(name);
    return Array.from({ length: rows }, (_, r) => flat.slice(r * columns, (r + 1) * columns));
  };
  const dense = (x: Matrix, at: string): Matrix => {
    const w = matrix(`${at}.weight`);
    const b = vector(`${at}.bias`);
    return x.map((row) => b.map((bias, o) => bias + dot(row, w.map((input) => input[o]!))));
  };
  const norm = (x: Matrix, at: string): Matrix => {
    const w = vector(`${at}.weight`);
    const b = vector(`${at}.bias`);
    return x.map((row) => {
      const mean = row.reduce((a, v) => a + v, 0) / dims;
      const variance = row.reduce((a, v) => a + (v - mean) ** 2, 0) / dims;
      return row.map((v, i) => (v - mean) / Math.sqrt(variance + 1e-5) * w[i]! + b[i]!);
    });
  };
  const attention = (x: Matrix, at: string): Matrix => {
    const qkv = dense(x, `${at}.c_attn`);
    const width = dims / heads;
    const mixed = x.map(() => Array<number>(dims).fill(0));
    for (let h = 0; h < heads; h++) {
      const part = (row: number[], which: number) =>
        row.slice(which * dims + h * width, which * dims + (h + 1) * width);
      for (let t = 0; t < context; t++) {
        const q = part(qkv[t]!, 0);
        const seen = qkv.slice(0, t + 1);
        const p = softmax(seen.map((row) => dot(q, part(row, 1)) / Math.sqrt(width)));
        for (let i = 0; i < width; i++) {
          mixed[t]![h * width + i] = dot(p, seen.map((row) => part(row, 2)[i]!));
        }
      }
    }
    return dense(mixed, `${at}.c_proj`);
  };
  const mlp = (x: Matrix, at: string): Matrix => {
    const hidden = dense(x, `${at}.c_fc`);
    return dense(
      hidden.map((row) => row.map((v) => v * (1 + erf(v / Math.SQRT2)) / 2)),
      `${at}.c_proj`,
    );
  };
  const plus = (a: Matrix, b: Matrix): Matrix =>
    a.map((row, r) => row.map((v, i) => v + b[r]![i]!));

  const wte = matrix("wte.weight");
  const wpe = matrix("wpe.weight");
  let x: Matrix = Array.from(
    { length: context },
    (_, t) => wte[page[t]!]!.map((v, i) => v + wpe[t]![i]!),
  );
  for (let l = 0; l < layers; l++) {
    x = plus(x, attention(norm(x, `h.${l}.ln_1`), `h.${l}.attn`));
    x = plus(x, mlp(norm(x, `h.${l}.ln_2`), `h.${l}.mlp`));
  }
  return norm(x, "ln_f").map((row, t) =>
    -Math.log(softmax(wte.map((token) => dot(row, token)))[page[t + 1]!]!)
  );
}
