/**
 * The ledger as everybody sees it: one interface, two implementations (the dev ledger and Sui's contracts).
 * Its areas beside the windows stand in {@link JobLedger}, {@link TokenLedger}, {@link StakingLedger} and
 * {@link GovernanceLedger}. Writes refuse with {@link LedgerError}; amounts are bigint in the coin's smallest unit (1e-9).
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { Reveal, WindowContext } from "../../enclave/protocol/commit.ts";
import type { Dataset } from "../../enclave/protocol/dataset.ts";
import type { BeaconChain } from "../../enclave/protocol/drand.ts";
import type { Hparams } from "../../enclave/protocol/hparams.ts";
import type { Metric } from "../../enclave/protocol/report.ts";
import type { SettledRow } from "../../enclave/protocol/settle.ts";
import type { Deadlines, Epoch } from "../../enclave/protocol/window.ts";
import type { GovernanceLedger } from "./governance.ts";
import type { JobLedger } from "./jobs.ts";
import type { StakingLedger } from "./staking.ts";
import type { WindowSummary } from "./summary.ts";
import type { TokenLedger } from "./token.ts";

/** A Sui address: `0x` and 64 hexadecimal digits. */
export type Address = string;

/** What never changes about a network. */
export interface NetworkInfo {
  /** `dev`: nothing is authenticated, `sender` is an argument. */
  readonly kind: "dev" | "sui";
  /** 32 bytes. */
  readonly chainId: Bytes;
  /** 32 bytes. */
  readonly ledgerId: Bytes;
  /** May change hparams and measurements; while the right is on offer, who offers it. */
  readonly admin: Address;
  /** Preset name of the model. */
  readonly model: string;
  /** 32 bytes. */
  readonly modelHash: Bytes;
  /** The data everybody trains on. */
  readonly dataset: Dataset;
  /** Where randomness comes from. */
  readonly beacon: BeaconChain;
  /** DER of the SIMULATED attestation root, on networks that have one; null means AWS's. */
  readonly simulatedRoot: Bytes | null;
}

/** A miner's slot. */
export interface MinerRow {
  /** Slot number. */
  readonly uid: number;
  /** Counts the slot's owners. */
  readonly generation: number;
  /** Who is paid. */
  readonly owner: Address;
  /** MIST. */
  readonly stake: bigint;
  /** First window in which it may commit. */
  readonly activeFrom: number;
  /** Rating, 1e-6. */
  readonly mu: number;
  /** Its uncertainty, 1e-6. */
  readonly sigma: number;
  /** Stored own-versus-random average. */
  readonly average: number;
  /** Windows in which it was measured. */
  readonly measured: number;
  /** Windows in which it was accepted. */
  readonly accepted: number;
  /** The last of them, or -1. */
  readonly lastAccepted: number;
}

/** A validator's slot. */
export interface ValidatorRow {
  /** Slot number. */
  readonly uid: number;
  /** Counts the slot's owners. */
  readonly generation: number;
  /** Who submits and is paid. */
  readonly owner: Address;
  /** MIST. */
  readonly stake: bigint;
  /** First window whose snapshot holds it. */
  readonly activeFrom: number;
}

/** A reveal with what the judge does not need. */
export interface RevealRow extends Reveal {
  /** Who is paid for it. */
  readonly owner: Address;
  /** The slot's generation at the time. */
  readonly generation: number;
  /** Where the gradient lies, e.g. `gradient-12-3-v1.pt`. */
  readonly ref: string;
}

/** Where a window stands. */
export type WindowStatus = "open" | "settling" | "settled" | "closed" | "skipped";

/** A window as the ledger holds it. */
export interface WindowView {
  /** N. */
  readonly window: number;
  /** Where it stands. */
  readonly status: WindowStatus;
  /** Hparams that rule it. */
  readonly hparams: Hparams;
  /** Its moments. */
  readonly deadlines: Deadlines;
  /** Hash of base(N)'s manifest. */
  readonly baseHash: Bytes;
  /** What its digest binds. */
  readonly context: WindowContext;
  /** Fold of its reveals. */
  readonly acc: Bytes;
  /** The digest. */
  readonly digest: Bytes;
  /** In order of arrival. */
  readonly reveals: readonly RevealRow[];
  /** Stake snapshot at its start. */
  readonly snapshot: readonly ValidatorRow[];
  /** Validators that have reported. */
  readonly reported: readonly number[];
  /** Validators whose outcome is in. */
  readonly outcomes: readonly number[];
  /** Once settled. */
  readonly settled: Settlement | null;
  /** Once closed. */
  readonly payout: Payout | null;
  /** Why it was skipped. */
  readonly skipReason: string | null;
}

