/**
 * Who imports what, as Deno itself resolves it: types, re-exports and dynamic imports included.
 *
 * @module
 */
import { deno, modules, read, ROOT } from "./sources.ts";

/** One import of one module. */
export interface Import {
  /** The importing module, relative to the root. */
  from: string;
  /** What stands in the source. */
  specifier: string;
  /** The imported file relative to the root, where it is ours. */
  file?: string;
  /** The npm package's name, where it is one. */
  npm?: string;
  /** Anything else (`node:fs`), or why it could not be resolved. */
  other?: string;
}

interface Resolution {
  specifier?: string;
  error?: string;
}

interface Info {
  modules: {
    specifier: string;
    dependencies?: { specifier: string; code?: Resolution; type?: Resolution }[];
  }[];
}

/** All imports of all modules of the tree. A worker that is started from a file counts as an import of it. */
export async function imports(): Promise<Import[]> {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-" });
  try {
    const entry = `${dir}/everything.ts`;
    const all = modules().map((path) => `import ${JSON.stringify(new URL(path, ROOT).href)};\n`);
    await Deno.writeTextFile(entry, all.join(""));
    const config = new URL("deno.json", ROOT).pathname;
    const { success, stdout, stderr } = await deno("info", "--json", "--config", config, entry);
    if (!success) throw new Error(`Cannot read the module graph: ${stderr}`);
    return [...edges(JSON.parse(stdout)), ...workers()];
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function* edges(info: Info): Generator<Import> {
  for (const module of info.modules) {
    const from = relative(module.specifier);
    if (from === undefined) continue;
    for (const { specifier, code, type } of module.dependencies ?? []) {
      const target = code ?? type;
      yield { from, specifier, ...classify(target?.specifier ?? `unresolved: ${target?.error}`) };
    }
  }
}

function* workers(): Generator<Import> {
  for (const from of modules()) {
    for (const match of read(from).matchAll(/new Worker\(\s*new URL\(\s*"([^"]+)"/g)) {
      const specifier = match[1]!;
      yield { from, specifier, ...classify(new URL(specifier, new URL(from, ROOT)).href) };
    }
  }
}

function classify(target: string): Pick<Import, "file" | "npm" | "other"> {
  const file = relative(target);
  if (file !== undefined) return { file };
  const npm = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)/.exec(target)?.[1];
  return npm === undefined ? { other: target } : { npm };
}

function relative(specifier: string): string | undefined {
  return specifier.startsWith(ROOT.href)
    ? decodeURIComponent(specifier.slice(ROOT.href.length))
    : undefined;
}
