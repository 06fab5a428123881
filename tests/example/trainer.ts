/**
 * A trainer of one's own: whatever gives a gradient of θ's length is one. This one only pulls every weight to zero; the
 * miner's loop, the compression, the error feedback and the wire format are the project's.
 *
 * @module
 */
import { paramManifest } from "@vramhub/enclave/model/params";
import { presetByName } from "@vramhub/enclave/model/presets";
import { safetensorsHeader } from "@vramhub/enclave/model/safetensors";
import { checkUpdate } from "@vramhub/enclave/model/update";
import { DEFAULT_HPARAMS } from "@vramhub/enclave/protocol";
import { decodeGradient } from "@vramhub/enclave/protocol/gradient";
import { AdapterBase, type StepResult } from "@vramhub/miner/adapters/adapter";
import { decodeFlat, encodeFlat } from "@vramhub/miner/adapters/checkpoint";
import { patternedBatches } from "@vramhub/miner/adapters/conformance";
import { AdapterSource } from "@vramhub/miner/adapters/source";
import { countOf, topK } from "@vramhub/miner/compress/topk";

const manifest = paramManifest(presetByName("tiny"));
const header = safetensorsHeader(manifest);

/** Weight decay, and nothing else. */
class Decay extends AdapterBase {
  readonly name = "decay";
  #theta = new Float32Array(manifest.total);

  loadCheckpoint(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#theta = decodeFlat(bytes).theta;
    return Promise.resolve();
  }

  saveCheckpoint(): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(encodeFlat(header, this.#theta));
  }

  async trainStep(): Promise<StepResult> {
    const { innerSteps, lr } = this.context.settings;
    const gradient = this.#theta.map((weight) => weight * (1 - (1 - lr) ** innerSteps));
    return { gradient, loss: await this.forwardLoss() };
  }

  compressGradient(raw: Float32Array) {
    return topK(raw, countOf(raw.length, this.context.settings.percent));
  }

  forwardLoss(): Promise<number> {
    return Promise.resolve(this.#theta.reduce((sum, weight) => sum + weight ** 2, 0));
  }
}

const adapter = new Decay({
  batches: patternedBatches(65, 4),
  settings: { innerSteps: 4, lr: 0.01, percent: 1 },
});
const source = new AdapterSource(adapter, { device: "cpu", header, decay: 0.9 });
const theta = Float32Array.from({ length: manifest.total }, (_, i) => Math.sin(i));
const about = { uid: 3, window: 7 };
const { codec, encode, update } = await source.produce({
  ...about,
  hparams: DEFAULT_HPARAMS,
  theta,
  pages: [],
});
checkUpdate(theta, update);
const baseHash = new Uint8Array(32);
const bytes = encode({ uid: 3, window: 7n, baseHash });
const { total } = manifest;
const back = decodeGradient(bytes, { codec, total, maxBytes: bytes.length, ...about, baseHash });
console.log(`${source.name}: ${back.indices.length} of ${total} entries in ${bytes.length} bytes`);
