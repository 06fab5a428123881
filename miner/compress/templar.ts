/**
 * Templar's compression for any trainer's gradient: blocks of 64 × 64, the same even number of the largest entries
 * (or DCT coefficients) from each, two bits a value. What is left out goes to error feedback, as with any codec.
 *
 * Templar sends something of every block. Where a few blocks hold most of a gradient (the rows of the tokens that
 * were read), more entries of fewer blocks are sent: of each matrix 1, 2, 4, 8 or 16 times as many.
 *
 * @module
 */
import {
  canTransform,
  CODEC_TEMPLAR,
  decodeGradient,
  encodeTemplar,
  MAX_COEFFICIENTS,
  maxTemplarEntries,
  type SparseUpdate,
  type TemplarGradient,
  type TemplarTensor,
} from "../../enclave/protocol/gradient/mod.ts";
import { forEachBlock, MAX_SCALE, SIDE } from "../../enclave/protocol/gradient/blocks.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { forwardDct } from "./dct.ts";
import { BlockTopK } from "./block_topk.ts";
import { type BlockEnergies, chooseBlocks, type ChosenBlocks, DENSITIES } from "./choose_blocks.ts";
import { levelsOf } from "./levels.ts";

const MAX_BYTES = DEFAULT_HPARAMS.max_gradient_bytes;

/** How to compress. */
export interface TemplarOptions {
  /** Share of the entries that is sent at most, in percent; at least 2 entries are. */
  readonly percent: number;
  /** The ledger's `max_gradient_bytes`, which bounds what the judge decodes; the default is the hparam's. */
  readonly maxBytes?: number;
  /**
   * Send DCT coefficients instead of entries, for as many matrices, the smallest first, as `maxBytes` allows to be
   * decoded. Default false, as Templar runs today.
   */
  readonly dct?: boolean;
}

/** A compressed gradient. */
export interface TemplarCompressed {
  /** What `encodeTemplar` writes. */
  readonly gradient: TemplarGradient;
  /** What the judge will decode from that: what error feedback subtracts. */
  readonly update: SparseUpdate;
}

/** A matrix of the model, and how it is compressed. */
interface Plan {
  readonly rows: number;
  readonly cols: number;
  /** Its first element. */
  readonly offset: number;
  dct: boolean;
}

/**
 * Compress `values`, the flat gradient (or residual) of a model whose tensors have `shapes`, in the order of its flat
 * weights. A vector is a matrix of one row; of more than two dimensions all but the last are the rows.
 *
 * @throws {RangeError} where a value is not finite, the shapes do not make up `values`, or an option is none.
 * @throws {Refusal} `wrong_size` where it does not fit `maxBytes`, `non_finite` where a coefficient is too large.
 */
