import assert from "node:assert/strict";
import { testNames } from "./docs.ts";
import { read } from "./sources.ts";

/** The tables of the chapter about threats: rows of threat, guard and tests. */
const rows = read("SECURITY.md").split("## Threats, and the test that holds each")[1]!
  .split("\n").filter((line) => line.startsWith("| ") && !/^\| (threat|---)/.test(line))
  .map((line) => line.split(" | "));
const named = rows.flatMap((row) =>
  [...row.at(-1)!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
);

Deno.test("SECURITY: every test that it names exists", () => {
  const exists = testNames();
  assert.ok(named.length > 50, `${named.length} tests are named`);
  assert.deepEqual(named.filter((name) => !exists(name)), []);
});

Deno.test("SECURITY: every threat has a guard and a test of its own", () => {
  for (const row of rows) {
    assert.equal(row.length, 3, row.join(" | "));
    assert.match(row[2]!, /^(`[^`]+`(<br>)?)+ \|$/, row[0]!);
  }
  assert.equal(new Set(named).size, named.length, "a test stands there twice");
});

Deno.test("testNames: knows plain names and templates, and nothing else", () => {
  const exists = testNames();
  assert.ok(exists("testNames: knows plain names and templates, and nothing else"));
  assert.ok(
    exists(
      "store gives other bytes under the ref: that gradient is unavailable, the others are judged",
    ),
  );
  assert.ok(!exists("testNames: knows everything"));
});
