import assert from "node:assert/strict";
import { parseDotenv } from "./dotenv.ts";
import { envFile } from "./env_file.ts";
import { Config, NAMES, type Variable, VARIABLES } from "./mod.ts";

Deno.test("envFile: sets nothing, and offers every setting that does something once", () => {
  const text = envFile();
  assert.deepEqual(parseDotenv(text, "the file"), []);
  const offered = [...text.matchAll(/^#VRAMHUB_(\w+)=/gm)].map(([, name]) => name!);
  const used = NAMES.filter((name) => (VARIABLES[name] as Variable<unknown>).unused === undefined);
  assert.deepEqual(offered.toSorted(), [...used].sort());
});

Deno.test("envFile: with every # taken off, it sets each default and leaves the rest open", () => {
  const lines = parseDotenv(envFile().replaceAll(/^#(?=VRAMHUB_)/gm, ""), "the file");
  const values = Object.fromEntries(lines.map(({ name, value }) => [name, value]));
  const config = new Config([{ name: "the file", values }]);
  for (const name of NAMES) {
    assert.deepEqual(config.get(name), new Config([]).get(name), name);
  }
});
