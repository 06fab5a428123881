import assert from "node:assert/strict";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { isFinal, pauseFor, retryUntil } from "./retry.ts";

/** A clock that moves by waiting. */
function patience(deadline: number) {
  let now = 0;
  const heard: unknown[] = [];
  const stop = new AbortController();
  const until = (ms: number) => Promise.resolve(void (now = Math.max(now, ms)));
  return {
    clock: { now: () => now, until },
    deadline,
    pauseMs: 10,
    signal: stop.signal,
    onError: (error: unknown) => void heard.push(error),
    heard,
    stop,
  };
}

const fails = (times: number, error: Error = new Error("not now")) => {
  let calls = 0;
  return () => ++calls > times ? Promise.resolve(calls) : Promise.reject(error);
};

Deno.test("retryUntil: tries again what may pass, and gives the result", async () => {
  const p = patience(100);
  assert.equal(await retryUntil(p, fails(3)), 4);
  assert.equal(p.heard.length, 3);
  assert.equal(p.clock.now(), 30);
});

Deno.test("retryUntil: throws the last error where another try would come too late", async () => {
  const p = patience(35);
  await assert.rejects(retryUntil(p, fails(10)), /not now/);
  assert.equal(p.clock.now(), 30);
});

Deno.test("retryUntil: a refusal is final", async () => {
  const error = new LedgerError("score_ledger", "EClosed", "over");
  const p = patience(100);
  await assert.rejects(retryUntil(p, fails(1, error)), error);
  assert.equal(p.heard.length, 0);
});

Deno.test("retryUntil: ends with its signal", async () => {
  const p = patience(100);
  p.stop.abort(new Error("stopped"));
  await assert.rejects(retryUntil(p, fails(0)), /stopped/);
});

Deno.test("isFinal: refusals, programmers' errors and what says so of itself", () => {
  assert(isFinal(new Refusal("some_code", "no")));
  assert(isFinal(new RangeError("no")));
  assert(isFinal(Object.assign(new Error("no"), { retryable: false })));
  assert(!isFinal(Object.assign(new Error("later"), { retryable: true })));
  assert(!isFinal(new Error("later")));
  assert(!isFinal("later"));
});

Deno.test("pauseFor: a hundredth of a window, 50 ms to 5 s", () => {
  assert.deepEqual([200, 10_000, 600_000, 604_800_000].map(pauseFor), [50, 100, 5_000, 5_000]);
});
