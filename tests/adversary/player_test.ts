/**
 * The player: miners who want pay without work, or harm without cost. Most copies and bombs that the judge sees are
 * in the judge's own tests (README.md names them); here is what the ledger must not let through, or not pay for.
 */
import assert from "node:assert/strict";
import { openGradient } from "../../enclave/model/merge.ts";
import { commitment } from "../../enclave/protocol/commit.ts";
import { CODEC_V2, encodeV2 } from "../../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { SETTLED, VERDICT, verdictName } from "../../enclave/protocol/verdict.ts";
import {
  address,
  bytes32,
  minerOf,
  refuses,
  TestNetwork,
  unmeasured,
  validatorOf,
} from "../../host/ledger/testing.ts";
import { gradientKey } from "../../host/store/keys.ts";
import { v1 } from "../support/window.ts";
import { Arena } from "./arena.ts";
import { runValidator } from "./running.ts";

const VICTIM = 0;
const OUTSIDER = 1;

Deno.test("an outsider who copies after the reveal: commits are over", async () => {
  const network = await TestNetwork.found();
  using ledger = network.ledger;
  network.at(0, 1_000);
  await network.commit(VICTIM, 0);
  network.at(0, 8_000);
  await network.reveal(VICTIM, 0);
  const [seen] = (await ledger.window(0)).reveals;
  const { ledgerId } = await ledger.info();
  const own = commitment(ledgerId, OUTSIDER, 0, seen!.contentHash, network.salt);
  await refuses(
    "gradient_registry::ECommitsClosed",
    ledger.commit(minerOf(OUTSIDER), OUTSIDER, 0, own),
  );
  assert.equal((await ledger.window(0)).reveals.length, 1);
});

Deno.test("an outsider who copies the commitment itself: it is bound to the victim's uid", async () => {
  const network = await TestNetwork.found();
  using ledger = network.ledger;
  const { ledgerId } = await ledger.info();
  network.at(0, 1_000);
  await network.commit(VICTIM, 0);
  const stolen = commitment(ledgerId, VICTIM, 0, network.content(VICTIM, 0), network.salt);
  await ledger.commit(minerOf(OUTSIDER), OUTSIDER, 0, stolen);
  network.at(0, 8_000);
  await network.reveal(VICTIM, 0);
  const [{ contentHash, size, codec, ref }] = (await ledger.window(0)).reveals as [
    Awaited<ReturnType<typeof ledger.window>>["reveals"][number],
  ];
  await refuses(
    "gradient_registry::ECommitmentMismatch",
    ledger.reveal(
      minerOf(OUTSIDER),
      OUTSIDER,
      0,
      { contentHash, size, codec },
      network.salt,
      ref,
    ),
  );
});

Deno.test("an outsider who reveals in the victim's name: only the owner reveals", async () => {
  const network = await TestNetwork.found();
  using _ledger = network.ledger;
  network.at(0, 1_000);
  await network.commit(VICTIM, 0);
  network.at(0, 8_000);
  await refuses("peer_registry::ENotOwner", network.reveal(VICTIM, 0, minerOf(OUTSIDER)));
});

Deno.test("an outsider who keeps the bytes for a later window: they name uid, window and base", () => {
  const update = {
    total: 100,
    indices: Uint32Array.of(3, 14, 15),
    values: Float32Array.of(0.5, -0.25, 1),
  };
  const baseHash = bytes32("base of window 7");
  const bytes = encodeV2(update, { uid: VICTIM, window: 7n, baseHash });
  const context = { hparams: DEFAULT_HPARAMS, window: 7, baseHash, total: 100 };
  const reveal = (uid: number) => ({
    uid,
    commitSeq: 1,
    contentHash: sha256(bytes),
    size: bytes.length,
    codec: CODEC_V2,
  });
  assert.equal(openGradient(context, reveal(VICTIM), bytes).update.indices.length, 3);
  assert.throws(() => openGradient(context, reveal(OUTSIDER), bytes), { code: "undecodable" });
  const later = { ...context, window: 8 };
  assert.throws(() => openGradient(later, reveal(VICTIM), bytes), { code: "undecodable" });
  const moved = { ...context, baseHash: bytes32("base of window 8") };
  assert.throws(() => openGradient(moved, reveal(VICTIM), bytes), { code: "wrong_model" });
});

Deno.test("player floods a window: one commit and one reveal a slot", async () => {
  using network = await TestNetwork.found();
  network.at(0, 1_000);
  await network.commit(0, 0);
  await refuses("gradient_registry::EAlreadyCommitted", network.commit(0, 0));
  network.at(0, 8_000);
  await network.reveal(0, 0);
  await refuses("gradient_registry::EAlreadyRevealed", network.reveal(0, 0));
  assert.equal((await network.ledger.window(0)).reveals.length, 1);
});

Deno.test("player submits into past and future windows: only the running one takes commits", async () => {
  using network = await TestNetwork.found();
  network.at(3, 1_000);
  for (const window of [2, 4, 2 ** 40]) {
    await refuses("gradient_registry::EWrongWindow", network.commit(0, window));
    await refuses("gradient_registry::EWrongWindow", network.reveal(0, window));
  }
});

