import assert from "node:assert/strict";
import { VERDICT } from "../../../enclave/protocol/verdict.ts";
import {
  address,
  bytes32,
  minerOf,
  refuses,
  TestNetwork,
  unmeasured,
  validatorOf,
} from "../testing.ts";

const TWO = { validators: [10_000n, 10_000n] };

Deno.test("submitReport: is taken from the end of the window to its deadline, exclusive", async () => {
  using network = await TestNetwork.found(TWO);
  await network.play(0, [0, 1]);
  const early = await TestNetwork.found(TWO);
  using _closing = early;
  await early.commit(0, 0);
  early.at(0, 8_000);
  await early.reveal(0, 0);
  early.at(0, 9_999);
  await refuses("score_ledger::EWrongPhase", early.report(0, 0));
  network.at(0, 15_999);
  await network.report(0, 0);
  network.at(0, 16_000);
  await refuses("score_ledger::EWrongPhase", network.report(1, 0));
  assert.deepEqual((await network.ledger.window(0)).reported, [0]);
});

Deno.test("submitReport: is taken once a validator, and only from its owner", async () => {
  using network = await TestNetwork.found(TWO);
  const { ledger } = network;
  await network.play(0, [0]);
  const { message, signature } = await network.signReport(0, 0);
  for (const stranger of [validatorOf(1), minerOf(0), address(0x666)]) {
    await refuses("score_ledger::ENotValidator", ledger.submitReport(stranger, message, signature));
  }
  await ledger.submitReport(validatorOf(0), message, signature);
  const again = ledger.submitReport(validatorOf(0), message, signature);
  await refuses("score_ledger::EAlreadySubmitted", again);
  await refuses(
    "score_ledger::EAlreadySubmitted",
    network.report(0, 0, { timestampMs: 1 }),
  );
});

Deno.test("submitReport: is bound to its window, ledger, chain and validator", async () => {
  using network = await TestNetwork.found(TWO);
  await network.play(0, [0]);
  const digest = (await network.ledger.window(0)).digest;
  const other = bytes32("another");
  await refuses("score_ledger::EWrongLedger", network.report(0, 0, { ledgerId: other }));
  await refuses("score_ledger::EWrongLedger", network.report(0, 0, { chainId: other }));
  await refuses("score_ledger::ENotValidator", network.report(0, 0, { validator: 1 }));
  await refuses("score_ledger::ENotValidator", network.report(0, 0, { window: 7 }));
  await refuses("score_ledger::EWrongPhase", network.report(0, 0, { window: 1 }));
  await refuses("score_ledger::EWrongDigest", network.report(0, 0, { windowDigest: other }));
  await network.report(0, 0);
  await network.play(1, [0]);
  const replayed = network.report(0, 1, { windowDigest: digest });
  await refuses("score_ledger::EWrongDigest", replayed);
});

Deno.test("submitReport: the signature is the registered key's over these very bytes", async () => {
  using network = await TestNetwork.found(TWO);
  const { ledger } = network;
  await network.play(0, [0]);
  const { message, signature } = await network.signReport(0, 0);
  const submit = (bytes = message, by = signature) =>
    ledger.submitReport(validatorOf(0), bytes, by);
  await refuses("score_ledger::EBadSignature", network.report(0, 0, { key: 1 }));
  await refuses("score_ledger::EBadSignature", submit(message, signature.subarray(1)));
  await refuses("score_ledger::EBadSignature", submit(message, new Uint8Array(64)));
  for (const position of [message.length - 1, 80]) { // a metric, the judge's timestamp
    const changed = message.slice();
    changed[position]! ^= 0x80;
    await assert.rejects(submit(changed), /EBadSignature|EBadMessage/);
  }
  const wide = new Uint8Array([...message, 0]);
  const bad = [new Uint8Array(0), message.subarray(0, 50), wide, wide.with(0, 2)];
  for (const bytes of bad) await refuses("score_ledger::EBadMessage", submit(bytes));
  await refuses("score_ledger::EBadMessage", submit(message.with(1, 2)));
  await submit();
});

Deno.test("submitReport: has one entry for every reveal, none left out and none besides", async () => {
  using network = await TestNetwork.found(TWO);
  await network.play(0, [0, 2]);
  const entry = (uid: number) => ({
    uid,
    verdict: VERDICT.zero,
    ownBefore: null,
    ownAfter: null,
    randomAfter: null,
  });
  for (const uids of [[], [0], [2], [0, 1], [0, 1, 2]]) {
    await refuses(
      "score_ledger::EWrongEntries",
      network.report(0, 0, { entries: uids.map(entry) }),
    );
  }
  await network.report(0, 0, { measure: () => unmeasured(VERDICT.zero), randomBefore: null });
});

Deno.test("submitReport: needs an enclave, and one whose key has not expired", async () => {
  using network = await TestNetwork.found({ ...TWO, attested: false });
  await network.play(0, [0]);
  await refuses("score_ledger::ENoEnclave", network.report(0, 0));
  using mortal = await TestNetwork.found({ hparams: { key_ttl_ms: 12_000 } });
  await mortal.play(0, [0]);
  mortal.at(0, 12_000);
  await refuses("score_ledger::EKeyExpired", mortal.report(0, 0));
});

Deno.test("submitReport: a validator whose slot changed hands reports the window that it was in", async () => {
  const hparams = { max_validators: 2, immunity_windows: 0 };
  using network = await TestNetwork.found({ ...TWO, hparams });
  const { ledger } = network;
  const heir = address(0x88);
  ledger.faucet(heir, 50_000n);
  assert.equal(await ledger.registerValidator(heir, 20_000n), 0);
  await network.play(0, [0]);
  await network.attest(0, { owner: heir, key: 1 });
  const { message, signature } = await network.signReport(0, 0, { key: 1 });
  await refuses("score_ledger::ENotValidator", ledger.submitReport(heir, message, signature));
  await network.report(0, 0);
});

Deno.test("submitReport: an empty window, being closed, takes none", async () => {
  using network = await TestNetwork.found(TWO);
  await network.commit(0, 0);
  network.at(1);
  await refuses("score_ledger::EClosed", network.report(0, 0));
});
