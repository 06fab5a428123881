/**
 * The pay policy `ordinal-v1`: `weight = min(max(0, ordinal), 40)² · max(0, average) · max(0, score)`, all
 * in 1e-6 units, from the second accepted window on. Products are wide integers (u256 in Move).
 *
 * @module
 */
import type { Metric, Report } from "../../enclave/protocol/report.ts";
import { hasMetrics, isMeasured, SETTLED, VERDICT } from "../../enclave/protocol/verdict.ts";
import type { Settlement } from "./ledger.ts";

/** Name of the policy, on the ledger beside every payment. */
export const PAY_POLICY = "ordinal-v1";
/** Ordinals count up to 40. */
const ORDINAL_CAP = 40_000_000n;
/** VRAM (1e-9) ever issued to mining. */
export const MINING_ALLOCATION = 10_500_000_000_000_000n;
/** After 7 M VRAM the emission halves. */
export const HALVING_TRIGGER = 7_000_000_000_000_000n;

/** What a weight depends on; mu, sigma, average and score in 1e-6. */
export interface Performance {
  /** Rating after the window. */
  readonly mu: number;
  /** Its uncertainty. */
  readonly sigma: number;
  /** Effective own-versus-random average, signed. */
  readonly average: number;
  /** Settled score. */
  readonly score: number;
  /** Accepted windows, this one included. */
  readonly accepted: number;
}

/** `mu − 3 sigma`, in 1e-6. */
export function ordinal(mu: number, sigma: number): number {
  return mu - 3 * sigma;
}

/** The unnormalised weight of one accepted gradient. */
export function payWeight(p: Performance): bigint {
  if (p.accepted < 2) return 0n;
  const positive = (value: number) => value > 0 ? BigInt(value) : 0n;
  const raw = positive(ordinal(p.mu, p.sigma));
  const capped = raw > ORDINAL_CAP ? ORDINAL_CAP : raw;
  return capped * capped * positive(p.average) * positive(p.score);
}

/** What a window may issue, given what was issued before. */
export function emissionAt(issued: bigint, emission: number): bigint {
  const rate = issued >= HALVING_TRIGGER ? BigInt(emission) / 2n : BigInt(emission);
  const left = MINING_ALLOCATION - issued;
  return rate < left ? rate : left;
}

/** `floor(pot · weight / total)` for each weight; the dust is not issued. */
export function split(pot: bigint, weights: readonly bigint[]): bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  return weights.map((weight) => total === 0n ? 0n : pot * weight / total);
}

/** An honest judge on another CPU lies within this many units (1e-6 nats) of the median. */
const DEVIATION = 5;

/**
 * Whether a validator earns: it reported, abstained on at most a tenth, and deviated on at most a twentieth
 * (one at the least). A base that it measured otherwise bends every score: it deviates wherever it measured one.
 *
 * @param report its entries, one a settled row; undefined where it sent none.
 */
export function earns(
  report: Pick<Report, "randomBefore" | "entries"> | undefined,
  settled: Pick<Settlement, "randomBefore" | "rows">,
): boolean {
  if (report === undefined) return false;
  const far = (a: Metric, b: Metric) => Math.abs((a ?? 0) - (b ?? 0)) > DEVIATION;
  const bent = far(report.randomBefore, settled.randomBefore);
  let abstained = 0;
  let deviated = 0;
  for (const [i, row] of settled.rows.entries()) {
    const entry = report.entries[i]!;
    const counts = row.verdict !== VERDICT.unavailable && row.verdict !== VERDICT.not_sampled;
    if (!isMeasured(entry.verdict) && counts) abstained++;
    if (!isMeasured(entry.verdict) || row.verdict === SETTLED.disputed || !counts) continue;
    const expected = hasMetrics(row.verdict) ? VERDICT.ok : row.verdict;
    if (
      entry.verdict !== expected || (bent && expected === VERDICT.ok) ||
      far(entry.ownBefore, row.ownBefore) || far(entry.ownAfter, row.ownAfter) ||
      far(entry.randomAfter, row.randomAfter)
    ) deviated++;
  }
  const most = (percent: number) => Math.max(1, Math.floor(settled.rows.length * percent / 100));
  return abstained <= most(10) && deviated <= most(5);
}
