/**
 * What the README claims, and where it is untrue.
 *
 * @module
 */

/** The project as it is. */
export interface Project {
  /** Whether there is a file or folder at a path relative to the root. */
  exists(path: string): boolean;
  /** Paths of the modules that import a package. */
  importers(name: string): readonly string[];
  /** Why a task cannot be called with these arguments, or undefined where it can. */
  refusal(task: string, args: readonly string[]): string | undefined;
}

/** Packages that the user named: the README says of each where it is used, or that its part is to come. */
export const NAMED = [
  "@mysten/sui",
  "@aws-sdk/client-s3",
  "@noble/ed25519",
  "cbor-x",
  "@peculiar/x509",
  "onnxruntime-node",
  "@std/cli",
] as const;

/** The package that stands in for `@std/cli`, whose registry is not everywhere to be had. */
const STAND_IN: Readonly<Record<string, string>> = { "@std/cli": "@optique/core" };

/** Folders whose paths the README is held to. */
const FOLDERS = /^(enclave|attestation|host|miner|nitro|contracts|tests|\.ci)\//;

/** The untrue claims of `readme`, one line each. */
export function untruths(readme: string, project: Project): string[] {
  return [...packages(readme, project), ...paths(readme, project), ...commands(readme, project)];
}

/** A table row about a named package is true: its files import it, or it is to come and nothing imports it. */
function* packages(readme: string, project: Project): Generator<string> {
  const rows = readme.split("\n").filter((line) => line.startsWith("|"));
  for (const name of NAMED) {
    const row = rows.find((line) => mentions(line.split("|")[1] ?? "", name));
    if (row === undefined) {
      yield `No table row about ${name}`;
      continue;
    }
    const importers = project.importers(STAND_IN[name] ?? name);
    const files = code(row).filter((path) => FOLDERS.test(path));
    if (/\bto come\b/i.test(row)) {
      if (importers.length > 0) yield `${name} is to come, and ${importers[0]} imports it`;
    } else if (files.length === 0) yield `${name} is not to come, and its row names no file`;
    for (const file of /\bto come\b/i.test(row) ? [] : files) {
      const used = importers.some((path) => path === file || path.startsWith(folder(file)));
      if (!used) yield `${name} is not imported by ${file}`;
    }
  }
}

function folder(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}

function mentions(cell: string, name: string): boolean {
  return cell.split(/[\s`,:()]+/).includes(name);
}

/** Paths and relative links lead somewhere; a line that says "to come" may name what is not there yet. */
function* paths(readme: string, project: Project): Generator<string> {
  for (const line of readme.split("\n")) {
    const links = [...line.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map((match) => match[1]!);
    const linked = links.filter((target) => !/^[a-z]+:/.test(target));
    const named = /\bto come\b/i.test(line) ? [] : code(line).filter((path) => FOLDERS.test(path));
    for (const path of [...linked, ...named]) {
      if (!/[*{}<>…]/.test(path) && !project.exists(path)) yield `There is no ${path}`;
    }
  }
}

/** Every `deno … task …` can be called as it is written, and the first 15 lines have two of them. */
function* commands(readme: string, project: Project): Generator<string> {
  const called = (
    text: string,
  ) => [...text.matchAll(/\bdeno(?:@[\d.]+)? task ([\w:-]+)((?:[ \t]+[^\s`|&;#<>)]+)*)/g)];
  for (const [text, task, rest] of called(readme)) {
    const why = project.refusal(task!, rest!.trim().split(/\s+/).filter((word) => word !== ""));
    if (why !== undefined) yield `Cannot call ${text}: ${why}`;
  }
  const first = called(readme.split("\n").slice(0, 15).join("\n"));
  const distinct = new Set(first.map(([text]) => text));
  if (distinct.size < 2) yield "The first 15 lines do not have the two commands";
  if (![...distinct].some((text) => /task validator --test-mode\b/.test(text))) {
    yield "The first 15 lines do not have `deno task validator --test-mode`";
  }
}

/** What stands in backticks in a line. */
function code(line: string): string[] {
  return [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1]!.replace(/:\d+$/, ""));
}
