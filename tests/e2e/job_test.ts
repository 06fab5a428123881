/**
 * Training jobs from the board to the pay: real training, a real judge behind its socket, the dev ledger's rules; only
 * the clock is the test's.
 *
 * @module
 */
import assert from "node:assert/strict";
import { encodeManifest } from "../../enclave/protocol/base.ts";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256, tagged } from "../../enclave/protocol/hash.ts";
import { verifySignature } from "../../enclave/protocol/identity.ts";
import { decodeJobVerdict } from "../../enclave/protocol/job_verdict.ts";
import { readVerdict } from "../../host/cli/commands/verdict_file.ts";
import { ADMIN, minerOf, validatorOf } from "../../host/ledger/testing.ts";
import { COIN, CUSTOMER, HOUR } from "../../host/ledger/testing_coins.ts";
import { uploadCheckpoint } from "../../host/store/bases.ts";
import { blobKey, manifestKey } from "../../host/store/keys.ts";
import { putResult } from "../../host/store/job_weights.ts";
import { JobNetwork, MODEL, trainTiny } from "../support/job_network.ts";

const NEVER = new AbortController().signal;
const BOND = COIN / 10n;
const BALANCE = 10n * COIN;
const PRICE = COIN + COIN / 20n;

const said = ({ lines }: JobNetwork, pattern: RegExp) => lines.filter((line) => pattern.test(line));

Deno.test("a job: posted, claimed, trained, delivered, judged and paid", async () => {
  await using network = await JobNetwork.found();
  const { clock, dir, ledger } = network;
  const id = await network.post({ numEpochs: 2 });
  assert.equal(await network.miner().run(id, NEVER), "delivered");
  const job = (await ledger.job(id))!;
  assert.deepEqual([job.status, job.miner!.uid], ["completed", 0]);
  assert.equal(said(network, /^Job trained/).length, 2);

  assert.equal(await network.desk().turn(), true);
  assert.equal(await network.desk().turn(), false, "each delivery is measured once");
  const { message, signature } = await readVerdict(`${dir}/verdicts/${id}.json`);
  assert.ok(verifySignature(signature, message, (await ledger.enclave(0))!.key));
  const { lossAfter, lossBefore, resultHash } = decodeJobVerdict(message);
  assert.ok(lossBefore - lossAfter! >= 10_000, `${lossBefore} → ${lossAfter}`);
  assert.deepEqual(resultHash, job.resultHash);
  const published = await network.store.get(`job-verdicts/${id}/0.json`, { maxBytes: 1_000 });
  assert.deepEqual(published, await Deno.readFile(`${dir}/verdicts/${id}.json`));
  // The miner saw what the judge measured, before it delivered.
  const [held] = said(network, /^Held-out loss/);
  assert.match(held!, new RegExp(`before=${lossBefore / 1e6} after=${lossAfter! / 1e6} `));

  assert.equal(await network.miner().run(id, NEVER), "delivered", "it can still be disputed");
  clock.set(job.sinceMs + job.terms.disputeWindowMs);
  assert.equal(await network.miner().run(id, NEVER), "paid");
  assert.equal(await network.miner().run(id, NEVER), "over");
  assert.equal(await network.sui(minerOf(0)), BALANCE + COIN);
  assert.equal(await network.sui(CUSTOMER), BALANCE - PRICE);
  await assert.rejects(Deno.stat(`${dir}/miner-0/job-${id}`), Deno.errors.NotFound);
});

