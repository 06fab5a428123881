import assert from "node:assert/strict";
import { bcs } from "@mysten/bcs";
import { createHash } from "node:crypto";
import {
  CHUNK_BYTES,
  decodeManifest,
  encodeManifest,
  type Manifest,
  manifestHash,
  manifestOf,
} from "./base.ts";
import { equal, toHex, utf8 } from "./bytes.ts";
import { Refusal } from "./refusal.ts";

const fill = (byte: number) => new Uint8Array(32).fill(byte);
const ABOUT = { modelHash: fill(1), parent: fill(2), window: 5 };
const refuses = (manifest: Manifest, code: string, field?: string) =>
  assert.throws(
    () => decodeManifest(encodeManifest(manifest)),
    (e) => e instanceof Refusal && e.code === code && e.field === field,
    `${code} ${field}`,
  );

const hash = bcs.fixedArray(32, bcs.u8());
const Oracle = bcs.struct("Manifest", {
  modelHash: hash,
  parent: hash,
  window: bcs.u64(),
  size: bcs.u64(),
  chunks: bcs.vector(hash),
  metadata: bcs.vector(bcs.tuple([bcs.string(), bcs.vector(bcs.u8())])),
});

Deno.test("encodeManifest: is a BCS struct, as @mysten/bcs writes it, and its hash is tagged", () => {
  const manifest: Manifest = {
    ...ABOUT,
    size: CHUNK_BYTES + 1,
    chunks: [fill(3), fill(4)],
    metadata: [["environment", utf8("x")], ["sampling", new Uint8Array(0)]],
  };
  const expected = Oracle.serialize({
    modelHash: [...fill(1)],
    parent: [...fill(2)],
    window: 5,
    size: CHUNK_BYTES + 1,
    chunks: [[...fill(3)], [...fill(4)]],
    metadata: [["environment", [...utf8("x")]], ["sampling", []]],
  }).toBytes();
  assert.equal(toHex(encodeManifest(manifest)), toHex(expected));
  const digest = createHash("sha256").update("vramhub/base/v1").update(expected).digest("hex");
  assert.equal(toHex(manifestHash(manifest)), digest);
});

Deno.test("manifestOf: hashes chunks of 4 MiB, the last one shorter", () => {
  const file = new Uint8Array(CHUNK_BYTES + 3);
  file[CHUNK_BYTES] = 7;
  const { size, chunks, metadata } = manifestOf(file, ABOUT);
  assert.equal(size, file.length);
  const digests = [file.subarray(0, CHUNK_BYTES), file.subarray(CHUNK_BYTES)]
    .map((part) => createHash("sha256").update(part).digest("hex"));
  assert.deepEqual(chunks.map(toHex), digests);
  assert.deepEqual(metadata, []);
  assert.deepEqual(manifestOf(new Uint8Array(0), ABOUT).chunks, []);
  assert.equal(manifestOf(new Uint8Array(CHUNK_BYTES), ABOUT).chunks.length, 1);
});

Deno.test("decodeManifest: size and chunks must agree", () => {
  const manifest: Manifest = { ...ABOUT, size: 1, chunks: [fill(3)], metadata: [] };
  decodeManifest(encodeManifest({ ...manifest, size: CHUNK_BYTES }));
  refuses({ ...manifest, size: 0 }, "bad_manifest", "chunks");
  refuses({ ...manifest, size: CHUNK_BYTES + 1 }, "bad_manifest", "chunks");
  refuses({ ...manifest, chunks: [] }, "bad_manifest", "chunks");
});

Deno.test("decodeManifest: metadata keys strictly ascend by their UTF-8 bytes", () => {
  const none = new Uint8Array(0);
  const withKeys = (...keys: string[]): Manifest => ({
    ...ABOUT,
    size: 0,
    chunks: [],
    metadata: keys.map((key) => [key, none]),
  });
  // U+FFFD is below U+1F600 in UTF-8 and above its surrogates in UTF-16.
  const keys = ["", "A", "a", "aa", "\u{fffd}", "\u{1f600}"];
  const manifest = withKeys(...keys);
  assert.deepEqual(decodeManifest(encodeManifest(manifest)), manifest);
  refuses(withKeys("\u{1f600}", "\u{fffd}"), "bad_manifest", "metadata");
  refuses(withKeys("a", "a"), "bad_manifest", "metadata");
  refuses(withKeys("b", "a"), "bad_manifest", "metadata");
  refuses(withKeys("a".repeat(65)), "too_long");
  refuses(
    withKeys(...Array.from({ length: 65 }, (_, i) => String(i).padStart(2, "0"))),
    "too_long",
  );
  refuses({ ...withKeys(), metadata: [["a", new Uint8Array(1_025)]] }, "too_long");
});

Deno.test("decodeManifest: a key keeps its byte order mark, and must be UTF-8", () => {
  const marked: Manifest = {
    ...ABOUT,
    size: 0,
    chunks: [],
    metadata: [["\u{feff}a", new Uint8Array(0)]],
  };
  const wire = encodeManifest(marked);
  assert.deepEqual(decodeManifest(wire), marked);
  assert(equal(manifestHash(decodeManifest(wire)), manifestHash(marked)));
  wire[wire.length - 2] = 0xff;
  assert.throws(
    () => decodeManifest(wire),
    (e) => e instanceof Refusal && e.code === "bad_manifest" && e.field === "metadata",
  );
});
