import assert from "node:assert/strict";
import { parseEifArgs } from "./args_eif.ts";
import { parseRebuildArgs } from "./args_rebuild.ts";
import { ending } from "./testing.ts";

Deno.test("parseEifArgs: takes an image, and everything that it is held against", () => {
  const none = { against: undefined, sbom: undefined, list: false, json: false };
  assert.deepEqual(parseEifArgs(["eif", "x.eif"]), { ...none, image: "x.eif" });
  const argv = ["eif", "--against", "p.json", "--sbom", "s.json", "--list", "--json", "x.eif"];
  assert.deepEqual(parseEifArgs(argv), {
    image: "x.eif",
    against: "p.json",
    sbom: "s.json",
    list: true,
    json: true,
  });
});

Deno.test("parseRebuildArgs: takes a reference, a folder and whether to go by the pins", () => {
  const none = { against: undefined, out: undefined, unpinned: false, json: false };
  assert.deepEqual(parseRebuildArgs(["rebuild"]), none);
  const argv = ["rebuild", "--against", "x.eif", "--out", "d", "--unpinned", "--json"];
  assert.deepEqual(parseRebuildArgs(argv), {
    against: "x.eif",
    out: "d",
    unpinned: true,
    json: true,
  });
});

Deno.test("parseEifArgs, parseRebuildArgs: a wrong call ends with status 2, help with 0", () => {
  for (const argv of [["eif"], ["eif", "a", "b"], ["eif", "a", "--against"], ["eif", "a", "-x"]]) {
    assert.equal(ending(parseEifArgs, argv).status, 2, argv.join(" "));
  }
  assert.equal(ending(parseRebuildArgs, ["rebuild", "x"]).status, 2);
  const help = ending(parseEifArgs, ["eif", "--help"]);
  assert.equal(help.status, 0);
  assert.match(help.text, /deno task audit eif vramhub-enclave\.eif --against pcrs\.json/);
  assert.match(help.text, /3 {2}its measurements are not approved/);
  const rebuild = ending(parseRebuildArgs, ["rebuild", "--help"]);
  assert.equal(rebuild.status, 0);
  assert.match(rebuild.text, /deno task audit rebuild --against vramhub-enclave\.eif/);
});