export function compressTemplar(
  values: Float32Array,
  shapes: readonly (readonly number[])[],
  options: TemplarOptions,
): TemplarCompressed {
  const { percent, maxBytes = MAX_BYTES } = options;
  if (!(percent > 0 && percent <= 100)) {
    throw new RangeError(`Cannot compress as 'percent' must be in (0, 100]: it is ${percent}`);
  }
  const plans = planOf(shapes);
  const total = plans.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  if (total !== values.length) {
    throw new RangeError(`Cannot compress ${values.length} values as the shapes have ${total}`);
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new RangeError(`Cannot compress as value ${bad} is ${values[bad]}`);
  const budget = Math.max(2, Math.floor(total * percent / 100));
  if (options.dct) transform(plans, percent, maxTemplarEntries(maxBytes) - budget);
  const chosen = chooseBlocks(plans.map((plan) => energiesOf(values, plan, percent)), budget);
  const tensors = plans.map((plan, t) => compressed(values, plan, percent, chosen[t]!));
  const gradient = { total, tensors };
  const bytes = encodeTemplar(gradient, { uid: 0, window: 0, baseHash: new Uint8Array(32) });
  const update = decodeGradient(bytes, { codec: CODEC_TEMPLAR, total, maxBytes });
  return { gradient, update };
}

function planOf(shapes: readonly (readonly number[])[]): Plan[] {
  let offset = 0;
  return shapes.map((shape): Plan => {
    const cols = shape.at(-1) ?? 1;
    const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const plan = { rows, cols, offset, dct: false };
    offset += rows * cols;
    return plan;
  });
}

/** Entries of each block that is sent: even, `times` the share of a whole block, at least 2, and what it can have. */
function countOf({ rows, cols, dct }: Plan, percent: number, times: number): number {
  const whole = Math.min(SIDE, rows) * Math.min(SIDE, cols);
  const most = dct ? Math.min(whole, MAX_COEFFICIENTS) : whole;
  return Math.max(2, 2 * Math.floor(Math.min(most, times * whole * percent / 100) / 2));
}

/** Transform the smallest matrices while all of their elements are at most `spare`. */
function transform(plans: Plan[], percent: number, spare: number): void {
  const bySize = [...plans].sort((a, b) => a.rows * a.cols - b.rows * b.cols);
  for (const plan of bySize) {
    const { rows, cols } = plan;
    spare -= rows * cols;
    if (spare < 0) return;
    plan.dct = canTransform(rows, cols, countOf({ ...plan, dct: true }, percent, 1));
  }
}

const whole = new Float32Array(SIDE * SIDE);
const topK = new BlockTopK(SIDE * SIDE);

/** Call `visit` with each block's elements, or coefficients, which hold until the next one. */
function forEachContent(
  values: Float32Array,
  { rows, cols, offset, dct }: Plan,
  visit: (content: Float32Array) => void,
): void {
  forEachBlock(rows, cols, (high, wide, top, left) => {
    const content = whole.subarray(0, high * wide);
    for (let r = 0; r < high; r++) {
      const start = offset + (top + r) * cols + left;
      content.set(values.subarray(start, start + wide), r * wide);
    }
    if (dct) forwardDct(high, wide, content);
    visit(content);
  });
}

/** What each block would send at each density: the largest of the largest, from the highest density down. */
function energiesOf(values: Float32Array, plan: Plan, percent: number): BlockEnergies[] {
  const blocks: BlockEnergies[] = [];
  const wanted = DENSITIES.map((times) => countOf(plan, percent, times));
  forEachContent(values, plan, (content) => {
    const counts = wanted.map((k) => Math.min(k, content.length));
    const energies = counts.map(() => 0);
    let kept = content;
    for (let density = counts.length - 1; density >= 0; density--) {
      const places = new Uint16Array(counts[density]!);
      topK.select(kept, places);
      const fewer = new Float32Array(places.length);
      for (let e = 0; e < places.length; e++) {
        const value = fewer[e] = kept[places[e]!]!;
        energies[density]! += value * value;
      }
      kept = fewer;
    }
    blocks.push({ counts, energies });
  });
  return blocks;
}

function compressed(
  values: Float32Array,
  plan: Plan,
  percent: number,
  { times, sent }: ChosenBlocks,
): TemplarTensor {
  const { rows, cols, dct } = plan;
  const k = countOf(plan, percent, times);
  const scales = new Uint8Array(sent.length);
  const [places, entries, units]: [number[], number[], number[]] = [[], [], []];
  let block = 0;
  forEachContent(values, plan, (content) => {
    if (sent[block++] === 0) return;
    const chosen = new Uint16Array(Math.min(k, content.length));
    topK.select(content, chosen);
    const s = scales[block - 1] = scaleByte(chosen, content);
    const scale = 2 ** (s - 127);
    for (const place of chosen) {
      places.push(place);
      entries.push(content[place]! / scale);
      units.push(scale);
    }
  });
  const { lookup, codes } = levelsOf(Float64Array.from(entries), Float64Array.from(units));
  return { rows, cols, k, dct, lookup, scales, places: Uint16Array.from(places), codes };
}

/** The byte of the power of two below the mean magnitude of the chosen, not all of which are 0. */
function scaleByte(chosen: Uint16Array, content: Float32Array): number {
  let sum = 0;
  for (const place of chosen) sum += Math.abs(content[place]!);
  const exponent = Math.floor(Math.log2(sum / chosen.length));
  return Math.min(Math.max(exponent + 127, 1), MAX_SCALE);
}
