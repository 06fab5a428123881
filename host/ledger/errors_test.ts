import assert from "node:assert/strict";
import { LEDGER_ERRORS } from "../../enclave/protocol/errors.ts";

Deno.test("LEDGER_ERRORS: every constant is refused with by at least one test, here or in Move", async () => {
  let sources = "";
  const contracts = new URL("../../contracts/tests/", import.meta.url);
  for await (const { name } of Deno.readDir(contracts)) {
    if (!name.endsWith(".move")) continue;
    const text = await Deno.readTextFile(new URL(name, contracts));
    for (const [, constant] of text.matchAll(/abort_code = (?:vramhub::)?(\w+::E\w+)/g)) {
      sources += `"${constant}"\n`;
    }
  }
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
  assert.deepEqual(untested, []);
});
