/**
 * The files of a ramdisk against its manifest. A machine with too little memory unpacks a ramdisk in part and boots
 * on: the manifest is how PID 1 notices. (That it is the right manifest, the PCRs say.)
 *
 * @module
 */
import { createHash } from "node:crypto";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { checkManifest, type Found, parseManifest } from "../manifest.ts";

/** Bytes read at a time. */
const CHUNK = 1 << 20;
/** Problems that are named; the rest is counted. */
const NAMED = 5;

/**
 * Check every file and link that the manifest at `path` lists, under the folder `root`, which ends in a slash.
 *
 * @returns How many were checked.
 * @throws {Error} where the manifest is not whole, or something is missing or another.
 */
export function checkTree(path: string, root = "/"): number {
  const entries = parseManifest(Deno.readFileSync(path));
  const problems = checkManifest(entries, (entry) => look(root + entry));
  if (problems.length > 0 || entries.length === 0) {
    const named = problems.slice(0, NAMED).map(({ path, problem }) => `${path} (${problem})`);
    throw new Error(`${path}: ${problems.length} are not what it says: ${named.join(", ")}`);
  }
  return entries.length;
}

function look(path: string): Found | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const mode = (info.mode ?? 0) & 0o7777;
  if (info.isSymlink) {
    const target = utf8(Deno.readLinkSync(path));
    const hash = createHash("sha256").update(target);
    return { kind: "link", mode, size: target.length, sha256: () => bytes(hash) };
  }
  const kind = info.isFile ? "file" : "other";
  return { kind, mode, size: info.size, sha256: () => hashFile(path) };
}

function hashFile(path: string): Uint8Array {
  const hash = createHash("sha256");
  using file = Deno.openSync(path);
  const chunk = new Uint8Array(CHUNK);
  for (let n = file.readSync(chunk); n !== null; n = file.readSync(chunk)) {
    hash.update(chunk.subarray(0, n));
  }
  return bytes(hash);
}

function bytes(hash: ReturnType<typeof createHash>): Uint8Array {
  return new Uint8Array(hash.digest());
}
