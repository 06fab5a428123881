/**
 * The outcome: new ratings and the merged base, from settled integers, prior ratings and gradient bytes
 * alone, so that honest judges agree bit for bit.
 *
 * @module
 */
import type { LossModel } from "../model/session.ts";
import { mergeBase, mergedUids } from "../model/merge.ts";
import type { Bytes } from "../protocol/bytes.ts";
import type { Reveal } from "../protocol/commit.ts";
import { heldOutPages } from "../protocol/dataset.ts";
import { type Draw, drawFromBeacon } from "../protocol/draw.ts";
import { Refusal } from "../protocol/refusal.ts";
import { type Metric, type RatingRow, toMetric } from "../protocol/report.ts";
import { scoreOf, type SettledRow } from "../protocol/settle.ts";
import { hasMetrics, isRated } from "../protocol/verdict.ts";
import { BIAS } from "../protocol/report.ts";
import {
  DEFAULT_MU_FIXED,
  DEFAULT_SIGMA_FIXED,
  muFromFixed,
  muToFixed,
  sigmaFromFixed,
  sigmaToFixed,
} from "./fixed.ts";
import { dealMatches } from "./matches.ts";
import { isSane, meanLoss } from "./measure.ts";
import { type Player, ratePlackettLuce, VIRTUAL_UID } from "./rating.ts";
import { type BoundRequest, takePages } from "./request.ts";
import { gradientContext } from "./screen.ts";

const VIRTUAL: Player = {
  uid: VIRTUAL_UID,
  mu: muFromFixed(DEFAULT_MU_FIXED),
  sigma: sigmaFromFixed(DEFAULT_SIGMA_FIXED),
};

/**
 * Ratings after the window. Miners with a score above 0 meet in matches of four, each with a virtual player
 * of score 0; every other rated miner plays the virtual player alone, a refusal losing to it.
 */
export function rateWindow(
  randomBefore: Metric,
  rows: readonly SettledRow[],
  draw: Draw,
): RatingRow[] {
  const rated = rows.filter((row) => isRated(row.verdict));
  const byUid = new Map(rated.map((row) => [row.uid, row]));
  const score = (uid: number): number => {
    if (uid === VIRTUAL_UID) return 0;
    const row = byUid.get(uid)!;
    return hasMetrics(row.verdict) ? scoreOf(randomBefore, row.randomAfter) : -Infinity;
  };
  const winners = rated.map(({ uid }) => uid).filter((uid) => score(uid) > 0);
  const others = rated.map(({ uid }) => uid).filter((uid) => !(score(uid) > 0));
  const matches = [...dealMatches(winners, draw), ...others.map((uid) => [uid])];
  const after: RatingRow[] = [];
  for (const match of matches) {
    const players = [...match.map((uid) => playerOf(byUid.get(uid)!)), VIRTUAL];
    const scores = players.map(({ uid }) => score(uid));
    const ranks = scores.map((mine) => scores.filter((other) => other > mine).length);
    ratePlackettLuce(players, ranks).forEach(({ mu, sigma }, i) => {
      const { uid } = players[i]!;
      if (uid === VIRTUAL_UID) return;
      after.push({ uid, mu: Number(muToFixed(mu) - BIAS), sigma: Number(sigmaToFixed(sigma)) });
    });
  }
  return after.sort((a, b) => a.uid - b.uid);
}

function playerOf({ uid, priorMu, priorSigma }: SettledRow): Player {
  return {
    uid,
    mu: muFromFixed(BIAS + BigInt(priorMu)),
    sigma: sigmaFromFixed(BigInt(priorSigma)),
  };
}

/** Most units of a prior mu's magnitude, and of a prior sigma: a thousand. No game leads that far. */
const MAX_RATING = 10 ** 9;

/**
 * Refuse a settlement that no ledger can have made: of a uid that was never revealed, or a rating that is none.
 *
 * @throws {Refusal} `unbound_input` or `out_of_range`.
 */
export function checkSettled(rows: readonly SettledRow[], reveals: readonly Reveal[]): void {
  const revealed = new Set(reveals.map(({ uid }) => uid));
  for (const { uid, priorMu, priorSigma } of rows) {
    if (!revealed.has(uid)) {
      throw new Refusal("unbound_input", `Settled uid ${uid} was never revealed`, "settled");
    }
    if (Math.abs(priorMu) > MAX_RATING || priorSigma < 1 || priorSigma > MAX_RATING) {
      throw new Refusal("out_of_range", `The rating of uid ${uid} is none`, "settled");
    }
  }
}

/** A merged base and what it is worth on held-out pages. */
export interface Merged {
  /** Its weights. */
  readonly theta: Float32Array<ArrayBuffer>;
  /** Loss of the base before. */
  readonly currentLoss: number;
  /** And after the merge. */
  readonly mergedLoss: number;
}

/**
 * Merge the best updates into a copy of `theta`; null where nothing is merged, or a gradient was not to be had.
 *
 * @throws {Refusal} `missing_blob`, or the verdict's name where an accepted gradient is not a sound one.
 */
export async function mergeWindow(
  request: BoundRequest,
  settled: { readonly randomBefore: Metric; readonly rows: readonly SettledRow[] },
  model: LossModel,
  theta: Float32Array<ArrayBuffer>,
  bytesOf: (reveal: Reveal) => Bytes,
): Promise<Merged | null> {
  const { hparams, context, dataset, judgeBeacon, reveals, unavailable } = request;
  const uids = mergedUids(settled.randomBefore, settled.rows, reveals, hparams.top_g);
  if (uids.length === 0 || uids.some((uid) => unavailable.has(uid))) return null;
  const gradients = gradientContext(request, model.manifest.total);
  const merged = mergeBase(theta, gradients, uids, reveals, bytesOf);
  const pages = takePages(
    request.pages,
    heldOutPages(dataset, context.ledgerId, context.window, judgeBeacon, hparams.heldout_pages),
  );
  const currentLoss = await meanLoss(model, theta, pages);
  const mergedLoss = await meanLoss(model, merged, pages);
  if (!isSane(currentLoss) || !isSane(mergedLoss)) return null;
  return { theta: merged, currentLoss: toMetric(currentLoss), mergedLoss: toMetric(mergedLoss) };
}

/** The stream that deals the matches. */
export function matchDraw(request: BoundRequest): Draw {
  const { context, judgeBeacon } = request;
  return drawFromBeacon("match", context.ledgerId, context.window, judgeBeacon);
}
