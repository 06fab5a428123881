/**
 * A training job for tests of the judge: the data and the base of {@linkcode TestNet}, and a result that one gradient
 * step made better.
 *
 * @module
 */
import { paramManifest } from "../../enclave/model/params.ts";
import { encodeSafetensors } from "../../enclave/model/safetensors.ts";
import { patch } from "../../enclave/model/update.ts";
import { encodeManifest, manifestOf } from "../../enclave/protocol/base.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { datasetRoot, encodeDataset } from "../../enclave/protocol/dataset.ts";
import { sha256, tagged } from "../../enclave/protocol/hash.ts";
import { jobPages } from "../../enclave/protocol/job_pages.ts";
import { encodeBody, type JobPayload } from "../../enclave/protocol/judge_messages.ts";
import { LEDGER_ID, MODEL, type TestNet } from "./window.ts";

/** A hash of a manifest, or of anything in its place. */
export const hashOf = (manifest: Bytes): Bytes => tagged("vramhub/base/v1", manifest);

/** The file of weights that a step on miner 1's pages of window 3 made better. */
export async function betterFile(net: TestNet): Promise<Bytes> {
  const theta = net.theta.slice();
  patch(theta, await net.train(3, 1), 1);
  return encodeSafetensors(paramManifest(MODEL), theta);
}

/** The manifest of a result's file, encoded. */
export function manifestBytes(net: TestNet, file: Bytes): Bytes {
  const about = { modelHash: net.modelHash, parent: hashOf(encodeManifest(net.base)), window: 0 };
  return encodeManifest(manifestOf(file, about));
}

/** What a courier sends about job `job`, whose delivered manifest is `result`. */
export function jobPayload(net: TestNet, job: number, result: Bytes): JobPayload {
  const base = encodeManifest(net.base);
  const subject = { ledgerId: LEDGER_ID, job, baseHash: hashOf(base), resultHash: hashOf(result) };
  const { vocab, layers, dims, heads, context, batch } = MODEL;
  return {
    job,
    dataset_root: datasetRoot(net.dataset),
    base_hash: subject.baseHash,
    result_hash: subject.resultHash,
    dataset: encodeDataset(net.dataset),
    model: { vocab, layers, dims, heads, context, batch },
    pages: jobPages(net.dataset, subject, batch).map((index) => net.page(index)),
    base,
    result,
  };
}

/** The body of `POST /process_job`. */
export function jobBody(payload: JobPayload): Bytes {
  return encodeBody({ payload });
}

/** The chunks of files, by hash. */
export function chunksOf(net: TestNet, ...files: readonly Bytes[]) {
  return files.flatMap((file) => net.chunks(file)).map((bytes) => ({ hash: sha256(bytes), bytes }));
}
