/**
 * Windows of the pay policy, by the functions that the judge and the ledger call: entries are settled, averages
 * move, miners are rated in matches and paid. What the dev ledger does around them (rows, stakes, deadlines) is left
 * out; a test plays the same windows on it and compares every payment.
 *
 * @module
 */
import type { Draw } from "../../../enclave/protocol/draw.ts";
import type { ReportEntry } from "../../../enclave/protocol/report.ts";
import {
  AVERAGE_ZERO,
  effectiveAverage,
  nextAverage,
  scoreOf,
  type SettledRow,
  settleEntry,
} from "../../../enclave/protocol/settle.ts";
import { hasMetrics, SETTLED } from "../../../enclave/protocol/verdict.ts";
import { rateWindow } from "../../../enclave/scoring/outcome.ts";
import { DEFAULT_HPARAMS } from "../../../enclave/protocol/hparams.ts";
import { emissionAt, payWeight, split } from "../../ledger/pay.ts";

/** Rating of a newcomer in 1e-6, as the registry writes it. */
const NEWCOMER = { mu: 25_000_000, sigma: 8_333_334 };

/** What the ledger keeps of a miner. */
interface Standing {
  mu: number;
  sigma: number;
  average: number;
  measured: number;
  accepted: number;
}

/** What a window gave one miner. */
export interface Payment {
  /** The slot. */
  readonly uid: number;
  /** Whether its gradient was accepted. */
  readonly accepted: boolean;
  /** VRAM in 1e-9. */
  readonly reward: bigint;
  /** Rating after the window, in 1e-6. */
  readonly mu: number;
  /** Its uncertainty, in 1e-6. */
  readonly sigma: number;
}

/** The policy's memory from window to window: one validator, all of the emission to miners. */
export class PayPolicy {
  readonly #standings = new Map<number, Standing>();
  #issued = 0n;

  /** VRAM issued so far, in 1e-9. */
  get issued(): bigint {
    return this.#issued;
  }

  /** Settle, rate and pay the next window: one entry a miner, ascending by uid; `draw` deals the matches. */
  step(randomBefore: number, entries: readonly ReportEntry[], draw: Draw): Payment[] {
    const rows = entries.map((entry): SettledRow => {
      const { mu, sigma } = this.#standing(entry.uid);
      const settled = settleEntry([{ value: entry, stake: 1n }], randomBefore);
      return { uid: entry.uid, ...settled, priorMu: mu, priorSigma: sigma };
    });
    const ratings = new Map(
      rateWindow(randomBefore, rows, draw).map((rating) => [rating.uid, rating]),
    );
    const weights = rows.map((row) => this.#weigh(randomBefore, row, ratings.get(row.uid)));
    const pot = emissionAt(this.#issued, DEFAULT_HPARAMS.emission);
    const rewards = split(pot, weights);
    this.#issued += rewards.reduce((sum, reward) => sum + reward, 0n);
    return rows.map(({ uid, verdict }, i) => {
      const { mu, sigma } = this.#standing(uid);
      return { uid, accepted: verdict === SETTLED.accepted, reward: rewards[i]!, mu, sigma };
    });
  }

  #standing(uid: number): Standing {
    let standing = this.#standings.get(uid);
    if (standing === undefined) {
      standing = { ...NEWCOMER, average: AVERAGE_ZERO, measured: 0, accepted: 0 };
      this.#standings.set(uid, standing);
    }
    return standing;
  }

  /** Move a miner's standing by its settled row; its weight. */
  #weigh(
    randomBefore: number,
    row: SettledRow,
    rating: { readonly mu: number; readonly sigma: number } | undefined,
  ): bigint {
    const standing = this.#standing(row.uid);
    if (rating !== undefined) {
      standing.mu = rating.mu;
      standing.sigma = rating.sigma;
    }
    if (hasMetrics(row.verdict)) {
      standing.average = nextAverage(standing.average, randomBefore, row);
      standing.measured++;
    }
    if (row.verdict !== SETTLED.accepted) return 0n;
    standing.accepted++;
    return payWeight({
      ...standing,
      average: effectiveAverage(standing.average, standing.measured),
      score: scoreOf(randomBefore, row.randomAfter),
    });
  }
}
