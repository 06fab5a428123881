/**
 * The validator: one whose judge lies (its build broken, its key stolen). The messages here are signed by hand with
 * registered keys, so they may say anything. Three of equal stake; one lies; settlement and pay are the others'.
 */
import assert from "node:assert/strict";
import { VERDICT } from "../../enclave/protocol/verdict.ts";
import type { WindowView } from "../../host/ledger/ledger.ts";
import {
  address,
  bytes32,
  type OutcomeDraft,
  refuses,
  type ReportDraft,
  TestNetwork,
  unmeasured,
  validatorOf,
} from "../../host/ledger/testing.ts";

const THREE = [10_000n, 10_000n, 10_000n];
const SHARED = { miner_bps: 5_000, validator_bps: 5_000 };
const LIAR = 2;

/** A network whose window 0 is played and waits for reports. */
async function played(validators: readonly bigint[] = THREE): Promise<TestNetwork> {
  const network = await TestNetwork.found({ validators, hparams: SHARED });
  await network.play(0, [0, 1, 2]);
  return network;
}

/** One whose honest reports are in and settled. */
async function settled(validators: readonly bigint[] = THREE): Promise<TestNetwork> {
  const network = await played(validators);
  for (const uid of validators.keys()) await network.report(uid, 0);
  await network.ledger.settle(0, 64);
  return network;
}

/** Windows 0 and 2 (the first pays no miner) in which the liar's report is `lie`; null: it sends none. */
async function withLiar(lie: ReportDraft | null): Promise<WindowView> {
  using network = await TestNetwork.found({ validators: THREE, hparams: SHARED });
  for (const window of [0, 2]) {
    await network.play(window, [0, 1, 2]);
    for (const uid of [0, 1]) await network.report(uid, window);
    if (lie !== null) await network.report(LIAR, window, lie);
    else network.at(window, 16_000);
    await network.ledger.settle(window, 64);
    for (const uid of [0, 1]) await network.outcome(uid, window);
  }
  return await network.ledger.window(2);
}

let honest: Promise<WindowView> | undefined;

const LIES: Readonly<Record<string, ReportDraft | null>> = {
  "lifts a friend and lowers a rival": {
    measure: (uid) => ({ randomAfter: uid === 0 ? 1 : 2_000_000 }),
  },
  "refuses every rival as a copy": {
    measure: (uid) => uid === 0 ? {} : unmeasured(VERDICT.duplicate),
  },
  "abstains on everything": {
    randomBefore: null,
    measure: () => unmeasured(VERDICT.unavailable),
  },
  "lies about the base": { randomBefore: 9_000_000 },
  "shifts what own pages gained": { measure: () => ({ ownBefore: 9_000_000, ownAfter: 1 }) },
  "keeps its report back": null,
};

for (const [what, lie] of Object.entries(LIES)) {
  Deno.test(`validator ${what}: the settlement is the honest one, and the liar earns nothing`, async () => {
    const truth = await (honest ??= withLiar({}));
    const view = await withLiar(lie);
    assert.deepEqual(view.settled, truth.settled);
    assert.deepEqual(view.payout!.miners, truth.payout!.miners);
    assert.deepEqual(view.payout!.validators.map(({ counted }) => counted), [true, true, false]);
    assert.equal(view.payout!.validators[LIAR]!.reward, 0n);
    assert.ok(truth.payout!.validators[LIAR]!.reward > 0n);
  });
}

Deno.test("validator sends a second, different report: only the first counts, and both are its stake's end", async () => {
  using network = await played();
  const { ledger } = network;
  const first = await network.report(LIAR, 0);
  const second = await network.signReport(LIAR, 0, { randomBefore: 7 });
  const submit = ledger.submitReport(validatorOf(LIAR), second.message, second.signature);
  await refuses("score_ledger::EAlreadySubmitted", submit);
  const { message, signature } = first;
  await ledger.slash(network.publicKey(LIAR), message, signature, second.message, second.signature);
  assert.equal((await ledger.validators())[LIAR]!.stake, 0n);
  assert.equal(await ledger.enclave(LIAR), null);
});

Deno.test("validator sends a second, different outcome: only the first counts, and both are its stake's end", async () => {
  using network = await settled();
  const { ledger } = network;
  const first = await network.outcome(LIAR, 0);
  const second = await network.signOutcome(LIAR, 0, { rate: () => ({ mu: 90_000_000 }) });
  const submit = ledger.submitOutcome(validatorOf(LIAR), second.message, second.signature);
  await refuses("score_ledger::EAlreadySubmitted", submit);
  await ledger.slash(
    network.publicKey(LIAR),
    first.message,
    first.signature,
    second.message,
    second.signature,
  );
  assert.equal((await ledger.validators())[LIAR]!.stake, 0n);
});

Deno.test("validator leaves before its two messages are shown: unbonding stake is slashed as well", async () => {
  using network = await played();
  const { ledger } = network;
  const a = await network.signReport(LIAR, 0);
  const b = await network.signReport(LIAR, 0, { randomBefore: 7 });
  await ledger.unregister(validatorOf(LIAR), "validator", LIAR);
  network.at(2);
  await ledger.slash(network.publicKey(LIAR), a.message, a.signature, b.message, b.signature);
  network.at(50);
  await refuses("peer_registry::ENothingToWithdraw", ledger.withdraw(validatorOf(LIAR)));
});

