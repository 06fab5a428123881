import assert from "node:assert/strict";
import { openWandb, WandbError } from "./wandb.ts";

/** A stand-in for the client's module: it writes down what it is told. */
const MODULE = `
import json, os
def init(**about):
    out = open(os.environ["WANDB_TEST_OUT"], "w")
    def say(what):
        out.write(json.dumps(what) + "\\n")
        out.flush()
    say({"init": about, "project": os.environ.get("WANDB_PROJECT"), "mode": os.environ.get("WANDB_MODE"), "key": os.environ.get("WANDB_API_KEY")})
    class Run:
        def log(self, values, step):
            say({"step": step, "values": values})
        def finish(self):
            say("finished")
    return Run()
`;

const hasPython = await new Deno.Command("python3", { args: ["--version"], stdout: "null" })
  .output().then(({ success }) => success, () => false);

async function withModule(
  source: string | null,
  run: (env: Record<string, string>, lines: () => Promise<unknown[]>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    if (source !== null) await Deno.writeTextFile(`${dir}/wandb.py`, source);
    const out = `${dir}/out`;
    await run(
      { PYTHONPATH: dir, WANDB_TEST_OUT: out },
      async () => (await Deno.readTextFile(out)).trim().split("\n").map((line) => JSON.parse(line)),
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const about = { role: "miner", name: "miner-3", config: { model: "tiny", ledger: "dev" } };

Deno.test({
  name:
    "openWandb: hands each window to the Python client, which reads WANDB_* itself (needs python3)",
  ignore: !hasPython,
  fn: () =>
    withModule(MODULE, async (env, lines) => {
      const said: string[] = [];
      const backend = await openWandb({
        ...about,
        env: { ...env, WANDB_PROJECT: "vramhub", WANDB_MODE: "offline", WANDB_API_KEY: "k3y" },
        log: (...line) => said.push(JSON.stringify(line)),
      });
      backend.record(7, { "window/base_loss": 4.5, "miner/accepted": 1 });
      backend.record(8, { "window/base_loss": 4.25, "miner/accepted": 0 });
      await backend[Symbol.asyncDispose]();
      assert.deepEqual(await lines(), [
        {
          init: { name: "miner-3", job_type: "miner", config: about.config },
          project: "vramhub",
          mode: "offline",
          key: "k3y",
        },
        { step: 7, values: { "window/base_loss": 4.5, "miner/accepted": 1 } },
        { step: 8, values: { "window/base_loss": 4.25, "miner/accepted": 0 } },
        "finished",
      ]);
      assert.ok(!said.join().includes("k3y"));
    }),
});

Deno.test({
  name: "openWandb: a client that ends is said once, and keeps nobody from working (needs python3)",
  ignore: !hasPython,
  fn: () =>
    withModule(`def init(**about):\n    raise SystemExit("wandb: bad API key")\n`, async (env) => {
      const said: string[] = [];
      const backend = await openWandb({
        ...about,
        env,
        log: (level, _, message, fields) => said.push(`${level} ${message} ${fields?.said ?? ""}`),
      });
      const warned = () => said.filter((line) => line.startsWith("warn"));
      for (let step = 0; warned().length === 0; step++) {
        backend.record(step, { x: 1 });
        await new Promise((resolve) => setTimeout(resolve, 10));
        assert.ok(step < 1_000);
      }
      backend.record(9_999, { x: 1 });
      await backend[Symbol.asyncDispose]();
      assert.match(warned().join(), /^warn Weights & Biases' client ended: .*bad API key$/);
    }),
});

Deno.test("openWandb: without a client, or an interpreter, it says what to install", async () => {
  const log = () => {};
  await assert.rejects(
    () => openWandb({ ...about, env: {}, python: "/nowhere/python3", log }),
    (error) =>
      error instanceof WandbError &&
      /there is no \/nowhere\/python3\. Install its client with 'python3 -m pip install wandb'/
        .test(error.message),
  );
  if (!hasPython) return;
  await withModule("raise ImportError('No module named wandb')", async (env) => {
    await assert.rejects(
      () => openWandb({ ...about, env, log }),
      /^WandbError: Cannot report to Weights & Biases: python3 has no client of it \(missing No module named wandb\)/,
    );
  });
});
