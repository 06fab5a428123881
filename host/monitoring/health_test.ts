import assert from "node:assert/strict";
import { StoreError } from "../store/store.ts";
import { JudgeError } from "../courier/judge_error.ts";
import type { ComponentState } from "./component.ts";
import { ComponentError, faultOf } from "./fault.ts";
import { Health } from "./health.ts";

function watched(options: { limitMs?: number } = {}) {
  const changes: ComponentState[] = [];
  let now = 1_000;
  const health = new Health({
    onChange: (state) => changes.push(state),
    now: () => now,
    ...options,
  });
  return { changes, health, at: (ms: number) => now = ms };
}

Deno.test("Health: a component works until its probe fails, and its last fault is remembered", async () => {
  const { at, changes, health } = watched();
  let broken: Error | null = null;
  health.watch("store", null, () => broken === null ? Promise.resolve() : Promise.reject(broken));
  await health.ask();
  assert.deepEqual(changes, []);
  broken = new StoreError("unavailable", "k", "Cannot reach the bucket");
  at(2_000);
  await health.ask();
  at(3_000);
  await health.ask();
  const fault = { reason: "unreachable", detail: "Cannot reach the bucket" };
  assert.deepEqual(health.states, [
    { component: "store", uid: null, ok: false, fault, sinceMs: 2_000, last: null },
  ]);
  assert.equal(changes.length, 1);
  broken = null;
  at(5_000);
  await health.ask();
  const last = { ...fault, fromMs: 2_000, untilMs: 5_000 };
  assert.deepEqual(health.states, [
    { component: "store", uid: null, ok: true, fault: null, sinceMs: 5_000, last },
  ]);
  assert.deepEqual(changes.map(({ ok }) => ok), [false, true]);
});

Deno.test("Health: a probe that hangs is a timeout, and keeps no other one", async () => {
  const { health } = watched({ limitMs: 40 });
  const hanging = Promise.withResolvers<void>();
  health.watch("judge", 0, () => hanging.promise);
  health.watch("ledger", null, () => Promise.resolve());
  await health.ask();
  assert.deepEqual(health.states.map(({ component, fault }) => [component, fault?.reason]), [
    ["judge", "timeout"],
    ["ledger", undefined],
  ]);
  hanging.resolve();
});

Deno.test("Health: what is told counts at once, and another reason is another fault", () => {
  const { at, changes, health } = watched();
  health.watchOnce("trainer", 3);
  health.works("trainer", 3);
  assert.deepEqual(changes, []);
  health.failed("trainer", 3, { reason: "failed", detail: "no GPU" });
  at(4_000);
  health.failed("trainer", 3, { reason: "ended", detail: "gone" });
  const [state] = health.states;
  assert.equal(state!.fault!.reason, "ended");
  assert.deepEqual([state!.last!.reason, state!.last!.untilMs], ["failed", 4_000]);
  health.watchOnce("trainer", 3);
  assert.equal(health.states[0]!.ok, false);
  health.failed("miner", 9, { reason: "failed", detail: "nobody watches it" });
  assert.equal(health.states.length, 1);
});

Deno.test("Health: what is told of a fault holds no secret", async () => {
  const health = new Health({ redact: (text) => text.replaceAll("hunter2", "(secret)") });
  health.watch("store", null, () => Promise.reject(new Error("signed with hunter2")));
  await health.ask();
  assert.equal(health.states[0]!.fault!.detail, "signed with (secret)");
});

Deno.test("Health: asks in rounds until it is stopped", async () => {
  const health = new Health({ everyMs: 1 });
  const stop = new AbortController();
  let asked = 0;
  health.watch("ledger", null, () => Promise.resolve(asked++));
  await health.run(stop.signal, () => {
    if (asked > 3) stop.abort();
  });
  assert.ok(asked > 3);
});

Deno.test("faultOf: every error of a component has a name", () => {
  const cases: [unknown, string][] = [
    [new StoreError("unavailable", "k", "m"), "unreachable"],
    [new StoreError("denied", "k", "m"), "denied"],
    [new JudgeError("unreachable", 0, "m"), "unreachable"],
    [new JudgeError("timeout", 0, "m"), "timeout"],
    [new ComponentError("replaced", "m"), "replaced"],
    [new Deno.errors.NotFound("m"), "gone"],
    [new Deno.errors.PermissionDenied("m"), "denied"],
    [new Error("database is locked"), "locked"],
    [new DOMException("m", "TimeoutError"), "timeout"],
    [new TypeError("m"), "failed"],
    ["m", "failed"],
  ];
  for (const [error, reason] of cases) assert.equal(faultOf(error).reason, reason, String(error));
  assert.equal(faultOf(new Error("x".repeat(9_999))).detail.length, 300);
});
