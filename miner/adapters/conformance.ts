/**
 * The one suite that every adapter passes: `deno task trainer test` runs it, and so do the tests.
 *
 * @module
 */
import { type Bytes, equal } from "../../enclave/protocol/bytes.ts";
import type { Batch, BatchSource, StepResult, TrainingFrameworkAdapter } from "./adapter.ts";

/** What one check found. */
export interface Finding {
  /** What was checked, as a sentence. */
  readonly check: string;
  /** Undefined where it holds, else what was found instead. */
  readonly fault?: string;
}

/** How strict the suite is. */
export interface ConformanceOptions {
  /** Step of the update that must lower the loss; the first of several that does suffices. Default 1, 0.1, 0.01. */
  readonly betas?: readonly number[];
  /** Difference of two losses of equal weights that is none. Default 1e-4; more for frameworks of less precision. */
  readonly tolerance?: number;
}

/** A slot and a window to try. */
const UID = 3;
const WINDOW = 7;

/** Pages of patterned bytes that differ by uid, window and kind: data for the suite where there is no other. */
export function patternedBatches(tokens: number, rows: number): BatchSource {
  const batch = (uid: number, window: number, salt: number): Promise<Batch> => {
    const start = 31 * uid + 17 * window + salt;
    const pages = Array.from(
      { length: rows },
      (_, row) => Uint32Array.from({ length: tokens }, (_, i) => (start + row * 50 + i * i) % 251),
    );
    return Promise.resolve({ uid, window, pages });
  };
  return {
    assigned: (uid, window) => batch(uid, window, 0),
    random: (uid, window) => batch(uid, window, 101),
  };
}

function must(holds: boolean, otherwise: () => string): void {
  if (!holds) throw new Error(otherwise());
}

function samePages(a: Batch, b: Batch): boolean {
  return a.pages.length === b.pages.length &&
    a.pages.every((page, i) =>
      page.length === b.pages[i]!.length && page.every((token, j) => token === b.pages[i]![j])
    );
}

async function refused(call: () => unknown, what: string): Promise<void> {
  try {
    await call();
  } catch {
    return;
  }
  throw new Error(`${what} was taken`);
}

class Suite {
  readonly #adapter: TrainingFrameworkAdapter;
  readonly #options: Required<ConformanceOptions>;
  readonly #base: Bytes;
  readonly #batch: Batch;

  constructor(
    adapter: TrainingFrameworkAdapter,
    options: ConformanceOptions,
    base: Bytes,
    batch: Batch,
  ) {
    this.#adapter = adapter;
    this.#options = { betas: [1, 0.1, 0.01], tolerance: 1e-4, ...options };
    this.#base = base;
    this.#batch = batch;
  }

