import assert from "node:assert/strict";
import { compressTemplar } from "../../miner/compress/templar.ts";
import {
  bodyOf,
  createTestJudge,
  MODEL,
  type Submission,
  TestNet,
} from "../../tests/support/window.ts";
import { paramManifest } from "../model/params.ts";
import { manifestHash } from "../protocol/base.ts";
import {
  CODEC_TEMPLAR,
  CODEC_V2,
  encodeTemplar,
  encodeV2,
  type SparseUpdate,
} from "../protocol/gradient/mod.ts";
import { decodeReport } from "../protocol/report.ts";
import { verdictName } from "../protocol/verdict.ts";

const N = 3;
const SHAPES = paramManifest(MODEL).params.map(({ shape }) => shape);

Deno.test("judge: measures gradients in Templar's blocks, transformed or not, and knows copies of them", async () => {
  const net = new TestNet();
  const baseHash = manifestHash(net.base);
  const compressed = ({ total, indices, values }: SparseUpdate, dct: boolean) => {
    const dense = new Float32Array(total);
    indices.forEach((index, j) => dense[index] = values[j]!);
    return compressTemplar(dense, SHAPES, { percent: 5, dct });
  };
  const plain = compressed(await net.train(N, 1), false);
  const transformed = compressed(await net.train(N, 2), true);
  const sent = (uid: number, { gradient }: typeof plain, window = N): Submission => ({
    uid,
    codec: CODEC_TEMPLAR,
    bytes: encodeTemplar(gradient, { uid, window, baseHash }),
  });
  const copied = (uid: number, { update }: typeof plain): Submission => {
    // Levels times powers of two: four values a matrix, which version 2 can say to 11 bits.
    return { uid, codec: CODEC_V2, bytes: encodeV2(update, { uid, window: N, baseHash }) };
  };
  const window = net.window(N, [
    sent(1, plain),
    sent(2, transformed),
    sent(3, plain),
    copied(4, plain),
    copied(5, transformed),
    sent(6, plain, N + 1),
    { ...sent(7, plain), codec: CODEC_V2 },
  ]);
  const judge = await createTestJudge(window);
  try {
    const { message } = await judge.process(bodyOf(window.report()));
    const { entries, randomBefore } = decodeReport(message);
    assert.deepEqual(
      Object.fromEntries(entries.map((row) => [row.uid, verdictName(row.verdict)])),
      {
        1: "ok",
        2: "ok",
        3: "duplicate",
        4: "overlap",
        5: "overlap",
        6: "undecodable",
        7: "undecodable",
      },
    );
    for (const { randomAfter } of entries.filter(({ uid }) => uid < 3)) {
      assert.ok(randomAfter! < randomBefore!, "it helps on everybody's pages");
    }
  } finally {
    await judge.close();
  }
});
