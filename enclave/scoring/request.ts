/**
 * A request to the judge, bound: every input is checked against the context that it will sign the digest
 * of. What is not bound here cannot reach a number.
 *
 * @module
 */
import { modelHash } from "../model/modelhash.ts";
import { decodePackage } from "../model/package.ts";
import { checkConfig, type ModelConfig, pageTokens } from "../model/presets.ts";
import { decodeManifest, type Manifest, manifestHash } from "../protocol/base.ts";
import { type Bytes, equal, toHex } from "../protocol/bytes.ts";
import {
  decodeContext,
  foldReveals,
  type Reveal,
  type WindowContext,
  windowDigest,
} from "../protocol/commit.ts";
import { type Dataset, datasetRoot, decodeDataset, trainingPages } from "../protocol/dataset.ts";
import { type BeaconChain, chainHashOf, QUICKNET, verifyBeacon } from "../protocol/drand.ts";
import { decodeHparams, type Hparams, hparamsDigest } from "../protocol/hparams.ts";
import type { JudgeIdentity } from "../protocol/identity.ts";
import { decodeReveals, type Payload } from "../protocol/judge_messages.ts";
import { leafHash, verifyMerkle } from "../protocol/merkle.ts";
import { Refusal } from "../protocol/refusal.ts";

/** A payload whose parts are what the window's digest says they are. */
export interface BoundRequest {
  /** What the digest binds. */
  readonly context: WindowContext;
  /** The digest. */
  readonly digest: Bytes;
  /** Hparams of N. */
  readonly hparams: Hparams;
  /** The data set. */
  readonly dataset: Dataset;
  /** The model. */
  readonly model: ModelConfig;
  /** In order of arrival. */
  readonly reveals: readonly Reveal[];
  /** Reveals whose bytes the courier could not get. */
  readonly unavailable: ReadonlySet<number>;
  /** Randomness that assigned the window's pages. */
  readonly assignBeacon: Bytes;
  /** Randomness after the reveals. */
  readonly judgeBeacon: Bytes;
  /** Manifest of the base: of N for a report, of N+1 for an outcome. */
  readonly base: Manifest;
  /** Its hash. */
  readonly baseHash: Bytes;
  /** Verified pages by index. */
  readonly pages: ReadonlyMap<number, Uint32Array>;
}

/** Refuse `field` as `unbound_input` unless what was given is what the digest or the job says. @throws {Refusal} */
export function bind(condition: boolean, field: string, what: string, says = "the context"): void {
  if (!condition) {
    throw new Refusal("unbound_input", `${what} is not what ${says} says`, field);
  }
}

/** Bind `payload` to its context, and the context to this judge's ledger. Graphs' hashes are costly: `hashes` keeps them. */
export function bindRequest(
  payload: Payload,
  identity: JudgeIdentity,
  hashes: Map<string, Bytes>,
): BoundRequest {
  const context = decodeContext(payload.context);
  bind(equal(context.chainId, identity.chainId), "context.chain_id", "The chain");
  bind(equal(context.ledgerId, identity.ledgerId), "context.ledger_id", "The ledger");
  const hparams = decodeHparams(payload.hparams);
  bind(equal(hparamsDigest(hparams), context.hparamsDigest), "hparams", "The hparams' digest");
  bind(
    hparams.workload === context.workload && hparams.version === context.version,
    "hparams.workload",
    "The workload",
  );
  const dataset = decodeDataset(payload.dataset);
  bind(equal(datasetRoot(dataset), context.datasetRoot), "dataset", "The data set's root");
  const model = bindModel(payload.model, context.modelHash, hashes);
  bind(dataset.pageTokens === pageTokens(model), "dataset.page_tokens", "A page's length");
  checkPageCounts(hparams, dataset, model);
  const { assignBeacon, judgeBeacon } = bindRandomness(payload, context, hparams);
  const reveals = decodeReveals(payload.reveals);
  const uids = new Set(reveals.map(({ uid }) => uid));
  const unavailable = new Set(payload.unavailable);
  bind([...unavailable].every((uid) => uids.has(uid)), "unavailable", "A uid");
  const base = decodeManifest(payload.base);
  const baseHash = manifestHash(base);
  bind(equal(base.modelHash, context.modelHash), "base", "The base's model");
  if (payload.kind === "report") {
    bind(equal(baseHash, context.baseHash), "base", "The base");
    bind(payload.settled === null, "settled", "The settlement of a window that is not settled");
  }
  return {
    context,
    digest: windowDigest(context, foldReveals(reveals)),
    hparams,
    dataset,
    model,
    reveals,
    unavailable,
    assignBeacon,
    judgeBeacon,
    base,
    baseHash,
    pages: bindPages(payload.pages, dataset),
  };
}

