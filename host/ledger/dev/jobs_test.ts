import assert from "node:assert/strict";
import { address, ADMIN, minerOf, refuses, TestNetwork } from "../testing.ts";
import { COIN, CUSTOMER, HOUR, RESULT, SPEC, withJob } from "../testing_coins.ts";

const [PAYOUT, FEE, BOND] = [COIN, COIN / 20n, COIN / 10n];
const sui = async ({ ledger }: TestNetwork, who: string) => (await ledger.balance(who)).sui;
const found = () => TestNetwork.found({ attested: false });
/** What the events of a kind say. */
const said = async (network: TestNetwork, kind: string) =>
  (await network.events()).filter((event) => event.kind === kind).map(({ body }) => body);

Deno.test("quoteJob: payout by size, half of it for INT8, never below the least", async () => {
  using network = await found();
  const { ledger } = network;
  assert.deepEqual(await ledger.quoteJob(SPEC), { payout: PAYOUT, fee: FEE });
  const large = { ...SPEC, modelParamsM: 70_000, datasetTokensM: 1_000, numEpochs: 3 };
  assert.equal((await ledger.quoteJob(large)).payout, 210_000n * 10_000n);
  const half = await ledger.quoteJob({ ...large, precision: "INT8" });
  assert.deepEqual(half, { payout: 1_050_000_000n, fee: 52_500_000n });
  const most = { modelParamsM: 10_000_000, datasetTokensM: 10_000_000, numEpochs: 1_000 };
  const price = ledger.quoteJob({ ...SPEC, ...most, precision: "FP32" });
  assert.equal((await price).payout, 10n ** 18n);
  await ledger.setJobTerms(ADMIN, { ...await terms(network), pricePerUnit: 1_000_000n });
  await refuses("training_jobs::EPriceTooHigh", ledger.quoteJob({ ...SPEC, ...most }));
});

const terms = async ({ ledger }: TestNetwork) => (await ledger.jobBoard()).terms;

Deno.test("postJob: refuses whatever is out of bounds, data sets that are not live, and deadlines", async () => {
  using network = await found();
  const { clock, ledger } = network;
  ledger.faucet(CUSTOMER, 10n * COIN);
  const now = clock.now();
  const bad = [
    { modelParamsM: 0 },
    { modelParamsM: 10_000_001 },
    { datasetTokensM: 0 },
    { numEpochs: 1_001 },
    { batchSize: 65_537 },
    { sequenceLength: 0 },
    { precision: "FP8" as "FP16" },
    { minGpuVramGb: 65_537 },
    { baseHash: new Uint8Array(31) },
    { baseRef: "" },
    { baseRef: "ü".repeat(129) },
    { minImprovement: 2 },
    { minImprovement: 1_000_000_001 },
  ];
  for (const change of bad) {
    const post = ledger.postJob(CUSTOMER, { ...SPEC, ...change }, now + HOUR);
    await refuses("training_jobs::EInvalidValue", post);
  }
  const other = ledger.postJob(CUSTOMER, { ...SPEC, datasetId: 1 }, now + HOUR);
  await refuses("dataset_registry::EUnknownDataset", other);
  for (const ahead of [HOUR - 1, 168 * HOUR + 1, Number.NaN]) {
    await refuses("training_jobs::EBadDeadline", ledger.postJob(CUSTOMER, SPEC, now + ahead));
  }
  const poor = ledger.postJob(address(5), SPEC, now + HOUR);
  await refuses("training_jobs::EInsufficientPayment", poor);
  await ledger.postJob(CUSTOMER, { ...SPEC, baseRef: "ü".repeat(128) }, now + HOUR);
  await ledger.retireDataset(ADMIN, 0);
  await refuses("dataset_registry::ERetired", ledger.postJob(CUSTOMER, SPEC, now + 168 * HOUR));
});

