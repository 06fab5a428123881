import assert from "node:assert/strict";
import { Folder } from "../../../tests/support/vramhub.ts";
import { Config } from "../../config/mod.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { validatorOf } from "../../ledger/testing.ts";
import { isForNetwork, parseNetworkArgs, withMode } from "../args_network.ts";
import { openLedger } from "../open_ledger.ts";
import { runOn } from "./validator.ts";

const id = (n: number) => `0x${n.toString(16)}`;
const OBJECTS =
  "hparams datasetRegistry roundState validatorRegistry peerRegistry gradientRegistry " +
  "enclaveRegistry rewardPool scoreLedger treasury jobBoard";

/** Where nobody listens. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function start(party: string, dir: string, ...args: string[]) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL(`../${party}.ts`, import.meta.url).pathname, ...args],
    cwd: dir,
    env: { VRAMHUB_NETWORKS_FILE: `${dir}/networks.json`, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

for (const party of ["validator", "miner", "aggregator"]) {
  Deno.test(`${party} --ledger sui --network localnet: without a node, it says what to start`, async () => {
    const dir = await Deno.makeTempDir();
    const words = ["--ledger", "sui", "--network", "localnet"];
    try {
      const unpublished = await start(party, dir, ...words);
      assert.equal(unpublished.code, 1);
      assert.match(
        unpublished.stderr,
        /sui start --with-faucet.*ledger publish --network localnet/,
      );
      const localnet = {
        ledger: "sui",
        url: `http://127.0.0.1:${freePort()}`,
        chainId: "69WiPg3DAQiwdxfncX6wYQ2siKwAe6L9BZthQea3JNMD",
        packageId: id(99),
        model: "tiny",
        objects: Object.fromEntries(OBJECTS.split(" ").map((name, i) => [name, id(i + 1)])),
      };
      await Deno.writeTextFile(`${dir}/networks.json`, JSON.stringify({ localnet }));
      const { code, stderr } = await start(party, dir, ...words);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^error: Cannot reach a Sui node at http:\/\/127\.0\.0\.1:\d+: start one with 'sui start --with-faucet/m,
      );
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

Deno.test("isForNetwork, parseNetworkArgs: a ledger on Sui, or a network, is no test mode", () => {
  for (const line of ["--ledger sui", "--ledger=sui --json", "--network testnet", "--network=x"]) {
    assert.ok(isForNetwork(line.split(" ")), line);
  }
  assert.ok(isForNetwork(["--ledger", "dev"]) && isForNetwork(["--ledger=dev"]));
  for (const line of ["--dry-run --test-mode", "--test-mode --only-uid 3", "--only-uid=3"]) {
    assert.ok(isForNetwork(line.split(" ")), line);
  }
  for (const line of ["--test-mode", "--test-mode --ledger dev", "--help"]) {
    assert.ok(!isForNetwork(line.split(" ")), line);
  }
  const line =
    "--ledger sui --network localnet --data-dir d --judge vsock:16:3000 --windows 3 --json";
  assert.deepEqual(parseNetworkArgs(line.split(" ")), {
    ledger: "sui",
    as: undefined,
    store: undefined,
    dev: false,
    network: "localnet",
    dataDir: "d",
    judge: { kind: "vsock", cid: 16, port: 3_000 },
    windows: 3,
    json: true,
    testMode: false,
    onlyUid: undefined,
    explorer: false,
    explorerPort: undefined,
    logFormat: undefined,
    metrics: undefined,
    verbosity: 0,
  });
});

Deno.test("withMode: settings say the mode where the words do not", () => {
  const config = (values: Record<string, string>) => new Config([{ name: "a test", values }]);
  const words = (line: string, values: Record<string, string>, hasTestMode = true) =>
    withMode(line.split(" ").filter((word) => word !== ""), config(values), hasTestMode).join(" ");
  const test = { VRAMHUB_TEST_MODE: "1" };
  const sui = { SLCL_LEDGER: "sui" };
  assert.equal(words("--windows 3", test), "--test-mode --windows 3");
  assert.equal(words("--json", test, false), "--json");
  assert.equal(words("--json", sui), "--json --ledger sui");
  assert.equal(words("--json", {}), "--json");
  for (
    const line of ["--test-mode", "--help", "--ledger dev", "--network=x", "--completion=bash"]
  ) {
    assert.equal(words(line, { ...test, ...sui }), line);
  }
});

Deno.test("runOn: what a validator lacks is said before it begins", async () => {
  await using folder = await Folder.found();
  const { clock } = folder.network;
  const values: Record<string, string> = {
    VRAMHUB_DATA_DIR: folder.dir,
    VRAMHUB_WALLET_ADDRESS: validatorOf(0),
  };
  const run = async (changes: Record<string, string>, words = "", aws = false) => {
    const config = new Config([{ name: "a test", values: { ...values, ...changes } }]);
    using opened = await openLedger(config, { clock, home: undefined });
    const info = { ...await opened.ledger.info(), simulatedRoot: null };
    const ledger = aws ? { info: () => Promise.resolve(info) } as unknown as Ledger : opened.ledger;
    const args = parseNetworkArgs(words.split(" ").filter((word) => word !== ""));
    const signal = new AbortController().signal;
    await runOn({ ...opened, ledger }, args, {
      config,
      home: undefined,
      clock,
      log: () => {},
      signal,
    });
  };
  await assert.rejects(run({}, "--test-mode", true), /it takes documents of AWS's root alone/);
  await assert.rejects(run({}), /give --judge ADDRESS, or set VRAMHUB_ENCLAVE_URL/);
  await assert.rejects(run({ VRAMHUB_ENCLAVE_URL: "http://x" }), /expected unix:PATH, vsock/);
  const judge = "--judge unix:nowhere.sock";
  const production = { VRAMHUB_NITRO_ENCLAVE: "true" };
  await assert.rejects(run(production, judge), /in production.*takes documents of a SIMULATED/);
  await assert.rejects(run(production, `${judge} --dev`), /--dev is the opposite/);
  await assert.rejects(run(production, judge, true), /a judge at unix: is no enclave/);
  await assert.rejects(run({ VRAMHUB_VALIDATOR_UID: "7" }, judge), /names another's slot/);
  const stranger = { VRAMHUB_WALLET_ADDRESS: `0x${"5".repeat(64)}` };
  await assert.rejects(run(stranger, judge), /holds no slot; take one with .*register-validator/);
  await assert.rejects(run({}, judge), /Cannot find the network's data set/);
});
