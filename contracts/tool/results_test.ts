import assert from "node:assert/strict";
import { parseResults, readableError, reason } from "./results.ts";

/** What the runner of Sui 1.71 prints, cut to one of each kind. */
const OUTPUT = `Running Move unit tests
[ FAIL    ] vramhub::a_tests::named
[ PASS    ] vramhub::a_tests::fine
[ FAIL    ] vramhub::a_tests::numbered
[ FAIL    ] vramhub::a_tests::silent

Test failures:

Failures in vramhub::a_tests:

┌── named ──────
│ error[E11001]: test failure
│   ┌─ tests/overlay/a.move:6:29
│   │
│ 6 │ public fun f(x: u64): u64 { assert!(x < 5, EBad); x + 1 }
│   │            -                ^^^^^^^^^^^^^^^^^^^^ Test was not expected to error, but it aborted with error constant 'EBad' originating in the module vramhub::a rooted here
│
└──────────────────


┌── numbered ──────
│ error[E11001]: test failure
│    ┌─ tests/a_tests.move:13:15
│    │                     ^^^^^^^^ Test was not expected to error, but it aborted with code 77 originating in the module vramhub::a_tests rooted here
└──────────────────


┌── silent ──────
│ Test did not error as expected
└──────────────────

Test result: FAILED. Total tests: 4; passed: 1; failed: 3
`;

Deno.test("parseResults: name, status, place, abort and sentence of each test, sorted", () => {
  const results = parseResults(OUTPUT);
  assert.deepEqual(results.map(({ name, status, abort, at }) => [name, status, abort, at]), [
    ["a_tests::fine", "pass", undefined, undefined],
    ["a_tests::named", "fail", "EBad", "overlay/tests/a.move:6"],
    ["a_tests::numbered", "fail", "77", "tests/a_tests.move:13"],
    ["a_tests::silent", "fail", undefined, undefined],
  ]);
  assert.equal(reason(results[3]!), "Test did not error as expected");
});

Deno.test("readableError: says of a panic what to do, not where in the WebAssembly", () => {
  const panic =
    "panicked at runner.rs:111:18:\ncalled `unwrap()`: value (266) cannot exceed (255)\n\nStack:\n\nError\n    at x";
  assert.equal(
    readableError(panic),
    "The compiler panicked: called `unwrap()`: value (266) cannot exceed (255): a function has over 255 locals " +
      "(an assert_eq! takes two); split it",
  );
});
