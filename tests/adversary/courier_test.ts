/**
 * The courier: a validator's own host, between the ledger and the judge. It is trusted for nothing. What it bends
 * is refused by the judge, or signed and then refused by the ledger; what is left to it is to abstain.
 */
import assert from "node:assert/strict";
import { encodeManifest, type Manifest, manifestHash } from "../../enclave/protocol/base.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { encodeContext, foldReveals } from "../../enclave/protocol/commit.ts";
import { encodeV1 } from "../../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { encodeHparams, hparamsDigest } from "../../enclave/protocol/hparams.ts";
import { encodeBody, encodeReveals, type Payload } from "../../enclave/protocol/judge_messages.ts";
import { verdictName } from "../../enclave/protocol/verdict.ts";
import { refuses } from "../../host/ledger/testing.ts";
import { beaconSignature } from "../support/window.ts";
import { Arena } from "./arena.ts";
import { GRADIENTS, judgeRefuses, played, TRAINING } from "./played.ts";

/** Assert that the judge signs `payload`, and that the ledger wants none of it. */
async function ledgerRefuses(
  arena: Arena,
  payload: Payload,
  gradients: readonly Bytes[] = GRADIENTS,
): Promise<void> {
  const signed = await arena.ask(payload, gradients);
  await refuses("score_ledger::EWrongDigest", arena.submitReport(signed));
  assert.deepEqual((await arena.ledger.window(0)).reported, []);
}

Deno.test("courier, honest: what it hands over is judged, submitted and settled", async () => {
  await using arena = await played();
  const report = await arena.settle(0, GRADIENTS);
  assert.deepEqual(report.entries.map(({ verdict }) => verdictName(verdict)), ["ok", "ok"]);
  await arena.submitOutcome(await arena.ask(await arena.outcomePayload(0), GRADIENTS));
  const { status, payout } = await arena.ledger.window(0);
  assert.equal(status, "closed");
  assert.notEqual(payout!.mergedHash, null);
});

Deno.test("courier leaves a rival's reveal out: the fold is not the ledger's", async () => {
  await using arena = await played();
  const { view } = await arena.parts(0);
  const reveals = view.reveals.slice(0, 1);
  assert.notDeepEqual(foldReveals(reveals), view.acc);
  const payload = await arena.reportPayload(0);
  await ledgerRefuses(arena, { ...payload, reveals: encodeReveals(reveals) });
});

Deno.test("courier reorders reveals or moves a commit ahead: the fold is not the ledger's", async () => {
  for (const change of ["order", "commitSeq"] as const) {
    await using arena = await played();
    const [first, second] = (await arena.parts(0)).view.reveals;
    const reveals = change === "order"
      ? [second!, first!]
      : [{ ...first!, commitSeq: 9 }, { ...second!, commitSeq: 8 }];
    const payload = await arena.reportPayload(0);
    await ledgerRefuses(arena, { ...payload, reveals: encodeReveals(reveals) });
  }
});

Deno.test("courier names a reveal that never was: the fold is not the ledger's", async () => {
  await using arena = await played();
  const { reveals } = (await arena.parts(0)).view;
  const friend = { ...reveals[0]!, uid: 2, commitSeq: 50 };
  const payload = await arena.reportPayload(0);
  // The judge needs the friend's pages as well.
  const pages = Array.from({ length: 200 }, (_, index) => arena.net.page(index));
  await ledgerRefuses(arena, { ...payload, pages, reveals: encodeReveals([...reveals, friend]) });
});

Deno.test("courier swaps a gradient under its hash: wrong_hash, and the judge misses the true one", async () => {
  await using arena = await played();
  const [victim, own] = GRADIENTS as [Bytes, Bytes];
  assert.throws(() => arena.judges[0]!.blobs.put(sha256(victim), own), { code: "wrong_hash" });
  await assert.rejects(arena.ask(await arena.reportPayload(0), [own]), { code: "missing_blob" });
});

Deno.test("courier swaps the content hash along with the gradient: the fold is not the ledger's", async () => {
  await using arena = await played();
  const { reveals } = (await arena.parts(0)).view;
  const weak = encodeV1(await TRAINING.train(0, 0, 1e-3));
  const bent = { ...reveals[0]!, contentHash: sha256(weak), size: weak.length };
  const payload = { ...await arena.reportPayload(0), reveals: encodeReveals([bent, reveals[1]!]) };
  await ledgerRefuses(arena, payload, [weak, GRADIENTS[1]!]);
});

