/**
 * `ci:prepare`: everything heavy that tests use where the cache holds it, made now where it does not, and what it took.
 * Nothing of it is needed for the other tests: what cannot be made here is named in one line, and the tests that
 * need it are skipped by their names in `allowed_skips.txt`. A recipe that fails for another reason than a missing
 * tool or network is an error.
 *
 * @module
 */
import { buildImage } from "../../nitro/build/build.ts";
import { watchCache } from "../../nitro/cache.ts";
import { CommandError } from "../../nitro/command.ts";
import { SourceError } from "../../nitro/fetch.ts";
import { buildKernel } from "../../nitro/kernel/build.ts";
import { type Lock, readLock } from "../../nitro/lock.ts";
import { ArchiveError, newestPins } from "../../nitro/pin.ts";
import { buildEmulator } from "../../nitro/qemu/build.ts";
import { installEifBuild } from "../../nitro/tool/aws_eif.ts";
import { keepUnpinned } from "../../nitro/unpinned.ts";
import { ENVIRONMENTS, installPython } from "../support/python.ts";
import { buildServer } from "../support/s3_server.ts";
import { findSwiftShader } from "../support/swiftshader.ts";
import { budgetLines, type Part } from "./budget.ts";
import { installPackages } from "./packages.ts";
import { ROOT } from "./sources.ts";

/** Something heavy. */
interface Step {
  /** The folders of the cache that it fills; a step without any is done anew each time. */
  readonly folders: readonly string[];
  /** What it is where it has no folder, or fails. */
  readonly name: string;
  /** Make it, or find it in the cache. */
  readonly make: (lock: Lock, unpinned: boolean) => Promise<unknown>;
}

/** As cargo, go and pip say that their registries are not to be had, or have nothing for this platform. */
const OFFLINE =
  /failed to (download|get|fetch)|No matching distribution|ensurepip is not available|[Cc]ould ?n[o']t resolve|network failure|timed out|dial tcp|i\/o timeout/;

/** As Deno says that a program is not installed. */
const NO_PROGRAM = /^Failed to spawn/;

const began = performance.now();
const say = (line: string) =>
  console.error(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${line}`);

const STEPS: readonly Step[] = [
  { name: "kernel", folders: ["kernel"], make: (lock) => buildKernel(lock, say) },
  {
    name: "emulator",
    folders: ["qemu-firmware", "vhost-device-vsock", "qemu"],
    make: (lock) => buildEmulator(lock, say),
  },
  {
    name: "image",
    folders: [],
    make: (lock, unpinned) =>
      buildImage({ out: `${ROOT.pathname}dist`, progress: say, lock, unpinned }),
  },
  { name: "eif_build", folders: ["eif_build"], make: () => installEifBuild(say) },
  { name: "versitygw", folders: ["versitygw"], make: buildServer },
  { name: "pytorch", folders: [ENVIRONMENTS], make: () => installPython(say) },
  { name: "swiftshader", folders: ["swiftshader"], make: requireSwiftShader },
];

/** It comes with Chromium, or from Debian's archive. */
async function requireSwiftShader(): Promise<void> {
  if (await findSwiftShader() === undefined) {
    throw new CommandError("Cannot find SwiftShader: install chromium", true);
  }
}

/** The parts, and errors that are not for lack of a tool or a network. */
type Outcome = readonly [parts: Part[], broken: unknown[]];

/** Milliseconds of what the cache was given in this run, by folder. */
const made = new Map<string, number>();
watchCache((name, ms) => {
  const folder = name.split("/")[0]!;
  made.set(folder, (made.get(folder) ?? 0) + ms);
});

/** Do all steps. @throws {SourceError} where a source is gone and others are still to be tried: not the `last`. */
async function prepare(lock: Lock, unpinned: boolean, last: boolean): Promise<Outcome> {
  const parts: Part[] = [];
  const broken: unknown[] = [];
  for (const { name, folders, make } of STEPS) {
    const started = performance.now();
    try {
      await make(lock, unpinned);
      for (const folder of folders) {
        const ms = made.get(folder);
        parts.push({ name: folder, ms: ms ?? 0, how: ms === undefined ? "cached" : "built" });
      }
      if (folders.length === 0) {
        parts.push({ name, ms: performance.now() - started, how: "built" });
      }
    } catch (error) {
      if (error instanceof SourceError && !last) throw error;
      const missing = error instanceof Error ? error.message : String(error);
      parts.push({ name, ms: performance.now() - started, how: { missing } });
      if (!isUnavailable(error)) broken.push(error);
    }
  }
  return [parts, broken];
}

/** With the pinned sources or, where one is gone, the newest. */
async function prepareSomehow(): Promise<Outcome> {
  const pinned = readLock();
  await keepUnpinned(undefined);
  try {
    return await prepare(pinned, false, false);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    say(error.message.split("\n")[0]!);
  }
  const newest = await newestPins(pinned, { progress: say }).catch((error) => {
    if (!(error instanceof ArchiveError)) throw error;
    say(error.message);
  });
  if (newest === undefined) return await prepare(pinned, false, true);
  console.log(
    "UNPINNED: the newest sources are built and booted; those PCRs are not the release's",
  );
  await keepUnpinned(newest);
  return await prepare(newest, true, true);
}

/** Whether what is missing is a tool or a network, not a recipe that works. */
function isUnavailable(error: unknown): boolean {
  if (error instanceof SourceError || error instanceof ArchiveError) return true;
  if (error instanceof CommandError && error.missing) return true;
  return error instanceof Error && (NO_PROGRAM.test(error.message) || OFFLINE.test(error.message));
}

const installing = performance.now();
const how = await installPackages(say);
const packages: Part = { name: "packages", ms: performance.now() - installing, how };
const [parts, broken] = await prepareSomehow();
for (const line of budgetLines([packages, ...parts])) console.log(line);
const missing = parts.filter(({ how }) => typeof how !== "string").map(({ name }) => name);
if (missing.length > 0) {
  console.log(`Not to be had here: ${missing.join(", ")}; the tests that need it are skipped`);
}
for (const error of broken) console.error(error instanceof Error ? error.message : error);
if (broken.length > 0) Deno.exit(1);
