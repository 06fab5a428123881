import assert from "node:assert/strict";
import fc from "fast-check";
import {
  Config,
  ConfigError,
  type ConfigFault,
  environmentNames,
  type Layer,
  loadConfig,
  NAMES,
  REDACTED,
  settingsTable,
  strangers,
  strangerText,
  type Variable,
  VARIABLES,
} from "./mod.ts";
import { README, withSettings } from "./readme.ts";

const layer = (values: Record<string, string>, name = "the environment"): Layer => ({
  name,
  values,
});

/** That `call` is refused for reason `code` with this message. */
function refused(code: ConfigFault, message: RegExp, call: () => unknown): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("VARIABLES: every setting has a name of its own, a sentence, and a default of its type", () => {
  const names = NAMES.flatMap(environmentNames);
  assert.equal(new Set(names).size, names.length);
  for (const name of NAMES) {
    const { default: standard, doc, type, unused } = VARIABLES[name] as Variable<unknown>;
    assert.match(name, /^[A-Z][A-Z0-9_]*$/);
    if (unused === undefined) assert.match(doc, /^[A-Z~].*[.!]$/, name);
    if (standard !== undefined) type.parse(standard);
  }
});

Deno.test("VARIABLES: the names of the seeds are all there", () => {
  const seeds = "WALLET_MNEMONIC SUI_RPC_URL PACKAGE_ID PEER_REGISTRY_ID VALIDATOR_REGISTRY_ID " +
    "ENCLAVE_REGISTRY_ID SCORE_LEDGER_ID ROUND_STATE_ID HPARAMS_ID REWARD_POOL_ID " +
    "TRAINING_JOB_BOARD_ID MINER_UID VALIDATOR_UID STORAGE_BACKEND DEMO_MODE WALRUS_PUBLISHER " +
    "WALRUS_AGGREGATOR R2_ACCOUNT_ID R2_BUCKET_NAME R2_ACCESS_KEY_ID R2_SECRET_ACCESS_KEY " +
    "R2_LOCAL_DIR BATCH_SIZE DEVICE SIDECAR_URL MODEL NAUTILUS_URL ENCLAVE_URL ENCLAVE_PUBKEY " +
    "ENCLAVE_OBJECT_ID NITRO_ENCLAVE TEST_MODE SKIP_SEAL SEAL_ENABLED SEAL_KEY_SERVER_IDS " +
    "SEAL_THRESHOLD AES_FALLBACK_KEY TESTNET_MODE POINTS_API_URL";
  const known = new Set(NAMES.flatMap(environmentNames));
  for (const name of seeds.split(" ")) assert.ok(known.has(`VRAMHUB_${name}`), name);
  for (
    const name of ["TEST_MODE", "NITRO_ENCLAVE", "SKIP_SEAL", "VALIDATOR_UID", "ENCLAVE_PUBKEY"]
  ) {
    assert.ok(known.has(`SLCL_${name}`), name);
  }
});

Deno.test("Config: a flag stands before the environment, that before ./.env, that before the user's", () => {
  const layers = [
    layer({ VRAMHUB_NETWORK: "b", VRAMHUB_MODEL: "" }),
    layer({ SLCL_NETWORK: "c", VRAMHUB_DEVICE: "cuda:0", VRAMHUB_MODEL: "gpt2" }, "./.env"),
    layer({ VRAMHUB_NETWORK: "d", VRAMHUB_MINER_UID: "7" }, "~/.vramhub/.env"),
  ];
  assert.equal(new Config(layers, { NETWORK: "a" }).get("NETWORK"), "a");
  const config = new Config(layers);
  assert.equal(config.get("NETWORK"), "b");
  assert.equal(config.get("DEVICE"), "cuda:0");
  assert.equal(config.get("MINER_UID"), 7);
  assert.equal(config.get("MODEL"), "gpt2"); // what is empty is not set
  assert.equal(config.sourceOf("MINER_UID"), "VRAMHUB_MINER_UID in ~/.vramhub/.env");
  assert.equal(new Config(layers, { NETWORK: "a" }).sourceOf("NETWORK"), "--network");
  assert.equal(config.get("SIDECAR_URL"), "http://127.0.0.1:7070");
  assert.equal(config.has("SIDECAR_URL"), false);
  assert.equal(config.get("VALIDATOR_UID"), undefined);
});

Deno.test("Config: aliases that agree are one setting, those that differ an error naming both", () => {
  const agreeing = layer({ VRAMHUB_TEST_MODE: "1", SLCL_TEST_MODE: "true" });
  assert.equal(new Config([agreeing]).get("TEST_MODE"), true);
  for (
    const [values, both] of [
      [{ VRAMHUB_TEST_MODE: "1", SLCL_TEST_MODE: "0" }, /VRAMHUB_TEST_MODE and SLCL_TEST_MODE/],
      [
        { SLCL_ENCLAVE_URL: "vsock:16:3000", VRAMHUB_NAUTILUS_URL: "vsock:17:3000" },
        /SLCL_ENCLAVE_URL and VRAMHUB_NAUTILUS_URL in the environment/,
      ],
    ] as const
  ) refused("alias_conflict", both, () => new Config([layer(values)]));
  // In two places there is an order: nothing to choose.
  const ordered = [layer({ VRAMHUB_TEST_MODE: "1" }), layer({ SLCL_TEST_MODE: "0" }, "./.env")];
  assert.equal(new Config(ordered).get("TEST_MODE"), true);
});