Deno.test("settleJob: a delivery that nobody disputes is paid, and the fee is the board's", async () => {
  using network = await found();
  const { clock, ledger } = network;
  const id = await withJob(network, "completed");
  assert.equal(await sui(network, CUSTOMER), 10n * COIN - PAYOUT - FEE);
  assert.equal(await sui(network, minerOf(0)), 10n * COIN - BOND);
  const row = (await ledger.job(id))!;
  assert.deepEqual(row.held, [PAYOUT + FEE, BOND, 0n]);
  assert.deepEqual(row.miner, { uid: 0, owner: minerOf(0) });
  assert.deepEqual([row.status, row.resultHash], ["completed", RESULT]);
  assert.deepEqual(row.spec.datasetRoot, (await ledger.dataset(0))!.root);
  clock.set(row.sinceMs + 2 * HOUR - 1);
  await refuses("training_jobs::ETooEarly", ledger.settleJob(ADMIN, id));
  clock.set(row.sinceMs + 2 * HOUR);
  await refuses("training_jobs::ETooLate", ledger.disputeJob(CUSTOMER, id));
  await ledger.settleJob(address(9), id);
  const body = { job: 0, status: 3, payout: "1000000000", fee: "50000000", refund: "0" };
  assert.deepEqual(await said(network, "training_jobs::JobClosed"), [body]);
  assert.equal(await sui(network, minerOf(0)), 10n * COIN + PAYOUT);
  assert.equal((await ledger.jobBoard()).fees, FEE);
  await refuses("hparams::ENotAdmin", ledger.sweepJobFees(CUSTOMER));
  assert.equal(await ledger.sweepJobFees(ADMIN), FEE);
  assert.equal(await sui(network, ADMIN), FEE);
  await refuses("training_jobs::ENothingToSweep", ledger.sweepJobFees(ADMIN));
});

Deno.test("claimJob, completeJob, releaseJob, cancelJob: by the right party, in the right status, in time", async () => {
  using network = await found();
  const { clock, ledger } = network;
  await refuses("training_jobs::EUnknownJob", ledger.claimJob(minerOf(0), 0, 0));
  const id = await withJob(network, "open");
  await refuses("training_jobs::ENotMiner", ledger.claimJob(minerOf(0), id, 1));
  await refuses("training_jobs::ENotMiner", ledger.claimJob(CUSTOMER, id, 77));
  await refuses("training_jobs::EInsufficientPayment", ledger.claimJob(minerOf(1), id, 1));
  await refuses("training_jobs::ENotCustomer", ledger.cancelJob(minerOf(0), id));
  await refuses("training_jobs::EWrongStatus", ledger.releaseJob(minerOf(0), id));
  await refuses(
    "training_jobs::EWrongStatus",
    ledger.completeJob(minerOf(0), id, RESULT, "r"),
  );
  await ledger.claimJob(minerOf(0), id, 0);
  await refuses("training_jobs::EWrongStatus", ledger.cancelJob(CUSTOMER, id));
  await refuses("training_jobs::ENotMiner", ledger.releaseJob(minerOf(1), id));
  await refuses("training_jobs::ENotMiner", ledger.completeJob(CUSTOMER, id, RESULT, "r"));
  await ledger.releaseJob(minerOf(0), id);
  assert.equal(await sui(network, CUSTOMER), 10n * COIN - PAYOUT - FEE + BOND);
  assert.deepEqual([(await ledger.job(id))!.status, (await ledger.job(id))!.miner], ["open", null]);
  await ledger.claimJob(minerOf(0), id, 0);
  for (const [hash, ref] of [[RESULT, ""], [RESULT.slice(1), "r"], [RESULT, "r".repeat(257)]]) {
    const complete = ledger.completeJob(minerOf(0), id, hash as typeof RESULT, ref as string);
    await refuses("training_jobs::EInvalidValue", complete);
  }
  const { deadlineMs } = (await ledger.job(id))!;
  await refuses("training_jobs::ETooEarly", ledger.refundJob(ADMIN, id));
  clock.set(deadlineMs);
  await refuses("training_jobs::ETooLate", ledger.completeJob(minerOf(0), id, RESULT, "r"));
  await ledger.refundJob(ADMIN, id);
  assert.equal(await sui(network, CUSTOMER), 10n * COIN + 2n * BOND, "the claims were in vain");
  await refuses("training_jobs::EWrongStatus", ledger.refundJob(ADMIN, id));
});

