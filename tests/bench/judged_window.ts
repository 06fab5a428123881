/**
 * A window of any size for a judge in this process: Moby-Dick's pages with their proofs, genesis as base, and
 * random updates of 1 % of the entries as version 2 gradients. What a judge does with a gradient costs the same
 * whether it was trained or not, as long as no check refuses it.
 *
 * @module
 */
import { modelHash } from "../../enclave/model/modelhash.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { encodeSafetensors } from "../../enclave/model/safetensors.ts";
import { CHUNK_BYTES, encodeManifest } from "../../enclave/protocol/base.ts";
import { type Bytes, concat } from "../../enclave/protocol/bytes.ts";
import { encodeContext, type Reveal, type WindowContext } from "../../enclave/protocol/commit.ts";
import {
  assignedPages,
  datasetRoot,
  encodeDataset,
  randomPages,
} from "../../enclave/protocol/dataset.ts";
import { CODEC_V2, encodeV2 } from "../../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS, encodeHparams, hparamsDigest } from "../../enclave/protocol/hparams.ts";
import { encodeBody, encodeReveals } from "../../enclave/protocol/judge_messages.ts";
import { type Base, genesisBase } from "../../host/store/bases.ts";
import type { Pages } from "../../host/store/pages.ts";
import { BEACON, beaconSignature, CHAIN_ID, LEDGER_ID } from "../support/window.ts";
import { randomUpdate } from "./updates.ts";

const ASSIGN_ROUND = 11;
const JUDGE_ROUND = 16;
/** Defaults, but time enough for a slow machine. */
const HPARAMS = { ...DEFAULT_HPARAMS, window_ms: 3_600_000 };

/** A window as a courier hands it over. */
export interface JudgedWindow {
  /** Body of `POST /process_data` for a report. */
  readonly body: Bytes;
  /** Gradients and the base's chunks. */
  readonly blobs: readonly Bytes[];
  /** Batches that a judge's forward passes take. */
  readonly batches: number;
}

/** What windows of one model share. */
export interface Ground {
  /** The model. */
  readonly model: ModelConfig;
  /** Its data. */
  readonly pages: Pages;
  /** Its first base. */
  readonly base: Base;
}

/** The ground of `model`'s windows. */
export function groundOf(model: ModelConfig, pages: Pages): Ground {
  return { model, pages, base: genesisBase(model, modelHash(model)) };
}

/** Window `n` with `miners` gradients. */
export function judgedWindow(ground: Ground, n: number, miners: number): JudgedWindow {
  const { model, pages: { dataset }, base } = ground;
  const { total } = paramManifest(model);
  const gradients = Array.from({ length: miners }, (_, uid) => {
    const update = randomUpdate(total, Math.ceil(total / 100), 1_000 * n + uid);
    return encodeV2(update, { uid, window: n, baseHash: base.hash });
  });
  const reveals: Reveal[] = gradients.map((bytes, uid) => ({
    uid,
    commitSeq: uid,
    contentHash: sha256(bytes),
    size: bytes.length,
    codec: CODEC_V2,
  }));
  const context: WindowContext = {
    chainId: CHAIN_ID,
    ledgerId: LEDGER_ID,
    workload: HPARAMS.workload,
    version: HPARAMS.version,
    window: n,
    hparamsDigest: hparamsDigest(HPARAMS),
    modelHash: base.manifest.modelHash,
    baseHash: base.hash,
    datasetRoot: datasetRoot(dataset),
    randomness: {
      kind: "drand",
      chainHash: BEACON.chainHash,
      assignRound: ASSIGN_ROUND,
      judgeRound: JUDGE_ROUND,
    },
  };
  const body = encodeBody({ payload: payloadOf(ground, context, reveals) });
  const passes = HPARAMS.random_pages + miners * (2 * HPARAMS.own_pages + HPARAMS.random_pages);
  return { body, blobs: [...chunksOf(ground), ...gradients], batches: passes / model.batch };
}

function payloadOf(ground: Ground, context: WindowContext, reveals: readonly Reveal[]) {
  const { model, pages, base } = ground;
  const { vocab, layers, dims, heads, context: length, batch } = model;
  return {
    kind: "report",
    context: encodeContext(context),
    hparams: encodeHparams(HPARAMS),
    dataset: encodeDataset(pages.dataset),
    model: { vocab, layers, dims, heads, context: length, batch },
    beacon: {
      public_key: BEACON.publicKey,
      genesis_ms: BEACON.genesisMs,
      period_ms: BEACON.periodMs,
      assign_signature: beaconSignature(ASSIGN_ROUND),
      judge_signature: beaconSignature(JUDGE_ROUND),
    },
    reveals: encodeReveals(reveals),
    unavailable: [],
    pages: neededPages(ground, context.window, reveals).map((index) => ({
      index,
      tokens: pages.bytes(index),
      proof: concat(...pages.proof(index)),
    })),
    base: encodeManifest(base.manifest),
    settled: null,
  };
}

function neededPages({ pages }: Ground, window: number, reveals: readonly Reveal[]): number[] {
  const [first, second] = [ASSIGN_ROUND, JUDGE_ROUND].map((round) =>
    sha256(beaconSignature(round))
  );
  const { dataset } = pages;
  const own = reveals.flatMap(({ uid }) =>
    assignedPages(dataset, uid, window, first!, HPARAMS.own_pages)
  );
  const random = randomPages(dataset, LEDGER_ID, window, second!, HPARAMS.random_pages);
  return [...new Set([...own, ...random])].sort((a, b) => a - b);
}

function chunksOf({ model, base }: Ground): Bytes[] {
  const file = encodeSafetensors(paramManifest(model), base.theta);
  return Array.from(
    { length: Math.ceil(file.length / CHUNK_BYTES) },
    (_, i) => file.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
  );
}