Deno.test("Config: a value of another type is refused where it is asked for, with what was expected", () => {
  const bad: [Record<string, string>, keyof typeof VARIABLES, RegExp][] = [
    [{ VRAMHUB_MINER_UID: "-1" }, "MINER_UID", /integer in 0…65535: current value is "-1"/],
    [{ VRAMHUB_MINER_UID: "1e3" }, "MINER_UID", /integer/],
    [{ VRAMHUB_LEARNING_RATE: "0" }, "LEARNING_RATE", /a number above 0, at most 1: .*"0"/],
    [{ VRAMHUB_LEARNING_RATE: "1,5" }, "LEARNING_RATE", /a number above 0/],
    [{ VRAMHUB_LEDGER: "sue" }, "LEDGER", /dev or sui/],
    [{ VRAMHUB_TEST_MODE: "maybe" }, "TEST_MODE", /true or false/],
    [{ VRAMHUB_SUI_RPC_URL: "ftp://x" }, "SUI_RPC_URL", /http/],
    [{ VRAMHUB_SUI_RPC_URL: "https://a:b@x" }, "SUI_RPC_URL", /without a name and password/],
    [{ VRAMHUB_PACKAGE_ID: "12" }, "PACKAGE_ID", /0x and up to 64/],
    [{ VRAMHUB_ENCLAVE_PUBKEY: "ab" }, "ENCLAVE_PUBKEY", /64 hexadecimal digits/],
  ];
  for (const [values, name, message] of bad) {
    const config = new Config([layer(values)]);
    refused("bad_value", message, () => config.get(name));
  }
  refused(
    "missing",
    /give --uid, or set VRAMHUB_VALIDATOR_UID/,
    () => new Config([]).require("VALIDATOR_UID", "judge", "--uid"),
  );
});

Deno.test("Config: ids are filled up with zeros, lists are split", () => {
  const config = new Config([
    layer({ VRAMHUB_PACKAGE_ID: "0xAB", VRAMHUB_SEAL_KEY_SERVER_IDS: "0x1, 0x2" }),
  ]);
  assert.equal(config.get("PACKAGE_ID"), `0x${"ab".padStart(64, "0")}`);
  assert.deepEqual(config.get("SEAL_KEY_SERVER_IDS")?.map((id) => id.length), [66, 66]);
});

Deno.test("Config: no secret is ever printed, whatever is done with it", () => {
  const secrets = NAMES.filter((name) => (VARIABLES[name] as Variable<unknown>).secret);
  assert.ok(secrets.length >= 8);
  fc.assert(
    fc.property(fc.constantFrom(...secrets), fc.stringMatching(/^[a-z]{12,40}$/), (name, value) => {
      const config = new Config([layer({ [`VRAMHUB_${name}`]: value })]);
      assert.equal(config.get(name), value);
      assert.deepEqual(config.shown().map((one) => one.value), [REDACTED]);
      assert.equal(config.redact(`Cannot use ${value}`), `Cannot use ${REDACTED}`);
      for (const text of [JSON.stringify(config), Deno.inspect(config), String(config)]) {
        assert.ok(!text.includes(value), text);
      }
    }),
  );
});

Deno.test("loadConfig: reads both files, and refuses one that is none", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/home/.vramhub`, { recursive: true });
    await Deno.writeTextFile(`${dir}/.env`, "export VRAMHUB_MINER_UID=3 # mine\n");
    await Deno.writeTextFile(
      `${dir}/home/.vramhub/.env`,
      "VRAMHUB_MINER_UID=4\nSLCL_NETWORK='x'\n",
    );
    const surroundings = { env: {}, cwd: dir, home: `${dir}/home` };
    const config = loadConfig(surroundings);
    assert.deepEqual([config.get("MINER_UID"), config.get("NETWORK")], [3, "x"]);
    assert.equal(loadConfig({ ...surroundings, home: undefined }).get("NETWORK"), "testnet");
    await Deno.writeTextFile(`${dir}/.env`, 'VRAMHUB_WALLET_MNEMONIC="twelve words\n');
    refused("bad_line", /\.\/\.env as line 1/, () => loadConfig(surroundings));
    await Deno.writeFile(`${dir}/.env`, new Uint8Array(70_000));
    refused("bad_file", /above 64 KiB/, () => loadConfig(surroundings));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("strangers: finds names that look like ours and are none, in files too", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/.env`, "VRAMHUB_TRANER=onnx\nVRAMHUB_TRAINER=onnx\n");
    const env = { SLCL_QWERTYUIOP: "", VRAMHUB_MINER_UID: "", VRAMHUB_PYTHON: "", PATH: "" };
    assert.deepEqual(strangers({ env, cwd: dir, home: undefined }).map(strangerText), [
      "SLCL_QWERTYUIOP in the environment is no setting and does nothing",
      "VRAMHUB_TRANER in ./.env is no setting and does nothing; is VRAMHUB_TRAINER meant?",
    ]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("settingsTable: is the one in host/README.md ('deno run -A host/config/readme.ts' writes it)", () => {
  const readme = Deno.readTextFileSync(README);
  assert.ok(readme.includes(settingsTable()), "host/README.md has another table");
  assert.equal(withSettings(readme), readme);
});
