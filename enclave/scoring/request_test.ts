import assert from "node:assert/strict";
import { bodyOf, createTestJudge, TestNet, v1 } from "../../tests/support/window.ts";
import type { Judge } from "../judge.ts";
import { decodeManifest, encodeManifest, type Manifest } from "../protocol/base.ts";
import { type Bytes, toHex } from "../protocol/bytes.ts";
import {
  EMPTY_ACC,
  encodeContext,
  type Reveal,
  type WindowContext,
  windowDigest,
} from "../protocol/commit.ts";
import { encodeDataset } from "../protocol/dataset.ts";
import { QUICKNET } from "../protocol/drand.ts";
import {
  encodeHparams,
  type HparamName,
  type Hparams,
  hparamsDigest,
} from "../protocol/hparams.ts";
import { encodeReveals, encodeSettlement, type Payload } from "../protocol/judge_messages.ts";
import { Refusal } from "../protocol/refusal.ts";
import { decodeReport } from "../protocol/report.ts";

const N = 3;
const net = new TestNet();
const window = net.window(N, [v1(1, await net.train(N, 1)), v1(2, await net.train(N, 2))]);
const payload = window.report();

/** Flip the lowest bit of byte `at`. */
function flip(bytes: Bytes, at = 0): Bytes {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
}

async function withJudge<T>(run: (judge: Judge) => Promise<T>): Promise<T> {
  const judge = await createTestJudge(window);
  try {
    return await run(judge);
  } finally {
    await judge.close();
  }
}

/** `code`, or `code field`, of the refusal; `signed …` where a signed field differs from the honest report's. */
async function fate(change: Partial<Payload>): Promise<string> {
  return await withJudge(async (judge) => {
    try {
      const { message } = await judge.process(bodyOf({ ...payload, ...change }));
      const [mine, honest] = [decodeReport(message), await honestReport];
      if (toHex(mine.windowDigest) !== toHex(honest.windowDigest)) return "signed digest";
      assert.notDeepEqual(mine.entries, honest.entries, "nothing that is signed shows the change");
      return "signed entries";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.field === undefined ? error.code : `${error.code} ${error.field}`;
    }
  });
}

const honestReport = withJudge(async (judge) =>
  decodeReport((await judge.process(bodyOf(payload))).message)
);

async function fates(changes: Record<string, Partial<Payload>>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, change] of Object.entries(changes)) found[name] = await fate(change);
  return found;
}

function context(change: Partial<WindowContext>): Partial<Payload> {
  return { context: encodeContext({ ...window.context, ...change }) };
}

Deno.test("bindRequest: every field of the context is bound", async () => {
  const { randomness, ...rest } = window.context;
  assert.equal(randomness.kind, "drand");
  if (randomness.kind !== "drand") return;
  const drand = (change: Partial<typeof randomness>) =>
    context({ randomness: { ...randomness, ...change } });
  const seeds = { assignSeed: new Uint8Array(32), judgeSeed: new Uint8Array(32) };
  assert.deepEqual(
    await fates({
      chainId: context({ chainId: flip(rest.chainId) }),
      ledgerId: context({ ledgerId: flip(rest.ledgerId) }),
      workload: context({ workload: 2 }),
      version: context({ version: 2 }),
      window: context({ window: N + 1 }),
      hparamsDigest: context({ hparamsDigest: flip(rest.hparamsDigest) }),
      modelHash: context({ modelHash: flip(rest.modelHash) }),
      baseHash: context({ baseHash: flip(rest.baseHash) }),
      datasetRoot: context({ datasetRoot: flip(rest.datasetRoot) }),
      chainHash: drand({ chainHash: flip(randomness.chainHash) }),
      quicknet: drand({ chainHash: QUICKNET.chainHash }),
      assignRound: drand({ assignRound: randomness.assignRound + 1 }),
      judgeRound: drand({ judgeRound: randomness.judgeRound + 1 }),
      kind: context({ randomness: { kind: "ledger", ...seeds } }),
      trailing: { context: new Uint8Array([...payload.context, 0]) },
    }),
    {
      chainId: "unbound_input context.chain_id",
      ledgerId: "unbound_input context.ledger_id",
      workload: "unbound_input hparams.workload",
      version: "unbound_input hparams.workload",
      window: "missing_page pages",
      hparamsDigest: "unbound_input hparams",
      modelHash: "unbound_input model",
      baseHash: "unbound_input base",
      datasetRoot: "unbound_input dataset",
      chainHash: "unbound_input beacon.public_key",
      quicknet: "unbound_input beacon.public_key",
      assignRound: "bad_beacon signature",
      judgeRound: "bad_beacon signature",
      kind: "unbound_input context.randomness",
      trailing: "trailing_bytes",
    },
  );
});

