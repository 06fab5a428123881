/**
 * What every operation of the dev ledger works on: the open database, the time and window of the call, the
 * coins, and the event log.
 *
 * @module
 */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type Bytes, fromHex, toHex } from "../../../enclave/protocol/bytes.ts";
import { decodeDataset } from "../../../enclave/protocol/dataset.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import { decodeHparams, type Hparams } from "../../../enclave/protocol/hparams.ts";
import {
  type Deadlines,
  deadlines,
  type Epoch,
  windowAt,
} from "../../../enclave/protocol/window.ts";
import type { Address, NetworkInfo } from "../ledger.ts";

/** A row of a query. */
export type Row = Record<string, unknown>;

/** Bytes of a blob column. */
export function blob(value: unknown): Bytes {
  return new Uint8Array(value as Uint8Array);
}

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

  /** What never changes about the network. */
  info(): NetworkInfo {
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
    return this.#info;
  }

  /** Epochs, ascending. */
  epochs(): Epoch[] {
    return this.all("select * from epochs order by first_window").map((row) => ({
      firstWindow: row.first_window as number,
      startMs: row.start_ms as number,
      windowMs: row.window_ms as number,
    }));
  }

  /** The window of this call. */
  window(): number {
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

  /** Hparams that rule `window`. */
  hparams(window: number): Hparams {
    return decodeHparams(blob(this.windowRow(window).hparams));
  }

  /** The moments of `window`. */
  deadlines(window: number): Deadlines {
    return deadlines(this.epochs(), window, this.hparams(window));
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
      this.window(),
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
  total(key: "issued" | "treasury_sui" | "treasury_vram" | "minted_sui"): bigint {
    return BigInt(this.meta(key) ?? "0");
  }

  /** Add to such a counter. */
  addTotal(key: "issued" | "treasury_sui" | "treasury_vram" | "minted_sui", amount: bigint): void {
    this.setMeta(key, (this.total(key) + amount).toString());
  }
}
