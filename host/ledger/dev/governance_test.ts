import assert from "node:assert/strict";
import {
  address,
  ADMIN,
  bytes32,
  FAST,
  minerOf,
  pcrsOf,
  refuses,
  TestNetwork,
} from "../testing.ts";

const NEW = address(0xad2);
const DATA = {
  pageCount: 10,
  pageTokens: 1,
  tokenizerHash: bytes32("tokens"),
  merkleRoot: bytes32("tree"),
};
const sui = async ({ ledger }: TestNetwork, who: string) => (await ledger.balance(who)).sui;
const found = () => TestNetwork.found({ attested: false });

Deno.test("offerAdmin, acceptAdmin: nobody is admin while the right is on offer", async () => {
  using network = await found();
  const { ledger } = network;
  await refuses("hparams::ENotAdmin", ledger.offerAdmin(NEW, NEW));
  await refuses("hparams::ENoOffer", ledger.acceptAdmin(NEW));
  await refuses("hparams::ENoOffer", ledger.withdrawAdminOffer(ADMIN));
  await ledger.offerAdmin(ADMIN, NEW);
  await refuses("hparams::ENotAdmin", ledger.offerAdmin(ADMIN, ADMIN));
  await refuses("hparams::ENotAdmin", ledger.setHparams(ADMIN, FAST));
  await refuses("hparams::ENotAdmin", ledger.setHparams(NEW, FAST));
  const approve = ledger.approveMeasurement(ADMIN, "build-2", pcrsOf(2));
  await refuses("enclave_registry::ENotAdmin", approve);
  await refuses("hparams::ENotAdmin", ledger.acceptAdmin(ADMIN));
  assert.equal((await ledger.info()).admin, ADMIN);
  await ledger.acceptAdmin(NEW);
  assert.equal((await ledger.info()).admin, NEW);
  await refuses("hparams::ENoOffer", ledger.acceptAdmin(NEW));
  await ledger.setHparams(NEW, FAST);
  await refuses("hparams::ENotAdmin", ledger.setHparams(ADMIN, FAST));
});

Deno.test("withdrawAdminOffer: who offered it has it back", async () => {
  using network = await found();
  const { ledger } = network;
  await ledger.offerAdmin(ADMIN, NEW);
  await refuses("hparams::ENotAdmin", ledger.withdrawAdminOffer(NEW));
  await ledger.withdrawAdminOffer(ADMIN);
  await refuses("hparams::ENoOffer", ledger.acceptAdmin(NEW));
  await ledger.setHparams(ADMIN, FAST);
  const kinds = (await network.events()).map(({ kind }) => kind);
  assert.ok(kinds.includes("hparams::AdminOffered"));
  assert.ok(kinds.includes("hparams::AdminOfferWithdrawn"));
});

Deno.test("setHparams: waits for the roll that rotates the pending ones in, and for the first window", async () => {
  using network = await found();
  const { clock, ledger } = network;
  clock.set(clock.now() + 5); // no read in between: nobody has rolled
  await ledger.setHparams(ADMIN, { ...FAST, top_g: 1 });
  network.at(1);
  await refuses("hparams::ENotRolled", ledger.setHparams(ADMIN, FAST));
  await ledger.roll(NEW);
  await ledger.setHparams(ADMIN, FAST);
});

Deno.test("calls before the first window: there is no epoch", async () => {
  using network = await found();
  const { ledger, clock } = network;
  const early = await TestNetwork.found({ attested: false, startsIn: 1_000 });
  using _early = early;
  assert.equal(early.clock.now(), clock.now());
  await refuses("hparams::ENoEpoch", early.ledger.currentWindow());
  await refuses("hparams::ENoEpoch", early.ledger.roll(NEW));
  await refuses("hparams::ENoEpoch", early.ledger.setHparams(ADMIN, FAST));
  await refuses("hparams::ENoEpoch", early.ledger.close(0));
  assert.equal((await early.ledger.miners()).length, 3, "founders have their slots");
  early.clock.set(early.clock.now() + 1_000);
  assert.equal(await early.ledger.currentWindow(), 0);
  await ledger.roll(NEW);
});

Deno.test("registerDataset, retireDataset: the admin any, an owner its own, once", async () => {
  using network = await found();
  const { ledger } = network;
  const first = (await ledger.dataset(0))!;
  assert.deepEqual([first.owner, first.retired, first.pageCount], [null, false, 100]);
  await refuses("hparams::ENotAdmin", ledger.registerDataset(NEW, DATA));
  assert.equal(await ledger.registerDataset(ADMIN, DATA), 1);
  assert.equal(await ledger.registerJobDataset(NEW, DATA), 2);
  assert.equal((await ledger.dataset(2))!.owner, NEW);
  assert.equal(await ledger.dataset(3), null);
  const bad = [{ pageCount: 9 }, { pageCount: 2 ** 40 + 1 }, { pageTokens: 0 }];
  for (const change of bad) {
    const call = ledger.registerJobDataset(NEW, { ...DATA, ...change });
    await refuses("dataset_registry::EBadDataset", call);
  }
  for (const field of ["tokenizerHash", "merkleRoot"]) {
    const call = ledger.registerDataset(ADMIN, { ...DATA, [field]: new Uint8Array(31) });
    await refuses("dataset_registry::EBadLength", call);
  }
  await refuses("dataset_registry::ENotOwner", ledger.retireDataset(NEW, 1));
  await refuses("dataset_registry::EUnknownDataset", ledger.retireDataset(NEW, 7));
  await refuses("dataset_registry::EUnknownDataset", ledger.retireDataset(ADMIN, 7));
  await ledger.retireDataset(NEW, 2);
  await refuses("dataset_registry::ERetired", ledger.retireDataset(NEW, 2));
  await refuses("dataset_registry::ERetired", ledger.retireDataset(ADMIN, 2));
  for (let i = 0; i < 64; i++) await ledger.registerJobDataset(NEW, DATA);
  await refuses("dataset_registry::ETooMany", ledger.registerJobDataset(NEW, DATA));
  await ledger.retireDataset(ADMIN, 3);
  assert.equal(await ledger.registerJobDataset(NEW, DATA), 67);
});

