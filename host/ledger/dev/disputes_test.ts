import assert from "node:assert/strict";
import type { JobVerdict } from "../../../enclave/protocol/job_verdict.ts";
import { address, ADMIN, bytes32, minerOf, refuses, TestNetwork, validatorOf } from "../testing.ts";
import { COIN, CUSTOMER, HOUR, signVerdict, SPEC, withJob } from "../testing_coins.ts";

const BOND = COIN / 10n;
const sui = async ({ ledger }: TestNetwork, who: string) => (await ledger.balance(who)).sui;
const balances = (network: TestNetwork) =>
  Promise.all([CUSTOMER, minerOf(0), validatorOf(0)].map((who) => sui(network, who)));

async function resolve(
  network: TestNetwork,
  id: number,
  draft: Partial<JobVerdict> & { key?: number } = {},
): Promise<void> {
  const { message, signature } = await signVerdict(network, id, draft);
  await network.ledger.resolveDispute(address(9), message, signature);
}

Deno.test("disputeJob: by the customer alone, with a bond, once", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { ledger } = network;
  const id = await withJob(network, "completed");
  await refuses("training_jobs::ENotCustomer", ledger.disputeJob(minerOf(0), id));
  // 8.95 SUI are left: another job takes all but 0.025 of them.
  const deadline = network.clock.now() + HOUR;
  await ledger.setJobTerms(ADMIN, { ...(await ledger.jobBoard()).terms, minPrice: 8_500_000_000n });
  const dear = await ledger.postJob(CUSTOMER, SPEC, deadline);
  await refuses("training_jobs::EInsufficientPayment", ledger.disputeJob(CUSTOMER, id));
  await ledger.cancelJob(CUSTOMER, dear);
  await ledger.disputeJob(CUSTOMER, id);
  assert.equal((await ledger.job(id))!.held[2], BOND);
  await refuses("training_jobs::EWrongStatus", ledger.disputeJob(CUSTOMER, id));
  await refuses("training_jobs::EWrongStatus", ledger.settleJob(ADMIN, id));
});

Deno.test("resolveDispute: a verdict for the miner pays it, and half of the customer's bond", async () => {
  using network = await TestNetwork.found();
  const id = await withJob(network, "disputed");
  await resolve(network, id, { lossBefore: 2_000, lossAfter: 1_000 });
  assert.deepEqual(await balances(network), [
    10n * COIN - COIN - COIN / 20n - BOND,
    10n * COIN + COIN + BOND / 2n,
    BOND / 2n,
  ]);
  const job = (await network.ledger.job(id))!;
  assert.deepEqual([job.status, job.held], ["settled", [0n, 0n, 0n]]);
  assert.equal((await network.ledger.jobBoard()).fees, COIN / 20n);
  await refuses("training_jobs::EWrongStatus", resolve(network, id));
});

Deno.test("resolveDispute: too little improvement, or none that can be measured, is for the customer", async () => {
  for (
    const losses of [{ lossBefore: 2_000, lossAfter: 1_001 }, { lossAfter: null }, {
      lossBefore: 1,
      lossAfter: 9,
    }]
  ) {
    using network = await TestNetwork.found();
    const id = await withJob(network, "disputed");
    await resolve(network, id, losses);
    assert.deepEqual(await balances(network), [
      10n * COIN + BOND / 2n,
      10n * COIN - BOND,
      BOND / 2n,
    ]);
    assert.equal((await network.ledger.job(id))!.status, "refunded");
    const said = (await network.events()).find(({ kind }) =>
      kind === "training_jobs::DisputeResolved"
    )!.body;
    assert.deepEqual([said.forMiner, said.lossAfter], [false, losses.lossAfter ?? 0]);
  }
});

