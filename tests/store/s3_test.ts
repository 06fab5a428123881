/**
 * S3Store against a real S3 server, and against services that mean harm. Runs where the server has been built.
 *
 * @module
 */
import assert from "node:assert/strict";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { type S3Options, S3Store } from "../../host/store/s3.ts";
import { testStore } from "../../host/store/testing.ts";
import { findServer, type S3Server, startServer } from "../support/s3_server.ts";

const program = await findServer();
const ignore = program === undefined;
const ANY = { maxBytes: 1 << 20 };

async function withServer(body: (server: S3Server) => Promise<void>): Promise<void> {
  await using server = await startServer(program!);
  await body(server);
}

const withBucket = (body: (options: S3Options, server: S3Server) => Promise<void>) =>
  withServer(async (server) => body(await server.bucket("gradients"), server));

testStore("S3Store", (body) =>
  withBucket(async (options) => {
    using store = new S3Store(options);
    await body(store);
  }), ignore);

Deno.test({
  name:
    "S3Store: a wrong secret, a wrong key and no bucket are denied at once, and nothing secret is said",
  ignore,
  fn: () =>
    withBucket(async (options) => {
      for (
        const wrong of [
          { secretAccessKey: "planted-secret" },
          { accessKeyId: "planted-secret" },
          { bucket: "none" },
        ]
      ) {
        using store = new S3Store({ ...options, ...wrong });
        const calls = [
          // Asked for an object of a bucket that is not there, servers differ in what they miss.
          ...("bucket" in wrong ? [] : [() => store.get("a", ANY)]),
          () => store.put("a", utf8("x")),
          () => store.list(""),
        ];
        for (const call of calls) {
          await assert.rejects(call, (error: Error & { code?: string; retryable?: boolean }) => {
            assert.equal(error.code, "denied");
            assert.equal(error.retryable, false);
            const shown = Deno.inspect(error, { depth: 9 });
            assert(!shown.includes("planted-secret") && !shown.includes(options.secretAccessKey));
            return true;
          });
        }
      }
    }),
});

Deno.test({
  name: "S3Store: takes 64 objects at once",
  ignore,
  fn: () =>
    withBucket(async (options) => {
      using store = new S3Store(options);
      const names = Array.from({ length: 64 }, (_, i) => `gradient-1-${i}-v1.pt`);
      await Promise.all(names.map((name, i) => store.put(name, new Uint8Array(200_000).fill(i))));
      assert.deepEqual(await store.list("gradient-"), names.toSorted());
      const all = await Promise.all(names.map((name) => store.get(name, ANY)));
      all.forEach((bytes, i) => assert(bytes.length === 200_000 && bytes.every((b) => b === i)));
    }),
});

Deno.test({
  name: "S3Store: an upload that its server's restart cut leaves nothing, and can be tried again",
  ignore,
  fn: () =>
    withBucket(async (options, server) => {
      using store = new S3Store({ ...options, patienceMs: 10_000 });
      const bytes = crypto.getRandomValues(new Uint8Array(1 << 16)).slice();
      const large = new Uint8Array(48 << 20);
      large.set(bytes);
      const put = store.put("large", large).then(() => "whole", (error) => error.code);
      await server.restart();
      const outcome = await put;
      assert(outcome === "whole" || outcome === "unavailable", outcome);
      const found = await store.head("large");
      assert(found === undefined || found.size === large.length);
      await store.put("large", large);
      assert.equal((await store.head("large"))!.size, large.length);
    }),
});

Deno.test({
  name: "S3Store: passes over what is not ours, and finds what lies behind it",
  ignore,
  fn: () =>
    withServer(async (server) => {
      const options = await server.bucket("mixed");
      using store = new S3Store(options);
      await store.put("b", utf8("ours"));
      const { S3Client, PutObjectCommand } = await import("@aws-sdk/client-s3");
      const raw = new S3Client({
        endpoint: options.endpoint,
        region: options.region!,
        forcePathStyle: true,
        credentials: options,
      });
      for (const Key of ["A", "a b"]) {
        await raw.send(new PutObjectCommand({ Bucket: "mixed", Key, Body: "x" }));
      }
      raw.destroy();
      assert.deepEqual(await store.list("", { limit: 1 }), ["b"]);
    }),
});

