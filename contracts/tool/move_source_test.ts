import assert from "node:assert/strict";
import { keepTests, mask, moduleOf, modulesNamed, testsIn } from "./move_source.ts";

const SOURCE = `/// module vramhub::not_this; /* nested /* comment */ */
#[test_only]
module vramhub::thing_tests;

use vramhub::a;
use vramhub::{b::{Self, C}, d};

const TEXT: vector<u8> = b"vramhub::quoted \\" // not a comment";

#[test]
fun plain() { vramhub::e::f(); }

#[test, expected_failure(abort_code = vramhub::a::EBad)]
fun aborts() {}

#[test_only]
fun helper() {}

#[random_test]
fun random(x: u64) {}
`;

Deno.test("mask: blanks comments and strings and keeps every other character at its place", () => {
  const masked = mask(SOURCE);
  assert.equal(masked.length, SOURCE.length);
  assert(!masked.includes("not_this") && !masked.includes("quoted") && !masked.includes("nested"));
  assert.equal(masked.indexOf("fun aborts"), SOURCE.indexOf("fun aborts"));
});

Deno.test("moduleOf: takes the declaration, not a comment or an extension", () => {
  assert.equal(moduleOf(SOURCE), "thing_tests");
  assert.equal(moduleOf("#[test_only]\nextend module sui::x;"), undefined);
});

Deno.test("modulesNamed: finds plain, grouped and inline names", () => {
  assert.deepEqual(modulesNamed(SOURCE, "vramhub"), ["a", "b", "d", "e", "thing_tests"]);
});

Deno.test("testsIn: finds tests in all their forms, and no helper", () => {
  assert.deepEqual(testsIn(SOURCE), ["plain", "aborts", "random"]);
});

Deno.test("keepTests: leaves one test, its lines where they were", () => {
  const kept = keepTests(SOURCE, (name) => name === "aborts");
  assert.deepEqual(testsIn(kept), ["aborts"]);
  assert.equal(kept.split("\n").length, SOURCE.split("\n").length);
  assert(kept.includes("#[test_only, allow(unused)] \nfun plain()"));
});
