/**
 * Reads archives strictly: only what `write.ts` writes, so that nothing can hide in an owner, a time, a gap or an
 * order, and every archive that is read is the one of its entries. Contents are ranges of the source.
 *
 * @module
 */
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { type Content, part, type Source, sourceOf } from "../source.ts";
import {
  BLOCK_BYTES,
  type CpioEntry,
  HEADER_BYTES,
  LINK_MODE,
  MAGIC,
  MAX_ARCHIVE_BYTES,
  MAX_ENTRIES,
  MAX_PATH,
  misplaced,
  padding,
  problemOf,
  TRAILER,
  TYPE_BITS,
} from "./entry.ts";

/** An entry whose content, where it is a file, is a range of the archive. */
export type ReadEntry =
  | Exclude<CpioEntry, { kind: "file" }>
  | (Extract<CpioEntry, { kind: "file" }> & { readonly content: Source });

/** The fields of a header that are not zero in all. */
interface Header {
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  readonly nameSize: number;
}

/** Permissions and the sticky bit. */
const MODE_BITS = 0o7777;

/**
 * The entries of an archive, in the order of their paths.
 *
 * @throws {Refusal} `too_large`, `truncated`, `not_a_cpio`, `bad_header` (a field that is not as `write.ts` writes
 *   it), `bad_entry` (a path, mode, target or device that no entry may have, out of order, twice, or without its
 *   directory), `bad_padding`, `too_many_entries`, `trailing_bytes`. `field` is the entry's path, where it is known.
 */
export function readCpio(content: Content): ReadEntry[] {
  const archive = sourceOf(content);
  if (archive.size > MAX_ARCHIVE_BYTES) {
    throw refuse("too_large", "archive", `${archive.size} bytes are more than it may have`);
  }
  const entries: ReadEntry[] = [];
  const kinds = new Map<string, CpioEntry["kind"]>();
  let at = 0;
  for (;;) {
    const header = headerAt(archive, at);
    const path = pathAt(archive, at + HEADER_BYTES, header.nameSize);
    at += HEADER_BYTES + header.nameSize;
    at = zeroes(archive, at, padding(at, 4), path);
    if (path === TRAILER) {
      checkEnd(archive, at, header);
      return entries;
    }
    if (entries.length >= MAX_ENTRIES) {
      throw refuse("too_many_entries", path, `${MAX_ENTRIES} are the most`);
    }
    if (at + header.size > archive.size) throw refuse("truncated", path, "its content is cut off");
    const entry = entryOf(path, header, part(archive, at, header.size), entries.length + 1);
    const problem = problemOf(entry) ?? misplaced(entry, entries.at(-1)?.path, kinds);
    if (problem !== undefined) throw refuse("bad_entry", path, problem);
    entries.push(entry);
    kinds.set(path, entry.kind);
    at += header.size;
    at = zeroes(archive, at, padding(at, 4), path);
  }
}

function headerAt(archive: Source, at: number): Header {
  const where = `byte ${at}`;
  if (at + HEADER_BYTES > archive.size) throw refuse("truncated", where, "no trailer was found");
  const text = ascii(archive.read(at, HEADER_BYTES));
  if (!text.startsWith(MAGIC)) {
    throw refuse("not_a_cpio", where, `no entry begins there with ${MAGIC}`);
  }
  // Lower-case digits are as good for Linux, but then one archive could be written in two ways.
  const digits = /^[0-9A-F]+$/.test(text) ? text.slice(MAGIC.length).match(/.{8}/g)! : [];
  if (digits.length !== 13) throw refuse("bad_header", where, "a digit is not upper-case hex");
  const field = (index: number) => parseInt(digits[index]!, 16);
  // The owner and his group, the time, the device that the file was on, the sum.
  if ([2, 3, 5, 7, 8, 12].some((index) => field(index) !== 0)) {
    throw refuse("bad_header", where, "an owner, a time, a device or a sum is not zero");
  }
  return {
    ino: field(0),
    mode: field(1),
    nlink: field(4),
    size: field(6),
    major: field(9),
    minor: field(10),
    nameSize: field(11),
  };
}

function pathAt(archive: Source, at: number, nameSize: number): string {
  const where = `byte ${at}`;
  if (nameSize < 2 || nameSize > MAX_PATH + 1) {
    throw refuse("bad_header", where, `a path of ${nameSize} bytes is not 2 to ${MAX_PATH + 1}`);
  }
  if (at + nameSize > archive.size) throw refuse("truncated", where, "a path is cut off");
  const text = ascii(archive.read(at, nameSize));
  if (text.indexOf("\0") !== nameSize - 1) {
    throw refuse("bad_header", where, "a path does not end with its only NUL");
  }
  return text.slice(0, -1);
}

function entryOf(path: string, header: Header, content: Source, ino: number): ReadEntry {
  const { major, minor, size } = header;
  const mode = header.mode & MODE_BITS;
  const kind = (Object.keys(TYPE_BITS) as CpioEntry["kind"][])
    .find((kind) => TYPE_BITS[kind] === (header.mode & ~MODE_BITS));
  if (kind === undefined) throw refuse("bad_entry", path, "it is of a type that is not written");
  const right = header.ino === ino && header.nlink === (kind === "directory" ? 2 : 1) &&
    (kind === "device" || (major === 0 && minor === 0)) &&
    (kind === "file" || kind === "link" || size === 0) &&
    (kind !== "link" || mode === LINK_MODE);
  if (!right) throw refuse("bad_header", path, "a field is not as an entry of its kind has it");
  switch (kind) {
    case "file":
      return { kind, path, mode, content };
    case "directory":
      return { kind, path, mode };
    case "device":
      return { kind, path, mode, major, minor };
    case "link":
      if (size > MAX_PATH) throw refuse("bad_entry", path, "its target is too long");
      return { kind, path, target: ascii(content.read(0, size)) };
  }
}

function checkEnd(archive: Source, at: number, header: Header): void {
  const { ino, mode, nlink, size, major, minor } = header;
  if (ino !== 0 || mode !== 0 || nlink !== 1 || size !== 0 || major !== 0 || minor !== 0) {
    throw refuse("bad_header", TRAILER, "a field is not as the trailer has it");
  }
  const end = zeroes(archive, at, padding(at, BLOCK_BYTES), TRAILER);
  if (end !== archive.size) {
    throw refuse("trailing_bytes", "archive", `${archive.size - end} bytes are behind its end`);
  }
}

/** Where the zeroes end. */
function zeroes(archive: Source, at: number, count: number, path: string): number {
  if (at + count > archive.size) throw refuse("truncated", path, "its padding is cut off");
  if (archive.read(at, count).some((byte) => byte !== 0)) {
    throw refuse("bad_padding", path, "what is filled up with zeroes has other bytes");
  }
  return at + count;
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function refuse(code: string, field: string, problem: string): Refusal {
  return new Refusal(
    code,
    `Cannot read an archive: ${JSON.stringify(field)}: ${problem}`,
    field,
  );
}
