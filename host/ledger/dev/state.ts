/**
 * What every operation of the dev ledger works on: the open database, the time and window of the call, the
 * coins, and the event log.
 *
 * @module
 */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type Bytes, fromHex, toHex, utf8 } from "../../../enclave/protocol/bytes.ts";
import { decodeDataset } from "../../../enclave/protocol/dataset.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import { tagged } from "../../../enclave/protocol/hash.ts";
import { decodeHparams, type Hparams } from "../../../enclave/protocol/hparams.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import {
  type Deadlines,
  deadlines,
  type Epoch,
  windowAt,
} from "../../../enclave/protocol/window.ts";
import type { Address, NetworkInfo } from "../ledger.ts";
import type { ObjectId } from "../token.ts";

/** A row of a query. */
export type Row = Record<string, unknown>;

/** Bytes of a blob column. */
export function blob(value: unknown): Bytes {
  return new Uint8Array(value as Uint8Array);
}

/** Largest amount and number of the contracts. */
export const MAX_U64: bigint = (1n << 64n) - 1n;

/**
 * An amount as a coin can hold it.
 *
 * @throws {RangeError} for any other.
 */
export function amountOf(amount: bigint): bigint {
  if (typeof amount === "bigint" && amount >= 0n && amount <= MAX_U64) return amount;
  throw new RangeError(`Cannot use ${amount} as an amount: it must be 0..2^64-1`);
}

/** The refusal of a call that names an object that is not there, or not the sender's: no contract sees it. */
export function unknownObject(what: string, id: string): Refusal {
  return new Refusal("unknown_object", `There is no such ${what}, or it is another's: ${id}`);
}

/** A counter that is an amount; `minted_sui` is test money, `issued` what mining promised, `supply` ever minted. */
export type Total =
  | "minted_sui"
  | "treasury/miner"
  | "treasury/validator"
  | "job_fees"
  | "issued"
  | "owed"
  | "treasury_vram"
  | "deposited"
  | "supply"
  | "mined"
  | "burned";

/** The state of one call. */
export class State {
  /** The open database. */
  readonly db: DatabaseSync;
  /** Ledger time of this call. */
  nowMs = 0;
  #info: NetworkInfo | undefined;

  /** Works on `db`. */
  constructor(db: DatabaseSync) {
    this.db = db;
  }

  /** First row, or undefined. */
  get(sql: string, ...params: SQLInputValue[]): Row | undefined {
    return this.db.prepare(sql).get(...params) as Row | undefined;
  }

  /** All rows. */
  all(sql: string, ...params: SQLInputValue[]): Row[] {
    return this.db.prepare(sql).all(...params) as Row[];
  }

  /** Run a statement; returns how many rows it changed. */
  run(sql: string, ...params: SQLInputValue[]): number {
    return Number(this.db.prepare(sql).run(...params).changes);
  }

  /** A value of `meta`. */
  meta(key: string): string | undefined {
    return this.get("select value from meta where key = ?", key)?.value as string | undefined;
  }

  /** Set a value of `meta`. */
  setMeta(key: string, value: string | number): void {
    this.run("insert or replace into meta values (?, ?)", key, String(value));
  }

  /** What never changes about the network, and who its admin is. */
  info(): NetworkInfo {
    const admin = this.meta("admin");
    if (this.#info === undefined) {
      const text = (key: string) => {
        const value = this.meta(key);
        if (value === undefined) {
          throw new TypeError("Cannot read the ledger: it was never founded");
        }
        return value;
      };
      const beacon = JSON.parse(text("beacon"));
      const root = text("simulated_root");
      this.#info = {
        kind: "dev",
        chainId: fromHex(text("chain_id"), 32),
        ledgerId: fromHex(text("ledger_id"), 32),
        admin: text("admin"),
        model: text("model"),
        modelHash: fromHex(text("model_hash"), 32),
        dataset: decodeDataset(fromHex(text("dataset"))),
        beacon: {
          chainHash: fromHex(beacon.chainHash, 32),
          publicKey: fromHex(beacon.publicKey, 96),
          genesisMs: beacon.genesisMs,
          periodMs: beacon.periodMs,
        },
        simulatedRoot: root === "" ? null : fromHex(root),
      };
    }
    return { ...this.#info, admin: admin! };
  }

