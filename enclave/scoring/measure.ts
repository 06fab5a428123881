/**
 * The report: a verdict for every revealed gradient, and its loss before and after on its own pages and on
 * everybody's random pages.
 *
 * @module
 */
import type { LossModel } from "../model/session.ts";
import { patch, unpatch } from "../model/update.ts";
import { betaOf, openGradient } from "../model/merge.ts";
import type { Bytes } from "../protocol/bytes.ts";
import type { Reveal } from "../protocol/commit.ts";
import { assignedPages, randomPages } from "../protocol/dataset.ts";
import { type Metric, type ReportEntry, toMetric } from "../protocol/report.ts";
import { VERDICT } from "../protocol/verdict.ts";
import { type BoundRequest, takePages } from "./request.ts";
import { gradientContext, screen } from "./screen.ts";

/** A mean loss above this many nats is a divergence; so is one that is not finite. */
const DIVERGED_NATS = 1_000;

/** What the stages of a judgement call between forward passes: throws when the time is over. */
export type Checkpoint = () => void;

/** Mean loss in nats of `theta` on `pages`. */
export async function meanLoss(
  model: LossModel,
  theta: Float32Array,
  pages: readonly Uint32Array[],
): Promise<number> {
  const { sum, count } = await model.losses(theta, pages);
  return sum / count;
}

/** Whether a loss is one that can be reported. */
export function isSane(loss: number): boolean {
  return Number.isFinite(loss) && loss <= DIVERGED_NATS;
}

/** Judge every reveal of the window; `theta` is restored bit for bit. */
export async function measure(
  request: BoundRequest,
  model: LossModel,
  theta: Float32Array,
  bytesOf: (reveal: Reveal) => Bytes,
  checkpoint: Checkpoint,
): Promise<{ readonly randomBefore: Metric; readonly entries: ReportEntry[] }> {
  const { context, hparams, dataset, assignBeacon, judgeBeacon } = request;
  const { ledgerId, window } = context;
  const total = model.manifest.total;
  const everybody = takePages(
    request.pages,
    randomPages(dataset, ledgerId, window, judgeBeacon, hparams.random_pages),
  );
  const gradients = gradientContext(request, total);
  const verdicts = screen(request, total, bytesOf);
  const before = await meanLoss(model, theta, everybody);
  const entries: ReportEntry[] = [];
  for (const reveal of [...request.reveals].sort((a, b) => a.uid - b.uid)) {
    checkpoint();
    const { uid } = reveal;
    const verdict = verdicts.get(uid)!;
    const unmeasured = { uid, ownBefore: null, ownAfter: null, randomAfter: null };
    if (verdict !== "ok") {
      entries.push({ ...unmeasured, verdict: VERDICT[verdict] });
      continue;
    }
    const own = takePages(
      request.pages,
      assignedPages(dataset, uid, window, assignBeacon, hparams.own_pages),
    );
    const { update, clip } = openGradient(gradients, reveal, bytesOf(reveal));
    const ownBefore = await meanLoss(model, theta, own);
    const undo = patch(theta, update, betaOf(hparams) * clip);
    let ownAfter: number;
    let randomAfter: number;
    try {
      ownAfter = await meanLoss(model, theta, own);
      checkpoint();
      randomAfter = await meanLoss(model, theta, everybody);
    } finally {
      unpatch(theta, undo);
    }
    const losses = [before, ownBefore, ownAfter, randomAfter];
    entries.push(
      losses.every(isSane)
        ? {
          uid,
          verdict: VERDICT.ok,
          ownBefore: toMetric(ownBefore),
          ownAfter: toMetric(ownAfter),
          randomAfter: toMetric(randomAfter),
        }
        : { ...unmeasured, verdict: VERDICT.diverged },
    );
  }
  return { randomBefore: isSane(before) ? toMetric(before) : null, entries };
}
