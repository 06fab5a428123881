/**
 * The stranger: anybody with an address and what the ledger shows. Most calls are open to all, so that nobody can
 * stop the network; none of them lets a stranger change whose turn it is, what is paid, or to whom.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import {
  address,
  ADMIN,
  bytes32,
  FAST,
  minerOf,
  pcrsOf,
  refuses,
  TestNetwork,
  validatorOf,
} from "../../host/ledger/testing.ts";

const STRANGER = address(0x666);

/** A network whose window 0 waits for reports. */
async function played(validators = [10_000n]): Promise<TestNetwork> {
  const network = await TestNetwork.found({ validators });
  await network.play(0, [0, 1]);
  return network;
}

Deno.test("stranger submits the validator's report first, true or bent: refused, and the honest one is taken", async () => {
  using network = await played();
  const { ledger } = network;
  const { message, signature } = await network.signReport(0, 0);
  await refuses("score_ledger::ENotValidator", ledger.submitReport(STRANGER, message, signature));
  const bent = message.with(message.length - 8, message.at(-8)! ^ 1); // a loss, by one unit
  await refuses("score_ledger::ENotValidator", ledger.submitReport(STRANGER, bent, signature));
  await ledger.submitReport(validatorOf(0), message, signature);
});

Deno.test("stranger submits in the validator's name without its key: zeros, its own key, another message's", async () => {
  using network = await played();
  const { ledger } = network;
  const { message, signature } = await network.signReport(0, 0);
  const other = await network.signReport(0, 0, { randomBefore: 7 });
  const own = await network.signReport(0, 0, { key: 5 });
  const lengths = [new Uint8Array(0), signature.subarray(1), new Uint8Array(65)];
  for (const bad of [new Uint8Array(64), own.signature, other.signature, ...lengths]) {
    const call = ledger.submitReport(validatorOf(0), message, new Uint8Array(bad));
    await refuses("score_ledger::EBadSignature", call);
  }
});

