import assert from "node:assert/strict";
import { read } from "./sources.ts";

Deno.test("CONTRIBUTING: the walkthrough shows lines that the example has", () => {
  const shown = [...read("CONTRIBUTING.md").matchAll(/^ *```text\n([^]*?)^ *```$/gm)]
    .flatMap(([, body]) => body!.split("\n").map((line) => line.trim()).filter((line) => line));
  assert.ok(shown.length > 8, `${shown.length} lines are shown`);
  const example = read("miner/adapters/example.ts").split("\n").map((line) => line.trim());
  assert.deepEqual(shown.filter((line) => !example.includes(line)), []);
});
