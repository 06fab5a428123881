import assert from "node:assert/strict";
import {
  bodyOf,
  createBareJudge,
  createTestJudge,
  identityOf,
  TestNet,
  v1,
} from "../tests/support/window.ts";
import type { Judge } from "./judge.ts";
import { type Bytes, concat, toHex, utf8 } from "./protocol/bytes.ts";
import { encodeCanonical } from "./protocol/cbor.ts";
import { sha256 } from "./protocol/hash.ts";
import {
  ATTESTATION,
  decodeBody,
  HEALTH,
  MAX_BLOB,
  MAX_BODY,
  REFUSED,
  SIGNED,
} from "./protocol/judge_messages.ts";
import { judgeHandler } from "./server.ts";

type Handler = (request: Request) => Promise<Response>;

const { chainId, ledgerId, validator, address } = identityOf(0);
const CONFIGURATION = { chain_id: chainId, ledger_id: ledgerId, validator, address };

function send(
  handle: Handler,
  method: string,
  path: string,
  body?: BodyInit,
  headers: Record<string, string> = {},
): Promise<Response> {
  const init = { method, headers, ...(body === undefined ? {} : { body }) };
  return handle(new Request(`http://judge${path}`, init));
}

async function bytesOf(response: Response): Promise<Bytes> {
  assert.equal(response.headers.get("content-type"), "application/cbor");
  return new Uint8Array(await response.arrayBuffer());
}

async function refusal(
  response: Response | Promise<Response>,
): Promise<[status: number, code: string, field: string | null]> {
  const { status } = await response;
  const { error, field, message } = decodeBody(await bytesOf(await response), REFUSED);
  assert.notEqual(message, "");
  return [status, error, field];
}

/** A body that never ends. */
function endless(): ReadableStream<Bytes> {
  return new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(8)) });
}

async function withJudge(run: (handle: Handler, judge: Judge) => Promise<void>): Promise<void> {
  const judge = await createBareJudge();
  try {
    await run(judgeHandler(judge), judge);
  } finally {
    await judge.close();
  }
}

Deno.test("judgeHandler: refuses paths, methods and queries that it does not know", async () => {
  await withJudge(async (handle) => {
    for (const path of ["/", "/health", "/health_check/", "/blobs/", `/blobs/${"0".repeat(63)}`]) {
      assert.deepEqual(await refusal(send(handle, "GET", path)), [404, "not_found", null]);
    }
    assert.deepEqual(await refusal(send(handle, "GET", `/blobs/${"A".repeat(64)}`)), [
      404,
      "not_found",
      null,
    ]);
    for (
      const [method, path] of [
        ["POST", "/health_check"],
        ["POST", "/get_attestation"],
        ["GET", "/configure"],
        ["GET", "/process_data"],
        ["PUT", "/process_data"],
        ["GET", `/blobs/${"0".repeat(64)}`],
        ["DELETE", `/blobs/${"0".repeat(64)}`],
      ] as const
    ) {
      assert.deepEqual((await refusal(send(handle, method, path))).slice(0, 2), [
        405,
        "wrong_method",
      ]);
    }
    assert.deepEqual((await refusal(send(handle, "GET", "/health_check?a=1"))).slice(0, 2), [
      400,
      "unknown_field",
    ]);
  });
});

Deno.test("judgeHandler: /configure takes exactly its fields, once", async () => {
  await withJudge(async (handle, judge) => {
    const configure = (body: BodyInit) => send(handle, "POST", "/configure", body);
    const encoded = encodeCanonical(CONFIGURATION);
    const { address: _, ...withoutAddress } = CONFIGURATION;
    // a2 62 "ab" 01 62 "ab" 02: a map with one key twice
    const twice = new Uint8Array([0xa2, 0x62, 97, 98, 1, 0x62, 97, 98, 2]);
    const cases: readonly (readonly [BodyInit, string, string | null])[] = [
      [encodeCanonical({ ...CONFIGURATION, more: 1 }), "unknown_field", "more"],
      [encodeCanonical(withoutAddress), "missing_field", "address"],
      [encodeCanonical({ ...CONFIGURATION, validator: 65_536 }), "out_of_range", "validator"],
      [
        encodeCanonical({ ...CONFIGURATION, chain_id: new Uint8Array(31) }),
        "wrong_length",
        "chain_id",
      ],
      [encodeCanonical({ ...CONFIGURATION, address: "0x" }), "wrong_kind", "address"],
      [twice, "duplicate_key", null],
      [concat(encoded, new Uint8Array(1)), "trailing_bytes", null],
      [encoded.slice(0, -1), "truncated", null],
      ["", "truncated", null],
    ];
    for (const [body, code, field] of cases) {
      assert.deepEqual(await refusal(configure(body)), [400, code, field]);
    }
    assert.deepEqual(await refusal(configure(new Uint8Array(1_025))), [413, "too_large", null]);
    assert.equal(judge.configured, false);
    for (let i = 0; i < 2; i++) assert.equal((await configure(encoded)).status, 200);
    const other = encodeCanonical({ ...CONFIGURATION, validator: 1 });
    assert.deepEqual(await refusal(configure(other)), [409, "already_configured", null]);
    const health = decodeBody(await bytesOf(await send(handle, "GET", "/health_check")), HEALTH);
    assert.deepEqual(health, { public_key: judge.publicKey, configured: 1, busy: 0 });
  });
});