Deno.test("validator rates a friend higher: ratings take more than half of the stake that signed the same", async () => {
  using network = await settled();
  const lie = { rate: (uid: number) => uid === 0 ? { mu: 60_000_000 } : {} };
  await network.outcome(LIAR, 0, lie);
  await network.outcome(0, 0);
  assert.equal((await network.ledger.window(0)).status, "settled");
  await network.outcome(1, 0);
  assert.equal((await network.ledger.window(0)).status, "closed");
  assert.equal((await network.ledger.miners())[0]!.mu, 30_000_000);
});

/** An outcome that merges into `name`, with a gain of `gain` units. */
const merging = (name: string, gain: number): OutcomeDraft => ({
  manifestHash: bytes32(name),
  currentLoss: 1_000_000,
  mergedLoss: 1_000_000 - gain,
});

Deno.test("validator signs another base: it takes more than half of the stake that signed the same", async () => {
  using network = await settled();
  await network.outcome(LIAR, 0, merging("poisoned", 900_000));
  await network.outcome(0, 0, merging("merged", 50));
  assert.equal((await network.ledger.window(0)).payout!.mergedHash, null);
  await network.outcome(1, 0, merging("merged", 50));
  assert.deepEqual((await network.ledger.window(0)).payout!.mergedHash, bytes32("merged"));
});

Deno.test("validator says early that the merge made it worse: it does not hold the base", async () => {
  using network = await settled([14_000n, 13_000n, 13_000n]);
  await network.outcome(0, 0, merging("merged", -500_000));
  for (const uid of [1, 2]) await network.outcome(uid, 0, merging("merged", 50));
  const { payout } = await network.ledger.window(0);
  assert.deepEqual(payout!.mergedHash, bytes32("merged"));
});

Deno.test("validator says early that the merge made it better: it does not push the base", async () => {
  using network = await settled([14_000n, 13_000n, 13_000n]);
  await network.outcome(0, 0, merging("merged", 500_000));
  for (const uid of [1, 2]) await network.outcome(uid, 0, merging("merged", -50));
  network.at(2);
  assert.deepEqual((await network.ledger.window(2)).baseHash, bytes32("genesis"));
});

Deno.test("validator settles early or alone: before the deadline every report is needed, then a quorum", async () => {
  using network = await played();
  const { ledger } = network;
  await network.report(LIAR, 0, { randomBefore: 7 });
  await refuses("score_ledger::EReportsOpen", ledger.settle(0, 64));
  network.at(0, 16_000);
  await refuses("score_ledger::ENoQuorum", ledger.settle(0, 64));
  await ledger.close(0);
  const { status, payout } = await ledger.window(0);
  assert.deepEqual([status, payout], ["skipped", null]);
});

Deno.test("validator stakes more once it sees the reveals: weight is the snapshot's", async () => {
  using network = await TestNetwork.found({ validators: [10_000n] });
  const { ledger } = network;
  network.at(0, 1_000);
  await network.commit(0, 0);
  network.at(0, 8_000);
  await network.reveal(0, 0);
  const whale = address(7);
  ledger.faucet(whale, 10n ** 12n);
  assert.equal(await ledger.registerValidator(whale, 10n ** 12n), 1);
  network.at(1);
  await network.attest(1, { owner: whale });
  const { message, signature } = await network.signReport(1, 0);
  await refuses("score_ledger::ENotValidator", ledger.submitReport(whale, message, signature));
  await network.report(0, 0);
  assert.equal(await ledger.settle(0, 64), true);
});

Deno.test("validator whose build is removed, or whose key expired, signs nothing that counts", async () => {
  using network = await TestNetwork.found({ hparams: { key_ttl_ms: 12_000 } });
  await network.play(0, [0]);
  const signed = await network.signReport(0, 0);
  network.at(0, 12_000);
  const submit = network.ledger.submitReport(validatorOf(0), signed.message, signed.signature);
  await refuses("score_ledger::EKeyExpired", submit);
  using other = await played([10_000n]);
  await other.ledger.removeMeasurement((await other.ledger.info()).admin, "build-1");
  await refuses("enclave_registry::EMeasurementNotApproved", other.report(0, 0));
});

Deno.test("validator reports before the reveals are over, or after its time: outside of the phase", async () => {
  using network = await TestNetwork.found();
  network.at(0, 1_000);
  await network.commit(0, 0);
  network.at(0, 8_000);
  await network.reveal(0, 0);
  network.at(0, 9_400);
  const early = await network.signReport(0, 0);
  for (const ms of [9_400, 9_999, 16_000]) {
    network.at(0, ms);
    const call = network.ledger.submitReport(validatorOf(0), early.message, early.signature);
    await refuses("score_ledger::EWrongPhase", call);
  }
});

Deno.test("validator takes another one's report for its own: the message names who measured", async () => {
  using network = await played();
  const { message, signature } = await network.report(0, 0);
  const copy = network.ledger.submitReport(validatorOf(1), message, signature);
  await refuses("score_ledger::ENotValidator", copy);
  const renamed = await network.signReport(1, 0, { key: 9 });
  const forged = network.ledger.submitReport(validatorOf(1), renamed.message, renamed.signature);
  await refuses("score_ledger::EBadSignature", forged);
});
