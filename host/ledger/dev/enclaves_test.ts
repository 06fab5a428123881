import assert from "node:assert/strict";
import {
  address,
  ADMIN,
  FAST,
  minerOf,
  pcrsOf,
  refuses,
  T0,
  TestNetwork,
  validatorOf,
} from "../testing.ts";

const TWO = { validators: [10_000n, 10_000n], attested: false };

Deno.test("registerEnclave: seats the key of a document, whoever brings it", async () => {
  using network = await TestNetwork.found(TWO);
  assert.equal(await network.ledger.enclave(0), null);
  await network.attest(0);
  assert.deepEqual(await network.ledger.enclave(0), {
    key: network.publicKey(0),
    uid: 0,
    documentMs: T0,
    registeredMs: T0,
    expiresMs: T0 + FAST.key_ttl_ms,
    measurement: "build-1",
    simulated: true,
  });
  assert.equal(await network.ledger.enclave(1), null);
});

Deno.test("registerEnclave: refuses what is no document, or not of an approved build", async () => {
  using network = await TestNetwork.found(TWO);
  const { ledger } = network;
  const document = await network.document(0);
  const broken = document.slice();
  broken[broken.length - 1]! ^= 1;
  for (const bytes of [new Uint8Array(0), document.subarray(1), broken]) {
    await refuses("enclave_registry::EBadDocument", ledger.registerEnclave(ADMIN, 0, bytes));
  }
  await refuses("enclave_registry::EMeasurementNotApproved", network.attest(0, { build: 2 }));
  const debug = new Map(Array.from({ length: 16 }, (_, i) => [i, new Uint8Array(48)]));
  await refuses(
    "enclave_registry::EMeasurementNotApproved",
    network.attest(0, { fields: { pcrs: debug } }),
  );
  await ledger.removeMeasurement(ADMIN, "build-1");
  await refuses("enclave_registry::EMeasurementNotApproved", network.attest(0));
});

Deno.test("registerEnclave: a document is for one validator, owner and ledger", async () => {
  using network = await TestNetwork.found(TWO);
  const { ledger } = network;
  const document = await network.document(0);
  await refuses("enclave_registry::EWrongUserData", ledger.registerEnclave(ADMIN, 1, document));
  await refuses("enclave_registry::EWrongUserData", network.attest(0, { owner: minerOf(0) }));
  const none = { fields: { user_data: null } };
  await refuses("enclave_registry::EWrongUserData", network.attest(0, none));
  await refuses("enclave_registry::ENotOwner", ledger.registerEnclave(ADMIN, 9, document));
});

Deno.test("registerEnclave: refuses weak and missing keys, and another validator's", async () => {
  using network = await TestNetwork.found(TWO);
  const identity = new Uint8Array(32);
  identity[0] = 1;
  for (const public_key of [null, new Uint8Array(31).fill(9), identity]) {
    await refuses("enclave_registry::EBadKey", network.attest(0, { fields: { public_key } }));
  }
  await network.attest(0);
  const stolen = { fields: { public_key: network.publicKey(0) } };
  await refuses("enclave_registry::EKeyTaken", network.attest(1, stolen));
  network.clock.set(T0 + 1);
  await network.attest(0, { key: 1 });
  await refuses("enclave_registry::EKeyTaken", network.attest(1, stolen));
});

Deno.test("registerEnclave: a key stays with the owner that brought it, also in the same slot", async () => {
  using network = await TestNetwork.found({ validators: [10_000n] });
  const { ledger } = network;
  const owner = address(0x77);
  ledger.faucet(owner, 10_000n);
  await ledger.unregister(validatorOf(0), "validator", 0);
  network.at(1);
  assert.equal(await ledger.registerValidator(owner, 10_000n), 0);
  assert.equal(await ledger.enclave(0), null);
  await refuses("enclave_registry::ENotOwner", network.attest(0, { owner, key: 1 }));
  network.at(2); // a seat to come has no judge yet
  await refuses("enclave_registry::EKeyTaken", network.attest(0, { owner }));
  await network.attest(0, { owner, key: 1 });
  assert.deepEqual((await ledger.enclave(0))!.key, network.publicKey(0, 1));
});

Deno.test("registerEnclave: takes no old document, and none of the future", async () => {
  using network = await TestNetwork.found(TWO);
  const at = (timestamp: number) => network.attest(0, { fields: { timestamp } });
  await refuses("enclave_registry::EDocumentTooOld", at(T0 - 60_001));
  await refuses("enclave_registry::EBadDocument", at(T0 + 30_001));
  await at(T0 - 60_000);
});

Deno.test("registerEnclave: only a strictly newer document replaces one, and none comes back", async () => {
  using network = await TestNetwork.found(TWO);
  const { ledger } = network;
  const first = await network.document(0);
  await ledger.registerEnclave(ADMIN, 0, first);
  await refuses("enclave_registry::EDocumentNotNewer", ledger.registerEnclave(ADMIN, 0, first));
  network.clock.set(T0 + 1_000);
  const second = await network.document(0, { key: 1 });
  await ledger.registerEnclave(ADMIN, 0, second);
  await refuses("enclave_registry::EDocumentNotNewer", ledger.registerEnclave(ADMIN, 0, first));
  assert.deepEqual((await ledger.enclave(0))!.key, network.publicKey(0, 1));
  network.clock.set(T0 + 2_000);
  await network.attest(0);
  const row = (await ledger.enclave(0))!;
  assert.deepEqual([row.key, row.registeredMs], [network.publicKey(0), T0 + 2_000]);
});