Deno.test("bindRequest: every hparam is bound by the context, and the context by the report", async () => {
  for (const name of Object.keys(net.hparams) as HparamName[]) {
    const changed: Hparams = { ...net.hparams, [name]: net.hparams[name] + 1 };
    assert.match(
      await fate({ hparams: encodeHparams(changed) }),
      /^(unbound_input hparams|bad_hparam)/,
    );
  }
  const agreed = (change: Partial<Hparams>): Partial<Payload> => {
    const hparams = { ...net.hparams, ...change };
    return {
      hparams: encodeHparams(hparams),
      ...context({ hparamsDigest: hparamsDigest(hparams) }),
    };
  };
  assert.deepEqual(
    await fates({
      beta: agreed({ beta: 1 }),
      norm: agreed({ max_update_norm: 1 }),
      heldout: agreed({ heldout_pages: 24 }),
      batches: agreed({ own_pages: 6 }),
      moreThanThereAre: agreed({ heldout_pages: 64 }),
    }),
    {
      beta: "signed digest",
      norm: "signed digest",
      heldout: "bad_hparam heldout_pages",
      batches: "bad_hparam own_pages",
      moreThanThereAre: "bad_hparam heldout_pages",
    },
  );
});

Deno.test("bindRequest: data set, model, beacon and base are bound", async () => {
  const { dataset, base } = net;
  const beacon = payload.beacon!;
  const data = (change: Partial<typeof dataset>) => ({
    dataset: encodeDataset({ ...dataset, ...change }),
  });
  const bases = (change: Partial<Manifest>) => ({ base: encodeManifest({ ...base, ...change }) });
  assert.deepEqual(decodeManifest(payload.base), base);
  const found = await fates({
    pageCount: data({ pageCount: dataset.pageCount + 1 }),
    pageTokens: data({ pageTokens: dataset.pageTokens + 1 }),
    tokenizerHash: data({ tokenizerHash: flip(dataset.tokenizerHash) }),
    merkleRoot: data({ merkleRoot: flip(dataset.merkleRoot) }),
    publicKey: { beacon: { ...beacon, public_key: QUICKNET.publicKey } },
    genesis: { beacon: { ...beacon, genesis_ms: beacon.genesis_ms + 1 } },
    period: { beacon: { ...beacon, period_ms: beacon.period_ms + 1 } },
    assignSignature: { beacon: { ...beacon, assign_signature: beacon.judge_signature } },
    judgeSignature: { beacon: { ...beacon, judge_signature: beacon.assign_signature } },
    bent: { beacon: { ...beacon, judge_signature: flip(beacon.judge_signature, 47) } },
    noBeacon: { beacon: null },
    baseModel: bases({ modelHash: flip(base.modelHash) }),
    baseParent: bases({ parent: flip(base.parent) }),
    baseWindow: bases({ window: 1 }),
    baseChunk: bases({ chunks: [flip(base.chunks[0]!)] }),
    baseMetadata: bases({ metadata: [["a", new Uint8Array(1)]] }),
    settled: { settled: encodeSettlement(1, []) },
  });
  assert.deepEqual(found, {
    pageCount: "unbound_input dataset",
    pageTokens: "unbound_input dataset",
    tokenizerHash: "unbound_input dataset",
    merkleRoot: "unbound_input dataset",
    publicKey: "unbound_input beacon.public_key",
    genesis: "unbound_input beacon.public_key",
    period: "unbound_input beacon.public_key",
    assignSignature: "bad_beacon signature",
    judgeSignature: "bad_beacon signature",
    bent: "bad_beacon signature",
    noBeacon: "missing_beacon beacon",
    baseModel: "unbound_input base",
    baseParent: "unbound_input base",
    baseWindow: "unbound_input base",
    baseChunk: "unbound_input base",
    baseMetadata: "unbound_input base",
    settled: "unbound_input settled",
  });
  for (const key of Object.keys(payload.model) as (keyof Payload["model"])[]) {
    const model = { ...payload.model, [key]: payload.model[key] + 1 };
    assert.match(await fate({ model }), /^(unbound_input model|bad_model model)$/);
  }
});