/** A service on loopback that answers as `handler` does. */
async function withService(
  handler: () => Response | Promise<Response>,
  body: (store: S3Store) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  try {
    using store = new S3Store({
      endpoint: `http://127.0.0.1:${server.addr.port}`,
      bucket: "b",
      accessKeyId: "k",
      secretAccessKey: "s",
      patienceMs: 1_000,
    });
    await body(store);
  } finally {
    await server.shutdown();
  }
}

Deno.test({
  name: "S3Store: an answer that came while this process stood still is in time",
  ignore,
  fn: () =>
    withBucket(async (options) => {
      using store = new S3Store({ ...options, patienceMs: 2_000 });
      await store.put("a", utf8("x"));
      const read = store.get("a", ANY);
      await new Promise((resolve) => setTimeout(resolve, 0));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
      assert.deepEqual(await read, utf8("x"));
    }),
});

const endless = () =>
  new ReadableStream<Uint8Array>({ pull: (out) => out.enqueue(new Uint8Array(1 << 16)) });

Deno.test("S3Store: an endless body is cut at the reader's bound", () =>
  withService(() => new Response(endless()), async (store) => {
    await assert.rejects(store.get("a", ANY), { code: "too_large", retryable: false });
  }));

Deno.test("S3Store: a declared size above the bound is refused unread", () =>
  withService(
    () => new Response(new Uint8Array(2 << 20)),
    (store) => assert.rejects(store.get("a", ANY), { code: "too_large" }),
  ));

Deno.test("S3Store: a body that drips ends with the call's time", () =>
  withService(() => {
    let timer: ReturnType<typeof setInterval>;
    return new Response(
      new ReadableStream({
        start(out) {
          timer = setInterval(() => out.enqueue(new Uint8Array(1)), 50);
        },
        cancel: () => clearInterval(timer),
      }),
    );
  }, async (store) => {
    await assert.rejects(store.get("a", { maxBytes: 100 }), {
      code: "unavailable",
      retryable: true,
      message: /no whole answer within/,
    });
  }));

Deno.test("S3Store: a redirect is not followed", async () => {
  let followed = false;
  await using other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    followed = true;
    return new Response("secret of the network");
  });
  const location = `http://127.0.0.1:${other.addr.port}/`;
  await withService(
    () => new Response(null, { status: 307, headers: { location } }),
    (store) => assert.rejects(store.get("a", ANY), { code: "denied" }),
  );
  assert.equal(followed, false);
});

Deno.test("S3Store: refuses private and plain endpoints of strangers, also behind a name", async () => {
  const stranger = { bucket: "b", accessKeyId: "k", secretAccessKey: "s", publicOnly: true };
  for (
    const endpoint of [
      "http://example.com",
      "https://127.0.0.1",
      "https://10.1.2.3:9000",
      "https://[::1]",
      "https://[fd00::1]",
      "https://169.254.169.254",
      "https://2130706433",
      "https://user@example.com",
      "ftp://example.com",
      "nowhere",
    ]
  ) {
    assert.throws(() => new S3Store({ ...stranger, endpoint }), RangeError, endpoint);
  }
  using store = new S3Store({ ...stranger, endpoint: "https://localhost:9", patienceMs: 2_000 });
  await assert.rejects(store.get("a", ANY), { code: "unavailable", message: /no public address/ });
});

Deno.test("S3Store: the bucket is first in the path, or in the host's name where that is the style", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    asked.push(`${request.headers.get("host")}${new URL(request.url).pathname}`);
    return new Response("x");
  });
  const host = `localhost:${server.addr.port}`;
  const options = {
    endpoint: `http://${host}`,
    bucket: "pool",
    accessKeyId: "k",
    secretAccessKey: "s",
  };
  using path = new S3Store(options);
  await path.get("a", ANY);
  using virtual = new S3Store({ ...options, style: "virtual", patienceMs: 2_000 });
  // Not every machine knows the names below localhost.
  const found = await virtual.get("a", ANY).then(() => asked[1], (error) => error.message);
  assert.equal(asked[0], `${host}/pool/a`);
  assert.match(found, new RegExp(`^pool\\.${host}/a$|pool\\.localhost$`));
});