Deno.test("registerEnclave: a renewed key keeps its age and lives longer", async () => {
  using network = await TestNetwork.found({ hparams: { key_ttl_ms: 12_000 } });
  await network.play(0, [0]);
  await network.attest(0);
  const row = (await network.ledger.enclave(0))!;
  assert.deepEqual([row.registeredMs, row.expiresMs], [T0, T0 + 22_000]);
  await network.report(0, 0);
});

Deno.test("registerEnclave: a key registered after the reveals signs no report, but the outcome", async () => {
  using network = await TestNetwork.found({ validators: [10_000n, 1_000n, 1_000n] });
  const { ledger } = network;
  await network.commit(0, 0);
  network.at(0, 8_000);
  await network.reveal(0, 0);
  network.at(0, 9_499);
  await network.attest(1, { key: 1 });
  network.at(0, 9_500);
  await network.attest(2, { key: 1 });
  network.at(1);
  await network.report(0, 0);
  await network.report(1, 0, { key: 1 });
  await refuses("score_ledger::EKeyTooNew", network.report(2, 0, { key: 1 }));
  network.at(1, 6_000);
  await ledger.settle(0, 64);
  await network.outcome(2, 0, { key: 1 });
});

Deno.test("approveMeasurement: waits for the unbonding period; removal acts at once", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const approve = (name: string, pcrs = pcrsOf(2)) => ledger.approveMeasurement(ADMIN, name, pcrs);
  await approve("build-2");
  network.clock.set(T0 + FAST.unbonding_ms - 1);
  await refuses("enclave_registry::EMeasurementNotApproved", network.attest(0, { build: 2 }));
  network.clock.set(T0 + FAST.unbonding_ms);
  await network.attest(0, { build: 2, key: 1 });
  assert.equal((await ledger.enclave(0))!.measurement, "build-2");
  await network.play(6, [0]);
  await ledger.removeMeasurement(ADMIN, "build-2");
  await refuses("enclave_registry::EMeasurementNotApproved", network.report(0, 6, { key: 1 }));
  assert.deepEqual((await ledger.measurements()).map(({ name }) => name), ["build-1"]);
});

Deno.test("approveMeasurement: a shorter unbonding period counts once the longer one is over", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const activeFrom = async (name: string, build: number) => {
    await ledger.approveMeasurement(ADMIN, name, pcrsOf(build));
    return (await ledger.measurements()).find((row) => row.name === name)!.activeFrom - T0;
  };
  await ledger.setHparams(ADMIN, { ...FAST, unbonding_ms: 0 });
  assert.equal(await activeFrom("pending", 2), 50_000, "the running period counts");
  network.at(1, 5); // 50 s, in force until now, are over at 60.005 s
  assert.equal(await activeFrom("lowered", 3), 60_005);
  network.at(2);
  await ledger.setHparams(ADMIN, { ...FAST, unbonding_ms: 90_000 });
  assert.equal(await activeFrom("raised", 4), 110_000, "the pending period counts");
  network.at(3);
  await ledger.roll(ADMIN);
  await ledger.setHparams(ADMIN, { ...FAST, unbonding_ms: 10 });
  network.at(4); // 90 s are over at 130 s: the longest of all that were in force
  const next = { ...FAST, unbonding_ms: 0 };
  await refuses("hparams::ENotRolled", ledger.setHparams(ADMIN, next));
  await ledger.roll(ADMIN);
  await ledger.setHparams(ADMIN, next);
  network.at(5);
  assert.equal(await activeFrom("twice-lowered", 5), 130_000);
  network.at(13);
  assert.equal(await activeFrom("late", 6), 130_000);
});

Deno.test("approveMeasurement: refuses strangers, bad names and values, and a name's second use", async () => {
  using network = await TestNetwork.found(TWO);
  const { ledger } = network;
  const approve = (name: string, pcrs = pcrsOf(2)) => ledger.approveMeasurement(ADMIN, name, pcrs);
  const stranger = minerOf(0);
  await refuses(
    "enclave_registry::ENotAdmin",
    ledger.approveMeasurement(stranger, "build-2", pcrsOf(2)),
  );
  await refuses("enclave_registry::ENotAdmin", ledger.removeMeasurement(stranger, "build-1"));
  for (const name of ["", "A", "-a", "a b", "x".repeat(65), "build-1"]) {
    await refuses("enclave_registry::EBadMeasurement", approve(name));
  }
  const [one, two] = pcrsOf(2);
  await refuses("enclave_registry::EBadMeasurement", approve("a", [one, two, new Uint8Array(48)]));
  await refuses("enclave_registry::EBadMeasurement", approve("a", [one, two, new Uint8Array(47)]));
  await refuses("enclave_registry::EBadMeasurement", ledger.removeMeasurement(ADMIN, "a"));
  await ledger.removeMeasurement(ADMIN, "build-1");
  await refuses("enclave_registry::EBadMeasurement", approve("build-1"));
});
