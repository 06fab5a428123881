/**
 * What a ramdisk is made of, and the one way in which an archive of it is laid out: a "newc" cpio archive
 * (Linux, `Documentation/driver-api/early-userspace/buffer-format.rst`).
 *
 * ```
 * 110 bytes of ASCII: "070701", then 13 fields of 8 upper-case hexadecimal digits
 *   ino (number of the entry, from 1), mode, uid 0, gid 0, nlink (2 for directories, else 1), mtime 0, size,
 *   devmajor 0, devminor 0, rdevmajor, rdevminor, namesize (with the NUL), check 0
 * the path and a NUL, zeroes up to a multiple of 4; the content, zeroes up to a multiple of 4
 * ```
 *
 * Entries are in the order of their paths' bytes, so that a directory comes before what lies in it. Behind the
 * trailer the archive is filled with zeroes up to a multiple of 512: the loader puts ramdisks one behind the other,
 * and the kernel finds an archive only where it begins at a multiple of 4.
 *
 * @module
 */
import { type Content, sourceOf } from "../source.ts";

/** A regular file. */
export interface CpioFile {
  /** Discriminates. */
  readonly kind: "file";
  /** As `bin/deno`: relative to the root, printable ASCII, no empty, `.` or `..` part. */
  readonly path: string;
  /** Permissions, 0 to 0o777. */
  readonly mode: number;
  /** Its bytes, fewer than 2^32. */
  readonly content: Content;
}

/** A directory. */
export interface CpioDirectory {
  /** Discriminates. */
  readonly kind: "directory";
  /** As of a file. */
  readonly path: string;
  /** Permissions, 0 to 0o777, or 0o1777 for one that everybody writes to. */
  readonly mode: number;
}

/** A symbolic link. */
export interface CpioLink {
  /** Discriminates. */
  readonly kind: "link";
  /** As of a file. */
  readonly path: string;
  /** Where it points to, as it stands: 1 to 1,024 printable ASCII characters. */
  readonly target: string;
}

/** A character device, such as `/dev/console` (5, 1). */
export interface CpioDevice {
  /** Discriminates. */
  readonly kind: "device";
  /** As of a file. */
  readonly path: string;
  /** Permissions, 0 to 0o777. */
  readonly mode: number;
  /** Major number, 0 to 4,095. */
  readonly major: number;
  /** Minor number, 0 to 1,048,575. */
  readonly minor: number;
}

/** An entry of an archive. */
export type CpioEntry = CpioFile | CpioDirectory | CpioLink | CpioDevice;

/** Most entries of an archive. */
export const MAX_ENTRIES = 65_536;
/** Most characters of a path, and of a link's target. */
export const MAX_PATH = 1_024;
/** Most bytes of an archive. */
export const MAX_ARCHIVE_BYTES = 2_147_483_648;

/** What a header begins with. */
export const MAGIC = "070701";
/** Bytes of a header: the magic and 13 fields of 8 digits. */
export const HEADER_BYTES = 110;
/** The last entry's name, which no other may have. */
export const TRAILER = "TRAILER!!!";
/** Archives are as long as a multiple of this. */
export const BLOCK_BYTES = 512;
/** The file type bits of a mode (`stat.h`). */
export const TYPE_BITS = { file: 0o100000, directory: 0o040000, link: 0o120000, device: 0o020000 };
/** A link's permissions, which nothing heeds. */
export const LINK_MODE = 0o777;

/** Bytes up to the next multiple of `unit`. */
export function padding(size: number, unit: number): number {
  return (unit - size % unit) % unit;
}

/** What is wrong with `entry` by itself; undefined where nothing is. */
export function problemOf(entry: CpioEntry): string | undefined {
  const { path } = entry;
  if (path.length > MAX_PATH) return `its path has more than ${MAX_PATH} characters`;
  if (!/^[\x20-\x7e]+$/.test(path)) return "its path is not printable ASCII";
  if (path.split("/").some((name) => name === "" || name === "." || name === "..")) {
    return "its path has an empty, . or .. part";
  }
  if (path === TRAILER) return "its path is the trailer's";
  switch (entry.kind) {
    case "link":
      if (entry.target.length > MAX_PATH || !/^[\x20-\x7e]+$/.test(entry.target)) {
        return `its target is not 1 to ${MAX_PATH} printable ASCII characters`;
      }
      return;
    case "file":
      if (sourceOf(entry.content).size >= MAX_ARCHIVE_BYTES) return "it is too large";
      break;
    case "device":
      if (!within(entry.major, 0xfff) || !within(entry.minor, 0xfffff)) {
        return "its numbers are no device's";
      }
      break;
    case "directory":
      if (entry.mode === 0o1777) return;
  }
  return within(entry.mode, 0o777) ? undefined : "its mode has other bits than permissions";
}

/**
 * What is wrong with `entry` behind those of `before`, a map of paths to kinds in order; undefined where nothing is.
 * The kernel creates no parents, so that an entry without its directory would silently be lost.
 */
export function misplaced(
  { path }: CpioEntry,
  previous: string | undefined,
  before: ReadonlyMap<string, CpioEntry["kind"]>,
): string | undefined {
  if (previous !== undefined && path === previous) return "its path is there twice";
  if (previous !== undefined && path < previous) return "it is out of order";
  const parent = parentOf(path);
  if (parent !== undefined && before.get(parent) !== "directory") {
    return "its directory is not in the archive";
  }
  return undefined;
}

/** The directory of `path`; undefined at the root. */
export function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? undefined : path.slice(0, slash);
}

function within(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}
