/**
 * A file to read in pieces, on this machine or behind a URL that serves ranges (RFC 9110, section 14).
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { readBounded } from "../store/bounded.ts";

/** The data cannot be had, or is not what it must be. Names the source. */
export class DataError extends Error {
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  /** An error that `message` describes. */
  constructor(message: string, retryable = false) {
    super(message);
    this.name = "DataError";
    this.retryable = retryable;
  }
}

/** Bytes to be read anywhere. */
export interface SourceBytes extends AsyncDisposable {
  /** As it was named. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** What tells this version of it from another: an ETag, or size and time. */
  readonly version: string;
  /** `length` bytes from `start` on; fewer only at the end. */
  read(start: number, length: number): Promise<Bytes>;
}

/** Times that a piece is asked for before the work stops; it can be resumed. */
const ATTEMPTS = 4;
const CALL_MS = 60_000;

/**
 * Open `name`: a path, or an `http(s)` URL. Redirects are followed: public data sets lie behind them.
 *
 * @throws {DataError}
 */
export function openSource(name: string, signal?: AbortSignal): Promise<SourceBytes> {
  return /^https?:\/\//.test(name) ? openUrl(name, signal) : openFile(name);
}

async function openFile(path: string): Promise<SourceBytes> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (error) {
    throw new DataError(`Cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  }
  const { size, mtime, isFile } = await file.stat();
  if (!isFile) {
    file.close();
    throw new DataError(`Cannot read ${path}: it is not a file`);
  }
  return {
    name: path,
    size,
    version: `${size}-${mtime?.getTime() ?? 0}`,
    async read(start, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - start)));
      await file.seek(start, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) {
        const read = await file.read(bytes.subarray(at));
        if (read === null) throw new DataError(`Cannot read ${path}: it became shorter`);
        at += read;
      }
      return bytes;
    },
    [Symbol.asyncDispose]() {
      file.close();
      return Promise.resolve();
    },
  };
}

async function openUrl(url: string, signal?: AbortSignal): Promise<SourceBytes> {
  let version: string | undefined;
  let size = 0;
  const read = (start: number, length: number): Promise<Bytes> =>
    attempts(url, signal, async () => {
      const response = await fetch(url, {
        headers: { range: `bytes=${start}-${start + length - 1}`, "accept-encoding": "identity" },
        signal: AbortSignal.any([AbortSignal.timeout(CALL_MS), ...(signal ? [signal] : [])]),
      });
      const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
      if (response.status !== 206 || range === null) {
        await response.body?.cancel();
        const passing = response.status >= 500 || response.status === 429;
        throw new DataError(
          response.status === 200
            ? `Cannot read ${url}: its server gives no ranges; download the file and name it instead`
            : `Cannot read ${url}: status ${response.status}`,
          passing,
        );
      }
      const total = Number(range[3]);
      const seen = `${response.headers.get("etag") ?? ""} ${total}`;
      version ??= seen;
      if (seen !== version || Number(range[1]) !== start) {
        await response.body?.cancel();
        throw new DataError(`Cannot read ${url}: it changed while it was read`);
      }
      size = total;
      const wanted = Math.min(length, total - start);
      const bytes = await readBounded(response.body ?? new Blob().stream(), wanted);
      if (bytes.length !== wanted) throw new DataError(`Cannot read ${url}: it was cut off`, true);
      return bytes;
    });
  await read(0, 1);
  return {
    name: url,
    size,
    version: version!,
    read: (start, length) =>
      start >= size
        ? Promise.resolve(new Uint8Array())
        : read(start, Math.min(length, size - start)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function attempts<T>(
  url: string,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof DataError && !error.retryable) throw error;
      if (attempt === ATTEMPTS) {
        const why = error instanceof Error ? error.message : String(error);
        throw error instanceof DataError
          ? error
          : new DataError(`Cannot read ${url}: ${why}`, true);
      }
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt));
    }
  }
}
