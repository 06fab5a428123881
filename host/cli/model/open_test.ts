import assert from "node:assert/strict";
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { PRESETS } from "../../../enclave/model/presets.ts";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { PACKAGE_DIR, recordedPackage } from "../../../tests/support/package.ts";
import { openModel } from "./open.ts";

const opened = await recordedPackage();
const preset = { model: "tiny", modelHash: modelHash(PRESETS.tiny) };

/** A data directory with the recorded package; gone when disposed of. */
async function dataDir(): Promise<AsyncDisposable & { dir: string }> {
  const dir = await Deno.makeTempDir();
  await Deno.symlink(PACKAGE_DIR, `${dir}/model`);
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

Deno.test("openModel: a preset needs no folder, and a judge takes nothing of it by hash", async () => {
  assert.deepEqual(await openModel(preset, "nowhere"), { model: PRESETS.tiny, modelBlobs: [] });
});

Deno.test("openModel: a package is known by its hash, whatever it is called", async () => {
  await using data = await dataDir();
  for (const model of ["mine", "tiny"]) {
    const found = await openModel({ model, modelHash: opened.hash }, data.dir);
    assert.deepEqual(found.model, opened.config);
    assert.equal(found.modelBlobs.length, 2);
  }
});

Deno.test("openModel: another package, or none, is refused with what to do", async () => {
  await using data = await dataDir();
  const other = { model: "mine", modelHash: preset.modelHash };
  await assert.rejects(openModel(other, data.dir), {
    code: "wrong_model",
    message: new RegExp(`the network's model ${toHex(preset.modelHash)}: put that one there`),
  });
  await assert.rejects(openModel(other, `${data.dir}/none`), { code: "bad_package" });
});
