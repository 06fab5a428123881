import assert from "node:assert/strict";
import { SYSTEM_CLOCK } from "../../host/ledger/clock.ts";
import { openNetwork } from "../../host/cli/testmode/network.ts";
import { Bases } from "../../host/store/bases.ts";
import { aggregationKey } from "../../host/store/keys.ts";
import { ended, only, startCommand } from "../support/command.ts";

Deno.test("aggregator: what it publishes leads a newcomer to the base that replaying from genesis gives", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const args = ["--test-mode", "--model", "tiny", "--json", "--miners", "honest"];
    const run = startCommand("validator", [
      ...args,
      "--windows",
      "5",
      "--window-seconds",
      "6",
      "--data-dir",
      dir,
    ]);
    const { code, events, stderr } = await ended(run);
    assert.equal(code, 0, stderr);
    const [, last] = only(events, "heldout");
    const { ledger, model, store } = await openNetwork(dir, SYSTEM_CLOCK);
    using _ledger = ledger;
    const checkpoints = await store.list("checkpoint-");
    assert.equal(checkpoints.length, 1, "a manifest");
    assert((await store.list("chunks/")).length > 0, "and its chunks");
    assert(await store.head(aggregationKey(1)) !== undefined, "the inputs of the first merge");
    const after = last!.atWindow;
    const wanted = (await ledger.window(5)).payout!.mergedHash!;
    const newcomer = await Bases.open(ledger, store, model);
    assert(newcomer.current.manifest.window > 0, "it starts from the checkpoint");
    const uploaded = await newcomer.reach(wanted, after);
    for (const key of checkpoints) await store.delete(key);
    const replayer = await Bases.open(ledger, store, model);
    assert.equal(replayer.current.manifest.window, 0, "it starts from genesis");
    const replayed = await replayer.reach(wanted, after);
    assert.deepEqual(replayed.hash, uploaded.hash);
    assert.deepEqual(replayed.theta, uploaded.theta);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("aggregator: a second one takes over a running network's publishing, and ends on SIGTERM", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const args = ["--test-mode", "--model", "tiny", "--json", "--miners", "honest"];
    const first = await ended(
      startCommand("validator", [...args, "--windows", "1", "--data-dir", dir]),
    );
    assert.equal(first.code, 0, first.stderr);
    const child = startCommand("aggregator", ["--json", "--data-dir", dir]);
    const lines = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    const { value } = await lines.next();
    child.kill("SIGTERM");
    assert.match(value!, /Aggregator starting/);
    for await (const _rest of lines);
    await child.stderr.cancel();
    assert.equal((await child.status).code, 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
