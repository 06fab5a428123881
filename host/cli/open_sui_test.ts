import assert from "node:assert/strict";
import { Config, ConfigError, type SuiNetwork } from "../config/mod.ts";
import { SuiError } from "../ledger/sui/errors.ts";
import { Wallet } from "../ledger/sui/wallet.ts";
import { openSui, publishSui, walletOf } from "./open_sui.ts";

const WORDS =
  "result crisp session latin must fruit genuine question prevent start coconut brave speak student dismiss";
const CLOCK = { now: () => 0, until: () => Promise.resolve() };
const id = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
const OBJECTS =
  "hparams datasetRegistry roundState validatorRegistry peerRegistry gradientRegistry " +
  "enclaveRegistry rewardPool scoreLedger treasury jobBoard";
const NETWORK: SuiNetwork = {
  ledger: "sui",
  url: "http://127.0.0.1:1",
  chainId: "69WiPg3DAQiwdxfncX6wYQ2siKwAe6L9BZthQea3JNMD",
  packageId: id(99),
  model: "tiny",
  objects: Object.fromEntries(OBJECTS.split(" ").map((name, i) => [name, id(i + 1)])),
};
const config = (values: Record<string, string>) => new Config([{ name: "a test", values }]);

Deno.test("walletOf: words, a private key or a keystore give the wallet; nothing gives none", async () => {
  const { address } = Wallet.fromMnemonic(WORDS);
  assert.equal((await walletOf(config({ VRAMHUB_WALLET_MNEMONIC: WORDS })))?.address, address);
  assert.equal(await walletOf(config({})), undefined);
  const dir = await Deno.makeTempDir();
  try {
    const flagged = new Uint8Array(33).fill(7);
    flagged[0] = 0;
    const path = `${dir}/sui.keystore`;
    await Deno.writeTextFile(path, JSON.stringify([flagged.toBase64()]));
    const found = await walletOf(config({ VRAMHUB_WALLET_KEYSTORE: path }));
    assert.match(found!.address, /^0x[0-9a-f]{64}$/);
    const other = { VRAMHUB_WALLET_KEYSTORE: path, VRAMHUB_WALLET_ADDRESS: address };
    await assert.rejects(walletOf(config(other)), /does not hold/);
    await assert.rejects(
      walletOf(config({ VRAMHUB_WALLET_KEYSTORE: `${dir}/none` })),
      (error) => error instanceof ConfigError && error.code === "bad_file",
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("walletOf: an address that is named must be the wallet's, and --as takes no name", async () => {
  const { address } = Wallet.fromMnemonic(WORDS);
  const named = (VRAMHUB_WALLET_ADDRESS: string) =>
    walletOf(config({ VRAMHUB_WALLET_MNEMONIC: WORDS, VRAMHUB_WALLET_ADDRESS }));
  assert.equal((await named(address))?.address, address);
  await assert.rejects(named(id(5)), (error) => {
    assert.ok(error instanceof ConfigError && error.code === "bad_value");
    assert.match(error.message, new RegExp(`the wallet is ${address}$`));
    return true;
  });
  await assert.rejects(
    openSui("mine", NETWORK, config({}), { clock: CLOCK, home: undefined, as: "anna" }),
    /--as takes an address/,
  );
});

Deno.test("walletOf: two wallets are refused, both named; no error holds a secret", async () => {
  const both = { SLCL_WALLET_MNEMONIC: WORDS, VRAMHUB_WALLET_KEY: "suiprivkey1qqq" };
  await assert.rejects(walletOf(config(both)), (error) => {
    assert.ok(error instanceof ConfigError && error.code === "alias_conflict");
    assert.match(error.message, /VRAMHUB_WALLET_KEY in a test and SLCL_WALLET_MNEMONIC in a test/);
    assert.doesNotMatch(error.message, /crisp|qqq/);
    return true;
  });
  for (
    const values of [
      { VRAMHUB_WALLET_KEY: "suiprivkey1secret" },
      { VRAMHUB_WALLET_MNEMONIC: "secret words" },
    ]
  ) {
    await assert.rejects(walletOf(config(values)), (error) => {
      assert.ok(error instanceof SuiError && error.code === "bad_wallet");
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});

Deno.test("openSui, publishSui: without a node they say what to start, and may be called again", async () => {
  const options = { clock: CLOCK, home: undefined };
  const unreachable = (what: RegExp) => (error: unknown) => {
    assert.ok(error instanceof SuiError && error.code === "unavailable" && error.retryable);
    assert.match(error.message, what);
    return true;
  };
  await assert.rejects(
    openSui("localnet", NETWORK, config({}), options),
    unreachable(/at http:\/\/127\.0\.0\.1:1: start one with 'sui start --with-faucet/),
  );
  await assert.rejects(
    openSui("mine", NETWORK, config({}), options),
    unreachable(/name another with VRAMHUB_SUI_RPC_URL/),
  );
  const built = { modules: [], dependencies: [], digest: "" };
  await assert.rejects(
    publishSui(built, "localnet", NETWORK, config({ VRAMHUB_WALLET_MNEMONIC: WORDS })),
    unreachable(/sui start/),
  );
  await assert.rejects(
    publishSui(built, "localnet", NETWORK, config({})),
    (error) => error instanceof ConfigError && /VRAMHUB_WALLET_MNEMONIC/.test(error.message),
  );
});
