/**
 * What honest miners look like to the judge: how far two of them overlap (the thresholds for copies stand above
 * that), how far their scores spread in a window, how often their own pages gain more than random ones, and what a
 * gradient is worth in halves (the simulation of the pay policy rests on these). Real training, compression and
 * merges.
 *
 * @module
 */
import { genesisWeights } from "../../../enclave/model/genesis.ts";
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { paramManifest } from "../../../enclave/model/params.ts";
import { type ModelConfig, pageTokens, PRESETS } from "../../../enclave/model/presets.ts";
import { safetensorsHeader } from "../../../enclave/model/safetensors.ts";
import { LossModel } from "../../../enclave/model/session.ts";
import {
  clipFactor,
  mergeUpdates,
  patch,
  type SparseUpdate,
  unpatch,
  updateNorm,
} from "../../../enclave/model/update.ts";
import { DEFAULT_HPARAMS, type Hparams } from "../../../enclave/protocol/hparams.ts";
import { SCORE_NOISE } from "../../../enclave/protocol/settle.ts";
import { meanLoss } from "../../../enclave/scoring/measure.ts";
import { isCopy, overlapOf, sliceOf } from "../../../enclave/scoring/overlap.ts";
import { RECIPES } from "../../../host/cli/testmode/calibrate.ts";
import type { Pages } from "../../../host/store/pages.ts";
import { AdapterSource } from "../../../miner/adapters/source.ts";
import { patternedBatches } from "../../../miner/adapters/conformance.ts";
import { OnnxAdapter } from "../../../miner/adapters/onnx.ts";
import { type Figure, percent, quantile, uniform } from "../figures.ts";
import { mobyDick } from "../moby_dick.ts";

/** Slices that each pair is looked at through; a window's judge draws one. */
const SLICES = 4;

/** Everything that was seen of the pairs and the miners. */
interface Seen {
  readonly shares: number[];
  readonly cosines: number[];
  copies: number;
  readonly scores: number[];
  readonly spreads: number[];
  readonly halves: number[];
  ownWins: number;
}

/** `windows` windows of `miners` honest miners; what each window's accepted ones taught is merged. */
async function observe(config: ModelConfig, miners: number, windows: number): Promise<Seen> {
  const { training, hparams: tuned } = RECIPES[config.name]!;
  const hparams: Hparams = { ...DEFAULT_HPARAMS, ...tuned };
  const data = await mobyDick(config);
  const draw = uniform(windows);
  const theta = genesisWeights(config, modelHash(config));
  const { decay, innerSteps, lr } = training;
  const context = {
    batches: patternedBatches(pageTokens(config), config.batch),
    settings: { innerSteps, lr, percent: hparams.topk_bps / 100 },
  };
  const trainer = await OnnxAdapter.start(context, config, theta);
  const model = await LossModel.create(config);
  const header = safetensorsHeader(paramManifest(config));
  const sources = Array.from(
    { length: miners },
    () => new AdapterSource(trainer, { device: "cpu", header, decay }),
  );
  const seen: Seen = {
    shares: [],
    cosines: [],
    copies: 0,
    scores: [],
    spreads: [],
    halves: [],
    ownWins: 0,
  };
  try {
    for (let window = 0; window < windows; window++) {
      const random = somePages(data, hparams.random_pages, draw);
      const before = await meanLoss(model, theta, random);
      const updates: SparseUpdate[] = [];
      const scores: number[] = [];
      for (const [uid, source] of sources.entries()) {
        const pages = somePages(data, hparams.own_pages, draw);
        const { update } = await source.produce({ window, uid, hparams, theta, pages });
        updates.push(update);
        const ownBefore = await meanLoss(model, theta, pages);
        const undo = patch(theta, update, step(update, hparams));
        const ownDrop = ownBefore - await meanLoss(model, theta, pages);
        const score = before - await meanLoss(model, theta, random);
        unpatch(theta, undo);
        if (isAccepted(score)) {
          let sum = 0;
          for (const half of halvesOf(update)) {
            const undo = patch(theta, half, step(update, hparams));
            sum += before - await meanLoss(model, theta, random);
            unpatch(theta, undo);
          }
          seen.halves.push(sum / score);
        }
        scores.push(score);
        if (ownDrop > score) seen.ownWins++;
      }
      for (let slice = 0; slice < SLICES; slice++) compare(updates, draw, hparams, seen);
      seen.scores.push(...scores);
      seen.spreads.push(spread(scores));
      const accepted = updates.filter((_, i) => isAccepted(scores[i]!));
      const factors = accepted.map((update) => step(update, hparams));
      if (accepted.length > 0) mergeUpdates(theta, accepted, 1, factors);
    }
  } finally {
    await trainer[Symbol.asyncDispose]();
    await model.close();
  }
  return seen;
}

