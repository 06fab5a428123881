/**
 * Runs every test and every example of the tree and ends with one line that says how it went:
 *
 *     N passed, N failed, N skipped
 *
 * `deno test -A` runs the same tests; this adds the count, fails where no test ran, where one left a process behind and,
 * under `CI=true`, where one was skipped that `allowed_skips.txt` does not name, or whose need is here all the same.
 * Arguments go to `deno test`: paths, `--filter=…`, `--coverage=DIR`. Types are the gate's business (`deno task check`):
 * here they are not checked, since an example is given imports of all that its module exports, and each one that it
 * does not use would be an error.
 *
 * @module
 */
import { run } from "../../nitro/command.ts";
import { findPython } from "../support/python.ts";
import { findSwiftShader } from "../support/swiftshader.ts";
import { parseAllowed, parseJunit, tally } from "./junit.ts";
import { end, leftoversAfter, MARKER } from "./processes.ts";
import { files, read, ROOT } from "./sources.ts";

/** Test modules at work at a time: the machines that run this have two cores. */
const JOBS = "2";

/** The line `./path.ts => name ... ok` gets the count of modules seen before it. */
const TEST_LINE = /^(\.\/[^ ]+) => /;

// deno-lint-ignore no-control-regex
const COLOURS = /\x1b\[[0-9;]*m/g;

const mark = crypto.randomUUID();
const report = await Deno.makeTempFile({ prefix: "vramhub-", suffix: ".junit.xml" });
let uncaught = 0;
const left: string[] = [];

const child = new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--no-check", "--doc", "--parallel", `--junit-path=${report}`, ...Deno.args],
  cwd: ROOT,
  env: { [MARKER]: mark, DENO_JOBS: Deno.env.get("DENO_JOBS") ?? JOBS, ...colours() },
  stdin: "null",
  stdout: "piped",
  stderr: "inherit",
}).spawn();

await relay(child.stdout);
const { success } = await child.status;

const cases = parseJunit(await Deno.readTextFile(report));
await Deno.remove(report);
const { passed, failed, skipped, skippedNames } = tally(cases, success, uncaught);

if (passed + failed === 0) left.push("No test ran");
if (Deno.env.get("CI") === "true") {
  const present = new Set<string>();
  if (await findPython() !== undefined) present.add("pytorch");
  if (await findSwiftShader() !== undefined) present.add("swiftshader");
  if (await run("gcc", ["--version"]).then(() => true, () => false)) present.add("gcc");
  const allowed = parseAllowed(read("tests/house/allowed_skips.txt"), present);
  for (const name of skippedNames) {
    if (!allowed.has(name)) left.push(`Skipped, and not in tests/house/allowed_skips.txt: ${name}`);
  }
}
const behind = await leftoversAfter(mark, 2_000);
for (const { pid, command } of behind) left.push(`Left behind: process ${pid}: ${command}`);
end(behind);

for (const line of left) console.log(line);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
Deno.exit(failed === 0 && left.length === 0 ? 0 : 1);

/** Passes the output through, line by line, numbering the modules as they appear. */
async function relay(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
  const total = files().filter((path) => path.endsWith("_test.ts")).length;
  const seen = new Set<string>();
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) show(line);
  }
  if (rest !== "") show(rest);

  function show(line: string): void {
    const plain = line.replaceAll(COLOURS, "");
    if (/^Uncaught error from .* FAILED$/.test(plain)) uncaught++;
    const file = TEST_LINE.exec(plain)?.[1];
    if (file !== undefined && file.endsWith("_test.ts")) seen.add(file);
    console.log(file === undefined ? line : `[${seen.size}/${total}] ${line}`);
  }
}

/** Colours are kept where somebody looks at a terminal. */
function colours(): Record<string, string> {
  return Deno.stdout.isTerminal() && !Deno.noColor ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" };
}
