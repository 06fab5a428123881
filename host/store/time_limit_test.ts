import assert from "node:assert/strict";
import { timeLimit } from "./time_limit.ts";

const turn = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

/** Stand still, as a process does that computes. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

Deno.test("timeLimit: a stall counts as a part of the limit alone, then the time is over", async () => {
  using limit = timeLimit(80);
  stall(160);
  await turn();
  assert.equal(limit.signal.aborted, false);
  await new Promise((resolve) => limit.signal.addEventListener("abort", resolve));
  assert.equal(limit.signal.reason.name, "TimeoutError");
});

Deno.test("timeLimit: what was disposed of never aborts", async () => {
  const limit = timeLimit(8);
  limit[Symbol.dispose]();
  await turn(40);
  assert.equal(limit.signal.aborted, false);
});
