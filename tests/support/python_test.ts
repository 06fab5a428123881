import { deepEqual, equal, ok } from "node:assert/strict";

const TEXT = Deno.readTextFileSync(new URL("./requirements.txt", import.meta.url));

Deno.test("requirements.txt: every package is pinned to one version and held to hashes", () => {
  const packages = TEXT.replaceAll("\\\n", "").split("\n").filter((line) =>
    line !== "" && !line.startsWith("#")
  );
  const loose = packages.filter((line) =>
    !/^[\w.-]+==[\w.]+( ; [^-]+?)?(\s+--hash=sha256:[0-9a-f]{64})+$/.test(line.trim())
  );
  deepEqual(loose, []);
  const names = packages.map((line) => line.split("==")[0]!);
  const wanted = ["torch", "transformers", "numpy", "safetensors", "onnx", "onnxscript"];
  for (const name of [...wanted, "onnxruntime"]) ok(names.includes(name), name);
  equal(names.length > 20, true);
});
