/**
 * `deno task contracts:mutate`: changes the Move sources in small ways and sees whether a test notices. A mutant is
 * tried on the tests that are named after its module, and on all of them where those notice nothing; one that does not
 * compile is left out of the count. About two seconds each, so no part of the gate. Nothing is written to the checkout.
 *
 * `--guard ID` takes away the very guard that a row of `contracts/EXPLOITS.md` names and shows that its test fails
 * (`--guard all`: every row). The table's format, which `guards.ts` reads:
 *
 *     | id | upstream's fault | our guard | our test |
 *
 * where the guard is ``module.move: `assert!(…)` ``, its text standing once in that file, or `shape: …` where no single
 * line does it, and the test `` `module_tests::name` ``.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { CompileError, test } from "./compile.ts";
import { Compiler, DeadlinePassed } from "./compiler.ts";
import { loadFramework } from "./framework.ts";
import { type Guard, parseExploits, withoutGuard } from "./guards.ts";
import { moduleOf } from "./move_source.ts";
import { type Kind, KINDS, type Mutant, mutantsOf } from "./mutants.ts";
import { CONTRACTS, extend, type MovePackage, only, readPackage } from "./package.ts";
import { reason } from "./results.ts";
import { withVectors } from "./vectors.ts";

/** Milliseconds after which a mutant counts as noticed: the change made a loop endless. */
const DEADLINE = 60_000;

/** How what is said of a guard begins where its test notices. */
const HELD = "without it ";

const args = run(
  object({
    root: withDefault(
      option("--root", string({ metavar: "DIR" }), { description: message`The package's folder.` }),
      CONTRACTS.pathname,
    ),
    only: multiple(
      option("--only", string({ metavar: "MODULE" }), {
        description: message`Mutate this module only; may be given again.`,
      }),
    ),
    kinds: multiple(
      option("--kind", choice(KINDS), { description: message`Only mutants of this kind.` }),
    ),
    limit: withDefault(
      option("--limit", integer({ metavar: "N", min: 1 }), {
        description: message`At most so many mutants, spread evenly.`,
      }),
      Number.MAX_SAFE_INTEGER,
    ),
    jobs: withDefault(
      option("--jobs", integer({ metavar: "N", min: 1, max: 64 }), {
        description: message`Mutants at work at a time.`,
      }),
      1,
    ),
    guard: optional(
      option("--guard", string({ metavar: "ID" }), {
        description: message`Take away this guard of EXPLOITS.md, or all of them in turn.`,
      }),
    ),
    json: option("--json", { description: message`Print one JSON object.` }),
  }),
  {
    programName: "deno task contracts:mutate",
    brief: message`Change the Move sources in small ways and see whether a test notices.`,
    help: "option",
    aboveError: "usage",
    errorExitCode: 2,
  },
);

/** A mutant and what became of it. */
interface Tried extends Omit<Mutant, "source"> {
  /** The file, from the package's folder. */
  file: string;
  /** The module. */
  module: string;
  /** Whether a test noticed, none did, or the compiler refused. */
  outcome: "killed" | "survived" | "invalid";
}

const whole = withVectors(readPackage(args.root));
const framework = extend(await loadFramework(), whole.extensions);
if (args.guard === undefined) await mutate();
else await guards(args.guard);

async function mutate(): Promise<void> {
  const kinds: readonly Kind[] = args.kinds.length === 0 ? KINDS : args.kinds;
  const all = Object.entries(whole.sources).flatMap(([file, source]) => {
    const module = moduleOf(source) ?? file;
    if (args.only.length > 0 && !args.only.includes(module)) return [];
    return mutantsOf(source, kinds).map((mutant) => ({ ...mutant, file, module }));
  });
  const step = Math.max(1, all.length / args.limit);
  const queue = Array.from(
    { length: Math.min(all.length, args.limit) },
    (_, i) => all[Math.floor(i * step)]!,
  );
  const broken = (await test(whole)).filter(({ status }) => status !== "pass");
  if (broken.length > 0) {
    const names = broken.map(({ name }) => name).join(", ");
    throw new Error(`Cannot mutate while tests fail: ${names}`);
  }
  const tried: Tried[] = [];
  await inPool(queue, async ({ source, ...mutant }, compiler) => {
    const move = { ...whole, sources: { ...whole.sources, [mutant.file]: source } };
    let outcome = await attempt(only(move, [mutant.module]), compiler);
    if (outcome === "survived") outcome = await attempt(move, compiler);
    tried.push({ ...mutant, outcome });
    if (!args.json && outcome === "survived") console.log(describe({ ...mutant, outcome }));
    if (tried.length % 20 === 0) console.error(`${tried.length} of ${queue.length} mutants`);
  });
  const modules = Map.groupBy(
    tried.filter(({ outcome }) => outcome !== "invalid"),
    ({ module }) => module,
  );
  const counts = [...modules].sort(([a], [b]) => a < b ? -1 : 1).map(([module, mutants]) => ({
    module,
    killed: mutants.filter(({ outcome }) => outcome === "killed").length,
    total: mutants.length,
  }));
  const survivors = tried.filter(({ outcome }) => outcome === "survived");
  if (args.json) console.log(JSON.stringify({ modules: counts, survivors }));
  else {
    for (const { module, killed, total } of counts) console.log(`${module}: ${killed}/${total}`);
    console.log(`${survivors.length} of ${tried.length} mutants survived`);
  }
  Deno.exitCode = survivors.length === 0 ? 0 : 1;
}

