/**
 * What of an operator's folders a backup takes: what cannot be had again. The ledger, the store, data sets, checkpoints,
 * receipts, a miner's residual and the weights of a job that it trains are not of that kind, or are too large.
 *
 * @module
 */
import { type BackupFile, isPlainPath, MAX_FILES } from "./archive.ts";
import { lookAt } from "./files.ts";
import { MAX_CONTENT } from "./sealed.ts";

/** What a file is, for people. */
export type FileKind = "key" | "settings" | "journal" | "slot";

/** Files of `~/.vramhub`. */
const USER: Readonly<Record<string, FileKind>> = {
  ".env": "settings",
  "networks.json": "settings",
};

/** Files of a data directory, by their path in it. */
const DATA: readonly (readonly [RegExp, FileKind])[] = [
  [/(^|\/)keys\/[^/]+$/, "key"],
  [/^wallets\/[^/]+\.address$/, "key"],
  [/(^|\/)[^/]+\.journal$/, "journal"],
  [/(^|\/)journal\/[^/]+\.(jsonl|bin)$/, "journal"],
  [/(^|\/)credentials\.json$/, "journal"],
  [/^job-verdicts-\d+\/\d+\.json$/, "journal"],
  [/(^|\/)\.vramhub-uid$/, "slot"],
  [/^network\.json$/, "settings"],
  [/^ledger\.id$/, "settings"],
];

/** Folders of a data directory that hold nothing of ours to keep, and may be large. */
const SKIPPED = new Set(["store", "dataset", "checkpoints", "receipts"]);
const MAX_DEPTH = 4;

/** What a file of a backup is. */
export function kindOf({ path, place }: Pick<BackupFile, "place" | "path">): FileKind | undefined {
  if (place === "user") return USER[path];
  return DATA.find(([pattern]) => pattern.test(path))?.[1];
}

/** The folders that a backup is made from, or restored to. */
export interface Folders {
  /** `~/.vramhub`, or undefined. */
  readonly user: string | undefined;
  /** A data directory. */
  readonly data: string;
}

/**
 * Every file that a backup takes, in order of its path.
 *
 * @throws {RangeError} where it is too much, or a name is not plain.
 */
export function collect({ data, user }: Folders): BackupFile[] {
  if (!lookAt(data, true)?.isDirectory) {
    throw new RangeError(`Cannot back up ${data}: there is no such folder`);
  }
  const files: BackupFile[] = [];
  let total = 0;
  const take = (place: BackupFile["place"], folder: string, path: string) => {
    if (!isPlainPath(path)) throw new RangeError(`Cannot back up ${folder}/${path}: rename it`);
    const bytes = Deno.readFileSync(`${folder}/${path}`);
    total += bytes.length;
    if (total > MAX_CONTENT || files.length >= MAX_FILES) {
      throw new RangeError(`Cannot back up ${folder}: keys and journals are above 256 MiB`);
    }
    files.push({ place, path, bytes });
  };
  for (const path of user === undefined ? [] : Object.keys(USER)) {
    if (lookAt(`${user}/${path}`, true)?.isFile) take("user", user!, path);
  }
  for (const path of walk(data)) {
    if (kindOf({ place: "data", path }) !== undefined) take("data", data, path);
  }
  return files;
}

/** Paths of the files below `folder`, sorted; links are not followed. */
function walk(folder: string, before = "", depth = 0): string[] {
  const entries = [...Deno.readDirSync(`${folder}/${before}`)];
  return entries.flatMap(({ isDirectory, isFile, name }) => {
    const path = `${before}${name}`;
    if (isFile) return [path];
    const leave = !isDirectory || depth >= MAX_DEPTH || (depth === 0 && SKIPPED.has(name));
    return leave ? [] : walk(folder, `${path}/`, depth + 1);
  }).sort();
}

/**
 * Hold every lock of a data directory's journals and miners, so that none of its parties runs, until it is disposed.
 *
 * @throws {Deno.errors.Busy} where one runs.
 */
export function holdStill(data: string): Disposable {
  const held: Deno.FsFile[] = [];
  const release = () => held.splice(0).forEach((file) => file.close());
  try {
    for (const path of lookAt(data, true)?.isDirectory ? walk(data) : []) {
      if (!/(^|\/)([^/]+\.)?lock$/.test(path)) continue;
      const file = Deno.openSync(`${data}/${path}`, { write: true });
      held.push(file);
      if (!file.tryLockSync(true)) {
        throw new Deno.errors.Busy(
          `Cannot work on ${data} while a party runs in it, which holds ${path}: stop it first`,
        );
      }
    }
  } catch (error) {
    release();
    throw error;
  }
  return { [Symbol.dispose]: release };
}
