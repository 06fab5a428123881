/**
 * A network whose miners keep their gradients in buckets of their own on a real S3 server and seal the keys that read
 * them: to two of three key servers, for whom the ledger's `seal_policy` lets. Its parties are the real ones; SCRIPTED
 * are the clock, the key servers (Seal's wire format; they ask the dev ledger's policy instead of simulating a
 * transaction) and the Sui node that names them. SealClient is unmodified.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Ed25519Keypair } from "@mysten/sui/keypairs/ed25519";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { verdictName } from "../../enclave/protocol/verdict.ts";
import { openReader } from "../../host/cli/open_reader.ts";
import { type OpenStores, openStores } from "../../host/cli/open_store.ts";
import { Config } from "../../host/config/mod.ts";
import { publishReadKeys } from "../../host/credentials/publish.ts";
import { SealEnvelope } from "../../host/credentials/seal_envelope.ts";
import { DEPLOYMENT } from "../../host/ledger/sui/testing.ts";
import { Wallet } from "../../host/ledger/sui/wallet.ts";
import { address } from "../../host/ledger/testing.ts";
import type { S3Options } from "../../host/store/s3.ts";
import { FIRST, minerOwner, World } from "../crash/world.ts";
import { findServer, type S3Pair, startServer } from "../support/s3_server.ts";
import { scriptedSuiClient, type SealServer, startSealServer } from "../support/seal_servers.ts";
import { files, searched } from "../support/secrets.ts";

const program = await findServer();
const PACKAGE = DEPLOYMENT.typesId;
const UIDS = [0, 1];
const LAST = FIRST + 3;
/** Into the second window: the first one is judged, and nobody reads. */
const ROTATION_MS = 15_000;

/** Settings as a party's environment gives them. */
const configOf = (values: Record<string, string>) => new Config([{ name: "a test", values }]);

/** The stores of a miner whose settings name a bucket and two key pairs. */
function openBucket(write: S3Options, read: S3Pair): Promise<OpenStores> {
  return openStores(configOf({
    VRAMHUB_STORAGE_BACKEND: "s3",
    VRAMHUB_S3_ENDPOINT: write.endpoint,
    VRAMHUB_S3_REGION: write.region!,
    VRAMHUB_R2_BUCKET_NAME: write.bucket,
    VRAMHUB_R2_WRITE_ACCESS_KEY_ID: write.accessKeyId,
    VRAMHUB_R2_WRITE_SECRET_ACCESS_KEY: write.secretAccessKey,
    VRAMHUB_R2_READ_ACCESS_KEY_ID: read.accessKeyId,
    VRAMHUB_R2_READ_SECRET_ACCESS_KEY: read.secretAccessKey,
  }));
}

/** Hears what libraries say on the console until it is disposed of. */
function hearConsole(lines: string[]): Disposable {
  const { error, log, warn } = console;
  const hear = (...words: unknown[]) =>
    void lines.push(words.map((word) => Deno.inspect(word)).join(" "));
  Object.assign(console, { error: hear, log: hear, warn: hear });
  return { [Symbol.dispose]: () => void Object.assign(console, { error, log, warn }) };
}

/** How often a key server was asked for keys. */
const fetched = ({ asked }: SealServer) => asked.filter((path) => path === "/v1/fetch_key").length;

