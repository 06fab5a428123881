import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fetchPin, SourceError } from "./fetch.ts";
import type { Pin } from "./lock.ts";
import { withCache } from "../tests/support/cache.ts";

const BYTES = new Uint8Array(100_000).map((_, i) => (i * 31) >> 3);
const PIN: Pin = {
  kind: "tar",
  name: "thing",
  version: "1",
  sha256: createHash("sha256").update(BYTES).digest("hex"),
  size: BYTES.length,
  urls: ["https://one.invalid/thing", "https://two.invalid/thing"],
};

const served = (answer: (url: string, range: string | null) => Response): typeof fetch =>
  ((url: string, init?: RequestInit) =>
    Promise.resolve(answer(url, new Headers(init?.headers).get("range")))) as typeof fetch;

const left = (root: string) => [...Deno.readDirSync(`${root}/sources`)].map(({ name }) => name);

Deno.test("fetchPin: fetches once, then reads the cache", () =>
  withCache(async (root) => {
    let asked = 0;
    const origin = served(() => (asked++, new Response(BYTES)));
    const path = await fetchPin(PIN, { fetch: origin });
    assert.equal(await fetchPin(PIN, { fetch: origin }), path);
    assert.equal(asked, 1);
    assert.deepEqual(await Deno.readFile(path), BYTES);
    assert.deepEqual(left(root), [PIN.sha256]);
  }));

Deno.test("fetchPin: goes on where a download broke off", () =>
  withCache(async () => {
    const ranges: (string | null)[] = [];
    const origin = served((_, range) => {
      ranges.push(range);
      if (range === null) return new Response(BYTES.slice(0, 40_000));
      return new Response(BYTES.slice(40_000), { status: 206 });
    });
    assert.deepEqual(await Deno.readFile(await fetchPin(PIN, { fetch: origin })), BYTES);
    assert.deepEqual(ranges, [null, "bytes=40000-"]);
  }));

Deno.test("fetchPin: the next origin where one has lost it or serves other bytes", () =>
  withCache(async () => {
    for (const bad of [new Response("", { status: 404 }), new Response(BYTES.map((b) => b ^ 1))]) {
      const origin = served((url) => url.includes("one") ? bad : new Response(BYTES));
      const path = await fetchPin(PIN, { fetch: origin });
      assert.deepEqual(await Deno.readFile(path), BYTES);
      await Deno.remove(path);
    }
  }));

Deno.test("fetchPin: where nobody serves it, a typed error names the remedy and nothing is left", () =>
  withCache(async (root) => {
    const long = served((url) =>
      url.includes("one")
        ? new Response("", { status: 404 })
        : new Response(new Uint8Array(BYTES.length + 1))
    );
    await assert.rejects(fetchPin(PIN, { fetch: long }), (error) => {
      assert.ok(error instanceof SourceError);
      assert.match(error.message, /deno task enclave:pin/);
      assert.match(error.message, /one\.invalid\/thing: status 404/);
      assert.match(error.message, /two\.invalid\/thing: it serves more than 100000 bytes/);
      return true;
    });
    assert.deepEqual(left(root), []);
  }));
