/**
 * `deno task conformance`: random traces through the dev ledger and through the contracts in the Move VM.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { check, describe, type Difference, make, shrink } from "./campaign.ts";
import { Coverage } from "./coverage.ts";
import { PLANTED, planted } from "./plant.ts";

/** Traces that are compiled together. */
const BATCH = 240;

const { seconds, seed, plant } = run(
  object({
    seconds: withDefault(
      option("--seconds", integer({ metavar: "N", min: 1, max: 86_400 }), {
        description: message`For how long; a batch that has begun is finished.`,
      }),
      60,
    ),
    seed: optional(option("--seed", integer({ metavar: "S", min: 0, max: 0x7fff_ffff }), {
      description: message`Repeats a run. Without it, a random one, which is printed.`,
    })),
    plant: option("--plant", {
      description: message`Plant a difference in the dev ledger: it must be found.`,
    }),
  }),
  {
    programName: "conformance",
    help: "option",
    aboveError: "usage",
    description: message`Compare the dev ledger with the contracts in the Move VM, trace by trace.`,
  },
);

const number = seed ?? crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1;
const wrap = plant ? planted : undefined;
console.log(`seed ${number}${plant ? `; planted: ${PLANTED}` : ""}`);
const until = performance.now() + 1_000 * seconds;
const coverage = new Coverage();
let traces = 0;
let tests = 0;
let found: Difference | undefined;
do {
  const batch = await make(number, traces, BATCH, wrap === undefined ? {} : { wrap });
  const result = await check(batch.made);
  traces += batch.made.length;
  tests += result.tests;
  for (const { played } of batch.made) coverage.add(played.steps);
  found = shortest(result.differences);
  const left = Math.max(0, Math.round((until - performance.now()) / 1_000));
  console.log(`${traces} traces, ${tests} tests in Move, ${left} s left`);
} while (found === undefined && performance.now() < until);

console.log(`\n${coverage.table()}\n`);
const missing = coverage.missing();
if (missing.length > 0) console.log(`not shown by this run: ${missing.join(", ")}\n`);
if (found === undefined) {
  console.log(plant ? "the planted difference was not found" : "no difference");
  Deno.exit(plant ? 1 : 0);
}
console.log("a difference; leaving out what it does not need");
console.log(`\n${describe(await shrink(found, wrap))}`);
Deno.exit(plant ? 0 : 1);

function shortest(differences: readonly Difference[]): Difference | undefined {
  const size = ({ made }: Difference) => made.trace.ops.length;
  return [...differences].sort((a, b) => size(a) - size(b))[0];
}
