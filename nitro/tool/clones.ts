/**
 * Copies of this tree, and the same command in each under other conditions: what a build must not depend on.
 *
 * @module
 */
import { CommandError, run } from "../command.ts";
import { ROOT } from "../build/graph.ts";

/** What may differ between two builders of the same source. */
export interface Conditions {
  /** Permissions that new files do not get. */
  readonly umask: number;
  /** As in `TZ`. */
  readonly timeZone: string;
  /** As in `LC_ALL`. */
  readonly locale: string;
  /** Only one of the machine's CPUs; ignored where `taskset` is not at hand. */
  readonly oneCpu: boolean;
  /** Days from now; ignored where `faketime` is not at hand. */
  readonly days: number;
}

/** Two builders who have little in common. */
export const TWO_BUILDERS: readonly [Conditions, Conditions] = [
  { umask: 0o022, timeZone: "UTC", locale: "C.UTF-8", oneCpu: false, days: 0 },
  { umask: 0o077, timeZone: "Asia/Kolkata", locale: "tr_TR.UTF-8", oneCpu: true, days: 400 },
];

/** What of a tree is no source. */
const FOREIGN = new Set(["node_modules", "coverage", "dist", "shared", "target"]);

/** Copy the sources of this tree into the new folder `target`: all of it, or its parts `only`. */
export async function copyTree(target: string, only?: readonly string[]): Promise<void> {
  await Deno.mkdir(target, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(ROOT)) {
    if (only !== undefined && !only.includes(name)) continue;
    if (isDirectory && !name.startsWith(".") && !FOREIGN.has(name)) {
      await copyFolder(`${ROOT.pathname}${name}`, `${target}/${name}`);
    } else if (isFile) await Deno.copyFile(`${ROOT.pathname}${name}`, `${target}/${name}`);
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory && !FOREIGN.has(name)) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else if (isFile) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/**
 * Run this Deno with `args` in the copy `tree` under `conditions`, with the cache at `cache`. The copy's files get
 * the permissions that a clone under that umask has.
 *
 * @returns Its standard output.
 * @throws {CommandError} where it fails.
 */
export async function runIn(
  tree: string,
  cache: string,
  conditions: Conditions,
  args: readonly string[],
  onLine?: (line: string) => void,
): Promise<string> {
  const { umask, timeZone, locale, oneCpu, days } = conditions;
  await mask(tree, umask);
  const has = await hasTools();
  const around = [
    ...(oneCpu && has.taskset ? ["taskset", "-c", "0"] : []),
    ...(days !== 0 && has.faketime ? ["faketime", "-f", `+${days}d`] : []),
  ];
  return await run(
    "sh",
    [
      "-c",
      `umask ${umask.toString(8).padStart(3, "0")}; exec "$@"`,
      "sh",
      ...around,
      Deno.execPath(),
      ...args,
    ],
    {
      cwd: tree,
      env: { VRAMHUB_CACHE: cache, TZ: timeZone, LC_ALL: locale, NO_COLOR: "1" },
      ...(onLine === undefined ? {} : { onLine }),
    },
  );
}

/** Which of the programs that change CPUs and date are at hand. */
export async function hasTools(): Promise<{ taskset: boolean; faketime: boolean }> {
  const has = (name: string) =>
    run(name, ["--version"]).then(() => true, (error) => {
      if (error instanceof CommandError) return false;
      throw error;
    });
  return { taskset: await has("taskset"), faketime: await has("faketime") };
}

async function mask(folder: string, umask: number): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    const { mode } = await Deno.stat(path);
    await Deno.chmod(path, ((mode ?? 0) | 0o044 | (isDirectory ? 0o055 : 0)) & ~umask & 0o777);
    if (isDirectory) await mask(path, umask);
  }
}