Deno.test("sweepTreasury, topUpStake: what fees brought, and what they took", async () => {
  using network = await found();
  const { ledger } = network;
  await network.commit(0, 0);
  network.at(1);
  await ledger.roll(NEW);
  assert.equal(await ledger.treasury("miner"), 300n);
  await refuses("hparams::ENotAdmin", ledger.sweepTreasury(NEW, "miner"));
  assert.equal(await ledger.sweepTreasury(ADMIN, "validator"), 0n);
  assert.equal(await ledger.sweepTreasury(ADMIN, "miner"), 300n);
  assert.equal(await ledger.sweepTreasury(ADMIN, "miner"), 0n);
  assert.equal(await sui(network, ADMIN), 300n);
  ledger.faucet(minerOf(0), 300n);
  await refuses("peer_registry::ENotOwner", ledger.topUpStake(minerOf(0), 1, 300n));
  await refuses("peer_registry::EInsufficientStake", ledger.topUpStake(minerOf(0), 0, 0n));
  await refuses("peer_registry::EInsufficientBalance", ledger.topUpStake(minerOf(0), 0, 301n));
  await ledger.topUpStake(minerOf(0), 0, 300n);
  assert.equal((await ledger.miners())[0]!.stake, 5_000n);
});

Deno.test("roll: once a window, and what is not rolled is not charged or seated", async () => {
  using network = await TestNetwork.found({ attested: false, readsRoll: false });
  const { ledger } = network;
  assert.equal((await ledger.miners())[0]!.activeFrom, 0);
  network.at(3);
  assert.deepEqual((await ledger.validators()).map(({ activeFrom }) => activeFrom), [0]);
  await refuses("round_state::EUnknownWindow", ledger.window(3));
  await ledger.roll(NEW);
  const count = (await network.events()).length;
  await ledger.roll(NEW);
  assert.equal((await network.events()).length, count);
  assert.equal((await ledger.miners())[0]!.activeFrom, 3, "founders count from the first window");
  await ledger.unregister(minerOf(1), "miner", 1);
  network.at(4);
  await ledger.close(3);
  assert.equal((await ledger.miners()).length, 3);
  ledger.faucet(NEW, 1_000n);
  await ledger.registerValidator(NEW, 1_000n); // opens the window, and leaves miners alone
  assert.equal((await ledger.window(4)).status, "open");
  assert.equal((await ledger.miners()).length, 3);
  await network.commit(0, 4);
  assert.equal((await ledger.miners()).length, 2);
});

Deno.test("prune: forgets what is past its retention, part by part or whole", async () => {
  using network = await TestNetwork.found({ hparams: { retention_windows: 3 } });
  const { ledger } = network;
  await network.whole(0, [0, 1]);
  network.at(1, 1_000);
  await network.commit(0, 1);
  network.at(3, 9_999);
  await ledger.roll(NEW);
  await refuses("gradient_registry::EUnknownWindow", ledger.prune(NEW, 3, "gradients"));
  for (const part of ["gradients", "scores", "rounds"] as const) {
    const module = {
      gradients: "gradient_registry",
      scores: "score_ledger",
      rounds: "round_state",
    };
    await refuses(
      `${module[part]}::ETooYoung` as "round_state::ETooYoung",
      ledger.prune(NEW, 0, part),
    );
  }
  await refuses("round_state::EUnknownWindow", ledger.prune(NEW, 2, "rounds"));
  network.at(4);
  await ledger.roll(NEW);
  await ledger.prune(NEW, 0, "gradients");
  await refuses("gradient_registry::EUnknownWindow", ledger.prune(NEW, 0, "gradients"));
  assert.deepEqual((await ledger.window(0)).reveals, []);
  await ledger.prune(NEW, 0);
  await refuses("round_state::EUnknownWindow", ledger.window(0));
  assert.deepEqual((await ledger.messages(0)).reports, []);
  await refuses("round_state::EUnknownWindow", ledger.prune(NEW, 0));
  const kinds = (await network.events()).map(({ kind }) => kind).filter((k) => /Pruned/.test(k));
  assert.deepEqual(kinds, [
    "gradient_registry::SubmissionsPruned",
    "score_ledger::JudgementPruned",
    "round_state::WindowPruned",
  ]);
  await ledger.close(0); // nothing is left of it to close
  assert.equal((await ledger.balance(minerOf(0))).claimable, 0n);
});
