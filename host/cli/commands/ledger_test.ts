import assert from "node:assert/strict";
import { callVramhub, Folder } from "../../../tests/support/vramhub.ts";
import { ConfigError, OBJECT_NAMES } from "../../config/mod.ts";
import { address } from "../../ledger/testing.ts";
import type { publish } from "./publish.ts";

const IDS = Object.fromEntries(OBJECT_NAMES.map((name, i) => [name, address(100 + i)]));
const CHAIN = "69WiPg3DAQiwdxfncX6wYQ2siKwAe6L9BZthQea3JNMD";
const BUILD = JSON.stringify({
  modules: [{ name: "hparams", bytes: "oRzrCw==" }],
  dependencies: [address(1), address(2)],
  digest: "ab".repeat(32),
});

Deno.test("ledger faucet: test SUI for the caller or another, out of nothing on a dev ledger", async () => {
  await using folder = await Folder.found();
  assert.match(await folder.text("ledger faucet --as anna"), /^0x\w{64} holds 20 SUI$/);
  assert.match(await folder.text("ledger faucet --as anna --amount 1.5sui"), /holds 21\.5 SUI$/);
  const json = await folder.json(`ledger faucet --to ${address(7)} --amount 5`);
  assert.deepEqual(json, { address: address(7), sui: "5" });
});

