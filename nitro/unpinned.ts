/**
 * What tests build where a pinned package is gone from Debian's archive: the newest sources, which `ci:prepare` found and
 * kept in the cache. A release never comes from them.
 *
 * @module
 */
import { cacheRoot, exists } from "./cache.ts";
import { type Lock, readLock, writeLock } from "./lock.ts";
import { hashText } from "./text.ts";

/** Sources, and whether they are the release's. */
export interface TestSources {
  /** All of them. */
  readonly lock: Lock;
  /** Whether some are newer than what `lock.json` pins: PCRs made from them are not the release's. */
  readonly unpinned: boolean;
}

/** They stand in for the lock as it is now, and for no other. */
function fileOf(pinned: Lock): string {
  return `${cacheRoot()}/unpinned/${hashText(writeLock(pinned))}.json`;
}

/** The newest sources that were kept for this `lock.json`, else what it pins. */
export async function testSources(): Promise<TestSources> {
  const pinned = readLock();
  const file = fileOf(pinned);
  if (!await exists(file)) return { lock: pinned, unpinned: false };
  return { lock: readLock(await Deno.readTextFile(file)), unpinned: true };
}

/** Keep `newest` for {@linkcode testSources}; undefined where the pinned sources are to be had. */
export async function keepUnpinned(newest: Lock | undefined): Promise<void> {
  const file = fileOf(readLock());
  if (newest === undefined) {
    if (await exists(file)) await Deno.remove(file);
    return;
  }
  await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(file, writeLock(newest));
}
