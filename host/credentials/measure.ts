/**
 * SIMULATED measurements of the local judge: digests that stand where an image's PCRs stand, so that
 * approving a measurement means something in `--test-mode` as well. The host computes them about a process
 * that the host starts: unlike real PCRs they bind nobody who controls the host.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import { type Bytes, compare, u64le, utf8 } from "../../enclave/protocol/bytes.ts";

/** What runs the judge. */
export interface RuntimeIdentity {
  /** The executable's path; default: the one that runs this. */
  readonly executable?: string;
  /** Versions by name; default: `Deno.version`. */
  readonly versions?: Readonly<Record<string, string>>;
}

/** PCR0, PCR1 and PCR2 of a simulated judge: 48 bytes each. */
export type SimulatedPcrs = [Bytes, Bytes, Bytes];

/** Largest source that is measured, in bytes: whoever can write `enclave/` cannot exhaust the host. */
const MAX_SOURCE_BYTES = 1_048_576;
const MAX_SOURCES = 4_096;

/**
 * Measure the judge whose sources lie in `enclaveDir`:
 *
 * - PCR1 = SHA-384 over the tag, the runtime's versions (sorted by name) and the executable's SHA-384;
 * - PCR2 = SHA-384 over the tag and every `*.ts` file below `enclaveDir` but tests and benches, sorted by path
 *   (bytewise, `/` between names): path and content, each after its length as u64le;
 * - PCR0 = SHA-384 over the tag, PCR1 and PCR2.
 *
 * Packages from the registry are not in PCR2: the lock file pins them.
 *
 * @throws {TypeError} where `enclaveDir` holds no source, a symbolic link, or more than can be measured.
 */
export async function measureSimulated(
  enclaveDir: string,
  runtime: RuntimeIdentity = {},
): Promise<SimulatedPcrs> {
  const pcr1 = await measureRuntime(runtime);
  const pcr2 = await measureSources(enclaveDir);
  const pcr0 = start("vramhub/simulated-pcr0/v1").update(pcr1).update(pcr2);
  return [finish(pcr0), pcr1, pcr2];
}

async function measureRuntime(runtime: RuntimeIdentity): Promise<Bytes> {
  const hash = start("vramhub/simulated-pcr1/v1");
  const versions = Object.entries(runtime.versions ?? Deno.version);
  versions.sort(([a], [b]) => compare(utf8(a), utf8(b)));
  for (const [name, version] of versions) {
    prefixed(hash, utf8(name));
    prefixed(hash, utf8(version));
  }
  const executable = createHash("sha384");
  using file = await Deno.open(runtime.executable ?? Deno.execPath());
  const chunk = new Uint8Array(1_048_576); // the executable has more than 100 MB
  for (let n = await file.read(chunk); n !== null; n = await file.read(chunk)) {
    executable.update(chunk.subarray(0, n));
  }
  return finish(hash.update(finish(executable)));
}

async function measureSources(dir: string): Promise<Bytes> {
  const sources: { path: string; order: Bytes }[] = [];
  for await (const path of walk(dir, "")) {
    if (sources.length >= MAX_SOURCES) {
      throw new TypeError(`Cannot measure '${dir}' as it holds more than ${MAX_SOURCES} sources`);
    }
    sources.push({ path, order: utf8(path) });
  }
  if (sources.length === 0) throw new TypeError(`Cannot measure '${dir}' as it holds no source`);
  sources.sort((a, b) => compare(a.order, b.order));
  const hash = start("vramhub/simulated-pcr2/v1");
  for (const { path, order } of sources) {
    prefixed(hash, order);
    prefixed(hash, await readSource(join(dir, path)));
  }
  return finish(hash);
}

/** Relative paths of the measured sources. */
async function* walk(root: string, below: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(join(root, below))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isSymlink) {
      throw new TypeError(`Cannot measure '${path}' as it is a symbolic link`);
    }
    if (entry.isDirectory) yield* walk(root, path);
    else if (/\.ts$/.test(path) && !/_(test|bench)\.ts$/.test(path)) yield path;
  }
}

async function readSource(path: string): Promise<Bytes> {
  const { size } = await Deno.lstat(path);
  if (size > MAX_SOURCE_BYTES) {
    throw new TypeError(`Cannot measure '${path}' as it is more than ${MAX_SOURCE_BYTES} bytes`);
  }
  return await Deno.readFile(path);
}

function start(tag: string): Hash {
  return createHash("sha384").update(tag);
}

function finish(hash: Hash): Bytes {
  return new Uint8Array(hash.digest());
}

/** Length-prefixed, so that no two lists of parts have the same bytes. */
function prefixed(hash: Hash, bytes: Uint8Array): void {
  hash.update(u64le(bytes.length)).update(bytes);
}
