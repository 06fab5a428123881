/**
 * The validator's journal: one JSON object a line, flushed before what it announces is done, read at start.
 *
 * @module
 */

/** A step of a window's judgement. Bytes are hex. */
export type JournalEntry =
  | {
    readonly step: "report_signed" | "outcome_signed";
    readonly window: number;
    readonly message: string;
    readonly signature: string;
    readonly key: string;
  }
  | { readonly step: "report_submitted" | "outcome_submitted" | "done"; readonly window: number }
  | { readonly step: "missed"; readonly window: number; readonly reason: string };

/** An append-only file of {@link JournalEntry}s. */
export class Journal {
  readonly #file: Deno.FsFile;
  readonly #entries: JournalEntry[];

  private constructor(file: Deno.FsFile, entries: JournalEntry[]) {
    this.#file = file;
    this.#entries = entries;
  }

  /** Open or make the journal at `path`. A last line that a crash cut off is dropped. */
  static async open(path: string): Promise<Journal> {
    const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
    const text = new TextDecoder().decode(await readAll(file));
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    const length = new TextEncoder().encode(whole).length;
    await file.truncate(length);
    await file.seek(length, Deno.SeekMode.Start);
    const entries = whole.split("\n").filter((line) => line !== "")
      .map((line) => JSON.parse(line) as JournalEntry);
    return new Journal(file, entries);
  }

  /** Append `entry`; it is on the disk when this resolves. */
  async append(entry: JournalEntry): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(entry) + "\n");
    for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
    await this.#file.syncData();
    this.#entries.push(entry);
  }

  /** The last entry of `step` for `window`. */
  find<S extends JournalEntry["step"]>(
    window: number,
    step: S,
  ): Extract<JournalEntry, { step: S }> | undefined {
    return this.#entries.findLast((entry) => entry.window === window && entry.step === step) as
      | Extract<JournalEntry, { step: S }>
      | undefined;
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

async function readAll(file: Deno.FsFile): Promise<Uint8Array> {
  const { size } = await file.stat();
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) break;
    at += read;
  }
  return bytes.subarray(0, at);
}
