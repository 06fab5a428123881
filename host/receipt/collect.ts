/**
 * Collects a window's receipt from the ledger, the data set and the beacon: a function of public state, so
 * that two collectors write the same bytes.
 *
 * @module
 */
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { encodeManifest, type Manifest } from "../../enclave/protocol/base.ts";
import { type Bytes, concat, equal, toHex } from "../../enclave/protocol/bytes.ts";
import { encodeContext } from "../../enclave/protocol/commit.ts";
import { encodeDataset } from "../../enclave/protocol/dataset.ts";
import { encodeHparams } from "../../enclave/protocol/hparams.ts";
import { encodeSettlement } from "../../enclave/protocol/judge_messages.ts";
import { BIAS } from "../../enclave/protocol/report.ts";
import type { Epoch } from "../../enclave/protocol/window.ts";
import { modelMessage } from "../courier/request.ts";
import type { Ledger, SignedRow, WindowView } from "../ledger/ledger.ts";
import {
  type BeaconSource,
  type WindowRandomness,
  windowRandomness,
} from "../ledger/randomness.ts";
import type { PageSource } from "../store/pages.ts";
import { drawnPages } from "./draws.ts";
import { windowEvents } from "./events.ts";
import { type Receipt, RECEIPT_VERSION } from "./format.ts";

/** Where a receipt is collected from. */
export interface ReceiptSources {
  /** The ledger. */
  readonly ledger: Ledger;
  /** The data. */
  readonly pages: PageSource;
  /** Randomness. */
  readonly beacon: BeaconSource;
  /** The model. */
  readonly model: ModelConfig;
  /** The manifest of a base, where it is at hand. */
  readonly manifest: (hash: Bytes) => Manifest | undefined;
}

/**
 * The receipt of a window that is closed or skipped.
 *
 * @throws {RangeError} where it is neither.
 */
export async function collectReceipt(sources: ReceiptSources, window: number): Promise<Receipt> {
  const { ledger, pages, beacon, model } = sources;
  const view = await ledger.window(window);
  const { status, settled, payout } = view;
  if (status !== "closed" && status !== "skipped") {
    throw new RangeError(`Cannot write a receipt as window ${window} is still ${status}`);
  }
  const { reports, outcomes } = await ledger.messages(window);
  const nextBase = settled === null ? null : (await ledger.window(window + 1)).baseHash;
  const randomness = view.reveals.length === 0 ? null : await windowRandomness(view, beacon);
  const { keys, measurements } = await attestations(ledger, [...reports, ...outcomes]);
  return {
    version: RECEIPT_VERSION,
    status,
    skip_reason: view.skipReason,
    model: modelMessage(model),
    context: encodeContext(view.context),
    hparams: encodeHparams(view.hparams),
    dataset: encodeDataset(pages.dataset),
    epochs: epochsOf(await ledger.epochs(), window),
    beacon: randomness?.proof ?? null,
    reveals: view.reveals.map((reveal) => ({
      uid: reveal.uid,
      owner: reveal.owner,
      commit_seq: reveal.commitSeq,
      content_hash: reveal.contentHash,
      size: reveal.size,
      codec: reveal.codec,
      ref: reveal.ref,
    })),
    acc: view.acc,
    digest: view.digest,
    snapshot: view.snapshot.map(({ uid, owner, stake }) => ({ uid, owner, stake: `${stake}` })),
    measurements,
    simulated_root: (await ledger.info()).simulatedRoot,
    keys,
    reports: reports.map(toSigned),
    // A skip drops what was staged.
    settlement: settled === null || status === "skipped" ? null : {
      settled: encodeSettlement(settled.randomBefore, settled.rows),
      next_base: nextBase!,
      digest: settled.digest,
      records: settled.records.map((record) => ({
        uid: record.uid,
        average: record.average,
        prior_average: record.priorAverage,
        prior_measured: record.priorMeasured,
        prior_accepted: record.priorAccepted,
      })),
    },
    outcomes: outcomes.map(toSigned),
    payout: payout === null ? null : {
      miners: payout.miners.map(({ uid, owner, weight, reward, mu, sigma }) => ({
        uid,
        owner,
        weight: `${weight}`,
        reward: `${reward}`,
        mu_biased: `${BIAS + BigInt(mu)}`,
        sigma,
      })),
      validators: payout.validators.map(({ uid, owner, counted, reward }) => ({
        uid,
        owner,
        counted,
        reward: `${reward}`,
      })),
      issued: `${payout.issued}`,
      merged_hash: payout.mergedHash,
      current_loss: payout.currentLoss,
      merged_loss: payout.mergedLoss,
    },
    manifests: manifestsOf(sources, [view.baseHash, nextBase, payout?.mergedHash ?? null]),
    pages: randomness === null ? [] : await provenPages(sources, view, randomness),
    events: (await windowEvents(ledger, window)).map(({ seq, atMs, window, kind, body }) => ({
      seq,
      at_ms: atMs,
      window,
      kind,
      body: JSON.stringify(body),
    })),
  };
}

