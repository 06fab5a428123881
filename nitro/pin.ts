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
const MIRROR = "http://deb.debian.org";

/** `lock` with every Debian package at the newest version of its suite. npm and crates keep theirs. */
export async function newestPins(lock: Lock, progress: (line: string) => void): Promise<Lock> {
  const indexes = new Map<string, Promise<readonly string[]>>();
  const pins: Record<string, Pin> = {};
  for (const [name, pin] of Object.entries(lock)) {
    const { suite } = pin;
    if (suite === undefined) {
      pins[name] = pin;
      continue;
    }
    if (!indexes.has(suite)) indexes.set(suite, packagesOf(suite));
    const newest = await newestOf(pin, suite, await indexes.get(suite)!);
    if (newest.sha256 !== pin.sha256) {
      progress(`${pin.name}: ${pin.version} → ${newest.version}`);
    }
    pins[name] = newest;
  }
  return pins;
}

/** Check that what `lock` pins can be had and is what it says: for `enclave:pin`. */
export async function provePins(lock: Lock, progress: (line: string) => void): Promise<void> {
  for (const pin of Object.values(lock)) {
    const path = await fetchPin(pin, { progress });
    if (await sha256Of(path) !== pin.sha256) {
      throw new Error(`Cannot trust the cache as ${path} was changed: delete it`);
    }
  }
}

/** The stanzas of a suite's packages. */
async function packagesOf(suite: string): Promise<readonly string[]> {
  const url = `${MIRROR}/${archiveOf(suite)}/dists/${suite}/main/binary-amd64/Packages.xz`;
  const response = await fetch(url);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`Cannot read ${url}: status ${response.status}`);
  }
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, response.body!);
    return (await run("xz", ["-dc", "--format=xz", file])).split("\n\n");
  } finally {
    await Deno.remove(file);
  }
}

async function newestOf(pin: Pin, suite: string, stanzas: readonly string[]): Promise<Pin> {
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
  if (newest === undefined) throw new Error(`Cannot find ${pin.name} in ${suite}`);
  const { Version, SHA256, Size, Filename } = newest;
  if (SHA256 === pin.sha256) return pin;
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  const archive = archiveOf(suite);
  return {
    ...pin,
    version: Version!,
    sha256: SHA256!,
    size: Number(Size),
    urls: [`${MIRROR}/${archive}/${Filename}`, `${RECORD}/${archive}/${day}T000000Z/${Filename}`],
  };
}

function archiveOf(suite: string): string {
  return suite.endsWith("-security") ? "debian-security" : "debian";
}

async function isNewer(a: string, b: string): Promise<boolean> {
  return await run("dpkg", ["--compare-versions", a, "gt", b]).then(() => true, () => false);
}
