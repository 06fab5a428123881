/**
 * The parity suite: every store passes the same tests.
 *
 * @module
 */
import assert from "node:assert/strict";
import { toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { getBlob, putBlob } from "./blob.ts";
import { blobKey } from "./keys.ts";
import type { Store } from "./store.ts";

const ANY = { maxBytes: 1 << 20 };
const BAD_KEYS = [
  "",
  "/",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "../a",
  "a/../b",
  "a/..",
  ".hidden",
  "a/.hidden",
  "a\\b",
  "a%2fb",
  "a b",
  "a\0b",
  "a\n",
  "A",
  "ä",
  "https://a",
  "x".repeat(201),
];

/**
 * Register the suite's tests for the store `name`. `withStore` runs a test with an empty store, and leaves nothing
 * behind; with `ignore` they are skipped by name.
 */
export function testStore(
  name: string,
  withStore: (body: (store: Store) => Promise<void>) => Promise<void>,
  ignore = false,
): void {
  const test = (criterion: string, body: (store: Store) => Promise<void>) =>
    Deno.test({ name: `${name}: ${criterion}`, ignore, fn: () => withStore(body) });

  test("gives back what was put, of any size, and its hash", async (store) => {
    for (const size of [0, 1, 70_000]) {
      const bytes = new Uint8Array(size).map((_, i) => i * 7);
      const { sha256: hash, ref } = await store.put("a/b.bin", bytes);
      assert.deepEqual(hash, sha256(bytes));
      assert.deepEqual(await store.get(ref, { ...ANY, sha256: hash }), bytes);
      assert.deepEqual(await store.get("a/b.bin", ANY), bytes);
      const head = await store.head("a/b.bin");
      assert.equal(head!.size, size);
      assert(Number.isInteger(head!.modifiedMs) && head!.modifiedMs > 1_600_000_000_000);
    }
  });

  test("keeps what it was given, whatever the caller does with the array then", async (store) => {
    const bytes = utf8("before");
    const put = store.put("a", bytes);
    bytes.fill(0);
    const { sha256: hash } = await put;
    assert.deepEqual(await store.get("a", { ...ANY, sha256: hash }), utf8("before"));
  });

  test("replaces an object, and deletes it, twice if asked", async (store) => {
    await store.put("a", utf8("first"));
    await store.put("a", utf8("second"));
    assert.deepEqual(await store.get("a", ANY), utf8("second"));
    await store.delete("a");
    await store.delete("a");
    assert.equal(await store.head("a"), undefined);
    await assert.rejects(store.get("a", ANY), {
      name: "StoreError",
      code: "not_found",
      key: "a",
      retryable: false,
    });
  });

  test("lets one of many puts with ifNoneMatch win", async (store) => {
    const puts = await Promise.allSettled(
      Array.from({ length: 16 }, (_, i) => store.put("a", Uint8Array.of(i), { ifNoneMatch: "*" })),
    );
    const won = puts.flatMap(({ status }, i) => status === "fulfilled" ? [i] : []);
    assert.equal(won.length, 1);
    for (const put of puts) {
      if (put.status === "rejected") assert.equal(put.reason.code, "exists");
    }
    assert.deepEqual(await store.get("a", ANY), Uint8Array.of(won[0]!));
    assert.deepEqual(await store.list(""), ["a"]);
  });

  test("gives one of the objects put at once, whole", async (store) => {
    const objects = Array.from({ length: 8 }, (_, i) => new Uint8Array(10_000).fill(i));
    await Promise.all(objects.map((bytes) => store.put("a", bytes)));
    const found = await store.get("a", ANY);
    assert.equal(new Set(found).size, 1);
    assert.equal(found.length, 10_000);
  });

  test("refuses an object above the reader's bound, or of another hash", async (store) => {
    const { sha256: hash } = await store.put("a", utf8("12345"));
    await assert.rejects(store.get("a", { maxBytes: 4 }), { code: "too_large", retryable: false });
    assert.equal((await store.get("a", { maxBytes: 5, sha256: hash })).length, 5);
    const other = sha256(utf8("another"));
    await assert.rejects(store.get("a", { maxBytes: 5, sha256: other }), {
      code: "wrong_hash",
      retryable: false,
    });
    for (const maxBytes of [-1, 0.5, NaN, Infinity]) {
      await assert.rejects(store.get("a", { maxBytes }), RangeError);
    }
  });

  test("gives a range, and refuses one that the object does not reach", async (store) => {
    await store.put("a", utf8("0123456789"));
    const range = (start: number, length: number) =>
      store.get("a", { maxBytes: 10, range: { start, length } });
    assert.deepEqual(await range(0, 10), utf8("0123456789"));
    assert.deepEqual(await range(3, 4), utf8("3456"));
    assert.deepEqual(await range(9, 1), utf8("9"));
    await store.get("a", {
      maxBytes: 2,
      range: { start: 3, length: 2 },
      sha256: sha256(utf8("34")),
    });
    for (const [start, length] of [[9, 2], [10, 1], [1 << 20, 1]] as const) {
      await assert.rejects(range(start, length), { code: "too_short", retryable: false });
    }
    for (const [start, length] of [[-1, 1], [0, 0], [0.5, 1], [0, 11]] as const) {
      await assert.rejects(range(start, length), RangeError);
    }
  });

  test("lists by prefix in ascending order, page by page", async (store) => {
    const keys = ["a-b", "a/b", "a/c/d", "a0", "b", "gradient-10-2-v1.pt"];
    for (const key of keys.toReversed()) await store.put(key, utf8(key));
    assert.deepEqual(await store.list(""), keys);
    assert.deepEqual(await store.list("a/"), ["a/b", "a/c/d"]);
    assert.deepEqual(await store.list("a/b"), ["a/b"]);
    assert.deepEqual(await store.list("gradient-1"), ["gradient-10-2-v1.pt"]);
    assert.deepEqual(await store.list("none"), []);
    assert.deepEqual(await store.list("", { after: "a/a", limit: 2 }), ["a/b", "a/c/d"]);
    const paged: string[] = [];
    for (let after = "";;) {
      const page = await store.list("", { after, limit: 3 });
      if (page.length === 0) break;
      paged.push(...page);
      after = page.at(-1)!;
    }
    assert.deepEqual(paged, keys);
    for (const limit of [0, -1, 1.5, 1001]) {
      await assert.rejects(store.list("", { limit }), RangeError);
    }
    await assert.rejects(store.list("A"), { code: "bad_key" });
    await assert.rejects(store.list("", { after: "a b" }), { code: "bad_key" });
  });

  test("refuses every key that is not of the common form", async (store) => {
    for (const key of BAD_KEYS) {
      const fault = { name: "StoreError", code: "bad_key", retryable: false };
      await assert.rejects(store.put(key, utf8("x")), fault, JSON.stringify(key));
      await assert.rejects(store.get(key, ANY), fault, JSON.stringify(key));
      await assert.rejects(store.head(key), fault, JSON.stringify(key));
      await assert.rejects(store.delete(key), fault, JSON.stringify(key));
    }
    await store.put("x".repeat(200), utf8("longest"));
    assert.deepEqual(await store.list(""), ["x".repeat(200)]);
  });

  test("keeps blobs by their content", async (store) => {
    const bytes = utf8("a blob");
    const hash = await putBlob(store, bytes);
    assert.deepEqual(hash, await putBlob(store, bytes));
    assert.deepEqual(await store.list("blobs/"), [`blobs/${toHex(hash)}`]);
    assert.deepEqual(await getBlob(store, hash, 6), bytes);
    await assert.rejects(getBlob(store, hash, 5), { code: "too_large" });
    await assert.rejects(getBlob(store, sha256(utf8("none")), 5), { code: "not_found" });
    await store.put(blobKey(hash), utf8("forged"));
    await assert.rejects(getBlob(store, hash, 6), { code: "wrong_hash" });
  });
}
