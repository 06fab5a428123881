/**
 * A trainer of one's own: whatever gives a pseudo-gradient of θ's length is one. This one only pulls every weight to
 * zero; the miner's loop, the compression and the wire format are the project's.
 *
 * @module
 */
import { paramManifest } from "@vramhub/enclave/model/params";
import { presetByName } from "@vramhub/enclave/model/presets";
import { checkUpdate } from "@vramhub/enclave/model/update";
import { DEFAULT_HPARAMS } from "@vramhub/enclave/protocol";
import { CODEC_V2, decodeGradient, encodeV2 } from "@vramhub/enclave/protocol/gradient";
import { type GradientSource, TrainedSource, type Trainer } from "@vramhub/miner/source";

/** Weight decay, and nothing else. */
class Decay implements Trainer {
  train({ innerSteps, lr, theta }: Parameters<Trainer["train"]>[0]) {
    return Promise.resolve({
      delta: theta.map((weight) => weight * (1 - (1 - lr) ** innerSteps)),
      losses: [],
    });
  }
}

const options = { innerSteps: 4, lr: 0.01, decay: 0.9 };
const source: GradientSource = new TrainedSource(new Decay(), "decay", "cpu", options);

const { total } = paramManifest(presetByName("tiny"));
const theta = Float32Array.from({ length: total }, (_, i) => Math.sin(i));
const { update } = await source.produce({
  window: 7,
  uid: 3,
  hparams: DEFAULT_HPARAMS,
  theta,
  pages: [],
});
checkUpdate(theta, update);
const about = { uid: 3, window: 7, baseHash: new Uint8Array(32) };
const bytes = encodeV2(update, about);
const back = decodeGradient(bytes, { codec: CODEC_V2, total, maxBytes: bytes.length, ...about });
console.log(`${source.name}: ${back.indices.length} of ${total} entries in ${bytes.length} bytes`);
