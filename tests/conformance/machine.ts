/**
 * Runs traces in the Move VM, with nothing of the package's own tests but what the player needs.
 *
 * @module
 */
import { test } from "../../contracts/tool/compile.ts";
import { filesOf } from "../../contracts/tool/framework.ts";
import { CONTRACTS, type MovePackage, readPackage } from "../../contracts/tool/package.ts";
import { reason } from "../../contracts/tool/results.ts";
import { type Options, type Place, testsOf } from "./emit.ts";
import type { Played } from "./traces.ts";

/** What of the package's tests the player uses. */
const HELPERS = ["tests/scenario.move", "tests/score_fixture.move"];

/** A test that failed: the two ledgers differ. */
export interface Failure extends Place {
  /** Where and why, by the VM. */
  readonly why: string;
}

/** The package with the player. */
export function playerPackage(): MovePackage {
  const move = readPackage();
  const own = Object.entries(move.tests).filter(([path]) => HELPERS.includes(path));
  const player = filesOf(new URL("conformance", CONTRACTS).pathname, "tests/conformance/");
  return { ...move, tests: { ...Object.fromEntries(own), ...player } };
}

/** Play `traces` in the VM; returns how many tests ran, and those that failed, the shortest trace first. */
export async function compare(
  traces: readonly Played[],
  options: Options = {},
): Promise<{ tests: number; failures: Failure[] }> {
  const move = playerPackage();
  const { files, places } = testsOf(traces, options);
  const results = await test({ ...move, tests: { ...move.tests, ...files } });
  const seen = new Set(results.map(({ name }) => name));
  const missing = [...places.keys()].filter((name) => !seen.has(name));
  if (missing.length > 0) throw new Error(`The VM did not run ${missing[0]}`);
  const failures = results.filter(({ status }) => status !== "pass")
    .map((result) => ({ ...places.get(result.name)!, why: reason(result) }));
  return { tests: results.length, failures };
}
