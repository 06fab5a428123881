import assert from "node:assert/strict";
import { manifestOf } from "../../enclave/model/params.ts";
import { safetensorsHeader } from "../../enclave/model/safetensors.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { countOf, topK } from "../compress/topk.ts";
import { ResidualFile } from "../residual.ts";
import { AdapterBase, type Batch, type StepResult } from "./adapter.ts";
import { decodeFlat, encodeFlat } from "./checkpoint.ts";
import { patternedBatches } from "./conformance.ts";
import { AdapterSource } from "./source.ts";

const HEADER = safetensorsHeader(manifestOf({ w: [4] }));
const THETA = Float32Array.of(0, 0, 0, 0);
const HPARAMS = { ...DEFAULT_HPARAMS, topk_bps: 2_500 };

/** Always the same gradient; writes down what it is asked. */
class Constant extends AdapterBase {
  readonly name = "constant";
  readonly asked: string[] = [];
  readonly #gradient = Float32Array.of(1, 2, 3, 4);
  #theta = THETA.slice();

  constructor() {
    const settings = { innerSteps: 1, lr: 1, percent: 25 };
    super({ batches: patternedBatches(5, 1), settings });
  }

  loadCheckpoint(bytes: Bytes): Promise<void> {
    this.asked.push("load");
    this.#theta = decodeFlat(bytes).theta;
    return Promise.resolve();
  }

  saveCheckpoint(): Promise<Bytes> {
    return Promise.resolve(encodeFlat(HEADER, this.#theta));
  }

  async trainStep({ uid }: Batch): Promise<StepResult> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.asked.push(`train ${uid}`);
    return { gradient: this.#gradient.slice(), loss: 2 };
  }

  compressGradient(raw: Float32Array) {
    return topK(raw, countOf(raw.length, this.context.settings.percent));
  }

  forwardLoss(): Promise<number> {
    return Promise.resolve(2);
  }
}

const work = (uid: number, window: number) => ({
  uid,
  window,
  hparams: HPARAMS,
  theta: THETA,
  pages: [new Uint32Array(5)],
});

Deno.test("AdapterSource: what was left out is sent by the miner that is started again", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const start = (header = HEADER) =>
      new AdapterSource(new Constant(), {
        device: "cpu",
        header: HEADER,
        decay: 1,
        residual: new ResidualFile(`${dir}/residual`, header, 4, () => {}),
      });
    const first = await start().produce(work(0, 1));
    assert.deepEqual([...first.update.indices], [3]);
    const again = await start().produce(work(0, 2));
    assert.deepEqual([[...again.update.indices], [...again.update.values]], [[2], [6]]);
    const other = await start(HEADER.slice(1)).produce(work(0, 3));
    assert.deepEqual([[...other.update.indices], [...other.update.values]], [[3], [4]]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("AdapterSource: miners that share a trainer take turns, each from its base and with its own residual", async () => {
  const adapter = new Constant();
  const source = () => new AdapterSource(adapter, { device: "cpu", header: HEADER, decay: 1 });
  const [a, b] = [source(), source()];
  const produced = await Promise.all([a.produce(work(0, 1)), b.produce(work(1, 1))]);
  assert.deepEqual(adapter.asked, ["load", "train 0", "load", "train 1"]);
  for (const { loss, update } of produced) {
    assert.equal(loss, 2);
    assert.deepEqual([...update.indices], [3]);
  }
  assert.deepEqual([...(await a.produce(work(0, 2))).update.indices], [2]);
});
