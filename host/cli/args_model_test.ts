import assert from "node:assert/strict";
import type { ArgsIo } from "./args.ts";
import { parseModelArgs } from "./args_model.ts";

class Exit extends Error {}

const io: ArgsIo = {
  stdout: () => {},
  stderr: () => {},
  exit: (status) => {
    throw new Exit(String(status));
  },
};

const parsed = (line: string) => parseModelArgs(line.split(" "), io);

Deno.test("parseModelArgs: an export, with its defaults and without", () => {
  const usual = { trainable: "all", context: 256, batch: 4 };
  assert.deepEqual(parsed("export --model gpt2 --out p"), {
    action: "export",
    model: "gpt2",
    out: "p",
    seed: 0,
    ...usual,
  });
  const all = "export --model gpt2 --out p --trainable last:2 --context 64 --batch 8 --seed 3";
  assert.deepEqual(parsed(all), {
    action: "export",
    ...{ model: "gpt2", out: "p", seed: 3, trainable: "last:2", context: 64, batch: 8 },
  });
});

Deno.test("parseModelArgs: a fit and a check", () => {
  assert.deepEqual(parsed("fit nano-gpt --miners 32 --topk-bps 50 --window-seconds 60 --json"), {
    action: "fit",
    ...{ model: "nano-gpt", miners: 32, topkBps: 50, windowSeconds: 60, json: true },
    ...{ trainable: "all", context: 256, batch: 4 },
  });
  assert.deepEqual(parsed("check package"), { action: "check", folder: "package", json: false });
});

Deno.test("parseModelArgs: refuses what it does not know", () => {
  for (
    const line of [
      "",
      "measure x",
      "fit",
      "export --model gpt2",
      "fit x --miners 0",
      "fit x --batch 65",
    ]
  ) {
    assert.throws(() => parsed(line), { name: "Error", message: "2" }, line);
  }
});
