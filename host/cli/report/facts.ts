/**
 * What a receipt says, decoded part by part as the checks ask for it: a part that cannot be decoded fails the
 * checks that need it, and no other.
 *
 * @module
 */
import type { ApprovedSet } from "../../../attestation/mod.ts";
import { decodePackage } from "../../../enclave/model/package.ts";
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import { type Bytes, equal, toHex } from "../../../enclave/protocol/bytes.ts";
import {
  decodeContext,
  type Reveal,
  type WindowContext,
} from "../../../enclave/protocol/commit.ts";
import { type Dataset, decodeDataset } from "../../../enclave/protocol/dataset.ts";
import {
  type BeaconChain,
  chainHashOf,
  QUICKNET,
  verifyBeacon,
} from "../../../enclave/protocol/drand.ts";
import { decodeHparams, type Hparams } from "../../../enclave/protocol/hparams.ts";
import { decodeSettlement } from "../../../enclave/protocol/judge_messages.ts";
import {
  decodeOutcome,
  decodeReport,
  type Metric,
  type Outcome,
  type Report,
} from "../../../enclave/protocol/report.ts";
import type { SettledRow, Weighted } from "../../../enclave/protocol/settle.ts";
import { type Deadlines, deadlines, type Epoch } from "../../../enclave/protocol/window.ts";
import type { Receipt } from "../../receipt/mod.ts";

/** What the caller trusts besides the bundle. */
export interface Trust {
  /** DER of a SIMULATED root, asked for by name; undefined is AWS's. */
  readonly simulatedRoot?: Bytes;
  /** Approved measurements; undefined takes those that the receipt's ledger approved. */
  readonly approved?: ApprovedSet;
}

/** A check that does not hold: the message says what differs. */
export class CheckError extends Error {
  /** A failure for this reason. */
  constructor(message: string) {
    super(message);
    this.name = "CheckError";
  }
}

/** @throws {CheckError} with `message` unless `condition`. */
export function holds(condition: boolean, message: string): asserts condition {
  if (!condition) throw new CheckError(message);
}

/** @throws {CheckError} unless both are the same bytes. */
export function same(found: Uint8Array, wanted: Uint8Array, what: string): void {
  holds(equal(found, wanted), `${what} is ${toHex(found)}, it should be ${toHex(wanted)}`);
}

/** The body of a logged event. @throws {CheckError} where it is not JSON as the ledger writes it. */
export function bodyOf(row: Receipt["events"][number]): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(row.body);
    // No key twice, nothing that a reader could take in two ways.
    if (typeof value === "object" && value !== null && JSON.stringify(value) === row.body) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Told below.
  }
  throw new CheckError(`the body of event ${row.seq} is not plain JSON`);
}

/** A signed message with what was decoded of it. */
export interface Told<T> {
  /** Position in the receipt, from 0. */
  readonly at: number;
  /** What was signed. */
  readonly value: T;
}

/** A receipt, decoded lazily. */
export class Facts {
  /** As it was read. */
  readonly receipt: Receipt;
  /** What is trusted besides. */
  readonly trust: Trust;
  readonly #kept = new Map<string, unknown>();

  /** The facts of `receipt`. */
  constructor(receipt: Receipt, trust: Trust) {
    this.receipt = receipt;
    this.trust = trust;
  }

  #once<T>(name: string, make: () => T): T {
    if (!this.#kept.has(name)) this.#kept.set(name, make());
    return this.#kept.get(name) as T;
  }

  /** What the window's digest binds. */
  get context(): WindowContext {
    return this.#once("context", () => decodeContext(this.receipt.context));
  }

  /** N. */
  get window(): number {
    return this.context.window;
  }

  /** The window's rules. */
  get hparams(): Hparams {
    return this.#once("hparams", () => decodeHparams(this.receipt.hparams));
  }

  /** The data. */
  get dataset(): Dataset {
    return this.#once("dataset", () => decodeDataset(this.receipt.dataset));
  }

  /** The model; its name is part of no hash. */
  get model(): ModelConfig {
    const { model } = this.receipt;
    return "package" in model ? decodePackage(model.package) : { name: "receipt", ...model };
  }

  /** Epochs from the window's own on. */
  get epochs(): Epoch[] {
    return this.receipt.epochs.map((row) => ({
      firstWindow: row.first_window,
      startMs: row.start_ms,
      windowMs: row.window_ms,
    }));
  }