Deno.test("a job: a dispute over an honest result decides itself, and pays miner and validator", async () => {
  await using network = await JobNetwork.found();
  const { ledger } = network;
  // The base is a checkpoint that somebody uploaded.
  const { manifest } = network.genesis;
  await uploadCheckpoint(network.store, MODEL, network.genesis);
  const id = await network.post({ baseRef: manifestKey(manifest.window) });
  await network.miner().run(id, NEVER);
  await ledger.disputeJob(CUSTOMER, id);
  assert.equal(await network.miner().run(id, NEVER), "disputed");
  const stop = new AbortController();
  const running = network.desk().run(stop.signal);
  while ((await ledger.job(id))!.status === "disputed") {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  stop.abort();
  await running;
  assert.equal((await ledger.job(id))!.status, "settled");
  assert.equal(said(network, /^Dispute decided .*for=the miner/).length, 1);
  assert.equal(await network.sui(minerOf(0)), BALANCE + COIN + BOND / 2n);
  assert.equal(await network.sui(validatorOf(0)), BOND / 2n);
  assert.equal(await network.sui(CUSTOMER), BALANCE - PRICE - BOND);
});

Deno.test("a job: a verdict that was there before the dispute decides it, also after a restart of the desk", async () => {
  await using network = await JobNetwork.found();
  const { ledger } = network;
  const id = await network.post();
  await network.miner().run(id, NEVER);
  await network.desk().turn();
  await ledger.disputeJob(CUSTOMER, id);
  assert.equal(await network.desk().turn(), true);
  assert.equal((await ledger.job(id))!.status, "settled");
  assert.equal(said(network, /^Job judged/).length, 1);
});

Deno.test("a job: a desk that lost its verdict is given the same bytes; one of another key is asked for again", async () => {
  await using network = await JobNetwork.found();
  const id = await network.post();
  await network.miner().run(id, NEVER);
  const file = `${network.dir}/verdicts/${id}.json`;
  await network.desk().turn();
  const first = await Deno.readTextFile(file);
  await Deno.remove(file);
  assert.equal(await network.desk().turn(), true);
  assert.equal(await Deno.readTextFile(file), first);
  const { key: _, ...rest } = JSON.parse(first);
  await Deno.writeTextFile(file, JSON.stringify({ ...rest, key: "00".repeat(32) }));
  assert.equal(await network.desk().turn(), true);
  assert.equal(await Deno.readTextFile(file), first);
});

Deno.test("a job: made-up results lose their disputes, and the miner its bond", async () => {
  await using network = await JobNetwork.found();
  const { genesis, ledger, store } = network;
  const base = {
    bytes: encodeManifest(genesis.manifest),
    manifest: genesis.manifest,
    model: MODEL,
  };
  const text = utf8("trained for weeks, on my word");
  const worse = genesis.theta.map((value) => 2 * value);
  const nan = genesis.theta.slice().fill(NaN, 0, 100);
  const madeUp = [
    () => putResult(store, genesis.theta, base), // nothing was trained
    () => putResult(store, worse, base),
    () => putResult(store, nan, base),
    async () => {
      await store.put(blobKey(sha256(text)), text);
      return { hash: tagged("vramhub/base/v1", text), ref: blobKey(sha256(text)) };
    },
  ];
  for (const deliver of madeUp) {
    const [miner, customer] = [await network.sui(minerOf(1)), await network.sui(CUSTOMER)];
    const id = await network.post();
    await ledger.claimJob(minerOf(1), id, 1);
    const { hash, ref } = await deliver();
    await ledger.completeJob(minerOf(1), id, hash, ref);
    await ledger.disputeJob(CUSTOMER, id);
    const desk = network.desk();
    assert.deepEqual([await desk.turn(), await desk.turn()], [true, true]); // judges, submits
    assert.equal((await ledger.job(id))!.status, "refunded");
    assert.equal(await network.sui(minerOf(1)), miner - BOND);
    assert.equal(await network.sui(CUSTOMER), customer + BOND / 2n);
  }
});

Deno.test("a job: a result that nobody is given gets no verdict; the dispute's time runs out, and the bond is lost", async () => {
  await using network = await JobNetwork.found();
  const { clock, ledger } = network;
  const id = await network.post();
  await ledger.claimJob(minerOf(1), id, 1);
  const hash = sha256(utf8("nothing"));
  await ledger.completeJob(minerOf(1), id, hash, blobKey(hash));
  await ledger.disputeJob(CUSTOMER, id);
  const desk = network.desk();
  assert.equal(await desk.turn(), true);
  assert.equal(said(network, /^Job not judged job=0 reason=.*not/).length, 1);
  assert.equal(await desk.turn(), false, "it is tried again later");
  const { sinceMs, terms } = (await ledger.job(id))!;
  clock.set(sinceMs + terms.disputeTimeoutMs);
  assert.equal(await desk.turn(), false);
  await ledger.expireDispute(CUSTOMER, id);
  assert.equal(await network.sui(minerOf(1)), BALANCE - BOND + COIN / 10n);
});

Deno.test("JobMiner: killed between two rounds, it goes on from the weights that it kept", async () => {
  await using network = await JobNetwork.found();
  const { ledger } = network;
  const id = await network.post({ numEpochs: 2 });
  let rounds = 0;
  const dying = async (model: typeof MODEL, steps: number) => {
    const trainer = await trainTiny(model, steps);
    const step = trainer.trainStep.bind(trainer);
    trainer.trainStep = (batch) => {
      if (++rounds === 2) return Promise.reject(new Error("Killed"));
      return step(batch);
    };
    return trainer;
  };
  await assert.rejects(network.miner(0, { trainer: dying }).run(id, NEVER), /Killed/);
  assert.equal((await ledger.job(id))!.status, "claimed");
  assert.equal(await network.miner().run(id, NEVER), "delivered");
  assert.deepEqual(said(network, /^Job resumed/), [`Job resumed job=${id} pages=108`]);
  assert.equal(said(network, /^Job claimed/).length, 1);
});

Deno.test("JobMiner: says what is wrong, and what to do", async () => {
  await using network = await JobNetwork.found();
  const { clock, ledger } = network;
  const refuses = (id: number, code: string, text: RegExp, i = 0) =>
    assert.rejects(network.miner(i).run(id, NEVER), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, text);
      return true;
    });
  await refuses(99, "unknown_job", /Cannot work on job 99: there is none.* job list --status open/);
  const id = await network.post();
  await ledger.claimJob(minerOf(1), id, 1);
  await refuses(id, "wrong_state", /it is claimed, by miner 1.* job list --status open/);
  const poor = await network.post();
  const { terms } = await ledger.jobBoard();
  await ledger.setJobTerms(ADMIN, { ...terms, minPrice: 9_500_000_000n });
  await network.post({}, minerOf(0)); // with the fee, nearly all that it has
  await ledger.setJobTerms(ADMIN, terms);
  await refuses(poor, "no_bond", /the bond is 0\.1 SUI, and 0x0+1000 has 0\.025 SUI: send it SUI/);
  const other = await network.post({ baseHash: sha256(utf8("other")) });
  await assert.rejects(network.miner(1).run(other, NEVER), /is not the first one of tiny/);
  clock.set(clock.now() + HOUR - 30_000);
  await refuses(poor, "too_late", /its deadline, \S+Z, is too near/, 1);
});

Deno.test("JobMiner: delivers nothing that a judge would find too little in", async () => {
  await using network = await JobNetwork.found();
  const { clock, ledger } = network;
  const id = await network.post({ minImprovement: 1_000_000_000 });
  const slow = async (model: typeof MODEL, steps: number) => {
    const trainer = await trainTiny(model, steps);
    const step = trainer.trainStep.bind(trainer);
    trainer.trainStep = (batch) => {
      clock.set(clock.now() + HOUR / 2);
      return step(batch);
    };
    return trainer;
  };
  await assert.rejects(network.miner(0, { trainer: slow }).run(id, NEVER), {
    code: "no_improvement",
    message: new RegExp(`fell by \\S+ nats, 1000 are asked.*'deno task vramhub job release ${id}'`),
  });
  assert.equal((await ledger.job(id))!.status, "claimed");
});
