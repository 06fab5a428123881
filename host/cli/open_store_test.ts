import assert from "node:assert/strict";
import { Ed25519Keypair } from "@mysten/sui/keypairs/ed25519";
import { Config } from "../config/mod.ts";
import { S3Store } from "../store/s3.ts";
import { testStore } from "../store/testing.ts";
import { WalrusStore } from "../store/walrus.ts";
import { openStores } from "./open_store.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const MODULE = "./tests/support/memory_store.ts";
const ACCOUNT = "0123456789abcdef0123456789abcdef";
const PAIRS = {
  VRAMHUB_STORAGE_BACKEND: "r2",
  R2_BUCKET_ID: "gradients",
  VRAMHUB_R2_WRITE_ACCESS_KEY_ID: "planted-write-id",
  R2_WRITE_SECRET_ACCESS_KEY: "planted-write-secret",
  VRAMHUB_R2_READ_ACCESS_KEY_ID: "planted-read-id",
  R2_READ_SECRET_ACCESS_KEY: "planted-read-secret",
};

const config = (values: Record<string, string>) => new Config([{ name: "a test", values }]);
const open = (values: Record<string, string>) => openStores(config(values), ROOT);

testStore("openStores, a module of one's own", async (body) => {
  using stores = await open({ VRAMHUB_STORAGE_BACKEND: MODULE });
  await body(stores.write);
});

Deno.test("openStores: a bucket of an R2 account, under the pair that writes and the one that reads", async () => {
  using stores = await open({ ...PAIRS, R2_ACCOUNT_ID: ACCOUNT });
  assert(stores.write instanceof S3Store && stores.read instanceof S3Store);
  assert.equal(stores.name, "bucket gradients");
  const { keys, place } = stores.readKeys!;
  assert.deepEqual(place, { bucket: "gradients", account: ACCOUNT });
  assert.equal(keys.endpoint, undefined);
  assert.equal(keys.secretAccessKey, "planted-read-secret");
  assert(!/planted/.test(Deno.inspect(stores, { depth: 9 })));
});

Deno.test("openStores: Grail's bare names are enough for a bucket with two key pairs", async () => {
  using stores = await open({
    VRAMHUB_STORAGE_BACKEND: "r2",
    R2_ACCOUNT_ID: ACCOUNT,
    R2_BUCKET_ID: "grail",
    R2_WRITE_ACCESS_KEY_ID: "planted-write-id",
    R2_WRITE_SECRET_ACCESS_KEY: "planted-write-secret",
    R2_READ_ACCESS_KEY_ID: "planted-read-id",
    R2_READ_SECRET_ACCESS_KEY: "planted-read-secret",
  });
  assert.equal(stores.name, "bucket grail");
  assert.equal(stores.readKeys!.keys.accessKeyId, "planted-read-id");
});

Deno.test("openStores: another service is sealed beside the pair, and shown where a ledger takes it", async () => {
  const endpoint = "https://s3.example.com";
  using short = await open({
    ...PAIRS,
    VRAMHUB_S3_ENDPOINT: endpoint,
    VRAMHUB_S3_STYLE: "virtual",
  });
  assert.equal(short.readKeys!.place.account, endpoint);
  assert.equal(short.readKeys!.keys.endpoint, endpoint);
  assert.equal(short.readKeys!.keys.style, "virtual");
  const long = `https://${"a".repeat(60)}.example.com`;
  using other = await open({ ...PAIRS, R2_ACCOUNT_ID: ACCOUNT, VRAMHUB_S3_ENDPOINT: long });
  assert.equal(other.readKeys!.place.account, "sealed");
  assert.equal(other.readKeys!.keys.endpoint, long);
});

Deno.test("openStores: without a pair that reads nothing is to be published", async () => {
  const { R2_READ_SECRET_ACCESS_KEY: _, VRAMHUB_R2_READ_ACCESS_KEY_ID: __, ...write } = PAIRS;
  using stores = await open({ ...write, R2_ACCOUNT_ID: ACCOUNT });
  assert.equal(stores.read, null);
  assert.equal(stores.readKeys, null);
});

