/**
 * The courier's second half: what it does with what was signed. It sends it elsewhere, asks twice, restarts its
 * judge, or leaves things out.
 */
import assert from "node:assert/strict";
import { encodeManifest } from "../../enclave/protocol/base.ts";
import { encodeV1 } from "../../enclave/protocol/gradient/mod.ts";
import { encodeSettlement } from "../../enclave/protocol/judge_messages.ts";
import { decodeReport, encodeReport } from "../../enclave/protocol/report.ts";
import { verdictName } from "../../enclave/protocol/verdict.ts";
import { bytes32, minerOf, refuses, validatorOf } from "../../host/ledger/testing.ts";
import { v1 } from "../support/window.ts";
import { Arena } from "./arena.ts";
import { GRADIENTS, judgeRefuses, played, SUBMISSIONS, TRAINING } from "./played.ts";

Deno.test("courier asks again with another input: already_signed, one answer for a window", async () => {
  await using arena = await played();
  const payload = await arena.reportPayload(0);
  const signed = await arena.ask(payload, GRADIENTS);
  await judgeRefuses(arena, { ...payload, unavailable: [1] }, "already_signed");
  assert.deepEqual(await arena.ask(payload, GRADIENTS), signed);
});

Deno.test("courier restarts its judge to be asked again: the new key is too new for the window", async () => {
  await using arena = await played();
  await arena.ask(await arena.reportPayload(0), GRADIENTS);
  const fresh = await arena.startJudge(0);
  arena.judges.push(fresh);
  const again = await arena.ask(await arena.reportPayload(0), GRADIENTS, fresh);
  await refuses("score_ledger::EKeyTooNew", arena.submitReport(again));
});

Deno.test("courier edits what was signed: no field can be changed", async () => {
  await using arena = await played();
  const { message, signature } = await arena.ask(await arena.reportPayload(0), GRADIENTS);
  const report = decodeReport(message);
  const [entry, other] = report.entries as [
    typeof report.entries[number],
    typeof report.entries[0],
  ];
  for (
    const change of [
      { randomBefore: report.randomBefore! + 1 },
      { timestampMs: report.timestampMs + 1 },
      { entries: [{ ...entry, randomAfter: 1 }, other] },
      { entries: [{ ...entry, uid: 0, ownAfter: 1 }, other] },
    ]
  ) {
    const bent = encodeReport({ ...report, ...change });
    await refuses(
      "score_ledger::EBadSignature",
      arena.submitReport({ message: bent, signature, manifest: null }),
    );
  }
});

Deno.test("courier replays a report into another window: its own is over, and it names no other", async () => {
  await using arena = await played();
  const signed = await arena.ask(await arena.reportPayload(0), GRADIENTS);
  await arena.submitReport(signed);
  await refuses("score_ledger::EAlreadySubmitted", arena.submitReport(signed));
  await arena.ledger.settle(0, 64);
  await arena.submitOutcome(await arena.ask(await arena.outcomePayload(0), GRADIENTS));
  await arena.play(1, [v1(0, await TRAINING.train(0, 2))]);
  await refuses("score_ledger::EWrongPhase", arena.submitReport(signed));
  const moved = encodeReport({ ...decodeReport(signed.message), window: 1 });
  await refuses(
    "score_ledger::EBadSignature",
    arena.submitReport({ ...signed, message: moved }),
  );
});

Deno.test("courier replays a report as another validator's, or to another ledger of the same chain", async () => {
  await using arena = await played(2);
  const signed = await arena.ask(await arena.reportPayload(0), GRADIENTS);
  await refuses("score_ledger::ENotValidator", arena.submitReport(signed, 1));
  await using fork = await Arena.found({ ledgerId: bytes32("fork") });
  await fork.play(0, SUBMISSIONS);
  await refuses("score_ledger::EWrongLedger", fork.submitReport(signed));
  const payload = await arena.reportPayload(0);
  await judgeRefuses(fork, payload, "unbound_input", "context.ledger_id");
});

