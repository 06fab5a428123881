/**
 * A network founded on a model package: a sidecar that loaded the package trains for a miner, a judge in a locked-down
 * process of its own measures, and the miner is accepted and paid.
 *
 * @module
 */
import assert from "node:assert/strict";
import { pageTokens } from "../../enclave/model/presets.ts";
import { concat, toHex, u32le, utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS, type Hparams } from "../../enclave/protocol/hparams.ts";
import { SETTLED } from "../../enclave/protocol/verdict.ts";
import { type OpenPackage, readPackage } from "../../host/cli/model/folder.ts";
import { MODEL_FOLDER } from "../../host/cli/model/open.ts";
import { beaconPeriod } from "../../host/cli/testmode/calibrate.ts";
import { aboutPath, openLocalBeacon } from "../../host/cli/testmode/local_beacon.ts";
import { wallet } from "../../host/cli/testmode/network.ts";
import { startJudge } from "../../host/courier/judge_process.ts";
import { openTestRoot } from "../../host/credentials/test_root.ts";
import { SYSTEM_CLOCK } from "../../host/ledger/clock.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import { genesisBase } from "../../host/store/bases.ts";
import { Pages } from "../../host/store/pages.ts";
import { PCRS } from "../crash/judge.ts";
import { ended, only, startCommand } from "../support/command.ts";
import { PACKAGE_DIR } from "../support/package.ts";
import { findPython } from "../support/python.ts";
import { startSidecar } from "../support/sidecar.ts";

const WINDOWS = 6;
const HPARAMS: Hparams = {
  ...DEFAULT_HPARAMS,
  window_ms: 6_000,
  beacon_margin_ms: 120,
  min_judge_ms: 3_000,
  own_pages: 16,
  random_pages: 16,
  heldout_pages: 8,
  topk_bps: 10_000, // nothing stays behind that a later window would send too late
  checkpoint_frequency: 5,
};
/** The architecture that `tests/vectors/package/record.py` exported. */
const ARCHITECTURE = {
  model_type: "gpt2",
  architectures: ["GPT2LMHeadModel"],
  ...{ vocab_size: 128, n_layer: 2, n_embd: 8, n_head: 2, n_positions: 64 },
  ...{ bos_token_id: null, eos_token_id: null },
};

const python = await findPython();

/** The recorded package where every party of the folder `dir` looks for it. */
async function layPackage(dir: string): Promise<OpenPackage> {
  const folder = `${dir}/${MODEL_FOLDER}`;
  await Deno.mkdir(folder);
  for await (const { name } of Deno.readDir(PACKAGE_DIR)) {
    await Deno.copyFile(`${PACKAGE_DIR}/${name}`, `${folder}/${name}`);
  }
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(ARCHITECTURE));
  return await readPackage(folder);
}

/** Words in any order, a token a byte. */
async function layPages(dir: string, length: number): Promise<Pages> {
  const words = "the whale and a sea of white men saw ship in boat old captain said to".split(" ");
  let state = 3;
  let text = "";
  while (text.length < 200 * length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    text += `${words[(state >>> 16) % words.length]} `;
  }
  const tokens = concat(...[...utf8(text.slice(0, 200 * length))].map(u32le));
  const pages = new Pages(tokens, length, sha256(utf8("bytes")));
  await pages.save(`${dir}/dataset`);
  return pages;
}

