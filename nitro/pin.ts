/**
 * What Debian's archive holds now, for a pin that it no longer serves.
 *
 * @module
 */
import { run } from "./command.ts";
import { fetchPin, sha256Of } from "./fetch.ts";
import type { Lock, Pin } from "./lock.ts";

/** The archive of record keeps every package; the time in its addresses is that of the pin. */
const RECORD = "https://snapshot.debian.org/archive";
/** Its index says which hashes are pinned, so it comes over TLS. */
const INDEX = "https://deb.debian.org";
/** What a pin names: the hash decides what is taken from there. */
const MIRROR = "http://deb.debian.org";

/** Milliseconds for an index, some 9 MB. */
const INDEX_MS = 300_000;

/** Debian's archive does not answer, or not as an archive does. */
export class ArchiveError extends Error {
  /** What is raised. */
  override readonly name = "ArchiveError";
}

/** How the archive is asked. */
export interface ArchiveOptions {
  /** Told of what has moved. */
  readonly progress: (line: string) => void;
  /** Only for tests: the archive's origin, for its index and in the pins. */
  readonly origin?: string;
}

/**
 * `lock` with every Debian package at the newest version of its suite. npm and crates keep theirs.
 *
 * @throws {ArchiveError} where Debian's archive is not to be reached, or has no such package.
 */
export async function newestPins(lock: Lock, options: ArchiveOptions): Promise<Lock> {
  const { progress, origin } = options;
  const indexes = new Map<string, Promise<readonly string[]>>();
  const pins: Record<string, Pin> = {};
  for (const [name, pin] of Object.entries(lock)) {
    const { suite } = pin;
    if (suite === undefined) {
      pins[name] = pin;
      continue;
    }
    if (!indexes.has(suite)) indexes.set(suite, packagesOf(suite, origin ?? INDEX));
    const newest = await newestOf(pin, suite, await indexes.get(suite)!, origin ?? MIRROR);
    if (newest.sha256 !== pin.sha256) {
      progress(`${pin.name}: ${pin.version} → ${newest.version}`);
    }
    pins[name] = newest;
  }
  return pins;
}

/**
 * Check that what `lock` pins can be had and is what it says: for `enclave:pin`.
 *
 * @throws {SourceError} where a source is not to be had.
 */
export async function provePins(lock: Lock, progress: (line: string) => void): Promise<void> {
  for (const pin of Object.values(lock)) {
    const path = await fetchPin(pin, { progress });
    if (await sha256Of(path) !== pin.sha256) {
      throw new Error(`Cannot trust the cache as ${path} was changed: delete it`);
    }
  }
}

/** The stanzas of a suite's packages. */
async function packagesOf(suite: string, origin: string): Promise<readonly string[]> {
  const url = `${origin}/${archiveOf(suite)}/dists/${suite}/main/binary-amd64/Packages.xz`;
  const index = await bytesAt(url).catch((error) => {
    throw new ArchiveError(`Cannot read ${url}: ${error.message}; try again with a network`);
  });
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, index);
    return (await run("xz", ["-dc", "--format=xz", file])).split("\n\n");
  } finally {
    await Deno.remove(file);
  }
}

async function bytesAt(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(INDEX_MS) });
  if (response.ok) return await response.bytes();
  await response.body?.cancel();
  throw new Error(`status ${response.status}`);
}

async function newestOf(
  pin: Pin,
  suite: string,
  stanzas: readonly string[],
  mirror: string,
): Promise<Pin> {
  let newest: Record<string, string> | undefined;
  for (const stanza of stanzas) {
    if (!stanza.startsWith(`Package: ${pin.name}\n`)) continue;
    const fields: Record<string, string> = {};
    for (const line of stanza.split("\n")) {
      const [, name, value] = /^([\w-]+): (.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) fields[name] = value;
    }
    if (newest === undefined || await isNewer(fields.Version!, newest.Version!)) newest = fields;
  }
  if (newest === undefined) throw new ArchiveError(`Cannot find ${pin.name} in ${suite}`);
  const { Version, SHA256, Size, Filename } = newest;
  if ([Version, SHA256, Size, Filename].includes(undefined)) {
    throw new ArchiveError(`Cannot pin ${pin.name} as its entry in ${suite} is not whole`);
  }
  if (SHA256 === pin.sha256) return pin;
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  const archive = archiveOf(suite);
  return {
    ...pin,
    version: Version!,
    sha256: SHA256!,
    size: Number(Size),
    urls: [`${mirror}/${archive}/${Filename}`, `${RECORD}/${archive}/${day}T000000Z/${Filename}`],
  };
}

function archiveOf(suite: string): string {
  return suite.endsWith("-security") ? "debian-security" : "debian";
}

async function isNewer(a: string, b: string): Promise<boolean> {
  return await run("dpkg", ["--compare-versions", a, "gt", b]).then(() => true, () => false);
}
