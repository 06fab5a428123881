/**
 * A miner's journal: what it is about to do in a window, and the gradient that it commits to, flushed before it is
 * done; read at start, so that a restart still commits and reveals what the deadlines allow.
 *
 * @module
 */
import { type Bytes, equal, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { sha256 } from "../enclave/protocol/hash.ts";
import { LineLog } from "../host/store/line_log.ts";

/** A gradient that is or may be committed. */
export interface PendingGradient {
  /** N. */
  readonly window: number;
  /** The slot. */
  readonly uid: number;
  /** The wire bytes. */
  readonly bytes: Bytes;
  /** Their SHA-256. */
  readonly contentHash: Bytes;
  /** Wire format. */
  readonly codec: number;
  /** 32 random bytes. */
  readonly salt: Bytes;
}

/** A step of a window. Bytes are hex. */
export type MinerStep =
  /** Training begins; or the ledger has the commit; or the reveal, and nothing is left to do. */
  | { readonly step: "training" | "committed" | "revealed"; readonly window: number }
  /** There is a gradient, about to be committed. */
  | {
    readonly step: "produced";
    readonly window: number;
    readonly uid: number;
    readonly codec: number;
    readonly contentHash: string;
    readonly salt: string;
  }
  /** A deadline has passed without it; nothing is left to do. */
  | { readonly step: "missed"; readonly window: number; readonly reason: string };

/** Windows whose steps are kept. */
const KEPT_WINDOWS = 64;
/** The file is rewritten when it holds this many windows more. */
const SLACK_WINDOWS = 16;

const STEPS: readonly string[] = ["training", "produced", "committed", "revealed", "missed"];

/** The steps of one miner, in a folder of its own. */
export class MinerJournal {
  readonly #dir: string;
  readonly #log: LineLog<MinerStep>;

  private constructor(dir: string, log: LineLog<MinerStep>) {
    this.#dir = dir;
    this.#log = log;
  }

  /**
   * Open the journal in `dir`, which is made where it is missing.
   *
   * @throws {Deno.errors.Busy} where another process has it open: two would commit for one slot.
   * @throws {SyntaxError} where a line is not a step.
   */
  static async open(dir: string): Promise<MinerJournal> {
    await Deno.mkdir(dir, { recursive: true });
    const log = await LineLog.open(`${dir}/steps.jsonl`, decode).catch((error) => {
      if (!(error instanceof Deno.errors.Busy)) throw error;
      const why = "another miner works there. Each takes a --data-dir, or an --as, of its own";
      throw new Deno.errors.Busy(`Cannot mine from ${dir}: ${why}`, { cause: error });
    });
    return new MinerJournal(dir, log);
  }

  /** Append `step`; it is on the disk when this resolves. */
  async append(step: MinerStep): Promise<void> {
    await this.#log.append(step);
    const least = step.window - KEPT_WINDOWS;
    if (this.#log.entries[0]!.window > least - SLACK_WINDOWS) return;
    await this.#log.compact(({ window }) => window > least);
  }

  /** The steps of `window`, oldest first. */
  steps(window: number): MinerStep[] {
    return this.#log.entries.filter((step) => step.window === window);
  }

  /** Whether nothing is left to do in `window`. */
  isOver(window: number): boolean {
    return this.steps(window).some(({ step }) => step === "revealed" || step === "missed");
  }

  /** Windows that were begun and are not over, oldest first. */
  unfinished(): number[] {
    const begun = new Set(this.#log.entries.map(({ window }) => window));
    return [...begun].filter((window) => !this.isOver(window));
  }

  /** Write `pending`, the bytes first. */
  async save(pending: PendingGradient): Promise<void> {
    const { window, uid, bytes, codec, contentHash, salt } = pending;
    await this.#sweep();
    using file = await Deno.open(this.#path(toHex(contentHash)), {
      write: true,
      create: true,
      truncate: true,
      mode: 0o600,
    });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    await this.append({
      step: "produced",
      window,
      uid,
      codec,
      contentHash: toHex(contentHash),
      // What a copier would need: nobody else reads this file, and nobody needs it after the reveal.
      salt: toHex(salt),
    });
  }

  /** The gradient of `window`, or null where none was saved, or its bytes are not what they were. */
  async load(window: number): Promise<PendingGradient | null> {
    const saved = this.steps(window).findLast((step) => step.step === "produced");
    if (saved === undefined) return null;
    try {
      const bytes = await Deno.readFile(this.#path(saved.contentHash));
      const contentHash = fromHex(saved.contentHash, 32);
      if (!equal(sha256(bytes), contentHash)) return null;
      const { uid, codec } = saved;
      return { window, uid, codec, bytes, contentHash, salt: fromHex(saved.salt, 32) };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]();
  }

  #path(contentHash: string): string {
    return `${this.#dir}/${contentHash}.bin`;
  }

  /** Remove the gradients of earlier windows: only the newest one can still be revealed. */
  async #sweep(): Promise<void> {
    for await (const { name } of Deno.readDir(this.#dir)) {
      if (name.endsWith(".bin")) await Deno.remove(`${this.#dir}/${name}`);
    }
  }
}

function decode(value: unknown): MinerStep {
  const step = value as Record<string, unknown> | null;
  if (typeof step !== "object" || step === null || !STEPS.includes(step.step as string)) {
    throw new SyntaxError("no step of a miner");
  }
  if (!Number.isSafeInteger(step.window)) throw new SyntaxError("'window' is no number");
  if (step.step === "missed" && typeof step.reason !== "string") {
    throw new SyntaxError("'reason' is no text");
  }
  if (step.step === "produced") {
    for (const name of ["uid", "codec"]) {
      if (!Number.isSafeInteger(step[name])) throw new SyntaxError(`'${name}' is no number`);
    }
    for (const name of ["contentHash", "salt"]) fromHex(String(step[name]), 32);
  }
  return value as MinerStep;
}