/** β, less where the update is longer than the hparams allow. */
function step(update: SparseUpdate, { beta, max_update_norm }: Hparams): number {
  return beta / 1e9 * clipFactor(updateNorm(update.values), max_update_norm / 1e6);
}

/** Two updates of every other entry: what a miner sends that poses as two. */
function halvesOf({ total, indices, values }: SparseUpdate): SparseUpdate[] {
  return [0, 1].map((rest) => ({
    total,
    indices: indices.filter((_, i) => i % 2 === rest),
    values: values.filter((_, i) => i % 2 === rest),
  }));
}

function isAccepted(score: number): boolean {
  return score > SCORE_NOISE / 1e6;
}

function somePages(data: Pages, count: number, draw: () => number): Uint32Array[] {
  const random = () => data.tokens(Math.floor(draw() * data.dataset.pageCount));
  return Array.from({ length: count }, random);
}

function compare(
  updates: readonly SparseUpdate[],
  draw: () => number,
  hparams: Hparams,
  seen: Seen,
): void {
  const salt = Math.floor(draw() * 2 ** 32);
  const slices = updates.map((update) => sliceOf(update, salt));
  slices.forEach((a, i) =>
    slices.slice(i + 1).forEach((b) => {
      const { share, cosine } = overlapOf(a, b);
      seen.shares.push(share);
      seen.cosines.push(cosine);
      if (isCopy(a, b, hparams)) seen.copies++;
    })
  );
}

/** Standard deviation over mean. */
function spread(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1)) / Math.abs(mean);
}

async function* figures(
  config: ModelConfig,
  miners: number,
  windows: number,
): AsyncGenerator<Figure> {
  const seen = await observe(config, miners, windows);
  const { shares, cosines, copies, scores, spreads, halves, ownWins } = seen;
  const name = `honest pairs, ${config.name}`;
  yield { name: `${name}: compared`, value: shares.length, unit: "pairs", better: "neither" };
  for (const [label, q] of [["p50", 0.5], ["p99", 0.99], ["p99.9", 0.999]] as const) {
    yield percent(`${name}: shared indices, ${label}`, quantile(shares, q), "neither");
  }
  for (const [label, q] of [["p50", 0.5], ["p99.9", 0.999]] as const) {
    yield percent(`${name}: cosine of what is shared, ${label}`, quantile(cosines, q), "neither");
  }
  yield { name: `${name}: taken for copies`, value: copies, unit: "pairs", better: "less" };
  const miner = `honest miners, ${config.name}`;
  const toUnits = (nats: number) => 1e6 * nats;
  yield {
    name: `${miner}: score, p50`,
    value: toUnits(quantile(scores, 0.5)),
    unit: "1e-6 nats",
    better: "neither",
  };
  yield percent(`${miner}: spread of scores in a window, p50`, quantile(spreads, 0.5), "neither");
  yield percent(
    `${miner}: not accepted`,
    scores.filter((score) => !isAccepted(score)).length / scores.length,
    "neither",
  );
  yield percent(
    `${miner}: scores of a gradient's halves, of the whole's, p50`,
    quantile(halves, 0.5),
    "neither",
  );
  yield percent(`${miner}: own pages gained more`, ownWins / scores.length, "neither");
}

/** The figures of the smallest model. */
export function honestTiny(): AsyncGenerator<Figure> {
  return figures(PRESETS.tiny, 16, 24);
}

/** The figures of the demonstration's model. */
export function honestSmall(): AsyncGenerator<Figure> {
  return figures(PRESETS.small, 12, 16);
}
