import assert from "node:assert/strict";
import type { ArgsIo } from "./args.ts";
import { parseSimulateArgs } from "./args_simulate.ts";

class Exit extends Error {}

const io: ArgsIo = {
  stdout: () => {},
  stderr: () => {},
  exit: (status) => {
    throw new Exit(String(status));
  },
};

Deno.test("parseSimulateArgs: has a default for everything", () => {
  assert.deepEqual(parseSimulateArgs([], io), {
    miners: undefined,
    windows: undefined,
    seed: 1,
    runs: 4,
    json: false,
  });
});

Deno.test("parseSimulateArgs: takes every option", () => {
  const argv = "--miners 50 --windows 200 --seed 7 --runs 2 --json".split(" ");
  assert.deepEqual(parseSimulateArgs(argv, io), {
    miners: 50,
    windows: 200,
    seed: 7,
    runs: 2,
    json: true,
  });
});

Deno.test("parseSimulateArgs: refuses what cannot be played with status 2", () => {
  for (
    const argv of [["--miners", "1"], ["--miners", "251"], ["--windows", "1"], ["--runs", "0"], [
      "--seed",
      "-1",
    ], ["fast"]]
  ) {
    assert.throws(() => parseSimulateArgs(argv, io), { message: "2" }, argv.join(" "));
  }
});
