import assert from "node:assert/strict";
import { parseExploits, withoutGuard } from "./guards.ts";
import { mutantsOf } from "./mutants.ts";

const SOURCE = `module vramhub::a;
const MAX: u64 = 0x10;
#[error(code = 3)]
const EBad: vector<u8> = b"1 < 2";
public fun f<T>(x: u64): vector<u8> {
    assert!(
        x <= MAX || (x == 7),
        EBad,
    );
    hp.assert_founded();
    vector[x + 1]
}
#[test_only]
public fun g(x: u64) { assert!(x < 1); }
`;

Deno.test("mutantsOf: changes guards, comparisons, constants and sums, not tests or messages", () => {
  const found = mutantsOf(SOURCE).map(({ kind, line, before, after }) =>
    [kind, line, before, after].join(" ")
  );
  assert.deepEqual(found, [
    "constant 2 0x10 17",
    "assert 6 assert!( x <= MAX || (x == 7), EBad, ) ()",
    "compare 7 <= <",
    "compare 7 == !=",
    "constant 7 7 8",
    "assert 10 hp.assert_founded() ()",
    "sum 11 + -",
    "constant 11 1 2",
  ]);
});

Deno.test("mutantsOf: keeps the lines, and takes only the kinds asked for", () => {
  const [first, second] = mutantsOf(SOURCE, ["assert"]);
  assert.equal(first!.source.split("\n").length, SOURCE.split("\n").length);
  assert(!first!.source.includes("MAX ||") && first!.source.includes("assert_founded"));
  assert(second!.source.includes("MAX ||") && !second!.source.includes("assert_founded"));
});

const move = { manifest: "", sources: { "sources/a.move": SOURCE }, tests: {}, extensions: {} };
const rows = (guard: string) =>
  parseExploits(
    `| id | upstream's fault |\n|--|--|\n| E1 | said | a.move: ${guard} | \`a_tests::x\` |\n`,
  );

const guard = (text: string) => rows(text)[0]!.guard!;

Deno.test("parseExploits: reads guard and test, with a bar in the text", () => {
  assert.deepEqual(rows("`assert!(x <= MAX \\|\\| (x == 7), EBad)`"), [{
    id: "E1",
    fault: "said",
    guard: { file: "a.move", text: "assert!(x <= MAX || (x == 7), EBad)", without: "()" },
    tests: ["a_tests::x"],
  }]);
});

Deno.test("withoutGuard: takes the guard away whatever its line breaks", () => {
  const text = "`assert!(x <= MAX \\|\\| (x == 7), EBad)`";
  const { move: without, line } = withoutGuard(move, guard(text));
  assert.equal(line, 6);
  assert.match(without.sources["sources/a.move"]!, /\{\n {4}\(\)\n\n\n;\n {4}hp\.assert_founded/);
});

Deno.test("withoutGuard: puts what the row says in its place", () => {
  const { move: without } = withoutGuard(move, guard("`vector[x + 1]` → `vector[]`"));
  assert.match(without.sources["sources/a.move"]!, /\n {4}vector\[\]\n/);
});

Deno.test("withoutGuard: refuses a text that is not there, or twice", () => {
  for (const text of ["`assert!(x, ENone)`", "`EBad`"]) {
    assert.throws(() => withoutGuard(move, guard(text)), RangeError);
  }
});

Deno.test("parseExploits: takes a shape for no guard, and refuses a row that is neither", () => {
  const shape = "| E2 | said | shape: one function | `a_tests::x` |";
  assert.deepEqual(parseExploits(shape), [{ id: "E2", fault: "said", tests: ["a_tests::x"] }]);
  assert.throws(() => parseExploits(shape.replace("shape: ", "")), SyntaxError);
  assert.throws(() => parseExploits(shape.replace("a_tests::x", "none")), SyntaxError);
});
