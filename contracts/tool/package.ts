/**
 * The Move package as a set of files: read from its folder, cut down to a few modules and what they import, or joined
 * with the overlay, whose tests need constructors that the framework does not have.
 *
 * @module
 */
import { type Files, filesOf, type Framework } from "./framework.ts";
import { moduleOf, modulesNamed } from "./move_source.ts";

/** The package's folder in this repository. */
export const CONTRACTS: URL = new URL("../", import.meta.url);
/** The name of the package, and of its address. */
export const PACKAGE = "vramhub";

/** A Move package's sources and tests, by path. */
export interface MovePackage {
  /** The text of `Move.toml`. */
  manifest: string;
  /** What is published: `sources/…`. */
  sources: Files;
  /** What tests it: `tests/…` and, as `tests/overlay/…`, the tests that need the overlay. */
  tests: Files;
  /** Extensions of the framework's modules, for tests alone: text by the module's name. */
  extensions: Files;
}

/** Read the package in `root`, with what its `overlay/` adds to the tests. */
export function readPackage(root: URL | string = CONTRACTS): MovePackage {
  const folder = (root instanceof URL ? root.pathname : root).replace(/\/$/, "");
  const below = (name: string, prefix: string) => {
    try {
      const files = Object.entries(filesOf(`${folder}/${name}`, prefix));
      return Object.fromEntries(files.filter(([path]) => path.endsWith(".move")));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return {};
      throw error;
    }
  };
  const extensions: Files = {};
  for (const [path, text] of Object.entries(below("overlay", ""))) {
    const name = /^\s*#\[test_only\]\s*extend\s+module\s+sui::(\w+);/m.exec(text)?.[1];
    if (name !== undefined) extensions[name] = text;
    else if (!path.startsWith("tests/")) {
      throw new SyntaxError(`Cannot use overlay/${path} as it extends no module of the framework`);
    }
  }
  return {
    manifest: Deno.readTextFileSync(`${folder}/Move.toml`),
    sources: below("sources", "sources/"),
    tests: { ...below("tests", "tests/"), ...below("overlay/tests", "tests/overlay/") },
    extensions,
  };
}

/** The files of `move` as the compiler takes them: all of them for tests, the sources alone for bytecode. */
export function filesFor(move: MovePackage, kind: "test" | "build"): Files {
  return {
    "Move.toml": move.manifest,
    ...move.sources,
    ...(kind === "test" ? move.tests : {}),
  };
}

/**
 * The part of `move` that the modules named need: they, what they import, the tests named after them
 * (`MODULE_tests.move`, `MODULE_….move`) and what those import.
 *
 * @throws {RangeError} Where the package has no such module
 */
export function only(move: MovePackage, modules: readonly string[]): MovePackage {
  const byName = new Map<string, [path: string, text: string]>();
  for (const [path, text] of Object.entries({ ...move.sources, ...move.tests })) {
    const name = moduleOf(text);
    if (name !== undefined) byName.set(name, [path, text]);
  }
  const wanted = new Set<string>();
  for (const module of modules) {
    const [path] = byName.get(module) ?? [];
    if (path === undefined || !(path in move.sources)) {
      throw new RangeError(`Cannot take only ${module}: the package has no such module`);
    }
    wanted.add(module);
    for (const [name, [path]] of byName) {
      if (path in move.tests && name.startsWith(`${module}_`)) wanted.add(name);
    }
  }
  // A set that grows while it is walked: the closure.
  for (const name of wanted) {
    const [, text] = byName.get(name) ?? [];
    if (text !== undefined) { for (const named of modulesNamed(text, PACKAGE)) wanted.add(named); }
  }
  const named = (files: Files) =>
    Object.fromEntries(
      Object.entries(files).filter(([, text]) => wanted.has(moduleOf(text) ?? "")),
    );
  return { ...move, sources: named(move.sources), tests: named(move.tests) };
}

/** The framework with `extensions` in its modules: what the next edition's module extensions will do by themselves. */
export function extend(framework: Framework, extensions: Files): Framework {
  const sui = { ...framework.packages["sui-framework"] };
  for (const [name, text] of Object.entries(extensions)) {
    const path = Object.keys(sui).find((path) => path.endsWith(`/${name}.move`));
    if (path === undefined) throw new RangeError(`Cannot extend sui::${name}: no such module`);
    const body = text.replace(/#\[test_only\]\s*extend\s+module\s+\w+::\w+;/, "");
    const members = body.replaceAll(
      /^(?=(?:public(?:\(\w+\))?\s+)?(?:fun|struct|use|const)\s)/gm,
      "#[test_only] ",
    );
    sui[path] = `${sui[path]}\n${members}`;
  }
  return { ...framework, packages: { ...framework.packages, "sui-framework": sui } };
}
