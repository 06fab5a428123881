/**
 * Our own log of the package's events: nodes keep two to four weeks of history, receipts and explorers need all
 * of it. Pages of a source are stored with the cursor behind them in one transaction, so that the log goes on
 * where it stopped, holds no event twice, and numbers them without gaps.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { type Epoch, windowAt } from "../../../enclave/protocol/window.ts";
import type { LedgerEvent } from "../ledger.ts";
import { SuiError } from "./errors.ts";
import { decodeEvent } from "./event_decode.ts";

/** Most events of one page that is asked for. */
export const MAX_EVENTS = 1_000;
/** Events of a page that a source is asked for. */
const PAGE = 500;
/** Pages that one call stores at most: the next call goes on. */
const MAX_PAGES = 200;

/** An event with its place. */
export interface SourceEvent {
  /** Number of its checkpoint. */
  readonly checkpoint: number;
  /** Time of the checkpoint, milliseconds. */
  readonly atMs: number;
  /** Base58 digest of its transaction. */
  readonly digest: string;
  /** Its place in the transaction. */
  readonly eventIndex: number;
  /** `0x…::module::Name`. */
  readonly eventType: string;
  /** BCS. */
  readonly bcs: Uint8Array;
}

/** Some events, in the chain's order. */
export interface EventPage {
  /** In order. */
  readonly events: readonly SourceEvent[];
  /** Where the next page begins: behind all of these; null where nothing was scanned. */
  readonly cursor: string | null;
  /** Whether more may follow at once. */
  readonly more: boolean;
}

/** Where events come from. */
export interface EventSource {
  /**
   * Events after `cursor` (from the package's publication on where null), at most `limit`.
   *
   * @throws {SuiError} `truncated` where the answer ended in the middle; `unavailable`.
   */
  page(cursor: string | null, limit: number): Promise<EventPage>;
}

/** The log. */
export class EventIndex {
  readonly #db: DatabaseSync;
  readonly #source: EventSource;
  readonly #typesId: string;
  #running: Promise<void> | null = null;

  /** A log in `db`, which `openStore` made, of the package of `typesId`. */
  constructor(db: DatabaseSync, source: EventSource, typesId: string) {
    this.#db = db;
    this.#source = source;
    this.#typesId = typesId;
  }

  /** Store what has happened since. Calls at the same time share one run. */
  sync(epochs: readonly Epoch[]): Promise<void> {
    this.#running ??= this.#sync(epochs).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #sync(epochs: readonly Epoch[]): Promise<void> {
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const cursor = this.#meta("cursor");
      const page = await this.#source.page(cursor, PAGE);
      if (page.more && (page.cursor === null || page.cursor === cursor)) {
        throw new SuiError(
          "truncated",
          "A page of events ends in the middle: no next page follows",
        );
      }
      this.#store(page, epochs);
      if (!page.more) return;
    }
  }

  #store({ cursor, events }: EventPage, epochs: readonly Epoch[]): void {
    const last = this.#db.prepare(
      "select max(seq) as seq, max(checkpoint) as checkpoint from events",
    )
      .get()!;
    let seq = Number(last.seq ?? 0);
    let checkpoint = Number(last.checkpoint ?? 0);
    const known = this.#db.prepare("select 1 from events where digest = ? and event_index = ?");
    const insert = this.#db.prepare("insert into events values (?, ?, ?, ?, ?, ?, ?, ?)");
    this.#db.exec("begin immediate");
    try {
      for (const event of events) {
        if (known.get(event.digest, event.eventIndex) !== undefined) continue;
        if (event.checkpoint < checkpoint) {
          throw new SuiError(
            "truncated",
            `An event of checkpoint ${event.checkpoint} came after one of ${checkpoint}`,
          );
        }
        checkpoint = event.checkpoint;
        const decoded = decodeEvent(this.#typesId, event);
        if (decoded === null) continue; // of a newer version of the package
        insert.run(
          ++seq,
          event.checkpoint,
          event.digest,
          event.eventIndex,
          event.atMs,
          epochs.length === 0 ? 0 : windowAt(epochs, event.atMs),
          decoded.kind,
          JSON.stringify(decoded.body),
        );
      }
      if (cursor !== null) {
        this.#db.prepare("insert or replace into meta values ('cursor', ?)").run(cursor);
      }
      this.#db.exec("commit");
    } catch (error) {
      this.#db.exec("rollback");
      throw error;
    }
  }

  /** Stored events after `seq`, oldest first. */
  events(after: number, limit: number): LedgerEvent[] {
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_EVENTS) {
      throw new RangeError(`Cannot read events: 'limit' must be 1..${MAX_EVENTS}`);
    }
    return this.#rows("where seq > ? order by seq limit ?", after, limit).map(({ event }) => event);
  }

  /** All stored events of one kind, oldest first, each with its transaction's digest. */
  ofKind(kind: string): { readonly event: LedgerEvent; readonly digest: string }[] {
    return this.#rows("where kind = ? order by seq", kind);
  }

  #rows(where: string, ...values: (string | number)[]) {
    return this.#db.prepare(`select * from events ${where}`).all(...values).map((row) => ({
      event: {
        seq: row.seq as number,
        atMs: row.at_ms as number,
        window: row.window as number,
        kind: row.kind as string,
        body: JSON.parse(row.body as string) as Readonly<Record<string, unknown>>,
      },
      digest: row.digest as string,
    }));
  }

  #meta(key: string): string | null {
    const row = this.#db.prepare("select value from meta where key = ?").get(key);
    return row === undefined ? null : row.value as string;
  }
}