  /** Whether `sender` holds the admin's capability now: while it is on offer nobody does. */
  isAdmin(sender: Address): boolean {
    return sender === this.info().admin && this.meta("admin_offer") === undefined;
  }

  /** Refuse unless {@link isAdmin}. */
  assertAdmin(sender: Address, module: "hparams" | "enclave_registry" = "hparams"): void {
    requireThat(this.isAdmin(sender), module, "ENotAdmin", `${sender} is not the admin`);
  }

  /** The id of a new object. */
  newObject(): ObjectId {
    const number = this.meta("objects") ?? "0";
    this.setMeta("objects", Number(number) + 1);
    return this.objectId(number);
  }

  /** The id of the object that `name` stands for. */
  objectId(name: string): ObjectId {
    return `0x${toHex(tagged("vramhub/dev/object/v1", this.info().ledgerId, utf8(name)))}`;
  }

  /** Epochs that are kept, ascending. */
  epochs(): Epoch[] {
    return this.all("select * from epochs order by first_window").map((row) => ({
      firstWindow: row.first_window as number,
      startMs: row.start_ms as number,
      windowMs: row.window_ms as number,
    }));
  }

  /** The window of this call. */
  window(): number {
    const window = this.windowOrBefore();
    const begun = this.epochs().some(({ startMs }) => startMs <= this.nowMs);
    requireThat(begun, "hparams", "ENoEpoch", "the first window has not begun");
    return window;
  }

  /** The same, but before the first window one below it. */
  windowOrBefore(): number {
    return windowAt(this.epochs(), this.nowMs);
  }

  /** A rolled window's row. */
  windowRow(window: number): Row {
    const row = this.get("select * from windows where window = ?", window);
    requireThat(
      row !== undefined,
      "round_state",
      "EUnknownWindow",
      `window ${window} has no row: nobody called in it, or it has not begun`,
    );
    return row;
  }

  /** Hparams of the last window that was rolled to; before the first, those of the founding. */
  current(): Hparams {
    return JSON.parse(this.meta("hparams")!);
  }

  /** Hparams that rule `window`. */
  hparams(window: number): Hparams {
    return decodeHparams(blob(this.windowRow(window).hparams));
  }

  /** The moments of `window`. */
  deadlines(window: number): Deadlines {
    const hparams = this.hparams(window);
    const epochs = this.epochs();
    const known = epochs.some(({ firstWindow }) => firstWindow <= window);
    requireThat(known, "hparams", "ENoEpoch", `the epoch of window ${window} is forgotten`);
    return deadlines(epochs, window, hparams);
  }

  /** Append to the event log. */
  emit(kind: string, body: Record<string, unknown>): void {
    const plain = JSON.stringify(body, (_key, value) => {
      if (typeof value === "bigint") return value.toString();
      return value instanceof Uint8Array ? toHex(value) : value;
    });
    this.run(
      "insert into events (at_ms, window, kind, body) values (?, ?, ?, ?)",
      this.nowMs,
      this.windowOrBefore(),
      kind,
      plain,
    );
  }

  /** Coins of an address. */
  account(address: Address): { sui: bigint; vram: bigint; claimable: bigint } {
    const row = this.get("select * from accounts where address = ?", address);
    return {
      sui: BigInt((row?.sui as string) ?? 0),
      vram: BigInt((row?.vram as string) ?? 0),
      claimable: BigInt((row?.claimable as string) ?? 0),
    };
  }

  /** Add to (or with a negative amount take from) a coin of an address. Never below zero. */
  credit(address: Address, coin: "sui" | "vram" | "claimable", amount: bigint): void {
    const account = this.account(address);
    account[coin] += amount;
    requireThat(
      account[coin] >= 0n,
      "peer_registry",
      "EInsufficientBalance",
      `${address} lacks ${-account[coin]} of ${coin}`,
    );
    this.run(
      "insert or replace into accounts values (?, ?, ?, ?)",
      address,
      account.sui.toString(),
      account.vram.toString(),
      account.claimable.toString(),
    );
  }

  /** A counter that is an amount. */
  total(key: Total): bigint {
    return BigInt(this.meta(key) ?? "0");
  }

  /** Add to such a counter. */
  addTotal(key: Total, amount: bigint): void {
    this.setMeta(key, (this.total(key) + amount).toString());
  }

  /** Take all of such a counter. */
  takeTotal(key: Total): bigint {
    const amount = this.total(key);
    this.setMeta(key, "0");
    return amount;
  }
}
