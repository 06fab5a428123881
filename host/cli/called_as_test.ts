import assert from "node:assert/strict";
import { calledAs } from "./called_as.ts";

Deno.test("calledAs: names commands as install.sh put them on PATH, and leaves the others", () => {
  const text = "Usage: deno task validator --x, deno task vramhub status, deno task audit, " +
    "deno task enclave:run, deno task test:localnet";
  assert.equal(calledAs(text, false), text);
  assert.equal(
    calledAs(text, true),
    "Usage: vram-validator --x, vram-cli status, vram-audit, " +
      "deno task enclave:run, deno task test:localnet",
  );
});