/** A settled window. */
export interface Settlement {
  /** Stake-weighted lower median of the base's loss on the random pages. */
  readonly randomBefore: Metric;
  /** By uid, ascending. */
  readonly rows: readonly SettledRow[];
  /** What the ledger alone knows of each row's miner, in the same order. */
  readonly records: readonly RecordRow[];
  /** What outcomes sign. */
  readonly digest: Bytes;
}

/** A miner's record around a settlement: what its weight takes besides the settled integers. */
export interface RecordRow {
  /** Slot number. */
  readonly uid: number;
  /** Stored own-versus-random average after the window. */
  readonly average: number;
  /** The same before it. */
  readonly priorAverage: number;
  /** Windows before this one in which it was measured. */
  readonly priorMeasured: number;
  /** Windows before this one in which it was accepted. */
  readonly priorAccepted: number;
}

/** A judge's message as it was taken, byte for byte. */
export interface SignedRow {
  /** The validator's slot. */
  readonly validator: number;
  /** The signed bytes. */
  readonly message: Bytes;
  /** Ed25519, 64 bytes. */
  readonly signature: Bytes;
  /** The key that was registered at the time, 32 bytes. */
  readonly key: Bytes;
  /** Ledger time of the submission. */
  readonly atMs: number;
}

/** The messages of a window, each list in order of arrival. */
export interface WindowMessages {
  /** Intent 1. */
  readonly reports: readonly SignedRow[];
  /** Intent 2. */
  readonly outcomes: readonly SignedRow[];
}

/** What a closed window paid. */
export interface Payout {
  /** A row a reveal. */
  readonly miners: readonly {
    readonly uid: number;
    readonly owner: Address;
    readonly weight: bigint;
    readonly reward: bigint;
    readonly mu: number;
    readonly sigma: number;
  }[];
  /** A row a snapshot validator. */
  readonly validators: readonly {
    readonly uid: number;
    readonly owner: Address;
    readonly counted: boolean;
    readonly reward: bigint;
  }[];
  /** VRAM issued, all told. */
  readonly issued: bigint;
  /** The merged base, where it moved. */
  readonly mergedHash: Bytes | null;
  /** Median losses on held-out pages, where measured. */
  readonly currentLoss: Metric;
  /** See `currentLoss`. */
  readonly mergedLoss: Metric;
}

/** A transition, as the append-only log holds it. */
export interface LedgerEvent {
  /** Ascending, without gaps. */
  readonly seq: number;
  /** Ledger time. */
  readonly atMs: number;
  /** Window of that time. */
  readonly window: number;
  /** `module::Name`. */
  readonly kind: string;
  /** Its fields; amounts as decimal strings, bytes as hex. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** An approved set of measurements. */
export interface MeasurementRow {
  /** Name of the build. */
  readonly name: string;
  /** 48 bytes each. */
  readonly pcrs: readonly [Bytes, Bytes, Bytes];
  /** Active from this moment on. */
  readonly activeFrom: number;
}

/** A registered enclave key. */
export interface EnclaveRow {
  /** Ed25519, 32 bytes. */
  readonly key: Bytes;
  /** Its validator. */
  readonly uid: number;
  /** Time inside the document. */
  readonly documentMs: number;
  /** When it was registered. */
  readonly registeredMs: number;
  /** When it expires. */
  readonly expiresMs: number;
  /** The approved set that it matched. */
  readonly measurement: string;
  /** Attested by a SIMULATED root. */
  readonly simulated: boolean;
}

/** A key with the document that attested it. */
export interface AttestationRow extends EnclaveRow {
  /** Who owned the validator's slot. */
  readonly owner: Address;
  /** COSE_Sign1, byte for byte; the newest where the key was renewed. */
  readonly document: Bytes;
}

/** What a slot is for. */
export type Role = "miner" | "validator";

/** The state machine of design §2, §4. */
export interface Ledger extends JobLedger, TokenLedger, StakingLedger, GovernanceLedger {
  /** What never changes. */
  info(): Promise<NetworkInfo>;
  /** The ledger's time. */
  now(): number;
  /** Epochs, ascending. */
  epochs(): Promise<readonly Epoch[]>;
  /** The running window. */
  currentWindow(): Promise<number>;

