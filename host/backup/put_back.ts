/**
 * From a backup to an operator's folders. Everything is looked at before anything is written.
 *
 * @module
 */
import { equal } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { Backup, BackupFile } from "./archive.ts";
import { type Folders, kindOf } from "./collect.ts";
import { lookAt, writeWhole } from "./files.ts";

/** What becomes of a file. */
export type Fate = "written" | "replaced" | "same";

/** A file and what became of it. */
export interface Restored {
  /** The file. */
  readonly file: BackupFile;
  /** What became of it. */
  readonly fate: Fate;
}

/**
 * Write the files of `backup`, mode 0600, in folders of mode 0700. A file that is there already with other bytes is
 * replaced where `force` says so.
 *
 * @throws {Refusal} `would_overwrite` with the files that are in the way; `bad_path` for a file of no kind that a backup
 * takes, and where a link is in the way; `no_home`. Nothing was written then.
 */
export function putBack(backup: Backup, folders: Folders, force: boolean): Restored[] {
  const planned = backup.files.map((file) => plan(file, folders));
  const inTheWay = planned.filter(({ fate }) => fate === "replaced").map(({ target }) => target);
  if (inTheWay.length > 0 && !force) {
    throw new Refusal(
      "would_overwrite",
      `Cannot restore over ${inTheWay.join(", ")}: other bytes are there; --force replaces them`,
    );
  }
  for (const { fate, file, target } of planned) {
    if (fate === "same") continue;
    const folder = target.slice(0, target.lastIndexOf("/"));
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeWhole(target, file.bytes);
  }
  return planned.map(({ fate, file }) => ({ fate, file }));
}

function plan(file: BackupFile, folders: Folders) {
  if (kindOf(file) === undefined) {
    throw new Refusal("bad_path", `Cannot restore ${file.path}: no backup takes such a file`);
  }
  const folder = folders[file.place];
  if (folder === undefined) {
    throw new Refusal("no_home", `Cannot restore ${file.path}: there is no home folder`);
  }
  const names = file.path.split("/");
  for (let i = 1; i <= names.length; i++) {
    const path = `${folder}/${names.slice(0, i).join("/")}`;
    const found = lookAt(path);
    if (found === undefined) break;
    if (i < names.length ? !found.isDirectory : !found.isFile) {
      throw new Refusal("bad_path", `Cannot restore ${path}: a link or something else is there`);
    }
  }
  const target = `${folder}/${file.path}`;
  const there = lookAt(target) === undefined ? undefined : Deno.readFileSync(target);
  const same = there !== undefined && equal(there, file.bytes);
  const fate: Fate = there === undefined ? "written" : same ? "same" : "replaced";
  return { file, target, fate };
}
