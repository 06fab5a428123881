import assert from "node:assert/strict";
import { FrameworkUnavailable, loadFramework } from "../../contracts/tool/framework.ts";
import { TestNetwork } from "../../host/ledger/testing.ts";
import { check, describe, make, shrink } from "./campaign.ts";
import { CALLS, CODES } from "./codes.ts";
import { CONSTANTS } from "./coverage.ts";
import { DEV_ONLY, READS, UNREACHABLE } from "./known.ts";
import { OPERATIONS } from "./operations.ts";
import { planted } from "./plant.ts";
import { leb128, tape } from "./tape.ts";
import { play, traceOf } from "./traces.ts";

/** Random traces of the gate, and the run that they are of; more by `deno task conformance --seconds N`. */
const TRACES = 504;
const RUN = 1;
const ignore = await loadFramework().then(() => false, (error) => {
  if (!(error instanceof FrameworkUnavailable)) throw error;
  console.warn(error.message);
  return true;
});

Deno.test(
  "conformance: random traces come to the same in the dev ledger and in the Move VM",
  { ignore },
  async () => {
    const { made, coverage } = await make(RUN, 0, TRACES, { complete: true });
    const { tests, differences } = await check(made);
    assert.deepEqual(differences.slice(0, 3).map(describe), []);
    console.log(`${coverage.table()}\n\n${made.length} traces, ${tests} tests in Move`);
    assert.ok(made.length >= 500);
    assert.deepEqual(coverage.missing(), [], "no trace shows it");
    assert.deepEqual(coverage.reached(), [], "it is not out of reach");
  },
);

Deno.test("conformance: a planted difference is found, and a short trace shows it", {
  ignore,
}, async () => {
  const { made } = await make(RUN, 0, 120, { wrap: planted });
  // The others cannot show it, and each takes its time.
  const posting = made.filter(({ played }) =>
    played.steps.some(({ name, refusal }) => name === "postJob" && refusal === null)
  );
  const [difference] = (await check(posting.slice(0, 12))).differences;
  assert.ok(difference !== undefined, "a MIST is gone, and nobody noticed");
  const { made: { trace }, step } = await shrink(difference, planted);
  assert.equal(step.name, "look at balances");
  assert.deepEqual(trace.ops.map(({ name }) => name), ["postJob"]);
});

Deno.test("traces: the same numbers give the same bytes", async () => {
  for (const n of [0, 2, 4]) {
    const [one, other] = [await play(traceOf(9, n)), await play(traceOf(9, n))];
    assert.deepEqual(one.bytes, other.bytes);
  }
});

Deno.test("codes: every call of the dev ledger is one, or changes nothing", async () => {
  using network = await TestNetwork.found({ attested: false });
  const own = Object.keys(network.ledger);
  const called = new Set(Object.keys(CALLS).map((name) => name.split(" ")[0]!));
  const forgotten = own.filter((name) => !called.has(name) && !READS.includes(name));
  assert.deepEqual(forgotten, []);
  assert.deepEqual(READS.filter((name) => !own.includes(name)), []);
  assert.equal(new Set(Object.values(CODES)).size, Object.keys(CODES).length);
  assert.ok(Object.keys(OPERATIONS).length > 0);
});

Deno.test("known: the tables name constants that there are", () => {
  for (const name of [...Object.keys(UNREACHABLE), ...DEV_ONLY]) {
    assert.ok(CONSTANTS.includes(name), name);
  }
});

Deno.test("tape: numbers are LEB128, bytes have their length before them, people are numbers", () => {
  assert.deepEqual([...leb128(0)], [0]);
  assert.deepEqual([...leb128(300n)], [0xac, 2]);
  assert.equal(leb128((1n << 64n) - 1n).length, 10);
  assert.throws(() => leb128(-1), RangeError);
  assert.throws(() => leb128(1n << 64n), RangeError);
  assert.deepEqual([...tape(true, Uint8Array.of(7, 8), `0x${"ad".padStart(64, "0")}`)], [
    1,
    2,
    7,
    8,
    0,
  ]);
});