Deno.test("player reveals before anybody must: reveals are not open while commits are", async () => {
  using network = await TestNetwork.found();
  network.at(0, 1_000);
  await network.commit(0, 0);
  await refuses("gradient_registry::ERevealsNotOpen", network.reveal(0, 0));
});

Deno.test("player takes a commitment to another ledger or window along: it opens here and now only", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const { ledgerId } = await ledger.info();
  const content = network.content(0, 0);
  const elsewhere = [
    commitment(bytes32("another ledger"), 0, 0, content, network.salt),
    commitment(ledgerId, 1, 1, network.content(1, 0), network.salt),
  ];
  network.at(0, 1_000);
  for (const [uid, hash] of elsewhere.entries()) await ledger.commit(minerOf(uid), uid, 0, hash);
  network.at(0, 8_000);
  await refuses("gradient_registry::ECommitmentMismatch", network.reveal(0, 0));
  await refuses("gradient_registry::ECommitmentMismatch", network.reveal(1, 0));
});

Deno.test("player commits to keep a choice open and never reveals: fees, and in the end no seat", async () => {
  using network = await TestNetwork.found({ hparams: { unrevealed_fee: 2_500 } });
  for (const window of [0, 1]) {
    network.at(window);
    await network.commit(0, window);
  }
  network.at(2);
  assert.equal((await network.ledger.miners())[0]!.stake, 0n);
  await refuses("peer_registry::EInsufficientStake", network.commit(0, 2));
});

Deno.test("player leaves its slot to escape the fee: it is charged before it goes", async () => {
  using network = await TestNetwork.found();
  network.at(0, 1_000);
  await network.commit(0, 0);
  await network.ledger.unregister(minerOf(0), "miner", 0);
  network.at(1);
  await network.ledger.miners(); // the first call of a window rolls it
  network.at(20);
  assert.equal(await network.ledger.withdraw(minerOf(0)), 4_700n);
});

Deno.test("player spams slots: each takes real coins, and no owner has two", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const sybil = address(1);
  await refuses("peer_registry::EInsufficientBalance", ledger.registerMiner(sybil, 1_000n));
  ledger.faucet(sybil, 2_500n);
  await refuses("peer_registry::EInsufficientStake", ledger.registerMiner(sybil, 999n));
  await refuses("peer_registry::EInsufficientStake", ledger.registerMiner(sybil, -1_000n));
  await ledger.registerMiner(sybil, 2_000n);
  assert.equal((await ledger.balance(sybil)).sui, 500n);
  await refuses("peer_registry::EAlreadyRegistered", ledger.registerMiner(sybil, 1_000n));
});

Deno.test("player registers anew to shed a bad record: it begins at ordinal zero, its stake unbonding", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.whole(0, [0, 1], {}, { rate: () => ({ mu: 9_000_000 }) });
  await ledger.unregister(minerOf(0), "miner", 0);
  network.at(2);
  await refuses("peer_registry::EInsufficientBalance", ledger.registerMiner(minerOf(0), 5_000n));
  await refuses("peer_registry::ENothingToWithdraw", ledger.withdraw(minerOf(0)));
  ledger.faucet(minerOf(0), 1_000n);
  assert.equal(await ledger.registerMiner(minerOf(0), 1_000n), 0);
  await network.whole(3, [0], {}, { rate: () => ({ mu: 30_000_000, sigma: 5_000_000 }) });
  const { payout } = await ledger.window(3);
  assert.equal(payout!.issued, 0n, "an accepted window pays from the second on");
  const [row] = await ledger.miners();
  assert.deepEqual([row!.generation, row!.accepted, row!.stake], [2, 1, 1_000n]);
});

Deno.test("player helps on everybody's pages as on its own, as a copier does: from the ninth window on no weight", async () => {
  using network = await TestNetwork.found();
  const weights: boolean[] = [];
  for (let window = 0; window < 11; window++) {
    // Own pages (of 1.0 nats) get better by exactly as much as everybody's.
    await network.whole(window, [0, 1], {
      measure: (uid) => uid === 0 ? { ownAfter: 950_000, randomAfter: 950_000 } : {},
    });
    const { payout } = await network.ledger.window(window);
    weights.push(payout!.miners[0]!.weight > 0n);
    if (window > 0) assert.ok(payout!.miners[1]!.weight > payout!.miners[0]!.weight);
  }
  assert.deepEqual(weights, [false, ...Array(7).fill(true), false, false, false]);
});

Deno.test("player memorises its own pages: what does harm to everybody is harmful, and unpaid", async () => {
  using network = await TestNetwork.found();
  for (const window of [0, 1]) {
    await network.whole(window, [0, 1], {
      measure: (uid) => uid === 0 ? { ownAfter: 1, randomAfter: 1_000_003 } : {},
    });
  }
  const { settled, payout } = await network.ledger.window(1);
  assert.deepEqual(settled!.rows.map(({ verdict }) => verdict), [
    SETTLED.harmful,
    SETTLED.accepted,
  ]);
  assert.equal(payout!.miners[0]!.reward, 0n);
  assert.ok(payout!.miners[1]!.reward > 0n);
});