Deno.test("courier swaps a page for an easier one: bad_page", async () => {
  await using arena = await played();
  const payload = await arena.reportPayload(0);
  const [first, second, ...rest] = payload.pages as [
    Payload["pages"][number],
    Payload["pages"][number],
    ...Payload["pages"],
  ];
  for (const bent of [{ ...first, tokens: second.tokens }, { ...second, index: first.index }]) {
    await judgeRefuses(arena, { ...payload, pages: [bent, second, ...rest] }, "bad_page", "pages");
  }
});

Deno.test("courier withholds a page: missing_page, no number is measured on fewer", async () => {
  await using arena = await played();
  const payload = await arena.reportPayload(0);
  for (const i of [0, 5, payload.pages.length - 1]) {
    const pages = payload.pages.toSpliced(i, 1);
    await judgeRefuses(arena, { ...payload, pages }, "missing_page", "pages");
  }
});

Deno.test("courier grinds the beacon: another round's signature is bad_beacon", async () => {
  await using arena = await played();
  const payload = await arena.reportPayload(0);
  const { randomness } = (await arena.parts(0)).view.context;
  assert.ok(randomness.kind === "drand");
  const { assignRound, judgeRound } = randomness;
  for (
    const beacon of [
      { assign_signature: beaconSignature(assignRound - 1) },
      { judge_signature: beaconSignature(judgeRound + 1) },
      { judge_signature: beaconSignature(assignRound) },
      { judge_signature: new Uint8Array(48) },
    ]
  ) {
    const bent = { ...payload, beacon: { ...payload.beacon!, ...beacon } };
    await judgeRefuses(arena, bent, "bad_beacon");
  }
});

Deno.test("courier chooses a later beacon round, or assigns pages by one: the context is not the ledger's", async () => {
  for (const later of ["assignRound", "judgeRound"] as const) {
    await using arena = await played();
    const { context } = (await arena.parts(0)).view;
    assert.ok(context.randomness.kind === "drand");
    const randomness = { ...context.randomness, [later]: context.randomness[later] + 1 };
    const payload = await arena.reportPayload(0);
    const pages = Array.from({ length: 200 }, (_, index) => arena.net.page(index));
    await ledgerRefuses(arena, {
      ...payload,
      pages,
      context: encodeContext({ ...context, randomness }),
      beacon: {
        ...payload.beacon!,
        assign_signature: beaconSignature(randomness.assignRound),
        judge_signature: beaconSignature(randomness.judgeRound),
      },
    });
  }
});

Deno.test("courier gives a wrong base: unbound_input, or a context that is not the ledger's", async () => {
  await using arena = await played();
  const payload = await arena.reportPayload(0);
  const stale: Manifest = { ...arena.net.base, window: 9 };
  const base = encodeManifest(stale);
  await judgeRefuses(arena, { ...payload, base }, "unbound_input", "base");
  const { context } = (await arena.parts(0)).view;
  const baseHash = manifestHash(stale);
  await ledgerRefuses(arena, {
    ...payload,
    base,
    context: encodeContext({ ...context, baseHash }),
  });
});

Deno.test("courier changes a byte of the base's file: wrong_hash, then missing_blob", async () => {
  await using arena = await played();
  const [chunk] = arena.net.chunks();
  const bent = chunk!.with(chunk!.length - 1, chunk!.at(-1)! ^ 1);
  const judge = arena.judges[0]!;
  assert.throws(() => judge.blobs.put(sha256(chunk!), bent), { code: "wrong_hash" });
  judge.blobs.put(sha256(bent), bent);
  for (const bytes of GRADIENTS) judge.blobs.put(sha256(bytes), bytes);
  const body = encodeBody({ payload: await arena.reportPayload(0) });
  await assert.rejects(judge.process(body), { code: "missing_blob" });
});

Deno.test("courier softens hparams: unbound_input, or a context that is not the ledger's", async () => {
  await using arena = await played();
  const payload = await arena.reportPayload(0);
  const soft = { ...arena.net.hparams, beta: 1 };
  const hparams = encodeHparams(soft);
  await judgeRefuses(arena, { ...payload, hparams }, "unbound_input", "hparams");
  const { context } = (await arena.parts(0)).view;
  await ledgerRefuses(arena, {
    ...payload,
    hparams,
    context: encodeContext({ ...context, hparamsDigest: hparamsDigest(soft) }),
  });
});
