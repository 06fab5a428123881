import assert from "node:assert/strict";
import { manifestOf, paramManifest } from "../../../enclave/model/params.ts";
import { type ModelConfig, PRESETS } from "../../../enclave/model/presets.ts";
import { BLOB_BYTES as JUDGE_BLOB_BYTES } from "../../../enclave/main.ts";
import { DEFAULT_HPARAMS } from "../../../enclave/protocol/hparams.ts";
import { BLOB_BYTES, fitOf } from "./fit.ts";
import type { ModelShape } from "./manifest.ts";
import { fitLines } from "./report.ts";

function shapeOf(config: ModelConfig, frozen = manifestOf({})): ModelShape {
  const { name, ...dimensions } = config;
  return { name, dimensions, trained: "all", trainable: paramManifest(config), frozen };
}

const nano = shapeOf(PRESETS["nano-gpt"]);
const GIB = 2 ** 30;

Deno.test("fitOf: nano-GPT is what the bench and the soak measured of it", () => {
  const fit = fitOf(nano, DEFAULT_HPARAMS);
  assert.deepEqual(fit.faults, []);
  assert.equal(fit.instance?.name, "c5.xlarge");
  assert.equal(Math.round(fit.gflop), 103);
  assert.ok(Math.abs(fit.instance!.lossMs - 573) < 10, `${fit.instance!.lossMs} ms`);
  assert.ok(fit.instance!.miners >= 60 && fit.instance!.miners <= 80);
  assert.ok(fit.memoryBytes > 2.5 * GIB && fit.memoryBytes < 3.5 * GIB);
  assert.ok(Math.abs(fit.gradientBytes[0] / 2 ** 20 - 2.82) < 0.01);
  assert.ok(Math.abs(fit.gradientBytes[1] / 2 ** 20 - 1.55) < 0.01);
});

Deno.test("fitOf: an enclave's judge holds the blobs that it reckons with", () => {
  assert.equal(BLOB_BYTES, JUDGE_BLOB_BYTES);
});

Deno.test("fitOf: more miners take a larger instance, until none is large enough", () => {
  const names = [1, 100, 250].map((miners) => fitOf(nano, DEFAULT_HPARAMS, miners).instance?.name);
  assert.deepEqual(names, ["c5.xlarge", "c5.2xlarge", "c5.4xlarge"]);
  const hparams = { ...DEFAULT_HPARAMS, window_ms: 60_000, beacon_margin_ms: 1_000 };
  assert.equal(
    fitOf(shapeOf({ ...PRESETS["nano-gpt"], layers: 100 }), hparams, 256).instance,
    undefined,
  );
});

Deno.test("fitOf: what cannot be judged says why, and what would help", () => {
  const faults = (shape: ModelShape, hparams = {}) =>
    fitOf(shape, { ...DEFAULT_HPARAMS, ...hparams }).faults.join("\n");
  const large = { a: [2 ** 14, 2 ** 15] };
  const whole = { ...nano, trainable: manifestOf(large) };
  assert.match(faults(whole), /trained weights has 2048\.0 MiB.*--trainable last:N or lora:R/);
  assert.match(faults({ ...nano, frozen: manifestOf(large) }), /frozen weights.*a smaller model/);
  assert.match(faults(nano, { topk_bps: 5_000 }), /a gradient has 140\.\d MiB.*topk_bps 1774 fits/);
  assert.match(faults(shapeOf({ ...PRESETS.tiny, batch: 3 })), /own_pages is 4.*--batch/);
  const slow = { window_ms: 2_000, beacon_margin_ms: 0, report_bps: 500, reveal_bps: 9_990 };
  assert.match(faults(nano, slow), /takes longer.*raise window_ms/);
  const wide = shapeOf({
    ...PRESETS.tiny,
    vocab: 2 ** 20,
    dims: 16,
    heads: 2,
    context: 2 ** 16,
    batch: 4,
  });
  assert.match(faults(wide), /a judge needs \d+\.\d GiB.*c5\.18xlarge has 140/);
});

Deno.test("fitOf: lookups are no work, the head is, tied or not", () => {
  const untied = {
    ...nano,
    trainable: manifestOf({
      ...Object.fromEntries(nano.trainable.params.map(({ name, shape }) => [name, shape])),
      "lm_head.weight": [100_277, 384],
    }),
  };
  const [one, two] = [nano, untied].map((shape) => fitOf(shape, DEFAULT_HPARAMS).gflop);
  assert.equal(one, two);
});

Deno.test("fitLines: calls estimates estimates, and ends with the verdict", () => {
  const about = { hparams: DEFAULT_HPARAMS, miners: 16 };
  const lines = fitLines(nano, fitOf(nano, DEFAULT_HPARAMS, 16), about);
  assert.match(lines[1]!, /estimates/);
  assert.equal(lines.at(-1), "Takes a c5.xlarge to judge 16 gradients a window");
  const odd = shapeOf({ ...PRESETS.tiny, batch: 3 });
  assert.match(fitLines(odd, fitOf(odd, DEFAULT_HPARAMS), about).at(-1)!, /^Cannot be judged: /);
});
