import assert from "node:assert/strict";
import { cacheFolder, FrameworkFetcher, frameworkKey, loadFramework } from "./framework.ts";

const env = (values: Record<string, string>) => (name: string) => values[name];

Deno.test("cacheFolder: is the user's, as each system has it", () => {
  assert.equal(cacheFolder(env({ HOME: "/h" }), "linux"), "/h/.cache/vramhub/move");
  assert.equal(
    cacheFolder(env({ HOME: "/h", XDG_CACHE_HOME: "/c" }), "linux"),
    "/c/vramhub/move",
  );
  assert.equal(cacheFolder(env({ HOME: "/h" }), "darwin"), "/h/Library/Caches/vramhub/move");
  assert.equal(cacheFolder(env({ LOCALAPPDATA: "L" }), "windows"), "L/vramhub/move");
});

Deno.test("loadFramework: takes what the cache has, and asks nobody", async () => {
  const cache = await Deno.makeTempDir({ prefix: "vramhub-" });
  try {
    const folder = `${cache}/framework-${frameworkKey()}`;
    for (const name of ["move-stdlib", "sui-framework"]) {
      await Deno.mkdir(`${folder}/${name}/sources`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${name}/Move.toml`, name);
      await Deno.writeTextFile(`${folder}/${name}/sources/x.move`, "module a::x;");
    }
    await Deno.writeTextFile(`${folder}/ORIGIN`, "a test");
    assert.deepEqual(await loadFramework(cache), {
      origin: "a test",
      packages: {
        "move-stdlib": { "Move.toml": "move-stdlib", "sources/x.move": "module a::x;" },
        "sui-framework": { "Move.toml": "sui-framework", "sources/x.move": "module a::x;" },
      },
    });
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("FrameworkFetcher: refuses every other package and commit", async () => {
  const fetcher = new FrameworkFetcher({ origin: "", packages: { "sui-framework": { a: "b" } } });
  const sui = "https://github.com/MystenLabs/sui.git";
  await assert.rejects(fetcher.fetch(sui, "main", "crates/sui-framework/packages/sui-framework"));
  await assert.rejects(fetcher.fetch("https://example.org/x.git", "main"), TypeError);
});