Deno.test("stranger mutates a signed report in any way: refused with the ledger's own error, and nothing is kept", async () => {
  using network = await played();
  const { message, signature } = await network.signReport(0, 0);
  const edit = fc.record({
    at: fc.nat(message.length - 1),
    xor: fc.integer({ min: 1, max: 255 }),
    cut: fc.option(fc.nat(message.length - 1)),
    tail: fc.uint8Array({ maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(edit, async ({ at, xor, cut, tail }) => {
      const whole = message.with(at, message[at]! ^ xor);
      const bytes = Uint8Array.from([...whole.subarray(0, cut ?? whole.length), ...tail]);
      const call = network.ledger.submitReport(validatorOf(0), bytes, signature);
      await assert.rejects(call, (error) => error instanceof LedgerError);
    }),
    { numRuns: 300, seed: 1 },
  );
  assert.deepEqual((await network.ledger.window(0)).reported, []);
});

Deno.test("stranger registers a judge of its own for a validator: the document names another owner", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const key = (await ledger.enclave(0))!.key;
  network.at(0, 500);
  const document = await network.document(0, { owner: STRANGER, key: 3 });
  await refuses("enclave_registry::EWrongUserData", ledger.registerEnclave(STRANGER, 0, document));
  assert.deepEqual((await ledger.enclave(0))!.key, key);
});

Deno.test("stranger puts a validator's older document back: only a newer one replaces it", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { ledger } = network;
  const old = await network.document(0, { key: 1 });
  await ledger.registerEnclave(STRANGER, 0, old);
  network.at(0, 500);
  await network.attest(0, { key: 2 });
  await refuses("enclave_registry::EDocumentNotNewer", ledger.registerEnclave(STRANGER, 0, old));
  assert.deepEqual((await ledger.enclave(0))!.key, network.publicKey(0, 2));
});

Deno.test("stranger brings a document with a key of small order, or a debug enclave's: refused", async () => {
  using network = await TestNetwork.found({ attested: false });
  const small = new Uint8Array(32);
  const fields = { public_key: small };
  await refuses("enclave_registry::EBadKey", network.attest(0, { fields }));
  await refuses(
    "enclave_registry::EBadKey",
    network.attest(0, { fields: { public_key: small.with(0, 1) } }),
  );
  const pcrs = new Map(Array.from({ length: 16 }, (_, i) => [i, new Uint8Array(48)]));
  await assert.rejects(network.attest(0, { fields: { pcrs } }), (error) => {
    assert.ok(error instanceof LedgerError && error.module === "enclave_registry", `${error}`);
    return true;
  });
  await refuses("enclave_registry::EMeasurementNotApproved", network.attest(0, { build: 2 }));
});

Deno.test("stranger settles, closes and pages through: only what is due, as often as it likes", async () => {
  using network = await played();
  const { ledger } = network;
  await refuses("score_ledger::EReportsOpen", ledger.settle(0, 64));
  await refuses("round_state::ENotClosable", ledger.close(0));
  for (const limit of [0, 65, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    await refuses("score_ledger::EBadLimit", ledger.settle(0, limit));
  }
  await network.report(0, 0);
  assert.equal(await ledger.settle(0, 1), false);
  assert.equal(await ledger.settle(0, 1), true);
  const { settled } = await ledger.window(0);
  assert.equal(await ledger.settle(0, 64), true);
  assert.deepEqual((await ledger.window(0)).settled, settled);
  await refuses("round_state::EUnknownWindow", ledger.close(9));
  await assert.rejects(ledger.events(0, 1_001), RangeError);
});

Deno.test("stranger has a validator slashed without an offence: two different messages by its key, or nothing", async () => {
  using network = await played([10_000n, 10_000n]);
  const { ledger } = network;
  const a = await network.signReport(0, 0);
  const b = await network.signReport(0, 0, { randomBefore: 7 });
  const forged = await network.signReport(0, 0, { randomBefore: 7, key: 4 });
  const other = await network.signReport(1, 0, { randomBefore: 7 });
  const elsewhere = await network.signReport(0, 0, { ledgerId: bytes32("other") });
  const slash = (first: typeof a, second: typeof a) =>
    ledger.slash(
      network.publicKey(0),
      first.message,
      first.signature,
      second.message,
      second.signature,
    );
  await refuses("score_ledger::ENotEquivocation", slash(a, a));
  await refuses("score_ledger::ENotEquivocation", slash(a, forged));
  await refuses("score_ledger::ENotEquivocation", slash(a, other));
  await refuses("score_ledger::ENotEquivocation", slash(a, { ...b, signature: a.signature }));
  await refuses("score_ledger::EWrongLedger", slash(a, elsewhere));
  await refuses("score_ledger::EBadMessage", slash(a, { ...b, message: b.message.subarray(1) }));
  assert.deepEqual((await ledger.validators()).map(({ stake }) => stake), [10_000n, 10_000n]);
  await slash(a, b);
  await refuses("score_ledger::EAlreadySubmitted", slash(b, a));
});

Deno.test("stranger takes rewards, stakes or seats of others: each call is the owner's alone", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.whole(0, [0]);
  await network.whole(1, [0]);
  assert.ok((await ledger.balance(minerOf(0))).claimable > 0n);
  await refuses("reward_distributor::ENothingToClaim", ledger.claim(STRANGER));
  await refuses("peer_registry::ENotOwner", ledger.unregister(STRANGER, "miner", 0));
  await refuses("validator_registry::ENotOwner", ledger.unregister(STRANGER, "validator", 0));
  await ledger.unregister(minerOf(0), "miner", 0);
  network.at(20);
  await refuses("peer_registry::ENothingToWithdraw", ledger.withdraw(STRANGER));
  network.at(20, 100);
  await refuses("peer_registry::ENotOwner", network.commit(1, 20, STRANGER));
  assert.ok(await ledger.claim(minerOf(0)) > 0n);
  await refuses("reward_distributor::ENothingToClaim", ledger.claim(minerOf(0)));
});

Deno.test("stranger governs: hparams and builds are the admin's", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await refuses("hparams::ENotAdmin", ledger.setHparams(STRANGER, FAST));
  const approve = ledger.approveMeasurement(STRANGER, "build-2", pcrsOf(2));
  await refuses("enclave_registry::ENotAdmin", approve);
  await refuses("enclave_registry::ENotAdmin", ledger.removeMeasurement(STRANGER, "build-1"));
  assert.notEqual((await ledger.info()).admin, STRANGER);
});

Deno.test("stranger has the same window paid again: an outcome pays once, whoever sends more", async () => {
  using network = await TestNetwork.found({ validators: [5_000n, 5_000n, 5_000n] });
  for (const window of [0, 1]) {
    await network.play(window, [0]);
    for (const uid of [0, 1, 2]) await network.report(uid, window);
    await network.ledger.settle(window, 64);
    for (const uid of [0, 1]) await network.outcome(uid, window);
  }
  const issued = await network.ledger.issued();
  assert.ok(issued > 0n);
  await network.outcome(2, 1);
  await network.ledger.close(1);
  await network.ledger.settle(1, 64);
  assert.equal(await network.ledger.issued(), issued);
  assert.equal((await network.ledger.info()).admin, ADMIN);
});
