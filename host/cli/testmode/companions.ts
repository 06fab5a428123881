/**
 * The companion miners of test mode: honest ones, and three that the judge must catch. The dishonest ones
 * differ in their gradients alone; they commit, upload and reveal as everybody does.
 *
 * @module
 */
import { type Param, paramManifest } from "../../../enclave/model/params.ts";
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import type { SparseUpdate } from "../../../enclave/model/update.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { sparseWire } from "../../../miner/codecs.ts";
import type { Assignment, GradientSource, Produced } from "../../../miner/source.ts";

/** Entries of an idle miner's gradient: enough to look like one. */
const IDLE_ENTRIES = 64;

/** Does no work: a gradient of zeros. */
export class IdleSource implements GradientSource {
  /** See {@link GradientSource}. */
  readonly name = "idle";
  /** See {@link GradientSource}. */
  readonly device = "none";

  /** See {@link GradientSource}. */
  produce({ theta }: Assignment): Promise<Produced> {
    const indices = Uint32Array.from({ length: IDLE_ENTRIES }, (_, i) => i);
    const values = new Float32Array(IDLE_ENTRIES);
    const wire = sparseWire({ total: theta.length, indices, values });
    return Promise.resolve({ ...wire, loss: null });
  }
}

/**
 * Sends a gradient that is made to harm and is in form beyond reproach: the whole allowed norm on the bias of the last
 * layer norm, against the mean embedding of the tokens it was assigned, so that frequent tokens become unlikely.
 */
export class PoisonedSource implements GradientSource {
  /** See {@link GradientSource}. */
  readonly name = "poisoned";
  /** See {@link GradientSource}. */
  readonly device = "none";
  readonly #embedding: Param;
  readonly #bias: Param;

  /** Poisons `model`. */
  constructor(model: ModelConfig) {
    const { params } = paramManifest(model);
    this.#embedding = params.find(({ name }) => name === "wte.weight")!;
    this.#bias = params.find(({ name }) => name === "ln_f.bias")!;
  }

  /** See {@link GradientSource}. */
  produce({ theta, pages, hparams }: Assignment): Promise<Produced> {
    const { offset, size } = this.#bias;
    const mean = new Float64Array(size);
    for (const token of pages.flatMap((page) => [...page])) {
      const row = this.#embedding.offset + token * size;
      for (let i = 0; i < size; i++) mean[i]! += theta[row + i]!;
    }
    const norm = Math.hypot(...mean);
    // A little below the limit: rounding to f16 must not lift the norm above it.
    const scale = 0.999 * hparams.max_update_norm / 1e6 / norm;
    const indices = Uint32Array.from({ length: size }, (_, i) => offset + i);
    const values = Float32Array.from(mean, (value) => value * scale);
    const wire = sparseWire({ total: theta.length, indices, values });
    return Promise.resolve({ ...wire, loss: null });
  }
}

/** An honest miner that hands its gradients to an accomplice before anybody has committed. */
export class Accomplice implements GradientSource {
  /** See {@link GradientSource}. */
  readonly name: string;
  /** See {@link GradientSource}. */
  readonly device: string;
  /** Its slot, once it has worked. */
  uid = -1;
  readonly #honest: GradientSource;
  readonly #handed = new Map<number, PromiseWithResolvers<SparseUpdate>>();

  /** Works as `honest` does. */
  constructor(honest: GradientSource) {
    this.#honest = honest;
    this.name = honest.name;
    this.device = honest.device;
  }

  /** See {@link GradientSource}. */
  async produce(assignment: Assignment): Promise<Produced> {
    const produced = await this.#honest.produce(assignment);
    this.uid = assignment.uid;
    this.#of(assignment.window).resolve(produced.update);
    return produced;
  }

  /** The gradient of `window`, as soon as it is there. */
  handed(window: number): Promise<SparseUpdate> {
    return this.#of(window).promise;
  }

  #of(window: number): PromiseWithResolvers<SparseUpdate> {
    for (const old of this.#handed.keys()) if (old < window - 2) this.#handed.delete(old);
    const handed = this.#handed.get(window) ?? Promise.withResolvers<SparseUpdate>();
    this.#handed.set(window, handed);
    return handed;
  }
}

/** Sends what its accomplice trained, under its own name, and commits later than it. */
export class CopierSource implements GradientSource {
  /** See {@link GradientSource}. */
  readonly name = "copier";
  /** See {@link GradientSource}. */
  readonly device = "none";
  readonly #accomplice: Accomplice;
  readonly #ledger: Ledger;
  readonly #clock: Clock;

  /** Copies `accomplice`. */
  constructor(accomplice: Accomplice, ledger: Ledger, clock: Clock) {
    this.#accomplice = accomplice;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** See {@link GradientSource}. */
  async produce({ window }: Assignment): Promise<Produced> {
    const { deadlines } = await this.#ledger.window(window);
    const giveUp = new AbortController();
    const update = await Promise.race([
      this.#accomplice.handed(window),
      this.#clock.until(deadlines.commit, giveUp.signal).then(() => {
        throw new TypeError("Nothing was handed over before the commit deadline");
      }),
    ]);
    giveUp.abort();
    while (!(await this.#committed(window))) await this.#clock.until(this.#clock.now() + 50);
    return { ...sparseWire(update), loss: null };
  }

  /** Whether the accomplice's commit is on the ledger. */
  async #committed(window: number): Promise<boolean> {
    if (this.#clock.now() >= (await this.#ledger.window(window)).deadlines.commit) return true;
    for (let after = 0;;) {
      const events = await this.#ledger.events(after, 1_000);
      if (events.length === 0) return false;
      after = events.at(-1)!.seq;
      const found = events.some(({ kind, body }) =>
        kind === "gradient_registry::GradientCommitted" && body.window === window &&
        body.uid === this.#accomplice.uid
      );
      if (found) return true;
    }
  }
}