Deno.test("courier sends a report as an outcome, or the reverse: the intent is signed", async () => {
  await using arena = await played();
  const signed = await arena.ask(await arena.reportPayload(0), GRADIENTS);
  await refuses("score_ledger::EBadMessage", arena.submitOutcome(signed));
  await arena.submitReport(signed);
  await arena.ledger.settle(0, 64);
  const outcome = await arena.ask(await arena.outcomePayload(0), GRADIENTS);
  await refuses("score_ledger::EBadMessage", arena.submitReport(outcome));
  await arena.submitOutcome(outcome);
});

Deno.test("courier gives stale priors or a bent settlement: the outcome is of another settlement", async () => {
  const bends = [{ priorMu: 40_000_000 }, { priorSigma: 1_000_000 }, { randomAfter: 1 }];
  for (const bend of bends) {
    await using arena = await played();
    await arena.settle(0, GRADIENTS);
    const { randomBefore, rows } = (await arena.ledger.window(0)).settled!;
    const settled = encodeSettlement(randomBefore, [{ ...rows[0]!, ...bend }, ...rows.slice(1)]);
    const payload = { ...await arena.outcomePayload(0), settled };
    const signed = await arena.ask(payload, GRADIENTS);
    await refuses("score_ledger::EWrongDigest", arena.submitOutcome(signed));
  }
});

Deno.test("courier merges into a base of its choosing: the outcome is of another settlement", async () => {
  await using arena = await played();
  await arena.settle(0, GRADIENTS);
  const base = encodeManifest({ ...arena.net.base, window: 5 });
  const signed = await arena.ask({ ...await arena.outcomePayload(0), base }, GRADIENTS);
  await refuses("score_ledger::EWrongDigest", arena.submitOutcome(signed));
});

Deno.test("courier takes the outcome before the window is settled, or after its time", async () => {
  await using arena = await played();
  const settled = encodeSettlement(null, []);
  const early = await arena.ask(
    { ...await arena.reportPayload(0), kind: "outcome", settled },
    GRADIENTS,
  );
  await refuses("score_ledger::ENotSettled", arena.submitOutcome(early));
  arena.at(0, 19_000);
  await refuses("score_ledger::EWrongPhase", arena.submitOutcome(early));
});

Deno.test("courier calls a rival unavailable: one of three abstains, and is not paid", async () => {
  await using arena = await Arena.found({
    validators: 3,
    hparams: { miner_bps: 5_000, validator_bps: 5_000 },
  });
  const three = [...SUBMISSIONS, { uid: 2, bytes: encodeV1(await TRAINING.train(0, 2, 0.3)) }];
  const gradients = three.map(({ bytes }) => bytes);
  await arena.play(0, three);
  const honest = await arena.reportPayload(0);
  for (const [uid, judge] of arena.judges.entries()) {
    const payload = uid === 2 ? { ...honest, unavailable: [0, 1] } : honest;
    await arena.submitReport(await arena.ask(payload, gradients, judge), uid);
  }
  await arena.ledger.settle(0, 64);
  for (const uid of [0, 1]) {
    const payload = await arena.outcomePayload(0);
    await arena.submitOutcome(await arena.ask(payload, gradients, arena.judges[uid]!), uid);
  }
  const { settled, payout } = await arena.ledger.window(0);
  assert.deepEqual(
    settled!.rows.map(({ verdict }) => verdictName(verdict)),
    Array(3).fill("accepted"),
  );
  assert.deepEqual(payout!.validators.map(({ counted }) => counted), [true, true, false]);
  assert.equal(payout!.validators[2]!.reward, 0n);
});

Deno.test("courier configures its judge for another slot: the document is not for that validator", async () => {
  await using arena = await played(2);
  const judge = arena.newJudge();
  const { chainId, ledgerId } = await arena.ledger.info();
  judge.configure({ chainId, ledgerId, validator: 1, address: bytes32("thief") });
  await refuses(
    "enclave_registry::EWrongUserData",
    arena.ledger.registerEnclave(minerOf(0), 1, await judge.attest()),
  );
  assert.notDeepEqual(judge.publicKey, (await arena.ledger.enclave(1))!.key);
  assert.throws(() => judge.configure({ chainId, ledgerId, validator: 0, address: bytes32("x") }), {
    code: "already_configured",
  });
  const owner = validatorOf(1);
  await refuses(
    "enclave_registry::EWrongUserData",
    arena.ledger.registerEnclave(owner, 0, await arena.judges[1]!.attest()),
  );
});
