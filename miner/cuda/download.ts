/**
 * Brings a pinned wheel into a folder. The hash decides, not the host; what an interrupted call left is gone on with.
 *
 * @module
 */
import { sha256Of } from "../../nitro/fetch.ts";
import type { Wheel } from "./lock.ts";

/** Attempts, each going on where the last one stopped. */
const ATTEMPTS = 3;
/** Milliseconds without a byte after which an attempt is given up. */
const STALL_MS = 60_000;
/** Bytes between two reports. */
const REPORT_BYTES = 32 << 20;

/** A wheel cannot be had. */
export class DownloadError extends Error {
  /** What is raised. */
  override readonly name = "DownloadError";
}

/** Told how much of a wheel is there. */
export type OnBytes = (wheel: Wheel, bytes: number) => void;

/** The path of `wheel` in `folder`, fetched where it is not there. @throws {DownloadError} where it cannot be had. */
export async function fetchWheel(wheel: Wheel, folder: string, onBytes: OnBytes): Promise<string> {
  const path = `${folder}/${wheel.sha256}.whl`;
  if (await sizeOf(path) === wheel.size) return path;
  await Deno.mkdir(folder, { recursive: true });
  const part = `${path}.part`;
  let problem = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const length = await download(wheel, part, onBytes);
      if (length < wheel.size) {
        throw new TypeError(`it ended after ${length} of ${wheel.size} bytes`);
      }
      if (await sha256Of(part) === wheel.sha256) {
        await Deno.rename(part, path);
        return path;
      }
      await Deno.remove(part);
      problem = "it serves other bytes than those pinned";
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
      if (error instanceof DownloadError) break;
    }
  }
  throw new DownloadError(
    `Cannot have ${wheel.name} ${wheel.version}: ${wheel.url}: ${problem}; ` +
      "what has come is kept, call the command again to go on",
  );
}

/** Append what is missing to `part`: its length then. */
async function download(wheel: Wheel, part: string, onBytes: OnBytes): Promise<number> {
  using file = await Deno.open(part, { write: true, create: true });
  let length = await file.seek(0, Deno.SeekMode.End);
  if (length >= wheel.size) return length;
  const stop = new AbortController();
  let timer = setTimeout(() => stop.abort(new TypeError("nothing came for a minute")), STALL_MS);
  try {
    const headers: HeadersInit = length > 0 ? { range: `bytes=${length}-` } : {};
    const response = await fetch(wheel.url, { headers, signal: stop.signal });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new DownloadError(`status ${response.status}`);
    }
    if (response.status !== 206) {
      length = 0;
      await file.truncate(0);
      await file.seek(0, Deno.SeekMode.Start);
    }
    for await (const piece of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(new TypeError("nothing came for a minute")), STALL_MS);
      const before = length;
      length += piece.length;
      if (length > wheel.size) {
        await file.truncate(0);
        throw new DownloadError(`it serves more than ${wheel.size} bytes`);
      }
      for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
      const reported = Math.floor(before / REPORT_BYTES) !== Math.floor(length / REPORT_BYTES);
      if (reported) onBytes(wheel, length);
    }
    return length;
  } finally {
    clearTimeout(timer);
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
