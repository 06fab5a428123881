/**
 * GradientReader and discover: miners' own buckets under opened keys, Walrus, aliases, and services that mean harm.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { PRESETS } from "../../enclave/model/presets.ts";
import { DevelopmentEnvelope } from "../../host/credentials/development_envelope.ts";
import { rotateReadKeys } from "../../host/credentials/publish.ts";
import {
  CredentialsError,
  type ReadKeyEnvelope,
  ReadKeys,
} from "../../host/credentials/read_keys.ts";
import { discover } from "../../host/discover.ts";
import { GradientReader, type ReaderParts } from "../../host/gradient_reader.ts";
import { VirtualClock } from "../../host/ledger/clock.ts";
import type { RevealRow, WindowView } from "../../host/ledger/ledger.ts";
import { minerOf, TestNetwork, validatorOf } from "../../host/ledger/testing.ts";
import { putBlob } from "../../host/store/blob.ts";
import { gradientAlias, gradientKey } from "../../host/store/keys.ts";
import { LocalStore } from "../../host/store/local.ts";
import { type S3Options, S3Store } from "../../host/store/s3.ts";
import { type Store, StoreError } from "../../host/store/store.ts";
import { WalrusStore } from "../../host/store/walrus.ts";
import { findServer, startServer } from "../support/s3_server.ts";
import { startWalrusStandIn } from "../support/walrus_standin.ts";

const program = await findServer();
const GRADIENT = utf8("a gradient");
const WINDOW = 7;
const PAIR = { accessKeyId: "planted-read-id", secretAccessKey: "planted-read-secret" };

function reveal(uid: number, ref = gradientKey(WINDOW, uid), bytes: Bytes = GRADIENT): RevealRow {
  return { uid, ref, contentHash: sha256(bytes), size: bytes.length } as RevealRow;
}

/** A dev ledger, a shared store, and readers of validator 0. */
interface World {
  readonly network: TestNetwork;
  readonly shared: LocalStore;
  readonly dir: string;
  /** A reader that may call loopback; `more` changes it. */
  reader(more?: Partial<ReaderParts>): GradientReader;
  /** Publish keys for the bucket of `options` as the next epoch of slot `uid`. */
  publish(
    uid: number,
    options: Pick<S3Options, "endpoint" | "bucket">,
    pair?: typeof PAIR,
  ): Promise<void>;
}