Deno.test("judgeHandler: without a configuration it attests and judges nothing", async () => {
  await withJudge(async (handle) => {
    const refused = [409, "not_configured", null];
    assert.deepEqual(await refusal(send(handle, "GET", "/get_attestation")), refused);
    assert.deepEqual(await refusal(send(handle, "POST", "/process_data", "x")), refused);
  });
});

Deno.test("judgeHandler: /get_attestation takes one nonce of 1 to 512 bytes, or none", async () => {
  await withJudge(async (handle, judge) => {
    judge.configure(identityOf(0));
    const attest = (query: string) => send(handle, "GET", `/get_attestation${query}`);
    for (const query of ["", "?nonce=00", `?nonce=${"ab".repeat(512)}`]) {
      const body = decodeBody(await bytesOf(await attest(query)), ATTESTATION);
      assert.ok(body.attestation_document.length > 1_000);
    }
    const bad = [
      "?nonce=",
      "?nonce=0",
      "?nonce=AB",
      "?nonce=zz",
      `?nonce=${"ab".repeat(513)}`,
      "?nonce=00&nonce=01",
      "?nonce=00&other=1",
      "?other=00",
    ];
    for (const query of bad) {
      assert.deepEqual(await refusal(attest(query)), [400, "bad_nonce", "nonce"]);
    }
  });
});

Deno.test("judgeHandler: a blob is kept under its own hash only", async () => {
  await withJudge(async (handle, judge) => {
    const blob = utf8("a gradient");
    const path = `/blobs/${toHex(sha256(blob))}`;
    assert.equal((await send(handle, "HEAD", path)).status, 404);
    assert.deepEqual(await refusal(send(handle, "PUT", path, "another")), [
      400,
      "wrong_hash",
      "blob",
    ]);
    assert.equal((await send(handle, "PUT", path, blob)).status, 200);
    assert.equal((await send(handle, "HEAD", path)).status, 200);
    assert.deepEqual(judge.blobs.get(sha256(blob)), blob);
  });
});

Deno.test("judgeHandler: refuses a body by its declared length, before it reads it", async () => {
  await withJudge(async (handle, judge) => {
    judge.configure(identityOf(0));
    for (
      const [method, path, max] of [
        ["POST", "/configure", 1_024],
        ["POST", "/process_data", MAX_BODY],
        ["PUT", `/blobs/${"0".repeat(64)}`, MAX_BLOB],
      ] as const
    ) {
      const headers = { "content-length": String(max + 1) };
      assert.deepEqual(await refusal(send(handle, method, path, endless(), headers)), [
        413,
        "too_large",
        null,
      ]);
    }
  });
});

Deno.test("judgeHandler: stops reading a body that is longer than it may be", async () => {
  await withJudge(async (handle) => {
    let pulled = 0;
    let cancelled = false;
    const body = new ReadableStream<Bytes>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(512));
      },
      cancel() {
        cancelled = true;
      },
    });
    const answer = await send(handle, "POST", "/configure", body);
    assert.deepEqual(await refusal(answer), [413, "too_large", null]);
    assert.ok(pulled < 8);
    assert.ok(cancelled);
  });
});

Deno.test("judgeHandler: gives a body a time to arrive", async () => {
  const judge = await createBareJudge();
  const handle = judgeHandler(judge, { bodyMs: 20 });
  const answer = await send(handle, "POST", "/configure", endless());
  assert.deepEqual(await refusal(answer), [408, "slow_body", null]);
});