Deno.test("cancelJob: gives all of it back; a job that ended is not claimed any more", async () => {
  using network = await found();
  const { clock, ledger } = network;
  await ledger.cancelJob(CUSTOMER, await withJob(network, "open"));
  assert.equal(await sui(network, CUSTOMER), 10n * COIN);
  const id = await withJob(network, "open");
  clock.set((await ledger.job(id))!.deadlineMs);
  await refuses("training_jobs::ETooLate", ledger.claimJob(minerOf(0), id, 0));
  await ledger.refundJob(ADMIN, id);
  assert.deepEqual((await ledger.job(id))!.held, [0n, 0n, 0n]);
});

Deno.test("pruneJob: forgets a job 30 days after its end, and no other", async () => {
  using network = await found();
  const { clock, ledger } = network;
  const id = await withJob(network, "open");
  await refuses("training_jobs::EWrongStatus", ledger.pruneJob(ADMIN, id));
  await ledger.cancelJob(CUSTOMER, id);
  clock.set(clock.now() + 720 * HOUR - 1);
  await refuses("training_jobs::ETooEarly", ledger.pruneJob(ADMIN, id));
  clock.set(clock.now() + 1);
  await ledger.pruneJob(address(3), id);
  assert.equal(await ledger.job(id), null);
  await refuses("training_jobs::EUnknownJob", ledger.cancelJob(CUSTOMER, id));
  assert.equal((await ledger.jobBoard()).nextId, 1, "numbers are not used again");
});

Deno.test("setJobTerms: holds for later jobs only, within bounds, by the admin", async () => {
  using network = await found();
  const { ledger } = network;
  const now = await terms(network);
  const id = await withJob(network, "open");
  await refuses("hparams::ENotAdmin", ledger.setJobTerms(CUSTOMER, now));
  const bad = [
    { pricePerUnit: 0n },
    { pricePerUnit: 1n << 64n },
    { minPrice: 0n },
    { feeBps: 1_001 },
    { disputeWindowMs: HOUR - 1 },
    { disputeWindowMs: 24 * HOUR + 1 },
    { disputeTimeoutMs: 12 * HOUR - 1 },
    { disputeTimeoutMs: 168 * HOUR + 1 },
    { bondBps: 499 },
    { bondBps: 5_001 },
    { defaultSplitBps: 1_001 },
  ];
  for (const change of bad) {
    await refuses("training_jobs::EInvalidValue", ledger.setJobTerms(ADMIN, { ...now, ...change }));
  }
  const dear = { ...now, feeBps: 0, minPrice: 3n, bondBps: 3_333, pricePerUnit: 1n };
  await ledger.setJobTerms(ADMIN, dear);
  assert.deepEqual((await ledger.job(id))!.terms, now);
  const cheap = await ledger.postJob(CUSTOMER, SPEC, network.clock.now() + HOUR);
  assert.deepEqual((await ledger.job(cheap))!.held, [3n, 0n, 0n]);
  await ledger.claimJob(minerOf(0), cheap, 0);
  assert.deepEqual((await ledger.job(cheap))!.held, [3n, 1n, 0n], "a bond is rounded up");
  const board = await ledger.jobs(undefined, 10);
  assert.deepEqual(board.map((job) => [job.id, job.status]), [[1, "claimed"], [0, "open"]]);
  assert.deepEqual((await ledger.jobs("open", 1)).map((job) => job.id), [0]);
  await assert.rejects(ledger.jobs("open", 0), RangeError);
});
