import assert from "node:assert/strict";
import {
  betterFile,
  chunksOf,
  hashOf,
  jobBody,
  jobPayload,
  manifestBytes,
} from "../tests/support/job.ts";
import {
  bodyOf,
  CHAIN_ID,
  createBareJudge,
  createTestJudge,
  identityOf,
  LEDGER_ID,
  NOW,
  supply,
  TestNet,
  v1,
} from "../tests/support/window.ts";
import type { Judge } from "./judge.ts";
import { encodeManifest, manifestOf } from "./protocol/base.ts";
import { type Bytes, utf8 } from "./protocol/bytes.ts";
import { datasetRoot, encodeDataset } from "./protocol/dataset.ts";
import { verifySignature } from "./protocol/identity.ts";
import { decodeJobVerdict, type JobVerdict } from "./protocol/job_verdict.ts";
import type { JobPayload } from "./protocol/judge_messages.ts";
import { decodeReport } from "./protocol/report.ts";

const net = new TestNet();
const file = await betterFile(net);
const manifest = manifestBytes(net, file);
const honest = jobPayload(net, 7, manifest);

/** A judge that holds the chunks of the base and of `files`. */
async function judgeWith(...files: readonly Bytes[]): Promise<Judge> {
  const judge = await createTestJudge(undefined, 3);
  give(judge, ...files);
  return judge;
}

function give(judge: Judge, ...files: readonly Bytes[]): void {
  for (const { hash, bytes } of chunksOf(net, net.file, ...files)) judge.blobs.put(hash, bytes);
}

/** What a judge says of `payload`. */
async function verdictOn(payload: JobPayload, ...files: readonly Bytes[]): Promise<JobVerdict> {
  const judge = await judgeWith(...files);
  try {
    return decodeJobVerdict((await judge.processJob(jobBody(payload))).message);
  } finally {
    await judge.close();
  }
}

Deno.test("Judge.processJob: measures base and result on held-out pages, and signs what the ledger compares", async () => {
  const judge = await judgeWith(file);
  const signed = await judge.processJob(jobBody(honest));
  assert.ok(verifySignature(signed.signature, signed.message, judge.publicKey));
  const { lossAfter, lossBefore, ...about } = decodeJobVerdict(signed.message);
  assert.deepEqual(about, {
    chainId: CHAIN_ID,
    ledgerId: LEDGER_ID,
    validator: 3,
    job: 7,
    timestampMs: NOW,
    datasetRoot: datasetRoot(net.dataset),
    baseHash: hashOf(encodeManifest(net.base)),
    resultHash: hashOf(manifest),
  });
  assert.ok(lossAfter !== null && lossBefore - lossAfter > 1_000, `${lossBefore} → ${lossAfter}`);
  assert.equal(judge.blobs.bytes, 0, "the chunks are not held any longer");
  await judge.close();
});

Deno.test("Judge.processJob: one job is signed once; the same body gives the same bytes", async () => {
  const judge = await judgeWith(file);
  const signed = await judge.processJob(jobBody(honest));
  assert.deepEqual(await judge.processJob(jobBody(honest)), signed, "without any chunk");
  give(judge, file);
  const shuffled = jobBody({ ...honest, pages: [...honest.pages].reverse() });
  await assert.rejects(judge.processJob(shuffled), { code: "already_signed" });
  const base = encodeManifest(net.base);
  const other = jobBody(jobPayload(net, 7, base));
  await assert.rejects(judge.processJob(other), { code: "already_signed" });
  const next = await judge.processJob(jobBody(jobPayload(net, 8, base)));
  const { lossAfter, lossBefore } = decodeJobVerdict(next.message);
  assert.equal(lossAfter, lossBefore, "the base itself is no better than the base");
  await judge.close();
});

Deno.test("Judge.processJob: bytes of the right hash that are no result of this model are unmeasurable", async () => {
  const about = { modelHash: net.modelHash, parent: new Uint8Array(32), window: 0 };
  const nan = file.slice();
  nan.fill(0xff, nan.length - 4_096);
  const header = file.slice();
  header[20]! ^= 1;
  const long = new Uint8Array([...file, 0]);
  const foreign = manifestOf(file, { ...about, modelHash: new Uint8Array(32) });
  const short = { ...manifestOf(file, about), chunks: [honest.base_hash] };
  const cases: readonly (readonly [why: string, result: Bytes, ...files: Bytes[]])[] = [
    ["empty", new Uint8Array(0)],
    ["no manifest", utf8("a result, on my word")],
    ["a byte too many", new Uint8Array([...manifest, 0])],
    ["of another model", encodeManifest(foreign), file],
    ["too long", encodeManifest(manifestOf(long, about)), long],
    ["another header", encodeManifest(manifestOf(header, about)), header],
    ["not a number", encodeManifest(manifestOf(nan, about)), nan],
  ];
  for (const [why, result, ...files] of cases) {
    const { lossAfter, lossBefore } = await verdictOn(jobPayload(net, 7, result), ...files);
    assert.equal(lossAfter, null, why);
    assert.ok(lossBefore > 0, why);
  }
  // Chunks that nobody gives are another matter: who holds the result back gets no verdict on it.
  const judge = await judgeWith();
  const withheld = jobBody(jobPayload(net, 7, encodeManifest(short)));
  await assert.rejects(judge.processJob(withheld), { code: "missing_blob" });
  await judge.close();
});