Deno.test("openStores: what is missing or wrong is named, and no secret with it", async () => {
  const all: Record<string, string> = { ...PAIRS, R2_ACCOUNT_ID: ACCOUNT };
  const without = (name: string) => {
    const { [name]: _, ...rest } = all;
    return rest;
  };
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /VRAMHUB_R2_LOCAL_DIR/],
    [without("R2_ACCOUNT_ID"), /VRAMHUB_R2_ACCOUNT_ID/],
    [without("R2_BUCKET_ID"), /VRAMHUB_R2_BUCKET_NAME/],
    [without("VRAMHUB_R2_WRITE_ACCESS_KEY_ID"), /VRAMHUB_R2_ACCESS_KEY_ID/],
    [without("R2_WRITE_SECRET_ACCESS_KEY"), /VRAMHUB_R2_SECRET_ACCESS_KEY/],
    [without("VRAMHUB_R2_READ_ACCESS_KEY_ID"), /VRAMHUB_R2_READ_ACCESS_KEY_ID/],
    [without("R2_READ_SECRET_ACCESS_KEY"), /VRAMHUB_R2_READ_SECRET_ACCESS_KEY/],
    [{ ...all, R2_ACCOUNT_ID: "planted" }, /VRAMHUB_R2_ACCOUNT_ID: .*32 hexadecimal/],
    [{ ...all, VRAMHUB_S3_ENDPOINT: "ftp://x" }, /VRAMHUB_S3_ENDPOINT/],
    [{ ...all, VRAMHUB_S3_REGION: "a region" }, /region is not of the form/],
    [
      { ...all, R2_READ_SECRET_ACCESS_KEY: "planted secret" },
      /secret_access_key is not of the form/,
    ],
    [
      { ...all, VRAMHUB_R2_READ_ACCESS_KEY_ID: PAIRS.VRAMHUB_R2_WRITE_ACCESS_KEY_ID },
      /the key that writes/,
    ],
    [{ VRAMHUB_STORAGE_BACKEND: "walrus" }, /VRAMHUB_DATA_DIR/],
    [{ VRAMHUB_STORAGE_BACKEND: "s4" }, /the path of a module such as \.\/mine\.ts/],
    [{ VRAMHUB_STORAGE_BACKEND: "./nowhere.ts" }, /nowhere\.ts cannot be loaded/],
    [{ VRAMHUB_STORAGE_BACKEND: "./host/store/keys.ts" }, /lacks put, get, head, list, delete/],
  ];
  for (const [values, message] of cases) {
    await assert.rejects(open(values), (error: Error) => {
      assert.equal(error.name, "ConfigError", String(error));
      assert.match(error.message, message);
      assert(!/planted/.test(Deno.inspect(error, { depth: 9 })), error.message);
      return true;
    });
  }
});

Deno.test("openStores: a folder, and Walrus with its index in the data directory", async () => {
  const dir = await Deno.makeTempDir();
  try {
    using local = await open({ VRAMHUB_DATA_DIR: dir });
    assert.equal(local.name, `${dir}/store`);
    const VRAMHUB_WALRUS_AGGREGATOR = "http://127.0.0.1:9";
    const values = { VRAMHUB_STORAGE_BACKEND: "walrus", VRAMHUB_DATA_DIR: `${dir}/walrus` };
    await assert.rejects(open(values), /VRAMHUB_WALRUS_AGGREGATOR/);
    using walrus = await open({ ...values, VRAMHUB_WALRUS_AGGREGATOR });
    assert(walrus.write instanceof WalrusStore && walrus.read === null);
    await assert.rejects(walrus.write.put("a", new Uint8Array(1)), { code: "denied" });
    assert.equal(walrus.shared, walrus.write);
    assert.equal(walrus.catalog, `${dir}/walrus/walrus.catalog`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("openStores: Walrus through its storage nodes, written to where a wallet is at hand", async () => {
  const dir = await Deno.makeTempDir();
  const key = Ed25519Keypair.generate().getSecretKey();
  const values = {
    VRAMHUB_STORAGE_BACKEND: "walrus",
    VRAMHUB_DATA_DIR: dir,
    VRAMHUB_WALRUS_NETWORK: "testnet",
    // Nobody answers there.
    VRAMHUB_SUI_RPC_URL: "http://127.0.0.1:9",
  };
  const put = async (more: Record<string, string>) => {
    using stores = await open({ ...values, ...more });
    assert(stores.write instanceof WalrusStore);
    assert(!Deno.inspect(stores, { depth: 9 }).includes(key));
    await stores.write.put("a", new Uint8Array(1));
  };
  try {
    const alone = { code: "denied", message: /no wallet is set that pays/ };
    await assert.rejects(put({}), alone);
    const reached = { code: "unavailable", retryable: true };
    await assert.rejects(put({ VRAMHUB_WALLET_KEY: key }), reached);
    await assert.rejects(put({ VRAMHUB_WALLET_KEY: key, VRAMHUB_WALLET_MNEMONIC: "x" }), {
      name: "ConfigError",
      message: /remove all but one/,
    });
    await assert.rejects(put({ VRAMHUB_WALLET_KEY: "planted" }), (error: Error) => {
      assert(!error.message.includes("planted"));
      return error.name === "SuiError";
    });
    const publisher = { VRAMHUB_WALRUS_PUBLISHER: "http://127.0.0.1:9" };
    await assert.rejects(put({ ...publisher, VRAMHUB_WALLET_KEY: "no wallet is asked" }), reached);
    await assert.rejects(put({ VRAMHUB_WALRUS_NETWORK: "devnet" }), /testnet or mainnet/);
    for (const VRAMHUB_WALRUS_CATALOG of ["walrus:short", "nowhere"]) {
      await assert.rejects(
        put({ VRAMHUB_WALRUS_CATALOG }),
        /VRAMHUB_WALRUS_CATALOG.*walrus:\{blob/,
      );
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
