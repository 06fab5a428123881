import assert from "node:assert/strict";
import { searched } from "../../tests/support/secrets.ts";
import { Config, ConfigError } from "../config/mod.ts";
import { TestNetwork } from "../ledger/testing.ts";
import type { MonitoringArgs } from "./args_monitoring.ts";
import { openMonitoring } from "./monitoring.ts";
import type { RunEvent } from "./present/mod.ts";

const KEY = "0123456789abcdef0123456789abcdef01234567";

/** Every line that is shown for these options and settings, of a line for each level of two modules. */
async function heard(
  args: MonitoringArgs & { json?: boolean; quiet?: boolean },
  env: Record<string, string> = {},
): Promise<string[]> {
  const { json = false, quiet = false } = args;
  const shown: string[] = [];
  const config = new Config([{ name: "the environment", values: env }]);
  const show = (event: RunEvent) =>
    event.event === "log" && shown.push(`${event.level} ${event.target}`);
  await using monitoring = await openMonitoring({
    args: { ...args, logFormat: "pretty", json },
    config,
    presenter: { show, close: () => {} },
    write: (line) => shown.push(line),
    quiet,
  });
  for (const target of ["vramhub_miner", "vramhub_calls"]) {
    for (const level of ["debug", "info", "warn"] as const) monitoring.log(level, target, "m");
  }
  return shown;
}

const MINER = ["debug", "info", "warn"].map((level) => `${level} vramhub_miner`);
const CALLS = ["debug", "info", "warn"].map((level) => `${level} vramhub_calls`);

Deno.test("openMonitoring: says what was asked for, and the flags stand before the settings", async () => {
  assert.deepEqual(await heard({}), [...MINER.slice(1), CALLS[2]]);
  assert.deepEqual(await heard({ quiet: true }), [MINER[2], CALLS[2]]);
  assert.deepEqual(await heard({ quiet: true, verbosity: 1 }), [...MINER.slice(1), CALLS[2]]);
  assert.deepEqual(await heard({ verbosity: 1 }), [...MINER, CALLS[2]]);
  assert.deepEqual(await heard({ verbosity: 2 }), [...MINER, ...CALLS]);
  assert.deepEqual(await heard({ json: true }), [...MINER, CALLS[2]]);
  assert.deepEqual(await heard({}, { VRAMHUB_LOG: "off,vramhub_miner=debug" }), [
    ...MINER,
    CALLS[2],
  ]);
  assert.deepEqual(await heard({}, { VRAMHUB_LOG: "debug,vramhub_calls=info" }), [
    ...MINER,
    ...CALLS.slice(1),
  ]);
  const loud = await heard({ verbosity: 1 }, { VRAMHUB_LOG: "off,vramhub_calls=off" });
  assert.deepEqual(loud, MINER);
  await assert.rejects(() => heard({}, { VRAMHUB_LOG: "loud" }), ConfigError);
});

Deno.test("openMonitoring: secrets of the settings reach neither lines nor metrics nor what is told of faults", async () => {
  const dir = await Deno.makeTempDir();
  using network = await TestNetwork.found();
  const config = new Config([{ name: "the environment", values: { WANDB_API_KEY: KEY } }]);
  const told: string[] = [];
  try {
    for (const logFormat of ["pretty", "json"] as const) {
      await using monitoring = await openMonitoring({
        args: { json: false, logFormat, verbosity: 2, metrics: { hostname: "127.0.0.1", port: 0 } },
        config,
        presenter: { show: (event) => told.push(JSON.stringify(event)), close: () => {} },
        write: (line) => told.push(line),
      });
      const { log, monitor } = monitoring;
      monitor.health.watch("store", null, () => Promise.reject(new Error(`Refused ${KEY}`)));
      const party = { component: "miner", uid: 1 } as const;
      await monitoring.begin({ party, dataDir: dir, ledger: network.ledger });
      monitor.ready();
      log("error", "vramhub_store", `Cannot sign with ${KEY}`, { key: KEY, reason: `at ${KEY}` });
      await monitor.health.ask();
      for (const path of ["metrics", "readyz", "healthz"]) {
        told.push(await (await fetch(new URL(path, monitor.url!))).text());
      }
    }
    for (const { name } of Deno.readDirSync(`${dir}/health`)) {
      told.push(await Deno.readTextFile(`${dir}/health/${name}`));
    }
    assert.ok(told.join().includes("Refused (secret)"));
    for (const text of told) searched("what was told", new TextEncoder().encode(text), [KEY]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("openMonitoring: a backend that is not there is refused before the work begins, with what to install", async () => {
  const dir = await Deno.makeTempDir();
  using network = await TestNetwork.found();
  const config = new Config([{ name: "a test", values: { VRAMHUB_MONITORING_BACKEND: "wandb" } }]);
  const before = Deno.env.get("PYTHONPATH");
  await Deno.writeTextFile(`${dir}/wandb.py`, "raise ImportError('none here')");
  Deno.env.set("PYTHONPATH", dir);
  try {
    await using monitoring = await openMonitoring({
      args: { json: false, logFormat: "pretty" },
      config,
      presenter: { show: () => {}, close: () => {} },
      write: () => {},
    });
    const party = { component: "miner", uid: 1 } as const;
    await assert.rejects(
      () => monitoring.begin({ party, dataDir: dir, ledger: network.ledger }),
      /^ConfigError: Cannot report to Weights & Biases: .*pip install wandb', or set VRAMHUB_MONITORING_BACKEND=null$/,
    );
  } finally {
    if (before === undefined) Deno.env.delete("PYTHONPATH");
    else Deno.env.set("PYTHONPATH", before);
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("openMonitoring: says which port is taken, and what to do", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const metrics = { hostname: "127.0.0.1", port: (taken.addr as Deno.NetAddr).port };
  await assert.rejects(
    () => heard({ metrics }),
    /^ConfigError: Cannot serve metrics at 127\.0\.0\.1, port \d+: it is taken\. Name another with --metrics$/,
  );
});
