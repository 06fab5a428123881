/**
 * A host that lies below HTTP: garbage, halves, floods and bent inputs, sent to the real server over its real
 * socket. The judge refuses with a reason, signs nothing, does not end, and is afterwards as it was before.
 */
import assert from "node:assert/strict";
import {
  blobsOf,
  bodyOf,
  createBareJudge,
  createTestJudge,
  identityOf,
  TestNet,
  v1,
} from "../tests/support/window.ts";
import { JudgeClient } from "../host/courier/judge_client.ts";
import { JudgeError } from "../host/courier/judge_error.ts";
import type { Judge } from "./judge.ts";
import { encodeContext } from "./protocol/commit.ts";
import { type Bytes, concat, toHex, utf8 } from "./protocol/bytes.ts";
import { sha256 } from "./protocol/hash.ts";
import { decodeReveals, encodeReveals, type Payload } from "./protocol/judge_messages.ts";
import { decodeReport } from "./protocol/report.ts";
import { type HandlerOptions, judgeHandler } from "./server.ts";

interface Target {
  readonly client: JudgeClient;
  /** A new connection. */
  connect(): Promise<Deno.Conn>;
  /** Send `bytes` on a new connection; what is answered until the other side closes, or `ms` have passed. */
  send(bytes: Bytes, ms?: number): Promise<string>;
}

