import { equal, throws } from "node:assert/strict";
import { paramManifest } from "./params.ts";
import { checkConfig, pageTokens, presetByName, PRESETS } from "./presets.ts";

Deno.test("presetByName: knows its presets and lists them in the refusal", () => {
  equal(presetByName("tiny"), PRESETS.tiny);
  throws(() => presetByName("huge"), {
    name: "RangeError",
    message:
      "Cannot find a model as 'name' must be one of nano-gpt, small, tiny: current value is huge",
  });
  throws(() => presetByName("toString"), RangeError);
});

Deno.test("pageTokens: a page holds the last input's target too", () => {
  equal(pageTokens(PRESETS["nano-gpt"]), 257);
});

Deno.test("checkConfig: refuses what no graph can be emitted for", () => {
  for (const field of ["vocab", "layers", "dims", "heads", "context", "batch"] as const) {
    for (const value of [0, -1, 1.5, NaN]) {
      throws(() => checkConfig({ ...PRESETS.tiny, [field]: value }), RangeError);
    }
  }
  throws(() => checkConfig({ ...PRESETS.tiny, heads: 3 }), RangeError);
});

Deno.test("paramManifest: nano-gpt has 49,252,224 parameters", () => {
  equal(paramManifest(PRESETS["nano-gpt"]).total, 49_252_224);
});

Deno.test("paramManifest: names ascend and tensors lie without gaps", () => {
  for (const config of [...Object.values(PRESETS), { ...PRESETS.tiny, layers: 12 }]) {
    const { params, total } = paramManifest(config);
    let end = 0;
    let before = "";
    for (const { name, shape, offset, size } of params) {
      equal(name > before, true);
      equal(offset, end);
      equal(size, shape.reduce((a, b) => a * b));
      end += size;
      before = name;
    }
    equal(end, total);
    equal(new Set(params.map((p) => p.name)).size, 12 * config.layers + 4);
  }
});
