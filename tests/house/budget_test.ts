import assert from "node:assert/strict";
import { budgetLines } from "./budget.ts";

Deno.test("budgetLines: a line for each part, and their sum against the budget", () => {
  assert.deepEqual(
    budgetLines([
      { name: "packages", ms: 12, how: "at hand" },
      { name: "kernel", ms: 527_100, how: "built" },
      { name: "qemu", ms: 0, how: "cached" },
      { name: "eif_build", ms: 1_000, how: { missing: "no cargo\nat all" } },
    ]),
    [
      "budget: packages                 0.0 s  at hand",
      "budget: kernel                 527.1 s  built",
      "budget: qemu                     0.0 s  cached",
      "budget: eif_build                1.0 s  MISSING: no cargo",
      "budget: together               528.1 s  8.8 of 40 min, within it",
    ],
  );
});

Deno.test("budgetLines: says when it is over", () => {
  const [, last] = budgetLines([{ name: "kernel", ms: 2_400_001, how: "built" }]);
  assert.match(last!, /40\.0 of 40 min, OVER IT$/);
});