  async #trained(): Promise<StepResult> {
    await this.#adapter.loadCheckpoint(this.#base);
    return await this.#adapter.trainStep(this.#batch);
  }

  async #lossAtBase(): Promise<number> {
    await this.#adapter.loadCheckpoint(this.#base);
    return await this.#adapter.forwardLoss(this.#batch);
  }

  #near(a: number, b: number, what: string): void {
    must(Math.abs(a - b) <= this.#options.tolerance, () => `${what}: ${a} and ${b}`);
  }

  readonly checks: Readonly<Record<string, () => Promise<void>>> = {
    "its name is one word": () => {
      const { name } = this.#adapter;
      must(/^[\w.@/:-]{1,100}$/.test(name), () => `it is '${name}'`);
      return Promise.resolve();
    },

    "a batch is the same when asked again, and another miner's is another": async () => {
      const adapter = this.#adapter;
      const one = await adapter.getAssignedBatch(UID, WINDOW);
      must(one.pages.length > 0, () => "it has no pages");
      must(samePages(one, await adapter.getAssignedBatch(UID, WINDOW)), () => "it changed");
      for (const [uid, window] of [[UID + 1, WINDOW], [UID, WINDOW + 1]] as const) {
        const other = await adapter.getAssignedBatch(uid, window);
        must(!samePages(one, other), () => `uid ${uid} has the same in window ${window}`);
      }
      must(
        !samePages(one, await adapter.getRandomBatch(UID, WINDOW)),
        () => "so is the random one",
      );
    },

    "a checkpoint that is loaded is the one that is saved": async () => {
      await this.#adapter.loadCheckpoint(this.#base);
      must(equal(await this.#adapter.saveCheckpoint(), this.#base), () => "they differ");
    },

    "the loss is positive, the same again, and measuring it changes nothing": async () => {
      const first = await this.#lossAtBase();
      must(first > 0 && first < 100, () => `it is ${first}`);
      this.#near(await this.#adapter.forwardLoss(this.#batch), first, "two losses");
      must(equal(await this.#adapter.saveCheckpoint(), this.#base), () => "the weights changed");
    },

    "a step gives a finite gradient, not all zero, and the loss before it": async () => {
      const before = await this.#lossAtBase();
      const { gradient, loss } = await this.#trained();
      must(gradient.every(Number.isFinite), () => "a value is not finite");
      must(gradient.some((value) => value !== 0), () => "every value is zero");
      this.#near(loss, before, "the step's loss and the measured one");
    },

    "the same step from the same weights gives the same gradient": async () => {
      const [one, two] = [await this.#trained(), await this.#trained()];
      must(one.gradient.length === two.gradient.length, () => "another length");
      const scale = one.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = one.gradient.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - two.gradient[i]!)),
        0,
      );
      must(off <= 0.01 * scale, () => `they differ by ${off} of ${scale}`);
    },

    "compression keeps a few of the values as they are, in ascending places": async () => {
      const { gradient } = await this.#trained();
      const sparse = await this.#adapter.compressGradient(gradient);
      must(sparse.total === gradient.length, () => `it is of ${sparse.total} parameters`);
      must(sparse.indices.length === sparse.values.length, () => "places and values differ");
      must(sparse.indices.length > 0, () => "nothing is kept");
      must(sparse.indices.length < gradient.length, () => "everything is kept");
      const ascends = sparse.indices.every((at, j) =>
        at < gradient.length && (j === 0 || at > sparse.indices[j - 1]!)
      );
      must(ascends, () => "the places do not ascend");
      const dense = this.#adapter.decompressGradient(sparse);
      must(dense.length === gradient.length, () => `decompressed it has ${dense.length} values`);
      const kept = new Set(sparse.indices);
      const wrong = dense.findIndex((value, i) => value !== (kept.has(i) ? gradient[i] : 0));
      must(wrong < 0, () => `place ${wrong} is ${dense[wrong]}`);
    },

    "compression refuses what is not finite": async () => {
      const { gradient } = await this.#trained();
      for (const value of [NaN, Infinity]) {
        const bad = Float32Array.from(gradient);
        bad[bad.length >> 1] = value;
        await refused(() => this.#adapter.compressGradient(bad), `a gradient with ${value}`);
      }
    },

    "the compressed gradient, applied, lowers the loss": async () => {
      const adapter = this.#adapter;
      const before = await this.#lossAtBase();
      const { gradient } = await this.#trained();
      const dense = adapter.decompressGradient(await adapter.compressGradient(gradient));
      const after: number[] = [];
      for (const beta of this.#options.betas) {
        await adapter.loadCheckpoint(this.#base);
        await adapter.applyGradient(dense, beta);
        after.push(await adapter.forwardLoss(this.#batch));
        if (after.at(-1)! < before) return;
      }
      throw new Error(`it was ${before} and became ${after.join(", ")}`);
    },

    "a gradient that does not fit is not applied": async () => {
      const adapter = this.#adapter;
      const { gradient } = await this.#trained();
      await adapter.loadCheckpoint(this.#base);
      await refused(() => adapter.applyGradient(gradient.subarray(1), 1), "a shorter gradient");
      const bad = Float32Array.from(gradient);
      bad[0] = NaN;
      await refused(() => adapter.applyGradient(bad, 1), "a gradient with NaN");
      must(equal(await adapter.saveCheckpoint(), this.#base), () => "the weights changed");
    },

    "a checkpoint that is cut is refused, and the weights stay": async () => {
      const before = await this.#lossAtBase();
      for (const length of [0, 7, this.#base.length >> 1, this.#base.length - 4]) {
        const cut = this.#base.slice(0, length);
        await refused(() => this.#adapter.loadCheckpoint(cut), `one of ${length} bytes`);
      }
      this.#near(await this.#adapter.forwardLoss(this.#batch), before, "the loss");
    },
  };
}

/**
 * Run every check on `adapter`, from the weights that it holds, which it holds again at the end. A check that fails
 * does not end the others.
 */
export async function* conformance(
  adapter: TrainingFrameworkAdapter,
  options: ConformanceOptions = {},
): AsyncGenerator<Finding> {
  const base = await adapter.saveCheckpoint();
  const suite = new Suite(adapter, options, base, await adapter.getAssignedBatch(UID, WINDOW));
  for (const [check, run] of Object.entries(suite.checks)) {
    try {
      await run();
      yield { check };
    } catch (error) {
      yield { check, fault: error instanceof Error ? error.message : String(error) };
    }
  }
  await adapter.loadCheckpoint(base);
}
