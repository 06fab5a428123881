import assert from "node:assert/strict";
import { cacheFolder, kernelFlags } from "./machine.ts";
import { medianMs, quantile } from "./figures.ts";

Deno.test("kernelFlags: finds those that choose kernels, on both architectures", () => {
  const x86 = "model name\t: Example\nflags\t\t: fpu avx2 avx512f fma sha_ni nx f16c\n";
  assert.deepEqual(kernelFlags(x86), ["avx2", "avx512f", "f16c", "fma", "sha_ni"]);
  assert.deepEqual(kernelFlags("Features\t: fp asimd sha2 bf16\n"), ["asimd", "bf16", "sha2"]);
  assert.deepEqual(kernelFlags(""), []);
});

Deno.test("cacheFolder: is where each system keeps caches", () => {
  const env = (values: Record<string, string>) => (name: string) => values[name];
  assert.equal(cacheFolder("x", env({ HOME: "/h" }), "linux"), "/h/.cache/x");
  assert.equal(cacheFolder("x", env({ HOME: "/h", XDG_CACHE_HOME: "/c" }), "linux"), "/c/x");
  assert.equal(cacheFolder("x", env({ HOME: "/h" }), "darwin"), "/h/Library/Caches/x");
  assert.equal(cacheFolder("x", env({ LOCALAPPDATA: "C:/l" }), "windows"), "C:/l/x");
});

Deno.test("quantile: is the smallest value that the share does not exceed", () => {
  const values = [5, 1, 4, 2, 3];
  assert.deepEqual([0, 0.2, 0.5, 0.99, 1].map((q) => quantile(values, q)), [1, 1, 3, 5, 5]);
  assert.throws(() => quantile([], 0.5), RangeError);
});

Deno.test("medianMs: runs its warm-up and its runs", async () => {
  let calls = 0;
  const time = await medianMs(() => calls++, { runs: 3, warmup: 2 });
  assert.equal(calls, 5);
  assert.ok(time >= 0);
});
