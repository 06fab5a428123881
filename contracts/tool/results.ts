/**
 * Results of Move's unit tests, out of the text that its runner prints.
 *
 * @module
 */

/** How one Move test went. */
export interface TestResult {
  /** Its whole name, `module::function`, without the package's. */
  name: string;
  /** Whether it passed, failed or was stopped at the deadline. */
  status: "pass" | "fail" | "deadline";
  /** What the code aborted with where it did so unasked: a number, or a constant's name. */
  abort?: string;
  /** The runner's sentence about the failure. */
  message?: string;
  /** `file:line` at which it failed. */
  at?: string;
}

const LINE = /^\[ (PASS|FAIL|TIMEOUT)\s*\] \w+::(\S+)$/;
const COLOURS = new RegExp(String.fromCharCode(27) + "\\[[0-9;]*m", "g");
/** Where tests that need the overlay lie in the compiler's eyes, and where for people. */
const OVERLAY = [/\btests\/overlay\//g, "overlay/tests/"] as const;

/** `text` of the compiler for people: paths as they are in the folder, no colours. */
export function readable(text: string): string {
  return text.replaceAll(COLOURS, "").replaceAll(...OVERLAY).trimEnd();
}

/** The compiler's refusal for people: of a panic the sentence, not the stack. */
export function readableError(text: string): string {
  const error = readable(text);
  const panic = /^panicked at .*\n(.*)/m.exec(error)?.[1];
  if (panic === undefined) return error;
  const locals = /value \(\d+\) cannot exceed \(255\)/.test(panic);
  const hint = locals ? ": a function has over 255 locals (an assert_eq! takes two); split it" : "";
  return `The compiler panicked: ${panic}${hint}`;
}

/** Results of all tests that `output` names, sorted by name. */
export function parseResults(output: string): TestResult[] {
  const results = new Map<string, TestResult>();
  let module = "";
  let current: TestResult | undefined;
  for (const line of readable(output).split("\n")) {
    const [, status, name] = LINE.exec(line) ?? [];
    if (name !== undefined) {
      const found = status === "PASS" ? "pass" : status === "FAIL" ? "fail" : "deadline";
      results.set(name, { name, status: found });
      continue;
    }
    module = /^Failures in \w+::(\w+):/.exec(line)?.[1] ?? module;
    const started = /^┌── (\w+) ─/.exec(line)?.[1];
    if (started !== undefined) current = results.get(`${module}::${started}`);
    else if (line.startsWith("└──")) current = undefined;
    else if (current !== undefined) describe(current, line.replace(/^│ ?/, ""));
  }
  return [...results.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

function describe(result: TestResult, line: string): void {
  const at = /┌─ (\S+:\d+):\d+/.exec(line)?.[1];
  if (at !== undefined) result.at ??= at;
  // A failure inside the framework is more use with the line of ours that called it.
  const caller = /^\s+\w+::\w+\((\S+:\d+)\)$/.exec(line)?.[1];
  const foreign = result.at?.startsWith("dependencies/") === true;
  if (caller !== undefined && foreign && !caller.startsWith("dependencies/")) result.at = caller;
  const sentence = /(?:Test (?:was|did)|Expected|ITE:|Error:).*$/.exec(line)?.[0].trim();
  if (sentence === undefined || result.message !== undefined) return;
  result.message = sentence;
  const abort = /error constant '(\w+)'|with code (\d+)/.exec(sentence);
  if (abort !== null) result.abort = abort[1] ?? abort[2]!;
}

/** Where and why a test failed, in a line. */
export function reason({ at, message, status }: TestResult): string {
  return [at, message ?? status].filter((part) => part !== undefined).join(": ");
}