/** Every draw of pages must fill the graph's batches, and find as many pages as it takes. */
function checkPageCounts(hparams: Hparams, dataset: Dataset, model: ModelConfig): void {
  const training = trainingPages(dataset.pageCount);
  for (
    const [name, pages] of [
      ["own_pages", training],
      ["random_pages", training],
      ["heldout_pages", dataset.pageCount - training],
    ] as const
  ) {
    if (hparams[name] % model.batch !== 0 || hparams[name] > pages) {
      throw new Refusal(
        "bad_hparam",
        `${name} is ${
          hparams[name]
        }: it must be a multiple of ${model.batch}, and ${pages} at most`,
        name,
      );
    }
  }
}

/** The model of these dimensions or this package, which must have the hash `wanted`. */
export function bindModel(
  dimensions: Payload["model"],
  wanted: Bytes,
  hashes: Map<string, Bytes>,
): ModelConfig {
  if ("package" in dimensions) {
    const packaged = decodePackage(dimensions.package);
    bind(equal(modelHash(packaged), wanted), "model.package", "The model's hash");
    return packaged;
  }
  const model: ModelConfig = { name: "judged", ...dimensions };
  try {
    checkConfig(model);
  } catch (error) {
    throw new Refusal("bad_model", (error as Error).message, "model");
  }
  const key = JSON.stringify(dimensions);
  const hash = hashes.get(key) ?? modelHash(model);
  bind(equal(hash, wanted), "model", "The model's hash");
  hashes.set(key, hash); // only a hash that a ledger names is kept: the map stays small
  return model;
}

function bindRandomness(
  payload: Payload,
  context: WindowContext,
  hparams: Hparams,
): { assignBeacon: Bytes; judgeBeacon: Bytes } {
  const { randomness } = context;
  bind(
    (randomness.kind === "drand") === (hparams.randomness_kind === 0),
    "context.randomness",
    "The kind of randomness",
  );
  if (randomness.kind === "ledger") {
    bind(payload.beacon === null, "beacon", "Randomness");
    return { assignBeacon: randomness.assignSeed, judgeBeacon: randomness.judgeSeed };
  }
  const given = payload.beacon;
  if (given === null) {
    throw new Refusal("missing_beacon", "The window's beacon signatures are missing", "beacon");
  }
  const chain: BeaconChain = {
    chainHash: randomness.chainHash,
    publicKey: given.public_key,
    genesisMs: given.genesis_ms,
    periodMs: given.period_ms,
  };
  const known = equal(chain.chainHash, QUICKNET.chainHash)
    ? equal(chain.publicKey, QUICKNET.publicKey)
    : equal(chain.chainHash, chainHashOf(chain.publicKey, chain.genesisMs, chain.periodMs));
  bind(known, "beacon.public_key", "The beacon's key");
  return {
    assignBeacon: verifyBeacon(chain, BigInt(randomness.assignRound), given.assign_signature),
    judgeBeacon: verifyBeacon(chain, BigInt(randomness.judgeRound), given.judge_signature),
  };
}

/** Pages of `dataset` by index, each proven. */
export function bindPages(given: Payload["pages"], dataset: Dataset): Map<number, Uint32Array> {
  const pages = new Map<number, Uint32Array>();
  for (const { index, tokens, proof } of given) {
    const hashes: Bytes[] = [];
    for (let at = 0; at < proof.length; at += 32) hashes.push(proof.slice(at, at + 32));
    const sound = tokens.length === 4 * dataset.pageTokens &&
      verifyMerkle(dataset.merkleRoot, dataset.pageCount, index, leafHash(tokens), hashes);
    if (!sound) throw new Refusal("bad_page", `Page ${index} is not in the data set`, "pages");
    const view = new DataView(tokens.buffer, tokens.byteOffset);
    pages.set(
      index,
      Uint32Array.from({ length: dataset.pageTokens }, (_, i) => view.getUint32(4 * i, true)),
    );
  }
  return pages;
}

/** The pages of `indices`, or a refusal that names the first one missing. */
export function takePages(
  pages: ReadonlyMap<number, Uint32Array>,
  indices: readonly number[],
): Uint32Array[] {
  return indices.map((index) => {
    const page = pages.get(index);
    if (page === undefined) {
      throw new Refusal("missing_page", `Page ${index} is needed and was not given`, "pages");
    }
    return page;
  });
}

/** The blob of `hash`, or a refusal that names it. */
export function takeBlob(blobs: { get(hash: Uint8Array): Bytes | undefined }, hash: Bytes): Bytes {
  const blob = blobs.get(hash);
  if (blob === undefined) {
    throw new Refusal("missing_blob", `Blob ${toHex(hash)} is needed and was not given`, "blobs");
  }
  return blob;
}
