/**
 * The judge's HTTP bodies: CBOR maps, strict in both directions. The courier and the judge share this file.
 *
 * @module
 */
import { BcsReader, BcsWriter, decodeBcs } from "./bcs.ts";
import type { Bytes } from "./bytes.ts";
import { decodeStrict, encodeCanonical } from "./cbor.ts";
import {
  arrayOf,
  asMap,
  bytesOf,
  bytesUpTo,
  type Infer,
  type Kind,
  mapOf,
  nullable,
  type Shape,
  text,
  uint,
} from "./cbor_schema.ts";
import type { Reveal } from "./commit.ts";
import { MAX_JOB_PAGES } from "./job_pages.ts";
import { MAX_PROOF } from "./merkle.ts";
import { Refusal } from "./refusal.ts";
import { checkAscending, MAX_ROWS, type Metric, readMetric, readRating } from "./report.ts";
import { type SettledRow, writeSettlement } from "./settle.ts";
import { hasMetrics, isSettled } from "./verdict.ts";

/** Body of `POST /process_data` at most. */
export const MAX_BODY = 64 << 20;
/** A blob of `PUT /blobs/<sha256>` at most: the largest gradient that hparams may allow. */
export const MAX_BLOB = 256 << 20;
/** Pages of a request at most. */
const MAX_PAGES = 16_704;

/** `POST /configure`: once after boot. */
export const CONFIGURE = {
  chain_id: bytesOf(32),
  ledger_id: bytesOf(32),
  validator: uint(0xffff),
  address: bytesOf(32),
} satisfies Shape;

const MODEL = {
  vocab: uint(1 << 20),
  layers: uint(128),
  dims: uint(1 << 14),
  heads: uint(128),
  context: uint(1 << 16),
  batch: uint(64),
} satisfies Shape;

const PACKAGED = {
  /** `encodePackage` of the model's package. */
  package: bytesUpTo(1 << 20, 1),
} satisfies Shape;

/** A model by its dimensions, or by its package. */
export type ModelMessage =
  | Readonly<Record<"vocab" | "layers" | "dims" | "heads" | "context" | "batch", number>>
  | { readonly package: Bytes };

/** Reads a {@link ModelMessage}. */
export function modelKind(value: unknown, field: string): ModelMessage {
  return value instanceof Map && value.has("package")
    ? asMap(value, PACKAGED, field)
    : asMap(value, MODEL, field);
}

const BEACON = {
  public_key: bytesOf(96),
  genesis_ms: uint(),
  period_ms: uint(),
  assign_signature: bytesOf(48),
  judge_signature: bytesOf(48),
} satisfies Shape;

const PAGE = {
  index: uint(),
  tokens: bytesUpTo(4 * (1 << 16) + 4, 8),
  proof: bytesUpTo(32 * MAX_PROOF),
} satisfies Shape;

/** The payload of `POST /process_data`: a window to report on, or to draw the outcome of. */
export const PAYLOAD = {
  /** `report` or `outcome`. */
  kind: text(7, 6),
  /** BCS of the window's context. */
  context: bytesUpTo(512),
  /** BCS. */
  hparams: bytesUpTo(1024),
  /** BCS. */
  dataset: bytesUpTo(256),
  /** Dimensions or package; the hash of the graph that they give is in the context. */
  model: modelKind,
  /** Beacon signatures; null where the ledger draws. */
  beacon: nullable(mapOf(BEACON)),
  /** {@link encodeReveals}. */
  reveals: bytesUpTo(16_384),
  /** uids whose gradients the courier could not get: it abstains on them. */
  unavailable: arrayOf(uint(0xffff), MAX_ROWS),
  /** Pages with their proofs; a page's proof is its hashes one after the other. */
  pages: arrayOf(mapOf(PAGE), MAX_PAGES),
  /** Manifest of base(N) for a report, of base(N+1) for an outcome. */
  base: bytesUpTo(1 << 20),
  /** {@link encodeSettlement}, for an outcome. */
  settled: nullable(bytesUpTo(32_768)),
} satisfies Shape;

/** A decoded payload. */
export type Payload = Infer<typeof PAYLOAD>;

/** The payload of `POST /process_job`: a delivered training job, as the ledger has it, and what its hashes stand for. */
export const JOB_PAYLOAD = {
  /** Its number. */
  job: uint(),
  /** Root of the data set that the job anchors. */
  dataset_root: bytesOf(32),
  /** Hash of the base's manifest. */
  base_hash: bytesOf(32),
  /** Hash of the delivered result's manifest. */
  result_hash: bytesOf(32),
  /** BCS. */
  dataset: bytesUpTo(256),
  /**
   * Dimensions, whose graph's hash is in the base's manifest. No package: anybody may post a job, and a graph of a
   * customer's choice is not run beside the judge's key.
   */
  model: mapOf(MODEL),
  /** The drawn held-out pages (`job_pages.ts`). */
  pages: arrayOf(mapOf(PAGE), MAX_JOB_PAGES),
  /** The base's manifest. */
  base: bytesUpTo(1 << 20),
  /** The bytes of `result_hash`: a manifest, or whatever was delivered as one. */
  result: bytesUpTo(1 << 20),
} satisfies Shape;