function describe({ file, line, kind, before, after }: Tried): string {
  return `${file}:${line}: ${kind}: ${before} → ${after === "()" ? "nothing" : after}`;
}

async function attempt(move: MovePackage, compiler: Compiler): Promise<Tried["outcome"]> {
  try {
    const results = await test(move, { compiler, deadline: DEADLINE, search: false });
    return results.every(({ status }) => status === "pass") ? "survived" : "killed";
  } catch (error) {
    if (error instanceof DeadlinePassed) return "killed";
    if (error instanceof CompileError) return "invalid";
    throw error;
  }
}

async function guards(id: string): Promise<void> {
  const path = `${args.root.replace(/\/$/, "")}/EXPLOITS.md`;
  const chosen = parseExploits(await Deno.readTextFile(path)).flatMap(({ guard, ...row }) =>
    guard !== undefined && (id === "all" || row.id === id) ? [{ ...row, guard }] : []
  );
  if (chosen.length === 0) throw new RangeError(`Cannot find the guard ${id} in EXPLOITS.md`);
  const passing = new Set(
    (await test(whole)).filter(({ status }) => status === "pass").map(({ name }) => name),
  );
  let held = 0;
  await inPool(chosen, async ({ id, guard, tests }, compiler) => {
    const { line, texts } = await withoutGuardTexts(guard, tests, passing, compiler);
    if (texts.every((text) => text.startsWith(HELD))) held++;
    console.log(`${id}: sources/${guard.file}:${line}: ${texts.join("; ")}`);
  });
  console.log(`${held} of ${chosen.length} guards are held by their tests`);
  Deno.exitCode = held === chosen.length ? 0 : 1;
}

/** Take `guard` away and run its tests: says of each how it went. */
async function withoutGuardTexts(
  guard: Guard,
  tests: readonly string[],
  passing: ReadonlySet<string>,
  compiler: Compiler,
): Promise<{ line: number; texts: string[] }> {
  try {
    const { move, line } = withoutGuard(whole, guard);
    const texts = [];
    for (const name of tests) {
      texts.push(
        passing.has(name) ? await withoutIt(move, name, compiler) : `${name} does not pass with it`,
      );
    }
    return { line, texts };
  } catch (error) {
    // The row is out of date: the others are tried all the same.
    if (error instanceof RangeError) return { line: 0, texts: [error.message] };
    throw error;
  }
}

/** Run the test `name` of `move`, which lacks a guard. */
async function withoutIt(move: MovePackage, name: string, compiler: Compiler): Promise<string> {
  try {
    const results = await test(move, { compiler, filter: name, deadline: DEADLINE, search: false });
    const result = results.find((result) => result.name === name);
    if (result === undefined || result.status === "pass") return `NOT NOTICED by ${name}`;
    return `${HELD}${name} fails: ${reason(result)}`;
  } catch (error) {
    if (error instanceof DeadlinePassed) return `${HELD}${name} does not end`;
    // A replacement that is no Move says nothing about the test.
    if (error instanceof CompileError) return `what is left does not compile: ${error.message}`;
    throw error;
  }
}

/** Work through `items` with as many compilers as there are jobs. */
async function inPool<T>(
  items: readonly T[],
  work: (item: T, compiler: Compiler) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(Array.from({ length: args.jobs }, async () => {
    await using compiler = new Compiler(framework);
    for (const item of queue) await work(item, compiler);
  }));
}
