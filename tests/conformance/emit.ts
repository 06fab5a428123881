/**
 * Traces as Move tests: each is data and two kinds of calls of the player. What was taken is one test; each refusal is a
 * test of its own, after what was taken before it, that expects the same constant.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import type { Files } from "../../contracts/tool/framework.ts";
import { emitted } from "./player.ts";
import type { Played } from "./traces.ts";

/** Where a test's trace, and the step that it is about (-1: all of it), stand. */
export interface Place {
  /** Index of the trace. */
  readonly trace: number;
  /** The refused step among those emitted, or -1. */
  readonly step: number;
}

/** Which tests are made, and how. */
export interface Options {
  /** Spell out every result. */
  readonly literal?: boolean;
  /** Only tests of these places. */
  readonly only?: (place: Place) => boolean;
}

/** Name of the test of a place. */
export const testName = (prefix: string, { trace, step }: Place): string =>
  step < 0 ? `${prefix}::t${trace}` : `${prefix}::t${trace}_${step}`;

/** Traces of one module: a file of constants grows no compiler's patience. */
const PER_MODULE = 25;

/** Sources of the tests of `traces`, by path, and what each test is about. */
export function testsOf(
  traces: readonly Played[],
  { literal = false, only = () => true }: Options = {},
): { files: Files; places: Map<string, Place> } {
  const files: Files = {};
  const places = new Map<string, Place>();
  for (let first = 0; first < traces.length; first += PER_MODULE) {
    const module = `conformance_${first}_tests`;
    const lines = [
      "#[test_only]",
      `module vramhub::${module};`,
      "",
      "use vramhub::conformance_play::{play, play_to};",
    ];
    for (const [i, played] of traces.slice(first, first + PER_MODULE).entries()) {
      const trace = first + i;
      const name = (step: number) => {
        const place = { trace, step };
        const name = testName(module, place);
        if (!only(place)) return null;
        places.set(name, place);
        return name.split("::")[1]!;
      };
      const data = toHex(literal ? played.literal : played.bytes);
      lines.push("", `fun d${trace}(): vector<u8> { x"${data}" }`);
      const whole = name(-1);
      if (whole !== null) lines.push("#[test]", `fun ${whole}() { play(d${trace}()) }`);
      for (const [step, { refusal }] of emitted(played.steps).entries()) {
        if (refusal === null) continue;
        const refused = name(step);
        if (refused === null) continue;
        lines.push(
          `#[test, expected_failure(abort_code = vramhub::${refusal})]`,
          `fun ${refused}() { play_to(d${trace}(), ${step}) }`,
        );
      }
    }
    files[`tests/conformance/${module}.move`] = lines.join("\n") + "\n";
  }
  return { files, places };
}
