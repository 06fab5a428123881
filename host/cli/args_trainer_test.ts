import assert from "node:assert/strict";
import type { ArgsIo } from "./args.ts";
import { parseTrainerArgs, type TrainerArgs } from "./args_trainer.ts";
import { openTried, tryTrainer } from "./trainer.ts";

class Exit extends Error {}

const io: ArgsIo = {
  stdout: () => {},
  stderr: () => {},
  exit: (status) => {
    throw new Exit(String(status));
  },
};

const DEFAULTS: TrainerArgs = {
  trainer: "onnx",
  device: undefined,
  model: "tiny",
  tolerance: 1e-4,
  timeout: 600,
  allowRead: [],
  json: false,
};

Deno.test("parseTrainerArgs: has a default for everything but the trainer", () => {
  assert.deepEqual(parseTrainerArgs(["test", "onnx"], io), DEFAULTS);
  for (const argv of [[], ["test"], ["onnx"], ["test", "onnx", "--timeout", "0"]]) {
    assert.throws(() => parseTrainerArgs(argv, io), { message: "2" });
  }
});

Deno.test("parseTrainerArgs: takes every option", () => {
  const argv =
    "test ./a.ts --device cpu --model small --tolerance 0.01 --timeout 5 --allow-read a --allow-read b --json";
  assert.deepEqual(parseTrainerArgs(argv.split(" "), io), {
    trainer: "./a.ts",
    device: "cpu",
    model: "small",
    tolerance: 0.01,
    timeout: 5,
    allowRead: ["a", "b"],
    json: true,
  });
});

Deno.test("trainer test: prints every check of the worked example, and says that they hold", async (t) => {
  const example = new URL("../../miner/adapters/example.ts", import.meta.url).pathname;
  const lines: string[] = [];
  const log = console.log;
  console.log = (line: string) => lines.push(line);
  try {
    assert.equal(await tryTrainer({ ...DEFAULTS, trainer: example }), true);
  } finally {
    console.log = log;
  }
  assert.equal(lines[0], "bigram:");
  assert.equal(lines.filter((line) => line.startsWith("ok    ")).length, 11);
  assert.equal(lines.at(-1), "Every check holds");
  await t.step(
    "and names what cannot be loaded",
    () =>
      assert.rejects(
        openTried({ ...DEFAULTS, trainer: "./no/such.ts" }),
        /^\w+: The trainer such.ts/,
      ),
  );
});
