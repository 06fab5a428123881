/**
 * A receipt: everything that a closed window was decided by, in one file, so that anybody can check it
 * offline. Canonical CBOR (RFC 8949 §4.2.1), strict in both directions and bounded before anything is
 * allocated. Amounts are decimal text (they pass 2^64), times milliseconds since 1970, losses 1e-6 nats.
 *
 * @module
 */
import { type Bytes, equal } from "../../enclave/protocol/bytes.ts";
import {
  arrayOf,
  asMap,
  bool,
  bytesOf,
  bytesUpTo,
  decodeStrict,
  encodeCanonical,
  type Infer,
  type Kind,
  mapOf,
  nullable,
  type Shape,
  text,
  uint,
} from "../../enclave/protocol/cbor.ts";
import { modelKind } from "../../enclave/protocol/judge_messages.ts";
import { MAX_PROOF } from "../../enclave/protocol/merkle.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { MAX_ROWS } from "../../enclave/protocol/report.ts";

/** Version of the format. */
export const RECEIPT_VERSION = 1;
/** Longest file, in bytes. */
export const MAX_RECEIPT_BYTES: number = 192 << 20;

const LIMITS = { maxBytes: MAX_RECEIPT_BYTES, maxDepth: 5, maxItems: 1 << 19 };
const MAX_VALIDATORS = 32;
/** Own pages of 256 miners, random and held-out ones, at their largest hparams. */
const MAX_PAGES = 16_704;
const MAX_EVENTS = 4_096;
const MAX_U128_DIGITS = 39;

const uid = uint(0xffff);
const address = text(66, 66);
const metric = nullable(uint());

/** A decimal amount without leading zeros, as text. */
const amount: Kind<string> = (value, field) => {
  const digits = text(MAX_U128_DIGITS, 1)(value, field);
  if (/^(0|[1-9][0-9]*)$/.test(digits)) return digits;
  throw new Refusal("wrong_kind", `Cannot read '${field}': it is no amount`, field);
};

const version: Kind<number> = (value, field) => {
  const found = uint()(value, field);
  if (found === RECEIPT_VERSION) return found;
  const message = `Cannot read '${field}': it is ${found}, this program reads ${RECEIPT_VERSION}`;
  throw new Refusal("unknown_version", message, field);
};

const status: Kind<"closed" | "skipped"> = (value, field) => {
  if (value === "closed" || value === "skipped") return value;
  throw new Refusal("wrong_kind", `Cannot read '${field}': it is no end of a window`, field);
};

const SIGNED = {
  validator: uid,
  message: bytesUpTo(16_384, 1),
  signature: bytesOf(64),
  key: bytesOf(32),
  at_ms: uint(),
} satisfies Shape;

