/**
 * The validator's journal: every step of a window's judgement, flushed before it is taken, read at start.
 *
 * @module
 */
import { LineLog } from "./store/line_log.ts";

/** What a judge signs of a window. */
export type Message = "report" | "outcome";

/** A step of a window's judgement. Bytes are hex. */
export type JournalEntry =
  /** The validator's first start; or the window is over and its judgement begins, or its settlement. */
  | { readonly step: "started" | "begun" | "settling"; readonly window: number }
  /** The judge with `key` is asked, with these uids' gradients not to be had: the same question, the same answer. */
  | {
    readonly step: `${Message}_asked`;
    readonly window: number;
    readonly key: string;
    readonly unavailable: readonly number[];
  }
  /** It has answered, and the answer is about to be sent. */
  | {
    readonly step: `${Message}_signed`;
    readonly window: number;
    readonly key: string;
    readonly message: string;
    readonly signature: string;
  }
  /** The ledger has it. */
  | { readonly step: `${Message}_submitted`; readonly window: number }
  /** Its deadline has passed without it. */
  | {
    readonly step: "missed";
    readonly window: number;
    readonly message: Message;
    readonly reason: string;
  }
  /** The window is closed or skipped, and accounted for. */
  | { readonly step: "done"; readonly window: number; readonly status: string };

/** Entries of one step. */
export type EntryOf<S extends JournalEntry["step"]> = JournalEntry extends infer E
  ? E extends { readonly step: infer U } ? S extends U ? E & { readonly step: S } : never : never
  : never;

/** Windows whose steps are kept: as many as a judge remembers. */
export const KEPT_WINDOWS = 64;
/** The file is rewritten when it holds this many windows more. */
const SLACK_WINDOWS = 16;

const STRING = (value: unknown) => typeof value === "string";
const UID = (value: unknown) => Number.isInteger(value) && value as number >= 0;
const ASKED = { key: STRING, unavailable: (v: unknown) => Array.isArray(v) && v.every(UID) };
const SIGNED = { key: STRING, message: STRING, signature: STRING };
const MESSAGE = (value: unknown) => value === "report" || value === "outcome";
/** The fields of each step, besides step and window. */
const FIELDS: Readonly<
  Record<JournalEntry["step"], Readonly<Record<string, (value: unknown) => boolean>>>
> = {
  started: {},
  begun: {},
  settling: {},
  report_asked: ASKED,
  outcome_asked: ASKED,
  report_signed: SIGNED,
  outcome_signed: SIGNED,
  report_submitted: {},
  outcome_submitted: {},
  missed: { message: MESSAGE, reason: STRING },
  done: { status: STRING },
};

/** An append-only file of {@link JournalEntry}s. */
export class Journal {
  readonly #log: LineLog<JournalEntry>;
  #oldest: number;

  private constructor(log: LineLog<JournalEntry>) {
    this.#log = log;
    this.#oldest = log.entries.reduce((least, { window }) => Math.min(least, window), Infinity);
  }

  /**
   * Open or make the journal at `path`. A last line that a crash cut off is dropped.
   *
   * @throws {Deno.errors.Busy} where another process has it open: two would sign for one window.
   * @throws {SyntaxError} where a line is not an entry.
   */
  static async open(path: string): Promise<Journal> {
    return new Journal(await LineLog.open(path, decode));
  }

  /** Append `entry`; it is on the disk when this resolves. */
  async append(entry: JournalEntry): Promise<void> {
    await this.#log.append(entry);
    const least = entry.window - KEPT_WINDOWS;
    this.#oldest = Math.min(this.#oldest, entry.window);
    if (this.#oldest > least - SLACK_WINDOWS) return;
    await this.#log.compact(({ window }) => window > least);
    this.#oldest = least + 1;
  }

  /** The entries of `step` for `window`, oldest first. */
  all<S extends JournalEntry["step"]>(window: number, step: S): EntryOf<S>[] {
    const found = this.#log.entries.filter((entry) =>
      entry.window === window && entry.step === step
    );
    return found as EntryOf<S>[];
  }

  /** The last entry of `step` for `window`. */
  find<S extends JournalEntry["step"]>(window: number, step: S): EntryOf<S> | undefined {
    return this.all(window, step).at(-1);
  }

  /** The entries of `step` for every window that is kept, oldest first. */
  every<S extends JournalEntry["step"]>(step: S): EntryOf<S>[] {
    return this.#log.entries.filter((entry) => entry.step === step) as EntryOf<S>[];
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]();
  }
}

function decode(value: unknown): JournalEntry {
  const entry = value as Record<string, unknown> | null;
  const step = entry?.step as JournalEntry["step"];
  if (typeof entry !== "object" || entry === null || !Object.hasOwn(FIELDS, step)) {
    throw new SyntaxError("no step of a judgement");
  }
  if (!Number.isSafeInteger(entry.window)) throw new SyntaxError("'window' is no number");
  const fields = FIELDS[step];
  for (const [name, isValid] of Object.entries(fields)) {
    if (!isValid(entry[name])) throw new SyntaxError(`'${name}' of ${step} is not what it must be`);
  }
  if (Object.keys(entry).length !== 2 + Object.keys(fields).length) {
    throw new SyntaxError(`${step} has a field too many`);
  }
  return entry as JournalEntry;
}
