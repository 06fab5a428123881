import assert from "node:assert/strict";
import { manifestOf } from "../enclave/model/params.ts";
import { decodeGradient } from "../enclave/protocol/gradient/mod.ts";
import { DEFAULT_HPARAMS } from "../enclave/protocol/hparams.ts";
import { CODECS } from "./codecs.ts";
import { countOf, topK } from "./compress/topk.ts";

const MANIFEST = manifestOf({ a: [70, 70], b: [130] });
const GRADIENT = Float32Array.from(
  { length: MANIFEST.total },
  (_, i) => Math.sin(i * i) / (1 + i % 97),
);
const HPARAMS = { ...DEFAULT_HPARAMS, topk_bps: 200 };
const META = { uid: 3, window: 7n, baseHash: new Uint8Array(32).fill(9) };

for (const [name, open] of Object.entries(CODECS)) {
  Deno.test(`CODECS: ${name} gives bytes that decode to the update it says`, async () => {
    const codec = open(MANIFEST);
    assert.equal(codec.name, name);
    const choose = () => topK(GRADIENT, countOf(GRADIENT.length, 50));
    const { codec: number, encode, update } = await codec.compress(GRADIENT, HPARAMS, choose);
    const bytes = encode(META);
    const { total } = MANIFEST;
    const back = decodeGradient(bytes, {
      ...META,
      codec: number,
      total,
      maxBytes: bytes.length,
      window: 7,
    });
    assert.deepEqual(back, update);
    assert.ok(update.indices.length <= 2 * countOf(total, 2), "it keeps to the ledger's share");
  });
}

Deno.test("CODECS: topk keeps the largest of what a trainer chose too much of", async () => {
  const values = Float32Array.of(1, -4, 2, 3);
  const indices = Uint32Array.of(5, 6, 8, 9);
  const hparams = { ...DEFAULT_HPARAMS, topk_bps: 2_000 };
  const { update } = await CODECS.topk!(MANIFEST).compress(
    new Float32Array(10),
    hparams,
    () => ({ total: 10, indices, values }),
  );
  assert.deepEqual([...update.indices], [6, 9]);
  assert.deepEqual([...update.values], [-4, 3]);
});
