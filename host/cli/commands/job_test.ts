import assert from "node:assert/strict";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { keyPairFrom } from "../../../enclave/protocol/identity.ts";
import { encodeJobVerdict } from "../../../enclave/protocol/job_verdict.ts";
import { Folder } from "../../../tests/support/vramhub.ts";
import { ADMIN, bytes32, minerOf } from "../../ledger/testing.ts";
import { deadlineOf } from "./job_args.ts";

const HOUR = 3_600_000;
const SIZE = "--model-params-m 124 --dataset-tokens-m 1000";
const MINER = `--as ${minerOf(0)}`;
const RESULT = "cd".repeat(32);

/** A network with a data set for jobs, a customer of 100 SUI, and SUI for miner 0's bonds. */
async function board(): Promise<Folder> {
  const folder = await Folder.found();
  await folder.text("ledger faucet --as carla --amount 100sui");
  await folder.text(`ledger faucet --to ${minerOf(0)} --amount 10sui`);
  return folder;
}

async function post(folder: Folder, hours = 2): Promise<number> {
  const { id } = await folder.json(
    `job post ${SIZE} --dataset-id 0 --base-hash ${
      "ab".repeat(32)
    } --base-ref base --min-improvement 0.01 --hours ${hours} --as carla`,
  );
  return id;
}

async function delivered(folder: Folder): Promise<number> {
  const id = await post(folder);
  await folder.text(`job claim ${id} --miner-uid 0 ${MINER}`);
  await folder.text(`job complete ${id} --result-ref result --result-hash ${RESULT} ${MINER}`);
  return id;
}

Deno.test("deadlineOf: an hour from now is one when the ledger hears of it", () => {
  const none = { deadlineMs: undefined, hours: undefined } as Parameters<typeof deadlineOf>[0];
  assert.equal(deadlineOf({ ...none, hours: 1 }, 0), 61 * 60_000);
  assert.equal(deadlineOf({ ...none, hours: 2 }, 0), 2 * 3_600_000);
  assert.equal(deadlineOf({ ...none, deadlineMs: 5 }, 0), 5);
  assert.equal(deadlineOf(none, 7), 24 * 3_600_000 + 7);
});

Deno.test("job board, job price, job list: the terms, what a job would cost, what waits", async () => {
  await using folder = await board();
  const { terms, open } = await folder.json("job board");
  assert.equal(open, 0);
  assert.equal(terms.minPrice, "1000000000");
  assert.match(await folder.text("job board"), /^least price +1 SUI$/m);
  const price = await folder.json(`job price ${SIZE}`);
  assert.equal(price.total, String(BigInt(price.payout) + BigInt(price.fee)));
  assert.match(await folder.text(`job price ${SIZE}`), /^to pay +\S+ SUI$/m);
  assert.equal(await folder.text("job list"), "there is no such job");
  const id = await post(folder);
  assert.deepEqual(
    (await folder.json("job list --status open")).jobs.map((job: { id: number }) => job.id),
    [id],
  );
  assert.match(await folder.text("job list"), new RegExp(`^ *${id} +open +\\S+ +124 +1,000 `, "m"));
  assert.equal((await folder.json("job list --status settled")).jobs.length, 0);
});

Deno.test("job post, job show, job claim, job complete, job withdraw: a job's life", async () => {
  await using folder = await board();
  const id = await post(folder);
  const open = await folder.json(`job show ${id}`);
  assert.equal(open.status, "open");
  assert.equal(open.spec.batchSize, 32);
  assert.equal(open.deadlineMs, folder.network.clock.now() + 2 * HOUR);
  assert.match(await folder.text(`job show ${id}`), new RegExp(`^next +job claim ${id}`, "m"));
  const env = { VRAMHUB_MINER_UID: "0" };
  const claimed = await folder.json(`job claim ${id} ${MINER}`, { env });
  assert.deepEqual([claimed.status, claimed.miner.uid], ["claimed", 0]);
  const done = await folder.json(
    `job complete ${id} --result-blob-id result --result-hash ${RESULT} ${MINER}`,
  );
  assert.deepEqual([done.status, done.resultHash], ["completed", RESULT]);
  await folder.refused(`job withdraw ${id} ${MINER}`, 1, /training_jobs::ETooEarly/);
  const before = await folder.json(`rewards show ${minerOf(0)}`);
  folder.network.clock.set(done.sinceMs + done.terms.disputeWindowMs);
  assert.equal((await folder.json(`job withdraw ${id} ${MINER}`)).status, "settled");
  const after = await folder.json(`rewards show ${minerOf(0)}`);
  assert.ok(BigInt(after.sui) >= BigInt(before.sui) + BigInt(open.payout));
  assert.match(await folder.text("job board"), /^fee +5 % on top, [\d.]+ SUI held$/m);
  assert.ok(BigInt((await folder.json(`admin sweep jobs --as ${ADMIN}`)).amount) > 0n);
});

