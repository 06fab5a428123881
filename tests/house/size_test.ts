import assert from "node:assert/strict";
import { files, read, ROOT } from "./sources.ts";

/** Kinds of files that people write and read. */
const SOURCE = /\.(ts|move|py|sh|md|c|h)$|^\.ci\/run$/;

/** A file is read in one sitting: 15 KB is a lot, more than 20 KB is refused. */
const WARN = 15 * 1024;
const LIMIT = 20 * 1024;
/** The README shows whole outputs as they were printed; the table of exploits is looked up, not read through. */
const README_LIMIT = 40 * 1024;
/** A Move module is one file, whatever it has to decide. */
const MOVE_LIMIT = 48 * 1024;

function limitOf(path: string): number {
  if (path === "README.md") return README_LIMIT;
  if (path === "contracts/EXPLOITS.md") return README_LIMIT;
  return path.endsWith(".move") ? MOVE_LIMIT : LIMIT;
}

/** Spelled so that this file does not hold what it looks for. */
const FORBIDDEN: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a path of somebody's machine", /(?<![\w.$}])\/(home|root|Users|work|mnt)\/[\w.-]+/],
  ["a path below /tmp", /(?<![\w.$}])\/tm[p]\/[\w.-]+/],
  ["a package registry's host", /registry\.npmj[s]\.org|jsr\.i[o]\b|pypi\.or[g]|crates\.i[o]\b/],
  ["unfinished work", /\b(TOD[O]|FIXM[E]|XX[X])\b/],
];

const sources = files().filter((path) => SOURCE.test(path));

Deno.test("sources: none is larger than 20 KB, but for the README and Move's modules", () => {
  const sizes = sources.map((path) => ({ path, size: Deno.statSync(new URL(path, ROOT)).size }));
  for (const { path, size } of sizes) {
    if (limitOf(path) === LIMIT && size > WARN && size <= LIMIT) {
      console.warn(`${path} has ${size} bytes: consider a split`);
    }
  }
  const large = sizes.filter(({ path, size }) => size > limitOf(path));
  assert.deepEqual(large, []);
});

for (const [what, pattern] of FORBIDDEN) {
  Deno.test(`sources: none holds ${what}`, () => {
    const found = sources.flatMap((path) =>
      read(path).split("\n").flatMap((line, i) =>
        pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : []
      )
    );
    assert.deepEqual(found, []);
  });
}

Deno.test("sources: the patterns find what they are there for", () => {
  const samples = [
    ["/home", "somebody/x"].join("/"),
    ["/tm", "p/x"].join(""),
    ["https://registry.npmj", "s.org/x"].join(""),
    ["// TO", "DO later"].join(""),
  ];
  for (const [i, [what, pattern]] of FORBIDDEN.entries()) assert.match(samples[i]!, pattern, what);
});
