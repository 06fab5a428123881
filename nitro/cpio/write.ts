/**
 * Writes archives of which there is one for each set of entries: no times, owners or inode numbers of the machine.
 *
 * @module
 */
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { chunks, type Content, sourceOf } from "../source.ts";
import {
  BLOCK_BYTES,
  type CpioEntry,
  HEADER_BYTES,
  LINK_MODE,
  MAGIC,
  MAX_ARCHIVE_BYTES,
  MAX_ENTRIES,
  misplaced,
  padding,
  parentOf,
  problemOf,
  TRAILER,
  TYPE_BITS,
} from "./entry.ts";

/** Mode of the directories that {@linkcode withDirectories} adds. */
const DIRECTORY_MODE = 0o755;

/** The fields of a header that are not the same in all. */
interface Fields {
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
}

/**
 * The bytes of an archive of `entries`, which may come in any order: write each piece before you take the next.
 *
 * @throws {RangeError} where an entry's path, mode, target or numbers are wrong, two have the same path, a directory
 *   that one lies in is not among them (see {@linkcode withDirectories}), or the archive would be too large.
 */
export function* encodeCpio(entries: Iterable<CpioEntry>): Generator<Uint8Array> {
  const sorted = checked(entries);
  let written = 0;
  for (const [i, entry] of sorted.entries()) {
    const { fields, content } = layout(entry, i + 1);
    for (const piece of record(entry.path, fields, content)) {
      yield piece;
      written += piece.length;
    }
  }
  const last = { ino: 0, mode: 0, nlink: 1, size: 0, major: 0, minor: 0 };
  for (const piece of record(TRAILER, last, new Uint8Array())) {
    yield piece;
    written += piece.length;
  }
  yield new Uint8Array(padding(written, BLOCK_BYTES));
}

/** How many bytes the archive of `entries` has. Throws as {@linkcode encodeCpio}. */
export function cpioSize(entries: Iterable<CpioEntry>): number {
  return sizeOf(checked(entries));
}

/** `entries`, and the directories that they lie in where those are not among them, mode 0755. */
export function withDirectories(entries: Iterable<CpioEntry>): CpioEntry[] {
  const all = [...entries];
  const known = new Set(all.map(({ path }) => path));
  const added: CpioEntry[] = [];
  for (const { path } of all) {
    for (let dir = parentOf(path); dir !== undefined && !known.has(dir); dir = parentOf(dir)) {
      known.add(dir);
      added.push({ kind: "directory", path: dir, mode: DIRECTORY_MODE });
    }
  }
  return [...all, ...added];
}

function checked(entries: Iterable<CpioEntry>): CpioEntry[] {
  // All paths are ASCII, which the next loop checks: the order of their units is that of their bytes.
  const sorted = [...entries].sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
  if (sorted.length > MAX_ENTRIES) {
    throw new RangeError(`Cannot archive ${sorted.length} entries: ${MAX_ENTRIES} are the most`);
  }
  const kinds = new Map<string, CpioEntry["kind"]>();
  let previous: string | undefined;
  for (const entry of sorted) {
    const problem = problemOf(entry) ?? misplaced(entry, previous, kinds);
    if (problem !== undefined) {
      throw new RangeError(`Cannot archive ${JSON.stringify(entry.path)}: ${problem}`);
    }
    kinds.set(entry.path, entry.kind);
    previous = entry.path;
  }
  if (sizeOf(sorted) > MAX_ARCHIVE_BYTES) {
    throw new RangeError(`Cannot archive more than ${MAX_ARCHIVE_BYTES} bytes`);
  }
  return sorted;
}

function sizeOf(sorted: readonly CpioEntry[]): number {
  let size = 0;
  const add = (path: string, content: number) => {
    size += HEADER_BYTES + path.length + 1;
    size += padding(size, 4) + content;
    size += padding(size, 4);
  };
  for (const entry of sorted) add(entry.path, layout(entry, 0).fields.size);
  add(TRAILER, 0);
  return size + padding(size, BLOCK_BYTES);
}

function layout(entry: CpioEntry, ino: number): { fields: Fields; content: Content } {
  const content: Content = entry.kind === "file"
    ? entry.content
    : entry.kind === "link"
    ? utf8(entry.target)
    : new Uint8Array();
  const device = entry.kind === "device";
  const fields = {
    ino,
    mode: TYPE_BITS[entry.kind] | (entry.kind === "link" ? LINK_MODE : entry.mode),
    nlink: entry.kind === "directory" ? 2 : 1,
    size: sourceOf(content).size,
    major: device ? entry.major : 0,
    minor: device ? entry.minor : 0,
  };
  return { fields, content };
}

function* record(path: string, fields: Fields, content: Content): Generator<Uint8Array> {
  const { ino, mode, nlink, size, major, minor } = fields;
  const values = [ino, mode, 0, 0, nlink, 0, size, 0, 0, major, minor, path.length + 1, 0];
  const digits = values.map((value) => value.toString(16).toUpperCase().padStart(8, "0"));
  const head = utf8(`${MAGIC}${digits.join("")}${path}\0`);
  const padded = new Uint8Array(head.length + padding(head.length, 4));
  padded.set(head);
  yield padded;
  yield* chunks(content);
  const rest = padding(size, 4);
  if (rest > 0) yield new Uint8Array(rest);
}