Deno.test("resolveDispute: takes no other bytes, ledger, job, subject or time", async () => {
  using network = await TestNetwork.found();
  const { clock, ledger } = network;
  const id = await withJob(network, "disputed");
  const { message, signature } = await signVerdict(network, id);
  for (const bytes of [message.slice(1), new Uint8Array(196), new Uint8Array(0)]) {
    await refuses("training_jobs::EBadMessage", ledger.resolveDispute(ADMIN, bytes, signature));
  }
  const unmeasured = message.slice();
  unmeasured.set([0, 0, 0, 0, 0, 0, 0, 0x80], 180);
  await refuses("training_jobs::EBadMessage", ledger.resolveDispute(ADMIN, unmeasured, signature));
  const other = bytes32("other");
  await refuses("training_jobs::EWrongLedger", resolve(network, id, { chainId: other }));
  await refuses("training_jobs::EWrongLedger", resolve(network, id, { ledgerId: other }));
  await refuses("training_jobs::EUnknownJob", resolve(network, 9));
  for (const change of [{ datasetRoot: other }, { baseHash: other }, { resultHash: other }]) {
    await refuses("training_jobs::EWrongSubject", resolve(network, id, change));
  }
  const now = clock.now();
  const { postedMs, sinceMs } = (await ledger.job(id))!;
  for (const timestampMs of [now + 300_001, postedMs - 300_001]) {
    await refuses("training_jobs::EBadTimestamp", resolve(network, id, { timestampMs }));
  }
  clock.set(sinceMs + 48 * HOUR);
  await refuses("training_jobs::ETooLate", resolve(network, id));
});

Deno.test("resolveDispute: takes a seated validator's active, approved, unexpired key", async () => {
  using network = await TestNetwork.found({ attested: false, hparams: { key_ttl_ms: 5_000 } });
  const { clock, ledger } = network;
  const id = await withJob(network, "disputed");
  await refuses("training_jobs::ENotValidator", resolve(network, id, { validator: 7 }));
  await refuses("training_jobs::ENoEnclave", resolve(network, id));
  await network.attest(0);
  await refuses("training_jobs::EBadSignature", resolve(network, id, { key: 1 }));
  clock.set(clock.now() + 5_000);
  await refuses("training_jobs::ENoEnclave", resolve(network, id));
  await network.attest(0);
  await ledger.removeMeasurement(ADMIN, "build-1");
  await refuses("training_jobs::ENoEnclave", resolve(network, id));
});

Deno.test("resolveDispute: boundaries of the verdict's time are part of it", async () => {
  for (const shift of [300_000, -300_000]) {
    using network = await TestNetwork.found();
    const id = await withJob(network, "disputed");
    await resolve(network, id, { timestampMs: network.clock.now() + shift });
  }
});

Deno.test("expireDispute: without a verdict the miner has a tenth and loses its bond", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { clock, ledger } = network;
  const id = await withJob(network, "disputed");
  clock.set((await ledger.job(id))!.sinceMs + 48 * HOUR - 1);
  await refuses("training_jobs::ETooEarly", ledger.expireDispute(ADMIN, id));
  clock.set(clock.now() + 1);
  await ledger.expireDispute(address(9), id);
  const fee = COIN / 200n;
  assert.deepEqual(await balances(network), [10n * COIN - COIN / 10n - fee + BOND, 10n * COIN, 0n]);
  assert.equal((await ledger.jobBoard()).fees, fee);
});

Deno.test("slash: two verdicts of one key on one job cost the stake, as two reports of a window do", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const id = await withJob(network, "disputed");
  const a = await signVerdict(network, id);
  const b = await signVerdict(network, id, { lossAfter: null });
  const other = await signVerdict(network, id + 1);
  const slash = (x: typeof a, y: typeof a) =>
    ledger.slash(network.publicKey(0), x.message, x.signature, y.message, y.signature);
  await refuses("score_ledger::ENotEquivocation", slash(a, a));
  await refuses("score_ledger::ENotEquivocation", slash(a, other));
  const short = { ...b, message: b.message.slice(1) };
  await refuses("score_ledger::EBadMessage", slash(a, short));
  await slash(a, b);
  await refuses("score_ledger::EAlreadySubmitted", slash(b, a));
  assert.equal((await ledger.validators())[0]!.stake, 0n);
  await refuses("training_jobs::ENoEnclave", resolve(network, id));
});