Deno.test("job cancel, job release, job refund: the ways back", async () => {
  await using folder = await board();
  const first = await post(folder);
  await folder.refused(`job cancel ${first} ${MINER}`, 1, /training_jobs::ENotCustomer/);
  assert.equal((await folder.json(`job cancel ${first} --as carla`)).status, "refunded");
  const second = await post(folder);
  await folder.text(`job claim ${second} --miner-uid 0 ${MINER}`);
  assert.equal((await folder.json(`job release ${second} ${MINER}`)).status, "open");
  await folder.refused(`job refund ${second} --as carla`, 1, /training_jobs::ETooEarly/);
  const { deadlineMs } = await folder.json(`job show ${second}`);
  folder.network.clock.set(deadlineMs);
  assert.match(
    await folder.text(`job show ${second}`),
    new RegExp(`^next +job refund ${second}$`, "m"),
  );
  assert.equal((await folder.json(`job refund ${second} --as carla`)).status, "refunded");
  assert.match(await folder.text(`job show ${second}`), /^next +nothing: it is over$/m);
});

Deno.test("job dispute, job resolve --verdict: a judge's signed verdict decides", async () => {
  await using folder = await board();
  const id = await delivered(folder);
  await folder.text("ledger faucet --as carla --amount 10sui");
  assert.equal((await folder.json(`job dispute ${id} --as carla`)).status, "disputed");
  const { chainId, ledgerId } = await folder.network.ledger.info();
  const job = (await folder.network.ledger.job(id))!;
  folder.network.clock.set(folder.network.clock.now() + 1_000);
  const message = encodeJobVerdict({
    chainId,
    ledgerId,
    validator: 0,
    job: id,
    timestampMs: folder.network.clock.now(),
    datasetRoot: job.spec.datasetRoot,
    baseHash: job.spec.baseHash,
    resultHash: job.resultHash!,
    lossBefore: 1_000_000,
    lossAfter: 900_000,
  });
  const signature = keyPairFrom(new Uint8Array(32).fill(1).fill(0, 31)).sign(message);
  const file = `${folder.dir}/verdict.json`;
  const signed = (bytes: Uint8Array) =>
    Deno.writeTextFile(file, JSON.stringify({ message: toHex(message), signature: toHex(bytes) }));
  await signed(new Uint8Array(64));
  await folder.refused(`job resolve ${id} --verdict ${file}`, 1, /training_jobs::EBadSignature/);
  await Deno.writeTextFile(file, "{}");
  await folder.refused(`job resolve ${id} --verdict ${file}`, 2, /Cannot read .*verdict\.json/);
  await signed(signature);
  assert.equal((await folder.json(`job resolve ${id} --verdict ${file}`)).status, "settled");
});

Deno.test("job resolve: without a verdict a dispute ends when its time is over", async () => {
  await using folder = await board();
  const id = await delivered(folder);
  const { sinceMs, terms } = await folder.json(`job dispute ${id} --as carla`);
  await folder.refused(`job resolve ${id}`, 1, /training_jobs::ETooEarly/);
  folder.network.clock.set(sinceMs + terms.disputeTimeoutMs);
  assert.match(await folder.text(`job show ${id}`), /no verdict came/);
  assert.match((await folder.json(`job resolve ${id}`)).status, /settled|refunded/);
});

Deno.test("job: an unknown one, two deadlines at once and no uid are said so", async () => {
  await using folder = await board();
  await folder.refused("job show 77", 2, /there is none/);
  await folder.refused("job claim 0", 2, /--miner-uid.*VRAMHUB_MINER_UID/);
  const both = `--base-hash ${
    toHex(bytes32("b"))
  } --base-ref b --min-improvement 1 --hours 2 --deadline-ms 5`;
  await folder.refused(`job post ${SIZE} --dataset-id 0 ${both}`, 2, /name one/);
});
