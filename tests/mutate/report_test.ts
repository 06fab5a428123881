import assert from "node:assert/strict";
import { type Mutant, summarise, summaryText } from "./report.ts";

const mutant = (status: string, change: Partial<Mutant> = {}): Mutant => ({
  mutatorName: "EqualityOperator",
  replacement: "a <=\n b",
  status,
  location: { start: { line: 7, column: 3 } },
  ...change,
});

const REPORT = {
  files: {
    "b.ts": {
      mutants: [mutant("Killed"), mutant("Timeout"), mutant("Survived"), mutant("NoCoverage")],
    },
    "a.ts": {
      mutants: [
        mutant("Killed"),
        mutant("Ignored", { statusReason: "nobody reads it" }),
        mutant("Ignored"), // a comment without a reason explains nothing
        mutant("Ignored", { mutatorName: "StringLiteral", statusReason: "excluded" }),
      ],
    },
  },
};

Deno.test("summarise: counts killed, explained and survived, and names all but the killed", () => {
  const { files, total, remarks } = summarise(REPORT, ["StringLiteral"]);
  assert.deepEqual([...files], [
    ["a.ts", { killed: 1, explained: 1, survived: 1 }],
    ["b.ts", { killed: 2, explained: 0, survived: 2 }],
  ]);
  assert.deepEqual(total, { killed: 3, explained: 1, survived: 3 });
  assert.deepEqual(remarks.slice(0, 2), [
    "explained a.ts:7:3 EqualityOperator to 'a <= b': nobody reads it",
    "survived a.ts:7:3 EqualityOperator to 'a <= b'",
  ]);
  assert.equal(remarks.length, 4);
});

Deno.test("summaryText: a line a file, and the score without what is explained", () => {
  const lines = summaryText(summarise(REPORT, ["StringLiteral"])).split("\n");
  assert.match(lines[1]!, /^a\.ts +3 +1 +1 +1$/);
  assert.match(lines[3]!, /^all +7 +3 +1 +3$/);
  assert.equal(lines.at(-1), "score: 50.0 % (3 of 6)");
  assert.match(summaryText(summarise({ files: {} }, [])), /score: none/);
});
