/**
 * Runs of many traces: which are made, which of their refusals become tests, and what a difference comes down to.
 *
 * @module
 */
import type { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import { Coverage, shownBy } from "./coverage.ts";
import type { Place } from "./emit.ts";
import { compare, type Failure } from "./machine.ts";
import { emitted, type Step } from "./player.ts";
import { play, type Played, type Trace, traceOf } from "./traces.ts";

/** Refusals with one constant that are tests of a run. */
const OF_A_CONSTANT = 4;
/** The same of one call with one constant, whatever other calls were refused with it. */
const OF_A_CALL = 3;
/** Traces that are compiled together: compiling takes seconds, and the compiler memory grows with them. */
const BATCH = 600;
/** Traces that are made in search of what is missing, as a multiple of those asked for. */
const SEARCH = 20;

/** A trace before and after it was played. */
export interface Made {
  /** The operations. */
  readonly trace: Trace;
  /** The steps. */
  readonly played: Played;
}

/** A difference between the two ledgers. */
export interface Difference {
  /** The trace that shows it. */
  readonly made: Made;
  /** Where the ledgers part. */
  readonly step: Step;
  /** What the VM says. */
  readonly why: string;
}

/**
 * Make `count` traces from number `first` of `run` on, and, where `complete`, more of them as long as something is
 * missing: of these only such as show something new.
 */
export async function make(
  run: number,
  first: number,
  count: number,
  { complete = false, wrap = (ledger: DevLedger): DevLedger => ledger } = {},
): Promise<{ made: Made[]; coverage: Coverage }> {
  const made: Made[] = [];
  const coverage = new Coverage();
  const most = complete ? SEARCH * count : count;
  for (let n = 0; n < most; n++) {
    const wanted = new Set(coverage.missing());
    if (n >= count && wanted.size === 0) break;
    const trace = traceOf(run, first + n);
    const played = await play(trace, wrap);
    if (n >= count && !shownBy(played.steps).some((shown) => wanted.has(shown))) continue;
    made.push({ trace, played });
    coverage.add(played.steps);
  }
  return { made, coverage };
}

/**
 * Which refusals are tests: some of each constant, and of each call that was refused with it. What was taken is played
 * in any case, and every refusal costs a test that plays all before it.
 */
export function chosen(made: readonly Made[]): (place: Place) => boolean {
  const places = new Set<string>();
  const counts = new Map<string, number>();
  const next = (what: string) => {
    const count = (counts.get(what) ?? 0) + 1;
    counts.set(what, count);
    return count;
  };
  for (const [trace, { played }] of made.entries()) {
    places.add(`${trace} -1`);
    for (const [step, { name, refusal }] of emitted(played.steps).entries()) {
      if (refusal === null) continue;
      const [ofConstant, ofCall] = [next(refusal), next(`${name} ${refusal}`)];
      if (ofConstant <= OF_A_CONSTANT || ofCall <= OF_A_CALL) places.add(`${trace} ${step}`);
    }
  }
  return ({ trace, step }) => places.has(`${trace} ${step}`);
}

/** Play `made` in the Move VM. */
export async function check(
  made: readonly Made[],
): Promise<{ tests: number; differences: Difference[] }> {
  const wanted = chosen(made);
  const differences: Difference[] = [];
  let tests = 0;
  for (let first = 0; first < made.length; first += BATCH) {
    const batch = made.slice(first, first + BATCH);
    const result = await compare(batch.map(({ played }) => played), {
      only: ({ trace, step }) => wanted({ trace: first + trace, step }),
    });
    tests += result.tests;
    differences.push(...result.failures.map((failure) => differenceOf(batch, failure)));
  }
  return { tests, differences };
}

function differenceOf(made: readonly Made[], failure: Failure): Difference {
  const one = made[failure.trace]!;
  return { made: one, step: partingOf(one.played, failure), why: failure.why };
}

/** A result that differs: the code names the step. */
const DIFFERS = 1_000_000_000;

/** The step at which the ledgers part. */
function partingOf(played: Played, { step, why }: Failure): Step {
  const steps = emitted(played.steps);
  const code = Number(/aborted with code (\d+)/.exec(why)?.[1] ?? 0);
  const number = code >= DIFFERS ? Math.floor((code - DIFFERS) / 1_000) : step;
  // A call that was taken here and refused there has no number: the last step stands for it.
  return steps[number] ?? steps.at(-1)!;
}

/** The kind of a difference: shrinking keeps to it. */
const kindOf = ({ step, why }: Difference) =>
  `${step.name} ${/module (\S+)/.exec(why)?.[1] ?? ""} ${
    /error constant '\w+'/.exec(why)?.[0] ?? ""
  }`;

/** Rounds of shrinking, and tries of one: each round compiles once. */
const ROUNDS = 8;
const TRIES = 24;

/**
 * Leave out of a trace whatever the difference does not need: parts of it first, then single operations. All tries of
 * a round are compiled together; the shortest that shows the same is taken.
 */
export async function shrink(
  difference: Difference,
  wrap?: (ledger: DevLedger) => DevLedger,
): Promise<Difference> {
  let best = difference;
  const kind = kindOf(difference);
  // Nothing after the parting is needed; what the trace looks at in the end stays by itself.
  let size = best.made.trace.ops.length;
  for (let round = 0; round < ROUNDS && size >= 1; round++) {
    const { setting, ops } = best.made.trace;
    size = Math.max(1, Math.min(size, Math.ceil(ops.length / 2)));
    const cuts = Math.ceil(ops.length / size);
    const candidates: Trace[] = [];
    for (let cut = 0; cut < Math.min(cuts, TRIES - 3); cut++) {
      candidates.push({ setting, ops: ops.toSpliced(cut * size, size) });
    }
    const { origin } = best.step;
    if (origin >= 0 && origin + 1 < ops.length) {
      candidates.push({ setting, ops: ops.slice(0, origin + 1) });
      candidates.push({ setting, ops: ops.slice(origin, origin + 1) });
    }
    // Many differences need one operation, or none.
    if (round === 0) candidates.push(...ops.slice(-TRIES).map((one) => ({ setting, ops: [one] })));
    candidates.push({ setting, ops: [] });
    const made: Made[] = [];
    for (const trace of candidates) made.push({ trace, played: await play(trace, wrap) });
    const { failures } = await compare(made.map(({ played }) => played), { literal: true });
    const found = failures
      .map((failure) => differenceOf(made, failure))
      .filter((other) => kindOf(other) === kind)
      .sort((a, b) => a.made.trace.ops.length - b.made.trace.ops.length)[0];
    if (found !== undefined && found.made.trace.ops.length < ops.length) best = found;
    else if (size === 1) break;
    else size = Math.ceil(size / 4);
    if (best.made.trace.ops.length === 0) break;
  }
  return best;
}

/** A difference for people: the network, the operations, the steps, and where the two part. */
export function describe({ made, step, why }: Difference): string {
  const { setting, ops } = made.trace;
  const steps = emitted(made.played.steps);
  const at = steps.indexOf(step);
  const line = ({ name, refusal, results }: Step, i: number) => {
    const outcome = refusal ?? (results.length === 0 ? "taken" : results.join(" "));
    return `${i === at ? "->" : "  "} ${i} ${name}: ${outcome}`;
  };
  return [
    `network: ${setting.miners} miners, validators of ${setting.validators.join(", ")} MIST`,
    `operations: ${ops.map(({ name }) => name).join(", ") || "none"}`,
    "the dev ledger:",
    ...steps.map(line).filter((_, i) => i <= at),
    `Move: ${why}`,
  ].join("\n");
}
