/**
 * The dev ledger: the contracts' state machine over one SQLite file, which several processes share. Nothing
 * is authenticated here: `sender` is an argument. Everything else is checked as on the chain.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { type Bytes, toHex } from "../../../enclave/protocol/bytes.ts";
import type { Reveal } from "../../../enclave/protocol/commit.ts";
import { type Dataset, encodeDataset } from "../../../enclave/protocol/dataset.ts";
import type { BeaconChain } from "../../../enclave/protocol/drand.ts";
import { checkHparams, type Hparams } from "../../../enclave/protocol/hparams.ts";
import type { Epoch } from "../../../enclave/protocol/window.ts";
import type { Clock } from "../clock.ts";
import type {
  Address,
  AttestationRow,
  EnclaveRow,
  Ledger,
  LedgerEvent,
  MeasurementRow,
  MinerRow,
  NetworkInfo,
  ValidatorRow,
  WindowMessages,
  WindowView,
} from "../ledger.ts";
import * as enclaves from "./enclaves.ts";
import * as gradients from "./gradients.ts";
import { claim } from "./outcomes.ts";
import * as peers from "./peers.ts";
import * as rounds from "./rounds.ts";
import { SCHEMA, SCHEMA_VERSION } from "./schema.ts";
import * as scores from "./scores.ts";
import { State } from "./state.ts";
import * as views from "./views.ts";

/** What a network is founded with. */
export interface Genesis {
  /** 32 bytes. */
  readonly chainId: Bytes;
  /** 32 bytes. */
  readonly ledgerId: Bytes;
  /** Governs hparams and measurements. */
  readonly admin: Address;
  /** Preset name and hash of the model. */
  readonly model: string;
  /** 32 bytes. */
  readonly modelHash: Bytes;
  /** Hash of the first base's manifest. */
  readonly baseHash: Bytes;
  /** The data. */
  readonly dataset: Dataset;
  /** The randomness. */
  readonly beacon: BeaconChain;
  /** The first hparams. */
  readonly hparams: Hparams;
  /** The first window and when it starts. */
  readonly epoch: Pick<Epoch, "firstWindow" | "startMs">;
  /** Builds approved from the start. */
  readonly measurements: readonly {
    readonly name: string;
    readonly pcrs: readonly [Bytes, Bytes, Bytes];
  }[];
  /** DER of a SIMULATED root, or null for AWS's. */
  readonly simulatedRoot: Bytes | null;
  /** Who is seated from the first window on, slots counted from 0 per role; the stake is test money. */
  readonly seats: readonly peers.Seat[];
}

/** {@link Ledger} over SQLite. */
export class DevLedger implements Ledger {
  readonly #state: State;
  readonly #clock: Clock;

