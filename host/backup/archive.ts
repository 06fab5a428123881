/**
 * The content of a backup: files, each with where it belongs and its hash. Canonical CBOR, strict, and bounded before
 * anything is allocated.
 *
 * @module
 */
import { type Bytes, equal } from "../../enclave/protocol/bytes.ts";
import {
  arrayOf,
  asMap,
  bytesOf,
  bytesUpTo,
  decodeStrict,
  encodeCanonical,
  type Kind,
  mapOf,
  text,
  uint,
} from "../../enclave/protocol/cbor.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { MAX_CONTENT } from "./sealed.ts";

/** Most files of a backup. */
export const MAX_FILES = 4_096;
const MAX_PATH = 512;
const LIMITS = { maxBytes: MAX_CONTENT, maxDepth: 3, maxItems: 16 * MAX_FILES };
const VERSION = 1;

/** Folders that a backup's files belong to: the user's `~/.vramhub`, and a data directory. */
export const PLACES = ["user", "data"] as const;
/** Where a file belongs. */
export type Place = typeof PLACES[number];

/** A file of a backup. */
export interface BackupFile {
  /** The folder it belongs to. */
  readonly place: Place;
  /** Its path there, with `/`. */
  readonly path: string;
  /** What is in it. */
  readonly bytes: Bytes;
}

/** What a backup holds. */
export interface Backup {
  /** When it was made, in milliseconds since 1970. */
  readonly madeMs: number;
  /** Its files. */
  readonly files: readonly BackupFile[];
}

const place: Kind<Place> = (value, field) => {
  const found = PLACES.find((one) => one === value);
  if (found !== undefined) return found;
  throw new Refusal("wrong_kind", `Cannot read '${field}': it is neither user nor data`, field);
};

/** A path that stays below its folder on every system: plain names, no dots alone. */
const path: Kind<string> = (value, field) => {
  const found = text(MAX_PATH, 1)(value, field);
  const plain = found.split("/").every((name) => /^[\w.@+-]+$/.test(name) && !/^\.+$/.test(name));
  if (plain) return found;
  throw new Refusal(
    "bad_path",
    `Cannot read '${field}': ${JSON.stringify(found)} is no path`,
    field,
  );
};

const SHAPE = {
  version: uint(VERSION),
  made_ms: uint(),
  files: arrayOf(
    mapOf({ place, path, sha256: bytesOf(32), bytes: bytesUpTo(MAX_CONTENT) }),
    MAX_FILES,
  ),
};

/** Whether a backup can hold a file at `name`. */
export function isPlainPath(name: string): boolean {
  try {
    return path(name, "path") === name;
  } catch {
    return false;
  }
}

/** `backup` as bytes. */
export function encodeBackup({ files, madeMs }: Backup): Bytes {
  return encodeCanonical({
    version: VERSION,
    made_ms: madeMs,
    files: files.map((file) => ({ ...file, sha256: sha256(file.bytes) })),
  });
}

/**
 * What {@linkcode encodeBackup} encoded.
 *
 * @throws {Refusal} where it is anything else, `wrong_hash` where a file is not what its hash says, `duplicate_path`.
 */
export function decodeBackup(bytes: Uint8Array): Backup {
  const { files, made_ms } = asMap(decodeStrict(bytes, LIMITS), SHAPE);
  const seen = new Set<string>();
  for (const { bytes, path, place, sha256: hash } of files) {
    if (!equal(sha256(bytes), hash)) {
      throw new Refusal("wrong_hash", `Cannot restore ${path}: its bytes have another hash`, path);
    }
    if (seen.has(`${place}/${path}`)) {
      throw new Refusal("duplicate_path", `Cannot restore ${path}: it is there twice`, path);
    }
    seen.add(`${place}/${path}`);
  }
  return {
    madeMs: made_ms,
    files: files.map(({ bytes, path, place }) => ({ place, path, bytes })),
  };
}