function toSigned({ validator, message, signature, key, atMs }: SignedRow) {
  return { validator, message, signature, key, at_ms: atMs };
}

/** The epoch of `window`, and those that begin within the two windows that its deadlines reach into. */
function epochsOf(epochs: readonly Epoch[], window: number): Receipt["epochs"] {
  const running = epochs.findLastIndex(({ firstWindow }) => firstWindow <= window);
  return epochs.slice(running).filter(({ firstWindow }) => firstWindow <= window + 2)
    .map(({ firstWindow, startMs, windowMs }) => ({
      first_window: firstWindow,
      start_ms: startMs,
      window_ms: windowMs,
    }));
}

/** Each key that signed, with its document, and the builds that those were found to be. */
async function attestations(
  ledger: Ledger,
  signed: readonly SignedRow[],
): Promise<Pick<Receipt, "keys" | "measurements">> {
  const hexes = new Map(signed.map(({ key }) => [toHex(key), key]));
  const keys: Receipt["keys"] = [];
  for (const [, key] of [...hexes].sort()) {
    const row = await ledger.attestation(key);
    if (row === null) throw new TypeError(`Cannot find how ${toHex(key)} was registered`);
    keys.push({
      key,
      validator: row.uid,
      owner: row.owner,
      document: row.document,
      document_ms: row.documentMs,
      registered_ms: row.registeredMs,
      expires_ms: row.expiresMs,
      measurement: row.measurement,
      simulated: row.simulated,
    });
  }
  const names = new Set(keys.map(({ measurement }) => measurement));
  const approved = (await ledger.measurements()).filter(({ name }) => names.has(name));
  return {
    keys,
    measurements: approved.map(({ name, pcrs, activeFrom }) => ({
      name,
      pcrs: [...pcrs],
      active_from: activeFrom,
    })),
  };
}

function manifestsOf(
  { manifest }: ReceiptSources,
  hashes: readonly (Bytes | null)[],
): Receipt["manifests"] {
  const wanted: Bytes[] = [];
  for (const hash of hashes) {
    if (hash !== null && !wanted.some((other) => equal(other, hash))) wanted.push(hash);
  }
  return wanted.map(manifest).filter((found) => found !== undefined).map(encodeManifest);
}

async function provenPages(
  { pages }: ReceiptSources,
  view: WindowView,
  { assign, judge }: WindowRandomness,
): Promise<Receipt["pages"]> {
  const { context, hparams, reveals } = view;
  const uids = reveals.map(({ uid }) => uid);
  const { dataset } = pages;
  const drawn = drawnPages({ context, hparams, dataset, uids, assign, judge });
  await pages.load(drawn);
  return drawn.map((index) => ({
    index,
    tokens: pages.bytes(index),
    proof: concat(...pages.proof(index)),
  }));
}
