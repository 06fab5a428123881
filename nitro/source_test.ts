import assert from "node:assert/strict";
import { concat, toHex } from "../enclave/protocol/bytes.ts";
import { digest, useHashes } from "./digest.ts";
import { sha256, sha384 } from "@noble/hashes/sha2.js";
import { CHUNK_BYTES, chunks, part, sourceOf, wholeOf } from "./source.ts";
import { openSource, useNativeHashes, writePieces } from "./tool/native.ts";
import { bytesOf } from "./vectors/recipe.ts";

const BYTES = bytesOf({ label: "source", size: 1_000 });

Deno.test("sourceOf: reads a buffer's ranges without a copy, and none out of bounds", () => {
  const source = sourceOf(BYTES);
  const read = source.read(10, 5);
  assert.equal(read.buffer, BYTES.buffer);
  assert.deepEqual(read, BYTES.subarray(10, 15));
  assert.equal(sourceOf(source), source);
  for (const [offset, length] of [[-1, 1], [0, 1_001], [1_000, 1], [0, -1], [0.5, 1], [NaN, 1]]) {
    assert.throws(() => source.read(offset!, length!), RangeError);
    assert.throws(() => part(source, offset!, length!), RangeError);
  }
});

Deno.test("part: is bounded by itself, not by what it is a part of", () => {
  const source = part(part(sourceOf(BYTES), 100, 100), 10, 20);
  assert.equal(source.size, 20);
  assert.deepEqual(source.read(0, 20), BYTES.subarray(110, 130));
  assert.throws(() => source.read(1, 20), RangeError);
});

Deno.test("chunks: yields all in pieces of bounded length", () => {
  const bytes = new Uint8Array(2 * CHUNK_BYTES + 3);
  assert.deepEqual([...chunks(bytes)].map(({ length }) => length), [CHUNK_BYTES, CHUNK_BYTES, 3]);
  assert.deepEqual([...chunks(new Uint8Array())], []);
});

Deno.test("wholeOf: refuses what is too large before it is read", () => {
  assert.deepEqual(wholeOf(BYTES, 1_000, "part"), BYTES);
  const huge = { size: 1_001, read: () => assert.fail("read") };
  assert.throws(() => wholeOf(huge, 1_000, "part"), { code: "too_large", field: "part" });
});

Deno.test("openSource: reads a file as the buffer that was written", async () => {
  const dir = await Deno.makeTempDir();
  try {
    writePieces(`${dir}/x`, [BYTES.subarray(0, 1), BYTES.subarray(1)]);
    using file = openSource(`${dir}/x`);
    assert.equal(file.size, 1_000);
    assert.deepEqual(concat(...chunks(file)), BYTES);
    assert.deepEqual(file.read(990, 10), BYTES.subarray(990));
    assert.throws(() => file.read(990, 11), RangeError);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("digest: the runtime's hashes are those of the portable ones", () => {
  const both = () => [digest("sha256", BYTES, BYTES), digest("sha384", BYTES)].map(toHex);
  const portable = both();
  assert.equal(portable[0], toHex(sha256(concat(BYTES, BYTES))));
  useNativeHashes();
  try {
    assert.deepEqual(both(), portable);
  } finally {
    useHashes((algorithm) => algorithm === "sha256" ? sha256.create() : sha384.create());
  }
});
