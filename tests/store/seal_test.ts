/**
 * SealEnvelope: the unmodified SealClient against key servers that speak Seal's wire format and ask the dev ledger's
 * `seal_policy`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Ed25519Keypair } from "@mysten/sui/keypairs/ed25519";
import { concat } from "../../enclave/protocol/bytes.ts";
import { rotateReadKeys } from "../../host/credentials/publish.ts";
import { ReadKeys } from "../../host/credentials/read_keys.ts";
import { SealEnvelope, type SealOptions } from "../../host/credentials/seal_envelope.ts";
import { GradientReader } from "../../host/gradient_reader.ts";
import type { RevealRow } from "../../host/ledger/ledger.ts";
import type { CredentialsRow } from "../../host/ledger/governance.ts";
import { DEPLOYMENT } from "../../host/ledger/sui/testing.ts";
import { Wallet } from "../../host/ledger/sui/wallet.ts";
import { address, minerOf, TestNetwork } from "../../host/ledger/testing.ts";
import { gradientKey } from "../../host/store/keys.ts";
import { LocalStore } from "../../host/store/local.ts";
import { S3Store } from "../../host/store/s3.ts";
import { findServer, startServer } from "../support/s3_server.ts";
import { scriptedSuiClient, type SealServer, startSealServer } from "../support/seal_servers.ts";

const KEYS = ReadKeys.of({ accessKeyId: "planted-id", secretAccessKey: "planted-secret" });
const PACKAGE = DEPLOYMENT.typesId;
const walletOf = (n: number) => {
  const keypair = Ed25519Keypair.fromSecretKey(new Uint8Array(32).fill(n + 1));
  return Wallet.fromPrivateKey(keypair.getSecretKey());
};
const UID = 1;

/** Three key servers, two of which must answer, and what a validator and a miner ask them with. */
interface World extends AsyncDisposable {
  readonly network: TestNetwork;
  readonly servers: readonly SealServer[];
  /** What the wallet `n` has; 0 judges, others are strangers. */
  open(n: number, more?: Partial<SealOptions>): SealEnvelope;
  /** Publish read keys of {@link UID}, as the next epoch. */
  publish(keys?: ReadKeys): Promise<CredentialsRow>;
}

