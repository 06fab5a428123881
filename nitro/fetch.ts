/**
 * Brings pinned sources into the cache. The hash decides, not the host.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { cacheRoot, exists } from "./cache.ts";
import type { Pin } from "./lock.ts";

/** Attempts a host gets, each going on where the last one stopped. */
const ATTEMPTS = 3;
/** Milliseconds without a byte after which an attempt is given up. */
const STALL_MS = 60_000;
/** Bytes between two lines of progress. */
const REPORT_BYTES = 32 << 20;

/** A pinned source can no longer be had. */
export class SourceError extends Error {
  /** What is raised. */
  override readonly name = "SourceError";
  /** The source that is missing. */
  readonly pin: Pin;

  /** What is missing, and what to do. */
  constructor(pin: Pin, why: readonly string[]) {
    super(
      `Cannot have ${pin.name} ${pin.version} (SHA-256 ${pin.sha256}):\n${
        why.map((line) => `  ${line}`).join("\n")
      }\nArchives drop superseded packages. Run 'deno task enclave:pin' to pin what they hold now ` +
        "(other PCRs, to be approved anew), or build with --unpinned to try the newest",
    );
    this.pin = pin;
  }
}

/** Settings of {@linkcode fetchPin}. */
export interface FetchOptions {
  /** Told of long downloads. */
  readonly progress?: (line: string) => void;
  /** Only for tests. */
  readonly fetch?: typeof fetch;
}

/**
 * The path of `pin` in the cache, fetched where it is not there.
 *
 * @throws {SourceError} where no origin serves these bytes.
 */
export async function fetchPin(pin: Pin, options: FetchOptions = {}): Promise<string> {
  const folder = `${cacheRoot()}/sources`;
  const path = `${folder}/${pin.sha256}`;
  if (await exists(path)) return path;
  await Deno.mkdir(folder, { recursive: true });
  const draft = `${path}.${crypto.randomUUID()}.part`;
  const why: string[] = [];
  try {
    for (const url of pin.urls) {
      const problem = await fromOrigin(pin, url, draft, options);
      if (problem === undefined) {
        await Deno.rename(draft, path);
        return path;
      }
      why.push(`${url}: ${problem}`);
    }
  } finally {
    await Deno.remove(draft).catch(() => {});
  }
  throw new SourceError(pin, why);
}

/** What is wrong, undefined where `draft` now holds the pinned bytes. */
async function fromOrigin(
  pin: Pin,
  url: string,
  draft: string,
  options: FetchOptions,
): Promise<string | undefined> {
  await Deno.writeFile(draft, new Uint8Array());
  let problem = "nothing came";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const answer = await download(pin, url, draft, options);
      if (answer !== undefined) return answer;
      return await sha256Of(draft) === pin.sha256 ? undefined : "it serves other bytes";
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  return problem;
}

/** Append what is missing. A text where the origin does not have it; throws where trying again may help. */
async function download(
  pin: Pin,
  url: string,
  draft: string,
  options: FetchOptions,
): Promise<string | undefined> {
  using file = await Deno.open(draft, { write: true });
  let length = await file.seek(0, Deno.SeekMode.End);
  const stop = new AbortController();
  let timer = setTimeout(() => stop.abort(), STALL_MS);
  try {
    const response = await (options.fetch ?? fetch)(url, {
      headers: length > 0 ? { range: `bytes=${length}-` } : {},
      signal: stop.signal,
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      return `status ${response.status}`;
    }
    if (length > 0 && response.status !== 206) {
      length = 0;
      await file.truncate(0);
      await file.seek(0, Deno.SeekMode.Start);
    }
    for await (const piece of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(), STALL_MS);
      const before = length;
      length += piece.length;
      if (length > pin.size) return `it serves more than ${pin.size} bytes`;
      for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
      if (Math.floor(before / REPORT_BYTES) !== Math.floor(length / REPORT_BYTES)) {
        options.progress?.(`${pin.name}: ${length >> 20} of ${pin.size >> 20} MiB`);
      }
    }
    if (length < pin.size) throw new Error(`it ended after ${length} of ${pin.size} bytes`);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** SHA-256 of a file, hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const piece = new Uint8Array(1 << 20);
  for (let n = await file.read(piece); n !== null; n = await file.read(piece)) {
    hash.update(piece.subarray(0, n));
  }
  return hash.digest("hex");
}
