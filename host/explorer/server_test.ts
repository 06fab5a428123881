import assert from "node:assert/strict";
import { minerOf, TestNetwork } from "../ledger/testing.ts";
import { type Explorer, startExplorer } from "./server.ts";
import { faults, readOpenApi } from "./testing.ts";

let network: TestNetwork;
let explorer: Explorer;
const at = (path: string) => new URL(path, explorer.url);

Deno.test.beforeAll(async () => {
  network = await TestNetwork.found();
  await network.whole(0, [0, 1]);
  explorer = await startExplorer({
    ledger: network.ledger,
    networkName: "dev",
    explorerUrl: null,
    receipt: (window) => Promise.resolve(window === 0 ? Uint8Array.of(1, 2, 3) : null),
    proof: new URL("./attested.ts", import.meta.url),
    port: 0,
    pollMs: 20,
    log: () => {},
  });
});

Deno.test.afterAll(async () => {
  await explorer[Symbol.asyncDispose]();
  network[Symbol.dispose]();
});

async function get(path: string, init: RequestInit = {}) {
  const response = await fetch(at(path), init);
  return { response, text: await response.text() };
}

/** A request as a client sends it that says what it likes. */
async function raw(request: string): Promise<string> {
  using connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(new URL(explorer.url).port),
  });
  await connection.write(new TextEncoder().encode(request));
  let answer = "";
  const chunk = new Uint8Array(4_096);
  while (!answer.includes("\r\n\r\n")) {
    const length = await connection.read(chunk);
    if (length === null) break;
    answer += new TextDecoder().decode(chunk.subarray(0, length));
  }
  return answer;
}

Deno.test("explorer: every answer forbids what is not its own", async () => {
  for (const path of ["/", "/app.js", "/style.css", "/api/v1/miners", "/api/v1/windows/x", "/no"]) {
    const { headers } = (await get(path)).response;
    const policy = headers.get("content-security-policy")!;
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'/, path);
    assert.doesNotMatch(policy, /unsafe|http|\*/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("access-control-allow-origin"), null);
  }
});

Deno.test("explorer: the page holds no script and no style of its own, and names nobody else", async () => {
  const { text } = await get("/");
  assert.doesNotMatch(text, /<style|<script>|\son\w+=|\sstyle=|https?:/);
  const script = (await get("/app.js")).text;
  assert.doesNotMatch(script, /dangerouslySetInnerHTML:|insertAdjacentHTML|document\.write\(/);
});

Deno.test("explorer: known paths have a page, others have it with status 404", async () => {
  const known = [
    ...["/", "/miners", "/miners/7", "/validators", "/windows", "/window/3", "/enclaves"],
    ...["/datasets", "/training", `/wallet/${minerOf(0)}`, "/join", "/docs", "/search/a%20b"],
  ];
  for (const path of known) assert.equal((await get(path)).response.status, 200, path);
  for (const path of ["/admin", "/window/x", "/wallet/0x1", "/../deno.json", "/app.ts"]) {
    const { response, text } = await get(path);
    assert.equal(response.status, 404, path);
    assert.match(text, /^<!doctype html>/);
  }
});

Deno.test("explorer: only reads", async () => {
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const { response } = await get("/api/v1/miners", { method });
    assert.equal(response.status, 405, method);
  }
  assert.equal((await get("/", { method: "HEAD" })).response.status, 200);
  assert.equal((await get(`/api/v1/search?q=${"a".repeat(2_000)}`)).response.status, 414);
});

Deno.test("explorer: a foreign name for this machine is not answered", async () => {
  const ask = (host: string) => raw(`GET /api/v1/miners HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  for (const host of ["rebound.example", "rebound.example:4322", "127.0.0.1.example"]) {
    assert.match(await ask(host), /^HTTP\/1\.1 421 /, host);
  }
  for (const host of ["localhost", "localhost:4322", "127.0.0.1:9", "[::1]:4322"]) {
    assert.match(await ask(host), /^HTTP\/1\.1 200 /, host);
  }
});

Deno.test("explorer: what is known is not sent again, and text is compressed", async () => {
  const first = (await get("/app.js")).response;
  assert.match(first.headers.get("vary") ?? "", /accept-encoding/i);
  const etag = first.headers.get("etag")!;
  const again = await get("/app.js", { headers: { "if-none-match": etag } });
  assert.equal(again.response.status, 304);
  assert.equal(again.text, "");
});

Deno.test("explorer: serves a window's receipt, byte for byte, and says where there is none", async () => {
  const response = await fetch(at("/api/v1/windows/0/receipt"));
  assert.equal(response.headers.get("content-type"), "application/cbor");
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), Uint8Array.of(1, 2, 3));
  const missing = await get("/api/v1/windows/5/receipt");
  assert.equal(missing.response.status, 404);
  const api = await readOpenApi();
  assert.deepEqual(faults(api, api.components.schemas.Error!, JSON.parse(missing.text)), []);
});

Deno.test("explorer: the proof is bundled when it is asked for, and names no runtime", async () => {
  const { response, text } = await get("/proof.js");
  assert.equal(response.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.match(text, /export/);
  assert.doesNotMatch(text, /(from|import)\s*\(?\s*"node:|\bDeno\./);
});

Deno.test("explorer: tells of changes as they happen", async () => {
  const abort = new AbortController();
  const response = await fetch(at("/api/v1/live"), { signal: abort.signal });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  const until = async (pattern: RegExp) => {
    while (!pattern.test(seen)) {
      const { done, value } = await reader.read();
      assert.equal(done, false, seen);
      seen += value;
    }
  };
  await until(/retry: 1000/);
  network.at(1, 100);
  await network.commit(0, 1);
  await until(/event: change\ndata: .*gradient_registry::GradientCommitted.*\n\n/);
  abort.abort();
  await reader.cancel().catch(() => {});
});

Deno.test("explorer: health says whether the ledger can be read", async () => {
  const { response, text } = await get("/api/v1/health");
  assert.equal(response.status, 200);
  const api = await readOpenApi();
  const { content } = api.paths["/api/v1/health"]!.get.responses[200]!;
  assert.deepEqual(faults(api, content["application/json"]!.schema, JSON.parse(text)), []);
  assert.equal(JSON.parse(text).ok, true);
});