Deno.test("player reveals what nobody can fetch: unavailable, not rated, not paid, and no harm to others", async () => {
  using network = await TestNetwork.found();
  for (const window of [0, 1]) {
    await network.whole(window, [0, 1], {
      measure: (uid) => uid === 0 ? unmeasured(VERDICT.unavailable) : {},
    });
  }
  const { payout } = await network.ledger.window(1);
  assert.equal(payout!.miners[0]!.reward, 0n);
  assert.ok(payout!.miners[1]!.reward > 0n);
  const [withheld] = await network.ledger.miners();
  assert.deepEqual([withheld!.mu, withheld!.measured], [25_000_000, 0]);
});

Deno.test("player reveals a size or codec that no reader would take: the ledger refuses", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  network.at(0, 1_000);
  await network.commit(0, 0);
  network.at(0, 8_000);
  const reveal = (change: { size?: number; codec?: number }, ref = "a") => {
    const gradient = { contentHash: network.content(0, 0), size: 1_000, codec: 1, ...change };
    return ledger.reveal(minerOf(0), 0, 0, gradient, network.salt, ref);
  };
  for (const size of [0, -1, 0.5, 10_001, 2 ** 32, Number.NaN]) {
    await refuses("gradient_registry::EBadSize", reveal({ size }));
  }
  for (const codec of [0, 4, 256]) await refuses("gradient_registry::EBadCodec", reveal({ codec }));
  for (const ref of ["", "a b", "a\n", "\u00e9", "x".repeat(257)]) {
    await refuses("gradient_registry::EBadRef", reveal({}, ref));
  }
});

Deno.test("player sends garbage that the courier's filters remark on: it goes to the judge, whose verdict counts", async () => {
  await using arena = await Arena.found();
  const honest = v1(0, await arena.net.train(0, 0));
  const garbage = { uid: 1, bytes: new Uint8Array(64).fill(0xee) };
  const bomb = { uid: 2, bytes: Uint8Array.of(...honest.bytes.subarray(0, 4), 255, 255, 255, 255) };
  await arena.play(0, [honest, garbage, bomb]);
  const { missed } = await runValidator(arena);
  assert.deepEqual(missed, []);
  const { settled } = await arena.ledger.window(0);
  assert.deepEqual(settled!.rows.map(({ verdict }) => verdictName(verdict)), [
    "accepted",
    "wrong_model",
    "undecodable",
  ]);
});

Deno.test("player names a ref outside the store: no store takes it for a key", async () => {
  await using arena = await Arena.found();
  for (const ref of ["../keys/leaf", "/etc/passwd", "a/../../b", ".draft-1", "a//b", "A"]) {
    await assert.rejects(arena.store.get(ref, { maxBytes: 10 }), { code: "bad_key" }, ref);
  }
  assert.equal(gradientKey(12, 3), "gradient-12-3-v1.pt");
});

Deno.test("player copies an accomplice, bytes or content: the later commit is a duplicate, revealed first or not", async () => {
  await using arena = await Arena.found();
  const update = await arena.net.train(0, 1);
  const { total, indices } = update;
  // Another encoding of the same content: halves survive version 2 where a block's scale is a power of two.
  const ones = Float32Array.from(indices, (_, i) => i % 2 === 0 ? 1 / 64 : -1 / 64);
  const same = { total, indices, values: ones };
  const { baseHash } = await arena.ledger.window(0);
  const rewrapped = encodeV2(same, { uid: 1, window: 0n, baseHash });
  const submissions = [v1(0, same), { uid: 1, bytes: rewrapped, codec: CODEC_V2 }, v1(2, same)];
  await arena.play(0, submissions);
  const report = await arena.settle(0, submissions.map(({ bytes }) => bytes));
  assert.deepEqual(report.entries.map(({ verdict }) => verdictName(verdict)), [
    "ok",
    "duplicate",
    "duplicate",
  ]);
  assert.equal((await arena.ledger.validators())[0]!.owner, validatorOf(0));
});

Deno.test("player sends another's gradient of the last window: it is measured, and fits its own pages worse than work does", async () => {
  await using arena = await Arena.found();
  const victim = v1(0, await arena.net.train(0, 0));
  await arena.play(0, [victim]);
  await arena.settle(0, [victim.bytes]);
  await arena.submitOutcome(await arena.ask(await arena.outcomePayload(0), [victim.bytes]));
  const honest = v1(0, await arena.net.train(1, 0));
  await arena.play(1, [honest, { ...victim, uid: 1 }]);
  const { randomBefore, entries } = await arena.settle(1, [honest.bytes, victim.bytes]);
  // How much more its own pages gain than everybody's: what the average that multiplies the pay is made of.
  const [worked, copied] = entries.map(({ ownBefore, ownAfter, randomAfter }) =>
    (ownBefore! - ownAfter!) - (randomBefore! - randomAfter!)
  ) as [number, number];
  assert.ok(worked > 0 && worked > copied, `${worked} and ${copied} units`);
});
