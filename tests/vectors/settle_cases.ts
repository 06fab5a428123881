/**
 * Vectors of settlement: several judges' entries and their stake, what they settle as, and the digest.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import { encodeSettlement } from "../../enclave/protocol/judge_messages.ts";
import type { Metric, ReportEntry } from "../../enclave/protocol/report.ts";
import {
  AVERAGE_ZERO,
  effectiveAverage,
  lowerMedian,
  nextAverage,
  scoreOf,
  settledDigest,
  settleEntry,
} from "../../enclave/protocol/settle.ts";
import { hasMetrics, VERDICT, type VerdictName } from "../../enclave/protocol/verdict.ts";
import { metric, named, u64 } from "./inputs.ts";

/** What one judge says of a gradient: a refusal or an abstention by name, or three losses. */
type Says =
  | Exclude<VerdictName, "ok">
  | readonly [ownBefore: number, ownAfter: number, random: number];

interface Jury {
  readonly stakes: readonly bigint[];
  /** By judge. */
  readonly randomBefore: readonly Metric[];
  /** By miner, then by judge. */
  readonly said: Readonly<Record<string, readonly Says[]>>;
}

const B = 11_000_000;
const ok = (score: number, own = score + 10): Says => [B + 7, B + 7 - own, B - score];

/** Three judges, no majority alone; then four equal ones, so that exactly half is common; then one. */
const JURIES: Record<string, Jury> = {
  "three judges of 40, 35 and 25": {
    stakes: [40n, 35n, 25n],
    randomBefore: [B, B + 1, B - 1],
    said: {
      "all agree": [ok(500), ok(500), ok(500)],
      "medians differ by field": [ok(500, 1), ok(499, 3), ok(501, 2)],
      "score of 3 is accepted": [ok(3), ok(3), ok(3)],
      "score of 2 is noise": [ok(2), ok(2), ok(2)],
      "score of -2 is noise": [ok(-2), ok(-2), ok(-2)],
      "score of -3 is harmful": [ok(-3), ok(-3), ok(-3)],
      "a copy for two of three": ["duplicate", ok(9), "duplicate"],
      "three opinions": ["norm", "zero", ok(9)],
      "one could not fetch it": ["unavailable", ok(8), ok(9)],
      "two could not fetch it": ["unavailable", "unavailable", ok(9)],
      "not drawn for measuring": ["not_sampled", "not_sampled", "not_sampled"],
      "every refusal keeps its code": ["overlap", "overlap", "overlap"],
    },
  },
  "four judges of 2^62 each": {
    stakes: [1n << 62n, 1n << 62n, 1n << 62n, 1n << 62n],
    randomBefore: [B, B, B + 5, B + 5],
    said: {
      "exactly half measured it": [ok(9), ok(9), "unavailable", "unavailable"],
      "exactly half say it is zero": ["zero", "zero", ok(9), ok(9)],
      "two of three who measured": ["zero", "zero", ok(9), "unavailable"],
      "half say not sampled": ["not_sampled", "not_sampled", "unavailable", "unavailable"],
      "lower median of an even jury": [ok(10), ok(20), ok(30), ok(40)],
    },
  },
  "one judge that measured no base": {
    stakes: [1n],
    randomBefore: [null],
    said: { "undecodable": ["undecodable"] },
  },
};

function entryOf(uid: number, says: Says): ReportEntry {
  if (typeof says === "string") {
    return { uid, verdict: VERDICT[says], ownBefore: null, ownAfter: null, randomAfter: null };
  }
  const [ownBefore, ownAfter, randomAfter] = says;
  return { uid, verdict: VERDICT.ok, ownBefore, ownAfter, randomAfter };
}

const losses = (row: Omit<ReportEntry, "uid">) => ({
  verdict: row.verdict,
  own_before: metric(row.ownBefore),
  own_after: metric(row.ownAfter),
  random_after: metric(row.randomAfter),
});

function settlement([name, { stakes, randomBefore, said }]: [string, Jury]): unknown {
  const weigh = <T>(values: readonly T[]) =>
    values.map((value, judge) => ({ value, stake: stakes[judge]! }));
  const before = lowerMedian(
    weigh(randomBefore).flatMap(({ value, stake }) => value === null ? [] : [{ value, stake }]),
  );
  const miners = Object.entries(said).map(([what, jury], uid) => {
    const entries = jury.map((says) => entryOf(uid, says));
    const prior = { priorMu: 25_000_000 - uid * 5_000_000, priorSigma: 8_333_334 - uid };
    return { what, entries, row: { uid, ...settleEntry(weigh(entries), before), ...prior } };
  });
  const rows = miners.map(({ row }) => row);
  return {
    name,
    stakes: stakes.map(u64),
    random_before: randomBefore.map(metric),
    settled_random_before: metric(before),
    miners: miners.map(({ what, entries, row }) => ({
      what,
      uid: row.uid,
      reports: entries.map(losses),
      settled: losses(row),
      score: u64(scoreOf(before, row.randomAfter)),
      average_from_zero: hasMetrics(row.verdict)
        ? u64(nextAverage(AVERAGE_ZERO, before, row))
        : null,
      prior_mu: u64(row.priorMu),
      prior_sigma: u64(row.priorSigma),
    })),
    window_digest: toHex(named("window digest")),
    next_base: toHex(named("next base")),
    bcs: toHex(encodeSettlement(before, rows)),
    digest: toHex(settledDigest(named("window digest"), named("next base"), before, rows)),
  };
}

/** Runs of one miner's average: the sign of own drop less random drop, window by window. */
const RUNS = [[1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [-1, -1, 0, 1, 0, -1], [0, 0]];

function averages(signs: readonly number[]): unknown {
  let average = AVERAGE_ZERO;
  return signs.map((sign, i) => {
    const row = { ownBefore: 100, ownAfter: 100 - sign, randomAfter: 100 };
    average = nextAverage(average, 100, row);
    return { sign, average: u64(average), effective: u64(effectiveAverage(average, i + 1)) };
  });
}

/** `settle.json`. */
export function settle(): unknown {
  return {
    about:
      'Entries by judge and their stake, as settled: see enclave/protocol/settle.ts. Priors are in 1e-6, mu signed. digest = SHA-256("vramhub/settled/v1" ‖ window_digest ‖ next_base ‖ BCS), where BCS is random_before and then the rows. An average is stored in 0 … 2000000 with 1000000 as zero; effective is what a weight takes, signed, in 1e-6.',
    settlements: Object.entries(JURIES).map(settlement),
    averages: RUNS.map(averages),
  };
}
