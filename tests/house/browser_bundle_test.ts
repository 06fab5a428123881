import assert from "node:assert/strict";
import { isPortable } from "./directions.ts";
import { deno, modules, ROOT } from "./sources.ts";

/** The modules under `folder` that a page imports: its `mod.ts`, or every module where there is none. */
function entries(folder: string): string[] {
  const portable = modules().filter((path) => path.startsWith(folder) && isPortable(path));
  return portable.includes(`${folder}mod.ts`) ? [`${folder}mod.ts`] : portable;
}

/**
 * One browser script that imports all of `paths`; packages included. The bundler (esbuild, as Deno brings it) comes
 * from the npm registry on first use, like every other package.
 */
async function bundle(paths: readonly string[]): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-" });
  try {
    const entry = `${dir}/page.ts`;
    const lines = paths.map((path, i) =>
      `import * as m${i} from ${JSON.stringify(new URL(path, ROOT).href)};\n`
    );
    const names = paths.map((_, i) => `...Object.keys(m${i})`).join(", ");
    await Deno.writeTextFile(
      entry,
      `${
        lines.join("")
      }(globalThis as { report?: (names: string[]) => void }).report?.([${names}]);\n`,
    );
    const config = new URL("deno.json", ROOT).pathname;
    const args = ["--quiet", "--platform", "browser", "--config", config, "-o", `${dir}/page.js`];
    const { success, stderr } = await deno("bundle", ...args, entry);
    assert(success, `Cannot bundle ${paths.join(", ")}: ${stderr}`);
    return await Deno.readTextFile(`${dir}/page.js`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Names that only Deno or Node have: taken away from the worker before the page's script runs. */
const RUNTIME = [
  "Deno",
  "process",
  "Buffer",
  "global",
  "require",
  "setImmediate",
  "clearImmediate",
];

/** The names that the bundle exports, from a worker that has no more than a browser's has. */
async function evaluate(script: string): Promise<string[]> {
  const hide = RUNTIME.map((name) => `delete globalThis.${name};`).join("");
  const report = "globalThis.report = (names) => postMessage(names);";
  const source = `${hide}${report}await import(${JSON.stringify(dataUrl(script))});`;
  const worker = new Worker(dataUrl(source), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
  } finally {
    worker.terminate();
  }
}

function dataUrl(script: string): string {
  return `data:text/javascript;charset=utf-8,${encodeURIComponent(script)}`;
}

for (const folder of ["enclave/protocol/", "attestation/"]) {
  Deno.test(`browser: ${folder} bundles for a browser and runs without Deno or Node`, async () => {
    const script = await bundle(entries(folder));
    assert.doesNotMatch(script, /(from|import|require)\s*\(?\s*"node:/);
    assert((await evaluate(script)).length > 0);
  });
}

Deno.test("browser: the worker that runs the bundles has no Deno and no process", async () => {
  const script = `globalThis.report([typeof Deno, typeof process, typeof Buffer])`;
  assert.deepEqual(await evaluate(script), ["undefined", "undefined", "undefined"]);
});