async function attacked(
  judge: Judge,
  options: HandlerOptions,
  run: (target: Target) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/judge.sock`;
  const server = Deno.serve({ path, onListen: () => {} }, judgeHandler(judge, options));
  const client = JudgeClient.unix(path);
  const connect = () => Deno.connect({ transport: "unix", path });
  const send = async (bytes: Bytes, ms = 200) => {
    const connection = await connect();
    const timer = setTimeout(() => shut(connection), ms);
    let answered = "";
    try {
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
      const part = new Uint8Array(4_096);
      for (let n = await connection.read(part); n !== null; n = await connection.read(part)) {
        answered += new TextDecoder("latin1").decode(part.subarray(0, n));
      }
    } catch {
      // Closed by the judge, or by the timer.
    }
    clearTimeout(timer);
    shut(connection);
    return answered;
  };
  try {
    await run({ client, connect, send });
  } finally {
    client.close();
    await server.shutdown();
    await judge.close();
    await Deno.remove(dir, { recursive: true });
  }
}

function shut(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}

const code = (wanted: string) => (error: unknown) => {
  assert.ok(error instanceof JudgeError, String(error));
  assert.equal(error.code, wanted);
  return true;
};

/** A head of HTTP/1.1 with these lines. */
const head = (...lines: readonly string[]) => utf8(`${lines.join("\r\n")}\r\n\r\n`);
const HOST = "host: judge";

Deno.test("judge's socket: garbage that is no HTTP is answered 400 or not at all", async () => {
  await attacked(await createTestJudge(), {}, async ({ client, send }) => {
    const garbage = [
      crypto.getRandomValues(new Uint8Array(65_536)),
      new Uint8Array(4_096),
      utf8("\r\n".repeat(1_000)),
      head("GET /health_check HTTP/9.9", HOST),
      head("GET /health_check", HOST),
      head("PRI * HTTP/2.0"),
      head("GET /health_check HTTP/1.1", HOST, `x: ${"y".repeat(1 << 20)}`),
      head(
        "GET /health_check HTTP/1.1",
        HOST,
        ..."z".repeat(5_000).split("").map((z) => `${z}: 1`),
      ),
      head(`GET /${"a".repeat(1 << 20)} HTTP/1.1`, HOST),
      head("POST /configure HTTP/1.1", HOST, "content-length: -1"),
      head("POST /configure HTTP/1.1", HOST, "content-length: 1", "content-length: 2"),
      head("POST /configure HTTP/1.1", HOST, "content-length: 99999999999999999999"),
      concat(head("POST /configure HTTP/1.1", HOST, "transfer-encoding: chunked"), utf8("zz\r\n")),
      concat(
        head("POST /configure HTTP/1.1", HOST, "transfer-encoding: chunked"),
        utf8("ffffffffffffffff1\r\n"),
      ),
    ];
    for (const bytes of garbage) {
      const answered = await send(bytes);
      assert.match(answered, /^(|HTTP\/1\.[01] [45]\d\d [^]*)$/, answered.slice(0, 80));
    }
    assert.equal((await client.health()).busy, false);
  });
});

Deno.test("judge's socket: a body smuggled behind two lengths reaches no second request", async () => {
  await attacked(await createBareJudge(), {}, async ({ client, send }) => {
    const smuggled = head("POST /configure HTTP/1.1", HOST, "content-length: 0");
    const answered = await send(concat(
      head(
        "POST /configure HTTP/1.1",
        HOST,
        `content-length: ${smuggled.length}`,
        "transfer-encoding: chunked",
      ),
      utf8("0\r\n\r\n"),
      smuggled,
    ));
    assert.doesNotMatch(answered, /HTTP\/1\.1 200/);
    assert.equal((await client.health()).configured, false);
  });
});

Deno.test("judge's socket: connections left half open hold up nobody, and are given back", async () => {
  const files = () => [...Deno.readDirSync("/proc/self/fd")].length;
  await attacked(await createTestJudge(), { bodyMs: 100 }, async ({ client, connect }) => {
    await client.health();
    const before = files();
    const open = await Promise.all(Array.from({ length: 100 }, connect));
    const beginnings = [
      new Uint8Array(0),
      utf8("GET /hea"),
      utf8("POST /process_data HTTP/1.1\r\nhost: judge\r\ncontent-le"),
    ];
    await Promise.all(open.map((connection, i) => connection.write(beginnings[i % 3]!)));
    assert.equal((await client.health()).busy, false);
    for (const connection of open) connection.close();
    while (files() > before) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal((await client.health()).busy, false);
  });
});

Deno.test("judge's socket: bodies that trickle are cut off, and those broken off are forgotten", async () => {
  const judge = await createTestJudge();
  const maxBytes = 1 << 20;
  await attacked(judge, { bodyMs: 150, maxBytes }, async ({ client, connect, send }) => {
    const path = `/blobs/${"0".repeat(64)}`;
    const put = head(`PUT ${path} HTTP/1.1`, HOST, `content-length: ${maxBytes}`);
    const slow = await send(concat(put, new Uint8Array(1)), 600);
    assert.match(slow, /^HTTP\/1\.1 408 [^]*slow_body/);
    for (let i = 0; i < 16; i++) {
      const connection = await connect();
      const most = concat(put, new Uint8Array(maxBytes - 1));
      for (let at = 0; at < most.length;) at += await connection.write(most.subarray(at));
      connection.close(); // one byte short
    }
    // Were any of it still counted, this would be too much in flight.
    const blob = new Uint8Array(maxBytes);
    const tries = Date.now() + 5_000;
    for (;;) {
      try {
        await client.putBlob(sha256(blob), blob);
        break;
      } catch (error) {
        if (!(error instanceof JudgeError) || !error.retryable || Date.now() > tries) throw error;
      }
    }
    assert.equal(judge.blobs.bytes, blobBytes(blob));
  });
});

const blobBytes = (...blobs: readonly Bytes[]) => blobs.reduce((sum, blob) => sum + blob.length, 0);

Deno.test("judge's socket: a body that is declared or grows too large is refused, unread", async () => {
  await attacked(await createTestJudge(), {}, async ({ client, send }) => {
    const path = `/blobs/${toHex(sha256(utf8("x")))}`;
    const declared = await send(head(`PUT ${path} HTTP/1.1`, HOST, `content-length: ${2 ** 40}`));
    assert.match(declared, /^HTTP\/1\.1 413 [^]*too_large/);
    const chunk = concat(utf8("800\r\n"), new Uint8Array(2_048), utf8("\r\n"));
    const grown = await send(concat(
      head("POST /configure HTTP/1.1", HOST, "transfer-encoding: chunked"),
      chunk,
      chunk,
    ));
    assert.match(grown, /^HTTP\/1\.1 413 [^]*too_large/);
    assert.equal((await client.health()).configured, true);
  });
});

Deno.test("judge's socket: duplicate, reordered, swapped and foreign inputs are refused, and the honest one is signed", async () => {
  const net = new TestNet();
  const window = net.window(3, [v1(1, await net.train(3, 1)), v1(2, await net.train(3, 2))]);
  const other = net.window(4, [v1(1, await net.train(4, 1))]);
  const judge = await createBareJudge();
  await attacked(judge, {}, async ({ client, send }) => {
    await client.configure(identityOf(0));
    for (const { hash, bytes } of blobsOf(window)) await client.putBlob(hash, bytes);
    const honest = window.report();
    const [first, second] = decodeReveals(honest.reveals);
    const pages = honest.pages;
    const foreign = (change: object) => encodeContext({ ...window.context, ...change });
    const bent: readonly (readonly [change: Partial<Payload>, wanted: string])[] = [
      [{ reveals: encodeReveals([first!, first!]) }, "bad_reveals"],
      [
        { reveals: encodeReveals([first!, { ...second!, commitSeq: first!.commitSeq }]) },
        "bad_reveals",
      ],
      [{ pages: [{ ...pages[0]!, tokens: pages[1]!.tokens }, ...pages.slice(1)] }, "bad_page"],
      [{ pages: [{ ...pages[0]!, proof: pages[1]!.proof }, ...pages.slice(1)] }, "bad_page"],
      [{ pages: pages.slice(1) }, "missing_page"],
      [{ context: foreign({ ledgerId: new Uint8Array(32) }) }, "unbound_input"],
      [{ context: foreign({ chainId: new Uint8Array(32) }) }, "unbound_input"],
      [{ beacon: other.report().beacon }, "bad_beacon"],
      [{ context: other.report().context }, "bad_beacon"],
      [{ base: new Uint8Array(8) }, "truncated"],
      [{ kind: "outcome" }, "missing_field"],
    ];
    for (const [change, wanted] of bent) {
      await assert.rejects(client.process({ ...honest, ...change }), code(wanted), wanted);
    }
    // Twice on one connection, and the same again later: one answer.
    const body = bodyOf(honest);
    const length = `content-length: ${body.length}`;
    const post = (...lines: string[]) =>
      concat(head("POST /process_data HTTP/1.1", HOST, length, ...lines), body);
    const answered = await send(concat(post(), post("connection: close")), 10_000);
    assert.ok(answered.startsWith("HTTP/1.1 200"), answered.slice(0, 200));
    const signed = await client.process(honest);
    assert.equal(decodeReport(signed.message).entries.length, 2);
    // A judge that signed is asked to sign the reveals in another order.
    const reordered = { ...honest, reveals: encodeReveals([second!, first!]) };
    await assert.rejects(client.process(reordered), code("already_signed"));
  });
});
