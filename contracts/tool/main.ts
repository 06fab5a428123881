/**
 * `deno task contracts:test` and `contracts:build`: the Move package without the `sui` command, by Sui's own compiler
 * and VM as WebAssembly.
 *
 * @module
 */
import { merge, object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path, run } from "@optique/run";
import { build, CompileError, test } from "./compile.ts";
import { formatFiles, moveFiles } from "./format.ts";
import { CONTRACTS, type MovePackage, only, readPackage } from "./package.ts";
import { reason } from "./results.ts";
import { SNAPSHOT, snapshotOf } from "./snapshot.ts";
import { withVectors } from "./vectors.ts";

const common = object({
  json: option("--json", { description: message`Print one JSON object.` }),
  root: withDefault(
    option("--root", string({ metavar: "DIR" }), {
      description: message`The package's folder, where it is another than contracts.`,
    }),
    CONTRACTS.pathname,
  ),
  only: map(
    multiple(option("--only", string({ metavar: "MODULE" }), {
      description: message`This module, what it imports and its tests; may be given again.`,
    })),
    (names) => names.flatMap((name) => name.split(",")),
  ),
});

const args = run(
  or(
    command(
      "test",
      merge(
        common,
        object({
          command: constant("test"),
          filter: withDefault(
            option("--filter", string({ metavar: "NAME" }), {
              description: message`Tests whose module::name contains this.`,
            }),
            "",
          ),
        }),
      ),
      { description: message`Compile the package and run its unit tests.` },
    ),
    command("build", merge(common, object({ command: constant("build") })), {
      description: message`Compile the sources for publishing.`,
    }),
    command("snapshot", object({ command: constant("snapshot") }), {
      description: message`Write down what the package promises to callers.`,
    }),
    command(
      "fmt",
      object({
        command: constant("fmt"),
        check: option("--check", { description: message`Only say what would change.` }),
        files: multiple(argument(path({ metavar: "FILE", mustExist: true }))),
      }),
      { description: message`Format the Move files; all of them where none is named.` },
    ),
  ),
  { programName: "contracts", help: "both", aboveError: "usage", errorExitCode: 2 },
);

try {
  if (args.command === "fmt") Deno.exitCode = await runFormat(args.files, args.check);
  else if (args.command === "snapshot") {
    await Deno.writeTextFile(SNAPSHOT, snapshotOf(await build(readPackage())));
  } else {
    const whole = args.command === "test"
      ? withVectors(readPackage(args.root))
      : readPackage(args.root);
    const move = args.only.length === 0 ? whole : only(whole, args.only);
    Deno.exitCode = args.command === "test"
      ? await runTests(move, args.filter, args.json)
      : await runBuild(move, args.json);
  }
} catch (error) {
  if (!(error instanceof CompileError || error instanceof RangeError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}

async function runTests(move: MovePackage, filter: string, json: boolean): Promise<number> {
  const results = await test(move, { filter });
  const failed = results.filter(({ status }) => status !== "pass").length;
  if (json) console.log(JSON.stringify({ passed: results.length - failed, failed, results }));
  else {
    for (const result of results) {
      const why = result.status === "pass" ? "ok" : `FAILED ${reason(result)}`;
      console.log(`${result.name} ... ${why}`);
    }
    console.log(`${results.length - failed} passed, ${failed} failed`);
  }
  return failed === 0 && results.length > 0 ? 0 : 1;
}

async function runBuild(move: MovePackage, json: boolean): Promise<number> {
  const { modules, dependencies, digest, warnings, framework } = await build(move);
  if (json) {
    const encoded = modules.map(({ name, bytes }) => ({ name, bytes: bytes.toBase64() }));
    console.log(JSON.stringify({ modules: encoded, dependencies, digest, framework }));
    return 0;
  }
  if (warnings !== "") console.log(`${warnings}\n`);
  for (const { name, bytes } of modules) console.log(`${name}: ${bytes.length} bytes`);
  const total = modules.reduce((sum, { bytes }) => sum + bytes.length, 0);
  console.log(`${modules.length} modules, ${total} bytes, framework: ${framework}`);
  console.log(`dependencies ${dependencies.join(" ")}\ndigest ${digest}`);
  return 0;
}

async function runFormat(files: readonly string[], check: boolean): Promise<number> {
  const all = files.length > 0 ? files : moveFiles(CONTRACTS.pathname.replace(/\/$/, ""));
  const changed = await formatFiles(all, check);
  for (const path of changed) console.log(check ? `${path} is not formatted` : path);
  return check && changed.length > 0 ? 1 : 0;
}