  /** The window's moments. */
  get deadlines(): Deadlines {
    return this.#once("deadlines", () => deadlines(this.epochs, this.window, this.hparams));
  }

  /** The beacon that the receipt names, or null. */
  get chain(): BeaconChain | null {
    const { beacon } = this.receipt;
    const { randomness } = this.context;
    if (beacon === null || randomness.kind !== "drand") return null;
    return {
      chainHash: randomness.chainHash,
      publicKey: beacon.public_key,
      genesisMs: beacon.genesis_ms,
      periodMs: beacon.period_ms,
    };
  }

  /**
   * Both of the window's random values, verified; null where nothing was revealed.
   *
   * @throws {CheckError} or {Refusal} where the beacon is not the chain's.
   */
  get drawn(): { readonly assign: Bytes; readonly judge: Bytes } | null {
    return this.#once("drawn", () => this.#draw());
  }

  #draw(): { readonly assign: Bytes; readonly judge: Bytes } | null {
    const { receipt: { beacon, reveals }, context: { randomness }, chain } = this;
    if (randomness.kind === "ledger") {
      holds(beacon === null, "there are signatures, and the ledger drew");
      if (reveals.length === 0) return null;
      return { assign: randomness.assignSeed, judge: randomness.judgeSeed };
    }
    if (beacon === null || chain === null) {
      holds(reveals.length === 0, "the beacon's signatures are missing");
      return null;
    }
    if (equal(chain.chainHash, QUICKNET.chainHash)) {
      same(chain.publicKey, QUICKNET.publicKey, "the key of quicknet");
      const { genesisMs, periodMs } = QUICKNET;
      holds(
        chain.genesisMs === genesisMs && chain.periodMs === periodMs,
        "genesis or period is not quicknet's",
      );
    } else {
      const { publicKey, genesisMs, periodMs } = chain;
      const hash = chainHashOf(publicKey, genesisMs, periodMs);
      same(hash, chain.chainHash, "the hash of the beacon's key, genesis and period");
    }
    const { assignRound, judgeRound } = randomness;
    return {
      assign: verifyBeacon(chain, BigInt(assignRound), beacon.assign_signature),
      judge: verifyBeacon(chain, BigInt(judgeRound), beacon.judge_signature),
    };
  }

  /** In order of arrival. */
  get reveals(): Reveal[] {
    return this.receipt.reveals.map((row) => ({
      uid: row.uid,
      commitSeq: row.commit_seq,
      contentHash: row.content_hash,
      size: row.size,
      codec: row.codec,
    }));
  }

  /** uids of the reveals, ascending. */
  get uids(): number[] {
    return this.receipt.reveals.map(({ uid }) => uid).sort((a, b) => a - b);
  }

  /** Reports in order of arrival. */
  get reports(): Told<Report>[] {
    return this.#once("reports", () => told(this.receipt.reports, decodeReport));
  }

  /** Outcomes in order of arrival. */
  get outcomes(): Told<Outcome>[] {
    return this.#once("outcomes", () => told(this.receipt.outcomes, decodeOutcome));
  }

  /** The decoded settlement, or null where there is none. */
  get settled(): { readonly randomBefore: Metric; readonly rows: SettledRow[] } | null {
    const { settlement } = this.receipt;
    return settlement === null
      ? null
      : this.#once("settled", () => decodeSettlement(settlement.settled));
  }

  /** Stake of the whole snapshot. */
  get totalStake(): bigint {
    return this.receipt.snapshot.reduce((sum, { stake }) => sum + BigInt(stake), 0n);
  }

  /** The messages with their validators' stakes. */
  weighted<T extends { readonly validator: number }>(all: readonly Told<T>[]): Weighted<T>[] {
    return all.map(({ value }) => ({ value, stake: this.stakeOf(value.validator) }));
  }

  /** Stake of one validator of the snapshot. */
  stakeOf(validator: number): bigint {
    const seat = this.receipt.snapshot.find(({ uid }) => uid === validator);
    holds(seat !== undefined, `validator ${validator} is not in the stake snapshot`);
    return BigInt(seat.stake);
  }
}

function told<T>(
  rows: readonly { readonly message: Bytes }[],
  decode: (message: Uint8Array) => T,
): Told<T>[] {
  return rows.map(({ message }, at) => ({ at, value: decode(message) }));
}
