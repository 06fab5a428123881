/**
 * One SQLite file of this wallet and network: the log of events, and the signed transactions that were sent.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

const VERSION = 1;
const SCHEMA = `
create table meta (key text primary key, value text not null) strict;
create table events (
  seq integer primary key,
  checkpoint integer not null,
  digest text not null,
  event_index integer not null,
  at_ms integer not null,
  window integer not null,
  kind text not null,
  body text not null,
  unique (digest, event_index)
) strict;
create index events_by_kind on events (kind, seq);
create table documents (key text primary key, document blob not null) strict;
create table outbox (
  digest text primary key,
  sender text not null,
  call text not null,
  bytes blob not null,
  signature text not null,
  last_epoch integer not null,
  state text not null,
  result text,
  kept_ms integer not null
) strict;
`;

/**
 * Open `path` (or `:memory:`), creating the tables where there are none.
 *
 * @throws {TypeError} where the file belongs to another network, or to another version of this program.
 */
export function openStore(path: string, network: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    // Signed bytes must be on the disk before they are sent.
    db.exec("pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full");
    db.exec("begin immediate");
    const version = Number(
      (db.prepare("pragma user_version").get() as { user_version: number }).user_version,
    );
    if (version === 0) {
      db.exec(`${SCHEMA} pragma user_version = ${VERSION}`);
      db.prepare("insert into meta values ('network', ?)").run(network);
    }
    db.exec("commit");
    if (version !== 0 && version !== VERSION) {
      throw new TypeError(`Cannot open ${path}: it has version ${version}, not ${VERSION}`);
    }
    const found = db.prepare("select value from meta where key = 'network'").get()!.value;
    if (found !== network) {
      throw new TypeError(`Cannot open ${path}: it is of network ${found}, not of ${network}`);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
