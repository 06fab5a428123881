import assert from "node:assert/strict";
import { LEDGER_ERRORS } from "../../enclave/protocol/errors.ts";

/** Constants that no call can meet, and why. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  "score_ledger::EPreviousOpen":
    "by the clock alone: the outcomes of N-1 end in N, and reports of N are taken from N+1 on, whose roll closed N-1",
};

Deno.test("LEDGER_ERRORS: every constant is refused with by at least one test of this folder", async () => {
  let sources = "";
  for (const folder of [".", "./dev"]) {
    const url = new URL(`${folder}/`, import.meta.url);
    for await (const { name } of Deno.readDir(url)) {
      if (!name.endsWith("_test.ts") || name === "errors_test.ts") continue;
      sources += await Deno.readTextFile(new URL(name, url));
    }
  }
  const all = Object.entries(LEDGER_ERRORS)
    .flatMap(([module, codes]) => Object.keys(codes).map((name) => `${module}::${name}`));
  const untested = all.filter((name) => !sources.includes(`"${name}"`));
  assert.deepEqual(untested, Object.keys(UNREACHABLE));
});
