/**
 * What the courier hands to the judge: a window's inputs as the ledger has them, with the pages that the
 * judge will ask for. The judge checks all of it; a courier that bends something gets a refusal.
 *
 * @module
 */
import { encodePackage } from "../../enclave/model/package.ts";
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { encodeManifest, type Manifest } from "../../enclave/protocol/base.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { concat } from "../../enclave/protocol/bytes.ts";
import { encodeContext } from "../../enclave/protocol/commit.ts";
import {
  assignedPages,
  type Dataset,
  encodeDataset,
  heldOutPages,
  randomPages,
} from "../../enclave/protocol/dataset.ts";
import { encodeHparams } from "../../enclave/protocol/hparams.ts";
import {
  encodeReveals,
  encodeSettlement,
  type Payload,
} from "../../enclave/protocol/judge_messages.ts";
import type { WindowView } from "../ledger/ledger.ts";
import type { WindowRandomness } from "../ledger/randomness.ts";
import type { PageSource } from "../store/pages.ts";

/** What both kinds of request share. */
export interface RequestParts {
  /** The window as the ledger has it. */
  readonly view: WindowView;
  /** The data. */
  readonly dataset: Dataset;
  /** Its pages. */
  readonly pages: PageSource;
  /** The model. */
  readonly model: ModelConfig;
  /** Beacon values. */
  readonly randomness: WindowRandomness;
  /** Reveals whose bytes are not to be had. */
  readonly unavailable: readonly number[];
}

/**
 * Ask for a report of the window; `base` is the manifest of base(N). The pages that it takes are loaded.
 *
 * @throws what `PageSource.load` does: without its data a window is not judged.
 */
export async function reportPayload(parts: RequestParts, base: Manifest): Promise<Payload> {
  const { view, dataset, randomness } = parts;
  const { hparams, window, context } = view;
  const indices = randomPages(
    dataset,
    context.ledgerId,
    window,
    randomness.judge,
    hparams.random_pages,
  );
  for (const { uid } of view.reveals) {
    indices.push(...assignedPages(dataset, uid, window, randomness.assign, hparams.own_pages));
  }
  return await payload("report", parts, base, indices, null);
}

/** Ask for the outcome of a settled window; `base` is the manifest of base(N+1). Pages as in {@link reportPayload}. */
export async function outcomePayload(parts: RequestParts, base: Manifest): Promise<Payload> {
  const { view, dataset, randomness } = parts;
  const { hparams, window, context, settled } = view;
  const { judge } = randomness;
  const indices = heldOutPages(dataset, context.ledgerId, window, judge, hparams.heldout_pages);
  const settlement = encodeSettlement(settled!.randomBefore, settled!.rows);
  return await payload("outcome", parts, base, indices, settlement);
}

/** A model as the judge takes it: its dimensions, or its package. */
export function modelMessage(model: ModelConfig): Payload["model"] {
  const { batch, context, dims, heads, layers, package: parts, vocab } = model;
  return parts === undefined
    ? { vocab, layers, dims, heads, context, batch }
    : { package: encodePackage({ ...model, package: parts }) };
}

async function payload(
  kind: "report" | "outcome",
  parts: RequestParts,
  base: Manifest,
  indices: readonly number[],
  settled: Bytes | null,
): Promise<Payload> {
  const { view, dataset, pages, randomness, unavailable } = parts;
  const drawn = [...new Set(indices)];
  await pages.load(drawn);
  return {
    kind,
    context: encodeContext(view.context),
    hparams: encodeHparams(view.hparams),
    dataset: encodeDataset(dataset),
    model: modelMessage(parts.model),
    beacon: randomness.proof,
    reveals: encodeReveals(view.reveals),
    unavailable: [...unavailable],
    pages: drawn.map((index) => ({
      index,
      tokens: pages.bytes(index),
      proof: concat(...pages.proof(index)),
    })),
    base: encodeManifest(base),
    settled,
  };
}
