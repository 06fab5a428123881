import assert from "node:assert/strict";
import { Beats, readBeats } from "./beats.ts";
import type { ComponentState } from "./component.ts";

const WORKS: ComponentState = {
  component: "store",
  uid: null,
  ok: true,
  fault: null,
  sinceMs: 1,
  last: { reason: "gone", detail: "d", fromMs: 1, untilMs: 2 },
};
const BROKEN: ComponentState = {
  component: "judge",
  uid: 4,
  ok: false,
  fault: { reason: "ended", detail: "status 137" },
  sinceMs: 5,
  last: null,
};

async function inFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const short = (states: Awaited<ReturnType<typeof readBeats>>) =>
  states.map(({ by, component, fault, uid }) => [by, component, uid, fault?.reason ?? null]);

Deno.test("beats: parties of a folder tell of themselves and their components", () =>
  inFolder(async (dir) => {
    assert.deepEqual(await readBeats(dir), []);
    await (await Beats.open(dir, { component: "validator", uid: 0 })).write([BROKEN, WORKS]);
    await (await Beats.open(dir, { component: "miner", uid: 2 })).write([WORKS]);
    const states = await readBeats(dir);
    assert.deepEqual(short(states).slice(0, 3), [
      ["validator-0", "validator", 0, null],
      ["miner-2", "miner", 2, null],
      ["validator-0", "judge", 4, "ended"],
    ]);
    assert.deepEqual(short(states).slice(3).map(([by]) => by).sort(), ["miner-2", "validator-0"]);
    assert.deepEqual(states.find(({ component }) => component === "judge"), {
      ...BROKEN,
      by: "validator-0",
    });
    assert.deepEqual(states.find(({ component }) => component === "store")!.last, WORKS.last);
  }));

Deno.test("beats: of a party that stopped, or is silent, nothing else is believed", () =>
  inFolder(async (dir) => {
    await (await Beats.open(dir, { component: "aggregator", uid: null })).write([WORKS], true);
    await (await Beats.open(dir, { component: "miner", uid: 1 })).write([WORKS, BROKEN]);
    assert.deepEqual(short(await readBeats(dir, Date.now() + 9_000)), [
      ["miner-1", "miner", 1, "silent"],
      ["aggregator", "aggregator", null, "stopped"],
    ]);
    const [first] = await readBeats(dir, Date.now() + 9_000);
    assert.match(first!.fault!.detail, /^No sign of life since \d{4}-/);
    assert.deepEqual(await readBeats(dir, Date.now() + 3_700_000), []);
  }));

Deno.test("beats: a file that is none of ours, or says what it must not, is left out", () =>
  inFolder(async (dir) => {
    const beats = await Beats.open(dir, { component: "miner", uid: 1 });
    await beats.write([BROKEN]);
    const good = JSON.parse(await Deno.readTextFile(`${dir}/health/miner-1.json`));
    const bad = [
      "",
      "{",
      "null",
      "[]",
      "x".repeat(70_000),
      JSON.stringify({ ...good, component: "judge" }),
      JSON.stringify({ ...good, atMs: "now" }),
      JSON.stringify({ ...good, uid: -1 }),
      JSON.stringify({ ...good, stopped: 1 }),
      JSON.stringify({ ...good, states: {} }),
      JSON.stringify({ ...good, states: [null] }),
      JSON.stringify({ ...good, states: [{ ...BROKEN, component: "<b>" }] }),
      JSON.stringify({ ...good, states: [{ ...BROKEN, fault: { reason: "x", detail: "d" } }] }),
      JSON.stringify({ ...good, states: [{ ...BROKEN, last: { reason: "gone", detail: "d" } }] }),
      JSON.stringify({ ...good, states: Array(129).fill(BROKEN) }),
    ];
    for (const text of bad) {
      await Deno.writeTextFile(`${dir}/health/miner-1.json`, text);
      assert.deepEqual(await readBeats(dir), [], text.slice(0, 80));
    }
    await Deno.writeTextFile(`${dir}/health/..%2f.json`, JSON.stringify(good));
    await Deno.writeTextFile(`${dir}/health/MINER-1.json`, JSON.stringify(good));
    assert.deepEqual(await readBeats(dir), []);
  }));
