import assert from "node:assert/strict";
import fc from "fast-check";
import { sha256 } from "../protocol/hash.ts";
import { BlobStore } from "./blobs.ts";

function blob(length: number, fill: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(fill);
}

Deno.test("BlobStore.put: keeps a blob under its own hash only", () => {
  const store = new BlobStore(10);
  assert.throws(() => store.put(sha256(blob(1, 1)), blob(1, 2)), { code: "wrong_hash" });
  assert.throws(() => store.put(sha256(blob(11, 1)), blob(11, 1)), { code: "too_large" });
  assert.equal(store.bytes, 0);
});

Deno.test("BlobStore.put: the oldest go first, and the same one again becomes the newest", () => {
  const store = new BlobStore(10);
  const [a, b, c] = [blob(4, 1), blob(4, 2), blob(5, 3)];
  for (const each of [a, b, a, c]) store.put(sha256(each), each);
  assert.deepEqual([a, b, c].map((each) => store.get(sha256(each)) !== undefined), [
    true,
    false,
    true,
  ]);
  assert.equal(store.bytes, 9);
  store.delete(sha256(a));
  store.delete(sha256(b));
  assert.equal(store.bytes, 5);
});

Deno.test("BlobStore: never holds more than its capacity, and counts what it holds", () => {
  const step = fc.record({ length: fc.nat(40), fill: fc.nat(5), drop: fc.boolean() });
  fc.assert(fc.property(fc.array(step), (steps) => {
    const store = new BlobStore(64);
    const held = new Map<string, number>();
    for (const { length, fill, drop } of steps) {
      const bytes = blob(length, fill);
      if (drop) store.delete(sha256(bytes));
      else store.put(sha256(bytes), bytes);
      held.set(`${length}:${length === 0 ? 0 : fill}`, length);
      let sum = 0;
      for (const name of held.keys()) {
        const [n, f] = name.split(":").map(Number) as [number, number];
        if (store.get(sha256(blob(n, f))) !== undefined) sum += n;
      }
      assert.equal(store.bytes, sum);
      assert.ok(sum <= 64);
    }
  }));
});
