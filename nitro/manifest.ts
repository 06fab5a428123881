/**
 * The hash manifest of a ramdisk: what must be there for PID 1 to go on. With too little memory Linux prints
 * "Initramfs unpacking failed" and boots on with a truncated tree, so that PID 1 checks it before anything else.
 *
 * A text, printable ASCII, lines ending in a newline, in the order of the paths:
 *
 * ```
 * vramhub/manifest/v1 2
 * file 0755 95617024 <SHA-256, 64 hexadecimal digits> bin/deno
 * link 0777 9 <SHA-256 of the target> proc/self/exe
 * ```
 *
 * The number behind the tag is that of the lines below, so that a truncated manifest is refused. Directories and
 * devices hold nothing and are not listed, nor is the manifest itself.
 *
 * @module
 */
import { equal, fromHex, toHex, utf8 } from "../enclave/protocol/bytes.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { type CpioEntry, LINK_MODE, MAX_ENTRIES, problemOf } from "./cpio/entry.ts";
import { digest } from "./digest.ts";
import { type Content, sourceOf, wholeOf } from "./source.ts";

/** The directory of a ramdisk's manifest: there is one file in it, named as the ramdisk. */
export const MANIFEST_DIRECTORY = "manifest";
/** Most bytes of a manifest. */
export const MAX_MANIFEST_BYTES = 16_777_216;

const TAG = "vramhub/manifest/v1";
const LINE = /^(file|link) (0[0-7]{3}) (0|[1-9][0-9]{0,9}) ([0-9a-f]{64}) (.+)$/;

/** A file or a symbolic link that must be there. */
export interface ManifestEntry {
  /** What it is. */
  readonly kind: "file" | "link";
  /** Its permissions; 0o777 for links. */
  readonly mode: number;
  /** Bytes of the file, or of the link's target. */
  readonly size: number;
  /** SHA-256 of the same. */
  readonly sha256: Uint8Array;
  /** As in the archive, without a leading slash. */
  readonly path: string;
}

/** What lies at a path where a manifest is checked. */
export interface Found {
  /** What it is. */
  readonly kind: "file" | "link" | "other";
  /** Its permissions; of links it is not looked at. */
  readonly mode: number;
  /** Bytes of the file, or of the link's target. */
  readonly size: number;
  /** SHA-256 of the same. Only called where kind, mode and size are right. */
  sha256(): Uint8Array;
}

/** What is wrong with one path. */
export interface ManifestProblem {
  /** The path. */
  readonly path: string;
  /** `missing`; or what differs; or `unlisted`, which is there and not in the manifest. */
  readonly problem: "missing" | "kind" | "mode" | "size" | "sha256" | "unlisted";
}

/** The manifest's entries of an archive's `entries`. */
export function manifestEntries(entries: Iterable<CpioEntry>): ManifestEntry[] {
  const found: ManifestEntry[] = [];
  for (const entry of entries) {
    if (entry.kind !== "file" && entry.kind !== "link") continue;
    const content = entry.kind === "file" ? entry.content : utf8(entry.target);
    found.push({
      kind: entry.kind,
      mode: entry.kind === "file" ? entry.mode : LINK_MODE,
      size: sourceOf(content).size,
      sha256: digest("sha256", content),
      path: entry.path,
    });
  }
  return found;
}

/**
 * The manifest of `entries`, which may come in any order.
 *
 * @throws {RangeError} where a path is none of an archive, or twice.
 */
export function encodeManifest(entries: Iterable<ManifestEntry>): Uint8Array<ArrayBuffer> {
  const sorted = [...entries].sort((a, b) => a.path < b.path ? -1 : 1);
  const lines = sorted.map(({ kind, mode, size, sha256, path }) =>
    `${kind} ${mode.toString(8).padStart(4, "0")} ${size} ${toHex(sha256)} ${path}\n`
  );
  const bytes = utf8(`${TAG} ${lines.length}\n${lines.join("")}`);
  try {
    parseManifest(bytes);
  } catch (error) {
    throw new RangeError(`Cannot write a manifest: ${(error as Error).message}`);
  }
  return bytes;
}

/**
 * Read a manifest.
 *
 * @throws {Refusal} `too_large` or `bad_manifest`, naming the line.
 */
export function parseManifest(content: Content): ManifestEntry[] {
  const bytes = wholeOf(content, MAX_MANIFEST_BYTES, "manifest");
  if (bytes.some((byte) => byte !== 0x0a && (byte < 0x20 || byte > 0x7e))) {
    throw bad(0, "it is not printable ASCII");
  }
  const lines = new TextDecoder().decode(bytes).split("\n");
  // What ends in a newline ends, split, in nothing.
  if (lines.pop() !== "") throw bad(lines.length + 1, "the last line does not end");
  const [head, ...rest] = lines;
  if (rest.length > MAX_ENTRIES || head !== `${TAG} ${rest.length}`) {
    throw bad(1, `it is not '${TAG}' and the number of lines below`);
  }
  const entries: ManifestEntry[] = [];
  for (const [i, line] of rest.entries()) {
    const number = i + 2;
    const [, kind, mode, size, sha256, path] = LINE.exec(line) ?? [];
    if (path === undefined) throw bad(number, "it is not kind, mode, size, SHA-256 and path");
    const problem = problemOf({ kind: "directory", path, mode: 0 });
    if (problem !== undefined) throw bad(number, problem);
    if (i > 0 && path <= entries[i - 1]!.path) throw bad(number, "it is out of order or twice");
    if (kind === "link" && parseInt(mode!, 8) !== LINK_MODE) throw bad(number, "a link is 0777");
    entries.push({
      kind: kind as ManifestEntry["kind"],
      mode: parseInt(mode!, 8),
      size: Number(size),
      sha256: fromHex(sha256!),
      path,
    });
  }
  return entries;
}

/**
 * Hold what `look` finds at each listed path against the manifest: the problems, none where all is whole. A
 * content is hashed only where kind, mode and size are right.
 */
export function checkManifest(
  manifest: Iterable<ManifestEntry>,
  look: (path: string) => Found | undefined,
): ManifestProblem[] {
  const problems: ManifestProblem[] = [];
  for (const entry of manifest) {
    const problem = problemAt(entry, look(entry.path));
    if (problem !== undefined) problems.push({ path: entry.path, problem });
  }
  return problems;
}

function problemAt(
  entry: ManifestEntry,
  found: Found | undefined,
): ManifestProblem["problem"] | undefined {
  if (found === undefined) return "missing";
  if (found.kind !== entry.kind) return "kind";
  if (found.kind === "file" && found.mode !== entry.mode) return "mode";
  if (found.size !== entry.size) return "size";
  return equal(found.sha256(), entry.sha256) ? undefined : "sha256";
}

function bad(line: number, problem: string): Refusal {
  const where = line === 0 ? "" : ` line ${line}:`;
  return new Refusal("bad_manifest", `Cannot read a manifest:${where} ${problem}`, "manifest");
}