Deno.test("ledger faucet: of a local network, also before anything is published on it", async () => {
  await using folder = await Folder.found();
  const asked: unknown[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      asked.push([new URL(request.url).pathname, await request.json()]);
      return Response.json({});
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const file = `${folder.dir}/networks.json`;
  const localnet = { ledger: "sui", url: "http://127.0.0.1:1", faucetUrl: url };
  await Deno.writeTextFile(file, JSON.stringify({ localnet, bare: { ledger: "sui", url } }));
  const env = { VRAMHUB_NETWORKS_FILE: file };
  const line = `ledger faucet --network localnet`;
  assert.match(
    await folder.text(`${line} --to ${address(7)}`, { env }),
    /^the faucet of localnet has funded 0x0+7$/,
  );
  assert.deepEqual(asked, [
    ["/v2/gas", { FixedAmountRequest: { recipient: address(7) } }],
  ]);
  await folder.refused(line, 2, /give --to, or set VRAMHUB_WALLET_MNEMONIC/, { env });
  await folder.refused("ledger faucet --network bare", 2, /bare: it has no faucet/, { env });
});

Deno.test("ledger events: every transition, by kind, from a number on", async () => {
  await using folder = await Folder.found();
  await folder.network.whole(0, [0, 1]);
  const all = (await folder.json("ledger events --limit 1000")).events;
  assert.ok(all.some(({ kind }: { kind: string }) => kind === "round_state::NetworkFounded"));
  const reveals = (await folder.json("ledger events --kind Revealed --limit 1")).events;
  assert.equal(reveals.length, 1);
  assert.match(reveals[0].kind, /Revealed/);
  const later =
    (await folder.json(`ledger events --after ${reveals[0].seq} --kind Revealed`)).events;
  assert.ok(later.every((event: { seq: number }) => event.seq > reveals[0].seq));
  assert.match(await folder.text("ledger events --limit 3"), /^ *\d+ +20\S+Z +0 +\w+::\w+/m);
  assert.equal(await folder.text("ledger events --kind Nothing"), "there is no such event");
});

Deno.test("ledger roll: brings the ledger to the running window", async () => {
  await using folder = await Folder.found();
  folder.network.at(3);
  assert.equal(await folder.text("ledger roll"), "the ledger stands in window 3");
});

Deno.test("ledger found, ledger approve-at-genesis: a dev ledger is founded by test mode", async () => {
  await using folder = await Folder.found();
  await folder.refused("ledger found --dataset-id 0 --model tiny", 2, /validator --test-mode/);
  await folder.refused("ledger found --dataset-id 0 --model tiny top_h=1", 2, /no such name/);
  await folder.refused("ledger found --dataset-id 0 --model tiny top_g=0", 1, /top_g is 0/);
  const pcrs = [0, 1, 2].map((i) => `--pcr${i} ${"1".repeat(96)}`).join(" ");
  await folder.refused(`ledger approve-at-genesis --name b ${pcrs}`, 2, /validator --test-mode/);
});

Deno.test("ledger networks, ledger profile: the known ones, and what is not published yet says so", async () => {
  await using folder = await Folder.found();
  const text = await folder.text("ledger networks");
  assert.match(text, /^dev +dev +in a folder/m);
  assert.match(text, /^testnet +sui +not published yet +https:/m);
  assert.match(
    await folder.text("ledger profile testnet"),
    /^package +not published yet: ledger publish$/m,
  );
  assert.match(await folder.text("ledger profile dev"), /folder/);
  await folder.refused("ledger profile tesnet", 2, /the known are dev, localnet, testnet, mainnet/);
  const env = { VRAMHUB_PACKAGE_ID: address(5), SLCL_HPARAMS_ID: address(6) };
  const json = await folder.json("ledger profile testnet", { env });
  assert.deepEqual([json.packageId, json.objects.hparams], [address(5), address(6)]);
});

Deno.test("ledger publish: hands the built package over and writes the profile it gets back", async () => {
  await using folder = await Folder.found();
  const file = `${folder.dir}/build.json`;
  await Deno.writeTextFile(file, BUILD);
  const asked: Parameters<typeof publish>[] = [];
  const outside = {
    publish: (...call: Parameters<typeof publish>) => {
      asked.push(call);
      const ids = { packageId: address(9), objects: IDS, publisher: address(3) };
      const network = { ...call[2], chainId: CHAIN, ...ids };
      return Promise.resolve({ network, transaction: "digest" });
    },
  };
  const around = { outside, home: folder.dir, clock: folder.network.clock };
  const line = ["ledger", "publish", "--network", "localnet", "--package", file];
  const { err, out, status } = await callVramhub([...line, "--json"], around);
  assert.equal(status, 0, err);
  assert.equal(JSON.parse(out).file, `${folder.dir}/.vramhub/networks.json`);
  const [[built, name]] = asked as [Parameters<typeof publish>];
  assert.deepEqual([built.modules[0]!.bytes.length, built.digest], [4, "ab".repeat(32)]);
  assert.equal(name, "localnet");
  const profile = await folder.json("ledger profile localnet", { home: folder.dir });
  assert.deepEqual([profile.packageId, profile.objects], [address(9), IDS]);
  assert.equal(profile.publisher, address(3), "the first admin");
  assert.match(
    await folder.text("ledger networks", { home: folder.dir }),
    /^localnet +sui +published/m,
  );
});

Deno.test("ledger publish: refuses what is no built package, and a network that is none", async () => {
  await using folder = await Folder.found();
  const file = `${folder.dir}/build.json`;
  const line = (network: string) => ["ledger", "publish", "--network", network, "--package", file];
  const bad = [
    "{",
    "{}",
    BUILD.replace("oRzrCw==", "?"),
    BUILD.replace("ab", ""),
    JSON.stringify({
      ...JSON.parse(BUILD),
      modules: [{ name: "a", bytes: btoa("x".repeat(131_073)) }],
    }),
  ];
  for (const text of bad) {
    await Deno.writeTextFile(file, text);
    const { err, status } = await callVramhub(line("localnet"), { home: folder.dir });
    assert.equal(status, 2, text.slice(0, 80));
    assert.match(err, /Cannot read .*build\.json/);
  }
  const dev = await callVramhub(line("dev"), { home: folder.dir });
  assert.deepEqual([dev.status, /no network on Sui/.test(dev.err)], [2, true]);
  const homeless = await callVramhub(line("localnet"), {});
  assert.match(homeless.err, /VRAMHUB_NETWORKS_FILE/);
});

Deno.test("config: shows what is set and from where, without secrets", async () => {
  await using folder = await Folder.found();
  await Deno.writeTextFile(`${folder.dir}/.env`, "SLCL_MINER_UID=3\n");
  const mnemonic =
    "abandon ability able about above absent absorb abstract absurd abuse access acid";
  const env = { VRAMHUB_WALLET_MNEMONIC: mnemonic, VRAMHUB_NETWROK: "testnet" };
  const text = await folder.text("config", { env, cwd: folder.dir });
  assert.match(text, /^VRAMHUB_MINER_UID +3 +SLCL_MINER_UID in \.\/\.env$/m);
  assert.match(
    text,
    /^VRAMHUB_WALLET_MNEMONIC +\(secret\) +VRAMHUB_WALLET_MNEMONIC in the environment$/m,
  );
  assert.match(
    text,
    /^VRAMHUB_NETWROK in the environment is no setting.*is VRAMHUB_NETWORK meant\?$/m,
  );
  assert.doesNotMatch(text, /abandon/);
  const { settings } = await folder.json("config", { env, cwd: folder.dir });
  assert.doesNotMatch(JSON.stringify(settings), /abandon/);
});

Deno.test("vramhub: two names of one setting that differ are refused, both named", async () => {
  await using folder = await Folder.found();
  const env = { VRAMHUB_VALIDATOR_UID: "1", SLCL_VALIDATOR_UID: "2" };
  await folder.refused("status", 2, /VRAMHUB_VALIDATOR_UID and SLCL_VALIDATOR_UID/, { env });
});

Deno.test("vramhub: without a ledger, or a published network, it says what to do", async () => {
  const none = await callVramhub(["status"]);
  assert.deepEqual([none.status, /--data-dir DIR.*VRAMHUB_DATA_DIR/.test(none.err)], [2, true]);
  const dir = await Deno.makeTempDir();
  try {
    const empty = await callVramhub(["status", "--data-dir", dir]);
    assert.equal(empty.status, 2);
    assert.match(
      empty.err,
      /Start a network there with 'deno task validator --test-mode --data-dir/,
    );
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  const testnet = await callVramhub(["status", "--network", "testnet"]);
  assert.equal(testnet.status, 2);
  assert.match(
    testnet.err,
    /no package of this program's contracts.*ledger publish --network testnet/,
  );
  const localnet = await callVramhub(["status", "--network", "localnet"]);
  assert.match(localnet.err, /sui start --with-faucet/);
});

Deno.test("vramhub: an error never holds a secret", async () => {
  await using folder = await Folder.found();
  const secret = "suiprivkey1qqqqqqqqqqqqqqqqqqqq";
  const publish = () => Promise.reject(new ConfigError("bad_value", `Cannot use ${secret}`));
  const file = `${folder.dir}/build.json`;
  await Deno.writeTextFile(file, BUILD);
  const env = { VRAMHUB_WALLET_KEY: secret, VRAMHUB_DEBUG: "1" };
  const { err } = await callVramhub([
    "ledger",
    "publish",
    "--network",
    "localnet",
    "--package",
    file,
  ], {
    env,
    home: folder.dir,
    outside: { publish },
  });
  assert.match(err, /^error: Cannot use \(secret\)$/m);
  assert.doesNotMatch(err, /suiprivkey/);
});

Deno.test("vramhub: --as takes a name or an address, nothing else", async () => {
  await using folder = await Folder.found();
  const who = address(0xabc);
  assert.equal((await folder.json(`rewards show --as ${who}`)).address, who);
  const first = (await folder.json("rewards show --as anna")).address;
  assert.equal((await folder.json("rewards show --as anna")).address, first);
  await folder.refused("rewards show --as ../x", 2, /a name of a-z, 0-9 and -/);
  await folder.refused("rewards show --as 0x12", 2, /0x and 64|expected an address/);
});
