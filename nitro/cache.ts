/**
 * Where fetched sources and built tools lie: one folder of the user's cache, every entry named by the hash of what
 * it is or of what it was made from.
 *
 * @module
 */

/** Where everything lies. `VRAMHUB_CACHE` moves it. */
export function cacheRoot(env: (name: string) => string | undefined = Deno.env.get): string {
  const own = env("VRAMHUB_CACHE");
  if (own !== undefined && own !== "") return own;
  return `${env("XDG_CACHE_HOME") || `${env("HOME") ?? "."}/.cache`}/vramhub`;
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
  try {
    await make(draft);
    await Deno.chmod(draft, 0o755);
    await Deno.rename(draft, path).catch(async (error) => {
      if (!await exists(path)) throw error;
    });
  } finally {
    await Deno.remove(draft, { recursive: true }).catch(() => {});
  }
  return path;
}
