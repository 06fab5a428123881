import assert from "node:assert/strict";
import { paramManifest } from "../model/params.ts";
import { PRESETS } from "../model/presets.ts";
import { encodeSafetensors } from "../model/safetensors.ts";
import { CHUNK_BYTES, type Manifest, manifestHash, manifestOf } from "../protocol/base.ts";
import type { Bytes } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/hash.ts";
import { Bases } from "./bases.ts";
import { BlobStore } from "./blobs.ts";

/** Large enough for two chunks. */
const MODEL = { ...PRESETS.tiny, vocab: 20_000 };
const PARAMS = paramManifest(MODEL);
const ABOUT = { modelHash: new Uint8Array(32), parent: new Uint8Array(32), window: 0 };

function base(value: number): { theta: Float32Array; file: Bytes; manifest: Manifest } {
  const theta = new Float32Array(PARAMS.total).fill(value);
  const file = encodeSafetensors(PARAMS, theta);
  return { theta, file, manifest: manifestOf(file, ABOUT) };
}

function blobsOf(file: Bytes): BlobStore {
  const store = new BlobStore(2 * file.length);
  for (let at = 0; at < file.length; at += CHUNK_BYTES) {
    const chunk = file.slice(at, at + CHUNK_BYTES);
    store.put(sha256(chunk), chunk);
  }
  return store;
}

Deno.test("Bases.load: joins the chunks, takes them out of the store, and loads once", () => {
  const { theta, file, manifest } = base(0.5);
  assert.equal(manifest.chunks.length, 2);
  const [bases, blobs] = [new Bases(), blobsOf(file)];
  const loaded = bases.load(MODEL, manifest, blobs);
  assert.deepEqual(loaded, theta);
  assert.equal(blobs.bytes, 0);
  assert.equal(bases.load(MODEL, manifest, blobs), loaded);
});

Deno.test("Bases.load: refuses what is not exactly the model's file, and keeps the chunks", () => {
  const { file, manifest } = base(0.5);
  const refused = (change: Partial<Manifest>, blobs: BlobStore, code: string) => {
    const bases = new Bases();
    const changed = { ...manifest, ...change };
    const before = blobs.bytes;
    assert.throws(() => bases.load(MODEL, changed, blobs), { code });
    assert.equal(bases.has(manifestHash(changed)), false);
    assert.equal(blobs.bytes, before);
  };
  const [first, last] = manifest.chunks as [Bytes, Bytes];
  refused({ size: manifest.size + 8 }, blobsOf(file), "bad_manifest");
  refused({}, blobsOf(file.slice(0, CHUNK_BYTES)), "missing_blob");
  refused({ chunks: [last, first] }, blobsOf(file), "bad_manifest");
  refused({ chunks: [first, first] }, blobsOf(file), "bad_manifest");
  refused({ chunks: [last, last] }, blobsOf(file), "bad_manifest");
  const other = file.slice();
  other[8]! ^= 1; // the header's first byte
  refused(manifestOf(other, ABOUT), blobsOf(other), "wrong_header");
});

Deno.test("Bases: holds two, the newest", () => {
  const bases = new Bases();
  const all = [1, 2, 3].map((value) => {
    const { theta } = base(value);
    return bases.keepMerged(MODEL, theta as Float32Array<ArrayBuffer>, ABOUT);
  });
  assert.deepEqual(all.map((manifest) => bases.has(manifestHash(manifest))), [false, true, true]);
  assert.deepEqual(all[0], base(1).manifest);
});
