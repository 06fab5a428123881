/** A judge's loss of the recorded package is what PyTorch gave. */
import assert from "node:assert/strict";
import { decodeSafetensors } from "../../enclave/model/safetensors.ts";
import { LossModel } from "../../enclave/model/session.ts";
import { recordedPackage, recordedValues } from "../support/package.ts";

Deno.test("package: the judge's loss is PyTorch's, before and after a step", async () => {
  const { config, frozen, graph, theta } = await recordedPackage();
  const { loss, lossAfter, pages, update } = recordedValues();
  const fixed = decodeSafetensors(config.package.frozen, frozen);
  const model = await LossModel.open(config, graph, fixed, { threads: 1 });
  const mean = async (weights: Float32Array) => {
    const { sum, count } = await model.losses(weights, pages);
    return sum / count;
  };
  assert.ok(Math.abs(await mean(theta) - loss) < 1e-5);
  assert.ok(Math.abs(await mean(theta.map((x, i) => x - update[i]!)) - lossAfter) < 1e-5);
  assert.ok(lossAfter < loss - 1e-3);
  await model.close();
});