async function world(): Promise<World> {
  const network = await TestNetwork.found({ attested: false });
  const { ledger } = network;
  const judge = walletOf(0).address;
  ledger.faucet(judge, 1_000_000n);
  await ledger.registerValidator(judge, 10_000n);
  network.at(1, 0); // its seat begins with the next window
  await ledger.roll(judge);
  const servers = [1, 2, 3].map((n) =>
    startSealServer(address(0x5e41 + n), PACKAGE, (sender, id) => ledger.sealApprove(sender, id))
  );
  const client = scriptedSuiClient(PACKAGE, servers);
  const options = {
    client,
    deployment: DEPLOYMENT,
    keyServers: servers.map(({ objectId }) => objectId),
    threshold: 2,
    timeoutMs: 30_000,
  };
  return {
    network,
    servers,
    open: (n, more) => new SealEnvelope({ ...options, signer: walletOf(n), ...more }),
    publish: (keys = KEYS) =>
      rotateReadKeys({
        ledger,
        owner: minerOf(UID),
        uid: UID,
        envelope: new SealEnvelope({ ...options, signer: null }),
        keys,
        place: { bucket: "gradients", account: "https://s3.example" },
      }),
    async [Symbol.asyncDispose]() {
      network[Symbol.dispose]();
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
}

const fetched = ({ asked }: SealServer) => asked.filter((path) => path === "/v1/fetch_key").length;

Deno.test("SealEnvelope: a validator opens what a miner sealed, also with one of three servers down", async () => {
  await using w = await world();
  const row = await w.publish();
  for (const { asked } of w.servers) assert.deepEqual(asked, ["/v1/service"]);
  const opened = await w.open(0).open(row, UID);
  assert.equal(opened.secretAccessKey, "planted-secret");
  for (const down of w.servers) {
    down.fault = "broken";
    assert.equal((await w.open(0).open(row, UID)).accessKeyId, "planted-id");
    down.fault = "none";
  }
});

Deno.test("SealEnvelope: two of three down are too few, and it may pass", async () => {
  await using w = await world();
  const row = await w.publish();
  w.servers[0]!.fault = "broken";
  w.servers[2]!.fault = "garbage";
  const validator = w.open(0);
  await assert.rejects(validator.open(row, UID), { code: "unavailable", retryable: true });
  w.servers[2]!.fault = "none";
  await validator.open(row, UID);
});

Deno.test("SealEnvelope: forged and garbled answers are no keys", async () => {
  await using w = await world();
  const row = await w.publish();
  const warned: unknown[] = [];
  const { warn } = console;
  console.warn = (...words) => warned.push(words);
  try {
    for (
      const fault of ["forged", "another id", "garbage", "endless", "redirect", "old"] as const
    ) {
      for (const server of w.servers.slice(0, 2)) server.fault = fault;
      await assert.rejects(w.open(0).open(row, UID), (error: Error & { code?: string }) => {
        assert.equal(error.code, "unavailable", fault);
        assert(!/planted/.test(Deno.inspect(error, { depth: 9 })));
        return true;
      });
      w.servers[0]!.fault = "none";
      assert.equal((await w.open(0).open(row, UID)).accessKeyId, "planted-id", fault);
    }
  } finally {
    console.warn = warn;
  }
  assert(warned.length > 0, "Seal says which server lied");
});

Deno.test("SealEnvelope: who is no validator of the window is refused by every server", async () => {
  await using w = await world();
  const row = await w.publish();
  await assert.rejects(w.open(1).open(row, UID), { code: "refused", retryable: false });
  assert(w.servers.filter((server) => fetched(server) === 1).length >= 2);
  const blind = w.open(0, { signer: null });
  await assert.rejects(blind.open(row, UID), { code: "refused" });
  // The window moves on: until somebody rolls, nobody is a validator of it.
  w.network.at(2, 0);
  await assert.rejects(w.open(0).open(row, UID), { code: "refused" });
  await w.network.ledger.roll(walletOf(1).address);
  await w.open(0).open(row, UID);
});

Deno.test("SealEnvelope: a signature of somebody else's wallet is refused", async () => {
  await using w = await world();
  const row = await w.publish();
  const judge = walletOf(0);
  const thief = {
    address: judge.address,
    signMessage: (m: Uint8Array) => walletOf(1).signMessage(m),
  };
  await assert.rejects(w.open(0, { signer: thief }).open(row, UID), { name: "CredentialsError" });
});

Deno.test("SealEnvelope: a rotated epoch closes the former one", async () => {
  await using w = await world();
  const first = await w.publish();
  const validator = w.open(0);
  await validator.open(first, UID);
  const second = await w.publish();
  assert.equal(second.epoch, 2);
  assert.equal((await validator.open(second, UID)).accessKeyId, "planted-id");
  // Without keys of its own from before, nobody gets the former epoch's any more.
  await assert.rejects(w.open(0).open(first, UID), { code: "refused" });
});

Deno.test("SealEnvelope: what is not sealed for this slot, epoch, package and these servers is not asked about", async () => {
  await using w = await world();
  const row = await w.publish();
  const others = { ...row, keyServers: row.keyServers.slice(1) };
  const validator = w.open(0);
  const before = w.servers.map(fetched);
  const bent = row.sealed.slice();
  bent[1]! ^= 1; // the package's id
  const wrong: [CredentialsRow, number][] = [
    [row, UID + 1],
    [{ ...row, epoch: 2 }, UID],
    [{ ...row, sealed: bent }, UID],
    [{ ...row, sealed: row.sealed.slice(0, -1) }, UID],
    [{ ...row, sealed: concat(row.sealed, Uint8Array.of(0)) }, UID],
    [{ ...row, sealed: new Uint8Array(0) }, UID],
    [{ ...row, sealed: new Uint8Array(4_097) }, UID],
    [{ ...row, threshold: 1 }, UID],
    [others, UID],
  ];
  for (const [bad, uid] of wrong) {
    await assert.rejects(validator.open(bad, uid), { code: "bad_envelope", retryable: false });
  }
  const choosy = w.open(0, { keyServers: [w.servers[0]!.objectId], threshold: 1 });
  await assert.rejects(choosy.open(row, UID), { code: "untrusted", retryable: false });
  assert.deepEqual(w.servers.map(fetched), before);
  const two = w.open(0, { keyServers: w.servers.slice(1).map(({ objectId }) => objectId) });
  await two.open(row, UID);
  assert.equal(fetched(w.servers[0]!), 0, "who is not trusted is not called");
});

Deno.test("SealEnvelope: a changed byte of the sealed text never opens", async () => {
  await using w = await world();
  const row = await w.publish();
  const validator = w.open(0);
  await validator.open(row, UID); // from here on it has the keys, and asks nobody
  for (let at = 0; at < row.sealed.length; at += 7) {
    const sealed = row.sealed.slice();
    sealed[at]! ^= 4;
    await assert.rejects(validator.open({ ...row, sealed }, UID), {
      name: "CredentialsError",
    }, `byte ${at}`);
  }
});

Deno.test("SealEnvelope: a miner seals to no impostor, and to no threshold that cannot be met", async () => {
  await using w = await world();
  w.servers[1]!.fault = "impostor";
  await assert.rejects(w.publish(), { name: "CredentialsError" });
  const [first] = w.servers;
  const one = first!.objectId;
  assert.throws(() => w.open(0, { keyServers: [one], threshold: 2 }), RangeError);
  assert.throws(() => w.open(0, { keyServers: [one, one] }), RangeError);
  assert.throws(() => w.open(0, { threshold: 0 }), RangeError);
});

const program = await findServer();

Deno.test({
  name:
    "GradientReader: reads a bucket of a real S3 server with what Seal's key servers let it open",
  ignore: program === undefined,
  async fn() {
    await using w = await world();
    await using server = await startServer(program!);
    const { ledger } = w.network;
    const judge = walletOf(0).address;
    const pair = (name: string) => ({
      accessKeyId: `${name}-id`,
      secretAccessKey: `${name}-secret`,
    });
    const pairs = { write: pair("write"), read: pair("read") };
    const { read, write } = await server.sharedBucket("gradients", pairs);
    const bytes = crypto.getRandomValues(new Uint8Array(5_000));
    using miner = new S3Store(write);
    const stored = await miner.put(gradientKey(2, UID), bytes);
    const { endpoint, region } = read;
    await w.publish(ReadKeys.of({ ...pairs.read, endpoint, region }));
    const dir = await Deno.makeTempDir();
    try {
      using reader = new GradientReader({
        ledger,
        owner: judge,
        store: await LocalStore.open(dir),
        envelope: w.open(0),
        privateEndpoints: [endpoint],
      });
      const reveal = { uid: UID, ref: stored.ref, contentHash: stored.sha256, size: bytes.length };
      assert.deepEqual(await reader.read(reveal as RevealRow, 2), bytes);
      // A pair that was taken back, and its successor: the reader follows the ledger.
      await w.publish(ReadKeys.of({ ...pair("gone"), endpoint, region }));
      await assert.rejects(reader.read(reveal as RevealRow, 2), { code: "denied" });
      await w.publish(ReadKeys.of({ ...pairs.read, endpoint, region }));
      assert.deepEqual(await reader.read(reveal as RevealRow, 2), bytes);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
