import assert from "node:assert/strict";
import { Folder } from "../../../tests/support/vramhub.ts";
import { minerOf, validatorOf } from "../../ledger/testing.ts";

/** Windows 0 and 1 are closed, 2 runs: miners 0 and 1 were accepted twice, and paid once. */
async function played(): Promise<Folder> {
  const folder = await Folder.found();
  await folder.network.whole(0, [0, 1]);
  await folder.network.whole(1, [0, 1]);
  folder.network.at(2, 1_000);
  return folder;
}

Deno.test("status: shows pool, emission, stakes, phase and the last windows", async () => {
  await using folder = await played();
  const json = await folder.json("status");
  assert.equal(json.network, "dev");
  assert.equal(json.simulated, true);
  assert.equal(json.window, 2);
  assert.equal(json.phase, "train and commit");
  assert.equal(json.emission, "70000000000");
  assert.equal(BigInt(json.pool) + BigInt(json.issued), 10_500_000n * 10n ** 9n);
  assert.deepEqual([json.miners, json.validators], [3, 1]);
  assert.deepEqual(
    json.windows.map((row: { window: number; status: string; reveals: number }) => [
      row.window,
      row.status,
      row.reveals,
    ]),
    [[1, "closed", 2], [0, "closed", 2]],
  );
  const text = await folder.text("status");
  assert.match(text, /^pool +10499930 VRAM to be mined, 70 VRAM to be claimed$/m);
  assert.match(text, /^emission +70 VRAM a window$/m);
  assert.match(text, /^min stake +0\.000001 SUI as miner/m);
  assert.match(text, /^window +2, train and commit, 7 s left/m);
  assert.match(text, /SIMULATED/);
  assert.match(text, /^ +1 +closed +2 +2 +70 /m);
});

Deno.test("status: names the phase of every part of a window, and who is awaited", async () => {
  await using folder = await Folder.found();
  const { network } = folder;
  const phase = async () => (await folder.json("status")).phase;
  network.at(0, 0);
  assert.equal(await phase(), "train and commit");
  await network.commit(0, 0);
  network.at(0, 8_000);
  assert.equal(await phase(), "reveal");
  await network.reveal(0, 0);
  network.at(0, 9_500);
  assert.equal(await phase(), "closed to miners");
  network.at(1, 0);
  assert.match(await folder.text("status"), /^ +0 +reports 0\/1, 6 s left/m);
  await network.report(0, 0);
  await network.ledger.settle(0, 64);
  assert.match(await folder.text("status"), /^ +0 +outcomes 0\/1, 9 s left/m);
  network.at(2, 0);
  assert.match(await folder.text("status"), /^ +0 +(skipped|outcomes 0\/1, overdue|closed)/m);
});

Deno.test("status --uid, --validator-uid: show one slot, or that nobody holds it", async () => {
  await using folder = await played();
  const miner = await folder.json("status --uid 1");
  assert.equal(miner.owner, minerOf(1));
  assert.equal(miner.accepted, 2);
  assert.ok(BigInt(miner.claimable) > 0n);
  assert.match(await folder.text("status --uid 1"), /accepted +2 of 2 measured windows/);
  const validator = await folder.json("status --validator-uid 0");
  assert.equal(validator.owner, validatorOf(0));
  assert.equal(validator.enclave.measurement, "build-1");
  assert.match(await folder.text("status --validator-uid 0"), /^build +build-1, SIMULATED$/m);
  await folder.refused("status --uid 9", 2, /nobody holds this slot/);
  await folder.refused("status --validator-uid 9", 2, /nobody holds this slot/);
});

Deno.test("scores: shows rating, weight, pay and claimable rewards of the last closed window", async () => {
  await using folder = await played();
  const json = await folder.json("scores");
  assert.equal(json.window, 1);
  assert.deepEqual(json.rows.map((row: { uid: number }) => row.uid), [0, 1, 2]);
  const [first, second, idle] = json.rows;
  assert.deepEqual([first.share, second.share, idle.share], [0.5, 0.5, 0]);
  assert.equal(first.verdict, "accepted");
  assert.equal(first.score, 0.05);
  assert.ok(BigInt(first.earned) > 34_000_000_000n);
  assert.equal(first.claimable, first.earned);
  assert.equal(idle.verdict, null);
  const text = await folder.text("scores");
  assert.match(text, /^window 1, closed, 70 VRAM issued$/m);
  assert.match(text, /^ +0 +30\.00 ± 5\.00 +15\.00 +accepted +\+0\.050000 +50\.0 %/m);
});

Deno.test("scores --uid --window: one miner, one window; before the second accepted one nobody is paid", async () => {
  await using folder = await played();
  const json = await folder.json("scores --uid 0 --window 0");
  assert.equal(json.rows.length, 1);
  assert.deepEqual([json.window, json.rows[0].earned, json.issued], [0, "0", "0"]);
  await folder.refused("scores --uid 9", 2, /nobody holds this slot/);
  await folder.refused("scores --window 77", 1, /round_state::EUnknownWindow/);
});

Deno.test("scores: without a closed window it says so", async () => {
  await using folder = await Folder.found();
  assert.match(await folder.text("scores"), /^no window is closed yet$/m);
});

Deno.test("checkpoint: shows the base of a window and the merge that made it", async () => {
  await using folder = await Folder.found();
  const merged = new Uint8Array(32).fill(7);
  const outcome = { manifestHash: merged, currentLoss: 1_000_000, mergedLoss: 900_000 };
  await folder.network.whole(0, [0], {}, outcome);
  folder.network.at(2, 0);
  const json = await folder.json("checkpoint");
  assert.deepEqual([json.window, json.mergedFrom], [2, 0]);
  assert.equal(json.baseHash, "07".repeat(32));
  assert.deepEqual([json.currentLoss, json.mergedLoss], [1, 0.9]);
  assert.match(
    await folder.text("checkpoint"),
    /^merge +of window 0: loss 1\.0000 → 0\.9000 nats$/m,
  );
  const before = await folder.json("checkpoint --window 1");
  assert.equal(before.mergedFrom, null);
  assert.notEqual(before.baseHash, json.baseHash);
});
