import assert from "node:assert/strict";
import { judgeHandler } from "../../enclave/server.ts";
import { type Bytes, concat, utf8 } from "../../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { decodeReport } from "../../enclave/protocol/report.ts";
import {
  blobsOf,
  createBareJudge,
  createTestJudge,
  identityOf,
  TestNet,
  v1,
} from "../../tests/support/window.ts";
import { JudgeClient, type JudgeClientOptions, JudgeError, WRITE_BYTES } from "./judge_client.ts";

type Handler = (request: Request) => Response | Promise<Response>;

/** Run against `handle` at a Unix socket, with one client. */
async function served(
  handle: Handler,
  run: (client: JudgeClient, path: string) => Promise<void>,
  options?: JudgeClientOptions,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/judge.sock`;
  const stop = new AbortController();
  const server = Deno.serve({ path, signal: stop.signal, onListen: () => {} }, handle);
  const client = JudgeClient.unix(path, options);
  try {
    await run(client, path);
  } finally {
    client.close();
    stop.abort();
    await server.finished;
    await Deno.remove(dir, { recursive: true });
  }
}

function failure(code: string, status: number, retryable: boolean) {
  return (error: unknown) => {
    assert.ok(error instanceof JudgeError, String(error));
    assert.deepEqual([error.code, error.status, error.retryable], [code, status, retryable]);
    assert.notEqual(error.message, "");
    return true;
  };
}

Deno.test("JudgeClient: configures, attests, puts blobs and has a window judged", async () => {
  const net = new TestNet();
  const window = net.window(3, [v1(1, await net.train(3, 1))]);
  const judge = await createBareJudge();
  await served(judgeHandler(judge), async (client) => {
    assert.deepEqual(await client.health(), {
      publicKey: judge.publicKey,
      configured: false,
      busy: false,
    });
    await assert.rejects(client.attest(), failure("not_configured", 409, false));
    assert.deepEqual(await client.configure(identityOf(0)), judge.publicKey);
    assert.ok((await client.attest(new Uint8Array(512))).length > 1_000);
    await assert.rejects(client.process(window.report()), (error: JudgeError) => {
      assert.equal(error.field, "blobs");
      return failure("missing_blob", 424, true)(error);
    });
    for (const { hash, bytes } of blobsOf(window)) {
      assert.equal(await client.hasBlob(hash), false);
      await client.putBlob(hash, bytes);
      assert.equal(await client.hasBlob(hash), true);
    }
    const signed = await client.process(window.report());
    assert.equal(decodeReport(signed.message).entries.length, 1);
    assert.deepEqual(await client.process(window.report()), signed);
  });
  await judge.close();
});

Deno.test("JudgeClient: hears why a large body was refused, though it was not read", async () => {
  const judge = await createTestJudge();
  await served(judgeHandler(judge, { maxBytes: 100_000 }), async (client) => {
    const blob = new Uint8Array(8 << 20);
    await assert.rejects(client.putBlob(sha256(blob), blob), failure("busy", 503, true));
    assert.equal((await client.health()).configured, true);
    await assert.rejects(
      client.putBlob(sha256(blob), utf8("x")),
      failure("wrong_hash", 400, false),
    );
  });
});

Deno.test("JudgeClient: writes a body in slices of at most 31 KiB", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/judge.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const client = JudgeClient.unix(path);
  const blob = crypto.getRandomValues(new Uint8Array(50_000));
  const put = client.putBlob(sha256(blob), blob);
  const connection = await listener.accept();
  let received: Bytes = new Uint8Array(0);
  const end = utf8("\r\n0\r\n\r\n").join();
  while (received.subarray(-7).join() !== end) {
    const part = new Uint8Array(65_536);
    received = concat(received, part.subarray(0, (await connection.read(part))!));
  }
  const text = new TextDecoder("latin1").decode(received);
  const sizes: number[] = [];
  for (let at = text.indexOf("\r\n\r\n") + 4; at < text.length;) {
    const line = text.slice(at, text.indexOf("\r\n", at));
    sizes.push(parseInt(line, 16));
    at += line.length + 2 + sizes.at(-1)! + 2;
  }
  assert.deepEqual(sizes, [WRITE_BYTES, 50_000 - WRITE_BYTES, 0]);
  const body = encodeCanonical({ bytes: 50_000 });
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`;
  await connection.write(concat(utf8(head), body));
  await put;
  client.close();
  connection.close();
  listener.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("JudgeClient: what is not exactly an answer is 'bad_answer'", async () => {
  const cbor = (body: unknown, status = 200) => new Response(encodeCanonical(body), { status });
  const health = { public_key: new Uint8Array(32), configured: 0, busy: 0 };
  const answers: readonly (readonly [() => Response, number])[] = [
    [() => new Response("<html>"), 200],
    [() => new Response(null), 200],
    [() => cbor({ ...health, more: 1 }), 200],
    [() => cbor({ ...health, public_key: new Uint8Array(31) }), 200],
    [() => cbor({ ...health, busy: 2 }), 200],
    [() => new Response(concat(encodeCanonical(health), new Uint8Array(1))), 200],
    [() => cbor(health, 500), 500],
    [() => new Response("Bad Gateway", { status: 502 }), 502],
    [() => cbor({ error: "", message: "", field: null }, 400), 400],
    [() => new Response(new Uint8Array((2 << 20) + 1)), 200],
  ];
  let answer = answers[0]![0];
  await served(() => answer(), async (client) => {
    for (const [make, status] of answers) {
      answer = make;
      await assert.rejects(client.health(), failure("bad_answer", status, false));
    }
    answer = () => cbor({ error: "deadline", message: "Too late", field: "x" }, 504);
    await assert.rejects(client.health(), failure("deadline", 504, false));
    answer = () => cbor({ error: "busy", message: "At work", field: null }, 503);
    await assert.rejects(client.health(), failure("busy", 503, true));
    answer = () => new Response(null, { status: 500 });
    await assert.rejects(client.hasBlob(new Uint8Array(32)), failure("bad_answer", 500, false));
    answer = () => new Response(null, { status: 302, headers: { location: "http://other/" } });
    await assert.rejects(client.health(), failure("unreachable", 0, true));
  });
});

Deno.test("JudgeClient: nobody there, too late and closed are told apart", async () => {
  const waiting: (() => void)[] = [];
  const never = () =>
    new Promise<Response>((resolve) => waiting.push(() => resolve(new Response(null))));
  await served(never, async (client, path) => {
    await assert.rejects(client.health(), failure("timeout", 0, true));
    const nobody = JudgeClient.unix(`${path}.none`);
    await assert.rejects(nobody.health(), failure("unreachable", 0, true));
    nobody.close();
    const closing = JudgeClient.unix(path);
    const health = closing.health();
    closing.close();
    closing.close();
    await assert.rejects(health, failure("closed", 0, false));
    await assert.rejects(closing.health(), failure("closed", 0, false));
    for (const answer of waiting) answer();
  }, { askMs: 30 });
});
