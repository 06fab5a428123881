/**
 * The sources of the Sui framework that the package compiles against. They are never committed: they come from the
 * user's cache, else from GitHub at the commit that the pinned builder names, else out of the crate `moverox-sui`,
 * which `cargo vendor` brings from a mirror where GitHub is out of reach.
 *
 * @module
 */
import { GitHubMovePackageFetcher, MovePackageFetcher } from "@zktx.io/sui-move-builder/full";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { cacheRoot } from "../../nitro/cache.ts";

/** Version of the builder whose compiler and VM are used: part of every key, since results depend on it. */
export const BUILDER = "@zktx.io/sui-move-builder@0.5.1";

/** Where the builder asks for the framework that every package depends on by default. */
const REPOSITORY = "https://github.com/MystenLabs/sui.git";
/** The commit that {@linkcode BUILDER} asks for. */
const COMMIT = "73dd2c2ba6f9fdb21d7ffde2b50a3f2f0ac39bc1";
/** The crate that carries the same two packages. */
const CRATE = { name: "moverox-sui", version: "0.3.2" } as const;
/** Packages of the framework, by the folder that each has in the repository. */
const PACKAGES: Readonly<Record<string, string>> = {
  "crates/sui-framework/packages/move-stdlib": "move-stdlib",
  "crates/sui-framework/packages/sui-framework": "sui-framework",
};

/** Longest wait for GitHub, whose fetcher tries three times. */
const GITHUB_MS = 60_000;

/** Files of one Move package: path within it, and text. */
export type Files = Record<string, string>;

/** The framework's packages by folder name (`move-stdlib`, `sui-framework`), and where they came from. */
export interface Framework {
  /** Files of each package. */
  packages: Record<string, Files>;
  /** Where they came from, for people. */
  origin: string;
}

/** The framework's sources are nowhere to be had. */
export class FrameworkUnavailable extends Error {
  override name = "FrameworkUnavailable";
}

/** The folder of this tool in the user's cache. */
export function cacheFolder(
  env: (name: string) => string | undefined = Deno.env.get.bind(Deno.env),
  os: typeof Deno.build.os = Deno.build.os,
): string {
  return `${cacheRoot(env, os)}/move`;
}

/** The key of everything that decides what a framework's folder holds. */
export function frameworkKey(): string {
  const inputs = JSON.stringify([BUILDER, REPOSITORY, COMMIT, CRATE, PACKAGES]);
  return toHex(sha256(utf8(inputs))).slice(0, 16);
}

/** Serves the framework out of what was loaded before, and nothing else: the package has no other dependency. */
export class FrameworkFetcher extends MovePackageFetcher {
  readonly #framework: Framework;

  /** Serve `framework`. */
  constructor(framework: Framework) {
    super();
    this.#framework = framework;
  }

  /** The files of the package in `folder` of `repository` at `commit`; throws where that is not the framework. */
  override fetch(repository: string, commit: string, folder?: string): Promise<Files> {
    const files = this.#framework.packages[PACKAGES[folder ?? ""] ?? ""];
    if (repository !== REPOSITORY || commit !== COMMIT || files === undefined) {
      const asked = `${repository} at ${commit}, ${folder}`;
      return Promise.reject(
        new TypeError(`Cannot fetch ${asked}: only the framework of ${BUILDER} is known`),
      );
    }
    return Promise.resolve({ ...files });
  }
}

/**
 * Load the framework out of `cache`, and fill that first where it is empty.
 *
 * @throws {FrameworkUnavailable} Where neither GitHub nor cargo can be reached
 */
export async function loadFramework(cache: string = cacheFolder()): Promise<Framework> {
  const folder = `${cache}/framework-${frameworkKey()}`;
  const kept = read(folder);
  if (kept !== undefined) return kept;
  const failures: string[] = [];
  for (const source of [fromGitHub, fromCargo]) {
    try {
      const framework = await source();
      write(folder, framework);
      return framework;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new FrameworkUnavailable(
    `Cannot find the Sui framework's sources: neither ${folder} nor GitHub nor cargo has them (${
      failures.join("; ")
    })`,
  );
}

async function fromGitHub(): Promise<Framework> {
  const fetcher = new GitHubMovePackageFetcher();
  const packages: Record<string, Files> = {};
  for (const [folder, name] of Object.entries(PACKAGES)) {
    packages[name] = sourcesOnly(
      await within(GITHUB_MS, fetcher.fetch(REPOSITORY, COMMIT, folder)),
    );
  }
  return { packages, origin: `${REPOSITORY} at ${COMMIT}` };
}

async function fromCargo(): Promise<Framework> {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-" });
  try {
    await Deno.writeTextFile(
      `${dir}/Cargo.toml`,
      `[package]\nname = "framework"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n` +
        `[dependencies]\n${CRATE.name} = "=${CRATE.version}"\n`,
    );
    await Deno.writeTextFile(`${dir}/lib.rs`, "");
    const { success, stderr } = await new Deno.Command("cargo", {
      args: ["vendor", "--quiet", "vendored"],
      cwd: dir,
      stdin: "null",
      stdout: "null",
    }).output();
    if (!success) throw new Error(`cargo vendor: ${new TextDecoder().decode(stderr).trim()}`);
    const packages: Record<string, Files> = {};
    for (const name of Object.values(PACKAGES)) {
      packages[name] = sourcesOnly(filesOf(`${dir}/vendored/${CRATE.name}/move/${name}`));
    }
    return { packages, origin: `crate ${CRATE.name} ${CRATE.version}` };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** The package without its own tests, which GitHub has and the crate has not. */
function sourcesOnly(files: Files): Files {
  const kept = Object.entries(files).filter(([path]) =>
    path === "Move.toml" || path.startsWith("sources/")
  );
  if (kept.length < 2) throw new Error("the framework came without its sources");
  return Object.fromEntries(kept.sort(([a], [b]) => a < b ? -1 : 1));
}

function read(folder: string): Framework | undefined {
  try {
    const origin = Deno.readTextFileSync(`${folder}/ORIGIN`);
    const names = Object.values(PACKAGES);
    return {
      origin,
      packages: Object.fromEntries(names.map((name) => [name, filesOf(`${folder}/${name}`)])),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Write to a folder beside the final one and rename: another process sees all of it or none. */
function write(folder: string, { packages, origin }: Framework): void {
  const fresh = `${folder}.${crypto.randomUUID()}`;
  for (const [name, files] of Object.entries(packages)) {
    for (const [path, text] of Object.entries(files)) {
      const file = `${fresh}/${name}/${path}`;
      Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(file, text);
    }
  }
  Deno.writeTextFileSync(`${fresh}/ORIGIN`, origin);
  try {
    Deno.renameSync(fresh, folder);
  } catch {
    // Another process was first; its files are the same, having the same key.
    Deno.removeSync(fresh, { recursive: true });
  }
}

/** Texts of all files below `folder`, sorted by path; links are not followed. */
export function filesOf(folder: string, prefix = ""): Files {
  const found: [string, string][] = [];
  for (const { name, isDirectory, isFile } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...Object.entries(filesOf(path, `${prefix}${name}/`)));
    else if (isFile) found.push([`${prefix}${name}`, Deno.readTextFileSync(path)]);
  }
  return Object.fromEntries(found.sort(([a], [b]) => a < b ? -1 : 1));
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
