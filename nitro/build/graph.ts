/**
 * Which modules run: the module graph of an entry, as Deno itself resolves it.
 *
 * @module
 */
import { run } from "../command.ts";

/** The repository. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** What an entry needs. */
export interface Graph {
  /** Our modules, relative to the repository, sorted. */
  readonly modules: readonly string[];
  /** npm packages that they import, as `name@version`, sorted. */
  readonly packages: readonly string[];
}

/** The graph of `entry`, a path in the repository. @throws {Error} where something in it is neither. */
export async function moduleGraph(entry: string): Promise<Graph> {
  const root = ROOT.pathname;
  const json = await run(Deno.execPath(), ["info", "--json", root + entry], { cwd: root });
  const modules: string[] = [];
  const packages = new Set<string>();
  for (const module of JSON.parse(json).modules) {
    const { kind, specifier } = module;
    if (module.error !== undefined) throw new Error(`Cannot resolve ${specifier}: ${module.error}`);
    if (kind === "node") continue;
    if (kind === "npm") packages.add(module.npmPackage);
    else if (specifier.startsWith(ROOT.href)) modules.push(specifier.slice(ROOT.href.length));
    else throw new Error(`Cannot put ${specifier} into an image`);
  }
  return { modules: modules.sort(), packages: [...packages].sort() };
}
