/**
 * A training job by the commands themselves: `miner --job` in a process of its own, and beside its windows a running
 * validator whose judge is locked down; the data is the customer's.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openNetwork, wallet } from "../../host/cli/testmode/network.ts";
import { buildDataset } from "../../host/data/build.ts";
import { pushDataset } from "../../host/data/shared.ts";
import { SYSTEM_CLOCK } from "../../host/ledger/clock.ts";
import { COIN, HOUR } from "../../host/ledger/testing_coins.ts";
import { genesisBase } from "../../host/store/bases.ts";
import { GENESIS_REF } from "../../host/store/job_weights.ts";
import { ended, only, startCommand } from "../support/command.ts";

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!await what()) await new Promise((resolve) => setTimeout(resolve, 100));
}

const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

/** A few words over and over: a page of them teaches what the others hold. */
function text(): string {
  let state = 7;
  return Array.from({ length: 1_500 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return "the whale and a sea of white men".split(" ")[(state >>> 16) % 8]!;
  }).join(" ");
}

Deno.test("miner --job: claims, trains and delivers; the validator's judge decides the dispute between its windows", async () => {
  const dir = await Deno.makeTempDir();
  const validator = startCommand("validator", [
    ..."--test-mode --model tiny --json --miners idle --window-seconds 6 --windows 40".split(" "),
    "--data-dir",
    dir,
  ]);
  const running = ended(validator);
  let status = "not posted";
  try {
    await until(() => isThere(`${dir}/validator-0.journal`));
    const network = await openNetwork(dir, SYSTEM_CLOCK);
    using ledger = network.ledger;
    const out = `${dir}/customer`;
    await Deno.writeTextFile(`${dir}/book.jsonl`, JSON.stringify({ text: text() }) + "\n");
    const sources = [`${dir}/book.jsonl`];
    const plan = { sources, field: "text", tokenizer: "bytes", pageTokens: 65, out };
    const { dataset } = await buildDataset(plan, () => {});
    await pushDataset(out, network.store, () => {});
    const customer = await wallet(dir, "carla");
    ledger.faucet(customer, 10n * COIN);
    const { modelHash } = await ledger.info();
    const id = await ledger.postJob(customer, {
      modelParamsM: 1,
      datasetTokensM: 1,
      numEpochs: 1,
      batchSize: 4,
      sequenceLength: 64,
      precision: "FP32",
      minGpuVramGb: 0,
      datasetId: await ledger.registerJobDataset(customer, dataset),
      baseHash: genesisBase(network.model, modelHash).hash,
      baseRef: GENESIS_REF,
      minImprovement: 100_000,
    }, ledger.now() + HOUR);

    const onFolder = ["--data-dir", dir, "--as", "dave", "--json", "--trainer", "onnx"];
    const mined = await ended(startCommand("miner", ["--job", String(id), ...onFolder]));
    assert.equal(mined.code, 0, mined.stderr);
    const said = only(mined.events, "log").map(({ message }) => message);
    for (const message of ["Job claimed", "Job trained", "Result uploaded", "Job delivered"]) {
      assert.ok(said.includes(message), `${message}\n${said.join("\n")}`);
    }
    await ledger.disputeJob(customer, id);
    const decided = until(async () => (await ledger.job(id))!.status !== "disputed");
    await Promise.race([decided, running]); // it is 40 windows long
    status = (await ledger.job(id))!.status;
    const slots = (await ledger.miners()).length;
    const stranger = onFolder.map((word) => word === "dave" ? "erin" : word);
    const again = await ended(startCommand("miner", [`--job=${id + 1}`, ...stranger]));
    assert.equal(again.code, 1);
    assert.match(again.stderr, /Cannot work on job 1: there is none/);
    assert.equal((await ledger.miners()).length, slots, "a job that is none costs no stake");
    const tried = await ended(startCommand("miner", [`--job=${id}`, "--dry-run", ...onFolder]));
    assert.match(tried.stderr, /Cannot try a job with --dry-run/);
  } finally {
    try {
      validator.kill("SIGTERM");
    } catch {
      // it has ended
    }
    await running;
    await Deno.remove(dir, { recursive: true });
  }
  const said = only((await running).events, "log");
  const desk = said.filter(({ target }) => target === "vramhub_validator::jobs");
  assert.equal(status, "settled", JSON.stringify(desk, null, 2));
  const failed = said.filter(({ message, target }) =>
    target === "vramhub_validator" && message === "Window failed"
  );
  assert.deepEqual(failed, [], "no window was disturbed");
});