async function withWorld(body: (world: World) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  using network = await TestNetwork.found({ attested: false });
  const { ledger } = network;
  const envelope = await DevelopmentEnvelope.open(`${dir}/keys`);
  const shared = await LocalStore.open(`${dir}/store`);
  const open: GradientReader[] = [];
  try {
    await body({
      network,
      shared,
      dir,
      reader(more = {}) {
        const parts = { ledger, owner: validatorOf(0), store: shared, envelope, patienceMs: 2_000 };
        open.push(new GradientReader({ ...parts, ...more }));
        return open.at(-1)!;
      },
      async publish(uid, { bucket, endpoint }, pair = PAIR) {
        const keys = ReadKeys.of({ ...pair, endpoint, region: "us-east-1" });
        const place = { bucket, account: endpoint.slice(0, 64) };
        await rotateReadKeys({ ledger, owner: minerOf(uid), uid, envelope, keys, place });
      },
    });
  } finally {
    for (const reader of open) reader[Symbol.dispose]();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("GradientReader: a key without credentials is read from the shared store, also by its alias", () =>
  withWorld(async ({ reader, shared }) => {
    const { ref } = await shared.put(gradientKey(WINDOW, 0), GRADIENT);
    assert.deepEqual(await reader().read(reveal(0, ref), WINDOW), GRADIENT);
    await shared.put(gradientAlias(WINDOW, 1), GRADIENT);
    assert.equal(gradientAlias(WINDOW, 1), "gradient/7/1.bin");
    assert.deepEqual(await reader().read(reveal(1), WINDOW), GRADIENT);
    await assert.rejects(reader().read(reveal(1), WINDOW + 1), { code: "not_found" });
    await assert.rejects(reader().read(reveal(1, "another-key"), WINDOW), { code: "not_found" });
    await shared.put(gradientKey(WINDOW, 1), utf8("a forgery!"));
    await assert.rejects(reader().read(reveal(1), WINDOW), { code: "wrong_hash" });
  }));

Deno.test("GradientReader: what its miner does not give is taken by hash from who measured it", () =>
  withWorld(async ({ reader, shared }) => {
    for (
      const ref of [gradientKey(WINDOW, 0), "/etc/passwd", "https://x", `walrus:${"a".repeat(43)}`]
    ) {
      const fault = /^walrus/.test(ref) ? /no aggregator/ : /Cannot (find|read)/;
      await assert.rejects(reader().read(reveal(0, ref), WINDOW), fault);
    }
    await putBlob(shared, GRADIENT);
    for (const ref of [gradientKey(WINDOW, 0), "/etc/passwd"]) {
      assert.deepEqual(await reader().read(reveal(0, ref), WINDOW), GRADIENT);
    }
  }));

Deno.test("GradientReader: reads Walrus at the operator's aggregator alone", () =>
  withWorld(async ({ reader, dir }) => {
    await using standIn = startWalrusStandIn();
    const options = { publisher: standIn.url, aggregator: standIn.url, index: `${dir}/index` };
    using miner = await WalrusStore.open(options);
    const { ref } = await miner.put(gradientKey(WINDOW, 0), GRADIENT);
    assert.match(ref, /^walrus:/);
    const walrus = WalrusStore.reading({ aggregator: standIn.url });
    assert.deepEqual(await reader({ walrus }).read(reveal(0, ref), WINDOW), GRADIENT);
    standIn.fault = "forged";
    await assert.rejects(reader({ walrus }).read(reveal(0, ref), WINDOW), { name: "StoreError" });
    await assert.rejects(walrus.put("a", GRADIENT), { code: "denied" });
  }));

Deno.test({
  name: "GradientReader: a bucket is read with the keys of the ledger's present epoch, opened once",
  ignore: program === undefined,
  fn: () =>
    withWorld(async ({ network, publish, reader }) => {
      const { ledger } = network;
      await using server = await startServer(program!);
      const pair = (name: string) => ({
        accessKeyId: `${name}-id`,
        secretAccessKey: `${name}-key`,
      });
      const pairs = { write: pair("write"), read: pair("read") };
      const { write, read } = await server.sharedBucket("own", pairs);
      using miner = new S3Store(write);
      const { ref } = await miner.put(gradientKey(WINDOW, 1), GRADIENT);
      let asked = 0;
      const counting = {
        credentials: (uid: number) => ledger.credentials(uid),
        sealApprove(...call: Parameters<typeof ledger.sealApprove>) {
          // As a ledger answers to whose window nobody has rolled yet.
          if (++asked === 1) {
            return Promise.reject(new LedgerError("seal_policy", "ENotRolled", ""));
          }
          return ledger.sealApprove(...call);
        },
        roll: (sender: string) => ledger.roll(sender),
      };
      const privateEndpoints = [write.endpoint];
      const own = reader({ ledger: counting, privateEndpoints });
      await assert.rejects(own.read(reveal(1, ref), WINDOW), { code: "not_found" });
      await publish(1, read, { ...pairs.read, secretAccessKey: "planted-wrong" });
      await assert.rejects(own.read(reveal(1, ref), WINDOW), { code: "denied", retryable: false });
      await publish(1, read, pairs.read);
      assert.deepEqual(await own.read(reveal(1, ref), WINDOW), GRADIENT);
      assert.deepEqual(await own.read(reveal(1, ref), WINDOW), GRADIENT);
      await miner.put(gradientAlias(WINDOW + 1, 1), GRADIENT);
      const alias = reveal(1, gradientKey(WINDOW + 1, 1));
      assert.deepEqual(await own.read(alias, WINDOW + 1), GRADIENT);
      // Two epochs were opened; the first took a roll, and with it a second question.
      assert.equal(asked, 3);

      // Rotated between the row that a validator has seen and its call: the service denies, the ledger is read again.
      const [stale, fresh] = [
        await ledger.credentials(1),
        await server.sharedBucket("moved", {
          write: pair("write-2"),
          read: pair("read-2"),
        }),
      ];
      using moved = new S3Store(fresh.write);
      await moved.put(ref, GRADIENT);
      await publish(1, fresh.read, pair("read-2"));
      let first = true;
      const late = reader({
        ledger: {
          ...counting,
          credentials: async (uid) => {
            if (!first) return await ledger.credentials(uid);
            first = false;
            return { ...stale!, bucket: "moved" };
          },
          sealApprove: () => Promise.resolve(),
        },
        privateEndpoints,
      });
      assert.deepEqual(await late.read(reveal(1, ref), WINDOW), GRADIENT);

      await assert.rejects(
        reader({ owner: minerOf(0), privateEndpoints }).read(reveal(1, ref), WINDOW),
        { constant: "ENotValidator" },
      );
      await assert.rejects(reader({ envelope: undefined }).read(reveal(1, ref), WINDOW), {
        code: "untrusted",
      });
      // Loopback is private: without the operator's word no socket opens there.
      await assert.rejects(reader().read(reveal(1, ref), WINDOW), { code: "bad_keys" });
    }),
});

Deno.test("GradientReader: a service that repeats what it was sent, at length, tells no log of it", () =>
  withWorld(async ({ publish, reader }) => {
    await using service = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => {
        const said = `${request.headers.get("authorization")}\n\x1b[31m planted-read-secret ${
          "x".repeat(9_000)
        }`;
        return new Response(`<Error><Code>No</Code><Message>${said}</Message></Error>`, {
          status: 403,
          headers: { "content-type": "application/xml" },
        });
      },
    );
    const endpoint = `http://127.0.0.1:${service.addr.port}`;
    await publish(0, { endpoint, bucket: "bucket" });
    const echoing = reader({ privateEndpoints: [endpoint] }).read(reveal(0), WINDOW);
    await assert.rejects(echoing, (error: Error) => {
      assert(error instanceof StoreError && error.code === "denied", String(error));
      const shown = Deno.inspect(error, { depth: 9 });
      assert(!/planted/.test(shown) && /\(secret\)/.test(error.message), shown);
      assert(error.message.length < 300 && !/\p{C}/u.test(error.message));
      return true;
    });
  }));

/** A service that has `GRADIENT` under every name, whoever asks. */
function anyBucket(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(GRADIENT),
  );
}

