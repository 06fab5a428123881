/**
 * The shared vectors as Move tests. Move reads no JSON, so its tests are written anew from `tests/vectors/` whenever
 * they run, and are never checked in: what TypeScript computes and what Move computes cannot drift apart.
 *
 * @module
 */
import type { Files } from "./framework.ts";
import { moduleOf } from "./move_source.ts";
import type { MovePackage } from "./package.ts";
import { assignmentTests, merkleTests } from "./vectors/data.ts";
import { hparamsTests, windowTests } from "./vectors/hparams.ts";
import { outcomeTests, reportTests, settledTests } from "./vectors/messages.ts";
import { payTests, settleTests } from "./vectors/pay.ts";
import { commitTests, roundTests } from "./vectors/window.ts";
import { source } from "./vectors/write.ts";

const TESTS = [
  hparamsTests,
  windowTests,
  commitTests,
  roundTests,
  assignmentTests,
  merkleTests,
  reportTests,
  outcomeTests,
  settledTests,
  settleTests,
  payTests,
];

/** Sources of all tests made of vectors, by path, for those of `modules`. */
export function vectorTests(modules: ReadonlySet<string>): Files {
  return Object.fromEntries(
    TESTS.map((make) => make()).filter(({ module }) => modules.has(module)).map((tests) => [
      `tests/vectors/${tests.module}_${tests.topic}_vectors_tests.move`,
      source(tests),
    ]),
  );
}

/** `move` with the tests made of vectors beside its own. */
export function withVectors(move: MovePackage): MovePackage {
  const modules = new Set(Object.values(move.sources).map((text) => moduleOf(text) ?? ""));
  return { ...move, tests: { ...move.tests, ...vectorTests(modules) } };
}
