/**
 * Signed transactions, kept before they are sent: after a lost connection or a crash the same bytes are sent
 * again, and no other transaction before it is known what became of them.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";

/** A signed transaction. */
export interface Signed {
  /** Base58. */
  readonly digest: string;
  /** Who signed. */
  readonly sender: string;
  /** Hash of what is called with which arguments: the same for the same call with other coins. */
  readonly call: string;
  /** BCS of the transaction. */
  readonly bytes: Bytes;
  /** Sui's serialized signature, base64. */
  readonly signature: string;
  /** The last epoch in which it can be executed. */
  readonly lastEpoch: number;
}

/** An event of an executed transaction. */
export interface ExecutedEvent {
  /** `0x…::module::Name`. */
  readonly eventType: string;
  /** BCS. */
  readonly bcs: Bytes;
}

/** What became of a transaction that was executed and succeeded. */
export interface Executed {
  /** Base58. */
  readonly digest: string;
  /** In order. */
  readonly events: readonly ExecutedEvent[];
}

/** A kept result is for whoever tries again after a failure, not for the same call of another day. */
const KEEP_MS = 3_600_000;

/** The transactions of one sender. */
export class Outbox {
  readonly #db: DatabaseSync;
  readonly #sender: string;

  /** Transactions of `sender` in `db`, which `openStore` made. */
  constructor(db: DatabaseSync, sender: string) {
    this.#db = db;
    this.#sender = sender;
  }

  /** Keep a transaction that is about to be sent. */
  put(signed: Signed): void {
    this.#db.prepare("insert into outbox values (?, ?, ?, ?, ?, ?, 'pending', null, 0)").run(
      signed.digest,
      signed.sender,
      signed.call,
      signed.bytes,
      signed.signature,
      signed.lastEpoch,
    );
  }

  /** Transactions of which it is not known what became of them. */
  pending(): Signed[] {
    return this.#db.prepare(
      "select * from outbox where sender = ? and state = 'pending' order by rowid",
    ).all(this.#sender).map((row) => ({
      digest: row.digest as string,
      sender: row.sender as string,
      call: row.call as string,
      bytes: new Uint8Array(row.bytes as Uint8Array),
      signature: row.signature as string,
      lastEpoch: row.last_epoch as number,
    }));
  }

  /** It was never executed and never will be, or it was and failed: there is nothing to tell its caller later. */
  drop(digest: string): void {
    this.#db.prepare("delete from outbox where digest = ?").run(digest);
  }

  /** It succeeded, and its caller has gone: whoever calls the same again gets this result. */
  keep({ digest, events }: Executed): void {
    const result = JSON.stringify(
      events.map(({ eventType, bcs }) => [eventType, btoa(String.fromCharCode(...bcs))]),
    );
    this.#db.prepare("update outbox set state = 'done', result = ?, kept_ms = ? where digest = ?")
      .run(result, Date.now(), digest);
  }

  /** The kept result of `call`, which is given out once. */
  take(call: string): Executed | null {
    this.#db.prepare("delete from outbox where state = 'done' and kept_ms < ?")
      .run(Date.now() - KEEP_MS);
    const row = this.#db.prepare(
      `select digest, result from outbox where sender = ? and call = ? and state = 'done'
       order by rowid limit 1`,
    ).get(this.#sender, call);
    if (row === undefined) return null;
    this.drop(row.digest as string);
    const events = JSON.parse(row.result as string) as [string, string][];
    return {
      digest: row.digest as string,
      events: events.map(([eventType, text]) => ({
        eventType,
        bcs: Uint8Array.from(atob(text), (char) => char.charCodeAt(0)),
      })),
    };
  }
}