Deno.test("Judge.processJob: a chunk of a wrong length is the result's fault", async () => {
  const chunk = file.slice(1);
  const hash = chunksOf(net, chunk)[0]!.hash;
  const about = { modelHash: net.modelHash, parent: new Uint8Array(32), window: 0 };
  const result = encodeManifest({ ...manifestOf(file, about), chunks: [hash] });
  assert.equal((await verdictOn(jobPayload(net, 7, result), chunk)).lossAfter, null);
});

Deno.test("Judge.processJob: every input is bound; what the courier bends is refused", async () => {
  const judge = await judgeWith(file);
  const other = new Uint8Array(32).fill(1);
  const [first, second] = honest.pages as [
    JobPayload["pages"][number],
    JobPayload["pages"][number],
  ];
  const rest = honest.pages.slice(1);
  const { dataset } = net;
  const small = { ...dataset, pageCount: 39 }; // three pages are held out
  const bent: readonly (readonly [change: Partial<JobPayload>, wanted: string])[] = [
    [{ dataset_root: other }, "unbound_input"],
    [{ base_hash: other }, "unbound_input"],
    [{ result_hash: other }, "unbound_input"],
    [{ dataset: encodeDataset({ ...dataset, tokenizerHash: other }) }, "unbound_input"],
    [{ dataset: encodeDataset(small), dataset_root: datasetRoot(small) }, "too_few_pages"],
    [{ base: manifest }, "unbound_input"],
    [{ result: honest.base }, "unbound_input"],
    [{ base: utf8("base"), base_hash: hashOf(utf8("base")) }, "truncated"],
    [{ model: { ...honest.model, layers: 1 } }, "unbound_input"],
    [{ model: { ...honest.model, heads: 3 } }, "bad_model"],
    [{ model: { ...honest.model, batch: 2 } }, "unbound_input"],
    [{ pages: rest }, "missing_page"],
    [{ pages: [{ ...first, tokens: second.tokens }, ...rest] }, "bad_page"],
    [{ pages: [{ ...first, proof: second.proof }, ...rest] }, "bad_page"],
    [{ pages: [{ ...first, index: second.index }, ...rest] }, "bad_page"],
    // Another job draws other pages, so these are not enough.
    [{ job: 8, pages: honest.pages.slice(0, -1) }, "missing_page"],
  ];
  for (const [change, wanted] of bent) {
    const body = jobBody({ ...honest, ...change });
    await assert.rejects(judge.processJob(body), { code: wanted }, JSON.stringify(change));
  }
  assert.equal(judge.busy, false);
  await judge.processJob(jobBody(honest)); // what was refused is not remembered as signed
  await judge.close();
});

Deno.test("Judge.processJob: waits for its configuration, and for the request before", async () => {
  const bare = await createBareJudge();
  await assert.rejects(bare.processJob(jobBody(honest)), { code: "not_configured" });
  bare.configure(identityOf(0));
  give(bare, file);
  const first = bare.processJob(jobBody(honest));
  await assert.rejects(bare.processJob(jobBody(honest)), { code: "busy" });
  assert.equal(decodeJobVerdict((await first).message).job, 7);
  await bare.close();
});

Deno.test("Judge.processJob: refuses a model that it cannot hold twice", async () => {
  const judge = await createBareJudge(2 * net.file.length - 1);
  judge.configure(identityOf(0));
  await assert.rejects(judge.processJob(jobBody(honest)), { code: "too_large" });
  await judge.close();
});

Deno.test("Judge: a window and a job judged one after the other are what they are alone", async () => {
  const window = net.window(3, [v1(1, await net.train(3, 1))]);
  const report = async (judge: Judge) => {
    supply(judge, window);
    return decodeReport((await judge.process(bodyOf(window.report()))).message);
  };
  const verdict = async (judge: Judge) => {
    give(judge, file);
    return decodeJobVerdict((await judge.processJob(jobBody(honest))).message);
  };
  const judges = [await judgeWith(), await judgeWith()] as const;
  const first = [await report(judges[0]), await verdict(judges[0])]; // on one open model
  const second = [await verdict(judges[1]), await report(judges[1])];
  assert.deepEqual(first, second.reverse());
  for (const judge of judges) await judge.close();
});