  /** Take a miner's slot with a stake (MIST) from the N+1 on; returns the uid. */
  registerMiner(sender: Address, stake: bigint): Promise<number>;
  /** Take a validator's slot; a bond is burned of the sender's VRAM where the supply has one. */
  registerValidator(sender: Address, stake: bigint): Promise<number>;
  /** Leave a slot from N+1 on; the stake unbonds. */
  unregister(sender: Address, role: Role, uid: number): Promise<void>;
  /** Take back the unbonded stake that is due, of one role or of both; returns MIST. */
  withdraw(sender: Address, role?: Role): Promise<bigint>;

  /** Change hparams from N+1 on. Admin. */
  setHparams(sender: Address, hparams: Hparams): Promise<void>;
  /** Approve a build, active after the unbonding period. Admin. */
  approveMeasurement(
    sender: Address,
    name: string,
    pcrs: readonly [Bytes, Bytes, Bytes],
  ): Promise<void>;
  /** Remove a build at once; its keys stop counting. Admin. */
  removeMeasurement(sender: Address, name: string): Promise<void>;

  /** Commit to a gradient in `window`; returns the commit's number. */
  commit(sender: Address, uid: number, window: number, commitment: Bytes): Promise<number>;
  /** Reveal it after the commit deadline. */
  reveal(
    sender: Address,
    uid: number,
    window: number,
    gradient: Pick<Reveal, "contentHash" | "size" | "codec">,
    salt: Bytes,
    ref: string,
  ): Promise<void>;

  /** Register the key inside an attestation document. Anyone may call it for any validator. */
  registerEnclave(sender: Address, uid: number, document: Bytes): Promise<void>;
  /** Submit a judge's signed report, byte for byte. */
  submitReport(sender: Address, message: Bytes, signature: Bytes): Promise<void>;
  /** Settle up to `limit` more reveals of `window`; returns whether all are settled. */
  settle(window: number, limit: number): Promise<boolean>;
  /** Submit a judge's signed outcome, byte for byte. */
  submitOutcome(sender: Address, message: Bytes, signature: Bytes): Promise<void>;
  /** Close or skip a window whose time is over. Anyone. */
  close(window: number): Promise<void>;
  /** Slash a registered key that signed two different messages for one intent and window, or job. Anyone. */
  slash(
    key: Bytes,
    first: Bytes,
    firstSignature: Bytes,
    second: Bytes,
    secondSignature: Bytes,
  ): Promise<void>;
  /** Take one's rewards; returns VRAM. */
  claim(sender: Address): Promise<bigint>;

  /** A window that has begun. */
  window(window: number): Promise<WindowView>;
  /** Windows below `before` that are kept, newest first, at most `limit` (1..200). */
  windows(before: number, limit: number): Promise<readonly WindowSummary[]>;
  /** All miners, by uid. */
  miners(): Promise<readonly MinerRow[]>;
  /** All validators, by uid. */
  validators(): Promise<readonly ValidatorRow[]>;
  /** The active enclave key of a validator. */
  enclave(uid: number): Promise<EnclaveRow | null>;
  /** How a key was registered, also one that counts no more; null for a key that never was. */
  attestation(key: Bytes): Promise<AttestationRow | null>;
  /** What judges signed of a window. */
  messages(window: number): Promise<WindowMessages>;
  /** Approved builds. */
  measurements(): Promise<readonly MeasurementRow[]>;
  /** What an address holds: coins and what it may claim. */
  balance(
    address: Address,
  ): Promise<{ readonly sui: bigint; readonly vram: bigint; readonly claimable: bigint }>;
  /** VRAM issued to mining so far. */
  issued(): Promise<bigint>;
  /** Events after `seq`, at most `limit`. */
  events(after: number, limit: number): Promise<readonly LedgerEvent[]>;
  /** Release what the process holds of it. */
  [Symbol.dispose](): void;
}