/** The fields of a receipt. */
export const RECEIPT = {
  /** {@link RECEIPT_VERSION}. */
  version,
  /** How the window ended. */
  status,
  /** Why it was skipped, where it was. */
  skip_reason: nullable(text(256)),
  /** Dimensions or package; the hash of either is in the context. */
  model: modelKind,
  /** BCS of the window's context. */
  context: bytesUpTo(512, 1),
  /** BCS. */
  hparams: bytesUpTo(1_024, 1),
  /** BCS. */
  dataset: bytesUpTo(256, 1),
  /** The epochs that place the window and the next two in time, ascending. */
  epochs: arrayOf(
    mapOf({ first_window: uint(), start_ms: uint(), window_ms: uint() }),
    4,
    1,
  ),
  /** Signatures of the window's two rounds; null where the ledger draws, or nothing was revealed. */
  beacon: nullable(mapOf({
    public_key: bytesOf(96),
    genesis_ms: uint(),
    period_ms: uint(),
    assign_signature: bytesOf(48),
    judge_signature: bytesOf(48),
  })),
  /** In order of arrival. */
  reveals: arrayOf(
    mapOf({
      uid,
      owner: address,
      commit_seq: uint(),
      content_hash: bytesOf(32),
      size: uint(0xffff_ffff),
      codec: uint(0xff),
      ref: text(256, 1),
    }),
    MAX_ROWS,
  ),
  /** Fold of the reveals. */
  acc: bytesOf(32),
  /** The window's digest. */
  digest: bytesOf(32),
  /** Validators and stakes at the window's start, by uid. */
  snapshot: arrayOf(mapOf({ uid, owner: address, stake: amount }), MAX_VALIDATORS),
  /** Approved builds that the judges' documents matched. */
  measurements: arrayOf(
    mapOf({ name: text(64, 1), pcrs: arrayOf(bytesOf(48), 3, 3), active_from: uint() }),
    MAX_VALIDATORS,
  ),
  /** DER of the SIMULATED root, on a network that has one. */
  simulated_root: nullable(bytesUpTo(1_024, 1)),
  /** The keys that signed, each with the document that attested it. */
  keys: arrayOf(
    mapOf({
      key: bytesOf(32),
      validator: uid,
      owner: address,
      document: bytesUpTo(24_576, 1),
      document_ms: uint(),
      registered_ms: uint(),
      expires_ms: uint(),
      measurement: text(64, 1),
      simulated: bool,
    }),
    2 * MAX_VALIDATORS,
  ),
  /** Reports in order of arrival. */
  reports: arrayOf(mapOf(SIGNED), MAX_VALIDATORS),
  /** What was settled; null where the window ended without. */
  settlement: nullable(mapOf({
    /** BCS of random_before and the rows. */
    settled: bytesUpTo(32_768, 1),
    /** Hash of base(N+1)'s manifest. */
    next_base: bytesOf(32),
    digest: bytesOf(32),
    /** What the ledger alone knows of each row's miner. */
    records: arrayOf(
      mapOf({
        uid,
        average: uint(),
        prior_average: uint(),
        prior_measured: uint(),
        prior_accepted: uint(),
      }),
      MAX_ROWS,
    ),
  })),
  /** Outcomes in order of arrival. */
  outcomes: arrayOf(mapOf(SIGNED), MAX_VALIDATORS),
  /** What was paid; null where the window was skipped or empty. */
  payout: nullable(mapOf({
    miners: arrayOf(
      mapOf({
        uid,
        owner: address,
        weight: amount,
        reward: amount,
        mu_biased: amount,
        sigma: uint(),
      }),
      MAX_ROWS,
    ),
    validators: arrayOf(
      mapOf({ uid, owner: address, counted: bool, reward: amount }),
      MAX_VALIDATORS,
    ),
    issued: amount,
    merged_hash: nullable(bytesOf(32)),
    current_loss: metric,
    merged_loss: metric,
  })),
  /** BCS of the manifests of base(N), base(N+1) and the merge, as far as they were at hand. */
  manifests: arrayOf(bytesUpTo(1 << 20, 1), 3),
  /** Every page that was drawn, ascending; a proof is its hashes one after the other. */
  pages: arrayOf(
    mapOf({
      index: uint(),
      tokens: bytesUpTo(4 * (1 << 16) + 4, 8),
      proof: bytesUpTo(32 * MAX_PROOF),
    }),
    MAX_PAGES,
  ),
  /** The ledger's events about the window, ascending; bodies are JSON. */
  events: arrayOf(
    mapOf({
      seq: uint(),
      at_ms: uint(),
      window: uint(),
      kind: text(128, 1),
      body: text(65_536, 2),
    }),
    MAX_EVENTS,
  ),
} satisfies Shape;

/** A decoded receipt. Read, not verified. */
export type Receipt = Infer<typeof RECEIPT>;

/** The one encoding of a receipt. */
export function encodeReceipt(receipt: Receipt): Bytes {
  return encodeCanonical(receipt);
}

/**
 * The inverse of {@link encodeReceipt}.
 *
 * @throws {Refusal} with the field at fault; `not_canonical` where the bytes are another encoding of it.
 */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const receipt = asMap(decodeStrict(bytes, LIMITS), RECEIPT);
  if (!equal(encodeReceipt(receipt), bytes)) {
    throw new Refusal("not_canonical", "Cannot read the receipt: it is not in its one encoding");
  }
  return receipt;
}
