/**
 * An append-only file of JSON objects, one a line: what a journal is made of. An entry is on the disk when
 * `append` resolves; a line that a crash cut off is dropped at the next start, as it never was.
 *
 * @module
 */

/** A log above this is refused before it is read. */
const MAX_BYTES = 1 << 28;

/** Entries of one kind in a file that one process holds at a time. */
export class LineLog<T> {
  readonly #path: string;
  readonly #lock: Deno.FsFile;
  #file: Deno.FsFile;
  #entries: T[];
  /** Bytes of whole lines. */
  #length: number;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    path: string,
    lock: Deno.FsFile,
    file: Deno.FsFile,
    entries: T[],
    at: number,
  ) {
    this.#path = path;
    this.#lock = lock;
    this.#file = file;
    this.#entries = entries;
    this.#length = at;
  }

  /**
   * Open or make the log at `path`, mode 0600. `decode` checks each line's value, and throws where it is none.
   *
   * @throws {Deno.errors.Busy} where another process has it open.
   * @throws {SyntaxError} where a whole line is not an entry; the message names the line.
   * @throws {RangeError} where the file is larger than any journal.
   */
  static async open<T>(path: string, decode: (value: unknown) => T): Promise<LineLog<T>> {
    const lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: 0o600 });
    let file: Deno.FsFile | undefined;
    try {
      if (!lock.tryLockSync(true)) {
        throw new Deno.errors.Busy(`Cannot open ${path}: another process has it open`);
      }
      file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
      const bytes = await readAll(file, path);
      const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
      const lines = new TextDecoder().decode(whole).split("\n").slice(0, -1);
      const entries = lines.map((line, i) => decodeLine(line, decode, `${path}:${i + 1}`));
      await file.truncate(whole.length);
      return new LineLog(path, lock, file, entries, whole.length);
    } catch (error) {
      file?.close();
      lock.close();
      throw error;
    }
  }

  /** Everything that was appended and not dropped, oldest first. */
  get entries(): readonly T[] {
    return this.#entries;
  }

  /** Append `entry`. Of several appends at once each waits for the one before. */
  append(entry: T): Promise<void> {
    return this.#next(async () => {
      const bytes = new TextEncoder().encode(JSON.stringify(entry) + "\n");
      // Where an earlier append failed half-way its rest is written over, and cut off.
      await this.#file.truncate(this.#length);
      await this.#file.seek(this.#length, Deno.SeekMode.Start);
      await writeAll(this.#file, bytes);
      await this.#file.sync();
      this.#length += bytes.length;
      this.#entries.push(entry);
    });
  }

  /** Drop the entries that `keep` refuses. The file is replaced as a whole or not at all. */
  compact(keep: (entry: T) => boolean): Promise<void> {
    return this.#next(async () => {
      const entries = this.#entries.filter(keep);
      const text = entries.map((entry) => JSON.stringify(entry) + "\n").join("");
      const bytes = new TextEncoder().encode(text);
      const draft = `${this.#path}.draft`;
      const options = { read: true, write: true, create: true, truncate: true, mode: 0o600 };
      const file = await Deno.open(draft, options);
      try {
        await writeAll(file, bytes);
        await file.sync();
        await Deno.rename(draft, this.#path);
      } catch (error) {
        file.close();
        throw error;
      }
      this.#file.close();
      this.#file = file;
      this.#entries = entries;
      this.#length = bytes.length;
    });
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#file.close();
    this.#lock.close();
  }

  #next(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => {});
    return result;
  }
}

function decodeLine<T>(line: string, decode: (value: unknown) => T, where: string): T {
  try {
    return decode(JSON.parse(line));
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${where}: ${(cause as Error).message}`, { cause });
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

async function readAll(file: Deno.FsFile, path: string): Promise<Uint8Array> {
  const { size } = await file.stat();
  if (size > MAX_BYTES) {
    throw new RangeError(`Cannot read ${path} as it must be at most ${MAX_BYTES} bytes: ${size}`);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) break;
    at += read;
  }
  return bytes.subarray(0, at);
}
