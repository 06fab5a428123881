/**
 * Counts the tests in the JUnit report that `deno test --junit-path` writes.
 *
 * @module
 */

/** One test or test step of a report. */
export interface Case {
  /** The module that declared it. */
  file: string;
  /** Its name; a step's name is `test > step`. */
  name: string;
  /** How it ended. */
  outcome: "passed" | "failed" | "skipped";
  /** Whether it is a step of another test in the same module. */
  step: boolean;
}

/** The cases of a JUnit report, in its order. */
export function parseJunit(xml: string): Case[] {
  const cases: Case[] = [];
  const names = new Map<string, Set<string>>();
  for (const match of xml.matchAll(/<testcase ([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const attributes = match[1]!;
    const body = match[3] ?? "";
    const name = attribute(attributes, "name");
    const file = attribute(attributes, "classname").replace(/^\.\//, "");
    const outcome = /<skipped[ />]/.test(body)
      ? "skipped"
      : /<(failure|error)[ />]/.test(body)
      ? "failed"
      : "passed";
    const siblings = names.get(file) ?? new Set();
    names.set(file, siblings.add(name));
    cases.push({ file, name, outcome, step: false });
  }
  for (const one of cases) one.step = isStep(one.name, names.get(one.file)!);
  return cases;
}

/** A step is named after its test, and a test of that name stands in the same module. */
function isStep(name: string, siblings: ReadonlySet<string>): boolean {
  for (let at = name.indexOf(" > "); at >= 0; at = name.indexOf(" > ", at + 1)) {
    if (siblings.has(name.slice(0, at))) return true;
  }
  return false;
}

function attribute(attributes: string, key: string): string {
  const match = new RegExp(`(?:^|\\s)${key}="([^"]*)"`).exec(attributes);
  return unescape(match?.[1] ?? "");
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescape(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (all, dec, hex, name) => {
    if (dec) return String.fromCodePoint(Number(dec));
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    return ENTITIES[name] ?? all;
  });
}

/** How a run went. Steps are not counted as tests; a skipped step is counted as skipped, so that none hides. */
export interface Tally {
  /** Tests that passed. */
  passed: number;
  /** Tests that failed, modules that failed to load included. */
  failed: number;
  /** Tests and steps that were skipped. */
  skipped: number;
  /** Names of the skipped ones, sorted, each once. */
  skippedNames: string[];
}

/**
 * The tally of a run. The report misses modules that failed while loading and runs that never began (a type error),
 * so `uncaught` adds the former, and an unsuccessful run has at least one failure.
 */
export function tally(cases: readonly Case[], success: boolean, uncaught: number): Tally {
  const tests = cases.filter((one) => !one.step);
  const skips = cases.filter((one) => one.outcome === "skipped");
  const passed = tests.filter((one) => one.outcome === "passed").length;
  let failed = tests.filter((one) => one.outcome === "failed").length + uncaught;
  if (!success && failed === 0) failed = 1;
  const skippedNames = [...new Set(skips.map((one) => one.name))].sort();
  return { passed, failed, skipped: skips.length, skippedNames };
}

/** Before the names of tests that may be skipped only where something is not here: `@unless NAME`. */
const UNLESS = "@unless ";

/**
 * The names in a list of allowed skips: one a line, `#` begins a comment line. What follows a line `@unless NAME`, up
 * to the next one, is allowed only where NAME is not among `present`.
 */
export function parseAllowed(text: string, present: ReadonlySet<string> = new Set()): Set<string> {
  const allowed = new Set<string>();
  let counts = true;
  for (const line of text.split("\n").map((line) => line.trim())) {
    if (line.startsWith(UNLESS)) counts = !present.has(line.slice(UNLESS.length));
    else if (counts && line !== "" && !line.startsWith("#")) allowed.add(line);
  }
  return allowed;
}
