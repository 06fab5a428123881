/**
 * Writes tests in Move: literals, and a module around them.
 *
 * @module
 */
import { type Bytes, fromHex } from "../../../enclave/protocol/bytes.ts";

/** One test function. */
export interface MoveTest {
  /** What it shows, in words: its name is made of them. */
  name: string;
  /** Its statements. */
  body: readonly string[];
  /** The constant that it must abort with, `module::EName`. */
  aborts?: string;
}

/** A module of tests. */
export interface MoveTests {
  /** The module under test; it is named after it, so that `--only` finds it. */
  module: string;
  /** What tells it from others of the same module. */
  topic: string;
  /** Its `use` lines, without `use`. */
  uses: readonly string[];
  /** Its tests. */
  tests: readonly MoveTest[];
}

/** Losses and mu have this added. */
const BIAS = 1n << 63n;

/** Bytes, from lower-case hex. */
export function hex(text: string): string {
  return `x"${text}"`;
}

/** A loss or a mu as the ledger keeps it: biased; null is zero. */
export function biased(value: string | number | bigint | null): string {
  return `${BIAS + BigInt(value ?? 0)}`;
}

/** A vector of `type`. */
export function list(type: string, items: readonly (string | number | bigint)[]): string {
  return `vector<${type}>[${items.join(", ")}]`;
}

/** A statement that compares. No `assert_eq!`: that takes two of the 255 locals that a function may have. */
export function equals(left: string, right: string | number | bigint): string {
  return `assert!(${left} == ${right});`;
}

/** A shared vector file, as it is checked in. */
// deno-lint-ignore no-explicit-any
export function vectors(name: string): any {
  const file = new URL(`../../../tests/vectors/${name}.json`, import.meta.url);
  return JSON.parse(Deno.readTextFileSync(file));
}

/** `text`, hex, with bit 0 of its byte `at` flipped. */
export function flipped(text: string, at: number): string {
  const bytes: Bytes = fromHex(text);
  bytes[at]! ^= 1;
  return bytes.toHex();
}

/** The module's source. */
export function source({ module, topic, uses, tests }: MoveTests): string {
  const functions = tests.map(({ name, body, aborts }) => {
    // An identifier does not begin with a digit.
    const words = `${topic} ${name}`.replaceAll(/-(?=\d)/g, " minus ").toLowerCase().replaceAll(
      /[^a-z0-9]+/g,
      "_",
    ).replaceAll(/^_|_$/g, "");
    const attribute = aborts === undefined
      ? "#[test]"
      : `#[test, expected_failure(abort_code = vramhub::${aborts})]`;
    const lines = body.map((line) => `    ${line}\n`).join("");
    return `${attribute}\nfun ${words}() {\n${lines}}\n`;
  });
  const names = [...uses].sort().map((name) => `use ${name};\n`);
  return `#[test_only, allow(unused)]\nmodule vramhub::${module}_${topic}_vectors_tests;\n\n` +
    `${names.join("")}\n${functions.join("\n")}`;
}