Deno.test("judgeHandler: is busy above 16 requests, or too many bytes, in flight", async () => {
  const judge = await createBareJudge();
  const handle = judgeHandler(judge, { bodyMs: 100, maxBytes: 200 });
  const waiting = Array.from({ length: 16 }, () => send(handle, "POST", "/configure", endless()));
  assert.deepEqual((await refusal(send(handle, "GET", "/health_check"))).slice(0, 2), [
    503,
    "busy",
  ]);
  for (const answer of waiting) assert.equal((await refusal(answer))[1], "slow_body");
  assert.equal((await send(handle, "GET", "/health_check")).status, 200);
  const path = `/blobs/${toHex(sha256(new Uint8Array(201)))}`;
  const large = await refusal(send(handle, "PUT", path, new Uint8Array(201)));
  assert.deepEqual(large.slice(0, 2), [503, "busy"]);
  const small = new Uint8Array(200);
  const smallPath = `/blobs/${toHex(sha256(small))}`;
  assert.equal((await send(handle, "PUT", smallPath, small)).status, 200);
});

Deno.test("judgeHandler: one judgement at a time, and the loop turns meanwhile", async () => {
  const net = new TestNet();
  const window = net.window(3, [v1(1, await net.train(3, 1))]);
  const judge = await createTestJudge(window);
  const handle = judgeHandler(judge);
  try {
    const body = bodyOf(window.report());
    const first = send(handle, "POST", "/process_data", body);
    while (!judge.busy) await new Promise((resolve) => setTimeout(resolve, 0));
    assert.deepEqual((await refusal(send(handle, "POST", "/process_data", body))).slice(0, 2), [
      503,
      "busy",
    ]);
    const health = decodeBody(await bytesOf(await send(handle, "GET", "/health_check")), HEALTH);
    assert.equal(health.busy, 1);
    const signed = await bytesOf(await first);
    assert.equal(decodeBody(signed, SIGNED).manifest, null);
    assert.deepEqual(await bytesOf(await send(handle, "POST", "/process_data", body)), signed);
    const other = bodyOf({ ...window.report(), unavailable: [1] });
    assert.deepEqual((await refusal(send(handle, "POST", "/process_data", other))).slice(0, 2), [
      409,
      "already_signed",
    ]);
  } finally {
    await judge.close();
  }
});

Deno.test("judgeHandler: refuses a payload that is not exactly one, and says which field", async () => {
  const window = new TestNet().window(3, []);
  const judge = await createTestJudge(window);
  const handle = judgeHandler(judge);
  const payload = window.report();
  const { base: _, ...withoutBase } = payload;
  const model = { ...payload.model, more: 1 };
  const page = { ...payload.pages[0]!, index: -1 };
  const cases: readonly (readonly [unknown, number, string, string | null])[] = [
    [{ payload: withoutBase }, 400, "missing_field", "payload.base"],
    [{ payload: { ...payload, more: 1 } }, 400, "unknown_field", "payload.more"],
    [{ payload: { ...payload, model } }, 400, "unknown_field", "payload.model.more"],
    [{ payload: { ...payload, kind: "verdict" } }, 400, "wrong_kind", "kind"],
    [{ payload: { ...payload, pages: [page] } }, 400, "out_of_range", "payload.pages[0].index"],
    [{ payload: { ...payload, beacon: null } }, 400, "missing_beacon", "beacon"],
    [{ payload: { ...payload, pages: [] } }, 424, "missing_page", "pages"],
    [{ payload, more: 1 }, 400, "unknown_field", "more"],
    [payload, 400, "unknown_field", null],
    [[], 400, "wrong_kind", "message"],
  ];
  for (const [body, status, code, field] of cases) {
    const found = await refusal(send(handle, "POST", "/process_data", encodeCanonical(body)));
    assert.deepEqual(found.slice(0, 2), [status, code]);
    if (field !== null) assert.equal(found[2], field);
  }
  const trailing = concat(bodyOf(payload), new Uint8Array(1));
  assert.equal(
    (await refusal(send(handle, "POST", "/process_data", trailing)))[1],
    "trailing_bytes",
  );
  assert.equal(judge.busy, false);
  await judge.close();
});

Deno.test("judgeHandler: a failure that is no refusal is 'internal' and says nothing of itself", async () => {
  const judge = await createTestJudge();
  judge.attest = () => Promise.reject(new TypeError("a secret"));
  const answer = await send(judgeHandler(judge), "GET", "/get_attestation");
  assert.equal(answer.status, 500);
  const body = decodeBody(await bytesOf(answer), REFUSED);
  assert.equal(body.error, "internal");
  assert.ok(!body.message.includes("secret"));
});