Deno.test("GradientReader: a rotation between the row that it has seen and its question is followed", () =>
  withWorld(async ({ network: { ledger }, publish, reader }) => {
    await using service = anyBucket();
    const endpoint = `http://127.0.0.1:${service.addr.port}`;
    await publish(0, { endpoint, bucket: "bucket" });
    const seen: number[] = [];
    const rotating: ReaderParts["ledger"] = {
      async credentials(uid) {
        const row = await ledger.credentials(uid);
        if (seen.push(row!.epoch) === 1) await publish(0, { endpoint, bucket: "bucket" });
        return row;
      },
      sealApprove: (...call) => ledger.sealApprove(...call),
      roll: (sender) => ledger.roll(sender),
    };
    const late = reader({ ledger: rotating, privateEndpoints: [endpoint] });
    assert.deepEqual(await late.read(reveal(0), WINDOW), GRADIENT);
    assert.deepEqual(seen, [1, 2]);
  }));

Deno.test("GradientReader: key servers that refuse what the ledger approves are asked again", () =>
  withWorld(async ({ dir, publish, reader }) => {
    await using service = anyBucket();
    const endpoint = `http://127.0.0.1:${service.addr.port}`;
    await publish(0, { endpoint, bucket: "bucket" });
    const development = await DevelopmentEnvelope.open(`${dir}/keys`);
    let asked = 0;
    const envelope: ReadKeyEnvelope = {
      kind: "seal",
      seal: (...call) => development.seal(...call),
      open: (...call) =>
        ++asked === 1
          ? Promise.reject(new CredentialsError("refused", "Not for us"))
          : development.open(...call),
    };
    const early = reader({ envelope, privateEndpoints: [endpoint] });
    await assert.rejects(early.read(reveal(0), WINDOW), {
      code: "unavailable",
      message: "Not for us, though the ledger approves",
      retryable: true,
    });
    assert.deepEqual(await early.read(reveal(0), WINDOW), GRADIENT);
  }));

