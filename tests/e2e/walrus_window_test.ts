import assert from "node:assert/strict";
import { SYSTEM_CLOCK } from "../../host/ledger/clock.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import { ended, only, startCommand } from "../support/command.ts";
import { startWalrusStandIn } from "../support/walrus_standin.ts";

Deno.test("validator --test-mode: miners publish the refs that Walrus gave (a stand-in), and are read by them", async () => {
  const root = await Deno.makeTempDir();
  try {
    await using standIn = startWalrusStandIn();
    const lines = ["PUBLISHER", "AGGREGATOR"].map((name) =>
      `VRAMHUB_WALRUS_${name}=${standIn.url}\n`
    );
    await Deno.writeTextFile(`${root}/.env`, lines.join(""));
    const words =
      "--test-mode --model tiny --json --window-seconds 6 --windows 2 --miners honest " +
      `--store walrus --data-dir ${root}/network`;
    const { code, events, stderr } = await ended(startCommand("validator", words.split(" "), root));
    assert.equal(code, 0, stderr);
    const verdicts = only(events, "settled").flatMap(({ rows }) => rows.map((row) => row.verdict));
    assert.deepEqual([...new Set(verdicts)], ["accepted"]);
    using ledger = DevLedger.open(`${root}/network/ledger.sqlite`, SYSTEM_CLOCK);
    const { reveals } = await ledger.window(1);
    assert.match(reveals[0]!.ref, /^walrus:[A-Za-z0-9_-]{43}$/);
    assert(standIn.epochs.has(reveals[0]!.ref.slice("walrus:".length)));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
