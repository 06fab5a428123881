/**
 * The training of a job: whole passes over its training pages, then more until the held-out loss fell by what is asked,
 * as long as there is time. Every round ends with the weights on disk.
 *
 * @module
 */
import { paramManifest } from "../../enclave/model/params.ts";
import { safetensorsHeader } from "../../enclave/model/safetensors.ts";
import { trainingPages } from "../../enclave/protocol/dataset.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { JobRow } from "../../host/ledger/jobs.ts";
import { checkedGradient, encodeFlat } from "../adapters/checkpoint.ts";
import type { HeldOut } from "./held_out.ts";
import {
  giveBack,
  type JobMinerParts,
  type JobTrainer,
  lastMoment,
  type Prepared,
  TARGET,
} from "./job_parts.ts";
import { pagesAt } from "./order.ts";
import type { JobProgress, JobState } from "./progress.ts";

/** Optimiser steps between two states on disk. */
const ROUND_STEPS = 32;

/** What training works with. */
export interface TrainingTools {
  /** Ledger, slot and log. */
  readonly parts: Pick<JobMinerParts, "ledger" | "log" | "uid">;
  /** Where the weights are kept. */
  readonly progress: JobProgress;
  /** Opens the trainer; the same one each time. */
  readonly trainer: () => Promise<JobTrainer>;
}

/** Optimiser steps of a round: of a small data set, one pass. */
export function stepsOf({ base, pages }: Prepared): number {
  return Math.min(
    ROUND_STEPS,
    Math.ceil(trainingPages(pages.dataset.pageCount) / base.model.batch),
  );
}

/**
 * Weights that lower the held-out loss by what `job` asks.
 *
 * @throws {Refusal} `diverged`, or `no_improvement` where the time is over before they do.
 */
export async function trainJob(
  job: JobRow,
  prepared: Prepared,
  { parts, progress, trainer }: TrainingTools,
  signal: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const { ledger, log } = parts;
  const { base, held, pages } = prepared;
  const until = lastMoment(job);
  const all = trainingPages(pages.dataset.pageCount);
  const take = stepsOf(prepared) * base.model.batch;
  let state = await progress.load() ?? { theta: prepared.theta.slice(), pages: 0 };
  if (state.pages > 0) log("info", TARGET, "Job resumed", { job: job.id, pages: state.pages });
  for (let goal = Math.max(all * job.spec.numEpochs, state.pages);; goal += all) {
    while (state.pages < goal && ledger.now() < until) {
      signal.throwIfAborted();
      const indices = pagesAt(all, state.pages, take);
      const trained = await round(await trainer(), parts.uid, prepared, state, indices);
      state = trained;
      await progress.save(state);
      const level = isShown(state.pages, take, goal) ? "info" : "debug";
      log(level, TARGET, "Job trained", {
        job: job.id,
        pages: state.pages,
        of: goal,
        loss: trained.loss.toFixed(4),
      });
    }
    const losses = await held.measure(state.theta);
    const fell = (losses.before - losses.after) / 1e6;
    const asked = job.spec.minImprovement / 1e6;
    log("info", TARGET, "Held-out loss", { job: job.id, ...nats(losses), fell, asked });
    if (losses.before - losses.after >= job.spec.minImprovement) {
      const done = { job: job.id, pages: state.pages, of: goal };
      if (state.pages < goal) log("warn", TARGET, "Deadline near: not every page was used", done);
      return state.theta;
    }
    if (ledger.now() < until) continue;
    throw new Refusal(
      "no_improvement",
      `Cannot deliver job ${job.id}: the held-out loss fell by ${fell} nats, ${asked} are asked, and the ` +
        `time is over; a dispute would be lost. ${giveBack(job)}`,
    );
  }
}

/** Lines of a whole training, about. */
const SHOWN = 20;

/** Whether the last `step` pages of `pages` are said aloud. */
function isShown(pages: number, step: number, goal: number): boolean {
  const part = (at: number) => Math.floor(SHOWN * at / goal);
  return pages >= goal || part(pages) > part(pages - step);
}

const nats = ({ after, before }: HeldOut) => ({ before: before / 1e6, after: after / 1e6 });

/** θ ← θ − what the trainer makes of these pages. */
async function round(
  trainer: JobTrainer,
  uid: number,
  { base, pages }: Prepared,
  { pages: before, theta }: JobState,
  indices: readonly number[],
): Promise<JobState & { readonly loss: number }> {
  await pages.load(indices);
  const batch = { uid, window: 0, pages: indices.map((index) => pages.tokens(index)) };
  await trainer.loadCheckpoint(encodeFlat(safetensorsHeader(paramManifest(base.model)), theta));
  const { gradient, loss } = await trainer.trainStep(batch);
  checkedGradient(gradient, theta.length);
  const next = theta.slice();
  for (let i = 0; i < next.length; i++) next[i]! -= gradient[i]!;
  if (!Number.isFinite(loss) || next.some((value) => !Number.isFinite(value))) {
    throw new Refusal(
      "diverged",
      `Cannot train on: after ${before} pages ${trainer.name} diverged. The weights before that are kept; ` +
        "another trainer (--trainer) may go on from them",
    );
  }
  return { theta: next, pages: before + indices.length, loss };
}