Deno.test("GradientReader: no socket opens to where a stranger's credentials should not lead", () =>
  withWorld(async ({ network, publish, reader, dir }) => {
    const places = [
      { endpoint: "http://example.com", bucket: "bucket" },
      { endpoint: "https://127.0.0.1:9", bucket: "bucket" },
      { endpoint: "https://169.254.169.254", bucket: "bucket" },
      { endpoint: "https://user@example.com", bucket: "bucket" },
      { endpoint: "https://s3.example.com", bucket: "a/../b" },
      { endpoint: "https://s3.example.com", bucket: "127.0.0.1#" },
      { endpoint: "https://s3.example.com", bucket: "B" },
    ];
    for (const place of places) {
      await publish(0, place);
      const fault = { code: "bad_keys", retryable: false };
      await assert.rejects(reader().read(reveal(0), WINDOW), fault, place.endpoint + place.bucket);
    }
    // Sealed under another network's key: the shared store is not asked for what the miner keeps elsewhere.
    const envelope = await DevelopmentEnvelope.open(`${dir}/others`);
    const { ledger } = network;
    const keys = ReadKeys.of(PAIR);
    const place = { bucket: "bucket", account: "a" };
    await rotateReadKeys({ ledger, owner: minerOf(0), uid: 0, envelope, keys, place });
    await assert.rejects(reader().read(reveal(0), WINDOW), { code: "bad_envelope" });
  }));

const view = (reveals: readonly RevealRow[]) =>
  ({
    window: WINDOW,
    reveals,
    hparams: DEFAULT_HPARAMS,
    baseHash: new Uint8Array(32),
  }) as unknown as WindowView;

Deno.test("discover: tries every miner before it tries one again, and accounts for each in one line", async () => {
  const order: number[] = [];
  const waits = new Map<number, number>();
  const reader = {
    read({ uid }: RevealRow) {
      order.push(uid);
      const tries = (waits.get(uid) ?? 0) + 1;
      waits.set(uid, tries);
      if (uid === 3) return Promise.reject(new StoreError("denied", "k", "Cannot use it"));
      if (uid === 1 && tries < 3) return Promise.reject(new StoreError("unavailable", "k", "Down"));
      if (uid === 2) return Promise.reject(new StoreError("unavailable", "k", "Down for good"));
      return Promise.resolve(GRADIENT);
    },
  } as unknown as GradientReader;
  const put: string[] = [];
  const store = { put: (key: string) => Promise.resolve(put.push(key)) } as unknown as Store;
  const clock = new VirtualClock(0);
  const waiting = { now: () => clock.now(), until: (ms: number) => Promise.resolve(clock.set(ms)) };
  const lines: string[] = [];
  const reveals = [5, 1, 2, 3, 4].map((uid) => reveal(uid));
  const { found, unavailable } = await discover(view(reveals), {
    reader,
    store,
    model: PRESETS.tiny,
    log: (level, _target, message, fields) => {
      if (level === "warn") lines.push(`${message} ${fields!.uid} ${fields!.reason}`);
    },
    patience: { clock: waiting, deadline: 50, pauseMs: 10, signal: new AbortController().signal },
  });
  assert.deepEqual(found.map(({ uid }) => uid), [5, 1, 4]);
  assert.deepEqual(unavailable, [2, 3]);
  assert.deepEqual(order, [5, 1, 2, 3, 4, 1, 2, 1, 2, 2, 2]);
  assert.deepEqual(lines, [
    "Gradient unavailable 2 Down for good",
    "Gradient unavailable 3 Cannot use it",
  ]);
  assert.equal(put.length, 3);
});
