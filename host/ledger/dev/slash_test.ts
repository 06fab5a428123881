import assert from "node:assert/strict";
import { ADMIN, bytes32, refuses, type Signed, TestNetwork, validatorOf } from "../testing.ts";

const HALF = { validators: [10_000n, 10_000n], hparams: { slash_bps: 5_000 } };

function slash(network: TestNetwork, a: Signed, b: Signed, key = 0): Promise<void> {
  return network.ledger.slash(
    network.publicKey(0, key),
    a.message,
    a.signature,
    b.message,
    b.signature,
  );
}

Deno.test("slash: takes the stake of a key that signed two reports of a window", async () => {
  using network = await TestNetwork.found({ validators: [10_000n, 10_000n] });
  const { ledger } = network;
  await network.play(0, [0]);
  const first = await network.report(0, 0);
  const second = await network.signReport(0, 0, { randomBefore: 999_999 });
  await slash(network, second, first);
  assert.deepEqual((await ledger.validators()).map(({ stake }) => stake), [0n, 10_000n]);
  assert.equal(await ledger.enclave(0), null);
  const again = await network.signReport(0, 0, { randomBefore: 999_998 });
  await refuses("score_ledger::EAlreadySubmitted", slash(network, first, again));
  const elsewhere = [0, 1].map((n) => network.signReport(0, 1, { timestampMs: n }));
  const [a, b] = await Promise.all(elsewhere);
  await refuses("score_ledger::ENotValidator", slash(network, a!, b!));
});

Deno.test("slash: takes the hparams' share, and once for a window and intent", async () => {
  using network = await TestNetwork.found(HALF);
  const { ledger } = network;
  await network.play(0, [0]);
  const reports = [await network.report(0, 0), await network.signReport(0, 0, { timestampMs: 1 })];
  await network.report(1, 0);
  await ledger.settle(0, 64);
  const outcomes = [
    await network.outcome(0, 0),
    await network.signOutcome(0, 0, { rate: () => ({ mu: 1 }) }),
  ];
  await slash(network, reports[0]!, reports[1]!);
  await refuses("score_ledger::EAlreadySubmitted", slash(network, reports[1]!, reports[0]!));
  await slash(network, outcomes[0]!, outcomes[1]!);
  assert.deepEqual((await ledger.validators()).map(({ stake }) => stake), [2_500n, 10_000n]);
  const events = (await network.events())
    .filter(({ kind }) => kind === "validator_registry::ValidatorSlashed");
  assert.deepEqual(events.map(({ body }) => body.amount), ["5000", "2500"]);
});

Deno.test("slash: reaches stake that is unbonding, until it is withdrawn", async () => {
  using network = await TestNetwork.found(HALF);
  const { ledger } = network;
  await network.play(0, [0]);
  const first = await network.report(0, 0);
  const second = await network.signReport(0, 0, { timestampMs: 1 });
  await ledger.unregister(validatorOf(0), "validator", 0);
  network.at(2);
  assert.deepEqual((await ledger.validators()).map(({ uid }) => uid), [1]);
  await slash(network, first, second);
  network.at(7);
  assert.equal(await ledger.withdraw(validatorOf(0)), 5_000n);
});

Deno.test("slash: leaves alone whoever took the slot since, and a miner of the same owner", async () => {
  using network = await TestNetwork.found(HALF);
  const { ledger } = network;
  await network.play(0, [0]);
  const first = await network.report(0, 0);
  const second = await network.signReport(0, 0, { timestampMs: 1 });
  ledger.faucet(validatorOf(0), 3_000n);
  const uid = await ledger.registerMiner(validatorOf(0), 3_000n);
  await ledger.unregister(validatorOf(0), "validator", 0);
  network.at(2);
  await ledger.unregister(validatorOf(0), "miner", uid);
  ledger.faucet(ADMIN, 8_000n);
  assert.equal(await ledger.registerValidator(ADMIN, 8_000n), 0);
  network.at(3);
  await network.attest(0, { owner: ADMIN, key: 1 });
  await slash(network, first, second);
  assert.equal((await ledger.validators())[0]!.stake, 8_000n);
  assert.deepEqual((await ledger.enclave(0))!.key, network.publicKey(0, 1));
  network.at(8);
  assert.equal(await ledger.withdraw(validatorOf(0)), 8_000n);
});

Deno.test("slash: the same message twice, or of another window, key, intent or ledger, is none", async () => {
  using network = await TestNetwork.found({ validators: [10_000n, 10_000n] });
  const { ledger } = network;
  await network.play(0, [0]);
  await network.play(1, [0]);
  const first = await network.signReport(0, 0);
  const none = "score_ledger::ENotEquivocation";
  await refuses(none, slash(network, first, first));
  await refuses(none, slash(network, first, await network.signReport(0, 1)));
  await refuses(none, slash(network, first, await network.signReport(1, 0)));
  await refuses(none, slash(network, first, await network.signReport(0, 0, { key: 1 })));
  const forged = { timestampMs: 1, key: 1 };
  await refuses(
    none,
    slash(network, await network.signReport(0, 0, forged), await network.signReport(0, 0, forged)),
  );
  const unknown = { timestampMs: 2, key: 1 };
  await refuses(
    none,
    slash(network, await network.signReport(0, 0, forged), await network.signReport(0, 0, unknown)),
  );
  const outcome = await network.signOutcome(0, 0);
  await refuses("score_ledger::EBadMessage", slash(network, first, outcome));
  await refuses("score_ledger::EBadMessage", slash(network, outcome, first));
  const garbage = { message: new Uint8Array(0), signature: first.signature };
  await refuses("score_ledger::EBadMessage", slash(network, garbage, garbage));
  const foreign = await network.signReport(0, 0, { ledgerId: bytes32("another") });
  await refuses("score_ledger::EWrongLedger", slash(network, first, foreign));
  assert.equal((await ledger.validators())[0]!.stake, 10_000n);
});
