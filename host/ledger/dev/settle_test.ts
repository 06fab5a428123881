import assert from "node:assert/strict";
import { SETTLED, VERDICT } from "../../../enclave/protocol/verdict.ts";
import { refuses, type ReportDraft, TestNetwork, unmeasured } from "../testing.ts";

const THREE = { validators: [10_000n, 10_000n, 10_000n] };

/** Play a window of three miners with these reports, and settle it. */
async function settled(drafts: readonly (ReportDraft | null)[], validators = THREE.validators) {
  const network = await TestNetwork.found({ validators });
  await network.play(0, [0, 1, 2]);
  for (const [i, draft] of drafts.entries()) if (draft !== null) await network.report(i, 0, draft);
  network.at(0, 16_000);
  await network.ledger.settle(0, 64);
  return network;
}

async function verdicts(network: TestNetwork): Promise<number[]> {
  return (await network.ledger.window(0)).settled!.rows.map(({ verdict }) => verdict);
}

Deno.test("settle: one liar among three changes nothing", async () => {
  using honest = await settled([{}, {}, {}]);
  const lies: ReportDraft[] = [
    { randomBefore: 1, measure: () => ({ ownBefore: 1, ownAfter: 9_000_000, randomAfter: 1 }) },
    { measure: () => unmeasured(VERDICT.duplicate) },
    { randomBefore: null, measure: () => unmeasured(VERDICT.unavailable) },
    { measure: (uid) => uid === 1 ? { randomAfter: 2 ** 50 } : {} },
  ];
  const truth = (await honest.ledger.window(0)).settled!;
  for (const [n, lie] of lies.entries()) {
    using network = await settled([0, 1, 2].map((i) => i === n % 3 ? lie : {}));
    assert.deepEqual((await network.ledger.window(0)).settled, truth);
  }
});

Deno.test("settle: metrics are stake-weighted lower medians", async () => {
  const at = (randomAfter: number): ReportDraft => ({ measure: () => ({ randomAfter }) });
  using even = await settled([at(10), at(30)], [5_000n, 5_000n]);
  assert.equal((await even.ledger.window(0)).settled!.rows[0]!.randomAfter, 10);
  using heavy = await settled([at(10), at(30), at(20)], [1_000n, 5_000n, 2_000n]);
  assert.equal((await heavy.ledger.window(0)).settled!.rows[0]!.randomAfter, 30);
});

Deno.test("settle: a score counts above the noise only, on either side", async () => {
  const afters = [999_997, 999_998, 1_000_003];
  const draft = { measure: (uid: number) => ({ randomAfter: afters[uid]! }) };
  using network = await settled([draft], [10_000n]);
  assert.deepEqual(await verdicts(network), [
    SETTLED.accepted,
    SETTLED.not_better,
    SETTLED.harmful,
  ]);
});

Deno.test("settle: refusals, abstentions and split juries are told apart", async () => {
  const by = (...codes: number[]): ReportDraft => ({
    measure: (uid) => codes[uid] === VERDICT.ok ? {} : unmeasured(codes[uid]!),
  });
  const { ok, zero, norm, unavailable, not_sampled } = VERDICT;
  using network = await settled([
    by(zero, ok, unavailable),
    by(zero, zero, unavailable),
    by(ok, norm, ok),
  ]);
  assert.deepEqual(await verdicts(network), [zero, SETTLED.disputed, unavailable]);
  using drawn = await settled([by(not_sampled, ok, ok)], [10_000n]);
  assert.deepEqual(await verdicts(drawn), [not_sampled, SETTLED.accepted, SETTLED.accepted]);
});

Deno.test("settle: a verdict of exactly half of the measuring stake is disputed", async () => {
  const draft: ReportDraft = { measure: () => unmeasured(VERDICT.zero) };
  using network = await settled([{}, draft], [5_000n, 5_000n]);
  assert.deepEqual(await verdicts(network), Array(3).fill(SETTLED.disputed));
});

Deno.test("settle: goes on where it stopped, and does nothing twice", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.play(0, [2, 0, 1]);
  await network.report(0, 0);
  for (const limit of [0, 65, 1.5, -1, Number.NaN]) {
    await refuses("score_ledger::EBadLimit", ledger.settle(0, limit));
  }
  assert.equal(await ledger.settle(0, 2), false);
  const half = await ledger.window(0);
  assert.deepEqual([half.status, half.settled], ["settling", null]);
  await refuses("score_ledger::ENotSettled", network.outcome(0, 0));
  assert.equal(await ledger.settle(0, 2), true);
  const whole = await ledger.window(0);
  const { length } = await network.events();
  assert.equal(await ledger.settle(0, 2), true);
  assert.deepEqual(await ledger.window(0), whole);
  assert.equal((await network.events()).length, length);
  using other = await TestNetwork.found();
  await other.play(0, [2, 0, 1]);
  await other.report(0, 0);
  assert.equal(await other.ledger.settle(0, 64), true);
  assert.deepEqual((await other.ledger.window(0)).settled, whole.settled);
});

Deno.test("settle: waits for the deadline, unless the whole stake has reported", async () => {
  using network = await TestNetwork.found(THREE);
  const { ledger } = network;
  await refuses("score_ledger::EReportsOpen", ledger.settle(0, 64));
  await network.play(0, [0]);
  await network.report(0, 0);
  await network.report(1, 0);
  await refuses("score_ledger::EReportsOpen", ledger.settle(0, 64));
  await network.report(2, 0);
  assert.equal(await ledger.settle(0, 64), true);
});

Deno.test("settle: exactly half of the snapshot's stake is no quorum", async () => {
  using network = await TestNetwork.found({ validators: [6_000n, 5_000n, 1_000n] });
  const { ledger } = network;
  await network.play(0, [0]);
  await network.report(0, 0);
  network.at(0, 16_000);
  await refuses("score_ledger::ENoQuorum", ledger.settle(0, 64));
  await ledger.close(0);
  assert.equal((await ledger.window(0)).skipReason, "no quorum of reports");
  await refuses("score_ledger::EClosed", ledger.settle(0, 64));
  using enough = await settled([{}, null, {}], [6_000n, 5_000n, 1_000n]);
  assert.equal((await enough.ledger.window(0)).status, "settled");
});

Deno.test("settle: there is nothing to settle in an empty window", async () => {
  using network = await TestNetwork.found();
  await network.ledger.window(0);
  network.at(1);
  assert.equal(await network.ledger.settle(0, 64), true);
  assert.equal((await network.ledger.window(0)).settled, null);
});
