/**
 * What is inside a ramdisk: its entries with their hashes, and whether its manifest says the same.
 *
 * @module
 */
import { fromHex, toHex, utf8 } from "../enclave/protocol/bytes.ts";
import { type CpioEntry, readCpio, type ReadEntry } from "./cpio/mod.ts";
import { LINK_MODE } from "./cpio/entry.ts";
import { digest } from "./digest.ts";
import {
  checkManifest,
  MANIFEST_DIRECTORY,
  type ManifestProblem,
  parseManifest,
} from "./manifest.ts";
import { type Content, type Source, sourceOf } from "./source.ts";

/** One entry of a ramdisk. */
export interface Inside {
  /** What it is. */
  readonly kind: CpioEntry["kind"];
  /** Relative to the root, without a leading slash. */
  readonly path: string;
  /** Permissions. */
  readonly mode: number;
  /** Bytes of a file or of a link's target; 0 of anything else. */
  readonly size: number;
  /** SHA-256 of the same, lower-case hexadecimal; of a directory or device that of nothing. */
  readonly sha256: string;
  /** Where a link points to, or `major:minor` of a device. */
  readonly target?: string;
}

/** A ramdisk's manifest, held against what is there. */
export interface ManifestCheck {
  /** The manifest; undefined where there is none, or more than one. */
  readonly path: string | undefined;
  /** What does not agree. */
  readonly problems: readonly ManifestProblem[];
}

/** What is inside a ramdisk. */
export interface Contents {
  /** Every entry, in the order of their paths. */
  readonly entries: readonly Inside[];
  /** Its manifest. */
  readonly manifest: ManifestCheck;
}

/**
 * Look into a ramdisk. Every file is hashed, once.
 *
 * @throws {Refusal} as `readCpio` and `parseManifest`.
 */
export function contentsOf(ramdisk: Content): Contents {
  const read = readCpio(ramdisk);
  const entries = read.map(inside);
  return { entries, manifest: manifestOf(read, entries) };
}

/** The manifests' paths among `entries`: every file right in the manifests' directory. */
export function manifestPaths(entries: Iterable<Pick<Inside, "kind" | "path">>): string[] {
  return [...entries].filter(({ kind, path }) =>
    kind === "file" && path.split("/").length === 2 && path.startsWith(`${MANIFEST_DIRECTORY}/`)
  ).map(({ path }) => path);
}

/**
 * Paths of `ramdisks` that more than one has, directories apart: the kernel unpacks one over the other, so that
 * what one PCR says of such a file need not hold.
 */
export function overlaps(ramdisks: readonly Contents[]): string[] {
  const seen = new Map<string, Inside["kind"]>();
  const found = new Set<string>();
  for (const { entries } of ramdisks) {
    for (const { path, kind } of entries) {
      const before = seen.get(path);
      if (before !== undefined && (before !== "directory" || kind !== "directory")) found.add(path);
      seen.set(path, kind);
    }
  }
  return [...found].sort();
}

function inside(entry: ReadEntry): Inside {
  const content: Content = entry.kind === "file"
    ? entry.content
    : entry.kind === "link"
    ? utf8(entry.target)
    : new Uint8Array();
  const target = entry.kind === "link"
    ? entry.target
    : entry.kind === "device"
    ? `${entry.major}:${entry.minor}`
    : undefined;
  return {
    kind: entry.kind,
    path: entry.path,
    mode: entry.kind === "link" ? LINK_MODE : entry.mode,
    size: sourceOf(content).size,
    sha256: toHex(digest("sha256", content)),
    ...(target === undefined ? {} : { target }),
  };
}

function manifestOf(read: readonly ReadEntry[], entries: readonly Inside[]): ManifestCheck {
  const [path, ...others] = manifestPaths(entries);
  if (path === undefined || others.length > 0) return { path: undefined, problems: [] };
  const manifest = parseManifest(contentAt(read, path));
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const problems = checkManifest(manifest, (path) => {
    const entry = byPath.get(path);
    if (entry === undefined) return undefined;
    const { kind, mode, size, sha256 } = entry;
    const isListed = kind === "file" || kind === "link";
    return {
      kind: isListed ? kind : "other",
      mode,
      size,
      sha256: () => fromHex(sha256),
    };
  });
  const listed = new Set(manifest.map(({ path }) => path));
  for (const entry of entries) {
    const holds = entry.kind === "file" || entry.kind === "link";
    if (holds && entry.path !== path && !listed.has(entry.path)) {
      problems.push({ path: entry.path, problem: "unlisted" });
    }
  }
  return { path, problems };
}

function contentAt(read: readonly ReadEntry[], wanted: string): Source {
  const entry = read.find(({ path }) => path === wanted) as Extract<ReadEntry, { kind: "file" }>;
  return entry.content;
}
