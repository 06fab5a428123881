/**
 * A training job, judged: its base and its delivered result on held-out pages of the data set that it anchors. All
 * that the numbers depend on is hashed into what the verdict's message says; the ledger compares that with the job.
 *
 * @module
 */
import { type Manifest as ParamManifest, paramManifest } from "../model/params.ts";
import { type ModelConfig, pageTokens } from "../model/presets.ts";
import { safetensorsSize } from "../model/safetensors.ts";
import type { LossModel } from "../model/session.ts";
import { decodeManifest, type Manifest } from "../protocol/base.ts";
import { type Bytes, equal } from "../protocol/bytes.ts";
import { datasetRoot, decodeDataset } from "../protocol/dataset.ts";
import { tagged } from "../protocol/hash.ts";
import { jobPages } from "../protocol/job_pages.ts";
import type { JobPayload } from "../protocol/judge_messages.ts";
import { Refusal } from "../protocol/refusal.ts";
import { type Metric, toMetric } from "../protocol/report.ts";
import { assemble } from "./bases.ts";
import type { BlobStore } from "./blobs.ts";
import { type Checkpoint, isSane } from "./measure.ts";
import { bind, bindModel, bindPages, takeBlob, takePages } from "./request.ts";

/** A payload whose parts are what its hashes say. */
export interface BoundJob {
  /** Its number. */
  readonly job: number;
  /** Root of the data set. */
  readonly datasetRoot: Bytes;
  /** Hash of the base's manifest. */
  readonly baseHash: Bytes;
  /** Hash of what was delivered. */
  readonly resultHash: Bytes;
  /** The model. */
  readonly model: ModelConfig;
  /** Its parameters. */
  readonly params: ParamManifest;
  /** The base. */
  readonly base: Manifest;
  /** The result, or null where the delivered bytes are no manifest of a file of this model. */
  readonly result: Manifest | null;
  /** The drawn pages. */
  readonly pages: readonly Uint32Array[];
}

/** What a judge holds a job against. */
export interface JobBounds {
  /** Its ledger, 32 bytes. */
  readonly ledgerId: Bytes;
  /** Bytes of blobs that it holds at a time: base and result must both fit. */
  readonly blobBytes: number;
  /** Hashes of graphs that it knows. */
  readonly hashes: ReadonlyMap<string, Bytes>;
}

const says = "the job";

/**
 * Bind `payload` to the job's hashes. What the courier bends is refused; what the miner delivered is not: bytes of the
 * right hash that are no result are a result that cannot be measured.
 *
 * @throws {Refusal}
 */
export function bindJob(payload: JobPayload, bounds: JobBounds): BoundJob {
  const { base_hash: baseHash, job, result_hash: resultHash } = payload;
  const dataset = decodeDataset(payload.dataset);
  const root = datasetRoot(dataset);
  bind(equal(root, payload.dataset_root), "dataset", "The data set's root", says);
  bind(equal(hashOf(payload.base), baseHash), "base", "The base's manifest", says);
  bind(equal(hashOf(payload.result), resultHash), "result", "The result's manifest", says);
  const base = decodeManifest(payload.base);
  const model = bindModel(payload.model, base.modelHash, new Map(bounds.hashes));
  bind(dataset.pageTokens === pageTokens(model), "dataset.page_tokens", "A page's length", says);
  const params = paramManifest(model);
  if (2 * safetensorsSize(params) > bounds.blobBytes) {
    throw new Refusal("too_large", "The judge cannot hold a base and a result this large", "model");
  }
  const subject = { ledgerId: bounds.ledgerId, job, baseHash, resultHash };
  const drawn = jobPages(dataset, subject, model.batch);
  const pages = takePages(bindPages(payload.pages, dataset), drawn);
  const result = resultOf(payload.result, base, params);
  return { job, datasetRoot: root, baseHash, resultHash, model, params, base, result, pages };
}

/** The hash that a ledger knows a manifest by (`protocol/base.ts`), of any bytes. */
function hashOf(manifest: Bytes): Bytes {
  return tagged("vramhub/base/v1", manifest);
}

function resultOf(bytes: Bytes, base: Manifest, params: ParamManifest): Manifest | null {
  const result = unlessRefused(() => decodeManifest(bytes));
  const fits = result !== null && equal(result.modelHash, base.modelHash) &&
    result.size === safetensorsSize(params);
  return fits ? result : null;
}

/** What a job is decided by, in 1e-6 nats. */
export interface JobLosses {
  /** Of the base. */
  readonly lossBefore: number;
  /** Of the result, or null where it cannot be measured. */
  readonly lossAfter: Metric;
}

/**
 * Measure both. The chunks of both are taken out of `blobs` afterwards.
 *
 * @throws {Refusal} `missing_blob`; `diverged` or what is wrong with its file where the base cannot be measured.
 */
export async function measureJob(
  { base, pages, params, result }: BoundJob,
  model: LossModel,
  blobs: BlobStore,
  checkpoint: Checkpoint,
): Promise<JobLosses> {
  const chunks = [...base.chunks, ...result?.chunks ?? []];
  // A courier that forgot one learns it before anything is measured.
  for (const hash of chunks) takeBlob(blobs, hash);
  const before = await lossOf(model, assemble(params, base, blobs), pages, checkpoint);
  if (!isSane(before)) throw new Refusal("diverged", "The base's loss is none", "base");
  const theta = result === null ? null : unlessRefused(() => assemble(params, result, blobs));
  const after = theta === null ? Infinity : await lossOf(model, theta, pages, checkpoint);
  for (const hash of chunks) blobs.delete(hash);
  return { lossBefore: toMetric(before), lossAfter: isSane(after) ? toMetric(after) : null };
}

/** Mean loss in nats, batch by batch. */
async function lossOf(
  model: LossModel,
  theta: Float32Array,
  pages: readonly Uint32Array[],
  checkpoint: Checkpoint,
): Promise<number> {
  const { batch } = model.config;
  let [sum, count] = [0, 0];
  for (let at = 0; at < pages.length; at += batch) {
    checkpoint();
    const part = await model.losses(theta, pages.slice(at, at + batch));
    sum += part.sum;
    count += part.count;
  }
  return sum / count;
}

/** Null where what was delivered is refused. */
function unlessRefused<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