  private constructor(db: DatabaseSync, clock: Clock) {
    this.#state = new State(db);
    this.#clock = clock;
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
  static open(path: string, clock: Clock): DevLedger {
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
    return new DevLedger(db, clock);
  }

  /**
   * Found the network. Once.
   *
   * @throws {Refusal} `bad_hparam`.
   * @throws {RangeError} where the data set has too few pages, or a seat is one that nobody could register.
   */
  found(genesis: Genesis): void {
    checkHparams(genesis.hparams, genesis.beacon.periodMs);
    const fault = rounds.lackingPages(genesis.hparams, genesis.dataset) ??
      peers.badSeat(genesis.seats, genesis.hparams);
    if (fault !== null) throw new RangeError(`Cannot found a network: ${fault}`);
    const { beacon } = genesis;
    this.#transaction((state) => {
      if (state.meta("ledger_id") !== undefined) {
        throw new TypeError("Cannot found the network: it is founded already");
      }
      for (
        const [key, value] of Object.entries({
          chain_id: toHex(genesis.chainId),
          ledger_id: toHex(genesis.ledgerId),
          admin: genesis.admin,
          model: genesis.model,
          model_hash: toHex(genesis.modelHash),
          dataset: toHex(encodeDataset(genesis.dataset)),
          beacon: JSON.stringify({
            chainHash: toHex(beacon.chainHash),
            publicKey: toHex(beacon.publicKey),
            genesisMs: beacon.genesisMs,
            periodMs: beacon.periodMs,
          }),
          simulated_root: genesis.simulatedRoot === null ? "" : toHex(genesis.simulatedRoot),
          hparams: JSON.stringify(genesis.hparams),
        })
      ) state.setMeta(key, value);
      state.run("insert into meta values ('base', ?)", genesis.baseHash);
      state.run(
        "insert into epochs values (?, ?, ?)",
        genesis.epoch.firstWindow,
        genesis.epoch.startMs,
        genesis.hparams.window_ms,
      );
      for (const { name, pcrs } of genesis.measurements) {
        enclaves.checkMeasurement(name, pcrs);
        enclaves.insertMeasurement(state, name, pcrs, 0);
      }
      const next = { miner: 0, validator: 0 };
      for (const { role, owner, stake } of genesis.seats) {
        state.addTotal("minted_sui", stake);
        state.run(
          "insert into pending_slots values (?, ?, ?, ?, ?)",
          role,
          next[role]++,
          genesis.epoch.firstWindow,
          owner,
          stake.toString(),
        );
      }
      state.emit("round_state::NetworkFounded", {
        ledgerId: genesis.ledgerId,
        model: genesis.model,
        baseHash: genesis.baseHash,
      });
    });
  }

  /** Test money: SUI (MIST) out of nothing. Only the dev ledger has it. */
  faucet(address: Address, amount: bigint): void {
    this.#transaction((state) => {
      state.credit(address, "sui", amount);
      state.addTotal("minted_sui", amount);
      state.emit("dev::Faucet", { address, amount });
    });
  }

  #transaction<T>(run: (state: State) => T, nowMs: number = this.#clock.now()): T {
    const state = this.#state;
    state.db.exec("begin immediate");
    try {
      state.nowMs = nowMs;
      const result = run(state);
      state.db.exec("commit");
      return result;
    } catch (error) {
      state.db.exec("rollback");
      throw error;
    }
  }

  /** A call: the ledger rolls to its window, then `run`. All or nothing, but the rolling stays. */
  // deno-lint-ignore require-await -- refusals reject, as they do over a network
  async #call<T>(run: (state: State) => T): Promise<T> {
    const nowMs = this.#clock.now(); // one moment for both: no boundary may fall between them
    this.#roll(nowMs);
    return this.#transaction(run, nowMs);
  }

  #roll(nowMs: number): void {
    const state = this.#state;
    state.nowMs = nowMs;
    const window = state.window();
    if (window <= Number(state.meta("rolled") ?? "-1") || window < state.epochs()[0]!.firstWindow) {
      return;
    }
    this.#transaction(rounds.roll, nowMs);
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
    this.#state.nowMs = this.#clock.now();
    return Promise.resolve(this.#state.window());
  }
  /** See {@link Ledger}. */
  registerMiner(sender: Address, stake: bigint): Promise<number> {
    return this.#call((state) => peers.register(state, "miner", sender, stake));
  }
  /** See {@link Ledger}. */
  registerValidator(sender: Address, stake: bigint): Promise<number> {
    return this.#call((state) => peers.register(state, "validator", sender, stake));
  }
  /** See {@link Ledger}. */
  unregister(sender: Address, role: "miner" | "validator", uid: number): Promise<void> {
    return this.#call((state) => peers.unregister(state, sender, role, uid));
  }
  /** See {@link Ledger}. */
  withdraw(sender: Address): Promise<bigint> {
    return this.#call((state) => peers.withdraw(state, sender));
  }
  /** See {@link Ledger}. */
  setHparams(sender: Address, hparams: Hparams): Promise<void> {
    return this.#call((state) => rounds.setHparams(state, sender, hparams));
  }
  /** See {@link Ledger}. */
  approveMeasurement(
    sender: Address,
    name: string,
    pcrs: readonly [Bytes, Bytes, Bytes],
  ): Promise<void> {
    return this.#call((state) => enclaves.approveMeasurement(state, sender, name, pcrs));
  }
  /** See {@link Ledger}. */
  removeMeasurement(sender: Address, name: string): Promise<void> {
    return this.#call((state) => enclaves.removeMeasurement(state, sender, name));
  }
  /** See {@link Ledger}. */
  commit(sender: Address, uid: number, window: number, commitment: Bytes): Promise<number> {
    return this.#call((state) => gradients.commit(state, sender, uid, window, commitment));
  }
  /** See {@link Ledger}. */
  reveal(
    sender: Address,
    uid: number,
    window: number,
    gradient: Pick<Reveal, "contentHash" | "size" | "codec">,
    salt: Bytes,
    ref: string,
  ): Promise<void> {
    return this.#call((state) => gradients.reveal(state, sender, uid, window, gradient, salt, ref));
  }
  /** See {@link Ledger}. */
  async registerEnclave(_sender: Address, uid: number, document: Bytes): Promise<void> {
    const policy = await this.#call((state) => enclaves.registrationPolicy(state, uid));
    const attested = await enclaves.attest(document, policy);
    await this.#call((state) => enclaves.registerEnclave(state, uid, attested, document));
  }
  /** See {@link Ledger}. */
  submitReport(sender: Address, message: Bytes, signature: Bytes): Promise<void> {
    return this.#call((state) => scores.submitReport(state, sender, message, signature));
  }
  /** See {@link Ledger}. */
  settle(window: number, limit: number): Promise<boolean> {
    return this.#call((state) => scores.settle(state, window, limit));
  }
  /** See {@link Ledger}. */
  submitOutcome(sender: Address, message: Bytes, signature: Bytes): Promise<void> {
    return this.#call((state) => scores.submitOutcome(state, sender, message, signature));
  }
  /** See {@link Ledger}. */
  close(window: number): Promise<void> {
    return this.#call((state) => rounds.close(state, window));
  }
  /** See {@link Ledger}. */
  slash(
    first: Bytes,
    firstSignature: Bytes,
    second: Bytes,
    secondSignature: Bytes,
  ): Promise<void> {
    return this.#call((state) =>
      scores.slash(state, first, firstSignature, second, secondSignature)
    );
  }
  /** See {@link Ledger}. */
  claim(sender: Address): Promise<bigint> {
    return this.#call((state) => claim(state, sender));
  }
  /** See {@link Ledger}. */
  window(window: number): Promise<WindowView> {
    return this.#call((state) => views.windowView(state, window));
  }
  /** See {@link Ledger}. */
  miners(): Promise<readonly MinerRow[]> {
    return this.#call(views.miners);
  }
  /** See {@link Ledger}. */
  validators(): Promise<readonly ValidatorRow[]> {
    return this.#call(views.validators);
  }
  /** See {@link Ledger}. */
  enclave(uid: number): Promise<EnclaveRow | null> {
    return this.#call((state) => enclaves.enclaveOf(state, uid));
  }
  /** See {@link Ledger}. */
  attestation(key: Bytes): Promise<AttestationRow | null> {
    return this.#call((state) => enclaves.attestationOf(state, key));
  }
  /** See {@link Ledger}. */
  messages(window: number): Promise<WindowMessages> {
    return this.#call((state) => views.messages(state, window));
  }
  /** See {@link Ledger}. */
  measurements(): Promise<readonly MeasurementRow[]> {
    return this.#call(enclaves.measurements);
  }
  /** See {@link Ledger}. */
  balance(address: Address): Promise<{ sui: bigint; vram: bigint; claimable: bigint }> {
    return this.#call((state) => state.account(address));
  }
  /** See {@link Ledger}. */
  issued(): Promise<bigint> {
    return this.#call((state) => state.total("issued"));
  }
  /** See {@link Ledger}. */
  events(after: number, limit: number): Promise<readonly LedgerEvent[]> {
    return this.#call((state) => views.events(state, after, limit));
  }
  /** Every coin of the ledger, for conservation checks: what was minted and where it lies. */
  audit(): { minted: bigint; held: bigint; issued: bigint; vramHeld: bigint } {
    const state = this.#state;
    const sum = (sql: string) =>
      state.all(sql).reduce((total, row) => total + BigInt(row.amount as string), 0n);
    return {
      minted: state.total("minted_sui"),
      held: sum("select sui as amount from accounts") + sum("select amount from unbonding") +
        sum("select stake as amount from miners") + sum("select stake as amount from validators") +
        sum("select stake as amount from pending_slots where stake is not null") +
        state.total("treasury_sui"),
      issued: state.total("issued"),
      vramHeld: sum("select vram as amount from accounts") +
        sum("select claimable as amount from accounts") + state.total("treasury_vram"),
    };
  }
  /** Close the file. */
  [Symbol.dispose](): void {
    this.#state.db.close();
  }
}
