import assert from "node:assert/strict";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { type InputOptions, readInput } from "./input.ts";

async function refuses(where: string, message: RegExp, options: InputOptions = {}) {
  await assert.rejects(readInput(where, options), (e) => {
    assert.ok(e instanceof Refusal, String(e));
    assert.match(e.message, message);
    return true;
  });
}

/** Runs `test` against a server on a free port. */
async function serving(
  handler: (request: Request) => Response | Promise<Response>,
  test: (origin: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
  try {
    await test(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("readInput: reads a file and standard input, up to a bound", async () => {
  const path = await Deno.makeTempFile({ prefix: "vramhub-" });
  try {
    await Deno.writeFile(path, new Uint8Array([1, 2, 3]));
    const maxBytes = 3;
    assert.deepEqual(await readInput(path, { maxBytes }), new Uint8Array([1, 2, 3]));
    await refuses(path, /more than 2 bytes/, { maxBytes: 2 });
    const stdin = () => new Blob([new Uint8Array([4, 5])]).stream();
    assert.deepEqual(await readInput("-", { stdin: stdin() }), new Uint8Array([4, 5]));
    await refuses("-", /more than 1 bytes/, { stdin: stdin(), maxBytes: 1 });
    await refuses(`${path}.gone`, /Cannot read '.*gone'/);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readInput: fetches http and https and nothing else", async () => {
  await refuses("ftp://example.org/x", /only http and https are fetched/);
  await refuses("file:///etc/hostname", /only http and https are fetched/);
  await refuses("data://text/plain,84", /only http and https are fetched/);
  await refuses("http://", /Cannot read/);
  await serving(() => new Response("here"), async (origin) => {
    assert.equal(new TextDecoder().decode(await readInput(origin)), "here");
    await refuses(origin, /more than 3 bytes/, { maxBytes: 3 });
  });
  await serving(() => new Response("no", { status: 404 }), async (origin) => {
    await refuses(origin, /status 404/);
  });
});

Deno.test("readInput: follows three redirects, and none to another scheme", async () => {
  const handler = (request: Request) => {
    const { pathname } = new URL(request.url);
    const left = Number(pathname.slice(1));
    if (pathname === "/away") return Response.redirect("https://127.0.0.1/x");
    if (pathname === "/file") {
      return new Response(null, { status: 302, headers: { location: "file:///etc/hostname" } });
    }
    if (pathname === "/nowhere") return new Response(null, { status: 302 });
    return left === 0
      ? new Response("end")
      : new Response(null, { status: 302, headers: { location: `/${left - 1}` } });
  };
  await serving(handler, async (origin) => {
    assert.equal((await readInput(`${origin}/3`)).length, 3);
    await refuses(`${origin}/4`, /redirects more than 3 times/);
    await refuses(`${origin}/away`, /another scheme/);
    await refuses(`${origin}/file`, /another scheme/);
    await refuses(`${origin}/nowhere`, /status 302/);
  });
});

Deno.test("readInput: a body without an end is cut off by size, a silent one by time", async () => {
  const endless = () =>
    new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1_000)) }),
    );
  await serving(endless, (origin) => refuses(origin, /more than 5000 bytes/, { maxBytes: 5_000 }));
  const silent = () => new Response(new ReadableStream({}));
  await serving(silent, (origin) => refuses(origin, /timeout/, { fetchMs: 50 }));
});
