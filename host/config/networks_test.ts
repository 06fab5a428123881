import assert from "node:assert/strict";
import { SHARED_OBJECTS } from "../ledger/sui/profile.ts";
import {
  Config,
  ConfigError,
  type ConfigFault,
  networkOf,
  OBJECT_NAMES,
  OBJECT_SETTINGS,
  parseNetworks,
  profileOf,
  readNetworks,
  saveNetwork,
  type SuiNetwork,
} from "./mod.ts";

const config = (values: Record<string, string> = {}) =>
  new Config([{ name: "the environment", values }]);
const id = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
const CHAIN = "69WiPg3DAQiwdxfncX6wYQ2siKwAe6L9BZthQea3JNMD";
const UPSTREAM = "0xaff18bf6286047126901610d758d8fd111c9215a6e46abc704b6a0be838badd5";
const OBJECTS = Object.fromEntries(OBJECT_NAMES.map((name, i) => [name, id(i + 1)]));
const FULL = {
  ledger: "sui",
  url: "http://127.0.0.1:9000",
  chainId: CHAIN,
  packageId: id(100),
  model: "tiny",
  objects: OBJECTS,
} as const satisfies SuiNetwork;

/** That `call` is refused for reason `code` with this message. */
function refused(code: ConfigFault, message: RegExp, call: () => unknown): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("OBJECT_SETTINGS: has every shared object of the package", () => {
  assert.deepEqual([...OBJECT_NAMES].sort(), Object.keys(SHARED_OBJECTS).sort());
});

Deno.test("readNetworks: knows dev, localnet, testnet and mainnet; none of Sui's is published yet", () => {
  const networks = readNetworks(undefined);
  assert.deepEqual(Object.keys(networks), ["dev", "localnet", "testnet", "mainnet"]);
  for (const [name, network] of Object.entries(networks)) {
    if (network.ledger === "dev") continue;
    refused("not_published", /ledger publish --network/, () => profileOf(name, network));
  }
});

Deno.test("profileOf: all of a published network; what is missing is named", () => {
  assert.deepEqual(profileOf("mine", FULL), {
    name: "mine",
    url: FULL.url,
    chainId: CHAIN,
    packageId: id(100),
    model: "tiny",
    objects: OBJECTS,
  });
  const { scoreLedger: _, ...others } = OBJECTS;
  refused(
    "not_published",
    /ids of scoreLedger/,
    () => profileOf("x", { ...FULL, objects: others }),
  );
  const { chainId: _chain, ...unchained } = FULL;
  refused("not_published", /chain's identifier/, () => profileOf("x", unchained));
  const local = readNetworks(undefined).localnet as SuiNetwork;
  refused("not_published", /sui start --with-faucet/, () => profileOf("localnet", local));
});

Deno.test("networkOf: settings replace single ids and the node", () => {
  const settings = Object.fromEntries(
    OBJECT_NAMES.map((name, i) => [`VRAMHUB_${OBJECT_SETTINGS[name]}`, id(200 + i)]),
  );
  const network = networkOf(
    "testnet",
    readNetworks(undefined),
    config({
      ...settings,
      VRAMHUB_PACKAGE_ID: "0x7",
      VRAMHUB_SUI_RPC_URL: "https://node.example/",
    }),
  ) as SuiNetwork;
  assert.deepEqual(Object.values(network.objects!).sort(), Object.values(settings).sort());
  assert.equal(network.packageId, id(7));
  assert.equal(network.url, "https://node.example");
  assert.equal(profileOf("testnet", network).chainId, CHAIN);
});

Deno.test("networkOf: an unknown network, and upstream's ids, are refused with the reason", () => {
  const networks = readNetworks(undefined);
  refused(
    "unknown_network",
    /the known are dev, localnet/,
    () => networkOf("constructor", networks, config()),
  );
  for (const upstream of [UPSTREAM, UPSTREAM.toUpperCase().replace("0X", "0x")]) {
    refused(
      "foreign_id",
      /SLCL_PACKAGE_ID in the environment: it is upstream's package, of another package/,
      () => networkOf("testnet", networks, config({ SLCL_PACKAGE_ID: upstream })),
    );
  }
  refused(
    "foreign_id",
    /upstream's ScoreLedger/,
    () =>
      parseNetworks({
        x: {
          ...FULL,
          objects: {
            scoreLedger: "0x0d2594727abeb45a13763baf8801ae765fbe41d147b28916ca78a0d08f73223a",
          },
        },
      }, "f"),
  );
  refused(
    "foreign_id",
    /\.env\.example/,
    () =>
      networkOf("testnet", networks, config({ VRAMHUB_PACKAGE_ID: `0xb7b988cc${"1".repeat(56)}` })),
  );
});

Deno.test("parseNetworks: every field is checked and named", () => {
  const bad: [unknown, RegExp][] = [
    ["{", /Cannot read f: /],
    [[], /expected an object/],
    [{ "A b": FULL }, /no name of a network/],
    [{ x: 1 }, /f, x: expected an object/],
    [{ x: { ...FULL, ledger: "eth" } }, /ledger must be dev or sui/],
    [{ x: { ...FULL, url: undefined } }, /no url/],
    [{ x: { ...FULL, url: "node" } }, /f, x, url: expected an http/],
    [{ x: { ...FULL, ulr: "x" } }, /no field "ulr"/],
    [{ x: { ...FULL, constructor: "x" } }, /no field "constructor"/],
    [{ x: { ...FULL, chainId: "4c78adac" } }, /base58/],
    [{ x: { ...FULL, packageId: 5 } }, /0x and up to 64/],
    [{ x: { ...FULL, packageId: null } }, /expected text/],
    [{ x: { ...FULL, objects: { hparam: id(1) } } }, /no object "hparam"/],
    [{ x: { ...FULL, publishedAt: -1 } }, /publishedAt/],
  ];
  for (const [json, message] of bad) refused("bad_file", message, () => parseNetworks(json, "f"));
});

Deno.test("saveNetwork: keeps what is there, replaces its own, and readNetworks finds it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/deep/networks.json`;
    await saveNetwork(path, "localnet", FULL);
    await saveNetwork(path, "mine", { ...FULL, packageId: id(5), publishedAt: 77 });
    await saveNetwork(path, "localnet", { ...FULL, packageId: id(6) });
    const networks = readNetworks(path);
    assert.deepEqual(Object.keys(networks).sort(), [
      "dev",
      "localnet",
      "mainnet",
      "mine",
      "testnet",
    ]);
    assert.equal((networks.localnet as SuiNetwork).packageId, id(6));
    assert.equal((networks.mine as SuiNetwork).publishedAt, 77);
    assert.deepEqual([...Deno.readDirSync(`${dir}/deep`)].map(({ name }) => name), [
      "networks.json",
    ]);
    await Deno.writeTextFile(path, "{");
    await assert.rejects(saveNetwork(path, "mine", FULL), /Cannot read/);
    assert.equal(await Deno.readTextFile(path), "{"); // not overwritten: somebody's work
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
