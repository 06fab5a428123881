/**
 * The player: miners who want pay without work. Copies that the judge sees are in the judge's own tests; here
 * are those that the ledger must not let through at all.
 */
import assert from "node:assert/strict";
import { openGradient } from "../../enclave/model/merge.ts";
import { commitment } from "../../enclave/protocol/commit.ts";
import { CODEC_V2, encodeV2 } from "../../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { bytes32, minerOf, refuses, TestNetwork } from "../../host/ledger/testing.ts";

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
