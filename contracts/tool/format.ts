/**
 * Formats Move as its prettier plugin does, with the settings of Mysten Labs' own packages.
 *
 * @module
 */
import plugin from "@mysten/prettier-plugin-move";
import { format as prettier } from "prettier";
import { filesOf } from "./framework.ts";

/** `source` formatted; throws where it is no Move. */
export async function format(source: string): Promise<string> {
  return await prettier(source, {
    parser: "move",
    plugins: [plugin],
    printWidth: 100,
    tabWidth: 4,
    useModuleLabel: true,
    autoGroupImports: "module",
  });
}

/** Paths of all Move files below `folder`, sorted, with the folder. */
export function moveFiles(folder: string): string[] {
  const found = ["sources", "tests", "overlay", "conformance"].flatMap((name) => {
    try {
      return Object.keys(filesOf(`${folder}/${name}`, `${folder}/${name}/`));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
  return found.filter((path) => path.endsWith(".move"));
}

/** Format `paths` in place, or with `check` say only which would change: returns these. */
export async function formatFiles(paths: readonly string[], check: boolean): Promise<string[]> {
  const changed: string[] = [];
  for (const path of paths) {
    const source = await Deno.readTextFile(path);
    const formatted = await format(source);
    if (formatted === source) continue;
    changed.push(path);
    if (!check) await Deno.writeTextFile(path, formatted);
  }
  return changed;
}
