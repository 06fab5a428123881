import assert from "node:assert/strict";
import { parseAllowed, parseJunit, tally } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="6" failures="1" errors="0" time="0.122">
    <testsuite name="./a_test.ts" tests="5" disabled="2" errors="0" failures="1">
        <testcase name="a: passes" classname="./a_test.ts" time="0.001" line="1" col="6">
        </testcase>
        <testcase name="a: fails" classname="./a_test.ts" time="0.000" line="2" col="6">
            <failure message="Uncaught Error: boo">Error: &lt;skipped/&gt;</failure>
        </testcase>
        <testcase name="a: x &gt; y" classname="./a_test.ts" time="0.000" line="3" col="6">
            <skipped/>
        </testcase>
        <testcase name="a: steps" classname="./a_test.ts" time="0.001" line="4" col="6">
        </testcase>
        <testcase name="a: steps &gt; one" classname="./a_test.ts" time="0.001" line="4" col="75">
            <skipped/>
        </testcase>
    </testsuite>
    <testsuite name="./b.ts#3-7.ts" tests="1" disabled="0" errors="0" failures="0">
        <testcase name="file:///b.ts#3-7.ts" classname="./b.ts#3-7.ts" time="0.1" line="2" col="6"/>
    </testsuite>
</testsuites>`;

Deno.test("parseJunit: reads names, outcomes and steps", () => {
  assert.deepEqual(parseJunit(REPORT), [
    { file: "a_test.ts", name: "a: passes", outcome: "passed", step: false },
    { file: "a_test.ts", name: "a: fails", outcome: "failed", step: false },
    { file: "a_test.ts", name: "a: x > y", outcome: "skipped", step: false },
    { file: "a_test.ts", name: "a: steps", outcome: "passed", step: false },
    { file: "a_test.ts", name: "a: steps > one", outcome: "skipped", step: true },
    { file: "b.ts#3-7.ts", name: "file:///b.ts#3-7.ts", outcome: "passed", step: false },
  ]);
});

Deno.test("tally: counts tests once, steps only where they are skipped", () => {
  assert.deepEqual(tally(parseJunit(REPORT), false, 0), {
    passed: 3,
    failed: 1,
    skipped: 2,
    skippedNames: ["a: steps > one", "a: x > y"],
  });
});

Deno.test("tally: a run that failed has at least one failure, a module that did not load is one", () => {
  assert.equal(tally([], false, 0).failed, 1);
  assert.equal(tally(parseJunit(REPORT), false, 2).failed, 3);
  assert.equal(tally([], true, 0).failed, 0);
});

Deno.test("parseAllowed: leaves comments and empty lines out", () => {
  assert.deepEqual([...parseAllowed("# why\n\na: b\n  c: d # e  \n")], ["a: b", "c: d # e"]);
});

Deno.test("parseAllowed: what is here excuses no skip of the tests that need it", () => {
  const text = "a: b\n\n# why\n@unless pytorch\nc: d\n@unless swiftshader\ne: f\n";
  assert.deepEqual([...parseAllowed(text)], ["a: b", "c: d", "e: f"]);
  assert.deepEqual([...parseAllowed(text, new Set(["pytorch"]))], ["a: b", "e: f"]);
  assert.deepEqual([...parseAllowed(text, new Set(["pytorch", "swiftshader"]))], ["a: b"]);
});
