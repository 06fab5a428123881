/**
 * Compiles the package and runs its unit tests, each result kept under the hash of all that decides it.
 *
 * @module
 */
import { sha256 } from "../../enclave/protocol/hash.ts";
import { toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { shapeOf } from "./bytecode.ts";
import { Compiler, DeadlinePassed } from "./compiler.ts";
import { BUILDER, cacheFolder, type Files, type Framework, loadFramework } from "./framework.ts";
import { keepTests, moduleOf, testsIn } from "./move_source.ts";
import { extend, filesFor, type MovePackage } from "./package.ts";
import { parseResults, readable, readableError, type TestResult } from "./results.ts";
import type { Answer, Job } from "./worker.ts";

/** Milliseconds after which a run is stopped, and a part of one that looks for the endless test. */
const DEADLINE = 600_000;
const PART_DEADLINE = 20_000;
/** Modules of tests that need a native of a real node's VM: they are compiled with the others, and not run. */
export const NOT_RUN: readonly string[] = ["native_attestation_tests"];
/** Results that nobody asked for in so long are deleted. */
const KEPT_MS = 14 * 24 * 3600 * 1000;

/** The package does not compile; the message is the compiler's, file and line included. */
export class CompileError extends Error {
  override name = "CompileError";
}

/** What is published. */
export interface Built {
  /** The modules' bytecode, sorted by name. */
  modules: { name: string; bytes: Uint8Array<ArrayBuffer> }[];
  /** Ids of the packages it depends on, as the compiler lists them. */
  dependencies: string[];
  /** BLAKE2b-256 of modules and dependencies, in hex: what Sui calls the package's digest. */
  digest: string;
  /** The compiler's warnings, empty where there are none. */
  warnings: string;
  /** Where the framework's sources came from. */
  framework: string;
}

/** How to run. */
export interface Options {
  /** Only tests whose `module::name` contains this. */
  filter?: string;
  /** Milliseconds until an endless run is stopped. */
  deadline?: number;
  /** Whether to look for the test that does not end, where one does not; otherwise {@linkcode DeadlinePassed}. */
  search?: boolean;
  /** Whether an earlier answer for the same sources will do (the default). */
  cached?: boolean;
  /** A compiler to use, e.g. of a pool; nothing is cached then. */
  compiler?: Compiler;
}

/** Run the unit tests of `move`, sorted by name. */
export async function test(move: MovePackage, options: Options = {}): Promise<TestResult[]> {
  const { filter = "", deadline = DEADLINE } = options;
  const { names, take } = selection(filesFor(move, "test"));
  const wanted = names.filter((name) => name.includes(filter));
  const tested = async (compiler: Pick<Compiler, "run">) => {
    try {
      return await run(wanted, deadline);
    } catch (error) {
      if (!(error instanceof DeadlinePassed) || options.search === false) throw error;
      return await search(wanted);
    }

    async function run(names: readonly string[], deadline: number): Promise<TestResult[]> {
      const answer = await compiler.run({ kind: "test", files: take(names) }, deadline);
      if (answer.kind !== "tested") throw failure(answer);
      return parseResults(answer.output);
    }

    /** Halves what does not end until the test that does not end stands alone. */
    async function search(names: readonly string[]): Promise<TestResult[]> {
      const middle = Math.ceil(names.length / 2);
      const results: TestResult[] = [];
      for (const half of [names.slice(0, middle), names.slice(middle)]) {
        if (half.length === 0) continue;
        try {
          results.push(...await run(half, PART_DEADLINE));
        } catch (error) {
          if (!(error instanceof DeadlinePassed)) throw error;
          if (half.length > 1) results.push(...await search(half));
          else {
            results.push({ name: half[0]!, status: "deadline", message: "it does not end" });
          }
        }
      }
      return results.sort((a, b) => a.name < b.name ? -1 : 1);
    }
  };
  if (options.compiler !== undefined) return await tested(options.compiler);
  await using compiler = new Cached(extend(await loadFramework(), move.extensions));
  return await tested(compiler);
}

/** Compile the sources of `move` for publishing: no test, no overlay. */
export async function build(move: MovePackage, options: Options = {}): Promise<Built> {
  const framework = await loadFramework();
  await using compiler = options.cached === false ? new Compiler(framework) : new Cached(framework);
  const job: Job = { kind: "build", files: filesFor(move, "build") };
  const answer = await compiler.run(job, options.deadline ?? DEADLINE);
  if (answer.kind !== "built") throw failure(answer);
  const modules = answer.modules.map((base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return { name: shapeOf(bytes).name, bytes };
  });
  return {
    modules: modules.sort((a, b) => a.name < b.name ? -1 : 1),
    dependencies: answer.dependencies,
    digest: toHex(Uint8Array.from(answer.digest)),
    warnings: readable(answer.warnings),
    framework: framework.origin,
  };
}

function failure(answer: Answer): Error {
  return answer.kind === "failed"
    ? new CompileError(readableError(answer.error))
    : new TypeError(`Cannot use the compiler's answer as its kind is ${answer.kind}`);
}

/** Whole names of the tests in `files` that run here, and the same files with only some of these as tests. */
function selection(files: Files): { names: string[]; take: (names: readonly string[]) => Files } {
  const module = (text: string) => moduleOf(text) ?? "";
  const all = Object.values(files).flatMap((text) =>
    testsIn(text).map((name) => `${module(text)}::${name}`)
  );
  const names = all.filter((name) => !NOT_RUN.some((module) => name.startsWith(`${module}::`)));
  const take = (wanted: readonly string[]) => {
    if (wanted.length === all.length) return files;
    const set = new Set(wanted);
    return Object.fromEntries(
      Object.entries(files).map(([path, text]) => [
        path,
        path.endsWith(".move")
          ? keepTests(text, (name) => set.has(`${module(text)}::${name}`))
          : text,
      ]),
    );
  };
  return { names: names.sort(), take };
}

/** A compiler that remembers, in the user's cache, what it has answered. */
class Cached implements AsyncDisposable {
  readonly #compiler: Compiler;
  readonly #framework: Framework;
  readonly #folder = `${cacheFolder()}/results`;

  constructor(framework: Framework) {
    this.#framework = framework;
    this.#compiler = new Compiler(framework);
  }

  async run(job: Job, deadline: number): Promise<Answer> {
    const inputs = JSON.stringify([BUILDER, this.#framework.packages, job]);
    const path = `${this.#folder}/${toHex(sha256(utf8(inputs)))}.json`;
    try {
      return JSON.parse(await Deno.readTextFile(path)) as Answer;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
    }
    const answer = await this.#compiler.run(job, deadline);
    await this.#keep(path, answer);
    return answer;
  }

  async #keep(path: string, answer: Answer): Promise<void> {
    await Deno.mkdir(this.#folder, { recursive: true });
    for await (const { name } of Deno.readDir(this.#folder)) {
      const { mtime } = await Deno.stat(`${this.#folder}/${name}`).catch(() => ({ mtime: null }));
      if (mtime !== null && Date.now() - mtime.getTime() > KEPT_MS) {
        await Deno.remove(`${this.#folder}/${name}`).catch(() => {});
      }
    }
    const fresh = `${path}.${crypto.randomUUID()}`;
    await Deno.writeTextFile(fresh, JSON.stringify(answer));
    await Deno.rename(fresh, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#compiler[Symbol.asyncDispose]();
  }
}
