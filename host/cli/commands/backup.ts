/**
 * `backup` and `restore`: what an operator cannot have again, in one sealed file.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { argument, option } from "@optique/core/primitives";
import { path } from "@optique/run";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { type Backup, type BackupFile, decodeBackup, encodeBackup } from "../../backup/archive.ts";
import { collect, type Folders, holdStill, kindOf } from "../../backup/collect.ts";
import { lookAt, writeWhole } from "../../backup/files.ts";
import { type Fate, putBack } from "../../backup/put_back.ts";
import { MAX_SEALED, open, seal } from "../../backup/sealed.ts";
import { ConfigError } from "../../config/mod.ts";
import { readInput } from "../audit/input.ts";
import { moment } from "../present/record.ts";
import type { Paint } from "../present/style.ts";
import { type Column, table } from "../present/table.ts";
import { type Context, defineCommand, type Entry } from "./command.ts";
import { passphrase, passphraseFile } from "./passphrase.ts";

const file = argument(path({ metavar: "FILE" }), { description: message`The backup.` });

function foldersOf({ config, surroundings: { home } }: Context, what: string): Folders {
  const data = config.require("DATA_DIR", what, "--data-dir DIR");
  return { user: home === undefined ? undefined : `${home}/.vramhub`, data };
}

/** A file as it may be shown: never what is in it. */
interface Shown {
  readonly place: string;
  readonly path: string;
  readonly kind: string;
  readonly bytes: number;
  readonly fate?: Fate;
}

function shown(file: BackupFile, fate?: Fate): Shown {
  const { bytes, path, place } = file;
  const kind = kindOf(file) ?? "unknown";
  return { place, path, kind, bytes: bytes.length, ...(fate === undefined ? {} : { fate }) };
}

function lines(rows: readonly Shown[], width: number, paint: Paint): string[] {
  const columns: Column<Shown>[] = [
    { name: "kind", rank: 1, align: "left", text: ({ kind }) => kind },
    { name: "bytes", rank: 2, align: "right", text: ({ bytes }) => String(bytes) },
    {
      name: "file",
      rank: 0,
      align: "left",
      text: ({ path, place }) => place === "user" ? `~/.vramhub/${path}` : path,
    },
  ];
  const fate: Column<Shown> = { name: "", rank: 0, align: "left", text: ({ fate }) => fate ?? "" };
  const isRestored = rows.some(({ fate }) => fate !== undefined);
  return table(isRestored ? [fate, ...columns] : columns, rows, width, paint);
}

/** Back up. */
export const backup: Entry = defineCommand(
  "backup",
  message`Keys, settings, journals and uids in one file that a passphrase opens; not the ledger, the store or the data set.`,
  ["of a data directory", "backup vramhub.backup --data-dir ./miner"],
  object({
    file,
    passphraseFile,
    force: option("--force", { description: message`Replace the file where it is there.` }),
  }),
  async (context, args) => {
    const folders = foldersOf(context, "back up");
    if (lookAt(args.file) !== undefined && !args.force) {
      throw new ConfigError(
        "bad_value",
        `Cannot write ${args.file}: it is there; --force replaces it`,
      );
    }
    using _still = holdStill(folders.data);
    const files = collect(folders);
    if (files.length === 0) {
      throw new ConfigError(
        "bad_value",
        `Cannot back up ${folders.data}: it has no key and no journal`,
      );
    }
    const secret = await passphrase(args.passphraseFile, true, context.signal);
    context.progress("Deriving a key from the passphrase");
    const content = encodeBackup({ madeMs: context.clock.now(), files });
    writeWhole(args.file, await seal(content, secret));
    const rows = files.map((one) => shown(one));
    return {
      json: { file: args.file, files: rows },
      text: (paint, width) => [
        ...lines(rows, width, paint),
        "",
        `${files.length} files in ${args.file}. Nobody opens it without the passphrase, you neither.`,
      ],
    };
  },
);

async function read(name: string, secret: string): Promise<Backup> {
  return decodeBackup(await open(await readInput(name, { maxBytes: MAX_SEALED }), secret));
}

/** Restore. */
export const restore: Entry = defineCommand(
  "restore",
  message`Put back what a backup holds, or list it. Stop every party of the data directory first.`,
  ["what it holds", "restore vramhub.backup --list"],
  object({
    file,
    passphraseFile,
    list: option("--list", { description: message`Only say what it holds.` }),
    force: option("--force", {
      description: message`Replace files that differ from the backup's.`,
    }),
  }),
  async (context, args) => {
    const folders = args.list ? undefined : foldersOf(context, "restore");
    using _still = folders === undefined ? undefined : holdStill(folders.data);
    const secret = await passphrase(args.passphraseFile, false, context.signal);
    context.progress("Deriving a key from the passphrase");
    const held = await read(args.file, secret);
    if (held.files.length === 0) {
      throw new Refusal("empty", `Cannot restore ${args.file}: it is empty`);
    }
    const rows = folders === undefined
      ? held.files.map((one) => shown(one))
      : putBack(held, folders, args.force).map(({ fate, file }) => shown(file, fate));
    return {
      json: { file: args.file, madeMs: held.madeMs, files: rows },
      text: (paint, width) => [
        `made ${moment(held.madeMs)}`,
        "",
        ...lines(rows, width, paint),
      ],
    };
  },
);
