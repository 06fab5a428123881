import assert from "node:assert/strict";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import type { Payload } from "../../enclave/protocol/judge_messages.ts";
import { JudgeError } from "../courier/judge_error.ts";
import type { JudgeLike } from "../courier/judge_like.ts";
import { startExplorer } from "../explorer/server.ts";
import { minerOf, TestNetwork, validatorOf } from "../ledger/testing.ts";
import { LocalStore } from "../store/local.ts";
import { Beats, readBeats } from "./beats.ts";
import { FAULTS } from "./component.ts";
import { metered } from "./metered.ts";
import { Monitor } from "./monitor.ts";
import { judgeProbe, ledgerProbe, storesProbe } from "./probes.ts";
import type { MonitoringBackend } from "./wandb.ts";

/** Shown within ten seconds, and asked here every 20 ms. */
const SHOWN_MS = 10_000;
const FAST = { everyMs: 20, limitMs: 500 };

/** A party with a judge, a store and a ledger that can be stopped, and an explorer beside it. */
async function party(
  run: (parts: {
    dir: string;
    network: TestNetwork;
    monitor: Monitor;
    lines: string[];
    recorded: Map<number, Readonly<Record<string, number>>>;
    judge: { key: Uint8Array<ArrayBuffer> | Error };
    get: (path: string) => Promise<{ status: number; text: string }>;
    components: () => Promise<string[]>;
    begin: () => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const network = await TestNetwork.found({ path: `${dir}/ledger.sqlite` });
  const lines: string[] = [];
  const log = (level: string, _: string, message: string, fields = {}) =>
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const monitor = new Monitor({ log, metricsAt: { hostname: "127.0.0.1", port: 0 }, health: FAST });
  const { ledger } = network;
  const judge: { key: Uint8Array<ArrayBuffer> | Error } = { key: new Uint8Array(32) };
  const asked = {
    health: () =>
      judge.key instanceof Error
        ? Promise.reject(judge.key)
        : Promise.resolve({ publicKey: judge.key }),
  };
  const store = await LocalStore.open(`${dir}/store`);
  monitor.health.watch("ledger", null, ledgerProbe(ledger, `${dir}/ledger.sqlite`));
  monitor.health.watch("store", null, storesProbe(new Map([[store, undefined]])));
  monitor.health.watch("judge", 0, judgeProbe(asked, () => new Uint8Array(32)));
  monitor.health.watch("miner", 1, null);
  const explorer = await startExplorer({
    ledger,
    networkName: "dev",
    explorerUrl: null,
    receipt: () => Promise.resolve(null),
    proof: new URL("./component.ts", import.meta.url),
    components: () => readBeats(dir),
    port: 0,
    pollMs: 50,
    log: () => {},
  });
  const recorded = new Map<number, Readonly<Record<string, number>>>();
  const backend: MonitoringBackend = {
    record: (step, values) => void recorded.set(step, values),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  try {
    await run({
      dir,
      network,
      monitor,
      lines,
      recorded,
      judge,
      async get(path) {
        const response = await fetch(new URL(path, monitor.url!));
        return { status: response.status, text: await response.text() };
      },
      async components() {
        const { components } = await (await fetch(`${explorer.url}api/v1/components`)).json();
        return components.filter(({ ok }: { ok: boolean }) => !ok).map((
          { component, fault, uid }: {
            component: string;
            uid: number | null;
            fault: { reason: string };
          },
        ) => `${component} ${uid} ${fault.reason}`);
      },
      begin: () =>
        monitor.begin({
          party: { component: "validator", uid: 0 },
          dataDir: dir,
          ledger: monitor.ledger(ledger),
          validators: [0],
          miner: 1,
          backend,
        }),
    });
  } finally {
    await explorer[Symbol.asyncDispose]();
    await monitor[Symbol.asyncDispose]();
    network.ledger[Symbol.dispose]();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Wait until `told` holds; fails after ten seconds. */
async function shown(told: () => Promise<boolean>, what: string): Promise<void> {
  const started = Date.now();
  while (!await told()) {
    assert.ok(Date.now() - started < SHOWN_MS, `${what} within ten seconds`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

Deno.test("Monitor: any component that stops shows in the API and the metrics with its reason, and so does its return", async () => {
  await party(async ({ begin, components, dir, get, judge, monitor }) => {
    await begin();
    monitor.ready();
    const stops: [name: string, labels: string, stop: () => void, start: () => void][] = [
      [
        "judge 0 unreachable",
        `component="judge",uid="0",reason="unreachable"`,
        () => judge.key = new JudgeError("unreachable", 0, "The judge cannot be reached"),
        () => judge.key = new Uint8Array(32),
      ],
      [
        "judge 0 not_attested",
        `component="judge",uid="0",reason="not_attested"`,
        () => judge.key = new Uint8Array(32).fill(1),
        () => judge.key = new Uint8Array(32),
      ],
      [
        "store null unreachable",
        `component="store",uid="",reason="unreachable"`,
        () => Deno.renameSync(`${dir}/store`, `${dir}/away`),
        () => Deno.renameSync(`${dir}/away`, `${dir}/store`),
      ],
      [
        "ledger null gone",
        `component="ledger",uid="",reason="gone"`,
        () => Deno.renameSync(`${dir}/ledger.sqlite`, `${dir}/away`),
        () => Deno.renameSync(`${dir}/away`, `${dir}/ledger.sqlite`),
      ],
      [
        "ledger null replaced",
        `component="ledger",uid="",reason="replaced"`,
        () => {
          Deno.renameSync(`${dir}/ledger.sqlite`, `${dir}/away`);
          Deno.writeTextFileSync(`${dir}/ledger.sqlite`, "");
        },
        () => Deno.renameSync(`${dir}/away`, `${dir}/ledger.sqlite`),
      ],
      [
        "miner 1 failed",
        `component="miner",uid="1",reason="failed"`,
        () => monitor.health.failed("miner", 1, { reason: "failed", detail: "out of memory" }),
        () => monitor.health.works("miner", 1),
      ],
    ];
    assert.deepEqual(JSON.parse((await get("readyz")).text), { ready: true, waitsFor: [] });
    for (const [name, labels, stop, start] of stops) {
      stop();
      await shown(async () => (await components()).includes(name), `${name} in the API`);
      const down = (await get("metrics")).text;
      assert.ok(down.includes(`vramhub_component_up{${labels}} 0`), `${name}: ${down}`);
      assert.match(down, new RegExp(`vramhub_component_faults_total\\{${labels}\\} \\d`));
      const ready = await get("readyz");
      assert.equal(ready.status, 503);
      assert.match(JSON.parse(ready.text).waitsFor[0], new RegExp(`^${name.split(" ")[0]}`));
      start();
      await shown(async () => (await components()).length === 0, `${name} back`);
      const up = (await get("metrics")).text;
      assert.ok(!up.includes(`vramhub_component_up{${labels}}`), `${name} is told no more`);
    }
  });
});

Deno.test("Monitor: a party that starts says what it waits for, and one that stopped says so", async () => {
  await party(async ({ begin, components, dir, get, lines, monitor }) => {
    assert.deepEqual(JSON.parse((await get("readyz")).text).waitsFor, ["its start"]);
    assert.equal((await get("healthz")).status, 200);
    monitor.stage("its judge's attestation");
    await begin();
    const ready = await get("readyz");
    assert.deepEqual([ready.status, JSON.parse(ready.text).waitsFor], [
      503,
      ["its judge's attestation"],
    ]);
    monitor.ready();
    assert.equal((await get("readyz")).status, 200);
    await shown(async () => (await readBeats(dir)).length > 0, "the first sign of life");
    await monitor[Symbol.asyncDispose]();
    assert.deepEqual(await components(), ["validator 0 stopped"]);
    assert.deepEqual(lines.filter((line) => !/Call ended/.test(line)), []);
  });
});

Deno.test("Monitor: another party of the data directory that stops is in the metrics, too", async () => {
  await party(async ({ begin, dir, get, monitor }) => {
    await begin();
    monitor.ready();
    const miner = await Beats.open(dir, { component: "miner", uid: 7 });
    const has = async (line: string) => (await get("metrics")).text.includes(line);
    const up = `vramhub_component_up{component="miner",uid="7",reason=""} 1`;
    await miner.write([]);
    await shown(() => has(up), "the miner");
    const down = `component="miner",uid="7",reason="stopped"`;
    await miner.write([], true);
    await shown(() => has(`vramhub_component_up{${down}} 0`), "its stop");
    assert.ok(await has(`vramhub_component_faults_total{${down}} 1`));
    assert.equal((await get("readyz")).status, 200, "its own work goes on");
    await miner.write([]);
    await shown(() => has(up), "its return");
  });
});

Deno.test("Monitor: counts windows, verdicts, keys and what waits, and reports each window once", async () => {
  await party(async ({ begin, get, network, recorded }) => {
    const has = async (line: string) => (await get("metrics")).text.split("\n").includes(line);
    network.at(0, 100);
    await begin();
    await network.play(0, [0, 1]);
    await shown(() => has("vramhub_judge_queue 2"), "what waits for a report");
    await network.report(0, 0);
    await shown(() => has("vramhub_judge_queue 0"), "that nothing waits");
    await network.ledger.settle(0, 64);
    await network.outcome(0, 0);
    await shown(() => has(`vramhub_windows_total{outcome="closed"} 1`), "the window");
    assert.ok(await has(`vramhub_verdicts_total{verdict="accepted"} 2`));
    assert.ok(await has("vramhub_window 1"));
    assert.match((await get("metrics")).text, /vramhub_attestation_age_seconds\{uid="0"\} \d/);
    assert.match((await get("metrics")).text, /vramhub_key_expiry_seconds\{uid="0"\} \d/);
    assert.match((await get("metrics")).text, /process_resident_memory_bytes \d{7}/);
    const values = recorded.get(0)!;
    assert.equal(values["window/reveals"], 2);
    assert.equal(values["miner/accepted"], 1);
    assert.equal(values["validator/0/counted"], 1);
    network.at(3, 10);
    for (const window of [1, 2]) await network.ledger.close(window);
    await shown(
      () => has(`vramhub_windows_total{outcome="empty"} 2`),
      "windows without a gradient",
    );
    assert.ok(await has(`vramhub_windows_total{outcome="closed"} 1`));
  });
});

Deno.test("Monitor: measures ledger, store and judge, and tells a refusal from a failure", async () => {
  await party(async ({ dir, get, lines, monitor, network }) => {
    const ledger = monitor.ledger(network.ledger);
    await assert.rejects(() => ledger.window(99), LedgerError);
    assert.equal(await ledger.currentWindow(), 0);
    assert.equal(ledger.now(), network.ledger.now());
    assert.deepEqual((await ledger.miners())[0]!.owner, minerOf(0));
    assert.deepEqual((await ledger.validators())[0]!.owner, validatorOf(0));
    const store = monitor.store(await LocalStore.open(`${dir}/store`));
    assert.ok(store instanceof LocalStore);
    await store.put("a", Uint8Array.of(1));
    await assert.rejects(() => store.get("b", { maxBytes: 1 }));
    await Deno.rename(`${dir}/store`, `${dir}/away`);
    await assert.rejects(() => store.get("a", { maxBytes: 1 }));
    await Deno.rename(`${dir}/away`, `${dir}/store`);
    const answer = Promise.withResolvers<never>();
    const judge = monitor.judge({ process: () => answer.promise } as unknown as JudgeLike);
    const asking = judge.process({ kind: "report" } as Payload);
    assert.match((await get("metrics")).text, /vramhub_judge_in_flight 1/);
    answer.reject(new JudgeError("unreachable", 0, "gone"));
    await assert.rejects(() => asking);
    const { text } = await get("metrics");
    for (
      const line of [
        `vramhub_ledger_seconds_count{call="window",outcome="refused"} 1`,
        `vramhub_ledger_seconds_count{call="miners",outcome="ok"} 1`,
        `vramhub_store_seconds_count{operation="put",outcome="ok"} 1`,
        `vramhub_store_seconds_count{operation="get",outcome="refused"} 1`,
        `vramhub_store_seconds_count{operation="get",outcome="failed"} 1`,
        `vramhub_judge_seconds_count{kind="report",outcome="failed"} 1`,
        `vramhub_judge_in_flight 0`,
      ]
    ) assert.ok(text.includes(line), `${line} in ${text}`);
    assert.ok(!text.includes("vramhub_ledger_retries_total{"));
    assert.ok(lines.some((line) => /^debug Call ended .*"of":"judge"/.test(line)));
  });
});

Deno.test("Monitor: a call on the ledger that failed for now is a retry", async () => {
  await party(async ({ get, monitor, network }) => {
    const broken = new Proxy(network.ledger, {
      get: () => () => Promise.reject(new Error("node away")),
    });
    await assert.rejects(() => monitor.ledger(broken).miners());
    assert.match((await get("metrics")).text, /vramhub_ledger_retries_total\{call="miners"\} 1/);
  });
});

Deno.test("metered: what is no promise passes, and private parts are kept", () => {
  class Counter {
    #count = 0;
    readonly label = "x";
    add(): number {
      return ++this.#count;
    }
  }
  const heard: string[] = [];
  const counter = metered(new Counter(), (name) => heard.push(name));
  assert.deepEqual([counter.add(), counter.add(), counter.label], [1, 2, "x"]);
  assert.deepEqual(heard, []);
});

Deno.test("openapi.json: names every reason that a component can have", async () => {
  const api = JSON.parse(
    await Deno.readTextFile(new URL("../explorer/openapi.json", import.meta.url)),
  );
  assert.deepEqual(api.components.schemas.FaultReason.enum, [...FAULTS]);
});

Deno.test("Monitor: what ends with its party has not failed", async () => {
  await party(({ lines, monitor }) => {
    const fault = { reason: "ended", detail: "Its process ended" } as const;
    monitor.health.failed("judge", 0, fault);
    assert.match(lines.at(-1)!, /^warn Component stopped working/);
    monitor.health.works("judge", 0);
    const said = lines.length;
    monitor.stopping();
    monitor.health.failed("judge", 0, fault);
    assert.equal(lines.length, said);
    return Promise.resolve();
  });
});
