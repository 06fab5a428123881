/**
 * `deno task mutate attestation`: mutation testing by Stryker, whose command runner runs the fast tests once for
 * each mutant. Minutes long, so no part of the gate. Works on a copy: nothing of the checkout is touched.
 *
 * A mutant that no test can notice is explained where it is, by a comment
 * `// Stryker disable next-line MUTATOR: REASON`. The task fails where any other survives.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { withDefault } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { type MutationReport, summarise, summaryText } from "./report.ts";

const ROOT = new URL("../../", import.meta.url);
const STRYKER = "npm:@stryker-mutator/core@10.1.1";

/** Texts are for people; the codes among them are compared by the tests all the same. */
const LEFT_OUT = ["StringLiteral"];
/** Stryker's report, in the copy. */
const REPORT = "mutation.json";

/** What is mutated and by what it must be noticed, relative to the root. */
const TARGETS = {
  attestation: {
    copies: ["attestation", "enclave"],
    mutate: ["attestation/*.ts", "!attestation/*_{test,bench}.ts", "!attestation/test_pki.ts"],
    // The quickest first: the first failure ends a mutant.
    tests: [
      "attestation/error_test.ts",
      "attestation/der_test.ts",
      "attestation/certificate_test.ts",
      "attestation/ed25519_test.ts",
      "attestation/measurements_test.ts",
      "attestation/document_test.ts",
      "attestation/unwrap_test.ts",
      "attestation/verify_test.ts",
      "attestation/vectors_test.ts",
      "attestation/chain_test.ts",
    ],
    slow: /any one byte|every truncation|short r or s/,
  },
} as const;

const args = run(
  object({
    target: argument(choice(Object.keys(TARGETS) as (keyof typeof TARGETS)[])),
    files: withDefault(
      option("--files", string({ metavar: "GLOB" }), {
        description: message`Mutate only these files, e.g. attestation/chain.ts.`,
      }),
      "",
    ),
    jobs: withDefault(
      option("--jobs", integer({ metavar: "N", min: 1, max: 64 }), {
        description: message`Mutants at work at a time.`,
      }),
      1,
    ),
  }),
  {
    programName: "deno task mutate",
    brief: message`Change the code in small ways and see whether a test notices.`,
    help: "option",
    aboveError: "usage",
    errorExitCode: 2,
    showDefault: true,
  },
);

/** The module of all tests in the copy. */
const ALL = "all_test.ts";

const { copies, mutate, tests, slow } = TARGETS[args.target];
// Ctrl-C ends Stryker, which shares the terminal; this stays to remove the copy.
Deno.addSignalListener("SIGINT", () => {});
const folder = await Deno.makeTempDir({ prefix: "vramhub-" });
const dir = `${folder}/main`;
let code = 1;
try {
  for (const name of copies) await copy(new URL(`${name}/`, ROOT), `${dir}/${name}`);
  // The tests find the genuine documents beside their checkout.
  await Deno.symlink(new URL("../shared", ROOT).pathname, `${folder}/shared`);
  await Deno.copyFile(new URL("deno.lock", ROOT), `${dir}/deno.lock`);
  await Deno.writeTextFile(`${dir}/${ALL}`, allInOne(tests, slow));
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const workspace = copies.map((name) => `./${name}`);
  await Deno.writeTextFile(
    `${dir}/deno.json`,
    JSON.stringify({ ...config, workspace, tasks: {}, coverage: {} }),
  );
  await Deno.writeTextFile(
    `${dir}/stryker.conf.json`,
    JSON.stringify({
      testRunner: "command",
      commandRunner: {
        command: `"${Deno.execPath()}" test -A --no-check --quiet --fail-fast ${ALL}`,
      },
      plugins: [], // the command runner is built in; looking for others needs a node_modules folder
      mutate: args.files === "" ? mutate : [args.files],
      inPlace: true, // in the copy
      concurrency: args.jobs,
      timeoutMS: 20_000, // beside one and a half times what the tests take
      disableTypeChecks: false, // the tests run without them
      mutator: { excludedMutations: LEFT_OUT },
      reporters: ["json", "progress-append-only"],
      jsonReporter: { fileName: REPORT },
      logLevel: "warn",
    }),
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-lock", STRYKER, "run", "stryker.conf.json"],
    cwd: dir,
    stdin: "null",
  }).spawn();
  ({ code } = await child.status);
  if (code === 0) {
    const report = JSON.parse(await Deno.readTextFile(`${dir}/${REPORT}`)) as MutationReport;
    const summary = summarise(report, LEFT_OUT);
    console.log(summaryText(summary));
    if (summary.total.survived > 0) code = 1;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(code);

/** All tests but the slow ones in one module: a realm for each file costs more than the tests. */
function allInOne(tests: readonly string[], slow: RegExp): string {
  return [
    "const test = Deno.test;",
    `const slow = ${slow};`,
    "Deno.test = (first, ...more) => {",
    '  const name = typeof first === "string" ? first : first.name;',
    "  if (!slow.test(name)) test(first, ...more);",
    "};",
    ...tests.map((path) => `await import("./${path}");`),
  ].join("\n");
}

async function copy(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isFile, isDirectory } of Deno.readDir(from)) {
    if (isFile) await Deno.copyFile(new URL(name, from), `${to}/${name}`);
    else if (isDirectory) await copy(new URL(`${name}/`, from), `${to}/${name}`);
  }
}