/** A decoded job. */
export type JobPayload = Infer<typeof JOB_PAYLOAD>;

/** Answer to both: the signed bytes, and the merged base's manifest where there is one. */
export const SIGNED = {
  message: bytesUpTo(16_384, 1),
  signature: bytesOf(64),
  manifest: nullable(bytesUpTo(1 << 20)),
} satisfies Shape;

/** A decoded answer. */
export type Signed = Infer<typeof SIGNED>;

/** `GET /health_check`. */
export const HEALTH = {
  public_key: bytesOf(32),
  configured: uint(1),
  busy: uint(1),
} satisfies Shape;

/** `GET /get_attestation`. */
export const ATTESTATION = { attestation_document: bytesUpTo(24_576, 1) } satisfies Shape;

/** Every refusal's body. */
export const REFUSED = {
  error: text(64, 1),
  message: text(4_096),
  field: nullable(text(256)),
} satisfies Shape;

const LIMITS = { maxBytes: MAX_BODY, maxItems: 1 << 18, maxDepth: 8 };

/** Decode a CBOR body as `shape`. */
export function decodeBody<S extends Shape>(bytes: Uint8Array, shape: S): Infer<S> {
  return asMap(decodeStrict(bytes, LIMITS), shape);
}

/** Nautilus's envelope: `{payload: …}`. */
export function decodeEnvelope(bytes: Uint8Array): Payload {
  const payload: Kind<Payload> = mapOf(PAYLOAD);
  return asMap(decodeStrict(bytes, LIMITS), { payload }).payload;
}

/** The same envelope around a job. */
export function decodeJobEnvelope(bytes: Uint8Array): JobPayload {
  const payload: Kind<JobPayload> = mapOf(JOB_PAYLOAD);
  return asMap(decodeStrict(bytes, LIMITS), { payload }).payload;
}

/** Encode a body. */
export function encodeBody(body: Readonly<Record<string, unknown>>): Bytes {
  return encodeCanonical(body);
}

/** BCS of the reveals in order of arrival: 47 bytes each. */
export function encodeReveals(reveals: readonly Reveal[]): Bytes {
  return new BcsWriter().list(reveals, (w, reveal) => {
    w.u16(reveal.uid).u64(reveal.commitSeq).fixed(reveal.contentHash, 32).u32(reveal.size)
      .u8(reveal.codec);
  }).finish();
}

/** The inverse of {@link encodeReveals}; no uid and no commit twice. */
export function decodeReveals(bytes: Uint8Array): Reveal[] {
  const reveals = decodeBcs(bytes, (reader) =>
    reader.list(MAX_ROWS, (r): Reveal => ({
      uid: r.u16(),
      commitSeq: r.count(),
      contentHash: r.fixed(32),
      size: r.u32(),
      codec: r.u8(),
    })));
  for (const key of ["uid", "commitSeq"] as const) {
    if (new Set(reveals.map((reveal) => reveal[key])).size !== reveals.length) {
      throw new Refusal("bad_reveals", `A ${key} occurs twice among the reveals`, "reveals");
    }
  }
  return reveals;
}

/** BCS of a settlement: random_before, then the rows. */
export function encodeSettlement(randomBefore: Metric, rows: readonly SettledRow[]): Bytes {
  return writeSettlement(new BcsWriter(), randomBefore, rows).finish();
}

/** The inverse of {@link encodeSettlement}; refuses codes that are never settled and metrics that do not fit them. */
export function decodeSettlement(
  bytes: Uint8Array,
): { readonly randomBefore: Metric; readonly rows: SettledRow[] } {
  const reader = new BcsReader(bytes);
  const randomBefore = readMetric(reader);
  const rows = reader.list(MAX_ROWS, (r): SettledRow => {
    const row = {
      uid: r.u16(),
      verdict: r.u8(),
      ownBefore: readMetric(r),
      ownAfter: readMetric(r),
      randomAfter: readMetric(r),
    };
    const prior = readRating(r);
    return { ...row, priorMu: prior.mu, priorSigma: prior.sigma };
  });
  reader.finish();
  checkAscending(rows);
  for (const row of rows) {
    if (!isSettled(row.verdict)) {
      throw new Refusal("bad_verdict", `${row.verdict} is never settled`, "verdict");
    }
    const metrics = [row.ownBefore, row.ownAfter, row.randomAfter];
    const measured = metrics.filter((metric) => metric !== null).length;
    if (measured !== (hasMetrics(row.verdict) ? metrics.length : 0)) {
      throw new Refusal("bad_metrics", `Row ${row.uid} has ${measured} metrics`, "metrics");
    }
  }
  return { randomBefore, rows };
}