Deno.test("bindRequest: every reveal is bound, with its place in the order", async () => {
  const [first, second] = window.reveals as [Reveal, Reveal];
  const reveals = (...all: Reveal[]) => ({ reveals: encodeReveals(all) });
  assert.deepEqual(
    await fates({
      uid: reveals({ ...first, uid: 7 }, second),
      sameUid: reveals(first, { ...second, uid: 1 }),
      commitSeq: reveals({ ...first, commitSeq: first.commitSeq + 7 }, second),
      contentHash: reveals({ ...first, contentHash: flip(first.contentHash) }, second),
      otherContent: reveals({ ...first, contentHash: second.contentHash }, second),
      size: reveals({ ...first, size: first.size + 1 }, second),
      codec: reveals({ ...first, codec: 2 }, second),
      order: reveals(second, first),
      dropped: reveals(first),
      unavailable: { unavailable: [2] },
      nobody: { unavailable: [7] },
    }),
    {
      uid: "missing_page pages",
      sameUid: "bad_reveals reveals",
      commitSeq: "signed digest",
      contentHash: "missing_blob blobs",
      otherContent: "signed digest",
      size: "signed digest",
      codec: "signed digest",
      order: "signed digest",
      dropped: "signed digest",
      unavailable: "signed entries",
      nobody: "unbound_input unavailable",
    },
  );
});

Deno.test("bindRequest: a page is the data set's own, under its own number, or nothing is judged", async () => {
  const [page, ...others] = payload.pages as [Payload["pages"][number], ...Payload["pages"]];
  const pages = (change: Partial<typeof page>) => ({ pages: [{ ...page, ...change }, ...others] });
  const spare = Array.from({ length: 200 }, (_, i) => i).find((index) =>
    payload.pages.every((given) => given.index !== index)
  )!;
  assert.deepEqual(
    await fates({
      token: pages({ tokens: flip(page.tokens) }),
      short: pages({ tokens: page.tokens.slice(4) }),
      index: pages({ index: page.index + 1 }),
      outside: pages({ index: 2 ** 40 }),
      proof: pages({ proof: flip(page.proof) }),
      shortProof: pages({ proof: page.proof.slice(32) }),
      oddProof: pages({ proof: page.proof.slice(1) }),
      longProof: pages({ proof: new Uint8Array([...page.proof, ...new Uint8Array(32)]) }),
      another: { pages: [net.page(spare), ...others] },
      missing: { pages: others },
    }),
    {
      token: "bad_page pages",
      short: "bad_page pages",
      index: "bad_page pages",
      outside: "bad_page pages",
      proof: "bad_page pages",
      shortProof: "bad_page pages",
      oddProof: "bad_page pages",
      longProof: "bad_page pages",
      another: "missing_page pages",
      missing: "missing_page pages",
    },
  );
  // More pages than are needed, and another order of them, change nothing.
  const honest = await honestReport;
  const { message } = await withJudge((judge) =>
    judge.process(bodyOf({ ...payload, pages: [net.page(spare), ...payload.pages].reverse() }))
  );
  assert.deepEqual(decodeReport(message), honest);
});

Deno.test("judge: a missing gradient or chunk is named by its hash, and nothing is signed", async () => {
  const judge = await createTestJudge();
  const attempt = () => judge.process(bodyOf(payload));
  const named = (bytes: Bytes) => (error: unknown) =>
    error instanceof Refusal && error.code === "missing_blob" &&
    error.message.includes(toHex(bytes));
  await assert.rejects(attempt, named(net.base.chunks[0]!));
  judge.blobs.put(net.base.chunks[0]!, net.chunks()[0]!);
  for (const [i, { contentHash }] of window.reveals.entries()) {
    await assert.rejects(attempt, named(contentHash));
    judge.blobs.put(contentHash, window.gradients[i]!);
  }
  assert.deepEqual(decodeReport((await attempt()).message), await honestReport);
  await judge.close();
});

Deno.test("judge: randomness that the ledger drew takes the beacon's place", async () => {
  const own = new TestNet({ randomness_kind: 1 });
  const window = own.window(N, []);
  const seeds = { assignSeed: window.assignBeacon, judgeSeed: window.judgeBeacon };
  const context = { ...window.context, randomness: { kind: "ledger", ...seeds } } as const;
  const drawn: Payload = {
    ...window.report(),
    context: encodeContext(context),
    beacon: null,
  };
  const judge = await createTestJudge(window);
  const other = { ...drawn, beacon: payload.beacon };
  await assert.rejects(judge.process(bodyOf(other)), { code: "unbound_input", field: "beacon" });
  const report = decodeReport((await judge.process(bodyOf(drawn))).message);
  assert.deepEqual(report.windowDigest, windowDigest(context, EMPTY_ACC));
  assert.ok(report.randomBefore !== null && report.entries.length === 0);
  await judge.close();
});
