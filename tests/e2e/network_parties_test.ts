/**
 * The parties of a network, over the ledger that settings name: here that of a folder, where test mode runs beside them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { SYSTEM_CLOCK } from "../../host/ledger/clock.ts";
import { openNetwork } from "../../host/cli/testmode/network.ts";
import { aggregationKey } from "../../host/store/keys.ts";
import { ended, only, startCommand } from "../support/command.ts";

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!await what()) await new Promise((resolve) => setTimeout(resolve, 100));
}

const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

Deno.test("miner and aggregator --ledger dev: train, register and publish as in test mode", async () => {
  const dir = await Deno.makeTempDir();
  const onFolder = ["--ledger", "dev", "--data-dir", dir, "--json"];
  const validator = startCommand("validator", [
    ..."--test-mode --model tiny --json --miners honest --window-seconds 6 --windows 4".split(" "),
    "--data-dir",
    dir,
  ]);
  const running = ended(validator);
  const children = [validator];
  try {
    await until(() => isThere(`${dir}/validator-0.journal`));
    const mine = [...onFolder, "--as", "alice", "--windows", "2"];
    const miner = startCommand("miner", mine);
    children.push(miner);
    const mined = await ended(miner);
    assert.equal(mined.code, 0, mined.stderr);
    const said = only(mined.events, "log").map(({ message }) => message);
    for (
      const message of [
        "No VRAMHUB_MINER_UID set - looking up on-chain...",
        "Registering as miner with 1 SUI stake",
        "Saved uid=1 to .vramhub-uid",
        "Train step",
        "Gradient uploaded",
      ]
    ) {
      assert.ok(said.includes(message), `${message}\n${said.join("\n")}`);
    }
    const { code, events, stderr } = await running;
    assert.equal(code, 0, stderr);
    const rows = only(events, "settled").flatMap(({ rows }) => rows);
    const hers = rows.filter(({ uid, verdict }) => uid === 1 && verdict !== "no_reveal");
    assert.ok(hers.length > 0, "she revealed");
    assert.ok(hers.some(({ verdict }) => verdict === "accepted"), JSON.stringify(hers));
    const network = await openNetwork(dir, SYSTEM_CLOCK);
    using _ledger = network.ledger;
    await network.store.delete(aggregationKey(1));
    const aggregator = startCommand("aggregator", onFolder);
    children.push(aggregator);
    const published = ended(aggregator);
    await until(async () => await network.store.head(aggregationKey(1)) !== undefined);
    aggregator.kill("SIGTERM");
    assert.equal((await published).code, 0);
  } finally {
    for (const child of children) {
      try {
        child.kill("SIGTERM");
      } catch {
        // it has ended
      }
    }
    await running;
    await Deno.remove(dir, { recursive: true });
  }
});
