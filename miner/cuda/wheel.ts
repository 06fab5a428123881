/**
 * Takes single files out of a wheel, which is a zip archive (APPNOTE 6.3.3, without zip64: a wheel is below 4 GiB).
 * The archive's SHA-256 was checked before; what is read here is bounded all the same.
 *
 * @module
 */

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** Bytes of the end record, whose comment may be 65,535 more. */
const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/** Where a file of a wheel lies. */
interface Entry {
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

/** An archive cannot be read. */
export class WheelError extends Error {
  /** What is raised. */
  override readonly name = "WheelError";
}

/** An open wheel. Dispose of it to close the file. */
export class WheelReader implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(path: string, file: Deno.FsFile, entries: ReadonlyMap<string, Entry>) {
    this.#path = path;
    this.#file = file;
    this.#entries = entries;
  }

  /** Read the directory of the archive at `path`. @throws {WheelError} where it has none. */
  static open(path: string): WheelReader {
    const file = Deno.openSync(path);
    try {
      return new WheelReader(path, file, directory(path, file));
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The paths of its files. */
  get paths(): string[] {
    return [...this.#entries.keys()];
  }

  /** The bytes of the file `name`, piece by piece. @throws {WheelError} where it is not there or not whole. */
  async *content(name: string): AsyncGenerator<Uint8Array> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new WheelError(`Cannot find ${name} in ${this.#path}`);
    const head = view(readAt(this.#file, entry.offset, LOCAL_BYTES));
    if (head.getUint32(0, true) !== LOCAL) throw broken(this.#path);
    const from = entry.offset + LOCAL_BYTES + head.getUint16(26, true) + head.getUint16(28, true);
    const packed = pieces(this.#file, from, entry.packed);
    let stream = ReadableStream.from(packed);
    if (entry.method === DEFLATED) {
      stream = stream.pipeThrough(new DecompressionStream("deflate-raw"));
    } else if (entry.method !== STORED) throw broken(this.#path);
    let length = 0;
    for await (const piece of stream) {
      length += piece.length;
      if (length > entry.size) throw broken(this.#path);
      yield piece;
    }
    if (length !== entry.size) throw broken(this.#path);
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function directory(path: string, file: Deno.FsFile): Map<string, Entry> {
  const { size } = file.statSync();
  const tailBytes = Math.min(size, END_BYTES + 0xffff);
  const tail = view(readAt(file, size - tailBytes, tailBytes));
  let end = tailBytes - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  if (end < 0) throw broken(path);
  const count = tail.getUint16(end + 10, true);
  const bytes = tail.getUint32(end + 12, true);
  const start = tail.getUint32(end + 16, true);
  if (start + bytes > size) throw broken(path);
  const records = readAt(file, start, bytes);
  const at = view(records);
  const entries = new Map<string, Entry>();
  for (let i = 0, pos = 0; i < count; i++) {
    if (pos + CENTRAL_BYTES > bytes || at.getUint32(pos, true) !== CENTRAL) throw broken(path);
    const nameBytes = at.getUint16(pos + 28, true);
    const rest = at.getUint16(pos + 30, true) + at.getUint16(pos + 32, true);
    const name = new TextDecoder().decode(
      records.subarray(pos + CENTRAL_BYTES, pos + CENTRAL_BYTES + nameBytes),
    );
    const entry = {
      method: at.getUint16(pos + 10, true),
      packed: at.getUint32(pos + 20, true),
      size: at.getUint32(pos + 24, true),
      offset: at.getUint32(pos + 42, true),
    };
    if (entry.offset + LOCAL_BYTES + entry.packed > size) throw broken(path);
    entries.set(name, entry);
    pos += CENTRAL_BYTES + nameBytes + rest;
  }
  return entries;
}

function* pieces(
  file: Deno.FsFile,
  from: number,
  length: number,
): Generator<Uint8Array<ArrayBuffer>> {
  const PIECE = 1 << 20;
  for (let at = 0; at < length; at += PIECE) {
    yield readAt(file, from + at, Math.min(PIECE, length - at));
  }
}

function readAt(file: Deno.FsFile, from: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  file.seekSync(from, Deno.SeekMode.Start);
  for (let at = 0; at < length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) throw new WheelError("Cannot read a wheel: it became shorter");
    at += count;
  }
  return bytes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function broken(path: string): WheelError {
  return new WheelError(`Cannot read ${path}: it is not a whole wheel`);
}
