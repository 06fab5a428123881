/**
 * The first weights of a model, from its hash alone, so that anyone can compute them again.
 *
 * The rule. seed = SHA-256(model hash). Tensor by tensor, in the manifest's order:
 * - `*.bias` is 0; the weight of a layer norm (`ln_*.weight`) is 1.
 * - Any other tensor is uniform in [−a, a) with a = fround(σ·√3): a standard deviation of σ = 0.02, as GPT-2 has it;
 *   σ = 0.01 for positions (`wpe.weight`), and σ = 0.02/√(2·layers) for the projections that write into the residual
 *   stream (`*.c_proj.weight`). Its generator is xoshiro128** (Blackman and Vigna 2018,
 *   https://prng.di.unimi.it/xoshiro128starstar.c), whose state is the first 16 bytes, as four u32le, of
 *   `SHA-256("vramhub/genesis/v1" ‖ seed ‖ name)`. Element by element, row-major, one output r gives
 *   `fround(((r >>> 8) − 2^23) · 2^−23 · a)`: everything before the last rounding is exact.
 *
 * @module
 */
import { utf8 } from "../protocol/bytes.ts";
import { sha256, tagged } from "../protocol/hash.ts";
import { type Param, paramManifest } from "./params.ts";
import type { ModelConfig } from "./presets.ts";

const STD = 0.02;
const POSITION_STD = 0.01;

function standardDeviation(config: ModelConfig, name: string): number {
  if (name === "wpe.weight") return POSITION_STD;
  if (name.endsWith(".c_proj.weight")) return STD / Math.sqrt(2 * config.layers);
  return STD;
}

/** Fill `out` with uniform values in [−a, a). */
function uniform(out: Float32Array, state: DataView, a: number): void {
  let s0 = state.getUint32(0, true) | 0;
  let s1 = state.getUint32(4, true) | 0;
  let s2 = state.getUint32(8, true) | 0;
  let s3 = state.getUint32(12, true) | 0;
  const step = a * 2 ** -23;
  for (let i = 0; i < out.length; i++) {
    const five = Math.imul(s1, 5);
    const r = Math.imul((five << 7) | (five >>> 25), 9);
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = (s3 << 11) | (s3 >>> 21);
    out[i] = ((r >>> 8) - 0x800000) * step;
  }
}

function fill(config: ModelConfig, param: Param, out: Float32Array, seed: Uint8Array): void {
  const { name } = param;
  if (name.endsWith(".bias")) {
    out.fill(0);
  } else if (/(^|\.)ln_[^.]*\.weight$/.test(name)) {
    out.fill(1);
  } else {
    const state = tagged("vramhub/genesis/v1", seed, utf8(name));
    const a = Math.fround(standardDeviation(config, name) * Math.sqrt(3));
    uniform(out, new DataView(state.buffer, state.byteOffset), a);
  }
}

/**
 * The first weights θ of `config`, whose model hash is `modelHash` (32 bytes): a new flat array. Those of a package come
 * with it; its hash names them.
 *
 * @throws {TypeError} where a package came without them.
 */
export function genesisWeights(
  config: ModelConfig,
  modelHash: Uint8Array,
): Float32Array<ArrayBuffer> {
  if (config.package !== undefined) {
    const { start } = config.package;
    if (start === undefined) throw new TypeError("The package came without its first weights");
    return start.slice();
  }
  const manifest = paramManifest(config);
  const theta = new Float32Array(manifest.total);
  const seed = sha256(modelHash);
  for (const param of manifest.params) {
    fill(config, param, theta.subarray(param.offset, param.offset + param.size), seed);
  }
  return theta;
}
