/**
 * The dev ledger: the contracts' state machine over one SQLite file, which several processes share. Nothing
 * is authenticated here: `sender` is an argument. Everything else is checked as on the chain.
 *
 * Each module of the contracts has its file here; `windows.ts`, `jobs.ts`, `token.ts`, `staking.ts` and
 * `governance.ts` hold the tables from which the calls are bound.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import type { Epoch } from "../../../enclave/protocol/window.ts";
import type { Clock } from "../clock.ts";
import type { GovernanceLedger } from "../governance.ts";
import type { JobLedger } from "../jobs.ts";
import type { Address, Ledger, LedgerEvent, NetworkInfo } from "../ledger.ts";
import type { StakingLedger } from "../staking.ts";
import type { TokenLedger } from "../token.ts";
import { type Audit, audit } from "./audit.ts";
import * as enclaves from "./enclaves.ts";
import { checkGenesis, found, type Genesis } from "./genesis.ts";
import { GOVERNANCE_CALLS } from "./governance.ts";
import { JOB_CALLS } from "./jobs.ts";
import { bind, type Operations } from "./operations.ts";
import { roll, syncedTo } from "./peers.ts";
import { rolledTo } from "./rounds.ts";
import { SCHEMA, SCHEMA_VERSION } from "./schema.ts";
import { STAKING_CALLS } from "./staking.ts";
import { State } from "./state.ts";
import { TOKEN_CALLS } from "./token.ts";
import { events } from "./views.ts";
import { WINDOW_CALLS, WINDOW_READS, type WindowCalls, type WindowReads } from "./windows.ts";

export type { Genesis, Seat } from "./genesis.ts";

/** How a ledger is opened. */
export interface OpenOptions {
  /**
   * Whether a read rolls to the running window, as if somebody had called `roll` before (default). Without it
   * only those calls do that do it on the chain.
   */
  readonly readsRoll?: boolean;
}

/** What is bound from tables: all of {@link Ledger} but what {@link DevLedger} does itself. */
export type BoundCalls =
  & WindowCalls
  & WindowReads
  & JobLedger
  & TokenLedger
  & StakingLedger
  & GovernanceLedger;

const CALLS: Operations<Omit<BoundCalls, keyof WindowReads>> = {
  ...WINDOW_CALLS,
  ...JOB_CALLS,
  ...TOKEN_CALLS,
  ...STAKING_CALLS,
  ...GOVERNANCE_CALLS,
};

/** The calls that are bound from tables when a ledger is opened. */
export interface DevLedger extends BoundCalls {}

/** {@link Ledger} over SQLite. */
export class DevLedger implements Ledger {
  readonly #state: State;
  readonly #clock: Clock;
  readonly #readsRoll: boolean;

  private constructor(db: DatabaseSync, clock: Clock, { readsRoll = true }: OpenOptions) {
    this.#state = new State(db);
    this.#clock = clock;
    this.#readsRoll = readsRoll;
    const calls = bind(CALLS, (run) => this.#call(run));
    const reads = bind(WINDOW_READS, (run) => this.#read(run));
    Object.assign(this, calls, reads);
  }

  /** Whether `path` holds a founded ledger. */
  static exists(path: string): boolean {
    try {
      if (!Deno.statSync(path).isFile) return false;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
    using ledger = DevLedger.open(path, { now: () => 0, until: () => Promise.resolve() });
    return ledger.#state.meta("ledger_id") !== undefined;
  }

  /**
   * Open `path` (or `:memory:`), creating the tables where there are none.
   *
   * @throws {TypeError} where the file is of another version.
   */
  static open(path: string, clock: Clock, options: OpenOptions = {}): DevLedger {
    const db = new DatabaseSync(path);
    // The timeout first: another process may be changing the journal's mode at this moment.
    db.exec("pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full");
    db.exec("begin immediate"); // of two processes one makes the tables
    const version = Number(
      (db.prepare("pragma user_version").get() as { user_version: number })
        .user_version,
    );
    if (version === 0) db.exec(`${SCHEMA} pragma user_version = ${SCHEMA_VERSION}`);
    db.exec("commit");
    if (version !== 0 && version !== SCHEMA_VERSION) {
      db.close();
      throw new TypeError(
        `Cannot open ${path}: its ledger has version ${version}, this program reads ${SCHEMA_VERSION}`,
      );
    }
    return new DevLedger(db, clock, options);
  }

  /**
   * Found the network. Once.
   *
   * @throws {Refusal} `bad_hparam`.
   * @throws {RangeError} where the data set has too few pages, or a seat is one that nobody could register.
   */
  found(genesis: Genesis): void {
    checkGenesis(genesis);
    this.#transaction((state) => found(state, genesis));
  }

  /** Test money: SUI (MIST) out of nothing. Only the dev ledger has it. */
  faucet(address: Address, amount: bigint): void {
    this.#transaction((state) => {
      state.credit(address, "sui", amount);
      state.addTotal("minted_sui", amount);
      state.emit("dev::Faucet", { address, amount });
    });
  }

  #transaction<T>(run: (state: State) => T, end: "commit" | "rollback" = "commit"): T {
    const state = this.#state;
    state.db.exec("begin immediate");
    try {
      state.nowMs = this.#clock.now(); // one moment for all of a call: no boundary falls into it
      const result = run(state);
      state.db.exec(end);
      return result;
    } catch (error) {
      // Where the disk is full or fails, SQLite has rolled back by itself, and says why in this error.
      if (state.db.isTransaction) state.db.exec("rollback");
      throw error;
    }
  }

  /** A call, all or nothing; whether it rolls is its own affair, as on the chain. */
  // deno-lint-ignore require-await -- refusals reject, as they do over a network
  async #call<T>(run: (state: State) => T): Promise<T> {
    return this.#transaction(run);
  }

  // deno-lint-ignore require-await -- as above
  async #read<T>(run: (state: State) => T): Promise<T> {
    return this.#transaction((state) => {
      if (this.#readsRoll) rollOnce(state);
      return run(state);
    });
  }

  /** See {@link Ledger}. */
  info(): Promise<NetworkInfo> {
    return Promise.resolve(this.#state.info());
  }
  /** See {@link Ledger}. */
  now(): number {
    return this.#clock.now();
  }
  /** See {@link Ledger}. */
  epochs(): Promise<readonly Epoch[]> {
    return Promise.resolve(this.#state.epochs());
  }
  /** See {@link Ledger}. */
  currentWindow(): Promise<number> {
    return this.#call((state) => state.window());
  }
  /** See {@link Ledger}. */
  async registerEnclave(_sender: Address, uid: number, document: Bytes): Promise<void> {
    const policy = this.#transaction(
      (state) => enclaves.registrationPolicy(state, uid),
      "rollback", // nothing has happened yet
    );
    const attested = await enclaves.attest(document, policy);
    await this.#call((state) => enclaves.registerEnclave(state, uid, attested, document));
  }
  /** See {@link Ledger}. */
  events(after: number, limit: number): Promise<readonly LedgerEvent[]> {
    return this.#read((state) => events(state, after, limit));
  }
  /** Every coin of the ledger, for conservation checks: what was minted and where it lies. */
  audit(): Audit {
    return audit(this.#state);
  }
  /** Close the file. */
  [Symbol.dispose](): void {
    this.#state.db.close();
  }
}

/** Roll where the running window was not rolled to and has begun. */
function rollOnce(state: State): void {
  const window = state.windowOrBefore();
  if (rolledTo(state) >= window && syncedTo(state) >= window) return;
  if (state.epochs()[0]!.startMs <= state.nowMs) roll(state);
}
