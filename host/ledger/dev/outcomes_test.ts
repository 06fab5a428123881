import assert from "node:assert/strict";
import { VERDICT } from "../../../enclave/protocol/verdict.ts";
import {
  bytes32,
  minerOf,
  type OutcomeDraft,
  refuses,
  TestNetwork,
  unmeasured,
  validatorOf,
} from "../testing.ts";

/** A settled window 0 of miners 0 and 1, judged by validators of these stakes. */
async function settled(validators: readonly bigint[]): Promise<TestNetwork> {
  const network = await TestNetwork.found({ validators });
  await network.play(0, [0, 1]);
  for (const i of validators.keys()) await network.report(i, 0);
  await network.ledger.settle(0, 64);
  return network;
}

/** An outcome that merges into `name`, better by `gain` units. */
function merges(name: string, gain: number): OutcomeDraft {
  return { manifestHash: bytes32(name), currentLoss: 1_000, mergedLoss: 1_000 - gain };
}

async function status(network: TestNetwork): Promise<unknown[]> {
  const view = await network.ledger.window(0);
  return [view.status, view.payout === null ? null : view.payout.mergedHash];
}

Deno.test("submitOutcome: ratings are applied in the call that crosses half of the stake, once", async () => {
  using network = await settled([5_000n, 5_000n, 5_000n]);
  const { ledger } = network;
  await network.outcome(0, 0);
  assert.deepEqual((await ledger.miners())[0]!.mu, 25_000_000);
  await network.outcome(1, 0);
  const miners = await ledger.miners();
  const row = miners[0]!;
  assert.deepEqual(
    [row.mu, row.sigma, row.average, row.measured, row.accepted, row.lastAccepted],
    [30_000_000, 5_000_000, 1_050_000, 1, 1, 0],
  );
  assert.equal(miners[2]!.measured, 0);
  assert.deepEqual(await status(network), ["closed", null]);
  await network.outcome(2, 0);
  assert.deepEqual(await ledger.miners(), miners);
  assert.deepEqual((await ledger.window(0)).outcomes, [0, 1, 2]);
});

Deno.test("submitOutcome: exactly half of the stake is not enough, nor are two opinions", async () => {
  using network = await settled([5_000n, 4_000n, 1_000n]);
  await network.outcome(0, 0);
  await network.outcome(1, 0, { rate: () => ({ mu: 31_000_000 }) });
  await network.outcome(2, 0, { rate: () => ({ sigma: 1 }) });
  assert.deepEqual(await status(network), ["settled", null]);
  network.at(0, 18_999);
  await refuses("round_state::ENotClosable", network.ledger.close(0));
  network.at(0, 19_000);
  await network.ledger.close(0);
  assert.equal((await network.ledger.window(0)).skipReason, "no quorum of outcomes");
});

Deno.test("submitOutcome: the base moves for the window after the next, where it got better", async () => {
  for (const [gain, moves] of [[3, true], [2, false], [0, false], [-100, false]] as const) {
    using network = await settled([5_000n]);
    await network.outcome(0, 0, merges("merged", gain));
    assert.deepEqual(await status(network), ["closed", moves ? bytes32("merged") : null]);
    assert.deepEqual((await network.ledger.window(1)).baseHash, bytes32("genesis"));
    network.at(2);
    const base = bytes32(moves ? "merged" : "genesis");
    assert.deepEqual((await network.ledger.window(2)).baseHash, base);
    const kind = moves ? "round_state::BaseAnchored" : "round_state::BaseKept";
    assert.ok((await network.events()).some((event) => event.kind === kind));
  }
});

Deno.test("submitOutcome: the base moves where more than half of the stake measured a gain", async () => {
  using network = await settled([5_000n, 5_000n, 5_000n]);
  await network.outcome(0, 0, merges("merged", 2));
  await network.outcome(1, 0, merges("merged", 500));
  assert.deepEqual(await status(network), ["closed", null], "one of three decides nothing");
  await network.outcome(2, 0, merges("merged", 400));
  const { payout } = await network.ledger.window(0);
  assert.deepEqual([payout!.mergedHash, payout!.mergedLoss], [bytes32("merged"), 600]);
  using worse = await settled([5_000n, 9_999n, 5_000n]);
  await worse.outcome(1, 0, merges("merged", 500));
  assert.deepEqual(await status(worse), ["settled", null]);
  await worse.outcome(0, 0, merges("merged", 2));
  await worse.outcome(2, 0, merges("merged", -1));
  assert.deepEqual(
    await status(worse),
    ["closed", null],
    "half of the stake is not more than half",
  );
  assert.ok((await worse.events()).some(({ kind }) => kind === "round_state::BaseKept"));
});

