/**
 * Where fetched sources and built tools lie: one folder of the user's cache, every entry named by the hash of what
 * it is or of what it was made from.
 *
 * @module
 */

/** How a setting is read: `Deno.env.get`, or a test's table. */
export type Env = (name: string) => string | undefined;
const ENV: Env = (name) => Deno.env.get(name);

/** The user's cache folder, as each system has it. */
export function userCache(env: Env, os: typeof Deno.build.os): string {
  const home = env("HOME") ?? ".";
  if (os === "windows") return env("LOCALAPPDATA") ?? ".";
  if (os === "darwin") return `${home}/Library/Caches`;
  return env("XDG_CACHE_HOME") || `${home}/.cache`;
}

/** Tests of one process share its environment, so theirs is moved in their realm. */
let moved: string | undefined;

/** Only for tests: have the cache at `root` in this realm; undefined is back to where it was. */
export function moveCache(root: string | undefined): void {
  moved = root;
}

/** Where everything of ours lies in it. `VRAMHUB_CACHE` moves it. */
export function cacheRoot(env: Env = ENV, os: typeof Deno.build.os = Deno.build.os): string {
  return moved || env("VRAMHUB_CACHE") || `${userCache(env, os)}/vramhub`;
}

/** Whether something lies at `path`. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Told the name of an entry that was made, and the milliseconds that it took. */
export type OnMade = (name: string, ms: number) => void;
let onMade: OnMade = () => {};

/** Have `watcher` told of each entry that {@linkcode cached} makes from now on in this process. */
export function watchCache(watcher: OnMade): void {
  onMade = watcher;
}

/**
 * The folder `name` of the cache, made by `make` in a folder beside it where it is not there. What fails leaves
 * nothing; of two that make the same, one wins and both use it.
 */
export async function cached(
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const path = `${cacheRoot()}/${name}`;
  if (await exists(path)) return path;
  const parent = path.slice(0, path.lastIndexOf("/"));
  await Deno.mkdir(parent, { recursive: true });
  const draft = await Deno.makeTempDir({ dir: parent, prefix: ".draft-" });
  const began = performance.now();
  try {
    await make(draft);
    onMade(name, performance.now() - began);
    await Deno.chmod(draft, 0o755);
    await Deno.rename(draft, path).catch(async (error) => {
      if (!await exists(path)) throw error;
    });
  } finally {
    await Deno.remove(draft, { recursive: true }).catch(() => {});
  }
  return path;
}
