import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { address, ADMIN, bytes32, FAST, minerOf, pcrsOf, TestNetwork } from "../testing.ts";

/** Everything that the ledger holds but the log itself. */
function contents(db: DatabaseSync): string {
  const tables = db.prepare("select name from sqlite_master where type = 'table' order by name")
    .all().map((row) => row.name as string)
    .filter((name) => name !== "events" && name !== "sqlite_sequence");
  return JSON.stringify(tables.map((name) => db.prepare(`select * from ${name}`).all()));
}

Deno.test("events: every call that changes the ledger logs it, and no other call does", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/ledger.db`;
    using network = await TestNetwork.found({ path, validators: [10_000n, 4_000n] });
    using db = new DatabaseSync(path, { readOnly: true });
    const { ledger } = network;
    const seen: string[] = [];
    let last = (await network.events()).length;
    const step = async (changes: boolean, call: () => unknown) => {
      const before = contents(db);
      await call();
      const changed = contents(db) !== before;
      const fresh = await ledger.events(last, 1_000);
      assert.deepEqual([changed, fresh.length > 0], [changes, changes], `${call}`);
      last += fresh.length;
      seen.push(...fresh.map(({ kind }) => kind));
    };
    const NEW = address(5);
    await step(true, () => ledger.faucet(NEW, 9_000n));
    await step(true, () => ledger.registerMiner(NEW, 2_000n));
    await step(true, () => ledger.approveMeasurement(ADMIN, "build-2", pcrsOf(2)));
    await step(true, () => ledger.removeMeasurement(ADMIN, "build-2"));
    await step(
      true,
      () => ledger.setHparams(ADMIN, { ...FAST, immunity_windows: 0, max_miners: 4 }),
    );
    for (const uid of [0, 1, 2]) await step(true, () => network.commit(uid, 0));
    network.at(0, 8_000);
    for (const uid of [0, 1]) await step(true, () => network.reveal(uid, 0));
    network.at(1);
    await step(true, () => ledger.window(1)); // rolls
    await step(false, () => ledger.window(1));
    await step(true, () => network.attest(0));
    for (const i of [0, 1]) await step(true, () => network.report(i, 0));
    await step(true, () => ledger.settle(0, 1));
    await step(true, () => ledger.settle(0, 1));
    await step(false, () => ledger.settle(0, 1));
    const merged = { manifestHash: bytes32("merged"), currentLoss: 9, mergedLoss: 1 };
    await step(true, () => network.outcome(0, 0, merged));
    await step(true, () => network.outcome(1, 0, { ...merged, timestampMs: 1 }));
    await step(false, () => ledger.close(0));
    ledger.faucet(ADMIN, 9_000n);
    last++;
    await step(true, () => ledger.registerMiner(ADMIN, 2_000n)); // evicts
    await step(true, () => ledger.unregister(minerOf(1), "miner", 1));
    await step(true, async () => {
      const [a, b] = [await network.signReport(1, 0), await network.signReport(1, 1)];
      await assert.rejects(
        ledger.slash(network.publicKey(1), a.message, a.signature, b.message, b.signature),
      );
      const c = await network.signReport(1, 0, { timestampMs: 1 });
      await ledger.slash(network.publicKey(1), a.message, a.signature, c.message, c.signature);
    });
    network.at(1, 9_500);
    await step(true, () => ledger.close(1));
    network.at(2);
    await step(true, () => ledger.window(2));
    await network.play(2, [0]);
    last = (await network.events()).length;
    network.at(2, 16_000);
    await step(true, () => ledger.close(2));
    network.at(8);
    await step(true, () => ledger.window(8));
    await step(true, () => ledger.withdraw(minerOf(1)));
    const kinds = [...new Set(seen)].sort();
    assert.deepEqual(kinds, [
      "dev::Faucet",
      "enclave_registry::EnclaveRegistered",
      "enclave_registry::EnclaveRevoked",
      "enclave_registry::MeasurementApproved",
      "enclave_registry::MeasurementRemoved",
      "gradient_registry::GradientCommitted",
      "gradient_registry::GradientRevealed",
      "hparams::HparamsChanged",
      "peer_registry::PeerEvicted",
      "peer_registry::PeerLeaving",
      "peer_registry::PeerLeft",
      "peer_registry::PeerRegistered",
      "peer_registry::PeerSeated",
      "peer_registry::StakeWithdrawn",
      "peer_registry::UnrevealedCharged",
      "reward_distributor::WindowPaid",
      "round_state::BaseAnchored",
      "round_state::WindowClosed",
      "round_state::WindowOpened",
      "round_state::WindowSkipped",
      "score_ledger::OutcomeSubmitted",
      "score_ledger::ReportSubmitted",
      "score_ledger::SettleAdvanced",
      "score_ledger::WindowSettled",
      "validator_registry::ValidatorSlashed",
    ]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("events: are numbered without gaps, also past refused calls, and read in pages", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  for (let i = 0; i < 5; i++) {
    await ledger.registerMiner(minerOf(0), 5_000n).catch(() => {}); // refused
    await ledger.registerMiner(address(i), 1n << 60n).catch(() => {}); // refused late
    ledger.faucet(minerOf(0), 1n);
  }
  const all = await network.events();
  assert.deepEqual(all.map(({ seq }) => seq), all.map((_, i) => i + 1));
  assert.deepEqual(await ledger.events(2, 3), all.slice(2, 5));
  assert.deepEqual(await ledger.events(all.length, 1_000), []);
  for (const limit of [0, 1_001, 1.5]) {
    await assert.rejects(ledger.events(0, limit), RangeError);
  }
});

Deno.test("events: amounts are decimal strings and bytes hexadecimal", async () => {
  using network = await TestNetwork.found();
  network.ledger.faucet(ADMIN, 1n << 70n);
  const [founded] = await network.ledger.events(0, 1);
  assert.deepEqual(founded!.kind, "enclave_registry::MeasurementApproved");
  const last = (await network.events()).at(-1)!;
  assert.deepEqual([last.window, last.body.amount], [0, (1n << 70n).toString()]);
  const opened = (await network.events()).find(({ kind }) => kind === "round_state::WindowOpened");
  assert.match(opened!.body.baseHash as string, /^[0-9a-f]{64}$/);
});