Deno.test({
  name:
    "Seal: windows over S3 with sealed read keys settle and pay, one key server down, through a rotation",
  ignore: program === undefined,
  async fn() {
    const secrets: string[] = [];
    const planted = (what: string) => {
      const secret = `PLANTED-${what}-${crypto.randomUUID()}`;
      secrets.push(secret);
      return secret;
    };
    const pair = (name: string): S3Pair => ({
      accessKeyId: planted(`${name}-id`),
      secretAccessKey: planted(`${name}-secret`),
    });
    const privateKey = Ed25519Keypair.generate().getSecretKey();
    secrets.push(privateKey);
    const wallet = Wallet.fromPrivateKey(privateKey);
    const lines: string[] = [];
    await using cleanup = new AsyncDisposableStack();
    cleanup.use(hearConsole(lines));

    const server = cleanup.use(await startServer(program!));
    const buckets: { write: S3Options; stores: OpenStores }[] = [];
    for (const uid of UIDS) {
      const pairs = { write: pair(`write-${uid}`), read: pair(`read-${uid}`) };
      const { write } = await server.sharedBucket(`gradients-${uid}`, pairs);
      buckets.push({ write, stores: cleanup.use(await openBucket(write, pairs.read)) });
    }
    const keyServers: SealServer[] = [];
    const down = (index: number) =>
      keyServers.forEach((each, i) => each.fault = i === index ? "broken" : "none");
    const envelope = (signer: Wallet | null) =>
      new SealEnvelope({
        client: scriptedSuiClient(PACKAGE, keyServers),
        deployment: DEPLOYMENT,
        keyServers: keyServers.map(({ objectId }) => objectId),
        threshold: 2,
        signer,
        timeoutMs: 30_000,
      });
    const config = configOf({ VRAMHUB_PRIVATE_ENDPOINTS: buckets[0]!.write.endpoint });
    const world = await World.found({
      validator: wallet.address,
      uploads: (uid) => buckets[uid]!.stores.write,
      reader: (parts) =>
        openReader(config, { ...parts, owner: wallet.address, envelope: envelope(wallet) }),
      log: (...line) => void lines.push(Deno.inspect(line, { depth: 9 })),
    });
    const { dir, ledger } = world;
    const parties: Parameters<typeof world.close>[0][number][] = [];
    cleanup.defer(() => world.close(parties));
    for (const n of [1, 2, 3]) {
      keyServers.push(cleanup.use(startSealServer(
        address(0x5e41 + n),
        PACKAGE,
        (sender, id) => ledger.sealApprove(sender, id),
      )));
    }

    /** As a miner does when it starts: what the ledger has is not published anew. */
    const publish = (uid: number, { readKeys } = buckets[uid]!.stores) =>
      publishReadKeys(
        { ledger, owner: minerOwner(uid), uid, envelope: envelope(null), ...readKeys! },
        `${dir}/credentials-${uid}.json`,
      );
    const startMs = world.turns.now();
    await ledger.roll(wallet.address);
    for (const uid of UIDS) assert.equal(await publish(uid), true);
    down(2);
    parties.push(world.validator(), world.aggregator(), ...UIDS.map((uid) => world.miner(uid)));
    const rotation = world.at(startMs + ROTATION_MS, "rotation", async () => {
      const { stores: former, write } = buckets[0]!;
      assert((await former.read!.list("gradient-")).length > 0);
      const read = pair("rotated-0");
      await server.rotate(write, read);
      await assert.rejects(former.read!.list("gradient-"), { code: "denied" });
      down(-1); // who seals asks every key server for the proof of its key
      assert.equal(await publish(0, cleanup.use(await openBucket(write, read))), true);
      assert.equal(await publish(1), false, "a restart publishes nothing anew");
      down(0);
    });
    parties.push(rotation);
    await world.until(LAST);
    for (const { error } of parties) assert.equal(error, undefined);

    const told = lines.filter((line) => /"(warn|error)"/.test(line)).join("\n");
    for (let window = FIRST; window <= LAST; window++) {
      const { payout, settled, status } = await ledger.window(window);
      const verdicts = settled?.rows.map(({ uid, verdict }) => [uid, verdictName(verdict)]);
      const found = [status, verdicts, payout !== null && payout.issued > 0n];
      const wanted = ["closed", UIDS.map((uid) => [uid, "accepted"]), window > FIRST];
      assert.deepEqual(found, wanted, `window ${window}\n${told}`);
    }
    for (const uid of UIDS) assert((await ledger.balance(minerOwner(uid))).claimable > 0n);
    const rows = await Promise.all(UIDS.map((uid) => ledger.credentials(uid)));
    assert.deepEqual(rows.map((row) => row!.epoch), [2, 1]);
    assert.deepEqual(rows.map((row) => row!.threshold), [2, 2]);
    // One question for each bucket and epoch, not one a window.
    for (const keyServer of keyServers) assert([1, 2, 3].includes(fetched(keyServer)));
    const names = [...Deno.readDirSync(`${dir}/store`)].map(({ name }) => name);
    assert(names.every((name) => !name.startsWith("gradient-")), "none lay in the shared store");
    for (const { stores } of buckets) {
      assert((await stores.write.list("gradient-")).length >= LAST - FIRST);
    }

    assert.equal(secrets.length, 1 + 2 * (2 * UIDS.length + 1));
    assert(lines.length > 20, `${lines.length} lines were heard`);
    for (const secret of secrets) assert.throws(() => searched("here", utf8(secret), secrets));
    for (const line of lines) searched("a log", utf8(line), secrets);
    const events = await ledger.events(-1, 1_000);
    assert.equal(events.filter(({ kind }) => kind.endsWith("::CredentialsSet")).length, 3);
    searched("an event", utf8(Deno.inspect(events, { depth: 9, iterableLimit: 1e6 })), secrets);
    let count = 0;
    for (const { bytes, path } of files(dir)) {
      count++;
      searched(path, bytes, secrets);
    }
    assert(count > 20, `${count} files were searched`);
  },
});
