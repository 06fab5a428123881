import assert from "node:assert/strict";
import { fromHex } from "../enclave/protocol/bytes.ts";
import { Deliveries } from "./job_deliveries.ts";
import { idleTime } from "./job_idle.ts";
import { VerdictFiles } from "./job_verdicts.ts";
import { ADMIN, minerOf, T0, TestNetwork, WINDOW_MS } from "./ledger/testing.ts";
import { CUSTOMER, HOUR, RESULT, SPEC, withJob } from "./ledger/testing_coins.ts";

Deno.test("idleTime: up to a tenth before the window's end, once nothing of the last one is owed", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const end = (window: number) => ({
    until: T0 + (window + 0.9) * WINDOW_MS,
    windowMs: WINDOW_MS,
  });
  assert.deepEqual(await idleTime(ledger, 0), end(0), "there is no window before");
  network.at(0, 0.9 * WINDOW_MS);
  assert.equal(await idleTime(ledger, 0), null);
  network.at(1, 100);
  assert.deepEqual(await idleTime(ledger, 0), end(1), "nobody revealed anything");
  await network.commit(0, 1);
  network.at(1, 8_000);
  await network.reveal(0, 1);
  network.at(2, 100);
  assert.equal(await idleTime(ledger, 0), null, "its report is owed");
  assert.deepEqual(await idleTime(ledger, 5), end(2), "who has no seat owes nothing");
  network.at(2, 8_999);
  assert.equal(await idleTime(ledger, 0), null);
});

Deno.test("Deliveries: disputed jobs first; those that are over are forgotten", async () => {
  using network = await TestNetwork.found();
  const { clock, ledger } = network;
  const deliveries = new Deliveries(ledger);
  assert.deepEqual(await deliveries.open(), []);
  await withJob(network, "claimed");
  const [first, second] = [await withJob(network, "completed"), await withJob(network, "disputed")];
  const ids = async () => (await deliveries.open()).map(({ job }) => job.id);
  assert.deepEqual(await ids(), [second, first]);
  const [delivered] = await deliveries.open();
  assert.deepEqual(
    { ...delivered, job: delivered!.job.id },
    { job: second, ref: "walrus://result", resultHash: RESULT, uid: 0 },
  );
  clock.set(clock.now() + 2 * HOUR);
  await ledger.settleJob(ADMIN, first);
  assert.deepEqual(await ids(), [second]);
  clock.set(clock.now() + 48 * HOUR);
  assert.deepEqual(await ids(), [], "the time for a verdict is over");
  const id = await ledger.postJob(CUSTOMER, SPEC, clock.now() + HOUR);
  await ledger.claimJob(minerOf(0), id, 0);
  await ledger.completeJob(minerOf(0), id, RESULT, "elsewhere");
  assert.deepEqual(await ids(), [id], "the log is followed");
});

Deno.test("VerdictFiles: keep a verdict whole; what is none is asked for again", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const files = new VerdictFiles(`${dir}/verdicts`);
    assert.equal(await files.load(7), null);
    const verdict = {
      key: fromHex("01".repeat(32)),
      message: fromHex("02"),
      signature: fromHex("03".repeat(64)),
    };
    await files.save(7, verdict);
    assert.deepEqual(await files.load(7), verdict);
    assert.equal(await files.load(8), null);
    for (const text of ["", "{}", "null", '{"key":"00"}']) {
      await Deno.writeTextFile(`${dir}/verdicts/7.json`, text);
      assert.equal(await files.load(7), null, text);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
