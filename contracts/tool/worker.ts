/**
 * The process that compiles and tests: it reads and writes nothing but its pipes (`--allow-read` is for the compiler's
 * own WebAssembly), so a Move loop that never ends can be killed with it. A line of JSON in is a job, a line out its
 * result, one at a time; the first line in is the framework.
 *
 * @module
 */
import {
  dumpMovePackage,
  initMovePackageBuilder,
  testMovePackage,
} from "@zktx.io/sui-move-builder/full";
import { type Files, type Framework, FrameworkFetcher } from "./framework.ts";

/** What the process is asked. */
export interface Job {
  /** Whether to run the unit tests or to give out the bytecode. */
  kind: "test" | "build";
  /** The package's files. */
  files: Files;
}

/** What it answers: the builder's own result. */
export type Answer =
  | { kind: "failed"; error: string }
  | { kind: "tested"; output: string }
  | {
    kind: "built";
    modules: string[];
    dependencies: string[];
    digest: number[];
    warnings: string;
  };

async function answer({ kind, files }: Job, fetcher: FrameworkFetcher): Promise<Answer> {
  const input = { files, fetcher, ansiColor: false };
  if (kind === "test") {
    const result = await testMovePackage(input);
    if ("error" in result) return { kind: "failed", error: result.error };
    // Where the package does not compile, the output is the compiler's and has no last line of the runner's.
    const ran = /^Test result: /m.test(result.output);
    return ran
      ? { kind: "tested", output: result.output }
      : { kind: "failed", error: result.output };
  }
  const result = await dumpMovePackage(input);
  if ("error" in result) return { kind: "failed", error: result.error };
  const { modules, dependencies, digest, warnings = "" } = result;
  return { kind: "built", modules, dependencies, digest, warnings };
}

if (import.meta.main) {
  // What the builder logs must not mix with the answers.
  console.log = console.error;
  let fetcher: FrameworkFetcher | undefined;
  let rest = "";
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (fetcher === undefined) {
        fetcher = new FrameworkFetcher(JSON.parse(line) as Framework);
        await initMovePackageBuilder();
        continue;
      }
      const bytes = new TextEncoder().encode(
        JSON.stringify(await answer(JSON.parse(line) as Job, fetcher)) + "\n",
      );
      for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
    }
  }
}
