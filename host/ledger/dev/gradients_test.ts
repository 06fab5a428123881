import assert from "node:assert/strict";
import { foldReveals } from "../../../enclave/protocol/commit.ts";
import { bytes32, minerOf, refuses, TestNetwork } from "../testing.ts";

Deno.test("commit: is refused outside its window, from its deadline on, and by strangers", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { ledger } = network;
  await refuses("gradient_registry::EWrongWindow", network.commit(0, 1));
  await refuses("peer_registry::ENotOwner", network.commit(0, 0, minerOf(1)));
  await refuses("peer_registry::ENotOwner", network.commit(9, 0));
  const short = bytes32("x").subarray(1);
  await refuses("gradient_registry::EBadCommitment", ledger.commit(minerOf(0), 0, 0, short));
  network.at(0, 7_999);
  await network.commit(0, 0);
  await refuses("gradient_registry::EAlreadyCommitted", network.commit(0, 0));
  network.at(0, 8_000);
  await refuses("gradient_registry::ECommitsClosed", network.commit(1, 0));
  network.at(1);
  await refuses("gradient_registry::EWrongWindow", network.commit(1, 0));
});

Deno.test("commit: is numbered through all windows", async () => {
  using network = await TestNetwork.found({ attested: false });
  assert.deepEqual([await network.commit(2, 0), await network.commit(0, 0)], [0, 1]);
  network.at(1);
  assert.equal(await network.commit(1, 1), 2);
});

Deno.test("reveal: is taken from the commit deadline to its own, exclusive", async () => {
  using network = await TestNetwork.found({ attested: false });
  for (const uid of [0, 1, 2]) await network.commit(uid, 0);
  network.at(0, 7_999);
  await refuses("gradient_registry::ERevealsNotOpen", network.reveal(0, 0));
  network.at(0, 8_000);
  await network.reveal(0, 0);
  await refuses("gradient_registry::EAlreadyRevealed", network.reveal(0, 0));
  network.at(0, 9_499);
  await network.reveal(1, 0);
  network.at(0, 9_500);
  await refuses("gradient_registry::ERevealsClosed", network.reveal(2, 0));
  network.at(1);
  await refuses("gradient_registry::EWrongWindow", network.reveal(2, 0));
});

Deno.test("reveal: must be what was committed, by who committed it", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { ledger, salt } = network;
  await network.commit(0, 0);
  network.at(0, 8_000);
  await refuses("gradient_registry::ENotCommitted", network.reveal(1, 0));
  await refuses("peer_registry::ENotOwner", network.reveal(0, 0, minerOf(1)));
  const gradient = { contentHash: network.content(0, 0), size: 1_000, codec: 1 };
  const reveal = (change: Partial<typeof gradient>, used = salt, ref = "a") =>
    ledger.reveal(minerOf(0), 0, 0, { ...gradient, ...change }, used, ref);
  for (const size of [0, -1, 1.5, 10_001, Number.NaN]) {
    await refuses("gradient_registry::EBadSize", reveal({ size }));
  }
  for (const codec of [0, 4, 255]) await refuses("gradient_registry::EBadCodec", reveal({ codec }));
  for (const ref of ["", "a b", "ä", "x".repeat(257), "a\n"]) {
    await refuses("gradient_registry::EBadRef", reveal({}, salt, ref));
  }
  const mismatch = [
    reveal({ contentHash: bytes32("another") }),
    reveal({ contentHash: new Uint8Array(31) }),
    reveal({}, bytes32("another salt")),
    reveal({}, new Uint8Array(33)),
  ];
  for (const call of mismatch) await refuses("gradient_registry::ECommitmentMismatch", call);
  await reveal({ size: 10_000 });
});

Deno.test("commit: a copied commitment is bound to the wrong slot and cannot be revealed", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { ledger, salt } = network;
  await network.commit(0, 0);
  const { body } = (await network.events()).at(-1)!;
  const copied = Uint8Array.from(
    (body.commitment as string).match(/../g)!,
    (hex) => parseInt(hex, 16),
  );
  await ledger.commit(minerOf(1), 1, 0, copied);
  network.at(0, 8_000);
  await network.reveal(0, 0);
  const gradient = { contentHash: network.content(0, 0), size: 1_000, codec: 1 };
  await refuses(
    "gradient_registry::ECommitmentMismatch",
    ledger.reveal(minerOf(1), 1, 0, gradient, salt, "a"),
  );
});

Deno.test("reveal: is folded in order of arrival", async () => {
  using network = await TestNetwork.found({ attested: false });
  for (const uid of [1, 0, 2]) await network.commit(uid, 0);
  network.at(0, 8_000);
  const empty = await network.ledger.window(0);
  for (const uid of [2, 1]) await network.reveal(uid, 0);
  const view = await network.ledger.window(0);
  assert.deepEqual(view.reveals.map(({ uid, commitSeq }) => [uid, commitSeq]), [[2, 2], [1, 0]]);
  assert.deepEqual(view.reveals[0]!.ref, "gradient-0-2-v1.pt");
  assert.deepEqual(view.acc, foldReveals(view.reveals));
  assert.notDeepEqual(view.digest, empty.digest);
});

Deno.test("commit: one that is never revealed costs a fee, once, and the stake covers it", async () => {
  using network = await TestNetwork.found({
    hparams: { unrevealed_fee: 3_000, min_miner_stake: 0 },
  });
  const { ledger } = network;
  const stakes = async () => (await ledger.miners()).map(({ stake }) => stake);
  await network.commit(0, 0);
  await network.commit(1, 0);
  network.at(0, 8_000);
  await network.reveal(1, 0);
  assert.deepEqual(await stakes(), [5_000n, 5_000n, 5_000n]);
  network.at(1);
  assert.deepEqual(await stakes(), [2_000n, 5_000n, 5_000n]);
  await refuses("peer_registry::EInsufficientStake", network.commit(0, 1));
  network.at(3);
  assert.deepEqual(await stakes(), [2_000n, 5_000n, 5_000n]);
  const charged = (await network.events())
    .filter(({ kind }) => kind === "peer_registry::UnrevealedCharged");
  assert.deepEqual(charged.map(({ body }) => [body.window, body.uid, body.fee]), [
    [0, 0, "3000"],
  ]);
});

Deno.test("commit: a stake that no longer covers the fee takes part no more", async () => {
  using network = await TestNetwork.found({ hparams: { unrevealed_fee: 2_000 } });
  const { ledger } = network;
  for (const window of [0, 1]) {
    network.at(window);
    await network.commit(0, window);
  }
  network.at(2);
  assert.equal((await ledger.miners())[0]!.stake, 1_000n);
  await refuses("peer_registry::EInsufficientStake", network.commit(0, 2));
  await network.commit(1, 2);
});
