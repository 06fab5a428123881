/**
 * The table of `EXPLOITS.md`: what went wrong elsewhere, the line of ours that stops it, and the test that would notice
 * if the line were gone.
 *
 *     | id | upstream's fault | our guard | our test |
 *     | -- | ---------------- | --------- | -------- |
 *     | E1 | … | score_ledger.move: `assert!(window == open, EWrongPhase)` | `score_ledger_tests::report_of_other_window` |
 *
 * The guard's text stands once in the file, whitespace aside; a `|` in it is written `\|`. A guard that is no assertion
 * says what stands there without it: ``vram_token.move: `amount.min(left)` → `amount` ``. Where it is the shape of the
 * code and no line, the cell begins with `shape: `. A row may name several tests, with commas: each must notice.
 *
 * @module
 */
import { closing, replace } from "./mutants.ts";
import { lineOf, mask } from "./move_source.ts";
import type { MovePackage } from "./package.ts";

/** A line that can be taken away. */
export interface Guard {
  /** The file in `sources/`. */
  file: string;
  /** The guard's text. */
  text: string;
  /** What stands in its place when it is taken away. */
  without: string;
}

/** One row of the table. */
export interface Exploit {
  /** Its name in the first column. */
  id: string;
  /** What went wrong elsewhere. */
  fault: string;
  /** What stops it here; nothing where it is the shape of the code. */
  guard?: Guard;
  /** Tests, each of which must fail without the guard: `module::function`. */
  tests: string[];
}

/**
 * The rows of the tables in `markdown`.
 *
 * @throws {SyntaxError} Where a row names neither a guard nor a shape, or no test
 */
export function parseExploits(markdown: string): Exploit[] {
  return markdown.split("\n").flatMap((line) => {
    if (!line.startsWith("|") || /^\|\s*(id\b|:?-)/.test(line)) return [];
    const [id = "", fault = "", ours = "", named = ""] = line.split(/(?<!\\)\|/).slice(1, -1)
      .map((cell) => cell.trim().replaceAll("\\|", "|"));
    const found = /^`?(\w+\.move)`?:\s*`([^`]+)`(?:\s*→\s*`([^`]*)`)?$/.exec(ours);
    const tests = [...named.matchAll(/\w+::\w+/g)].map(([name]) => name);
    if (tests.length === 0 || (found === null && !ours.startsWith("shape: "))) {
      throw new SyntaxError(`Cannot read the row ${id} of the exploits: ${line}`);
    }
    if (found === null) return [{ id, fault, tests }];
    const [, file, text, without = "()"] = found;
    return [{ id, fault, guard: { file: file!, text: text!, without }, tests }];
  });
}

/**
 * The package without `guard`, and the line where that stood.
 *
 * @throws {RangeError} Where its text does not stand exactly once in the file
 */
export function withoutGuard(move: MovePackage, guard: Guard): { move: MovePackage; line: number } {
  const path = `sources/${guard.file}`;
  const source = move.sources[path];
  if (source === undefined) {
    throw new RangeError(`Cannot take a guard out of ${path}: there is no such file`);
  }
  // Whitespace counts for nothing, and a comma before a bracket comes and goes with line breaks.
  const tokens = guard.text.replaceAll(/;\s*$/g, "").match(/\w+|"(?:\\.|[^"])*"|[^\w\s]/g) ?? [];
  const pattern = tokens.map((token) => token.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .map((token) => token === "\\)" || token === "\\]" ? `(?:,\\s*)?${token}` : token).join("\\s*");
  const found = [...source.matchAll(new RegExp(pattern, "g"))];
  if (found.length !== 1) {
    throw new RangeError(
      `Cannot take a guard out of ${path}: it stands there ${found.length} times: ${guard.text}`,
    );
  }
  const { 0: text, index } = found[0]!;
  // `assert!(…)` may be given by its start alone.
  const opened = /^assert!\(/.test(text) ? closing(mask(source), index + "assert!(".length) : 0;
  const end = Math.max(index + text.length, opened);
  const sources = { ...move.sources, [path]: replace(source, index, end, guard.without) };
  return { move: { ...move, sources }, line: lineOf(source, index) };
}