/** A dev ledger of that package in `dir`, with a validator's seat, and a root for its judge. */
async function found(dir: string) {
  const { config, hash } = await layPackage(dir);
  const base = genesisBase(config, hash).hash;
  const pages = await layPages(dir, pageTokens(config));
  const now = SYSTEM_CLOCK.now();
  const about = { genesisMs: now, periodMs: beaconPeriod(HPARAMS.window_ms) };
  await Deno.writeTextFile(aboutPath(dir), JSON.stringify(about));
  const beacon = await openLocalBeacon(dir, SYSTEM_CLOCK, about);
  const root = await openTestRoot(`${dir}/keys`);
  const ledger = DevLedger.open(`${dir}/ledger.sqlite`, SYSTEM_CLOCK);
  ledger.found({
    chainId: sha256(utf8("chain")),
    ledgerId: sha256(utf8("ledger")),
    admin: await wallet(dir, "admin"),
    model: config.name,
    modelHash: hash,
    baseHash: base,
    dataset: pages.dataset,
    beacon: beacon.chain,
    hparams: HPARAMS,
    epoch: { firstWindow: 1, startMs: now },
    measurements: [{ name: "simulated", pcrs: PCRS }],
    simulatedRoot: root.root,
    seats: [{
      role: "validator",
      owner: await wallet(dir, "judging"),
      stake: BigInt(HPARAMS.min_validator_stake),
    }],
  });
  return { ledger, root, base, total: config.package.trainable.total };
}

Deno.test({
  name:
    "miner --trainer sidecar: trains a network's package, is accepted by its judge and paid (needs PyTorch)",
  ignore: python === undefined,
  async fn() {
    const dir = await Deno.makeTempDir();
    const { base, ledger, root, total } = await found(dir);
    await Deno.writeTextFile(
      `${dir}/.env`,
      "VRAMHUB_INNER_STEPS=8\nVRAMHUB_LEARNING_RATE=0.003\n",
    );
    const leaf = await root.issueLeaf();
    const judge = await startJudge({ socketPath: `${dir}/judge.sock`, leaf, pcrs: [...PCRS] });
    const onFolder = ["--ledger", "dev", "--data-dir", dir, "--json"];
    const children: Deno.ChildProcess[] = [];
    const start = (name: string, ...words: string[]) => {
      children.push(startCommand(name, [...onFolder, ...words], dir));
      return ended(children.at(-1)!);
    };
    try {
      await using sidecar = await startSidecar(python!, ["--package", `${dir}/${MODEL_FOLDER}`]);
      const judged = start(
        "validator",
        ...["--dev", "--judge", `unix:${judge.socketPath}`, "--as", "judging"],
        ...["--windows", String(WINDOWS)],
      );
      const mined = await start(
        "miner",
        ...["--trainer", sidecar.url, "--as", "alice", "--windows", String(WINDOWS - 3)],
      );
      assert.equal(mined.code, 0, mined.stderr);
      const log = only(mined.events, "log");
      const starting = log.find(({ message }) => message === "Miner starting");
      assert.equal(starting?.fields.adapter, "sidecar", mined.stderr);
      const step = log.find(({ message }) => message === "Train step");
      assert.ok(Number(step?.fields.grad_params) <= total);
      const { code, events, stderr } = await judged;
      assert.equal(code, 0, stderr);

      // On a machine that is slow to start, the miner's last windows are after the validator's.
      const windowsOf = (lines: typeof log, said: string) =>
        lines.filter(({ message }) => message === said).map(({ fields }) => Number(fields.window));
      const closed = windowsOf(only(events, "log"), "Window ended");
      const trained = windowsOf(log, "Gradient uploaded").filter((window) =>
        closed.includes(window)
      );
      assert.ok(trained.length >= 2, `${trained} of ${closed}\n${mined.stderr}`);
      // Two windows are of the first base, of which there is much to learn: a model as small as this soon has no more.
      const views = await Promise.all(
        trained.slice(0, 2).map((window) => ledger.window(window)),
      );
      for (const { settled } of views) {
        assert.deepEqual(settled?.rows.map(({ verdict }) => verdict), [SETTLED.accepted]);
      }
      assert.equal(toHex(views[0]!.baseHash), toHex(base));
      assert.ok(views[0]!.payout!.mergedHash !== null, "what it taught is in a base");
      assert.ok(views[1]!.payout!.issued > 0n, "paid from the second accepted window on");
      const { claimable } = await ledger.balance(await wallet(dir, "alice"));
      assert.ok(claimable >= views[1]!.payout!.issued, "and it is hers");
    } finally {
      for (const child of children) {
        try {
          child.kill("SIGTERM");
        } catch {
          // it has ended
        }
      }
      await judge.stop();
      ledger[Symbol.dispose]();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
