/**
 * Governance: an admin that turns on the others. It changes the rules, but never those of a window that has begun,
 * and nobody's build without a time in which whoever disagrees can leave.
 */
import assert from "node:assert/strict";
import { hparamsDigest } from "../../enclave/protocol/hparams.ts";
import { ADMIN, FAST, pcrsOf, refuses, T0, TestNetwork } from "../../host/ledger/testing.ts";

Deno.test("admin shortens the unbonding period to rush a build in: the longer one still counts", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await ledger.setHparams(ADMIN, { ...FAST, unbonding_ms: 0 });
  network.at(1);
  await ledger.approveMeasurement(ADMIN, "evil", pcrsOf(2));
  await refuses("enclave_registry::EMeasurementNotApproved", network.attest(0, { build: 2 }));
  network.clock.set(T0 + 10_000 + FAST.unbonding_ms - 1);
  await refuses("enclave_registry::EMeasurementNotApproved", network.attest(0, { build: 2 }));
});

Deno.test("admin raises a period beyond all time to break the ledger's clock: bounded, refused", async () => {
  using network = await TestNetwork.found();
  for (const name of ["unbonding_ms", "key_ttl_ms", "window_ms"] as const) {
    const change = { ...FAST, [name]: Number.MAX_SAFE_INTEGER };
    await refuses("hparams::EInvalidValue", network.ledger.setHparams(ADMIN, change));
  }
});

Deno.test("admin shortens windows to leave a judge no time: the pair of lengths is checked", async () => {
  using network = await TestNetwork.found();
  await network.play(0, [0]);
  network.at(1, 1_000);
  await network.commit(1, 1);
  const short = { ...FAST, window_ms: 2_000, min_judge_ms: 200 };
  await refuses("hparams::EInvalidValue", network.ledger.setHparams(ADMIN, short));
  await network.report(0, 0);
});

Deno.test("admin changes hparams of a window that runs or is judged: it keeps its own", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.play(0, [0]);
  const before = await ledger.window(0);
  await ledger.setHparams(ADMIN, { ...FAST, beta: 1, emission: 0, min_miner_stake: 9_000 });
  await network.commit(1, 1);
  const after = await ledger.window(0);
  assert.deepEqual(after.digest, before.digest);
  assert.deepEqual((await ledger.window(1)).context.hparamsDigest, hparamsDigest(FAST));
  await network.report(0, 0);
});

Deno.test("admin brings a removed build back under its name: a name is used once", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await ledger.removeMeasurement(ADMIN, "build-1");
  const again = ledger.approveMeasurement(ADMIN, "build-1", pcrsOf(2));
  await refuses("enclave_registry::EBadMeasurement", again);
});

Deno.test("admin approves a debug enclave: PCRs of zeros are no build", async () => {
  using network = await TestNetwork.found();
  const zeros = new Uint8Array(48);
  const approve = network.ledger.approveMeasurement(ADMIN, "debug", [zeros, zeros, zeros]);
  await refuses("enclave_registry::EBadMeasurement", approve);
});

Deno.test("admin directs pay: there is no call for it, and shares sum to the whole", async () => {
  using network = await TestNetwork.found();
  for (
    const change of [{ treasury_bps: 1 }, { miner_bps: 10_001 }, { validator_bps: -1 }]
  ) {
    await refuses(
      "hparams::EInvalidValue",
      network.ledger.setHparams(ADMIN, { ...FAST, ...change }),
    );
  }
  await network.whole(0, [0]);
  await network.whole(1, [0]);
  assert.equal((await network.ledger.balance(ADMIN)).claimable, 0n);
});