Deno.test("submitOutcome: manifests are tallied apart from ratings, also after the window is paid", async () => {
  using network = await settled([5_000n, 5_000n, 5_000n]);
  await network.outcome(0, 0); // lacks a gradient
  await network.outcome(1, 0, merges("merged", 10));
  assert.deepEqual(await status(network), ["closed", null]);
  const issued = await network.ledger.issued();
  await network.outcome(2, 0, merges("merged", 10));
  assert.deepEqual(await status(network), ["closed", bytes32("merged")]);
  assert.equal(await network.ledger.issued(), issued);
});

Deno.test("submitOutcome: a manifest without rated outcomes does not move the base", async () => {
  const other = { rate: () => ({ mu: 31_000_000 }) };
  using network = await settled([5_000n, 5_000n, 5_000n]);
  await network.outcome(0, 0, { ...merges("merged", 10), ...other });
  await network.outcome(1, 0, merges("merged", 10));
  network.at(2);
  assert.deepEqual((await network.ledger.window(2)).baseHash, bytes32("genesis"));
  assert.equal((await network.ledger.window(0)).status, "skipped");
  using late = await settled([5_000n, 5_000n, 5_000n]);
  await late.outcome(0, 0, { ...merges("merged", 10), ...other });
  await late.outcome(1, 0, merges("merged", 10));
  await late.outcome(2, 0);
  assert.deepEqual(await status(late), ["closed", bytes32("merged")]);
});

Deno.test("submitOutcome: refuses what is not of this settlement, validator, phase or key", async () => {
  using network = await settled([5_000n, 5_000n]);
  const { ledger } = network;
  const { message, signature } = await network.signOutcome(0, 0);
  const submit = (bytes = message, by = signature, sender = validatorOf(0)) =>
    ledger.submitOutcome(sender, bytes, by);
  const other = bytes32("another");
  await refuses("score_ledger::EBadMessage", submit(message.with(0, 1)));
  await refuses("score_ledger::EWrongLedger", network.outcome(0, 0, { chainId: other }));
  await refuses("score_ledger::ENotValidator", submit(message, signature, minerOf(0)));
  await refuses("score_ledger::EBadSignature", network.outcome(0, 0, { key: 1 }));
  await refuses("score_ledger::EWrongDigest", network.outcome(0, 0, { settledDigest: other }));
  const rating = { mu: 1, sigma: 1 };
  for (const uids of [[], [0], [0, 2], [0, 1, 2]]) {
    const ratings = uids.map((uid) => ({ uid, ...rating }));
    await refuses("score_ledger::EWrongEntries", network.outcome(0, 0, { ratings }));
  }
  await submit();
  await refuses("score_ledger::EAlreadySubmitted", submit());
  network.at(0, 19_000);
  await refuses("score_ledger::EWrongPhase", network.outcome(1, 0));
});

Deno.test("submitOutcome: needs a settled window that was not skipped", async () => {
  using network = await TestNetwork.found();
  await network.play(0, [0]);
  await refuses("score_ledger::ENotSettled", network.outcome(0, 0));
  network.at(0, 16_000);
  await network.ledger.close(0);
  await refuses("score_ledger::EClosed", network.outcome(0, 0));
});

Deno.test("close: a skipped window leaves ratings, averages and base as they were, and pays nothing", async () => {
  for (const reported of [false, true]) {
    using network = await TestNetwork.found();
    const { ledger } = network;
    const before = await ledger.miners();
    await network.play(0, [0, 1]);
    if (reported) {
      await network.report(0, 0);
      await ledger.settle(0, 64);
    }
    network.at(2);
    const view = await ledger.window(0);
    const reason = reported ? "no quorum of outcomes" : "no quorum of reports";
    assert.deepEqual([view.status, view.skipReason, view.payout], ["skipped", reason, null]);
    assert.deepEqual(await ledger.miners(), before);
    assert.equal(await ledger.issued(), 0n);
    assert.deepEqual((await ledger.window(2)).baseHash, bytes32("genesis"));
    await network.whole(2, [0, 1]);
    assert.equal((await ledger.window(2)).status, "closed", "and the next one is judged as ever");
  }
});

Deno.test("submitOutcome: a miner that nobody measured keeps rating and average", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.play(0, [0, 1, 2]);
  await network.report(0, 0, {
    measure: (uid) => uid === 0 ? unmeasured(VERDICT.unavailable) : {},
  });
  await ledger.settle(0, 64);
  await network.outcome(0, 0);
  const [first, second] = await ledger.miners();
  assert.deepEqual([first!.mu, first!.measured, first!.average], [25_000_000, 0, 1_000_000]);
  assert.deepEqual([second!.mu, second!.measured, second!.average], [30_000_000, 1, 1_050_000]);
});
