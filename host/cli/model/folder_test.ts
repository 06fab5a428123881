import assert from "node:assert/strict";
import { PACKAGE_DIR, recordedPackage } from "../../../tests/support/package.ts";
import { sha256 } from "../../../enclave/protocol/hash.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { packageBlobs, readManifest, readPackage } from "./folder.ts";
import { parseManifest, parseShape } from "./manifest.ts";

const FILES = ["manifest.json", "graph.onnx", "base.safetensors", "frozen.safetensors"];

/** A copy of the recorded package, changed by `change`; gone when disposed of. */
async function copied(
  change: (dir: string) => Promise<void>,
): Promise<AsyncDisposable & { dir: string }> {
  const dir = await Deno.makeTempDir();
  for (const file of FILES) await Deno.copyFile(`${PACKAGE_DIR}/${file}`, `${dir}/${file}`);
  await change(dir);
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

const text = await Deno.readTextFile(`${PACKAGE_DIR}/manifest.json`);

function fault(change: (json: Record<string, unknown>) => void): string {
  const json = JSON.parse(text);
  change(json);
  try {
    parseManifest(JSON.stringify(json));
    return "taken";
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.code, "bad_package");
    return error.field!;
  }
}

Deno.test("readPackage: the recorded package, and what a judge is given of it", async () => {
  const opened = await recordedPackage();
  const { frozenChunks, graph, trainable } = opened.config.package;
  assert.equal(opened.theta.length, trainable.total);
  const hashes = packageBlobs(opened).map(({ bytes, hash }) => {
    assert.deepEqual(sha256(bytes), hash);
    return hash;
  });
  assert.deepEqual(hashes, [graph, ...frozenChunks]);
});

Deno.test("readPackage: a byte changed, more or missing in any file is refused", async () => {
  for (const file of FILES.slice(1)) {
    const bytes = await Deno.readFile(`${PACKAGE_DIR}/${file}`);
    const changed = bytes.slice();
    changed[changed.length - 1]! ^= 1;
    for (const content of [changed, bytes.slice(1), new Uint8Array([...bytes, 0]), null]) {
      await using copy = await copied((dir) =>
        content === null ? Deno.remove(`${dir}/${file}`) : Deno.writeFile(`${dir}/${file}`, content)
      );
      await assert.rejects(readPackage(copy.dir), { code: "bad_package", field: file });
    }
  }
});

Deno.test("readPackage: a manifest that names another hash, or other parameters, is refused", async () => {
  const changes: ((json: string) => string)[] = [
    (json) => json.replace(/"hash": "./, '"hash": "0'),
    (json) => json.replace(/"vocab": 128/, '"vocab": 127'),
    (json) => json.replace("h.1.attn.c_attn.bias", "h.1.attn.c_attn.bial"),
    (json) => json.replace('"trainable": true', '"trainable": false'),
  ];
  for (const change of changes) {
    const json = change(text);
    assert.notEqual(json, text);
    await using copy = await copied((dir) => Deno.writeTextFile(`${dir}/manifest.json`, json));
    await assert.rejects(readPackage(copy.dir), { name: "Refusal" });
  }
});

Deno.test("parseManifest: names the field that is wrong", () => {
  assert.equal(fault(() => {}), "taken");
  assert.equal(fault((json) => json.format = "vramhub-package/2"), "format");
  assert.equal(fault((json) => json.hash = "x"), "hash");
  assert.equal(fault((json) => json.dimensions = {}), "dimensions.vocab");
  assert.equal(fault((json) => json.roles = { tokens: "input_ids" }), "roles.tokens");
  assert.equal(fault((json) => json.files = {}), "files.graph.onnx");
  assert.equal(fault((json) => json.parameters = {}), "parameters");
  assert.equal(
    fault((json) => json.parameters = [{ name: "a", shape: [-1], trainable: true }]),
    "parameters[0].shape",
  );
  assert.equal(
    fault((json) => json.parameters = [{ name: "a", shape: [1] }]),
    "parameters[0].trainable",
  );
  assert.throws(() => parseManifest("{"), { code: "bad_package" });
  assert.equal(parseShape(text).trained, "last:1");
});

Deno.test("readManifest: a folder without one is refused, with its name", async () => {
  const dir = await Deno.makeTempDir();
  await assert.rejects(readManifest(dir), { code: "bad_package", field: "manifest.json" });
  await Deno.remove(dir);
});
