/**
 * Whole windows judged in this process, by the judge's own code: everything from the request's bytes to the
 * signature, beside the time that its forward passes take.
 *
 * @module
 */
import { Judge } from "../../../enclave/judge.ts";
import { type ModelConfig, PRESETS } from "../../../enclave/model/presets.ts";
import { LossModel } from "../../../enclave/model/session.ts";
import type { Nsm } from "../../../enclave/nsm/nsm.ts";
import { sha256 } from "../../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS } from "../../../enclave/protocol/hparams.ts";
import { decodeReport } from "../../../enclave/protocol/report.ts";
import { VERDICT } from "../../../enclave/protocol/verdict.ts";
import { minersPerWindow } from "../capacity.ts";
import { type Figure, ms, peakMemory, percent } from "../figures.ts";
import { type Ground, groundOf, judgedWindow } from "../judged_window.ts";
import { mobyDick } from "../moby_dick.ts";
import { identityOf } from "../../support/window.ts";

/** Randomness and time; the judge is not asked for documents. */
const NSM: Nsm = {
  random: (n) => crypto.getRandomValues(new Uint8Array(n)),
  now: () => Date.now(),
  attest: () => Promise.reject(new TypeError("Cannot attest: a bench's judge has no module")),
};

/** Wrap the forward passes of this process; the result gives the milliseconds spent in them since its last call. */
function watchForward(): () => number {
  let spent = 0;
  const measured = LossModel.prototype.losses;
  LossModel.prototype.losses = async function (theta, pages) {
    const started = performance.now();
    try {
      return await measured.call(this, theta, pages);
    } finally {
      spent += performance.now() - started;
    }
  };
  return () => {
    const taken = spent;
    spent = 0;
    return taken;
  };
}

/** Judge window `n`: milliseconds in all, and in forward passes. */
async function judgeOnce(
  judge: Judge,
  ground: Ground,
  n: number,
  miners: number,
  takeForwardMs: () => number,
) {
  const { body, blobs, batches } = judgedWindow(ground, n, miners);
  for (const blob of blobs) judge.blobs.put(sha256(blob), blob);
  takeForwardMs();
  const started = performance.now();
  const { message } = await judge.process(body);
  const total = performance.now() - started;
  const { entries } = decodeReport(message);
  const measured = entries.filter(({ verdict }) => verdict === VERDICT.ok).length;
  if (measured !== miners) {
    throw new Error(`Cannot time the judge as it measured ${measured} of ${miners} gradients`);
  }
  return { total, forward: takeForwardMs(), batches };
}

/** What `max_judged` follows for an enclave whose CPUs, all that it has, are together as fast as this machine's. */
function capacity(name: string, perMiner: number): Figure {
  const window = `a window of ${DEFAULT_HPARAMS.window_ms / 1_000} s`;
  return {
    name: `${window} holds on ${navigator.hardwareConcurrency} CPUs, by ${name}: max_judged`,
    value: minersPerWindow(perMiner),
    unit: "miners",
    better: "more",
  };
}

async function* windows(config: ModelConfig, sizes: readonly number[]): AsyncGenerator<Figure> {
  const ground = groundOf(config, await mobyDick(config));
  const judge = new Judge(NSM, { blobBytes: 1 << 30, threads: 0 });
  judge.configure(identityOf(0));
  const takeForwardMs = watchForward();
  let n = 1;
  const once = (miners: number) => judgeOnce(judge, ground, n++, miners, takeForwardMs);
  await once(2); // emits and loads the graph, assembles the base
  for (const miners of sizes) {
    const { total, forward, batches } = await once(miners);
    const name = `window of ${miners} gradients, ${config.name}`;
    yield ms(`${name}: judged`, total);
    yield percent(`${name}: overhead above ${batches} forward passes`, total / forward - 1, "less");
    yield capacity(`${config.name}, ${miners} judged`, total / miners);
  }
  yield* peakMemory(`peak memory, ${sizes.at(-1)} gradients, ${config.name}`);
  await judge.close();
}

/** The figures of windows of many cheap gradients. */
export function judge(): AsyncGenerator<Figure> {
  return windows(PRESETS.small, [16, 64, 256]);
}

/** The figures of a window of few dear ones. */
export function judgeNano(): AsyncGenerator<Figure> {
  return windows(PRESETS["nano-gpt"], [4]);
}
