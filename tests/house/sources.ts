/**
 * The project's source files, found by walking the tree, for the tests that hold house rules over all of them.
 *
 * @module
 */

/** The repository's root, with a trailing slash. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** Folders that hold nothing of ours. */
const FOREIGN = new Set([".git", "node_modules", "coverage", "shared", "dist", "target"]);
/** Where Sui's own compiler leaves what it made. */
const MOVE_OUTPUT = "contracts/build";

/** Paths of all files below `folder`, relative to the root, sorted; hidden and foreign folders are left out. */
export function files(folder = ""): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) {
      const isForeign = FOREIGN.has(entry.name) || path === MOVE_OUTPUT;
      if (!isForeign && (!entry.name.startsWith(".") || entry.name === ".ci")) {
        found.push(...files(`${path}/`));
      }
    } else if (entry.isFile) found.push(path);
  }
  return found.sort();
}

/** Paths of all TypeScript modules. */
export function modules(): string[] {
  return files().filter((path) => path.endsWith(".ts"));
}

/** The text of the file at `path`, relative to the root. */
export function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** Whether `path` is a test or a bench, or belongs to the tests' own folder: none of these ship. */
export function isTest(path: string): boolean {
  return /_(test|bench)\.ts$/.test(path) || path.startsWith("tests/");
}

/** `source` without its comments, strings kept: what is left is what runs. */
export function withoutComments(source: string): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return source.replace(token, (found) => found.startsWith("/") ? " " : found);
}

/** What a child process of the house printed. */
export interface Ran {
  /** Whether it ended with status 0. */
  success: boolean;
  /** Its standard output. */
  stdout: string;
  /** Its standard error. */
  stderr: string;
}

/** Run this very Deno with `args` in the repository's root, without colours. */
export async function deno(...args: string[]): Promise<Ran> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { success, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
