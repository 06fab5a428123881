/**
 * What a gradient passes through on its way: top-k, half precision, the three codecs, SHA-256.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { sha256 as portableSha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { fromF16Array, toF16Array } from "../../../enclave/protocol/f16.ts";
import { paramManifest } from "../../../enclave/model/params.ts";
import { PRESETS } from "../../../enclave/model/presets.ts";
import {
  CODEC_TEMPLAR,
  CODEC_V1,
  CODEC_V2,
  decodeGradient,
  encodeTemplar,
  encodeV1,
  encodeV2,
  type SparseUpdate,
} from "../../../enclave/protocol/gradient/mod.ts";
import { compressTemplar } from "../../../miner/compress/templar.ts";
import { countOf, topK } from "../../../miner/compress/topk.ts";
import { type Figure, medianMs, ms, percent, uniform } from "../figures.ts";
import { randomUpdate } from "../updates.ts";

/** nano-GPT's parameters. */
const NANO = 49_252_224;
const TEN_MILLION = 10_000_000;

/** Magnitudes over many powers of two, as gradients have them. */
function gradientLike(n: number): Float32Array {
  const draw = uniform(1);
  const values = new Float32Array(n);
  for (let i = 0; i < n; i++) values[i] = (draw() - 0.5) ** 5;
  return values;
}

async function* topk(values: Float32Array): AsyncGenerator<Figure> {
  for (const [size, n] of [["10 M", TEN_MILLION], ["49 M", NANO]] as const) {
    const part = values.subarray(0, n);
    yield ms(`top 1 % of ${size}`, await medianMs(() => topK(part, countOf(n, 1)), { runs: 9 }));
  }
}

async function* halves(values: Float32Array): AsyncGenerator<Figure> {
  const part = values.subarray(0, TEN_MILLION);
  const bits = toF16Array(part);
  yield ms("f16 of 10 M float32", await medianMs(() => toF16Array(part)));
  yield ms("float32 of 10 M f16", await medianMs(() => fromF16Array(bits)));
}

async function* codecs(): AsyncGenerator<Figure> {
  const update = randomUpdate(NANO, Math.floor(NANO / 100), 2);
  const meta = { uid: 1, window: 1n, baseHash: new Uint8Array(32) };
  const [v1, v2] = [encodeV1(update), encodeV2(update, meta)];
  const expect = { total: NANO, maxBytes: 1 << 26 };
  const sizes = [["version 1", CODEC_V1, v1], ["version 2", CODEC_V2, v2]] as const;
  for (const [name, codec, bytes] of sizes) {
    const time = await medianMs(() => decodeGradient(bytes, { ...expect, codec }), { runs: 15 });
    yield ms(`decode 492,522 entries, ${name}`, time);
    const value = bytes.length / 2 ** 20;
    yield { name: `size of 492,522 entries, ${name}`, value, unit: "MiB", better: "less" };
  }
  yield ms("encode 492,522 entries, version 1", await medianMs(() => encodeV1(update)));
  yield ms("encode 492,522 entries, version 2", await medianMs(() => encodeV2(update, meta)));
}

/** The same number of entries of the same gradient in versions 2 and 3: bytes, and what is left of its energy. */
async function* templar(values: Float32Array): AsyncGenerator<Figure> {
  const shapes = paramManifest(PRESETS["nano-gpt"]).params.map(({ shape }) => shape);
  const meta = { uid: 1, window: 1n, baseHash: new Uint8Array(32) };
  const of = (dct: boolean) => compressTemplar(values, shapes, { percent: 1, dct });
  const started = performance.now();
  const { gradient, update } = of(false);
  yield ms("compress nano-GPT to version 3", performance.now() - started);
  const count = update.indices.length;
  const same = topK(values, count);
  const sizes = [["2", same, encodeV2(same, meta)], ["3", update, encodeTemplar(gradient, meta)]];
  for (
    const [version, { indices, values: sent }, bytes] of sizes as [string, SparseUpdate, Bytes][]
  ) {
    const name = `as many entries, 1 % of nano-GPT, version ${version}`;
    yield { name: `${name}: bytes`, value: bytes.length, unit: "B", better: "less" };
    let [all, left] = [0, 0];
    for (const value of values) all += value * value;
    indices.forEach((index, j) => left += (values[index]! - sent[j]!) ** 2 - values[index]! ** 2);
    yield percent(`${name}: energy sent`, -left / all, "more");
  }
  for (const dct of [false, true]) {
    const bytes = encodeTemplar(dct ? of(true).gradient : gradient, meta);
    const expect = { codec: CODEC_TEMPLAR, total: NANO, maxBytes: 52_428_800 };
    const time = await medianMs(() => decodeGradient(bytes, expect), { runs: 5, warmup: 1 });
    yield ms(`decode 1 % of nano-GPT, version 3${dct ? ", with DCT" : ""}`, time);
  }
}

async function* hashing(): AsyncGenerator<Figure> {
  const bytes = new Uint8Array(64 << 20);
  const ways = [
    ["node:crypto", () => createHash("sha256").update(bytes).digest()],
    ["portable", () => portableSha256(bytes)],
  ] as const;
  for (const [name, hash] of ways) {
    const value = bytes.length / await medianMs(hash, { runs: 5, warmup: 1 }) / 1e6;
    yield { name: `SHA-256, ${name}`, value, unit: "GB/s", better: "more" };
  }
}

/** The figures. */
export async function* compression(): AsyncGenerator<Figure> {
  const values = gradientLike(NANO);
  yield* topk(values);
  yield* halves(values);
  yield* codecs();
  yield* templar(values);
  yield* hashing();
}
