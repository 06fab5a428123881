import assert from "node:assert/strict";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import { PRESETS } from "../../enclave/model/presets.ts";
import { encodeSafetensors } from "../../enclave/model/safetensors.ts";
import { CHUNK_BYTES, manifestOf } from "../../enclave/protocol/base.ts";
import { concat } from "../../enclave/protocol/bytes.ts";
import { Chunks } from "./chunks.ts";

/** Two chunks and a rest, the first of which begins with the header. */
const MODEL = { ...PRESETS.tiny, vocab: 40_000 };
const ABOUT = { modelHash: new Uint8Array(32).fill(1), parent: new Uint8Array(32), window: 3 };
const THETA = genesisWeights(MODEL, ABOUT.modelHash);
const FILE = encodeSafetensors(paramManifest(MODEL), THETA);

Deno.test("Chunks: give the file and its manifest, piece by piece", () => {
  const chunks = Chunks.of(MODEL, THETA);
  assert(chunks.count > 2 && chunks.size % CHUNK_BYTES !== 0);
  const all = Array.from({ length: chunks.count }, (_, i) => chunks.at(i));
  assert(all.slice(0, -1).every(({ length }) => length === CHUNK_BYTES));
  assert.deepEqual(concat(...all), FILE);
  assert.deepEqual(chunks.manifest(ABOUT), manifestOf(FILE, ABOUT));
  assert.equal(chunks.at(1).buffer, THETA.buffer, "no copy of the weights");
});

Deno.test("Chunks: fill weights in any order, and refuse another model's header", () => {
  const chunks = Chunks.of(MODEL, THETA);
  const filling = Chunks.into(MODEL);
  assert.equal(filling.size, FILE.length);
  for (let i = chunks.count - 1; i > 0; i--) filling.put(i, chunks.at(i));
  assert.throws(() => filling.finish(), { code: "wrong_header" });
  filling.put(0, chunks.at(0));
  assert.deepEqual(filling.finish(), THETA);
});
